"""Explanations tell what matters most, and no more than a reader wants."""

from __future__ import annotations

import pytest

from repobuild.samples.text.docstring_parts import description, parse_docstring
from repobuild.samples.text.summary.purpose import summarise
from tests.cases.sampled import Sampled, answers, sampled_fixture

DOORS = '''"""Doors that open and shut."""


class Door:
    material = "oak"

    def __init__(self, width, height, hinges=2):
        self.width = width
        self.height = height
        self.hinges = hinges

    def set_frame(self, frame):
        """Set the frame.

        :param frame: the wood around it
        """
        self.frame = Door.material, frame

    @property
    def plate(self):
        return self._plate

    def clone(self):
        """Clone a door for another wall."""
        return Door(self.width, self.height)

    def platform(self):
        """Get platform."""
        return self.material.upper()

    def area(self):
        """Return the area of a door."""
        return self.width * self.height

    def weight(self):
        """Return the weight of a door in kilograms."""
        return self.area() * 12


class GlassDoor(Door):
    """A door to look through."""

    material = "glass"


class Doors:
    def __init__(self, doors):
        self._doors = list(doors)

    def __len__(self):
        return len(self._doors)

    def __getitem__(self, number):
        door = self._doors[number]
        if door is None:
            raise IndexError(number)
        return door
'''
HOME = "doors/doors.py::"
doors = sampled_fixture(
    {
        "pyproject.toml": '[project]\nname = "doors"\n',
        "doors/__init__.py": '"""Doors."""\n',
        "doors/doors.py": DOORS,
    }
)


def test_every_claim_of_these_samples_holds(doors: Sampled) -> None:
    assert doors.audit().wrong == []


def test_what_is_known_of_a_class_includes_its_subclasses(doors: Sampled) -> None:
    (told,) = answers(doors, "sketch", f"{HOME}Door")
    assert "**Direct subclasses**: `GlassDoor`" in told


def test_a_class_that_names_itself_is_not_told_as_its_user(doors: Sampled) -> None:
    (told,) = answers(doors, "sketch", f"{HOME}Door")
    assert "**Instantiated by**: `Door.clone`" in told and "referred to" not in told


def test_a_docstring_that_only_gets_its_own_name_is_no_purpose(doors: Sampled) -> None:
    told = doors.answers(f"{HOME}Door.platform")
    assert told and not any("Get platform" in one for one in told)
    assert any("self.material.upper()" in one for one in told)
    assert any("repeats its name" in one for one in told)


def test_a_property_that_only_gives_an_attribute_is_not_explained(
    doors: Sampled,
) -> None:
    asked = [one for one in doors.samples.values() if one["element"].endswith(".plate")]
    assert not any(one["task"] == "code_explanation" for one in asked)


def test_a_docstring_that_tells_parameters_keeps_its_first_line(doors: Sampled) -> None:
    (told,) = answers(doors, "explain", f"{HOME}Door.set_frame")
    assert "**Purpose**: Set the frame." in told and "the wood around it" in told


def test_a_short_class_without_docstrings_is_shown_whole(doors: Sampled) -> None:
    """The names `__len__` and `__getitem__` would not tell what it does."""
    assert not answers(doors, "sketch", f"{HOME}Doors")
    (told,) = answers(doors, "written", f"{HOME}Doors")
    assert "raise IndexError(number)" in told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("(optional), Size of a chunk.", "Size of a chunk."),
        ("*(optional)*, A path.", "A path."),
        ("(*optional*)\n    Bytes before each line", "Bytes before each line"),
        ("Optional. Where it is written.", "Where it is written."),
        ("Optional bytes before each line", "Optional bytes before each line"),
    ],
)
def test_that_a_parameter_is_optional_is_told_by_its_default(
    written: str, told: str
) -> None:
    parts = parse_docstring(f"Write it.\n\n:param one: {written}\n:returns: None")
    assert parts.parameters["one"] == told


def test_what_is_returned_is_told_without_the_type_before_it() -> None:
    told = parse_docstring("Count.\n\n:returns: int -- the number of bytes").returns
    assert told == "the number of bytes"


@pytest.mark.parametrize(
    "docstring",
    [
        "Not used.",
        "主模块：\n- 分词\n- 分句",
        "https://example.org/guide.pdf, Figure 12",
    ],
)
def test_a_heading_or_a_link_is_no_purpose(docstring: str) -> None:
    assert parse_docstring(docstring).summary == ""


def test_a_field_without_its_colon_is_not_told_from_the_middle() -> None:
    broken = "Count.\n\n:return if so, dict of {word: count}, else a list"
    assert parse_docstring(broken).returns == ""
    typed = "Count.\n\n:return list of str: the words"
    assert parse_docstring(typed).returns == "the words"


def test_one_of_several_results_is_not_told_as_all() -> None:
    listed = "Parse.\n\n:returns:\n    * None if it is no color\n    * A color, else"
    assert parse_docstring(listed).returns == ""
    assert parse_docstring("Parse.\n\n:returns:\n    * A color").returns == "A color"


def test_a_default_is_told_once() -> None:
    assert description("(default 5) how often", "5") == "how often"
    assert description("(default: 'a') how it is marked", '"a"') == "how it is marked"
    assert description("(default b) its mark", '"a"') == "(default b) its mark"


@pytest.mark.parametrize(
    ("text", "default", "told"),
    [
        ("`Disk` instance for serialization", "Disk", ""),
        ("an instance of `shop.Disk`", "shop.Disk", ""),
        ("`Disk` type or subclass", "Disk", "`Disk` type or subclass"),
        (
            "`Disk` instance for serialization",
            "DISK",
            "`Disk` instance for serialization",
        ),
        ("a `Disk` instance", "Tape", "a `Disk` instance"),
    ],
)
def test_a_default_that_is_a_class_is_not_told_as_an_instance_of_it(
    text: str, default: str, told: str
) -> None:
    assert description(text, default) == told


def test_a_role_with_a_literal_is_told_by_its_name() -> None:
    assert summarise("The pool of :mod:``doors.pool``.") == "The pool of `doors.pool`."
