"""A docstring is quoted as far as it holds, and as far as its sentences go."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.text.markup import strip_markup
from repobuild.samples.text.summary.purpose import summarise
from repobuild.truth.claims.prose_match import is_beginning
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers


def test_notes_on_names_below_a_text_are_not_joined_to_it() -> None:
    doc = "Error with data preserved\nerror can be a message or None if it is raised\n"
    assert summarise(doc + "data can be anything") == "Error with data preserved"
    doc = (
        "Check and convert values of ids\nallow_blank: if False it will not make a new"
    )
    assert summarise(doc) == "Check and convert values of ids"


@pytest.mark.parametrize("end", ["so that the", "if", "whether the given"])
def test_a_sentence_goes_on_in_the_next_line(end: str) -> None:
    doc = f"Check the values {end}\nvalue can be anything that has a name and a number."
    assert summarise(doc) == " ".join(doc.split())


def test_a_name_with_brackets_is_no_title_with_a_target() -> None:
    doc = "Needs a method ``visit_<name>`` for each name."
    text = strip_markup(doc)
    assert text == "Needs a method `visit_<name>` for each name."
    assert is_beginning(text, doc)
    assert strip_markup("See `Desk <a.b.Desk>`.") == "See `Desk`."


DAYS = '''"""Days."""

import base


class Day(base.Day):
    """A day of a week."""

    SUNDAY = 0

    def go_on(self, day: int) -> int:
        """Go to the next day of a name in the same week.

        It takes a constant, ex. Day.MONDAY, for the day.
        """
        self.day = day
        return day

    def go_back(self, day: int) -> int:
        """Go back to the last day of a name. Use ex. Day.SUNDAY for the day."""
        self.day = day
        return -day

    def turn(self, day: int) -> int:
        """Turn to a day of a name. Use the constants, ex. Day.MONDAY."""
        self.day = day
        return day + 1
'''


def test_a_constant_that_a_class_lacks_is_not_told(tmp_path: Path) -> None:
    sampled = Sampled(tmp_path, {"days.py": DAYS}, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    told = answers(sampled, "explain", "days.py::Day.turn")
    assert told and not any("MONDAY" in one for one in told)
    assert all("Turn to a day of a name." in one for one in told)
    told = answers(sampled, "explain", "days.py::Day.go_back")
    assert told and all("Day.SUNDAY" in one for one in told)


OVERLOADS = '''"""Desks."""

from typing import overload


class Desks:
    """@private"""

    def __init__(self, names):
        self._names = names

    @overload
    def find(self, at: int) -> str:
        """Find one name by its number."""

    @overload
    def find(self, at: slice) -> list[str]:
        """Find names by their numbers."""

    def find(self, at):
        return self._names[at]

    def count(self):
        """Count the names of all desks."""
        return len(self._names)
'''


def test_an_overload_does_not_tell_what_a_method_is_for(tmp_path: Path) -> None:
    code = OVERLOADS.replace('    """@private"""\n\n', "")
    sampled = Sampled(tmp_path, {"desks.py": code}, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    told = [one["answer"] for one in sampled.samples.values()]
    assert any("Count the names of all desks." in one for one in told)
    assert not any("Find one name" in one for one in told)


def test_a_decorator_that_has_property_in_its_name_makes_none(tmp_path: Path) -> None:
    member = (
        "    @_lazyclassproperty\n    def {0}(cls: type) -> str:\n"
        '        """Return the {0} of a text, and of what is in it."""\n'
        "        found = []\n        for sign in cls.signs({1}):\n"
        "            if sign.isprintable() and not sign.isspace():\n"
        '                found.append(sign + "ABCDEFGHIJKLMNOPQRSTUVWXYZ{0}")\n'
        '        return "".join(sorted(set(found)))\n\n'
    )
    names = ["letters", "digits", "spaces", "dashes", "commas", "stops", "quotes"]
    code = "class Texts:\n    @classmethod\n    def signs(cls, number: int) -> str:\n"
    code += "        return chr(number)\n\n"
    code += "".join(member.format(one, number) for number, one in enumerate(names))
    head = (
        "class _lazyclassproperty:\n    def __init__(self, fn):\n        self.fn = fn\n"
    )
    files = {"texts.py": f"{head}\n\n{code}"}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []


def test_what_a_base_class_calls_by_a_computed_name_is_called_by_nobody(
    tmp_path: Path,
) -> None:
    base = (
        "class Walker:\n    def walk(self, tree):\n"
        "        return {}\n\n    def stop(self, tree: str):\n        pass\n"
    )
    below = (
        "from base import Walker\n\n\nclass Names(Walker):\n"
        '    """Collect names."""\n\n'
        "    def expansion(self, items: list[str]) -> str:\n"
        '        """Join the names."""\n        return items[0]\n'
    )
    for number, walked in enumerate(
        ("getattr(self, tree.data)(tree)", "tree.go(self)")
    ):
        root = tmp_path / str(number)
        root.mkdir()
        files = {"base.py": base.format(walked), "names.py": below}
        sampled = Sampled(root, files, **ALL_IN_ENGLISH)
        asked = answers(sampled, "usage", "names.py::Names.expansion")
        assert bool(asked) is bool(number)
