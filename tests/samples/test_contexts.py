"""Contexts over real facts and graphs: an update equals a full build, and is small."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import graph
from repobuild.code.usage.call_sites import call_sites
from repobuild.code.usage.documents import documents
from repobuild.engine.digest import pack
from repobuild.samples.contexts.contexts import LINES, contexts
from repobuild.samples.tasks.registry import samples
from tests.fakes import MemoryTable, MemoryView

SETTINGS = {
    "project.name": "demo",
    "samples.min_code_lines": 3,
    "samples.max_code_lines": 40,
    "samples.max_code_characters": 900,
}


class CountingTable(MemoryTable):
    """Records the keys that are put."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []

    def put(self, key: str, value: Any) -> None:
        self.puts.append(key)
        super().put(key, value)


class Repository:
    """Files, with a graph and contexts that are kept up to date."""

    def __init__(self) -> None:
        self.graph = MemoryView(SETTINGS)
        self.documents = MemoryView({"project.max_file_bytes": 1_000_000})
        self.sites = MemoryView()
        self.contexts = MemoryView(SETTINGS)
        self.own = CountingTable()
        self.contexts.own = self.own

    def build(self, sources: dict[str, str]) -> dict[str, Any]:
        blobs = {text: text.encode() for text in sources.values()}
        files: dict[str, Any] = {
            path: {"blob": text, "mode": 0o100644, "language": language(path)}
            for path, text in sorted(sources.items())
        }
        facts = {
            path: facts_of(blobs[row["blob"]], row["language"])
            for path, row in files.items()
        }
        graph(self.graph.advance(files=files, facts=facts))
        for other in (self.documents, self.sites):
            other.blobs.update(blobs)
        documents(self.documents.advance(files=files))
        edges = self.graph.own.rows
        call_sites(self.sites.advance(files=files, facts=facts, graph=edges))
        view = self.contexts
        view.blobs.update(blobs)
        view.advance(
            files=files,
            facts=facts,
            graph=edges,
            documents=self.documents.own.rows,
            call_sites=self.sites.own.rows,
        )
        view.tables["graph"].index = self.graph.own.index
        view.tables["documents"].index = self.documents.own.index
        self.own.puts.clear()
        contexts(view)
        return dict(view.own.rows)


@pytest.fixture
def repository() -> Repository:
    return Repository()


def language(path: str) -> str:
    return "markdown" if path.endswith(".md") else "python"


def clean(sources: dict[str, str]) -> dict[str, Any]:
    return Repository().build(sources)


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for key in one:
        assert pack(one[key]) == pack(other[key]), key


SHAPES = '''"""Shapes with an area."""
import math


class Shape:
    """Anything with an area."""

    def area(self) -> float:
        """Return the area."""
        raise NotImplementedError


class Circle(Shape):
    """A circle."""

    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        # pi r squared
        squared = self.radius * self.radius
        return math.pi * squared


def unit() -> Circle:
    """Return the unit circle. It has radius one."""
    return Circle(1.0)
'''
APP = '''"""The application."""
from shapes import Circle, unit


def report(radius: float, digits: int = 2) -> str:
    """Say how large a circle is.

    Args:
        radius: Of the circle.
    """
    circle = Circle(radius)
    if radius == 1.0:
        circle = unit()
    return f"{circle.area():.{digits}f}"
'''
TESTS = """from app import report


def test_report():
    assert report(1.0) == "3.14"
"""
SOURCES = {"shapes.py": SHAPES, "app.py": APP, "tests/test_app.py": TESTS}


def test_a_context_holds_what_is_known_about_an_element(repository: Repository) -> None:
    rows = repository.build(SOURCES)
    report = rows["app.py::report"]
    assert "label" not in report
    assert report["summary"] == "Say how large a circle is."
    assert report["params"][0] == ["radius", "float", "", "Of the circle.", ""]
    assert report["params"][1] == ["digits", "int", "2", "", ""]
    assert report["returns"] == "str"
    assert report["tests"] == ["tests/test_app.py::test_report"]
    assert report["callees"][:2] == ["shapes.py::Circle", "shapes.py::unit"]
    told = "Return the unit circle. It has radius one."  # the first says the name
    assert report["callee_summaries"]["shapes.py::unit"] == told
    assert report["module_summary"] == "The application."
    assert report["body"].startswith("    circle = Circle(radius)")
    circle = rows["shapes.py::Circle"]
    assert circle["bases"] == ["shapes.py::Shape"]
    assert circle["params"] == [["radius", "float", "", "", ""]]
    assert rows["shapes.py::Shape"]["subclasses"] == ["shapes.py::Circle"]
    area = rows["shapes.py::Circle.area"]
    assert area["overrides"] == ["shapes.py::Shape.area"]
    assert area["label"] == "Circle.area"
    assert "#" not in area["body"]
    assert rows["shapes.py"]["importers"] == ["app.py"]
    assert rows["app.py"]["imports"] == ["shapes.py"]
    assert rows["@project"]["name"] == "demo"


def test_the_list_of_methods_is_whole(
    repository: Repository,
) -> None:
    methods = "".join(f"    def m{n}(self):\n        return {n}\n" for n in range(9))
    row = repository.build({"wide.py": "class Wide:\n" + methods})["wide.py::Wide"]
    assert row["members"] == [f"m{n}" for n in range(9)]
    assert "members" not in row.get("more", ())


def test_the_first_definition_that_is_no_overload_has_the_row(
    repository: Repository,
) -> None:
    source = """from typing import overload
@overload
def read(x: int) -> int: ...
@overload
def read(x: str) -> str: ...
def read(x):
    \"\"\"Read x, whatever it is.\"\"\"
    return x
class A:
    @property
    def b(self) -> int:
        \"\"\"Return b in metres.\"\"\"
    @b.setter
    def b(self, value): ...
"""
    rows = repository.build({"a.py": source})
    assert "label" not in rows["a.py::read#3"]
    assert rows["a.py::read#3"]["summary"] == "Read x, whatever it is."
    assert rows["a.py::A.b"]["summary"] == "Return b in metres."
    assert not {"a.py::read", "a.py::read#2", "a.py::A.b#2"} & rows.keys()


def test_tests_have_brief_contexts_without_lines(repository: Repository) -> None:
    rows = repository.build(SOURCES)
    brief = rows["tests/test_app.py::test_report"]
    assert brief["brief"]
    assert "summary" not in brief
    assert "tests/test_app.py::test_report" + LINES not in rows


def test_only_rows_of_lines_hold_line_numbers(
    repository: Repository,
) -> None:
    for key, row in repository.build(SOURCES).items():
        assert ("start" in row) == key.endswith(LINES)


@pytest.mark.parametrize(
    "edited",
    [
        SHAPES.replace("        # pi r squared\n", ""),
        SHAPES.replace("# pi r squared", "# the area"),
        SHAPES.replace("import math\n", "import math\n\n\n# shapes\n"),
        SHAPES.replace("return math.pi * squared", "return math.pi * squared  # exact"),
        SHAPES.replace("squared = self", "\n        squared = self"),
    ],
)
def test_a_comment_or_a_blank_line_changes_lines_only(
    repository: Repository, edited: str
) -> None:
    before = repository.build(SOURCES)
    after = repository.build(SOURCES | {"shapes.py": edited})
    changed = {key for key in before if before[key] != after.get(key)}
    assert before.keys() == after.keys()
    assert all(key.endswith(LINES) for key in changed)


def test_a_moved_function_changes_lines_only(repository: Repository) -> None:
    start = SHAPES.index("def unit")
    head = SHAPES.index("class Shape")
    moved = SHAPES[:head] + SHAPES[start:] + "\n\n" + SHAPES[head:start].rstrip() + "\n"
    before = repository.build(SOURCES)
    after = repository.build(SOURCES | {"shapes.py": moved})
    changed = {key for key in before if before[key] != after.get(key)}
    assert changed
    assert all(key.endswith(LINES) for key in changed)


def test_a_line_with_other_spacing_is_quoted_again(
    repository: Repository,
) -> None:
    repository.build(SOURCES)
    edited = SHAPES.replace("math.pi * squared", "math.pi *squared ")
    assert len(edited) == len(SHAPES)
    after = repository.build(SOURCES | {"shapes.py": edited})
    assert "math.pi *squared" in after["shapes.py::Circle.area"]["body"]


def test_an_update_touches_the_changed_file_and_its_neighbours_only(
    repository: Repository,
) -> None:
    others = {
        f"other{n}.py": f'def other{n}(x):\n    """Other."""\n    return x\n'
        for n in range(30)
    }
    repository.build(SOURCES | others)
    edited = SHAPES.replace("Return the unit circle.", "Make the unit circle.")
    repository.build(SOURCES | others | {"shapes.py": edited})
    puts = repository.own.puts
    touched = {key.removesuffix(LINES).partition("::")[0] for key in puts}
    assert touched == {"shapes.py", "app.py", "@project"}


def test_only_changed_rows_of_a_changed_file_are_computed_again(
    repository: Repository,
) -> None:
    repository.build(SOURCES)
    edited = SHAPES.replace(
        "# pi r squared\n", "# pi r squared\n\n        self.n = 1\n"
    )
    repository.build(SOURCES | {"shapes.py": edited})
    puts = {key for key in repository.own.puts if not key.endswith(LINES)}
    circle = "shapes.py::Circle"
    assert puts == {"@project", "shapes.py", circle, f"{circle}.area"}
    assert f"shapes.py::unit{LINES}" in repository.own.puts


def test_the_first_sentence_of_a_callee_reaches_its_callers(
    repository: Repository,
) -> None:
    repository.build(SOURCES)
    edited = SHAPES.replace("Return the unit circle.", "Make the unit circle.")
    after = repository.build(SOURCES | {"shapes.py": edited})
    summaries = after["app.py::report"]["callee_summaries"]
    assert summaries["shapes.py::unit"] == "Make the unit circle. It has radius one."


def test_a_method_that_a_distant_base_gains_or_loses_changes_overrides(
    repository: Repository,
) -> None:
    base = "class Base:\n    def other(self): ...\n"
    sources = {
        "base.py": base,
        "middle.py": "from base import Base\nclass Middle(Base):\n    pass\n",
        "leaf.py": "from middle import Middle\n"
        "class Leaf(Middle):\n    def run(self): ...\n",
    }
    leaf = "leaf.py::Leaf.run"
    assert "overrides" not in repository.build(sources)[leaf]
    gained = sources | {"base.py": base.replace("other", "run")}
    assert repository.build(gained)[leaf]["overrides"] == ["base.py::Base.run"]
    assert "overrides" not in repository.build(sources)[leaf]
    cut = gained | {"middle.py": "class Middle:\n    pass\n"}
    assert "overrides" in repository.build(gained)[leaf]
    assert "overrides" not in repository.build(cut)[leaf]


def test_a_name_is_qualified_as_long_as_another_element_has_it(
    repository: Repository,
) -> None:
    assert "label" not in repository.build(SOURCES)["shapes.py::unit"]
    more = SOURCES | {"other.py": "def unit():\n    return 1\n"}
    after = repository.build(more)
    assert after["shapes.py::unit"]["label"] == "shapes.unit"
    assert after["other.py::unit"]["label"] == "other.unit"
    assert "label" not in repository.build(SOURCES)["shapes.py::unit"]


def test_a_method_knows_what_overrides_it(repository: Repository) -> None:
    sources = {
        "base.py": "class Base:\n    def run(self): ...\n",
        "middle.py": "from base import Base\nclass Middle(Base):\n    pass\n",
        "leaf.py": "from middle import Middle\n"
        "class Leaf(Middle):\n    def go(self): ...\n",
    }
    run = "base.py::Base.run"
    assert "overridden" not in repository.build(sources)[run]
    gained = sources | {"leaf.py": sources["leaf.py"].replace("go", "run")}
    assert repository.build(gained)[run]["overridden"] == ["leaf.py::Leaf.run"]
    cut = gained | {"middle.py": "class Middle:\n    pass\n"}
    assert "overridden" not in repository.build(cut)[run]
    assert "overridden" in repository.build(gained)[run]
    assert "overridden" not in repository.build(sources)[run]


def test_a_class_hierarchy_that_is_cut_at_two_links_is_updated(
    repository: Repository,
) -> None:
    """The last class does not change, and overrides nothing any more."""
    link = "from {0} import {1}\nclass {2}({1}):\n    pass\n"
    sources = {
        "a.py": "class A:\n    def run(self): ...\n",
        "b.py": link.format("a", "A", "B"),
        "c.py": link.format("b", "B", "C"),
        "d.py": "from c import C\nclass D(C):\n    def run(self): ...\n",
    }
    assert repository.build(sources)["a.py::A.run"]["overridden"] == ["d.py::D.run"]
    apart = {"b.py": "class B:\n    pass\n", "c.py": "class C:\n    pass\n"}
    same(repository.build(sources | apart), clean(sources | apart))


DISPATCHING = {
    "a.py": "class A:\n    def run(self, node):\n        return node.go(self)\n",
    "b.py": "from a import A\nclass B(A):\n    pass\n",
    "d.py": "from b import B\nclass D(B):\n    def expansion(self, node): ...\n",
}
DISPATCHING_EDITS = {
    "looks names up": ("a.py", "node.go(self)", "getattr(self, node)()"),
    "another name": ("a.py", "def run(", "def expansion("),
    "no base": ("b.py", "B(A)", "B"),
}


@pytest.mark.parametrize("edit", DISPATCHING_EDITS.values(), ids=DISPATCHING_EDITS)
def test_what_a_distant_base_class_dispatches_is_updated(
    repository: Repository, edit: tuple[str, str, str]
) -> None:
    path, old, new = edit
    looking = {"a.py": DISPATCHING["a.py"].replace("node.go(self)", "getattr(self, n)")}
    for sources in (DISPATCHING, DISPATCHING | looking):
        edited = sources | {path: sources[path].replace(old, new)}
        repository.build(sources)
        same(repository.build(edited), clean(edited))
        same(repository.build(sources), clean(sources))


BINDING = {
    "pay.py": "class Pay:\n    from bills import read\n"
    "    from bills import find as look\n",
    "bills.py": "def read(self, day):\n    return day\n\n\n"
    "def find(self, day):\n    return day\n\n\nshow = read\n",
    "client.py": "class Client:\n    async def run(self):\n        return 1\n\n"
    "    def go(self):\n        return self.run()\n\n"
    "    def start(self):\n        return self.go()\n",
}
BINDING_EDITS = {
    "another name": ("pay.py", "import read", "import read as see"),
    "its own name": ("pay.py", "find as look", "find"),
    "no self": ("bills.py", "def read(self, day)", "def read(day)"),
    "no other name": ("bills.py", "show = read", "show = find"),
    "no import": ("pay.py", "    from bills import read\n", ""),
    "no coroutine": ("client.py", "    async def", "    def"),
    "no result": ("client.py", "return self.run()", "return 1"),
}


@pytest.mark.parametrize("edit", BINDING_EDITS.values(), ids=BINDING_EDITS)
def test_what_classes_bind_and_coroutines_give_is_updated(
    repository: Repository, edit: tuple[str, str, str]
) -> None:
    path, old, new = edit
    assert old in BINDING[path]
    before = repository.build(BINDING)
    assert before["bills.py::read"]["bound_to"] == ["pay.py::Pay"]
    assert before["bills.py::read"]["other_names"] == ["show"]
    assert before["client.py::Client.start"]["perhaps_async"]
    changed = BINDING | {path: BINDING[path].replace(old, new)}
    same(repository.build(changed), clean(changed))
    same(repository.build(BINDING), before)


def test_a_class_is_tested_where_its_methods_are(repository: Repository) -> None:
    tests = {
        "tests/helpers.py": "from shapes import Circle\n\n\n"
        "def made():\n    return Circle(1.0)\n",
        "tests/test_shapes.py": "from shapes import Circle\n\n\n"
        "def test_area():\n    def inner():\n"
        "        return Circle.area(None)\n    inner()\n",
    }
    rows = repository.build(SOURCES | tests)
    assert rows["shapes.py::Circle"]["tests"] == ["tests/test_shapes.py::test_area"]
    assert "tests" not in repository.build(SOURCES)["shapes.py::Circle"]
    same(repository.build(SOURCES | tests), rows)


def test_an_element_needs_the_imports_that_it_names(repository: Repository) -> None:
    rows = repository.build(SOURCES)
    assert rows["app.py::report"]["needs"] == ["from shapes import Circle, unit"]
    assert "needs" not in rows["shapes.py::Circle.area"]  # `math` is not the project's


def test_a_changed_import_updates_only_elements_that_mention_its_names(
    repository: Repository,
) -> None:
    other = '\n\ndef other(radius: float) -> float:\n    """Double it."""\n'
    text = APP + other + "    twice = radius + radius\n    return twice\n"
    repository.build(SOURCES | {"app.py": text})
    moved = text.replace("import Circle, unit", "import unit, Circle")
    repository.build(SOURCES | {"app.py": moved})
    assert "app.py::report" not in repository.own.puts
    changed = text.replace("from shapes", "from .shapes")
    rows = repository.build(SOURCES | {"app.py": changed})
    assert rows["app.py::report"]["needs"] == ["from .shapes import Circle, unit"]
    assert "app.py::report" in repository.own.puts
    assert "app.py::other" not in repository.own.puts
    same(rows, clean(SOURCES | {"app.py": changed}))


def test_a_stub_is_told_of_only_while_it_has_no_module(repository: Repository) -> None:
    stub = "from app import report\n\ndef spin(a: int) -> int: ...\n"
    module = "from app import report\n\n\ndef spin(a):\n    return report(a)\n"
    both = {"turn.pyi": stub, "turn.py": module}
    for more in ({"turn.pyi": stub}, both, {"turn.pyi": stub}, {}, both):
        rows = repository.build(SOURCES | more)
        same(rows, clean(SOURCES | more))
        told = {key.partition("::")[0] for key in rows if key.startswith("turn")}
        assert told == (set(more) if len(more) < 2 else {"turn.py"})


def test_a_test_shows_what_one_assertion_expects(repository: Repository) -> None:
    row = repository.build(SOURCES)["tests/test_app.py::test_report"]
    assert row["brief"]
    assert row["before"] == "def test_report():\n    assert report(1.0) == "
    assert row["hidden"] == '"3.14"'
    assert row["needs"] == ["from app import report"]


def test_an_edit_above_a_test_leaves_its_assertion_alone(
    repository: Repository,
) -> None:
    repository.build(SOURCES)
    above = TESTS.replace("\n\n\ndef", "\n\n\ndef test_first():\n    pass\n\n\ndef")
    rows = repository.build(SOURCES | {"tests/test_app.py": above})
    assert (
        rows["tests/test_app.py::test_report"]
        == (repository.build(SOURCES)["tests/test_app.py::test_report"])
    )


def test_line_numbers_have_rows_of_their_own(repository: Repository) -> None:
    rows = repository.build(SOURCES)
    circle = rows["shapes.py::Circle" + LINES]
    assert circle["bases"] == ["shapes.py::Shape"]
    assert circle["members"] == [["__init__", 16, 17], ["area", 19, 22]]
    lines = APP.split("\n")
    traced = [row["calls"] for key, row in rows.items() if row.get("calls")]
    for line, callee, text in (call for calls in traced for call in calls):
        assert callee.startswith("shapes.py::")
        assert text in (lines[line - 1].strip(), SHAPES.split("\n")[line - 1].strip())
    moved = repository.build(SOURCES | {"shapes.py": "# more\n" + SHAPES})
    assert moved["shapes.py::Circle"] == rows["shapes.py::Circle"]
    assert moved["shapes.py::Circle" + LINES]["members"][0] == ["__init__", 17, 18]


def test_an_update_equals_a_full_build_under_random_edits(
    repository: Repository,
) -> None:
    chance = random.Random(11)
    sources: dict[str, str] = {}
    for _ in range(150):
        for _ in range(chance.randint(1, 3)):
            edit(chance, sources)
        same(repository.build(dict(sources)), clean(dict(sources)))


MODULES = ("a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "tests/test_a.py", "doc.md")
NAMES = ("run", "read", "write", "Table", "Row", "Base")


def edit(chance: random.Random, sources: dict[str, str]) -> None:
    path = chance.choice(MODULES)
    kind = chance.random()
    if kind < 0.15:
        sources.pop(path, None)
    elif kind < 0.7 and path in sources and path.endswith(".py"):
        sources[path] = touched(chance, sources[path])
    else:
        sources[path] = document(chance) if path.endswith(".md") else module(chance)


def touched(chance: random.Random, text: str) -> str:
    """Return the same module with one small change."""
    kind = chance.randrange(6)
    if kind == 4:
        return text.replace(" = ", chance.choice(["  = ", " =  "]), 1)
    if kind == 5:
        old, new = chance.sample(["()", "(given)", "(self)", "(self, more=1)"], 2)
        return text.replace(old + ":", new + ":", 1)
    if kind == 0:
        lines = text.split("\n")
        lines.insert(chance.randrange(len(lines)), "# a comment")
        return "\n".join(lines)
    if kind == 1:
        return text.replace("Do ", chance.choice(["Make ", "Do just "]), 1)
    if kind == 2:
        old, new = chance.sample(["(Base)", "(Table)", "(Row)"], 2)
        return text.replace(old, new, 1)
    old, new = chance.sample(["def run", "def read", "def write", "def other"], 2)
    return text.replace(old, new, 1)


def document(chance: random.Random) -> str:
    parts = chance.sample(NAMES, 3)
    return "# Title\n\nText.\n\n" + "\n\n".join(f"## {p}\n\nAbout {p}." for p in parts)


def module(chance: random.Random) -> str:
    text = f'"""Module {chance.randrange(4)}."""\n'
    for name in NAMES:
        source = chance.choice(["a", "b", "pkg", "pkg.c", ""])
        if source:
            text += f"from {source} import {name}\n"
    for name in chance.sample(NAMES, chance.randint(1, 3)):
        text += a_class(chance, name) if name[0].isupper() else a_function(chance, name)
    return text + a_test(chance)


def a_test(chance: random.Random) -> str:
    """Return a function whose name begins with `test`: in a test file, a test."""
    called, asked = chance.sample(NAMES[:3], 2)
    return (
        f"\n\ndef test_{called}():\n    x = {called}()\n"
        f"    assert {asked}(x) == {chance.choice([4711, 4712])}\n"
    )


def a_class(chance: random.Random, name: str) -> str:
    base = chance.choice(["", "(Base)", "(Table)", "(Row)"])
    text = f'\n\nclass {name}{base}:\n    """Class {chance.randrange(3)}."""\n'
    for method in chance.sample(NAMES[:3], chance.randint(0, 2)):
        text += a_function(chance, method, "    ", "self")
    return text


def a_function(
    chance: random.Random, name: str, indent: str = "", first: str = ""
) -> str:
    doc = chance.choice(["", f'{indent}    """Do {chance.randrange(3)}. More."""\n'])
    calls = "".join(
        f"{indent}    {chance.choice(['x', 'y'])} = {callee}()\n"
        for callee in chance.sample(NAMES, chance.randint(1, 3))
    )
    return f"\n\n{indent}def {name}({first}):\n{doc}{calls}{indent}    return x\n"


def test_a_question_that_is_marked_as_unique_is_asked_once(
    repository: Repository,
) -> None:
    more = {"more.py": SHAPES.replace("unit", "other"), "other.py": APP}
    settings = {
        "samples.languages": ["en", "zh"],
        "samples.tasks": [],
        "split.generalise": 0.0,
        "split.salt": "1",
    }
    scope: Any = SimpleNamespace(settings=settings)
    contexts = repository.build(SOURCES | more).values()
    made = [samples(row, scope) or {} for row in contexts]
    named = [s["question"] for rows in made for s in rows.values() if s.get("named")]
    assert len(named) > 20
    assert len(named) == len(set(named))


def random_document(chance: random.Random) -> str:
    """Return a change log whose headings recur at any level."""
    lines = []
    for _ in range(chance.randint(1, 7)):
        title = chance.choice(["2.1", "2.0", "Fixed", "fixed", "Added"])
        lines += [f"{'#' * chance.randint(1, 3)} {title}", "", "A text of it.", ""]
    return "\n".join(lines)


def random_module(chance: random.Random) -> str:
    """Return methods and functions whose names, parameters and purposes recur."""
    word = [chance.choice(["size", "colour", "price"]) for _ in range(4)]
    purpose = [f'"""Return the {chance.choice("abc")} of it."""' for _ in range(2)]
    return (
        f"class Box:\n    def {word[0]}(self):\n        {purpose[0]}\n"
        f"        self.{word[1]} = 1\n        return self\n\n\n"
        f"def made({word[2]}):\n    {purpose[1]}\n    return {word[3]}({word[2]})\n"
    )


def test_what_an_element_is_asked_by_is_kept_up_to_date(
    repository: Repository,
) -> None:
    chance = random.Random(5)
    sources: dict[str, str] = {}
    for _ in range(60):
        path = chance.choice(["a.md", "b.md", "a.py", "b.py", "c.py"])
        if path in sources and chance.random() < 0.3:
            del sources[path]
        else:
            made = random_document if path.endswith(".md") else random_module
            sources[path] = made(chance)
        same(repository.build(sources), clean(sources))


WALKER = """class Walker:
    def walk(self, node):
        found = getattr(self, {name})
        return found(node) or self.name_node(node)

    def name_node(self, node):
        return node
"""


def test_a_computed_name_hides_callers_of_a_method_and_shows_them_again() -> None:
    repository = Repository()
    for name in ("'name'", "'name_' + node", "'name'", "f'{node}_node'"):
        sources = {"walker.py": WALKER.format(name=name)}
        kept, made = repository.build(sources), Repository().build(sources)
        assert kept == made
        callers = kept["walker.py::Walker.name_node"].get("callers")
        assert (callers is None) == (name != "'name'")


MAIN = '__name__ == "__main__"'
HELPED = """from shapes import area
{helper}
def test_area():
    assert area(square(2)) == "four metres"
"""


def test_a_helper_that_comes_or_goes_changes_the_tests_that_use_it() -> None:
    repository = Repository()
    shapes = {"shapes.py": "def area(shape):\n    return shape\n"}
    for helper in ("", "def square(n):\n    return n\n", "", "square = len\n"):
        sources = shapes | {"tests/test_shapes.py": HELPED.format(helper=helper)}
        kept = repository.build(sources)
        same(kept, clean(sources))
        row = kept["tests/test_shapes.py::test_area"]
        assert ("hidden" in row) == (not helper)


def test_a_name_that_comes_or_goes_opens_and_closes_the_calls_that_may_mean_it() -> (
    None
):
    repository = Repository()
    splices = "from levels import f\n\ndef splice(level):\n    return f(level.copy())\n"
    for name in ("other", "copy", "other"):
        level = f"class Level:\n    def {name}(self):\n        return self\n"
        sources = {"splices.py": splices, "levels.py": f"def f(one): ...\n{level}"}
        kept = repository.build(sources)
        same(kept, clean(sources))
        row = kept["splices.py::splice"]
        assert ("callees" in row.get("open", ())) == (name == "copy")


def test_an_element_is_brief_while_only_a_run_as_a_program_defines_it() -> None:
    repository = Repository()
    for conditions in (("A", MAIN), (MAIN, "A"), ("A", MAIN)):
        source = "".join(
            f"if {one}:\n    def f{number}():\n        return 1\n"
            for number, one in enumerate(conditions)
        )
        kept = repository.build({"run.py": source})
        same(kept, clean({"run.py": source}))
        briefs = ["brief" in kept[f"run.py::f{number}"] for number in range(2)]
        assert briefs == [one == MAIN for one in conditions]


def test_a_package_knows_its_parts_as_they_come_change_and_go(
    repository: Repository,
) -> None:
    sources = {
        "kit/__init__.py": '"""Tools."""\n',
        "kit/saw.py": '"""Cut wood. Slowly."""\n',
        "kit/deep/__init__.py": '"""Hold what is below."""\n',
        "kit/deep/nail.py": "X = 1\n",
        "kit/tests/test_saw.py": "",
        "kit/__main__.py": "",
    }

    def parts() -> list[list[str]]:
        rows = repository.build(sources)
        assert rows == Repository().build(sources)
        return rows["kit/__init__.py"].get("parts", [])

    both = [["kit/deep", "Hold what is below."], ["kit/saw.py", "Cut wood."]]
    assert parts() == both
    sources["kit/saw.py"] = '"""Cut planks. Slowly."""\n'
    both[1][1] = "Cut planks."
    assert parts() == both
    sources["kit/plane.py"] = ""
    assert parts() == [both[0], ["kit/plane.py", ""], both[1]]
    del sources["kit/deep/__init__.py"]
    assert parts() == [["kit/plane.py", ""], both[1]]
    sources["kit/saw.py"] = "# generated by a tool, do not edit\n@generated\n"
    del sources["kit/plane.py"]
    assert parts() == [["kit/saw.py", ""]]


def test_what_a_constructor_or_a_method_calls_reaches_the_class(
    repository: Repository,
) -> None:
    made = "from wire import Wire\n\n\nclass Box:\n    def __init__(self):\n"
    made += (
        "        self.wire = Wire()\n\n    def pull(self):\n        self.wire.pull()\n"
    )
    wires = ("class Wire:\n    def pull(self):\n        return 1\n", "Wire = object\n")
    for wire in (*wires, *wires):
        files = SOURCES | {"box.py": made, "wire.py": wire}
        rows = repository.build(files)
        same(rows, clean(files))
        assert ("callees" in rows["box.py::Box"]) == (wire == wires[0])


def test_a_condition_that_comes_changes_or_goes_reaches_what_it_makes() -> None:
    repository = Repository()
    for condition in ("A", "B", "A"):
        heads = f"if {condition}:\n    class Made:\n        def run(self):\n"
        source = f'{heads}            """Run it."""\n\n\ndef other():\n    return 1\n'
        kept = repository.build({"made.py": source})
        same(kept, clean({"made.py": source}))
        assert kept["made.py::Made.run"]["under"] == ["if", f"if {condition}:"]
        assert "under" not in kept["made.py::other"]


def test_a_method_that_leaves_a_condition_shows_that_of_the_others() -> None:
    repository = Repository()
    first, second = ("def first(self): ...\n", "def second(self):\n")
    for lead in ("    ", ""):
        body = f"    {lead}{first}    if A:\n        {second}"
        if lead:
            body = f"    if A:\n        {first}        {second}"
        source = f'class Made:\n{body}            """Run it."""\n'
        kept = repository.build({"made.py": source})
        same(kept, clean({"made.py": source}))
        assert ("under" in kept["made.py::Made.second"]) == (not lead)


CHOICE = {
    "pkg/__init__.py": "",
    "pkg/fast.py": "def f():\n    return 1\n",
    "pkg/slow.py": "def g():\n    return 1\n\n\ndef f():\n    return g()\n",
    "pkg/choose.py": "try:\n    from pkg.fast import f\nexcept ImportError:\n"
    "    from pkg.slow import f\n",
    "pkg/use.py": "from pkg.choose import f\n\n\ndef run():\n    return f()\n",
}
CERTAIN = {"pkg/choose.py": "from pkg.slow import f\n"}
DIRECT = {"pkg/use.py": CHOICE["pkg/use.py"].replace("choose", "slow")}


@pytest.mark.parametrize("edit", [CERTAIN, DIRECT, CERTAIN | DIRECT])
def test_what_one_of_two_modules_gives_is_updated(
    repository: Repository, edit: dict[str, str]
) -> None:
    same(repository.build(CHOICE), clean(CHOICE))
    rows = repository.build(CHOICE | edit)
    assert rows["pkg/slow.py::f"]["callers"] == ["pkg/use.py::run"]
    same(rows, clean(CHOICE | edit))
    same(repository.build(CHOICE), clean(CHOICE))
