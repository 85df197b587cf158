"""Calls that show no use are no examples, and a context is told as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.facts.c_macros import blank_macros
from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.document_text import read_document
from repobuild.code.usage.documents import _mentions
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind, sampled_fixture

LAMPS = '''"""Lamps that are lit and put out."""

from contextlib import contextmanager
from typing import Iterator

import click


class Lamp:
    """One lamp of a street."""

    def __init__(self, options: dict):
        self.options = options

    def flash(self) -> str:
        """Flash once and say so."""
        return "flash"

    def dim(self, level: int) -> int:
        """Dim a lamp to a level between 1 and 9."""
        return min(level, 9)


class GasLamp(Lamp):
    """A lamp that burns gas."""


class OldLamp(GasLamp):
    """A lamp of the last century."""


class Source:
    """Where the light of a lamp comes from."""

    def __init__(self, power: int):
        self.power = power

    def burn(self) -> str:
        """Burn for an hour."""
        raise NotImplementedError


class Street:
    """A street with a lamp."""

    def __init__(self, lamp: Lamp):
        self._lamp = lamp

    def walk(self, level: int) -> str:
        """Walk along the street."""
        self._lamp.dim(3)
        return self._lamp.flash()


@contextmanager
def lit_lamp(lamp: Lamp) -> Iterator[str]:
    """Keep a lamp lit while the block runs."""
    yield lamp.flash()


@click.command()
@click.option("--name")
def light(name: str) -> None:
    """Light the lamp of a name."""
    click.echo(name)


def merge_options(options: dict) -> dict:
    """Merge options with those of all lamps."""
    return dict(options)
'''
FILES = {
    "pyproject.toml": '[project]\nname = "lamps"\ndependencies = ["click"]\n',
    "lamps/__init__.py": '"""Lamps."""\n',
    "lamps/lamps.py": LAMPS,
    "lamps/__main__.py": "from lamps.lamps import light\n\nlight()\n",
    "lamps/walks.py": '"""Walks."""\n\nfrom lamps.lamps import Lamp\n\n\n'
    "class Walk:\n    def __init__(self):\n        self._lamp = Lamp({'a': 1})\n\n"
    "    def go(self):\n        return self._lamp.flash()\n",
    "tests/test_lamps.py": "from lamps.lamps import Lamp, Source, merge_options\n\n\n"
    "def test_merge_options():\n    assert merge_options(options={}) == {}\n\n\n"
    "def test_lamp():\n    lamp = Lamp({})\n    assert lamp.dim(level=3) == 3\n\n\n"
    "def test_source():\n    source = Source(power=12)\n    assert source.power\n",
}
HOME = "lamps/lamps.py::"
lamps = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(lamps: Sampled) -> None:
    assert lamps.audit().wrong == []


@pytest.mark.parametrize("name", ["merge_options", "light", "Lamp.flash", "lit_lamp"])
def test_a_call_that_tells_nothing_is_no_example(lamps: Sampled, name: str) -> None:
    """Of a test with `{}` alone, of a command without its arguments, and of what only
    the class around it knows.
    """
    assert of_kind(lamps, "explain", HOME + name)
    assert not of_kind(lamps, "usage", HOME + name)


def test_a_class_that_leaves_methods_open_is_not_made(lamps: Sampled) -> None:
    """Its subclasses are; that a test makes one shows nobody what to do."""
    assert of_kind(lamps, "explain", f"{HOME}Source")
    assert not [
        s
        for s in lamps.samples.values()
        if s["task"] == "api_usage" and s["element"] == f"{HOME}Source"
    ]


def test_a_call_with_an_argument_is_an_example(lamps: Sampled) -> None:
    assert "lamp.dim(level=3)" in "".join(lamps.answers(f"{HOME}Lamp.dim"))


def test_a_context_manager_is_shown_as_one(lamps: Sampled) -> None:
    (told,) = {one["answer"] for one in of_kind(lamps, "explain", f"{HOME}lit_lamp")}
    assert "@contextmanager\ndef lit_lamp(lamp: Lamp)" in told
    assert "**Returns**" not in told


def test_direct_subclasses_are_asked_for_as_such(lamps: Sampled) -> None:
    asked = of_kind(lamps, "subclasses", f"{HOME}Lamp")
    assert asked and all("direct" in one["question"] for one in asked)
    assert all("OldLamp" not in one["answer"] for one in asked)


def test_what_is_said_of_several_names_is_not_what_one_is_for() -> None:
    several = "`a_b`, `c_d` and `e_f` are the equivalents that compare exact types."
    one = "`a_b` compares exact types, as `c_d` and `e_f` do for subclasses."
    assert _mentions(read_document(several, is_rst=False))["a_b"] == ""
    assert _mentions(read_document(one, is_rst=False))["a_b"] == one


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("static INLINE Watch\nload(x)", "static        Watch\nload(x)"),
        ("static INLINE void* load(x)", "static        void* load(x)"),
        ("static DWORD WINAPI run(x)", "static DWORD WINAPI run(x)"),
        ("static DWORD run(x)", "static DWORD run(x)"),
        ("(A *self, B *Py_UNUSED(b))", "(A *self, B *          b )"),
        ("UNUSED(x);", "UNUSED(x);"),
    ],
)
def test_macros_of_c_are_no_part_of_a_name(source: str, plain: str) -> None:
    assert blank_macros(source.encode(), "c").decode() == plain


def test_what_a_document_says_of_a_function_of_c_holds(tmp_path: Path) -> None:
    """No parser tells the checker its name, nor that another has it, too."""
    said = "`lamp_flash` is called by the street when the evening comes."
    files = {
        "pyproject.toml": '[project]\nname = "lamps"\n',
        "README.md": f"# Lamps\n\nLamps of a street.\n\n## Calls\n\n{said}\n",
        "lamp.c": "int lamp_flash(int level) {\n    return level + 1;\n}\n",
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert said in "".join(sampled.answers("lamp.c::lamp_flash"))
    assert sampled.audit().wrong == []


PARK = """class Park:
    @property
    def lamp(self):
        if self._lamp is None:
            self._lamp = GasLamp(self)
        return self._lamp

    @property
    def light(self):
        level = self.level
        return burn(self.source, level)
"""


def test_an_object_that_is_kept_when_first_asked_for_is_no_use_of_its_class() -> None:
    lines = PARK.split("\n")
    assert call_example(lines, 4, "GasLamp") is None
    plain = [line for line in lines if "is None" not in line]
    assert call_example(plain, 3, "GasLamp")


def test_a_cut_example_keeps_the_decorator_that_says_how_it_is_called() -> None:
    found = call_example(PARK.split("\n"), 10, "burn")
    assert found
    assert found.code.split("\n")[:4] == [
        "class Park:",
        "    ...",
        "    @property",
        "    def light(self):",
    ]
