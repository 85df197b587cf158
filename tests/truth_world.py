"""Build a small repository that has every kind of fact, up to its dataset.

The later commits move, rename, remove and change, so that there is a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repobuild.cli.claim_audit import audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import AuditTree
from tests.repository import Repository
from tests.standard import Standard

Samples = dict[str, Mapping[str, Any]]

BASE = '''"""Shapes that have an area. They are drawn elsewhere."""

from __future__ import annotations


class Shape:
    """A figure in the plane, with an area of its own."""

    sides = 0

    def __init__(self, name: str, scale: float = 1.0, *more: int, tag: str) -> None:
        self.name = name
        self.scale = scale
        self.more = more
        self.tag = tag

    def area(self, unit: str = "cm") -> float:
        """Return how large the figure is, in square units.

        Args:
            unit: What lengths are given in.

        Returns:
            The area in that unit.
        """
        value = self.measured()
        return scaled(value * self.scale, unit)

    def measured(self) -> float:
        """Return the area without a scale; every figure has its own way."""
        raise NotImplementedError(self.name)

    @classmethod
    def unit(cls, name: str, *, tag: str = "one") -> Shape:
        """Return the figure of size one that has this name."""
        made = cls(name, tag=tag)
        made.scale = 1.0
        return made


def scaled(value: float, unit: str, digits: int = 2) -> float:
    """Return a value in a unit, rounded to so many digits.

    :param value: what was measured
    :param digits: how many digits stay
    :returns: the rounded value
    """
    factor = FACTORS[unit]  # known units only
    result = value * factor

    return round(result, digits)


FACTORS = {"cm": 1.0, "mm": 100.0}
'''
SHAPES = '''"""The shapes that are known by name."""

from shapes.base import Shape, scaled


class Square(Shape):
    """A rectangle with sides of equal length, known by one of them."""

    sides = 4

    def measured(self) -> float:
        """Return the square of the one side that it has."""
        side = float(self.more[0])
        product = side * side
        return scaled(product, "cm")


class Circle(Shape):
    """A round figure: all its points have the same distance from one."""

    def measured(self) -> float:
        """Return the area inside of the line around it."""
        radius = float(self.more[0])
        squared = radius ** 2
        return scaled(3.14159 * squared, "mm", digits=4)


def known(names: list[str], strict: bool = False) -> dict[str, Shape]:
    """Return the shapes of these names, made with a unit size.

    With strict, an unknown name is an error.
    """
    found = {}
    for name in names:
        if name == "square":
            found[name] = Square.unit(name)
        elif name == "circle":
            found[name] = Circle.unit(name)
        elif name == "ring":
            found[name] = Ring.unit(name)
        elif strict:
            raise KeyError(f"no shape is called {name}")
    return found


def total(names: list[str]) -> float:
    """Return the areas of named shapes, added up."""
    shapes = known(names, strict=True)
    areas = [shape.area() for shape in shapes.values()]
    return scaled(sum(areas), "cm")


def report(names: list[str], title: str = "areas") -> str:
    """Return a line of text about shapes and their areas."""
    area = total(names)
    label = ", ".join(sorted(names))
    return f"{title}: {label} have {area} together"


class Ring(Shape):
    """A circle without another one in its middle."""

    def measured(self) -> float:
        """Return the area between the lines."""
        outer, inner = map(float, self.more[:2])
        return scaled(3.14159 * (outer ** 2 - inner ** 2), "mm", digits=4)


FIGURES = {"square": Square, "circle": Circle}
'''
TESTS = """from shapes.figures import known, report, total


def test_what_is_known_has_a_total():
    found = known(["square", "circle"])
    assert sorted(found) == ["circle", "square"]


def test_a_report_begins_with_its_title_and_has_a_total():
    text = report(["square"], title="all of it")
    assert text.startswith("all of it")
    assert total(["square"]) == 4.25 + len(text)


def test_unknown_names_are_left_out():
    names = ["square", "hexagon"]
    assert list(known(names)) == ["square in list"]
"""
README = """# Shapes

A small library about flat shapes and the areas that they have.

## Install

Copy the folder to where your own code can import it.

## Usage

Call `total` with the names of shapes; the sum of areas comes back.
"""
OLD = SHAPES.replace('title: str = "areas"', "title: str")
OLD = OLD.replace("return found\n", "return found\n\n\ndef gone(shape: Shape) -> int:\n"
                  '    """Return what nobody asks for any more."""\n'
                  "    return len(shape.name)\n")  # fmt: skip
FIRST = {
    "pyproject.toml": '[project]\nname = "flatland"\ndescription = "Flat shapes"\n',
    "README.md": README,
    "shapes/__init__.py": '"""Flat shapes and their areas."""\n',
    "drawings/__init__.py": '"""Flat shapes on paper."""\n',
    "shapes/base.py": BASE,
    "shapes/named.py": OLD,
    "shapes/old.py": '"""What is not used."""\n\n\ndef unused():\n    return 1\n',
    "tests/test_shapes.py": TESTS.replace("figures", "named"),
}
SECOND: dict[str, str | None] = {
    "shapes/named.py": None,
    "shapes/old.py": None,
    "shapes/figures.py": OLD,
    "tests/test_shapes.py": TESTS,
}


class World:
    """The repository, its samples, and the tree to check them against."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder / "repository")
        for files in (FIRST, SECOND, {"shapes/figures.py": SHAPES}):
            self.repository.commit(files)
        settings = {"samples.min_code_lines": 3, "split.generalise": 0.0}
        standard = Standard(self.repository.git, folder / "state", **settings)
        standard.build("dataset")
        build = standard.open()
        self.samples: Samples = dict(AllSamples.of(build).entries())
        self.tree: AuditTree = audit_tree(build)
        standard.close()
