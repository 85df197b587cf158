"""Calls, imports, inheritance and containment on small Python repositories."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.code.graph.graph import callers, edges_of, incoming, node, outgoing
from tests.code_world import World

# Each case: files, the caller, and all that it calls; nothing else may be found.
CASES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "a function of the same file": (
        {"a.py": "def f(): pass\ndef g(): f()\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "module level": ({"a.py": "def f(): pass\nf()\n"}, "a.py", ["a.py::f"]),
    "an import": (
        {"a.py": "def f(): pass\n", "b.py": "import a\ndef g(): a.f()\n"},
        "b.py::g",
        ["a.py::f"],
    ),
    "an import of a submodule by its full name": (
        {
            "p/__init__.py": "",
            "p/a.py": "def f(): pass\n",
            "b.py": "import p.a\ndef g(): p.a.f()\n",
        },
        "b.py::g",
        ["p/a.py::f"],
    ),
    "an alias of a module": (
        {
            "p/__init__.py": "",
            "p/a.py": "def f(): pass\n",
            "b.py": "import p.a as q\ndef g(): q.f()\n",
        },
        "b.py::g",
        ["p/a.py::f"],
    ),
    "an alias of a name": (
        {"a.py": "def f(): pass\n", "b.py": "from a import f as h\ndef g(): h()\n"},
        "b.py::g",
        ["a.py::f"],
    ),
    "an import within the function": (
        {"a.py": "def f(): pass\n", "b.py": "def g():\n  from a import f\n  f()\n"},
        "b.py::g",
        ["a.py::f"],
    ),
    "a relative import": (
        {
            "p/__init__.py": "",
            "p/a.py": "def f(): pass\n",
            "p/q/__init__.py": "",
            "p/q/b.py": "from ..a import f\ndef g(): f()\n",
        },
        "p/q/b.py::g",
        ["p/a.py::f"],
    ),
    "from . import a module": (
        {
            "p/__init__.py": "",
            "p/a.py": "def f(): pass\n",
            "p/b.py": "from . import a\ndef g(): a.f()\n",
        },
        "p/b.py::g",
        ["p/a.py::f"],
    ),
    "a re-export through __init__": (
        {
            "p/__init__.py": "from .a import f\n",
            "p/a.py": "def f(): pass\n",
            "b.py": "from p import f\ndef g(): f()\n",
        },
        "b.py::g",
        ["p/a.py::f"],
    ),
    "a re-export under another name, twice": (
        {
            "p/__init__.py": "from .m import h as k\n",
            "p/m.py": "from .a import f as h\n",
            "p/a.py": "def f(): pass\n",
            "b.py": "import p\ndef g(): p.k()\n",
        },
        "b.py::g",
        ["p/a.py::f"],
    ),
    "a star import": (
        {"a.py": "def f(): pass\n", "b.py": "from a import *\ndef g(): f()\n"},
        "b.py::g",
        ["a.py::f"],
    ),
    "a star import leaves private names out": (
        {"a.py": "def _f(): pass\n", "b.py": "from a import *\ndef g(): _f()\n"},
        "b.py::g",
        [],
    ),
    "a star import takes what __all__ names": (
        {
            "a.py": "__all__ = ['_f']\ndef _f(): pass\ndef h(): pass\n",
            "b.py": "from a import *\ndef g():\n  _f()\n  h()\n",
        },
        "b.py::g",
        ["a.py::_f"],
    ),
    "a src layout": (
        {
            "src/p/__init__.py": "",
            "src/p/a.py": "def f(): pass\n",
            "tests/t.py": "from p.a import f\ndef g(): f()\n",
        },
        "tests/t.py::g",
        ["src/p/a.py::f"],
    ),
    "a package within a monorepo": (
        {
            "libs/one/p/__init__.py": "def f(): pass\n",
            "apps/b.py": "from p import f\ndef g(): f()\n",
        },
        "apps/b.py::g",
        ["libs/one/p/__init__.py::f"],
    ),
    "a package that two folders offer is not guessed": (
        {
            "libs/one/p/__init__.py": "def f(): pass\n",
            "libs/two/p/__init__.py": "def f(): pass\n",
            "apps/b.py": "from p import f\ndef g(): f()\n",
        },
        "apps/b.py::g",
        [],
    ),
    "the standard library is not taken for a file of that name": (
        {
            "x/y/json.py": "def dumps(): pass\n",
            "b.py": "import json\ndef g(): json.dumps()\n",
        },
        "b.py::g",
        [],
    ),
    "a folder without __init__": (
        {
            "n/m/a.py": "def f(): pass\n",
            "b.py": "from n.m.a import f\ndef g(): f()\n",
        },
        "b.py::g",
        ["n/m/a.py::f"],
    ),
    "a module out of a folder without __init__": (
        {"n/a.py": "def f(): pass\n", "b.py": "from n import a\ndef g(): a.f()\n"},
        "b.py::g",
        ["n/a.py::f"],
    ),
    "an assignment of a function": (
        {"a.py": "def f(): pass\nh = f\ndef g(): h()\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "a local assignment of a function": (
        {"a.py": "def f(): pass\ndef g():\n  h = f\n  h()\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "a local that could be either is both": (
        {
            "a.py": "def f(): pass\ndef k(): pass\n"
            "def g(x):\n  h = f\n  if x:\n    h = k\n  h()\n"
        },
        "a.py::g",
        ["a.py::f", "a.py::k"],
    ),
    "a local that could be anything is not guessed": (
        {
            "a.py": "def f(): pass\ndef g(x, y):\n  h = f\n  if x:\n    h = y[0]\n"
            "  h()\n"
        },
        "a.py::g",
        [],
    ),
    "a parameter hides a function": (
        {"a.py": "def f(): pass\ndef g(f): f()\n"},
        "a.py::g",
        [],
    ),
    "a loop variable hides a function": (
        {"a.py": "def f(): pass\ndef g(x):\n  for f in x:\n    f()\n"},
        "a.py::g",
        [],
    ),
    "a function hides a builtin": (
        {"a.py": "def open(): pass\ndef g(): open()\n"},
        "a.py::g",
        ["a.py::open"],
    ),
    "a builtin has no symbol": ({"a.py": "def g(): open()\n"}, "a.py::g", []),
    "a constructor": (
        {"a.py": "class A:\n  def __init__(self): pass\ndef g(): A()\n"},
        "a.py::g",
        ["a.py::A", "a.py::A.__init__"],
    ),
    "an inherited constructor": (
        {
            "a.py": "class B:\n  def __init__(self): pass\n"
            "class A(B): pass\ndef g(): A()\n"
        },
        "a.py::g",
        ["a.py::A", "a.py::B.__init__"],
    ),
    "self": (
        {"a.py": "class A:\n  def f(self): pass\n  def g(self): self.f()\n"},
        "a.py::A.g",
        ["a.py::A.f"],
    ),
    "self in a closure": (
        {
            "a.py": "class A:\n  def f(self): pass\n  def g(self):\n"
            "    def h(): self.f()\n    h()\n"
        },
        "a.py::A.g.h",
        ["a.py::A.f"],
    ),
    "cls": (
        {
            "a.py": "class A:\n  def f(self): pass\n"
            "  @classmethod\n  def g(cls): cls.f(1)\n"
        },
        "a.py::A.g",
        ["a.py::A.f"],
    ),
    "a method of a base in another file": (
        {
            "b.py": "class B:\n  def f(self): pass\n",
            "a.py": "from b import B\nclass A(B):\n  def g(self): self.f()\n",
        },
        "a.py::A.g",
        ["b.py::B.f"],
    ),
    "super": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A(B):\n"
            "  def f(self): super().f()\n"
        },
        "a.py::A.f",
        ["a.py::B.f"],
    ),
    "the diamond, as C3 orders it": (
        {
            "a.py": "class T:\n  def f(self): pass\nclass L(T): pass\n"
            "class R(T):\n  def f(self): pass\nclass A(L, R):\n"
            "  def g(self): self.f()\n"
        },
        "a.py::A.g",
        ["a.py::R.f"],
    ),
    "classes that inherit from each other end": (
        {"a.py": "class A(B): pass\nclass B(A):\n  def g(self): self.f()\n"},
        "a.py::B.g",
        [],
    ),
    "a class attribute that hides a method": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A(B):\n  f = other()\n"
            "  def g(self): self.f()\n"
        },
        "a.py::A.g",
        [],
    ),
    "a method under another name": (
        {"a.py": "class A:\n  def f(self): pass\n  h = f\n  def g(self): self.h()\n"},
        "a.py::A.g",
        ["a.py::A.f"],
    ),
    "an unbound method": (
        {"a.py": "class A:\n  def f(self): pass\ndef g(x): A.f(x)\n"},
        "a.py::g",
        ["a.py::A.f"],
    ),
    "a variable made by a constructor": (
        {"a.py": "class A:\n  def f(self): pass\ndef g():\n  x = A()\n  x.f()\n"},
        "a.py::g",
        ["a.py::A", "a.py::A.f"],
    ),
    "a method of a constructor call": (
        {"a.py": "class A:\n  def f(self): pass\ndef g(): A().f()\n"},
        "a.py::g",
        ["a.py::A", "a.py::A.f"],
    ),
    "a variable of a with": (
        {
            "a.py": "class A:\n  def __enter__(self) -> 'A': pass\n"
            "  def f(self): pass\ndef g():\n  with A() as x:\n    x.f()\n"
        },
        "a.py::g",
        ["a.py::A", "a.py::A.f"],
    ),
    "a parameter's annotation": (
        {
            "b.py": "class A:\n  def f(self): pass\n",
            "a.py": "from b import A\ndef g(x: 'A | None'): x.f()\n",
        },
        "a.py::g",
        ["b.py::A.f"],
    ),
    "an optional parameter": (
        {
            "a.py": "from typing import Optional\nclass A:\n  def f(self): pass\n"
            "def g(x: Optional[A] = None): x.f()\n"
        },
        "a.py::g",
        ["a.py::A.f"],
    ),
    "an attribute made in the constructor": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A:\n"
            "  def __init__(self): self.b = B()\n  def g(self): self.b.f()\n"
        },
        "a.py::A.g",
        ["a.py::B.f"],
    ),
    "an attribute from an annotated parameter": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A:\n"
            "  def __init__(self, b: B): self.b = b\n  def g(self): self.b.f()\n"
        },
        "a.py::A.g",
        ["a.py::B.f"],
    ),
    "an attribute annotated in the class": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A:\n  b: B\n"
            "  def g(self): self.b.f()\n"
        },
        "a.py::A.g",
        ["a.py::B.f"],
    ),
    "an attribute from an unknown parameter is not guessed": (
        {
            "a.py": "def b(): pass\nclass A:\n"
            "  def __init__(self, b): self.b = b\n  def g(self): self.b()\n"
        },
        "a.py::A.g",
        [],
    ),
    "a property's result": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A:\n"
            "  @property\n  def b(self) -> B: pass\n  def g(self): self.b.f()\n"
        },
        "a.py::A.g",
        ["a.py::B.f"],
    ),
    "a function's return annotation": (
        {
            "a.py": "class A:\n  def f(self): pass\ndef make() -> A: pass\n"
            "def g():\n  x = make()\n  x.f()\n"
        },
        "a.py::g",
        ["a.py::A.f", "a.py::make"],
    ),
    "an instance that is called": (
        {"a.py": "class A:\n  def __call__(self): pass\ndef g():\n  x = A()\n  x()\n"},
        "a.py::g",
        ["a.py::A", "a.py::A.__call__"],
    ),
    "a decorator": (
        {"a.py": "def d(f): return f\n@d\ndef g(): pass\n"},
        "a.py::g",
        ["a.py::d"],
    ),
    "a decorator with arguments": (
        {"b.py": "def d(x): pass\n", "a.py": "import b\n@b.d(1)\ndef g(): pass\n"},
        "a.py::g",
        ["b.py::d"],
    ),
    "a nested function": (
        {"a.py": "def g():\n  def h(): pass\n  h()\n"},
        "a.py::g",
        ["a.py::g.h"],
    ),
    "a closure calls its sibling": (
        {"a.py": "def g():\n  def h(): pass\n  def k(): h()\n"},
        "a.py::g.k",
        ["a.py::g.h"],
    ),
    "a call in a comprehension": (
        {"a.py": "def f(): pass\ndef g(x): return [f() for y in x]\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "a call in a lambda": (
        {"a.py": "def f(): pass\ndef g(): return lambda: f()\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "a call in an f-string": (
        {"a.py": "def f(): pass\ndef g(): return f'{f()}'\n"},
        "a.py::g",
        ["a.py::f"],
    ),
    "the last of two definitions": (
        {"a.py": "def f(): pass\ndef f(x): pass\ndef g(): f()\n"},
        "a.py::g",
        ["a.py::f#2"],
    ),
    "a fallback for an import from the repository": (
        {
            "p.py": "def f(): pass\n",
            "a.py": "try:\n  from p import f\nexcept ImportError:\n  f = None\n"
            "def g(): f()\n",
        },
        "a.py::g",
        ["p.py::f"],
    ),
    "an unknown receiver is not guessed": (
        {"a.py": "class A:\n  def f(self): pass\ndef g(x): x.f()\n"},
        "a.py::g",
        [],
    ),
    "a generic base": (
        {
            "a.py": "class B:\n  def f(self): pass\nclass A(B[int]):\n"
            "  def g(self): self.f()\n"
        },
        "a.py::A.g",
        ["a.py::B.f"],
    ),
    "modules that import each other with stars": (
        {
            "a.py": "from b import *\ndef g(): f()\n",
            "b.py": "from a import *\nfrom c import *\n",
            "c.py": "from a import *\ndef f(): pass\n",
        },
        "a.py::g",
        ["c.py::f"],
    ),
    "a global that a function assigns": (
        {
            "a.py": "class A:\n  def f(self): pass\nmade = None\n"
            "def start():\n  global made\n  made = A()\ndef g(): made.f()\n"
        },
        "a.py::g",
        ["a.py::A.f"],
    ),
    "the type Self": (
        {
            "a.py": "class A:\n  def f(self): pass\n  @classmethod\n"
            "  def make(cls) -> Self: pass\ndef g(): A.make().f()\n"
        },
        "a.py::g",
        ["a.py::A.f", "a.py::A.make"],
    ),
    "a long chain of unknown calls ends": (
        {"a.py": "def g(): x" + ".y()" * 200 + "\n"},
        "a.py::g",
        [],
    ),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_calls_of(case: str) -> None:
    files, source, expected = CASES[case]
    assert World(files).calls(source) == expected


def test_unresolved_calls_are_counted() -> None:
    text = "def f(x):\n  x.m()\n  len(x)\n  g()\n  (x or f)()\n  x.m()\ndef g(): g()\n"
    world = World({"a.py": text})
    assert world.rows["a.py"][""]["unresolved"] == 3  # x.m, len, ?
    assert world.rows["@project"][""]["statistics"]["unresolved_calls"] == 3
    world.put({"a.py": text.replace("  len(x)\n", "")})
    assert world.rows["@project"][""]["statistics"]["unresolved_calls"] == 2


def test_confidence_depends_on_how_a_call_was_resolved() -> None:
    edges = World(
        {
            "a.py": "class A:\n  def f(self): pass\n  def g(self): self.f()\n"
            "def h():\n  x = A()\n  x.f()\ndef k(x: A): x.f()\ndef m(): h()\n"
        }
    ).edges("calls")
    assert edges["a.py::m", "a.py::h"] == 1.0
    assert edges["a.py::A.g", "a.py::A.f"] == 0.9
    assert edges["a.py::h", "a.py::A.f"] == 0.8
    assert edges["a.py::k", "a.py::A.f"] == 0.75


def test_imports_have_edges_to_the_module_and_the_element() -> None:
    edges = World(
        {
            "p/__init__.py": "from .a import f\n",
            "p/a.py": "def f(): pass\n",
            "b.py": "import os\nfrom p import f, a, missing\nimport p.a\n",
        }
    ).edges("imports")
    assert {dst for src, dst in edges if src == "b.py"} == {
        "p/__init__.py",
        "p/a.py",
        "p/a.py::f",
    }


def test_inheritance_crosses_files() -> None:
    edges = World(
        {
            "p/__init__.py": "from .b import B as Base\n",
            "p/b.py": "class B: pass\n",
            "a.py": "import p, abc\nclass A(p.Base, abc.ABC, metaclass=M): pass\n",
        }
    ).edges("inherits")
    assert edges == {("a.py::A", "p/b.py::B"): 1.0}


def test_containment_is_nested() -> None:
    edges = World({"a.py": "class A:\n  def f(self):\n    def g(): pass\n"})
    assert set(edges.edges("contains")) == {
        ("a.py", "a.py::A"),
        ("a.py::A", "a.py::A.f"),
        ("a.py::A.f", "a.py::A.f.g"),
    }


def test_the_functions_that_read_the_graph_agree() -> None:
    world = World(
        {
            "a.py": "def f(): pass\ndef own(): f()\n",
            "b.py": "from a import f\ndef g(): f()\nf()\n",
        }
    )
    table: Any = world.view.own
    assert (node(table, "a.py::f") or {})["name"] == "f"
    assert (node(table, "a.py") or {})["kind"] == "file"
    assert node(table, "a.py::nothing") is None
    assert callers(table, "a.py::f") == [
        ("a.py::own", 1.0),
        ("b.py", 1.0),
        ("b.py::g", 1.0),
    ]
    assert incoming(table, "a.py::f", "imports") == [("b.py", 1.0)]
    assert outgoing(table, "b.py::g", "calls") == [("a.py::f", 1.0)]
    assert edges_of(table.get("b.py"), "g") == [("calls", "a.py::f", 1.0)]


class WrittenRows:
    """Records the keys of the rows that a run writes."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys: list[str] = []
        own = world.view.own
        real = own.put

        def put(key: str, value: Any) -> None:
            self.keys.append(key)
            real(key, value)

        monkeypatch.setattr(own, "put", put)


FAN = {
    "p.py": "def f(): pass\nclass A:\n  def m(self): pass\n",
    "user.py": "from p import f\nf()\n",
    "other.py": "import p\np.A().m()\n",
    "far.py": "def g(): pass\n",
}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("def f(): return 1\nclass A:\n  def m(self): pass\n", ["p.py"]),
        ("# c\n\n" + FAN["p.py"], ["p.py"]),
        ("def f(): pass\nclass A:\n  def n(self): pass\n", ["other.py", "p.py"]),
        ("def h(): pass\nclass A:\n  def m(self): pass\n", ["p.py", "user.py"]),
        ("def new(): pass\n" + FAN["p.py"], ["p.py"]),
    ],
    ids=["body", "comment", "method renamed", "function renamed", "function added"],
)
def test_only_files_that_an_edit_can_affect_are_resolved_again(
    text: str, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(FAN)
    written_rows = WrittenRows(world, monkeypatch)
    world.put({**FAN, "p.py": text})
    assert sorted(set(written_rows.keys) - {"@project"}) == written


def test_a_new_module_resolves_the_imports_that_missed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"b.py": "from a import f\nf()\n", "c.py": "import d\n"}
    world = World(files)
    assert world.calls("b.py") == []
    written_rows = WrittenRows(world, monkeypatch)
    world.put({**files, "a.py": "def f(): pass\n"})
    assert world.calls("b.py") == ["a.py::f"]
    assert "c.py" not in written_rows.keys


def test_a_hostile_file_does_not_stop_the_build() -> None:
    chain = "".join(f"class A{n}(A{n - 1}): pass\n" for n in range(1, 3_000))
    aliases = "".join(f"f{n} = f{n - 1}\n" for n in range(1, 3_000))
    text = f"{chain}A2999().m()\n{aliases}f2999()\nx: {'Optional[' * 3_000}A\nx.f()\n"
    assert "a.py" in World({"a.py": text}).rows


def test_a_long_chain_of_reexports_has_the_same_edges_in_an_update() -> None:
    files = {f"m{n}.py": f"from m{n - 1} import f\nf()\n" for n in range(1, 150)}
    files["m0.py"] = "def f(): pass\n"
    world = World({})
    world.put(files)
    world.put({**files, "m149.py": "from m148 import f\nf()\n#\n"})
    changed = {**files, "m70.py": "from m69 import f\nf()\nf()\n"}
    assert World(changed).rows == world.put(changed).rows
