"""What strict readers of four more projects would not have signed is not told."""

from __future__ import annotations

from repobuild.code.usage.call_example import call_example
from repobuild.samples.text.summary.module_purpose import summarise_module
from repobuild.samples.text.summary.purpose import summarise
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

PATHS = '''"""
Work with places.

Places that know their system.
"""

import os


class Place:
    """A place on a disk."""

    def __new__(cls, name):
        if cls is Place:
            cls = WindowsPlace if os.name == "nt" else PosixPlace
        return object.__new__(cls)

    def is_here(self, name):
        """Tell whether a place is here."""
        return name in self.names()

    def names(self):
        """Name all places."""
        return [self.sign()]


class PosixPlace(Place):
    """A place of a Unix system."""

    def sign(self):
        """Give the sign between names."""
        return "/"


class WindowsPlace(Place):
    """A place of Windows."""

    def sign(self):
        """Give the sign between names."""
        return "\\\\"


class Shape:
    """What a place looks like."""

    def __new__(cls, kind):
        return object.__new__({"a": Round, "b": Square, "c": Flat}[kind])

    def area(self, size):
        """Measure the area."""
        raise NotImplementedError


class Round(Shape):
    """A round one."""

    def area(self, size):
        """Measure the area of a round one."""
        return 3 * size


class Square(Shape):
    """A square one."""

    def area(self, size):
        """Measure the area of a square one."""
        return 4 * size


class Flat(Shape):
    """A flat one."""

    def area(self, size):
        """Measure the area of a flat one."""
        return 0 * size
'''
WALK = '''"""
Work with places.

Walk from place to place.
"""

from places.sites import Round, Square


class Walker:
    """Walk from one place to the next."""

    def __init__(self, start):
        """Begin at a place."""
        self.start = start

    def on_step(self, place):
        """On step."""
        return place

    def visit(self, place: str, times: int = 1) -> str:
        """Visit a place."""
        return place * times

    def walk(self, place: str, depth: int) -> list:
        """Walk on."""
        return self.on_step(place) and self._down(place, depth)

    def _down(self, place, depth):
        """Walk down from a place."""
        return self._down(place, depth - 1) if depth else [place]

    @classmethod
    def from_start(cls, start):
        """Make a walker at a place."""
        return cls(start)


class Tourist(Walker):
    """Walk and look."""

    def __init__(self, start, guide):
        """Begin with a guide."""
        super().__init__(start)
        self.guide = guide

    def look(self, place):
        """Look at a place twice."""
        return self.visit(place, times=2)


class Notes:
    """Notes of a walk."""

    def __init__(self):
        """Begin without notes."""
        self.all = {}

    def __setitem__(self, place, note):
        """Note something of a place."""
        self.all[place] = note

    def close(self):
        """Close the notes."""
        return self.all


class Stop:
    pass


def get_walk_state(walker):
    """Get version_info without a walker."""
    return walker.start


def note_all(places, text):
    """Note a text of all places.

    :param places: what is noted
    :param title: what stands above
    """
    notes = open_notes()
    for place in places:
        notes[place] = text
    return notes.close()


def open_notes():
    """Open new notes."""
    return Notes()


def has_sign(context: list, *signs: str) -> bool:
    """has-sign function.

    Return True if a place has all signs.
    """
    return all(sign in context for sign in signs)


def pass_on(*args, **kwargs):
    """Pass all of it on to a walker."""
    return Walker(*args, **kwargs)


def guided():
    """Make one that looks."""
    return Tourist("a", "b")


def shown():
    """Show how places look."""
    return [Round("a"), Square("b")]


TABLE = {
    "round": {"kind": Round("a"), "size": 1},
    "square": {"kind": Square("b"), "size": 2},
}
SIGNS = {"has-sign": has_sign}
'''
FIELDS = '''"""
Work with places.

Fields of records.
"""


def field(kind, size=1):
    """Declare a field of a record."""
    return kind, size


class Record:
    """A record of a place."""
'''
FILES = {
    "setup.cfg": "[metadata]\nname = places\ndescription = Walk to places\n",
    "places/__init__.py": '"""Walk to places."""\n',
    "places/__meta__.py": '"""What the version is."""\n\nVERSION = 1\n',
    "places/sites.py": PATHS,
    "places/walk.py": WALK,
    "places/fields.py": FIELDS,
    "docs/walk.md": "# Walks\n\nWalks go on.\n\n"
    "## `Walker.on_step` {: #on_step}\n\n```py\ndef on_step(self, place): ...\n```\n\n"
    "On step returns the place that is noted. You may override it.\n",
    "README.rst": "Places\n======\n\nWalk to places.\n\n.. code:: python\n\n"
    "   >>> from places.fields import field, Record\n"
    "   >>> class Town(Record):\n   ...     houses = field(int, size=4)\n",
    "tests/test_sites.py": "from places.sites import Flat, PosixPlace, Round, Square\n"
    "from places.sites import WindowsPlace\n\n\n"
    "def test_sites():\n    assert PosixPlace('a').sign() == '/'\n"
    "    assert WindowsPlace('a').sign()\n"
    "    assert [Round('a'), Square('b'), Flat('c')]\n",
    "tests/test_walk.py": "import unittest\n\nfrom places.walk import get_walk_state\n"
    "\n\nclass TestWalk(unittest.TestCase):\n    def setUp(self):\n"
    "        self.walker = None\n\n    def test_state(self):\n"
    "        assert get_walk_state(self.walker) == 'at 12'\n",
}
WALKER = "places/walk.py::Walker"
places = sampled_fixture(FILES)


def told(places: Sampled, *kinds: str) -> str:
    return "\n".join(one["answer"] for kind in kinds for one in of_kind(places, kind))


def test_every_claim_of_these_samples_holds(places: Sampled) -> None:
    assert places.audit().wrong == []


def test_modules_that_begin_alike_are_told_by_the_next_sentence(
    places: Sampled,
) -> None:
    for kind in ("modules", "package_parts"):
        (text,) = answers(places, kind)
        assert "`places/sites.py`: Places that know their system." in text
        assert "`places/walk.py`: Walk from place to place." in text
        assert "Work with places." not in text
    assert "- `places/__meta__.py`: What the version is." in text


def test_a_short_title_of_a_module_is_told_with_what_follows() -> None:
    title = "Wild cards.\n\nA module for cards that match.\n\nMore of it."
    assert summarise_module(title, "a/cards.py").endswith(
        "A module for cards that match."
    )
    assert summarise_module("Wild cards.\n\n.. note:: a b\n", "a/x.py") == "Wild cards."


def test_a_class_that_chooses_of_two_subclasses_has_no_plan_for_a_third(
    places: Sampled,
) -> None:
    text = told(places, "plan", "plan_like", "plan_files", "plan_need")
    assert "PosixPlace" not in text
    assert "Handle it in `Shape.__new__` of `places/sites.py`" in text


def test_a_field_of_a_record_in_a_table_registers_nothing(places: Sampled) -> None:
    assert "`TABLE`" not in told(places, "plan", "plan_like", "plan_files")


def test_what_is_used_is_not_called_by_its_signature(places: Sampled) -> None:
    assert not of_kind(places, "usage", f"{WALKER}.visit")  # by a subclass, on itself
    assert not of_kind(places, "usage", "places/walk.py::has_sign")  # in a table
    assert "not taken from the project" in told(places, "usage")


def test_a_field_in_the_body_of_a_class_is_quoted_with_its_class(
    places: Sampled,
) -> None:
    (text,) = answers(places, "usage", "places/fields.py::field")
    assert "class Town(Record):\n    houses = field(int, size=4)" in text


def test_an_item_of_a_list_is_no_example_of_a_call() -> None:
    lines = ["    [", "        'E*',", "        [1] if is_small(2) else [2]", "    ],"]
    assert call_example(lines, 2, "is_small") is None


def test_whoever_calls_itself_is_named_among_its_callers(places: Sampled) -> None:
    every = "\n".join(places.answers(f"{WALKER}._down"))
    assert "is called by `Walker.walk`. It also calls itself." in every


def test_a_subclass_is_shown_with_the_lines_that_extend_its_base(
    places: Sampled,
) -> None:
    (text,) = answers(places, "example", "places/walk.py::Tourist")
    lines = WALK.split("\n")
    head, call = "class Tourist(Walker):", "super().__init__(start)"
    row = lines.index(head) + 1
    assert f"Line {row} names what it inherits from: `{head}`" in text
    row = lines.index(f"        {call}") + 1
    assert f"Line {row} calls the base class: `{call}`" in text


def test_a_hook_has_the_purpose_that_stands_below_its_title(places: Sampled) -> None:
    text = "\n".join(places.answers(f"{WALKER}.on_step"))
    assert "says**: On step returns the place that is noted." in text


def test_a_docstring_about_another_name_is_told_to_be_so(places: Sampled) -> None:
    text = "\n".join(places.answers("places/walk.py::get_walk_state"))
    assert "Its docstring is about `version_info`" in text
    assert "**Purpose**" not in text


def test_parameters_that_only_the_docstring_has_are_named(places: Sampled) -> None:
    (text,) = answers(places, "explain", "places/walk.py::note_all")
    assert "names**, not its definition: `title`" in text


def test_what_works_by_an_index_has_no_whole_list_of_callees(places: Sampled) -> None:
    assert not of_kind(places, "callees", "places/walk.py::note_all")


def test_an_object_of_its_own_class_is_no_callee(places: Sampled) -> None:
    assert not of_kind(places, "callees", f"{WALKER}.from_start")


def test_an_empty_class_has_no_code_to_show(places: Sampled) -> None:
    every = "\n".join(places.answers("places/walk.py::Stop"))
    assert "pass" not in every


def test_a_title_with_the_name_alone_is_told_with_the_purpose(places: Sampled) -> None:
    (text,) = answers(places, "explain", "places/walk.py::has_sign")
    assert "has-sign function. Return True if a place has all signs." in text


def test_nobody_learns_what_to_pass_from_starred_parameters(places: Sampled) -> None:
    assert not of_kind(places, "signature", "places/walk.py::pass_on")


def test_what_a_test_class_sets_up_is_not_asked_for(places: Sampled) -> None:
    assert "at 12" not in told(places, "assertion")


def test_references_are_asked_for_where_nothing_calls_it(places: Sampled) -> None:
    for one in of_kind(places, "readers"):
        assert "apart from" not in one["question"]
        assert not places.context(one["element"]).get("callers")
    assert "`Flat` is referred to by `Shape.__new__`" in told(places, "readers")
    # The top level of its own file, where a table holds it, is told with its purpose.
    assert "`has_sign` is referred to" not in told(places, "readers")


def test_a_question_is_no_purpose_and_a_pointer_no_part_of_one() -> None:
    assert summarise("If it is a leaf, insert it, else does it map to a child?") == ""
    told_before = "Take all out. See `taking`. For some it does nothing."
    assert summarise(told_before) == "Take all out."
