"""Tests get what fixtures and subclasses give them; updates equal full builds."""

from __future__ import annotations

import random

import pytest

from tests.code.test_incremental import assert_same
from tests.code_world import World

LIB = """
class Cat:
    def speak(self): pass
class Dog:
    def speak(self): pass
"""
TEST = "def test_it(pet):\n    pet.speak()\n"
MAKER = "import pytest\nfrom lib import Cat, Dog\n{decorator}\ndef {name}():\n"


def maker(name: str, body: str, decorator: str = "@pytest.fixture") -> str:
    head = MAKER.format(decorator=decorator, name=name)
    return f"{head}    {body}\n"


def spoken(**files: str) -> list[str]:
    """Return which methods the test calls; `a__b` is the path `a/b.py`."""
    paths = {f"{name.replace('__', '/')}.py": text for name, text in files.items()}
    return World({"lib.py": LIB, **paths}).calls("tests/test_pets.py::test_it")


@pytest.mark.parametrize(
    "text",
    [
        maker("pet", "return Cat()"),
        maker("pet", "yield Cat()"),
        maker("pet", "return Cat()", "@pytest.fixture(scope='module')"),
        maker("make", "return Cat()", '@pytest.fixture(scope="x", name="pet")'),
        maker("pet", "cat = Cat()\n    yield cat\n    cat.speak()"),
    ],
)
def test_a_fixture_is_what_it_returns_or_yields(text: str) -> None:
    assert spoken(tests__conftest=text, tests__test_pets=TEST) == ["lib.py::Cat.speak"]


def test_the_nearest_fixture_counts() -> None:
    cat, dog = maker("pet", "return Cat()"), maker("pet", "return Dog()")
    assert spoken(conftest=cat, tests__conftest=dog, tests__test_pets=TEST) == [
        "lib.py::Dog.speak"
    ]
    assert spoken(tests__conftest=dog, tests__test_pets=cat + TEST) == [
        "lib.py::Cat.speak"
    ]
    assert spoken(conftest=cat, tests__test_pets=TEST) == ["lib.py::Cat.speak"]
    imported = "from tests.makers import pet\n"
    assert spoken(
        tests__makers=cat, tests__conftest=imported, tests__test_pets=TEST
    ) == ["lib.py::Cat.speak"]


@pytest.mark.parametrize(
    "test",
    [
        TEST.replace("test_it(pet)", "test_it(dog)"),
        "@pytest.mark.parametrize('pet', [1])\n" + TEST,
        TEST.replace("test_it(pet)", "helper(pet)") + "def test_it(): helper(1)\n",
        TEST.replace("pet.speak", "pet = other()\n    pet.speak"),
    ],
)
def test_what_may_be_something_else_is_no_fixture(test: str) -> None:
    cat = maker("pet", "return Cat()")
    called = spoken(tests__conftest=cat, tests__test_pets=test)
    assert "lib.py::Cat.speak" not in called


def test_what_has_no_mark_of_a_fixture_is_none() -> None:
    plain = maker("pet", "return Cat()", "")
    assert spoken(tests__conftest=plain, tests__test_pets=TEST) == []


def _text(dice: random.Random, path: str) -> str:
    name, kind = dice.choice(["pet", "first"]), dice.choice(["Cat", "Dog"])
    if path == "lib.py":
        return LIB + f"def pet() -> {kind}: return {kind}()\n"
    lines = ["import pytest", f"from lib import {kind}"]
    if dice.random() < 0.3:
        lines.append(f"from tests.makers import {name}")
    for _ in range(dice.randint(0, 2)):
        verb = dice.choice(["return", "yield"])
        mark = dice.choice(["", '(name="first")'])
        lines += [f"@pytest.fixture{mark}", f"def {name}(first):"]
        lines += [f"    {verb} {kind}()"]
    lines += [f"def test_it({name}):", f"    {name}.speak()"]
    if dice.random() < 0.7:
        base = dice.choice(["Base", "object"])
        value = dice.choice([kind, "None"])
        lines += [f"class Base({dice.choice(['object', 'Own'])}):"]
        lines += ["    made = None", "    def test_it(self):"]
        lines += ["        self.made().speak()", "        pet = self.made()"]
        lines += ["        pet.speak()", f"class Own({base}):", f"    made = {value}"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(30))
def test_random_edits_of_tests_end_with_the_rows_of_a_full_build(seed: int) -> None:
    dice = random.Random(seed)
    paths = ["lib.py", "conftest.py", "tests/conftest.py", "tests/makers.py"]
    paths += ["tests/test_a.py", "tests/unit/test_b.py", "tests/unit/conftest.py"]
    files = {path: _text(dice, path) for path in paths}
    world = World(files)
    for _ in range(12):
        path = dice.choice(paths)
        if path in files and dice.random() < 0.3:
            del files[path]
        else:
            files[path] = _text(dice, path)
        world.put(files)
        assert_same(world, files)
