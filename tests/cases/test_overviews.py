"""Overviews of files, documents and projects name what whoever asks wants to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, of_kind

README = """# Paints

Paints is a library that mixes colours.

## Status

It works.

## With [`fileConfig`][fileconfig] of logging

Give it a file.

## <a name="x"></a>Custom colour names

Give it names.

## Usage

Call it.

### Status

It is maintained.

[fileconfig]: https://example.org
"""

GUIDE = """<h1 align="center">The guide</h1>

# How to mix colours

Take two of them.

# How to thin colours

Take water.
"""

CHANGES = """# Changes

## Version 3

### Fixed

One.

## Version 2

### Fixed

Two.

## Version 1

### Fixed

Three.
"""

MIXING = '''"""Mix colours."""

import logging
import typing

Value = typing.TypeVar("Value")
logger = logging.getLogger(__name__)
LEVELS = 3
default_colours = {"debug": "white"}
names: typing.Dict[str, str] = {}
_hidden = []


class Mixer:
    """Mixes colours."""

    def __init__(self, first):
        self.first = first

    def mix(self, other):
        """Mix another colour in."""
        return self.first + other

    def thin(self, water):
        """Make the colour thinner."""
        return self.first * water

    def dry(self):
        """Let it dry."""
        return self.first


class LoudMixer(Mixer):
    """Mixes colours and says so."""

    def __init__(self, first):
        super().__init__(first)
        self.said = []

    def mix(self, other):
        """Mix, and say so."""
        self.said.append(super().mix(other))
        return self.said

    def thin(self, water):
        """Thin, and say so."""
        if super().thin(water):
            self.said.append(water)

    def dry(self):
        """Dry, and say so: super().dry() does it."""
        return super().dry()


ColourMixer = LoudMixer


def make_mixer():
    """Make a mixer that says what it does."""
    return LoudMixer("red")


print(
default_colours,
end="",
)
'''


@pytest.fixture(scope="module")
def paints(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    files = {
        "README.md": README,
        "docs/guide.md": GUIDE,
        "CHANGES.md": CHANGES,
        "paints/__init__.py": '"""Colours."""\n',
        "paints/mixing.py": MIXING,
    }
    folder: Path = tmp_path_factory.mktemp("paints")
    return Sampled(folder, files, **ALL_IN_ENGLISH)


def test_contents_have_the_names_beside_functions_classes_and_constants(
    paints: Sampled,
) -> None:
    (text,) = answers(paints, "contents", "paints/mixing.py")
    assert text.endswith(
        "**Other public names**: `default_colours`, `names`, `ColourMixer`"
    )


def test_every_heading_is_listed_even_one_of_a_name_given_before(
    paints: Sampled,
) -> None:
    (text,) = answers(paints, "sections", "README.md")
    assert text.count('"Status"') == 2


def test_headings_are_named_without_references_and_tags(paints: Sampled) -> None:
    found = {one["answer"] for one in of_kind(paints, "heading")}
    assert 'The section "With `fileConfig` of logging" is in `README.md`.' in found
    assert 'The section "Custom colour names" is in `README.md`.' in found


def test_headings_in_html_or_under_each_version_are_no_table_of_contents(
    paints: Sampled,
) -> None:
    assert answers(paints, "sections", "docs/guide.md") == set()
    assert answers(paints, "sections", "CHANGES.md") == set()


def test_an_example_has_every_call_of_the_base(paints: Sampled) -> None:
    (text,) = {
        one["answer"]
        for one in of_kind(paints, "example")
        if one["element"].startswith("paints/mixing.py::LoudMixer")
    }
    assert text.count("calls the base class") == 4


def test_what_overviews_say_holds(paints: Sampled) -> None:
    assert not paints.audit().wrong
