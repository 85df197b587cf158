"""Whoever changes a function is told of its other name once, and of fitting tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.tasks import implementation_path
from repobuild.samples.tasks.facts import FactScope
from repobuild.samples.tasks.phrases import load_phrases
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind, sampled_fixture
from tests.repository import Repository
from tests.standard import Standard

KEYS = '''\
"""Keys of caches."""


def make_key{n}(value):
    """Return the key that a value has in every cache."""
    return hash(value)


_make_key{n} = make_key{n}


class Cached{n}:
    """A function whose values are kept."""

    def __init__(self, key=None):
        self.key = key or make_key{n}
'''


# A change is asked of one function in three, drawn by its id.
keys = sampled_fixture({f"keys{n}.py": KEYS.replace("{n}", str(n)) for n in range(9)})


def test_every_claim_holds(keys: Sampled) -> None:
    assert not keys.audit().wrong


def test_another_name_is_told_once(keys: Sampled) -> None:
    changes = of_kind(keys, "change")
    assert changes
    for one in changes:
        assert "1. Check the code that refers to it: `Cached" in one["answer"]
        assert "2. Keep in mind that its module also offers it as" in one["answer"]
        assert "top level" not in one["answer"]


def test_what_a_module_makes_of_a_function_without_a_name_is_not_asked() -> None:
    context = {
        "kind": "function", "id": "a.py::f", "label": "f", "path": "a.py", "name": "f",
        "project": "p", "fence": "python", "readers": ["a.py"], "callers": ["a.py::g"],
        "tests": ["tests/test_a.py::test_f"],
    }  # fmt: skip
    scope = FactScope(context, load_phrases("en"), ("en",), lambda _: False)
    assert "change" not in {fact.kind for fact in implementation_path.facts(scope)}
    known = FactScope(
        {**context, "other_names": ["g"]}, load_phrases("en"), ("en",), lambda _: False
    )
    assert "change" in {fact.kind for fact in implementation_path.facts(known)}


@pytest.mark.parametrize(("names", "count"), [(["test_one"], 0), (["test_f"], 1)])
def test_one_of_several_tests_is_named_where_its_name_says_why(
    names: list[str], count: int
) -> None:
    context = {
        "kind": "function", "id": "a.py::f", "label": "f", "path": "a.py", "name": "f",
        "project": "p", "fence": "python", "callers": ["a.py::g"], "more": ["tests"],
        "tests": [f"tests/test_a.py::{name}" for name in names],
    }  # fmt: skip
    scope = FactScope(context, load_phrases("en"), ("en",), lambda _: False)
    kinds = [fact.kind for fact in implementation_path.facts(scope)]
    assert kinds.count("change") == count


def test_what_a_partial_makes_is_no_other_name(tmp_path: Path) -> None:
    before = "from functools import partial\n\n\ndef cut(text, at=3):\n"
    before += '    """Cut a text after some letters."""\n    return text[:at]\n\n\n'
    repository = Repository(tmp_path / "repository")
    repository.commit({"texts.py": before + "clip = cut\n"})
    grown = Standard(repository.git, tmp_path / "grown", **ALL_IN_ENGLISH)
    grown.build("contexts")
    told = grown.table("contexts").get("texts.py::cut")
    assert told is not None and told["other_names"] == ["clip"]
    repository.commit({"texts.py": before + "clip = partial(cut, at=9)\n"})
    grown.build("contexts")
    told = grown.table("contexts").get("texts.py::cut")
    assert told is not None and not told.get("other_names")
    clean = Standard(repository.git, tmp_path / "clean", **ALL_IN_ENGLISH)
    clean.build("contexts")
    assert grown.digests() == clean.digests()
    grown.close()
    clean.close()
