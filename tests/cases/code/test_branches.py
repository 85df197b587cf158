"""Definitions of one name in the branches of a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.facts.element_row import row_of
from tests.cases.sampled import Sampled
from tests.code_world import World

COMPAT = '''"""What differs between versions of Python."""

import sys

if {0}:

    def fold(text):
        """Fold a text in the first way, with care."""
        return modern(text)

else:

    def fold(text):
        """Fold a text in the second way, by hand."""
        return ancient(text)


def modern(text):
    """Do it as it is done today."""
    return text.casefold()


def ancient(text):
    """Do it as it was done of old."""
    return text.lower()
'''
APP = '''from compat import fold


def run(text):
    """Run over all of a text."""
    return fold(text)
'''
THREE = """if {0}:
    def f(): pass
elif y:
    def f(): pass
else:
    def f(): pass
f()"""
TRUE = [
    "sys.version_info >= (3, 8)",
    "sys.version_info > (3,)",
    "sys.version_info[0] >= 3",
    "sys.version_info[:2] >= (3, 8)",
    "sys.version_info.major == 3",
    "version_info >= (3, 8) and not TYPE_CHECKING",
    "not (sys.version_info < (3, 8))",
    "six.PY3",
]
FALSE = [
    "sys.version_info < (3, 8)",
    "sys.version_info[0] == 2",
    "sys.version_info.major < 3",
    "TYPE_CHECKING",
    "typing.TYPE_CHECKING",
    "six.PY2",
    "sys.version_info >= (3, 8) and sys.version_info < (3, 9)",
]
UNKNOWN = [
    'sys.platform == "win32"',
    "sys.version_info >= (3, 12)",
    "numpy is None",
    'os.name == "nt" and sys.version_info >= (3, 8)',
    "sys.version_info.minor > 9 + 1",
]


def _edges(condition: str) -> dict[str, float]:
    """Return what the caller of a function in two branches has edges to."""
    world = World({"compat.py": COMPAT.format(condition), "app.py": APP})
    found = {t: sure for (s, t), sure in world.edges("calls").items() if "app" in s}
    imports = world.edges("imports")
    assert {("app.py", target): sure for target, sure in found.items()} == {
        edge: sure for edge, sure in imports.items() if "::" in edge[1]
    }
    return {target.partition("::")[2]: sure for target, sure in found.items()}


@pytest.mark.parametrize("condition", TRUE)
def test_the_branch_that_always_runs_is_called(condition: str) -> None:
    assert _edges(condition) == {"fold": 1.0}


@pytest.mark.parametrize("condition", FALSE)
def test_the_other_branch_of_what_never_holds_is_called(condition: str) -> None:
    assert _edges(condition) == {"fold#2": 1.0}


@pytest.mark.parametrize("condition", UNKNOWN)
def test_either_branch_of_any_other_check_may_be_called(condition: str) -> None:
    assert _edges(condition) == {"fold": 0.5, "fold#2": 0.5}


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (
            "try:\n  import x\n  def f(): pass\nexcept E:\n  def f(): pass\nf()",
            {"f": 0.5, "f#2": 0.5},
        ),
        (
            "try:\n  import x\nexcept E:\n  def f(): pass\nelse:\n  def f(): pass\nf()",
            {"f": 0.5, "f#2": 0.5},
        ),
        (
            "try:\n  def f(): pass\nexcept E: pass\nelse:\n  def f(): pass\nf()",
            {"f#2": 1},
        ),
        ("def f(): pass\nif x:\n  def f(): pass\nf()", {"f": 0.5, "f#2": 0.5}),
        ("if x:\n  def f(): pass\ndef f(): pass\nf()", {"f#2": 1}),
        ("def f(): pass\ndef f(): pass\nf()", {"f#2": 1}),
        (
            THREE.format("x"),
            {"f": 0.5, "f#2": 0.5, "f#3": 0.5},
        ),
        (
            THREE.format("PY2"),
            {"f#2": 0.5, "f#3": 0.5},
        ),
        (
            THREE.format("PY3"),
            {"f": 1},
        ),
        (
            "match x:\n  case 1:\n    def f(): pass\n  case _:\n    def f(): pass\nf()",
            {"f": 0.5, "f#2": 0.5},
        ),
        (
            "class A:\n  if x:\n    def f(self): pass\n  else:\n    def f(self): pass\n"
            "A().f()",
            {"A": 1, "A.f": 0.5, "A.f#2": 0.5},
        ),
        (
            "if x:\n  class A:\n    def __init__(self): pass\n"
            "else:\n  class A: pass\nA()",
            {"A": 0.5, "A.__init__": 0.5, "A#2": 0.5},
        ),
        (
            "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\n"
            "def f(a): pass\nf()",
            {"f#3": 1},
        ),
        ("if PY3:\n  def f(): pass\nelse:\n  from x import f\nf()", {"f": 1}),
        ("if PY3:\n  from x import f\nelse:\n  def f(): pass\nf()", {}),
        ("if TYPE_CHECKING:\n  def f(): ...\nf()", {"f": 1}),
    ],
)
def test_what_exists_in_the_end_is_called(text: str, calls: dict[str, float]) -> None:
    found = World({"a.py": text + "\n"}).edges("calls")
    found = {edge: sure for edge, sure in found.items() if edge[0] == "a.py"}
    assert {target[6:]: sure for (_, target), sure in found.items()} == calls


def test_definitions_in_branches_of_a_function_are_both_called() -> None:
    text = "def g(x):\n  if x:\n    def f(): pass\n  else:\n    def f(): pass\n  f()\n"
    edges = World({"a.py": text}).edges("calls")
    assert edges == {("a.py::g", "a.py::g.f"): 0.5, ("a.py::g", "a.py::g.f#2"): 0.5}


def test_an_import_in_a_dead_branch_is_not_followed() -> None:
    files = {"new.py": "def f(): pass\n", "old.py": "def f(): pass\n"}
    files["a.py"] = (
        "import sys\nif sys.version_info >= (3, 8):\n    from new import f\n"
        "else:\n    from old import f\nf()\n"
    )
    assert World(files).calls("a.py") == ["new.py::f"]


@pytest.mark.parametrize(("condition", "told"), [(TRUE[0], ""), (FALSE[0], "#2")])
def test_samples_tell_of_the_definition_that_is_called(
    condition: str, told: str, tmp_path: Path
) -> None:
    sampled = Sampled(tmp_path, {"compat.py": COMPAT.format(condition), "app.py": APP})
    answers = sampled.answers(f"compat.py::fold{told}")
    way = "second" if told else "first"
    assert any(f"Fold a text in the {way} way" in answer for answer in answers)
    assert not sampled.answers(f"compat.py::fold{'' if told else '#2'}")
    callers = [one for one in answers if "run" in one and "app.py" in one]
    assert callers
    assert sampled.audit().wrong == []


def test_samples_tell_of_neither_definition_where_nobody_knows_which_is_called(
    tmp_path: Path,
) -> None:
    files = {"compat.py": COMPAT.format(UNKNOWN[0]), "app.py": APP}
    sampled = Sampled(tmp_path, files)
    told = [one["answer"] for one in sampled.samples.values()]
    assert not any("Fold a text" in answer for answer in told)
    assert sampled.audit().wrong == []


def test_the_facts_mark_what_never_exists() -> None:
    facts = World({"a.py": COMPAT.format(TRUE[0])}).view.tables["facts"].rows["a.py"]
    flags = {row.qual: row.flags for row in map(row_of, facts["elements"])}
    assert flags == {"fold": "", "fold#2": "d", "modern": "", "ancient": ""}
