"""What readers from outside took for a fault is told as it is, or not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.scan.file_roles import guides_work
from repobuild.code.usage.call_example import call_example
from repobuild.samples.families.named_sites import describes
from repobuild.samples.text.import_statements import names_imported_inside
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

CARDS = '''"""Cards."""

import warnings
from typing import overload

from club.errors import Refused


class Card:
    def __init__(self, number, name=None):
        """
        A card that opens the doors of the club.

        :param number: the number
        """
        self.number = number
        self.name = name

    @property
    def holder(self):
        return self.name or str(self.number)

    @holder.setter
    def holder(self, name):
        """Give the card to another one."""
        self.name = name

    def stamp(self, place, day, note=""):
        """Stamp a card at the door of a place."""
        if day < 0:
            raise Refused(place)
        self.places.append((place, day))
        return note or place

    def first(self):
        return self.places[0]

    def second(self):
        return self.places[1]

    def third(self):
        return self.places[2]

    def fourth(self):
        return self.places[3]

    def fifth(self):
        return self.places[4]

    def sixth(self):
        return self.places[5]

    def seventh(self):
        return self.places[6]


@overload
def count(cards: list) -> int: ...
@overload
def count(cards: dict) -> list: ...
def count(cards):
    """Count cards in a list, or in the lists of a dict."""
    if isinstance(cards, list):
        return len(cards)
    return [len(one) for one in cards.values()]


def total(cards):
    """Count the cards of all, and of those who have a name."""

    def named(one):
        return one.name

    every = count(cards)
    return every, list(filter(named, cards))


def admit(card, day):
    """Open the door for a card."""
    place = _door(card)
    check_day(day)
    if place > 9:
        place = 0
    return card.stamp(place, day)


def _door(card):
    return card.number % 2


def check_day(day):
    """Refuse a day before the first."""
    if day < 0:
        raise Refused(day)
'''
OLD = '''"""Stamps as they were."""

import warnings

warnings.warn("The club.old module is deprecated.", DeprecationWarning, stacklevel=2)


def stamp_all(cards, place):
    """Stamp all cards."""
    return [card.stamp(place, 1) for card in cards]
'''
FILES = {
    "setup.cfg": "[metadata]\nname = club\ndescription = Open doors by cards\n",
    "docs/doors.md": "# Doors\n\nOpening doors often seems simple.\n\n## Cards\n\n"
    "A card opens a door.\n",
    "club/__init__.py": '"""Open a door::\n\n    admit(Card(1), 1)\n\nClose it::\n\n'
    '    leave()\n"""\n',
    "club/cards.py": CARDS,
    "club/errors.py": '"""What goes wrong."""\n\n\nclass Refused(Exception):\n'
    '    """The door stays closed."""\n',
    "club/old.py": OLD,
    "club/checks.py": '"""Checks for those who make cards."""\n\n\n'
    "class CardTestCase:\n"
    '    """What CardTestCase asks cards to do."""\n\n'
    "    def test_that_it_opens(self, card):\n"
    "        door = card.first()\n        if not door:\n"
    "            door = card.second()\n        assert door.is_open\n",
    "examples/doors.py": "from club.cards import admit\n\n\ndef show_doors(card):\n"
    '    """Show how doors open."""\n    return admit(card, 1)\n',
    "tests/test_cards.py": "from club.cards import Card, admit\n\n\n"
    "class TestCards:\n    def test_admit(self):\n"
    "        assert admit(Card(2), 1) == 0\n\n\n"
    "def test_door():\n    assert admit(Card(3), 1) == 1\n",
}
HOME = "club/cards.py::"
club = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(club: Sampled):
    assert club.audit().wrong == []


def test_a_caption_of_an_example_is_no_purpose_of_a_package(club: Sampled):
    assert not any("Open a door" in one["answer"] for one in club.samples.values())


def test_a_class_is_explained_by_the_docstring_of_its_constructor(club: Sampled):
    (text,) = answers(club, "sketch", f"{HOME}Card")
    assert "`__init__` says**: A card that opens the doors of the club." in text
    assert "no docstring" not in text


def test_numbers_tell_what_is_in_tests(club: Sampled):
    (text,) = answers(club, "statistics")
    assert text.endswith(
        "4 classes, 11 functions and 13 methods in all. Tests hold 1 of the classes,"
        " 1 of the functions and 1 of the methods. Documentation and examples hold 0 of"
        " the classes, 1 of the functions and 0 of the methods."
    )


def test_what_a_deprecated_module_defines_is_called_deprecated(club: Sampled):
    told = club.answers("club/old.py::stamp_all")
    explained = [one for one in told if "**Purpose**" in one]
    assert explained and all("**It is deprecated.**" in one for one in explained)


def test_the_first_paragraph_of_a_document_is_not_told_as_its_role(club: Sampled):
    told = club.answers("docs/doors.md")
    assert told and not any("often seems simple" in one for one in told)


def test_lines_are_not_asked_of_what_has_overloads(club: Sampled):
    assert not club.answers(f"{HOME}count@lines")
    assert club.answers(f"{HOME}check_day@lines")


def test_a_function_within_a_function_is_not_traced(club: Sampled):
    assert not any("Line " in one for one in club.answers(f"{HOME}total@lines"))


def test_the_class_of_a_constructor_is_not_asked(tmp_path: Path) -> None:
    doors = (
        'class Door:\n    """A door."""\n\n    def __init__(self, width):\n'
        '        """Make a door."""\n        self.width = width\n\n\n'
        'class Gate:\n    """A gate."""\n\n    def lift(self):\n'
        '        """Lift the gate."""\n        return 1\n'
    )
    sampled = Sampled(tmp_path, {"doors.py": doors}, **ALL_IN_ENGLISH)
    assert answers(sampled, "container", "doors.py::Gate.lift")
    assert not answers(sampled, "container", "doors.py::Door.__init__")


def test_the_class_is_not_asked_where_a_file_has_one(club: Sampled):
    assert not answers(club, "container")


def test_all_that_code_calls_is_listed_with_the_purposes_of_some(club: Sampled):
    (text,) = answers(club, "steps", f"{HOME}admit")
    assert "- `_door`\n" in text
    assert "- `check_day`: Refuse a day before the first." in text


def test_an_outline_shows_properties_and_that_it_is_cut(club: Sampled):
    shown = [one["prefix"] for one in of_kind(club, "body")]
    shown = [text for text in shown if text.startswith("class Card")]
    assert shown
    for text in shown:
        assert "    ...\n\n" in text
        assert "@property" in text or "def holder" not in text


def test_an_outline_without_a_long_signature_is_cut(tmp_path: Path) -> None:
    arguments = ", ".join(f"argument_{n}=None" for n in range(9))
    door = (
        f"class Door:\n    def __init__(self, {arguments}):\n        self.angle = 0\n"
    )
    for n in range(6):
        door += (
            f"\n    def turn_{n}(self, by):\n        left = self.angle - by * {n}7\n"
        )
        door += f"        self.angle = max(left, {n}3)\n        return left + {n}9\n"
    settings = {**ALL_IN_ENGLISH, "samples.min_code_lines": 3}
    bodies = of_kind(Sampled(tmp_path, {"doors.py": door}, **settings), "body")
    assert bodies and all("    ...\n\n" in one["prefix"] for one in bodies)


def test_code_above_a_quoted_call_is_marked_where_lines_are_left_out():
    lines = "card = dict()\nopen_up()\nadmit(card, day=2)".split("\n")
    found = call_example(lines, 2, "admit")
    assert found and found.code == "card = dict()\n...\nadmit(card, day=2)"
    lines = "card = dict()\nif late:\n    card = list()\nadmit(card)".split("\n")
    assert call_example(lines, 3, "admit") is None


def test_a_decorated_function_is_quoted_with_its_body():
    lines = "@stamped(1)\ndef admit(card):\n    return card".split("\n")
    found = call_example(lines, 0, "stamped")
    assert found and found.code == "\n".join(lines)
    long = ["@stamped(1)", "def admit(card):", *["    card.open()"] * 9]
    found = call_example(long, 0, "stamped")
    assert found and found.code == "@stamped(1)\ndef admit(card):\n    ..."


def test_code_that_needs_an_import_for_type_checkers_asks_for_none():
    source = "from .a import b\n\nif TYPE_CHECKING:\n    from .c import D\n"
    text = source.encode()
    assert names_imported_inside(facts_of(text, "python"), text) == {"D"}


def test_a_class_is_instantiated_by_those_who_call_it(club: Sampled):
    told = [one["answer"] for one in club.samples.values()]
    assert any("`Refused` is instantiated by" in text for text in told)
    assert not any("Used by" in text and "is a class" in text for text in told)


@pytest.mark.parametrize("path", ["AGENTS.md", "docs/CONTRIBUTING.rst", "CLAUDE.md"])
def test_what_tells_how_to_work_on_a_project_is_no_page_for_users(path):
    assert guides_work(path) and not describes(path)
    assert describes("docs/api.md")


@pytest.mark.parametrize(
    "line",
    [
        "super(Card, self).admit(card)",
        "self.assertEqual(self.club.admit(card), 1)",
    ],
)
def test_a_call_that_nobody_else_can_write_is_no_example(line):
    assert call_example([line], 0, "admit") is None


def test_a_body_with_an_empty_line_is_not_cut_there():
    lines = ["@stamped", "def f(a):", "    b = a", "", "    c = b", "    return c"]
    found = call_example(lines, 0, "stamped")
    assert (
        found
        and found.code == "@stamped\ndef f(a):\n    b = a\n    c = b\n    return c"
    )


def test_what_examples_define_is_not_explained(club: Sampled):
    assert not club.answers("examples/doors.py::show_doors")


def test_tests_that_a_class_of_the_product_offers_are_not_explained(club: Sampled):
    assert club.answers("club/checks.py::CardTestCase")
    assert not club.answers("club/checks.py::CardTestCase.test_that_it_opens")


def test_a_property_with_a_setter_can_be_assigned_to(club: Sampled):
    (text,) = answers(club, "written", f"{HOME}Card.holder")
    assert "**It can be assigned to**" in text
    assert "no docstring" not in text


def test_a_description_with_the_name_is_not_asked_for(club: Sampled):
    told = [one["question"] for one in of_kind(club, "reverse")]
    assert told and not any("CardTestCase" in text for text in told)


def test_an_assertion_about_what_it_does_not_show_is_no_example():
    line = "assert card.admit(door.original()) == card"
    assert call_example([line], 0, "admit") is None


def test_imports_of_a_generated_file_are_told_as_others(tmp_path: Path) -> None:
    """It is not analysed, but it is imported, and named as the import has it."""
    files = {
        "pkg/__init__.py": '"""Days."""\n',
        "pkg/tables.py": "# Code generated by a script. DO NOT EDIT.\nDAYS = [1, 2]\n",
        "pkg/dates.py": 'def wrap(day):\n    """Wrap a day."""\n    return day\n',
        "pkg/use.py": '"""Use days."""\n\nfrom .dates import wrap\n'
        "from .tables import DAYS\n\n\n"
        'def first():\n    """Return the first day."""\n    return wrap(DAYS[0])\n',
        "pkg/plain.py": '"""Use dates."""\n\nfrom .dates import wrap\n\n\n'
        'def same(day):\n    """Return the same day."""\n    return wrap(day)\n',
        "pkg/sub/__init__.py": '"""Parts of days."""\n',
        "pkg/sub/hours.py": '"""Hours."""\n\n\n'
        'def count(day):\n    """Count hours."""\n    return 24\n',
        "pkg/whole.py": '"""Use hours."""\n\nfrom .sub import hours\n\n\n'
        'def all_of(day):\n    """Return all hours."""\n    return hours.count(day)\n',
    }
    sampled = Sampled(tmp_path, files)
    assert answers(sampled, "imports", "pkg/use.py") == {
        "`pkg/use.py` imports `pkg/dates.py`.\n\n**Also imported**, though generated,"
        " copied or not in the repository: `.tables`"
    }
    assert answers(sampled, "imports", "pkg/plain.py") == {
        "`pkg/plain.py` imports `pkg/dates.py`."
    }
    # A module of a package is imported, and nothing of the package itself.
    assert answers(sampled, "imports", "pkg/whole.py") == {
        "`pkg/whole.py` imports `pkg/sub/hours.py`."
    }
