"""A local binding hides an imported module, in whatever form it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import row_of
from tests.cases.sampled import Sampled
from tests.code_world import World

HIDING = {
    "rest of a sequence": "match given:\n  case [1, *helpers]: helpers.make()",
    "rest of a mapping": "match given:\n  case {'k': 1, **helpers}: helpers.make()",
    "attribute pattern": "match given:\n  case complex(real=helpers): helpers.make()",
    "nested patterns": "match given:\n"
    "  case C(a=[1, D(b=helpers)]): helpers.make()\n"
    "  case {'a': (1, helpers)}: helpers.make()\n"
    "  case (1 | helpers): helpers.make()\n"
    "  case 1 | 2 as helpers: helpers.make()",
    "list of a context": "with given as [helpers, other]: helpers.make()",
    "tuple of a context": "with given as (a, [helpers, b]): helpers.make()",
    "rest of a context": "with given as (a, *helpers): helpers.make()",
    "keywords of a lambda": "given(lambda **helpers: helpers.make())",
    "arguments of a lambda": "given(lambda *helpers: helpers.make())",
    "keyword of a lambda": "given(lambda *, helpers=1: helpers.make())",
    "type alias": "type helpers = int\nhelpers.make()",
    "generic type alias": "type helpers[T] = list[T]\nhelpers.make()",
    "sum": "helpers += given\nhelpers.make()",
    "deletion": "helpers.make()\ndel helpers",
    "deletion of several": "helpers.make()\ndel given, helpers",
    "for with else": "for helpers in given: pass\nelse: helpers.make()",
    "loop over lists": "for [a, (b, helpers)] in given: helpers.make()",
    "rest in a loop": "for a, *helpers in given: helpers.make()",
    "group of exceptions": "try: given()\nexcept* E as helpers: helpers.make()",
    "walrus": "if (helpers := given): helpers.make()",
    "walrus in a comprehension": "[helpers := one for one in given]\nhelpers.make()",
    "comprehension": "[helpers.make() for helpers in given]",
    "import": "import another as helpers\nhelpers.make()",
    "name of a module": "from another import helpers\nhelpers.make()",
    "unpacking": "(a, [*helpers]) = given\nhelpers.make()",
    "annotation": "helpers: int\nhelpers.make()",
    "function": "def helpers(): pass\nhelpers.make()",
    "class": "class helpers: pass\nhelpers.make()",
    "closure": "helpers += 1\ndef inner():\n  helpers.make()",
    "nonlocal": "helpers = given\ndef inner():\n  nonlocal helpers\n  helpers.make()",
}


def _calls(function: str) -> set[tuple[str, str]]:
    module = "import helpers\n\n\n" + function
    world = World({"helpers.py": "def make(): pass\n", "use.py": module})
    facts = world.view.tables["facts"].rows["use.py"]
    assert "problem" not in facts
    return {edge for edge in world.edges("calls") if edge[1] == "helpers.py::make"}


@pytest.mark.parametrize("body", HIDING.values(), ids=HIDING)
def test_a_local_binding_hides_an_imported_module(body: str) -> None:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert _calls(f"def f(given):\n{lines}") == set()


@pytest.mark.parametrize(
    "given",
    [
        "def f[helpers](given: helpers):\n    helpers.make()\n",
        "def f[*helpers](given):\n    helpers.make()\n",
        "def f[A, **helpers](given):\n    helpers.make()\n",
        "def f[helpers: int](given):\n    helpers.make()\n",
        "def f[helpers](given):\n    def g():\n        helpers.make()\n",
        "class C[helpers]:\n    def m(self):\n        helpers.make()\n",
        "class C[helpers]:\n  class D:\n    def m(self):\n      helpers.make()\n",
        "class C[helpers]:\n    helpers.make()\n",
        "class C:\n    helpers = 1\n    helpers.make()\n",
    ],
)
def test_a_type_parameter_hides_an_imported_module(given: str) -> None:
    assert _calls(given) == set()


@pytest.mark.parametrize(
    "body",
    [
        "global helpers\n    helpers.make()",
        "given.helpers = 1\n    helpers.make()",
        "given.helpers += 1\n    helpers.make()",
        "del given.helpers, given[helpers]\n    helpers.make()",
        "given: list[helpers] = []\n    helpers.make()",
        "match given:\n      case helpers.X: helpers.make()",
        "match given:\n      case C(helpers=1): helpers.make()",
        "type other = helpers\n    helpers.make()",
        "import helpers\n    helpers.make()\n    del helpers",
    ],
)
def test_what_binds_no_name_hides_nothing(body: str) -> None:
    edge = {("use.py::f", "helpers.py::make")}
    assert _calls(f"def f(given):\n    {body}\n") == edge


def test_a_class_attribute_hides_nothing_from_its_methods() -> None:
    text = "class C:\n    helpers = 1\n    def m(self):\n        helpers.make()\n"
    assert _calls(text) == {("use.py::C.m", "helpers.py::make")}


@pytest.mark.parametrize("line", ["x += 1", "del x"])
def test_a_name_that_is_bound_before_keeps_its_type(line: str) -> None:
    text = "class A:\n    def m(self): pass\n"
    local = f"{text}def f():\n    x = A()\n    x.m()\n    {line}\n"
    assert World({"a.py": local}).calls("a.py::f") == ["a.py::A", "a.py::A.m"]
    given = f"{text}def f(x: A):\n    x.m()\n    {line}\n"
    assert World({"a.py": given}).calls("a.py::f") == ["a.py::A.m"]


@pytest.mark.parametrize(
    "head",
    [
        "def in_types[helpers](given: helpers)",
        "async def d[T: int, *S, **P](given: T) -> list[T]",
        "class Box[T](Base)",
        "class Plain[T]",
    ],
)
def test_a_signature_has_its_type_parameters(head: str) -> None:
    world = World({"a.py": f"class Base: pass\n\n\n{head}:\n    x = 1\n"})
    row = world.view.tables["facts"].rows["a.py"]["elements"][1]
    assert signature(row_of(row)) == head


def test_claims_hold_in_python_that_is_newer_than_the_running_one(
    tmp_path: Path,
) -> None:
    """Whatever `ast` makes of it: a file that it cannot read is checked as text."""
    text = "".join(
        f'def f{number}[T](given: T):\n    """Take number {number} of several."""\n'
        f"    type A = {body}\n    return given\n\n\n"
        for number, body in enumerate(["int", "list[T]"])
    )
    text += (
        "class Box[T]:\n"
        '    """Keep one thing."""\n\n'
        "    def get(self) -> T:\n"
        '        """Give the thing back."""\n'
        "        return self.thing\n"
    )
    found = Sampled(tmp_path, {"new.py": text})
    assert any("def f0[T](given: T)" in one for one in found.answers("new.py::f0"))
    assert found.audit().wrong == []
    for element, old, new in [
        ("new.py::f0", "is a function", "is a class"),
        ("new.py::Box", "is a class", "is a function"),
        ("new.py::f1", "Take number 1", "Take number 0 and 1"),
    ]:
        key, sample = next(
            (key, sample) for key, sample in found.samples.items()
            if sample["element"] == element and old in sample["answer"]
        )  # fmt: skip
        edited = {**sample, "answer": sample["answer"].replace(old, new)}
        assert found.audit({key: edited}).wrong, (element, new)
