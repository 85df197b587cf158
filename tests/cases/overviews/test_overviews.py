"""Overviews of files, documents and projects name what whoever asks wants to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.graph.graph import PROJECT
from repobuild.samples.tasks.answer_parts import list_elements
from repobuild.samples.tasks.facts import FactScope, with_id_fields
from repobuild.samples.tasks.phrases import load_phrases
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)
from tests.code_world import World

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

INDEX = """Welcome to |project| documentation
==================================

It is here.

How to begin
============

Begin.
"""

BADGES = """Paints in short |build| |coverage|
==================================

They mix.

How to paint
============

Begin.
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

    def dry(self, wait=Mixer.dry):
        """Dry, and say so: super().dry() does it."""
        wait(self)
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


BRUSHES = '''"""
Brushes
~~~~~~~

Brushes of any hair.
"""

from paints.mixing import Mixer


class Brush:
    """A brush."""

    def clean(self, water):
        """Clean the brush."""
        return Mixer(water)

    def close(self):
        """Put the brush away."""
        return self.clean("clear")
'''

SHOP = '''"""Sell brushes."""


def sell(brush):
    """Sell a brush that is clean."""
    return brush.clean("clear")
'''
paints = sampled_fixture(
    {
        "README.md": README,
        "docs/guide.md": GUIDE,
        "CHANGES.md": CHANGES,
        "docs/index.rst": INDEX,
        "docs/badges.rst": BADGES,
        "tests/data/README.md": "# Data of the tests\n\nFor them.\n",
        "paints/__init__.py": '"""Mix colours."""\n',
        "paints/brushes.py": BRUSHES,
        "paints/shop.py": SHOP,
        "paints/mixing.py": MIXING,
    }
)


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


def test_headings_are_told_as_readers_see_them_or_not_at_all(paints: Sampled) -> None:
    headings = {one["answer"] for one in of_kind(paints, "heading")}
    assert not any("|" in one or "Data of" in one for one in headings)
    assert answers(paints, "sections", "docs/index.rst") == set()
    assert answers(paints, "sections", "docs/badges.rst") == {
        '`docs/badges.rst` has the sections "Paints in short", "How to paint".'
    }


def test_an_example_has_every_call_of_the_base(paints: Sampled) -> None:
    (text,) = {
        one["answer"]
        for one in of_kind(paints, "example")
        if one["element"].startswith("paints/mixing.py::LoudMixer")
    }
    assert text.count("calls the base class") == 4
    assert "names the base class: `def dry(self, wait=Mixer.dry):`" in text


def test_files_that_may_have_other_callers_are_named(paints: Sampled) -> None:
    (text,) = answers(paints, "callers", "paints/brushes.py::Brush.clean")
    assert text.startswith(
        "Outside of tests, `Brush.clean` is called by `Brush.close`.\n\n"
        "**Calls of `clean` on an object whose class is not certain**:"
        " `paints/shop.py`"
    )


def test_a_title_in_a_docstring_is_told_without_its_rule(paints: Sampled) -> None:
    (text,) = answers(paints, "modules")
    assert "`paints/brushes.py`: Brushes of any hair." in text


def test_a_part_may_begin_as_the_package_does(paints: Sampled) -> None:
    (text,) = answers(paints, "modules")
    assert "`paints/mixing.py`: Mix colours." in text


LARGE = "".join(f"def draw_{n}(x):\n    return x\n\n\n" for n in range(6))
MANIFEST = '[project]\nname = "tool"\ndescription = "Draws lines on paper"\n'


def test_main_parts_begin_with_what_the_package_passes_on() -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "tool/__init__.py": "from .pen import draw_1\n",
        "tool/pen.py": "from .types import draw_0\nfrom .ink import draw_5\n" + LARGE,
        "tool/ink.py": "from .types import draw_1\n" + LARGE,
        "tool/paper.py": "from .types import draw_2\n" + LARGE + "X = 1\n",
        "tool/types.py": LARGE,
        "tool/extra/__init__.py": "",
        "tool/extra/shop.py": "from tool.types import draw_2\ndef buy(x):\n    pass\n",
    }
    assert World(files).rows[PROJECT][""]["key_modules"] == [
        "tool",
        "tool/pen.py",
        "tool/ink.py",
        "tool/paper.py",
        "tool/types.py",
        "tool/extra",
    ]


def test_documentation_is_edited_where_its_sources_are() -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "tool.py": LARGE,
        "doc/index.html": "<p>Made.</p>\n",
        "doc/build/index.rst": "Tool\n====\n",
        "doc/build/parts/pen.rst": "Pen\n===\n",
    }
    row = World(files).rows[PROJECT][""]
    assert row["documentation"] == ["doc/build"]


@pytest.mark.parametrize(
    "readme",
    [
        "Tool\n====\n\nAn implementation of `RFC 7519 <https://x.org>`_. First version"
        " written by `@ann <https://x.org/ann>`_.\n",
        "Tool\n====\n\n很多人到现在都不知道第一个参数的作用，造成tool也不知道怎么使用。\n",
    ],
)
def test_what_says_nothing_of_the_project_is_no_purpose(readme: str) -> None:
    world = World({"pyproject.toml": MANIFEST, "README.rst": readme, "tool.py": LARGE})
    assert world.rows[PROJECT][""]["description"] == "Draws lines on paper"


def test_a_list_is_not_cut_before_its_last_name() -> None:
    context = {"kind": "module", "id": "paints/all.py", "project": "paints"}
    phrases = load_phrases("en")
    scope = FactScope(with_id_fields(context), phrases, ("en",), lambda _: False)
    ids = [f"paints/all.py::make_the_colour_number_{n:02}" for n in range(27)]
    assert "and others" not in list_elements(scope, ids)
    assert list_elements(scope, ids * 2).endswith("and others, 54 in all")


def test_who_calls_what_a_function_returned_does_not_use_its_class(
    tmp_path: Path,
) -> None:
    code = """class Adder:
    \"\"\"Adds a number.\"\"\"

    def __init__(self, number):
        self.number = number

    def __call__(self, other):
        \"\"\"Add it.\"\"\"
        return self.number + other


def adder(number):
    \"\"\"Make what adds a number.\"\"\"
    return Adder(number)
"""
    test = """from sums import adder


def test_adder():
    assert adder(1)(2) == 3
"""
    files = {"sums.py": code, "tests/test_sums.py": test}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert "tests" not in sampled.context("sums.py::Adder")
    assert "tests" in sampled.context("sums.py::adder")
    assert not sampled.audit().wrong


def test_the_constructor_that_another_class_inherits_is_no_callee(
    tmp_path: Path,
) -> None:
    code = """class Part:
    def __init__(self, name):
        self.name = name


class Wheel(Part):
    \"\"\"A wheel.\"\"\"


class Machine:
    def __init__(self, size):
        self.size = size


class Car(Machine):
    def __init__(self, size):
        Machine.__init__(self, size)
        self.wheel = Wheel("front")
"""
    sampled = Sampled(tmp_path, {"cars.py": code}, **ALL_IN_ENGLISH)
    callees = sampled.context("cars.py::Car.__init__")["callees"]
    assert callees == ["cars.py::Machine.__init__", "cars.py::Wheel"]


def test_what_calls_itself_by_map_does_so(tmp_path: Path) -> None:
    code = """def flat(values):
    \"\"\"Flatten values.\"\"\"
    return list(map(flat, values)) if isinstance(values, list) else values


def flatten(values):
    \"\"\"Flatten them, and what is in them.\"\"\"
    return flat(values)
"""
    sampled = Sampled(tmp_path, {"lists.py": code}, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "callers", "lists.py::flat")
    assert "It also calls itself." in answer
    assert not sampled.audit().wrong


def test_what_overviews_say_holds(paints: Sampled) -> None:
    assert not paints.audit().wrong


def test_an_optional_call_may_be_of_a_method_too(tmp_path: Path) -> None:
    find = """/** Searches a page. */
class Search {
  /** Find what matches a text. */
  matches(text) {
    return this.rows.filter((row) => row.includes(text));
  }
  /** Begin a search. */
  begin(text) {
    return this.matches(text);
  }
}
"""
    page = "function onKey(event) {\n  return event.target.matches?.('input');\n}\n"
    files = {"web/find.js": find, "web/page.js": page}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (text,) = set(answers(sampled, "callers", "web/find.js::Search.matches"))
    assert text.endswith("class is not certain**: `web/page.js`")
    assert sampled.audit().wrong == []
