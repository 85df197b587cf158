"""Names beyond ASCII; Python compares them after NFKC."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest

from tests.cases.sampled import Sampled
from tests.code_world import World

FILES = {
    "maße.py": '''def größe(x):
    """Say how large a thing is."""
    return x


def 计算(x):
    """Compute what is asked for, with care."""
    return größe(x)


def éclair(x):
    """Make one pastry of what is given."""
    return 计算(x)


class Ωmega:
    """The last letter, as a class of its own."""

    def älter(self):
        """Say which one is older."""
        return self.ändern()

    def ändern(self):
        """Change a thing in place."""
        return éclair(1)
''',
    "use.py": '''from maße import éclair, 计算, Ωmega
import maße


def run():
    """Run all of what the other file has."""
    éclair(1)
    计算(2)
    maße.计算(3)
    made = Ωmega()
    return made.älter()
''',
    "nfkc.py": '''def \ufb01nd(x, \ufb02ag: int = 1):
    """Find a thing; the name is written with a ligature."""
    return x


def use(x):
    """Use what is written otherwise, and is the same name."""
    return find(x)
''',
}


def test_every_name_beyond_ascii_is_followed() -> None:
    assert World(FILES).edges("calls") == {
        ("maße.py::计算", "maße.py::größe"): 1.0,
        ("maße.py::éclair", "maße.py::计算"): 1.0,
        ("maße.py::Ωmega.älter", "maße.py::Ωmega.ändern"): 0.9,
        ("maße.py::Ωmega.ändern", "maße.py::éclair"): 1.0,
        ("use.py::run", "maße.py::éclair"): 1.0,
        ("use.py::run", "maße.py::计算"): 1.0,
        ("use.py::run", "maße.py::Ωmega"): 1.0,
        ("use.py::run", "maße.py::Ωmega.älter"): 0.8,
        ("nfkc.py::use", "nfkc.py::find"): 1.0,
    }


def test_every_claim_about_names_beyond_ascii_holds(tmp_path: Path) -> None:
    sampled = Sampled(tmp_path, FILES)
    assert any("find" in answer for answer in sampled.answers("nfkc.py::find"))
    assert any("Ωmega" in answer for answer in sampled.answers("maße.py::Ωmega"))
    audit = sampled.audit()
    assert audit.wrong == []
    assert audit.samples == len(sampled.samples) > 100


def _ligature(name: str) -> str:
    return name.replace("fi", "\ufb01")


@pytest.mark.parametrize(
    "text",
    [
        "def {0}(): pass\ndef {1}x(): find()\n{1}x()\n",
        "import fie as {0}\n{0}.f()\n",
        "class fin:\n    def {1}(self): pass\n    def g(self): self.{0}()\n",
        "def g({0}: {1}): {0}.m()\nclass find:\n    def m(self): pass\n",
        "def g(*{0}, fix=1, **{1}s): {0}()\ndef find(): pass\n",
        "class fib(find): pass\nclass {0}: pass\n",
        "find = {1}x\ndef fiy(): pass\ndef {1}x(): pass\n{0}()\n",
        "@{0}\ndef g(): pass\ndef {1}(f): return f\n",
        "from a.{0} import {1} as {1}x\nfindx()\n",
        "type find = int\ndef g():\n    {0} += 1\n    {1}()\n",
    ],
)
def test_the_form_of_a_name_changes_nothing_but_the_text(text: str) -> None:
    other = {"fie.py": "def f(): pass\n", "a/find.py": "def find(): pass\n"}
    plain = text.format("find", "find")
    written = text.format(_ligature("find"), _ligature("find"))
    assert unicodedata.normalize("NFKC", written) == plain
    worlds = [World({"m.py": source} | other) for source in (plain, written)]
    for kind in ("calls", "imports", "inherits", "contains"):
        assert worlds[0].edges(kind) == worlds[1].edges(kind)


@pytest.mark.parametrize("name", ["हिन्दी", "ไทย", "ªbc", "𝐱", "℮ta", "naïve", "_ñ"])
def test_whatever_python_takes_for_a_name_is_followed(name: str) -> None:
    assert name.isidentifier()
    text = f"def {name}(): pass\ndef g(): {name}()\nclass A:\n"
    text += f"    def {name}(self): pass\n    def h(self): self.{name}()\n"
    text += f"def k(x: A): x.{name}()\n"
    defined = ast.parse(text).body[0]
    assert isinstance(defined, ast.FunctionDef)
    found = World({"m.py": text}).edges("calls")
    assert found == {
        ("m.py::g", f"m.py::{defined.name}"): 1.0,
        ("m.py::A.h", f"m.py::A.{defined.name}"): 0.9,
        ("m.py::k", f"m.py::A.{defined.name}"): 0.75,
    }
