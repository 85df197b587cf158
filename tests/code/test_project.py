"""The project's row, and the exports."""

from __future__ import annotations

import json
from typing import Any

from repobuild.code.graph.analysis_export import graph_json, repository_analysis
from repobuild.code.graph.graph import PROJECT
from tests.code_world import World

FILES = {
    "README.md": "# Tool\n\nKeeps things.\n",
    "pyproject.toml": '[project]\nname = "tool"\ndependencies = ["numpy>=1"]\n',
    "tool/__init__.py": '"""The tool."""\n',
    "tool/core/__init__.py": "",
    "tool/core/a.py": 'import numpy\ndef f(x):\n  """Do it."""\n  return x\n',
    "tool/api/__init__.py": "",
    "tool/api/b.py": "import os\nfrom tool.core.a import f\ndef g(): return f(1)\n",
    "tool/cli/__init__.py": "",
    "tool/cli/c.py": (
        "from tool.core.a import f\nclass A:\n  '''An A.'''\n  def h(self): f(2)\n"
    ),
    "tests/test_a.py": "def test_f(): pass\n",
    "logo.png": "",
}


class Tables:
    """The tables of a world, as a build provides them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def table(self, name: str) -> Any:
        view = self.world.view
        return view.own if name == "graph" else view.table(name)


def test_the_project_is_described_from_its_files() -> None:
    project = World(FILES).rows[PROJECT][""]
    assert project["project_name"] == "tool"
    assert project["description"] == "Keeps things."
    assert project["main_technologies"] == ["numpy"]
    assert project["architecture_style"] == "layered"
    assert project["key_modules"][:2] == ["tool", "tool/cli"]
    assert "tests" not in project["key_modules"]
    assert project["dependencies"] == {"numpy": ">=1"}
    statistics = project["statistics"]
    assert statistics["functions"] == 3
    assert statistics["classes"] == statistics["methods"] == 1
    assert statistics["file_type_counts"] == {".md": 1, ".png": 1, ".py": 8, ".toml": 1}


def test_an_update_of_the_counts_equals_a_full_build() -> None:
    world = World(FILES)
    fewer = {path: text for path, text in FILES.items() if "core" not in path}
    world.put(fewer)
    assert world.rows[PROJECT] == World(fewer).rows[PROJECT]
    assert "import:numpy" not in world.rows[PROJECT]["#state"]["counts"]


def test_the_analysis_has_the_form_of_the_original_specification() -> None:
    blob = {path: text.encode() for path, text in FILES.items()}.__getitem__
    found = repository_analysis(Tables(World(FILES)), blob)
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {
        "project_context",
        "project_structure",
        "code_elements",
        "code_patterns",
        "statistics",
        "call_graph",
    }
    by_id = {element["id"]: element for element in found["code_elements"]}
    f = by_id["tool/core/a.py::f"]
    assert f["code"] == 'def f(x):\n  """Do it."""\n  return x'
    assert f["qualified_name"] == f["name"] == "f"
    assert found["call_graph"]["tool/api/b.py::g"] == ["tool/core/a.py::f"]
    kinds = {pattern["pattern_type"] for pattern in found["code_patterns"]}
    assert kinds == {
        "class_implementation",
        "function_implementation",
        "function_usage",
        "module_interaction",
    }
    core = found["project_structure"]["tool"]["children"]["core"]
    assert core["children"]["a.py"] == {"type": "file"}


def test_the_graph_is_exported_with_nodes_and_edges() -> None:
    found = graph_json(Tables(World(FILES)), "c0ffee")
    assert found["version"] == 1 and found["commit"] == "c0ffee"
    assert {
        "id": "tool/core/a.py::f",
        "kind": "function",
        "name": "f",
        "path": "tool/core/a.py",
        "start_line": 2,
        "end_line": 4,
    } in found["nodes"]
    edge = {"src": "tool/api/b.py::g", "dst": "tool/core/a.py::f", "kind": "calls"}
    assert {**edge, "confidence": 1.0} in found["edges"]
    ids = {node["id"] for node in found["nodes"]}
    assert all(edge["src"] in ids and edge["dst"] in ids for edge in found["edges"])


def test_a_name_in_the_settings_wins() -> None:
    world = World()
    world.view.settings["project.name"] = "other"
    assert world.put(FILES).rows[PROJECT][""]["project_name"] == "other"


CLASSES = """import attr
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, NamedTuple


class Base:
    def __init__(self, a, *, b: int = 2):
        self.a = make(a)


class Derived(Base):
    limit = read()


@dataclass(frozen=True)
class Point:
    x: int
    names: list[str] = field(default_factory=list)
    made: ClassVar[int] = 0
    size: int = field(init=False)
    _: KW_ONLY
    unit: str = "cm"


@dataclass
class Named(Point):
    title: str = ""


class Pair(NamedTuple):
    left: int
    right: int = 1


@attr.s
class Old:
    _a = attr.ib(default=3)
"""


def test_a_class_takes_what_its_constructor_takes() -> None:
    files = {"a.py": CLASSES}
    blob = {path: text.encode() for path, text in files.items()}.__getitem__
    found = repository_analysis(Tables(World(files)), blob)["code_elements"]
    classes = {one["name"]: one for one in found if one["type"] == "class"}
    taken = {
        name: [(p["name"], p["type"], p["default"]) for p in one["parameters"]]
        for name, one in classes.items()
    }
    base = [("a", "", ""), ("b", "int", "2")]
    point = [
        ("x", "int", ""),
        ("names", "list[str]", "list()"),
        ("unit", "str", "'cm'"),
    ]
    assert taken == {
        "Base": base,
        "Derived": base,
        "Point": point,
        "Named": [*point, ("title", "str", "''")],
        "Pair": [("left", "int", ""), ("right", "int", "1")],
        "Old": [("a", "", "3")],
    }
    assert classes["Base"]["called_functions"] == ["make"]
    assert classes["Derived"]["called_functions"] == ["read"]
    kinds = [one["kind"] for one in classes["Point"]["parameters"]]
    assert kinds == ["positional_or_keyword"] * 2 + ["keyword_only"]
