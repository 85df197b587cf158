"""Samples that a strict reader called unsound are sound now, or are not asked."""

from __future__ import annotations

from pathlib import Path

from repobuild.samples.dataset.split import Split
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.markup import strip_markup
from repobuild.samples.text.summary.sentences import first_sentence
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

QUEUES = '''"""Queues with two faces."""

from typing import TYPE_CHECKING, Protocol


class Face(Protocol):
    @property
    def closed(self) -> bool: ...

    def size(self) -> int:
        ...


class Queue:
    def __init__(self, limit: int = 0) -> None:
        self.limit = limit

    @property
    def closed(self) -> bool:
        return self.limit < 0

    @classmethod
    def small(cls, limit: int) -> "Queue":
        """Return a queue with a small limit."""
        return cls(min(limit, 8))

    def size(self) -> int:
        return self.limit

    def get(self, block: bool = True) -> int:
        """Remove and return an item from the queue.

        Wait for one if there is none.
        """
        return self.limit

    def get_nowait(self) -> int:
        """Remove and return an item from the queue.

        Raise an error if there is none.
        """
        return self.limit


class FirstProxy(Face):
    """Create a queue object with a given maximum size."""

    def __init__(self, parent: Queue) -> None:
        self.parent = parent

    @property
    def closed(self) -> bool:
        return self.parent.closed

    def size(self) -> int:
        return self.parent.size()

    def __len__(self) -> int:
        return self.size()


class SecondProxy(Face):
    """Create a queue object with a given maximum size."""

    def __init__(self, parent: Queue) -> None:
        self.parent = parent

    @property
    def closed(self) -> bool:
        return self.parent.closed

    def size(self) -> int:
        return self.parent.size()


class Typed(Queue):
    """A queue whose items have a type."""

    if TYPE_CHECKING:

        @property
        def closed(self) -> bool: ...

        def size(self) -> int: ...


def lone(value): ...
'''
GUIDE = """# Guide

## [Version 1.2.0](https://example.org/v1.2.0) of the queues (2024-01-01)

Queues can be closed.

* Fixed the size of a queue
* Fixed the limit of a queue

## Contributions to the queues

We are grateful for contributions - refer to the
[guide](https://example.org/guide)
before you begin.
"""
FILES = {
    "setup.py": "from setuptools import setup\n\nsetup()\n",
    "setup.cfg": "[metadata]\nname = queues\n",
    "guide.md": GUIDE,
    "queues/__init__.py": QUEUES,
    "queues/typed.py": "import typing_extensions\n\nX = typing_extensions.Self\n",
}
HOME = "queues/__init__.py::"
queues = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(queues: Sampled):
    assert queues.audit().wrong == []


def test_what_is_there_for_type_checkers_is_no_code(queues: Sampled):
    assert queues.answers(f"{HOME}Typed.closed") == []
    assert queues.answers(f"{HOME}Typed.size") == []
    told = "\n".join(one["answer"] for one in queues.samples.values())
    assert "`Typed.size`" not in told and "`Typed.closed`" not in told


def test_a_property_is_told_as_one(queues: Sampled):
    (text,) = answers(queues, "written", f"{HOME}Queue.closed")
    assert "is a property in" in text
    assert "@property\ndef closed(self) -> bool:\n    return self.limit < 0" in text
    (methods,) = answers(queues, "members", f"{HOME}FirstProxy")
    assert (
        "defines `size`, `__init__`, `__len__`.\n\n**Properties**: `closed`" in methods
    )


def test_a_class_method_keeps_its_decorator(queues: Sampled):
    (text,) = answers(queues, "explain", f"{HOME}Queue.small")
    assert '@classmethod\ndef small(cls, limit: int) -> "Queue"' in text


def test_a_wrong_decorator_is_noticed(queues: Sampled):
    changed = {}
    for key, one in queues.samples.items():
        if "@classmethod\n" in one["answer"]:
            answer = one["answer"].replace("@classmethod\n", "@staticmethod\n")
            changed[key] = {**one, "answer": answer}
    assert changed
    assert len(queues.audit(changed).wrong) >= len(changed)


def test_a_stub_is_told_as_what_others_implement(queues: Sampled):
    (text,) = answers(queues, "sketch", f"{HOME}Face.size")
    assert "**Its body** is only `...`: it declares what others implement." in text
    assert "**Overridden by**: `FirstProxy.size`, `SecondProxy.size`" in text
    assert answers(queues, "code", f"{HOME}Face.size") == set()


def test_nothing_but_a_signature_is_no_explanation(queues: Sampled):
    assert answers(queues, "sketch", f"{HOME}lone") == set()


def test_a_docstring_of_two_classes_is_the_purpose_of_neither(queues: Sampled):
    for name in ("FirstProxy", "SecondProxy"):
        (text,) = answers(queues, "written", HOME + name)
        assert "Its docstring" not in text and "has no docstring" not in text
        assert "def size(self)" in text
    told = "\n".join(
        one["question"] + one["answer"].replace('"""Create', "")
        for one in queues.samples.values()
        if one["task"] in ("code_explanation", "code_location", "api_usage")
    )
    assert "Create a queue object" not in told


def test_what_tells_two_methods_apart_belongs_to_their_purposes(queues: Sampled):
    (text,) = answers(queues, "explain", f"{HOME}Queue.get_nowait")
    assert "an item from the queue. Raise an error if there is none." in text


def test_a_list_without_its_held_out_elements_is_no_answer(tmp_path: Path):
    names = ["FirstProxy", "SecondProxy"]

    def hidden(salt: str) -> list[bool]:
        split = Split.of({"split.generalise": 0.5, "split.salt": salt})
        return [split.is_held_out(HOME + name) for name in [*names, "Face"]]

    salt = next(str(n) for n in range(99) if hidden(str(n)) == [True, False, False])
    settings = {**ALL_IN_ENGLISH, "split.generalise": 0.5, "split.salt": salt}
    queues = Sampled(tmp_path, FILES, **settings)
    assert answers(queues, "overridden", f"{HOME}Face.size") == set()
    told = [
        one["answer"]
        for one in queues.samples.values()
        if one["task"] in ("relations", "code_explanation")
    ]
    assert [text for text in told if "and others" in text] == []


def test_a_section_is_asked_for_only_where_all_of_it_is_quoted(queues: Sampled):
    text = "We are grateful for contributions - refer to the guide before you begin."
    assert answers(queues, "passage") == {text}


def test_a_heading_is_named_without_the_target_of_its_link(queues: Sampled):
    told = "\n".join(one["question"] + one["answer"] for one in queues.samples.values())
    assert "example.org" not in told


def test_a_sentence_does_not_end_after_an_abbreviation():
    text = "Defaults to the root (e.g. '/' on Unix). It may be left out."
    assert first_sentence(text) == "Defaults to the root (e.g. '/' on Unix)."


def test_no_sentence_is_cut():
    long = "one word after another " * 20
    doc = f"Do this.\n\nArgs:\n    a: {long}and the end. More.\n    b: short."
    parameters = parse_docstring(doc).parameters
    assert parameters["b"] == "short."
    assert parameters["a"] == ""


def test_an_operator_is_no_purpose():
    assert parse_docstring("x.__delitem__(y) <==> del x[y]").summary == ""
    assert parse_docstring("*x.__eq__(y) ⟺ x == y*").summary == ""
    assert parse_docstring("*b.popitem() → (k, v)*\n\nMore.").summary == ""
    told = "D.pop(k) -> v, remove the key and return its value."
    assert parse_docstring(told).summary == told


def test_an_escape_of_restructuredtext_is_not_quoted():
    assert strip_markup(r"A set of :class:`~a.Item`\s, all of them.") == (
        "A set of `Item`s, all of them."
    )


def test_a_bare_setup_is_no_evidence_that_nothing_is_needed(queues: Sampled):
    assert answers(queues, "independent") == set()


def test_a_backport_is_no_foundation(queues: Sampled):
    assert answers(queues, "technologies") == set()


def test_a_single_package_is_no_architecture(tmp_path: Path):
    files = {"setup.cfg": "[metadata]\nname = one\n", "one/__init__.py": "A = 1\n"}
    assert answers(Sampled(tmp_path, files, **ALL_IN_ENGLISH), "architecture") == set()


def test_code_on_one_line_has_no_range_of_lines(queues: Sampled):
    assert of_kind(queues, "lines", f"{HOME}lone") == []
    (text,) = answers(queues, "lines", f"{HOME}Queue.closed")
    assert text.endswith("lines 18-20.")


def test_a_call_by_the_signature_is_shown_only_where_it_tells_more_than_names(tmp_path):
    files = {
        "shop.py": "def scale(width, height):\n    return width * height\n\n\n"
        "def trim(text: str, width: int):\n    return text[:width]\n"
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    usage = {
        one["element"] for one in sampled.samples.values() if one["task"] == "api_usage"
        and "signature**" in one["answer"]
    }  # fmt: skip
    assert usage == {"shop.py::trim"}
