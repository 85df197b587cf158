"""Importance follows use, changes rarely, and reaches every row of the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repobuild.cli.claim_audit import audit_tree
from repobuild.code.usage.importance import UseCounter
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from tests.repository import Repository
from tests.standard import Standard

CORE = '''"""The core."""


def used(value):
    """Return a value that many want."""
    return value


def unused(value):
    """Return a value that nobody wants."""
    return value


def _hidden(value):
    """Return a value that is for this file."""
    return value


class Thing:
    """A thing of which many are made."""

    def turn(self):
        """Turn it around once."""
        return self
'''
FILES: dict[str, str | bytes | None] = {
    "pkg/__init__.py": '"""All of it."""\n\nfrom pkg.core import used\n',
    "pkg/core.py": CORE,
    **{
        f"pkg/user{n}.py": "from pkg.core import Thing, used\n\n\n"
        f"def user{n}(value):\n    return used(value), Thing()\n"
        for n in range(4)
    },
    "README.md": "# All\n\nCall `pkg.core.used()` for it.\n",
}


class Built:
    """A repository that is built after each commit."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder / "repository")
        self.standard = Standard(self.repository.git, folder / "state")

    def build(self, files: dict[str, str | bytes | None]) -> dict[str, float]:
        self.repository.commit(files)
        self.standard.build("dataset")
        return dict(self.standard.open().table("importance").entries())

    def rows(self) -> dict[str, Any]:
        return dict(self.standard.open().table("dataset").entries())


def test_what_is_used_more_is_more_important(tmp_path: Path) -> None:
    scores = Built(tmp_path).build(FILES)
    core = "pkg/core.py::"
    assert scores[core + "used"] > scores[core + "Thing"] > scores[core + "unused"]
    assert scores[core + "unused"] >= scores[core + "_hidden"]
    assert scores[core + "Thing.turn"] > scores["pkg/user1.py::user1"]
    assert all(0 <= score <= 1 for score in scores.values())
    assert len(set(scores.values())) <= 16


def test_a_document_that_names_an_element_makes_it_more_important(tmp_path: Path):
    built = Built(tmp_path)
    before = built.build(FILES)
    pages = {f"docs/{n}.md": f"# {n}\n\nUse `pkg.core.unused()`.\n" for n in range(4)}
    after = built.build(dict(pages))
    unused = "pkg/core.py::unused"
    assert after[unused] > before[unused]
    gone = built.build(dict.fromkeys(pages))
    assert gone[unused] == before[unused]


def test_one_more_call_changes_few_scores(tmp_path: Path) -> None:
    built = Built(tmp_path)
    before = built.build(FILES)
    call = "from pkg.core import unused\n\n\ndef more():\n    return unused(1)\n"
    after = built.build({"pkg/more.py": call})
    changed = {id for id in before if before[id] != after[id]}
    assert changed <= {"pkg/core.py", "pkg/core.py::unused"}


def test_each_row_of_the_dataset_has_the_importance_of_its_element(tmp_path: Path):
    built = Built(tmp_path)
    for files in (FILES, {"pkg/user1.py": None, "pkg/user2.py": None}):
        scores = built.build(dict(files))
        samples = dict(AllSamples.of(built.standard.open()).entries())
        kept = {k: row for k, row in built.rows().items() if "split" in row}
        assert kept
        for key, row in kept.items():
            element = samples[key]["element"]
            known = 1.0 if element == "@project" else scores.get(element, 0.0)
            assert row.get("importance", 0.0) == known, key


READ = {
    "pkg/__init__.py": "",
    "pkg/limits.py": "LIMIT = 3\n\n\nclass Color:\n    RED = 1\n\n\n"
    "class Base:\n    @property\n    def size(self):\n"
    '        """How large it is, in bytes."""\n        return LIMIT\n',
    "pkg/app.py": "from pkg import limits\nfrom pkg.limits import Base, Color\n\n\n"
    "class App(Base):\n    def run(self):\n        return self.size, Color.RED\n\n\n"
    "def bound():\n    return limits.LIMIT\n\n\n"
    "def shadowed(limits, Color):\n    return limits.LIMIT, Color.RED\n",
    "tests/test_app.py": "from pkg.limits import Base\n\n\n"
    "def test_size():\n    made = Base()\n    assert made.size == 3\n",
}


def test_a_property_that_is_read_is_used(tmp_path: Path) -> None:
    built = Built(tmp_path)
    built.build(dict(READ))
    build = built.standard.open()
    edges = {
        path + sub.partition(" uses ")[0]: sub.partition(" uses ")[2]
        for path, row in build.table("graph").items()
        for sub in row
        if " uses " in sub
    }
    assert edges["pkg/app.py::bound"] == "pkg/limits.py"
    assert "pkg/app.py::shadowed" not in edges
    # Who else reads a property through an object of any class is not known.
    assert "readers" not in build.table("contexts").get("pkg/limits.py::Base.size")
    color = build.table("contexts").get("pkg/limits.py::Color")
    assert color["readers"] == ["pkg/app.py::App.run"]
    samples = dict(AllSamples.of(build).entries())
    found = audit(samples.items(), audit_tree(build))
    assert found.wrong == [] and found.claims["readers"]


def test_a_reader_that_does_not_read_is_noticed(tmp_path: Path) -> None:
    built = Built(tmp_path)
    built.build(dict(READ))
    build = built.standard.open()
    wrong = {
        key: {**one, "answer": one["answer"].replace("App.run", "bound")}
        | {"sources": [*one["sources"], "pkg/app.py::bound"]}
        for key, one in AllSamples.of(build).entries()
        if "`App.run`" in one["answer"] and one["task"] == "relations"
    }
    assert wrong
    assert {w.key for w in audit(wrong.items(), audit_tree(build)).wrong} == set(wrong)


def test_a_document_that_is_left_out_makes_nothing_more_important(tmp_path: Path):
    built = Built(tmp_path)
    before = built.build(FILES)
    pages = {f"vendor/{n}.md": f"# {n}\n\nUse `pkg.core.unused()`.\n" for n in range(4)}
    after = built.build(dict(pages))
    assert after["pkg/core.py::unused"] == before["pkg/core.py::unused"]


def test_a_readme_is_as_important_in_either_markup(tmp_path: Path) -> None:
    text = "Core\n====\n\nIt does the work.\n"
    markdown = Built(tmp_path / "md").build(FILES | {"README.md": text})
    rest = Built(tmp_path / "rst").build(FILES | {"README.rst": text})
    assert rest["README.rst"] == markdown["README.md"] > 0.4


def test_an_edit_of_a_body_computes_no_score_again(tmp_path: Path, monkeypatch) -> None:
    built = Built(tmp_path)
    built.build(FILES)
    counted: list[str] = []
    count = UseCounter.referring
    monkeypatch.setattr(
        UseCounter, "referring", lambda self, id: counted.append(id) or count(self, id)
    )
    core = FILES["pkg/core.py"]
    assert "return value" in core
    built.build({"pkg/core.py": core.replace("return value", "return value or 0", 1)})
    assert counted == []
    built.build({"pkg/more.py": "def more():\n    return 1\n"})
    assert counted != []
