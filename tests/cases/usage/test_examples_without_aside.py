"""Examples and lists of users hold what was asked for, and nothing beside it."""

from __future__ import annotations

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.explained_names import FileNames
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

SHIPS = '''"""Ships and their ports."""

from enum import Enum


class Flag_(Enum):
    """Under which flag a ship sails."""

    RED = "red"
    BLUE = "blue"


class Ship:
    """A ship with a flag."""

    def __init__(self, name: str, *, _log=None):
        self.name = name
        self.crew = []

    def hire(self, sailor: str, pay: int = 3) -> str:
        """Hire a sailor for a ship."""
        return f"{self.name} hires {sailor} for {pay}"

    def sail_to(self, port: str) -> str:
        """Sail to a port and say which."""
        return f"{self.name} sails to {port}"


def read_flag(text: str) -> Flag_:
    """Read the flag of a ship."""
    return Flag_(text)


def build_ship(name: str) -> Ship:
    """Build a ship in the yard."""
    return Ship(name)


KINDS = [Ship]


def sail(ship: Ship) -> bool:
    """Sail with a ship if it is one."""
    return isinstance(ship, Ship)


class _Port:
    def __init__(self, size):
        self.size = size

    def open(self):
        """Open the port."""
        return self.size
'''
FILES = {
    "pyproject.toml": '[project]\nname = "ships"\n',
    "ships/__init__.py": '"""Ships."""\n\nfrom ships._ships import Ship\n',
    "ships/_ships.py": SHIPS,
    "tests/test_a.py": '"""Tests of hiring and of sailing ships."""\n\n'
    "from ships._ships import Ship\n\n\n"
    "def test_hire_of_ship():\n    ship = Ship('Ada', _log=print)\n"
    "    assert ship.hire('Bo', pay=4)\n",
    "tests/test_b.py": "from ships import Ship\n\n\n"
    "def test_hire():\n    ship = Ship('Ada of the seven seas')\n"
    "    assert ship.hire('Bo', pay=4)\n\n\n"
    "def test_sail_to():\n    ship = Ship('Ada')\n"
    "    crew = [one for one in ship.crew]\n"
    "    assert ship.sail_to('Rio')\n    assert not crew\n",
}
HOME = "ships/_ships.py::"
ships = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(ships: Sampled) -> None:
    assert ships.audit().wrong == []


def test_an_enumeration_is_looked_up_and_not_made(ships: Sampled) -> None:
    assert not of_kind(ships, "callers", f"{HOME}Flag_")
    (told,) = answers(ships, "readers", f"{HOME}Flag_")
    assert "`read_flag`" in told


def test_who_makes_objects_is_told_without_who_names_the_class(ships: Sampled) -> None:
    (told,) = answers(ships, "callers", f"{HOME}Ship")
    assert "`build_ship`" in told and "referred to" not in told


def test_an_example_is_imported_as_others_import_it(ships: Sampled) -> None:
    (told,) = answers(ships, "usage", f"{HOME}Ship.hire")
    assert "from ships import Ship\n" in told and "_log" not in told


def test_an_example_leaves_out_what_is_kept_for_another_check(ships: Sampled) -> None:
    (told,) = answers(ships, "usage", f"{HOME}Ship.sail_to")
    assert "ship.sail_to('Rio')" in told and "crew" not in told


def test_a_private_class_is_not_asked_for_names_of_parameters(ships: Sampled) -> None:
    assert of_kind(ships, "sketch", f"{HOME}_Port")
    assert not [
        one for one in of_kind(ships, "construct") if one["element"] == f"{HOME}_Port"
    ]


def test_a_test_module_is_explained_without_the_names_of_tests(ships: Sampled) -> None:
    (told,) = answers(ships, "module", "tests/test_a.py")
    assert (
        "Tests of hiring and of sailing ships." in told
        and "test_hire_of_ship" not in told
    )


def test_a_parameter_with_the_name_of_a_builtin_is_not_taken_for_it() -> None:
    """A test is given `format`; whoever reads the call would pass the function."""
    names = FileNames({}, {}, frozenset({"save"}), is_test=True)
    lines = ["def test_save(format):", "    save(format)", "    save(len)"]
    assert call_example(lines, 1, "save", names) is None
    assert call_example(lines, 2, "save", names)
