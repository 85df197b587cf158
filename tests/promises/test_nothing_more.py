"""Nothing is made that could not have changed: which rows, read from the event log.

The property test holds every build against a ledger of what changed; here are the
promises by name. What a view looked at and found equal is in no log: there the rows
that it put are recorded.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repobuild.engine.run.view_output import ViewOutput
from tests.promises import edits
from tests.repository import Repository
from tests.standard import Standard

A = '''\
"""Numbers and what is done with them."""

from b import halve


def double(value: int) -> int:
    """Return twice the number that is given."""
    result = value + value
    if result < 0:
        raise ValueError(value)
    return result


def quarter(value: int) -> int:
    """Return a fourth of the number, rounded down."""
    once = halve(value)
    twice = halve(once)
    return twice
'''
B = '''\
"""Parts of numbers."""


def halve(value: int) -> int:
    """Return one half of the number, rounded down."""
    if value < 0:
        return -halve(-value)
    return value // 2
'''
# Of every commit, whatever it changed.
HISTORY = ("commits", "changes", "past_commits", "additions")
C = '''\
"""Words, which have nothing to do with numbers."""


def shout(text: str) -> str:
    """Return the text in capital letters."""
    found = text.strip()
    return found.upper()
'''


@pytest.fixture
def built(repository: Repository, tmp_path: Path):
    repository.commit({"a.py": A, "b.py": B, "c.py": C, "README.md": "# Numbers\n"})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build()
    yield standard
    standard.close()


def after(standard: Standard, repository: Repository, **files: str | None):
    """Commit files (`a` is `a.py`), build, and return the events by table."""
    repository.commit({f"{name}.py": text for name, text in files.items()})
    standard.build()
    return standard.events()


def test_a_comment_stops_at_the_facts(built, repository):
    said = after(built, repository, a=A.replace("value + value", "value + value  # so"))
    assert set(said) == {"files", "facts", *HISTORY}
    assert said["facts"]["built"] == ["a.py"]


def test_sorting_imports_changes_no_element(built, repository, tmp_path):
    first, second = "from b import halve\n", "from c import shout\n"
    code = "\n\ndef spell(value):\n    half = halve(value)\n"
    code += "    said = shout(str(half))\n    again = shout(said)\n    return again\n"
    after(built, repository, d=second + first + code)
    needs = built.table("contexts").get("d.py::spell")["needs"]
    said = after(built, repository, d=first + second + code)
    assert needs == [first.strip(), second.strip()]
    assert "d.py::spell" not in said.get("contexts", {"built": []})["built"]
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build()
    assert built.digests() == clean.digests()
    clean.close()


def test_a_mode_is_no_content(built, repository):
    index = repository.git.index
    entry = index["a.py"]
    entry.mode = edits.EXECUTABLE
    index.add(entry)
    said = after(built, repository)
    assert set(said) == {"files", "facts", *HISTORY}
    assert (said["facts"]["built"], said["facts"]["memo"]) == ([], ["a.py"])
    assert said["facts"]["counts"]["memo"] == 0


@pytest.mark.parametrize("name", ["z", "A", "sub/a"])
def test_a_renamed_file_is_not_parsed_again(name, built, repository):
    said = after(built, repository, **{"a": None, name: A})
    assert said["facts"]["built"] == []
    assert said["facts"]["memo"] == [f"{name}.py"]
    assert said["facts"]["removed"] == ["a.py"]


def test_a_copy_is_not_parsed_again(built, repository):
    said = after(built, repository, copy=C)
    assert (said["facts"]["built"], said["facts"]["memo"]) == ([], ["copy.py"])


def test_a_revert_computes_no_fact_and_no_sample(built, repository):
    after(built, repository, a=A.replace("twice the number", "double the number"), b=C)
    said = after(built, repository, a=A, b=B)
    assert said["facts"]["built"] == [] and said["samples"]["built"] == []
    assert said["facts"]["memo"] == ["a.py", "b.py"]


def test_a_branch_switch_computes_no_fact_and_no_sample(built, repository):
    first = str(repository.git.head.target)
    second = repository.commit({"a.py": A + "\n\n" + C, "c.py": None})
    built.build()
    for commit in (first, second, first):
        repository.git.references.create("refs/heads/main", commit, force=True)
        built.build()
        said = built.events()
        assert said["facts"]["built"] == [] and said["samples"]["built"] == []


def test_a_function_that_moved_remakes_only_what_quotes_lines(built, repository):
    said = after(built, repository, a=A.replace("\n\n\n", "\n\n\n# moved\n\n\n"))
    moved = ["a.py::double@lines", "a.py::quarter@lines"]
    assert said["contexts"]["built"] == moved
    assert said["samples"]["built"] + said["samples"]["memo"] == moved
    ends = [key.partition("#")[2] for key in said["samples"]["entries"]]
    tasks = {end.partition(".")[0] for end in ends}
    assert tasks <= {"code_location", "implementation_path"}


def test_a_changed_body_concerns_its_function_alone(built, repository):
    said = after(built, repository, a=A.replace("value + value", "2 * value"))
    assert said["graph"]["entries"] == ["a.py::double"]
    assert said["contexts"]["built"] == ["a.py::double"]
    assert said["samples"]["built"] == ["a.py::double"]


def test_a_changed_first_sentence_affects_only_the_callers(built, repository):
    said = after(built, repository, b=B.replace("one half", "a half"))
    callers = ["a.py::quarter", "a.py::quarter@lines"]  # a step says what it calls
    assert said["contexts"]["built"] == [*callers, "b.py::halve"]


def test_a_new_caller_concerns_what_it_calls(built, repository):
    new = "from b import halve\n\n\ndef third(value):\n    return halve(value)\n"
    said = after(built, repository, d=new)
    changed = {key.partition("@")[0] for key in said["contexts"]["built"]} - {""}
    assert changed == {"b.py", "b.py::halve", "d.py", "d.py::third"}


def test_a_name_that_becomes_ambiguous_affects_only_its_first_holder(built, repository):
    said = after(built, repository, d="def shout(text):\n    return text\n")
    changed = {key.partition("@")[0] for key in said["contexts"]["built"]} - {""}
    assert changed == {"c.py::shout", "d.py", "d.py::shout"}


def test_a_setting_rebuilds_only_the_tables_that_declare_it(built, repository):
    built.settings["split.generalise"] = 0.9
    built.build()
    assert set(built.events()) <= {"samples", "history", "plans", "dataset"}
    assert "samples" in built.events()


APART = {
    b"zeta/__init__.py": b"from zeta.odd import Zealous\n",
    b"zeta/odd.py": b"class Zealous:\n    def zip(self):\n        return zest(self)\n"
    b"\n\ndef zest(zebra):\n    return zebra\n",
    b"zeta/even.py": b"import zeta.odd\n\n\ndef zoom():\n    '''Go near.'''\n"
    b"    return zeta.odd.Zealous().zip()\n",
    b"zeta/zoo.md": b"# Zoology\n\nAll about it.\n",
}


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(edits.related | edits.scattered, st.lists(edits.edit, max_size=6))
def test_files_that_share_no_name_with_an_edit_are_not_even_looked_at(
    tmp_path_factory, start, steps
):
    place = tmp_path_factory.mktemp("apart")
    repository = Repository(place / "repository")
    apart = {name: (data, edits.REGULAR) for name, data in APART.items()}
    commit = repository.commit_tree(apart, [])
    # A name for the project, or the largest folder gives one, which every row holds.
    standard = Standard(repository.git, place / "state", **{"project.name": "demo"})
    standard.build()
    looked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("put", "drop"):
            patch.setattr(ViewOutput, name, noting(getattr(ViewOutput, name), looked))
        trees = [edits.tree_of(start)]
        for edit in steps:
            trees.append(edits.after(trees[-1], trees, edit))
            commit = repository.commit_tree({**trees[-1], **apart}, [commit])
            standard.build()
            for event in standard.events().values():
                looked += event["built"] + event["memo"] + event["removed"]
    standard.close()
    assert [key for key in looked if key.startswith("zeta/")] == []


def noting(method, looked: list[str]):
    """Return a method of a view's own table that notes which row it is called on."""

    def noted(table, key, *rest):
        looked.append(key)
        return method(table, key, *rest)

    return noted
