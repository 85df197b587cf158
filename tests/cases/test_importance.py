"""Importance follows use, changes rarely, and reaches every row of the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repobuild.samples.dataset.all_samples import AllSamples
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
