"""What samples say of files that `ast` cannot read is checked against their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from repobuild.checkout import open_checkout
from repobuild.cli.claim_audit import audit_claims, audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from tests.cases.commands import commit, repobuild, start
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled

GO = {
    "go.mod": "module example.org/shapes\n\ngo 1.21\n",
    "README.md": "<br>\n\n### [A sponsor of it](https://example.org)\n\nBuy it.\n",
    "shape.go": """// Package shapes holds figures of the plane.
package shapes

// Shape is a figure in the plane, with an area of its own.
type Shape struct{ side float64 }

// Area returns how large the figure is, in square units.
func (s *Shape) Area(unit string) float64 {
	value := Scaled(s.side*s.side, unit)
	return value
}

// Scaled returns a value in a unit that is known by name.
func Scaled(value float64, unit string) float64 {
	if unit == "mm" {
		value = value * 100
	}
	return value
}
""",
    "draw.go": """package shapes

import "fmt"

// Draw writes a figure into a line of text, with its area.
func (s *Shape) Draw(title string) string {
	area := s.Area("cm")
	return fmt.Sprintf("%s: %v", title, Scaled(area, "cm"))
}
""",
    "shape_test.go": """package shapes

import "testing"

func TestScaledKnowsUnits(t *testing.T) {
	if Scaled(1, "mm") != 100 {
		t.Fatal("not scaled")
	}
}

func TestScaledKeepsValues(t *testing.T) {
	if Scaled(1, "cm") != 1 {
		t.Fatal("scaled")
	}
}
""",
}
TYPESCRIPT = {
    "package.json": '{"name": "shapes"}\n',
    "src/shape.ts": """/** A figure in the plane, with an area of its own. */
export class Shape {
  /** Returns how large the figure is, in square units. */
  area(unit: string): number {
    return scaled(1, unit);
  }
}

/** Puts shapes beside each other, however many there are: "all of them" */
export function beside(/* first, second */) {
  const shapes = Array.from(arguments);
  const areas = shapes.map((shape) => shape.area("cm"));
  return areas;
}

/** Returns a value in a unit that is known by name. */
export function scaled(value: number, unit: string): number {
  return unit === "mm" ? value * 100 : value;
}
""",
    "src/units.ts": """const units$1 = {};

/** Returns how many metres a length has in all. */
units$1.metre = function metre(length: number): number {
  const factor = 100;
  return length / factor;
};
""",
    "src/square.ts": """import { Shape, scaled } from "./shape";

/** A rectangle with sides of equal length. */
export class Square extends Shape {
  /** Returns the square of the one side that it has. */
  area(unit: string): number {
    const side = 2;
    return scaled(side * side, unit);
  }
}
""",
    "tests/shape.test.ts": """import { scaled } from "../src/shape";

function testScaledKnowsUnits() {
  return scaled(1, "mm") === 100;
}
""",
}
RUST = {
    "Cargo.toml": '[package]\nname = "shapes"\nversion = "0.1.0"\n',
    "src/lib.rs": """//! Figures of the plane.
mod draw;

/// A figure in the plane, with an area of its own.
pub struct Shape { side: f64 }

impl Shape {
    /// Returns how large the figure is, in square units.
    pub fn area(&self, unit: &str) -> f64 {
        scaled(self.side * self.side, unit)
    }
}

/// Returns the `{side}` part of a text, which `Shape` has.
#[inline] // because the callers are many
pub fn side(text: &str) -> &str {
    text
}

#[inline] // because the callers are many
pub fn bare(text: &str) -> &str {
    text
}

impl std::ops::Index<Shape> for [f64] {
    type Output = f64;

    /// Returns the item that a shape means, by its side.
    fn index(&self, at: Shape) -> &f64 {
        &self[at.side as usize]
    }
}

/// Returns a value in a unit that is known by name.
pub fn scaled(value: f64, unit: &str) -> f64 {
    if unit == "mm" { value * 100.0 } else { value }
}
""",
    "src/draw.rs": """use crate::{scaled, Shape};

impl Shape {
    /// Writes a figure into a line of text, with its area.
    pub fn draw(&self, title: &str) -> String {
        let area = self.area("cm");
        format!("{}: {}", title, scaled(area, "cm"))
    }
}
""",
}
PYTHON_2 = {
    "shapes/__init__.py": "",
    "shapes/base.py": '''"""Figures of the plane."""

from shapes.units import factor


class Shape:
    """A figure in the plane, with an area of its own."""

    def area(self, unit):
        """Return how large the figure is, in square units."""
        print "measured in", unit
        return scaled(self.side * self.side, unit)


def scaled(value, unit):
    """Return a value in a unit that is known by name."""
    try:
        return value * factor(unit)
    except KeyError, error:
        print error
        return value
''',
    "shapes/units.py": '''"""The units of length."""


def factor(unit):
    """Return how many millimetres a unit has."""
    return {"cm": 10, "mm": 1}[unit]
''',
    "tests/test_base.py": """from shapes.base import scaled


def test_a_known_unit_scales():
    value = scaled(1, "cm")
    assert value == 10


def test_an_unknown_unit_keeps_the_value():
    value = scaled(1, "ell")
    assert value == 1
""",
}


# By language: a file, how it begins, one of its methods, how it ends.
METHODS = {
    "go": (
        "a.go", "package a\n\ntype Shape struct{ side int }\n",
        "func (s *Shape) side%d(unit int) int {\n\tside := unit * %d\n"
        "\tside += 1\n\treturn side\n}\n", "",
    ),
    "rust": (
        "src/a.rs", "struct Shape { side: i32 }\n\nimpl Shape {\n",
        "    fn side%d(&self, unit: i32) -> i32 {\n        let side = unit * %d;\n"
        "        println!(\"a\");\n        side\n    }\n", "}\n",
    ),
    "typescript": (
        "a.ts", "class Shape {\n",
        "  side%d(unit: number) {\n    let side = unit * %d;\n"
        "    side += 1;\n    return side;\n  }\n", "}\n",
    ),
    "python": (
        "a.py", "class Shape:\n",
        "    def side%d(self, unit):\n        side = unit * %d\n"
        "        side += 1\n        return side\n", "",
    ),
}  # fmt: skip


CHANGED = '''"""Figures of the plane."""


def area(side%s):
    """Return how large a square is, in square units."""
    product = side * side
    return product
'''


class World(NamedTuple):
    """The files of one project, the languages to read, and a word to falsify."""

    files: Mapping[str, str]
    languages: tuple[str, ...]
    name: str  # of a function with callers


WORLDS = {
    "go": World(GO, ("go", "markdown"), "Scaled"),
    "typescript": World(TYPESCRIPT, ("typescript",), "scaled"),
    "rust": World(RUST, ("rust",), "scaled"),
    "python 2": World(PYTHON_2, ("python",), "scaled"),
}


@pytest.fixture(scope="module", params=WORLDS)
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Sampled, World]:
    world = WORLDS[request.param]
    folder = tmp_path_factory.mktemp("text")
    settings = {"project.languages": list(world.languages)}
    return Sampled(folder, world.files, **settings), world


def test_every_claim_about_a_file_without_a_parser_holds(
    built: tuple[Sampled, World],
) -> None:
    sampled, _ = built
    found = sampled.audit()
    assert found.wrong == []
    checked = {"kind", "name", "path", "summary", "signature", "callers"}
    assert checked <= set(found.claims)


def test_a_name_that_is_not_in_the_text_is_noticed(
    built: tuple[Sampled, World],
) -> None:
    sampled, world = built
    changed = {
        key: {**one, "answer": one["answer"].replace(world.name, "rounded")}
        for key, one in sampled.samples.items()
        if f"`{world.name}`" in one["answer"]
    }
    assert changed
    assert {one.key for one in sampled.audit(changed).wrong} == set(changed)


@pytest.mark.parametrize(
    ("world", "id", "own"),
    [
        ("go", "shape.go::Shape.Area", "`Shape`"),
        ("go", "draw.go::Shape.Draw", ""),  # its class is in another file
        ("typescript", "src/square.ts::Square.area", "`Square`"),
        ("typescript", "src/units.ts::units$1.metre", ""),  # an object, and no class
    ],
)
def test_a_method_belongs_to_a_class_and_to_nothing_else(
    tmp_path: Path, world: str, id: str, own: str
) -> None:
    files, languages, _ = WORLDS[world]
    settings = {"project.languages": list(languages)}
    sampled = Sampled(tmp_path, files, **settings)
    answers = "".join(sampled.answers(id))
    assert "belongs to the class ``" not in answers
    told = re.findall(r"belongs to the class (`\w*`)|它属于 (`\w*`) 类", answers)
    assert answers and {one or other for one, other in told} == {own} - {""}


def test_a_note_to_an_attribute_does_not_document_its_function(tmp_path: Path) -> None:
    settings = {"project.languages": ["rust"]}
    sampled = Sampled(tmp_path, RUST, **settings)
    answers = [one["answer"] for one in sampled.samples.values()]
    assert any("`{side}` part of a text" in answer for answer in answers)
    assert not any("because" in answer for answer in answers)


@pytest.mark.parametrize(("language", "text"), METHODS.items())
def test_a_method_is_completed_within_its_class_where_it_is_written_there(
    tmp_path: Path, language: str, text: tuple[str, str, str, str]
) -> None:
    path, head, method, end = text
    methods = "\n".join(method % (number, number) for number in range(12))
    settings = {"project.languages": [language], "samples.min_code_lines": 1}
    sampled = Sampled(tmp_path, {path: head + methods + end}, **settings)
    prefixes = [one.get("prefix", "") for one in sampled.samples.values()]
    assert any("side" in prefix for prefix in prefixes)
    within = language in ("typescript", "python")
    declared = re.compile(r"(type|struct|class) Shape")
    assert any(map(declared.search, prefixes)) == within
    assert sampled.audit().wrong == []


def test_the_bar_of_the_check_ends_at_its_total(tmp_path: Path) -> None:
    place = start(tmp_path / "place", {"a.py": CHANGED % "", "b.py": CHANGED % ""})
    commit(place, {"a.py": CHANGED % ", unit"})
    assert repobuild(place, "--until", "dataset").returncode == 0
    totals: list[int] = []
    done: list[int] = []

    class Bar:
        def advance(self, count: int = 1) -> None:
            done.append(count)

        def note(self, text: str) -> None:
            pass

        def expect(self, total: int) -> None:
            pass

    @contextmanager
    def progress(label: str, total: int) -> Iterator[Bar]:
        totals.append(total)
        yield Bar()

    result = audit_claims(open_checkout(place), progress, 1)
    assert "changed" in result["claims"]  # of a table beside `samples`
    assert sum(totals) == sum(done)
    assert totals[0] == result["samples"]  # that are read, before they are checked


def test_changed_lines_are_quoted_as_a_difference(tmp_path: Path) -> None:
    place = start(tmp_path / "place", {"a.py": CHANGED % ""})
    commit(place, {"a.py": (CHANGED % "").replace("side * side", "side**2")})
    assert repobuild(place, "--until", "dataset").returncode == 0
    checkout = open_checkout(place)
    build = checkout.view(checkout.snapshot(), checkout.state())
    changed = {
        key: {**sample, "answer": sample["answer"].replace("```diff", "```python")}
        for key, sample in AllSamples.of(build).entries()
        if "```diff" in sample["answer"]
    }
    assert changed
    found = audit(changed.items(), audit_tree(build))
    assert {one.key for one in found.wrong} == set(changed)


def test_a_step_under_an_if_is_checked_where_python_three_reads_nothing(
    tmp_path: Path,
) -> None:
    """Without a parser the step reads as one with a head and as one without, too."""
    source = '''"""Lamps."""


def light(lamp, async=True):
    """Light a lamp."""
    return lamp


def measure(lamp):
    """Measure how bright a lamp is."""
    return lamp.level + 1


def choose(lamps, level):
    """Choose a lamp that is bright enough."""
    if measure(lamps[0]) > level:
        return light(lamps[0])
    return lamps
'''
    sampled = Sampled(
        tmp_path, {"lamps/lamps.py": source, "lamps/__init__.py": ""}, **ALL_IN_ENGLISH
    )
    told = "".join(sampled.answers("lamps/lamps.py::choose@lines"))
    assert ", under the `if` of line " in told and "calls `light`" in told
    assert sampled.audit().wrong == []
