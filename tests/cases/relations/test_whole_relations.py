"""Relations are told whole, or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

VIEWS = '''"""Views of a table."""

from collections.abc import ItemsView
from typing import TypeVar

try:
    from socket import inet_pton
except ImportError:

    def inet_pton(family, text):
        """Pack an address where the system cannot."""
        return pack(family, text)


KT = TypeVar("KT")


def override(function):
    """Mark a method that replaces another."""
    return function


def pack(family, text):
    """Pack an address into bytes."""
    return bytes(text, family)


def parse(text):
    """Parse the address of a host."""
    return inet_pton(4, text)


class SetView:
    """A view with the methods of a set."""

    def length(self):
        """Count what is seen."""
        return 0


class Items(SetView, ItemsView[KT, KT]):
    """A view of pairs."""

    _viewname = "items"

    @override
    def length(self):
        """Count the pairs."""
        return super().length() + 1


class LongItems(Items):
    """A view of many pairs."""

    def escape(self, text):
        """Escape a text, the reverse of `unescape`."""
        return text

    def use(self):
        """Escape what is seen."""
        self._start(1)
        return self.escape("a")

    def _start(self, number):
        """Begin at a number."""
        self.first = number
'''
views = sampled_fixture(
    {
        "views/views.py": VIEWS,
        "views/__init__.py": "",
        "a/one.py": "def unhook():\n    '''Take a hook away again.'''\n    return 1\n",
        "b/two.py": "def unhook():\n    '''Take all hooks away.'''\n    return 2\n",
    }
)


def test_all_base_classes_of_the_header_are_named(views: Sampled) -> None:
    assert answers(views, "bases", "views/views.py::Items") == {
        "`Items` inherits from `SetView`. It also inherits from `ItemsView[KT, KT]`."
    }
    assert not views.audit().wrong


def test_a_wrong_base_class_is_noticed(views: Sampled) -> None:
    wrong = {
        key: one | {"answer": one["answer"].replace("ItemsView[KT, KT]", "KeysView")}
        for key, one in views.samples.items()
        if "also inherits" in one["answer"]
    }
    assert len(views.audit(wrong).wrong) == len(wrong) > 0


def test_subclasses_are_said_to_be_the_direct_ones(views: Sampled) -> None:
    assert answers(views, "subclasses", "views/views.py::SetView") == {
        "Outside of tests, these inherit directly from `SetView`: `Items`."
    }


def test_what_stands_in_for_a_failed_import_is_not_explained(views: Sampled) -> None:
    assert not views.answers("views/views.py::inet_pton")


def test_lines_of_methods_begin_with_the_decorator(views: Sampled) -> None:
    (answer,) = answers(views, "example", "views/views.py::Items")
    start = VIEWS.split("\n").index("    @override") + 1
    assert f"`length` (lines {start}-{start + 3})" in answer


def test_class_attributes_of_an_example_are_named(views: Sampled) -> None:
    (answer,) = answers(views, "example", "views/views.py::Items")
    line = VIEWS.split("\n").index('    _viewname = "items"') + 1
    assert f"It defines `_viewname` (line {line}), `length`" in answer


@pytest.mark.parametrize("name", ["escape", "_start"])
def test_callers_are_not_all_that_a_change_concerns(views: Sampled, name: str) -> None:
    """A counterpart has to be kept in step, and what is set is read elsewhere."""
    assert not answers(views, "change", f"views/views.py::LongItems.{name}")


def test_no_question_for_a_file_names_the_file(views: Sampled) -> None:
    assert not answers(views, "location", "a/one.py::unhook")


ERRORS = '''"""Errors."""


class DuplicationError(Exception):
    """Raised for what is there already."""


class KeyDuplicationError(DuplicationError):
    """Raised for a key that is there already."""


class ValueDuplicationError(DuplicationError):
    """Raised for a value that is there already."""


class PairDuplicationError(DuplicationError):
    """Raised for a pair that is there already."""
'''

CORE = '''"""The core."""

from .errors import KeyDuplicationError, PairDuplicationError, ValueDuplicationError


def check(key, value, known):
    """Check that neither a key nor a value is known."""
    if (key, value) in known:
        raise PairDuplicationError(key)
    if key in known:
        raise KeyDuplicationError(key)
    if value in known:
        raise ValueDuplicationError(value)
'''


def test_a_plan_imports_what_it_raises_in_another_file(tmp_path: Path) -> None:
    files = {"twin/errors.py": ERRORS, "twin/core.py": CORE, "twin/__init__.py": ""}
    twin = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    plans = [one["answer"] for one in of_kind(twin, "plan")]
    assert plans
    for answer in plans:
        assert re.search(
            r"as all 3 siblings are in `[^`]+`[^;]*; import it there\.", answer
        )
        assert "new direct subclass of `DuplicationError`" in answer
    assert not twin.audit().wrong


SHAPES = '''"""Shapes."""


class Shape(dict):
    """A shape."""

    @property
    def path(self):
        """Where it is drawn."""
        return _trim(self["path"])

    def text(self):
        """Write the shape."""
        return str(self.path)

    def clear(self):
        """Empty the shape."""
        super().clear()
        _trim(self)


class Picture:
    """A picture of one shape."""

    def __init__(self, shape):
        self._shape = shape

    def place(self):
        """Where the shape is drawn."""
        return self._clip(self._shape.path)

    def clipper(self):
        """Choose how to clip."""
        return self._clip

    def _clip(self, one):
        """Clip a path."""
        return one


def _trim(one):
    """Trim a shape."""
    return one


def mirror(one):
    """Mirror a shape."""
    return one.__mirrored__() or _trim(one)
'''


def test_lists_leave_nothing_out(tmp_path: Path) -> None:
    shapes = Sampled(tmp_path, {"shapes/draw.py": SHAPES}, **ALL_IN_ENGLISH)
    draw = "shapes/draw.py::"
    # `Picture` reads it through an object of a class that nobody knows.
    assert not answers(shapes, "readers", f"{draw}Shape.path")
    # The work is done by a method of `dict`, or of whatever is passed.
    assert not answers(shapes, "callees", f"{draw}Shape.clear")
    assert not answers(shapes, "callees", f"{draw}mirror")
    (answer,) = answers(shapes, "callers", f"{draw}Picture._clip")
    assert "**Also referred to by**: `Picture.clipper`" in answer
    assert not shapes.audit().wrong
