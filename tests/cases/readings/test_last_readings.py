"""What the engineer found in the last projects that he read is not told any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.graph.project.introduction import Manifests, describe
from repobuild.code.scan.file_roles import is_tool
from repobuild.code.scan.generated import classify_path
from repobuild.samples.text.expectation import hide_expectation
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

OBSERVERS = '''"""Who looks at a clock."""

from abc import ABC, abstractmethod


class IObserver(ABC):
    """Look at a clock."""

    @abstractmethod
    def look(self, hour: int) -> str:
        """Look at the hour of a clock."""
'''
KINDS = "".join(
    f'\n\nclass {name}(IObserver):\n    """Look at a clock as a {name.lower()}."""\n\n'
    f'    def look(self, hour: int) -> str:\n        """Look at it."""\n'
    f"        return str(hour + {number})\n"
    for number, name in enumerate(["Guard", "Guest", "Cook"])
)
CLOCK = '''"""A clock."""

import warnings

from clock.kinds import *


class Clock:
    """A clock with those who look at it."""

    LIMIT = 12

    def __init__(self, hour):
        """Set a clock."""
        self.hour = min(hour, Clock.LIMIT)

    def all_looks(self):
        """Let all look at the clock, the guard first."""
        lookers = [Guard(), Guest(), Cook()]
        return [one.look(self.hour) for one in lookers]

    def name(self):
        """
        Name the hour.

        Returns
        -------
        str
        """
        return "hour"


class Watch(Clock):
    """
    A clock to wear.

    strap: str, default='leather'
    """

    strap = "steel"

    def wear(self):
        """Wear the watch."""
        return self.strap


class OldClock(Clock):
    """A clock as it was."""

    def __init__(self, hour):
        """Legacy. Use `Clock`."""
        warnings.warn("use Clock", DeprecationWarning, stacklevel=2)
        super().__init__(hour)
'''
FILES = {
    "setup.cfg": "[metadata]\nname = clock\n",
    "clock/__init__.py": '"""Clocks."""\n\nfrom .clock import Watch\n',
    "clock/data/__init__.py": "",
    "clock/clock.py": CLOCK,
    "clock/kinds.py": '"""Kinds of those who look."""\n\n'
    "from clock.observers import IObserver\n" + KINDS,
    "clock/observers.py": OBSERVERS,
    "docs/index.rst": "Clock\n=====\n\nClocks tell hours.\n\nIndices and tables\n"
    "------------------\n\n* :ref:`genindex`\n",
    "icu_stubs/icu.pyi": "class Locale: ...\n",
    "tests/test_kinds.py": "from clock.kinds import Cook, Guard, Guest\n\n\n"
    "def test_all():\n    assert Guard().look(1) == '1'\n"
    "    assert Guest().look(1) == '2'\n    assert Cook().look(1) == '3'\n",
    "tests/test_watch.py": "from clock.clock import Watch\n\n\n"
    "def test_wear():\n    assert Watch(3).wear() == 'steel'\n",
    "tests/test_alarm.py": "from clock.kinds import Cook, Guard, Guest\n\n\n"
    "def test_alarm():\n    assert [Guard().look(1), Guest().look(1)]\n"
    "    assert Cook().look(1)\n",
}
clock = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(clock: Sampled) -> None:
    assert clock.audit().wrong == []


def test_an_open_method_is_not_called_by_its_signature(clock: Sampled) -> None:
    told = clock.answers("clock/observers.py::IObserver.look")
    assert told and not any("A call by its signature" in one for one in told)


def test_a_plan_imports_nothing_where_a_star_does(clock: Sampled) -> None:
    told = "\n".join(one["answer"] for one in clock.samples.values())
    assert "Handle it in `Clock.all_looks` of `clock/clock.py`" in told
    assert "import it there" not in told


def test_a_plan_names_the_sibling_behind_which_a_new_one_is_handled(
    clock: Sampled,
) -> None:
    plans = [one["answer"] for one in of_kind(clock, "plan_like")]
    assert plans
    for plan in plans:
        model = plan.partition("`")[2].partition("`")[0]
        assert f"put it after its sibling `{model}`" in plan


def test_a_test_file_of_another_module_does_not_cover_siblings(
    clock: Sampled,
) -> None:
    told = "\n".join(one["answer"] for one in clock.samples.values())
    assert "Test it in `tests/test_kinds.py`" in told
    assert "Test it in `tests/test_alarm.py`" not in told


def test_a_class_whose_constructor_is_deprecated_is_no_example(clock: Sampled) -> None:
    assert not any("OldClock" in one["answer"] for one in of_kind(clock, "example"))
    told = clock.answers("clock/clock.py::OldClock")
    assert any("**It is deprecated.**" in one for one in told)


def test_a_parameter_in_a_docstring_is_no_attribute_that_the_body_sets(
    clock: Sampled,
) -> None:
    told = [one["answer"] for one in of_kind(clock, "example")]
    (watch,) = {one for one in told if one.startswith("`Watch`")}
    lines = FILES["clock/clock.py"].split("\n")
    number = lines.index('    strap = "steel"') + 1
    assert f"`strap` (line {number})" in watch


def test_a_class_that_only_names_itself_has_no_readers(clock: Sampled) -> None:
    assert not any(
        one["element"] == "clock/clock.py::Clock" for one in of_kind(clock, "readers")
    )


def test_a_package_without_code_is_no_main_part(clock: Sampled) -> None:
    (text,) = answers(clock, "modules")
    assert "clock/data" not in text and "`clock/clock.py`" in text


def test_a_type_alone_is_no_description_of_what_is_returned(clock: Sampled) -> None:
    told = "\n".join(clock.answers("clock/clock.py::Clock.name"))
    assert "`str`, str" not in told


def test_what_sphinx_writes_into_an_index_is_not_asked_for(clock: Sampled) -> None:
    assert not any("Indices" in one["question"] for one in of_kind(clock, "heading"))


def test_stubs_of_other_projects_are_not_the_product() -> None:
    assert classify_path("mypy_stubs/icu.pyi") == "vendored"
    assert classify_path("typings/a/b.pyi") == "vendored"
    assert classify_path("pkg/stubs.pyi") == "" == classify_path("pkg/a.pyi")


def test_scripts_of_the_developers_are_tools() -> None:
    assert is_tool("dev/bump.py") and not is_tool("pkg/dev/bump.py")


@pytest.mark.parametrize(
    "lines, hidden",
    [
        (["assert f(a) == 'one'", "assert f(a) == 'two'"], "'one'"),
        (["assert f(b) == 'one'", "assert f(a) == 'two'"], "'two'"),
        (["assert f(a, True) == f(a)[::-1]"], ""),
        (["assert str(f(a)) == str('twelve')"], "str('twelve')"),
    ],
)
def test_an_expectation_with_another_right_answer_is_not_asked(
    lines: list[str], hidden: str
) -> None:
    code = "\n".join(["def test_f():", "    a, b = 1, 2", *(f"    {o}" for o in lines)])
    found = hide_expectation(code, 900, {"f"})
    assert (found.hidden if found else "") == hidden


@pytest.mark.parametrize(
    "lead",
    ["shizhong：一个用于报时的库", "一个用于报时的库", "shizhong —— 一款报时工具"],
)
def test_a_chinese_definition_introduces_a_project(tmp_path: Path, lead: str) -> None:
    manifests = Manifests({"setup.py": {"name": "sz", "kind": "python"}})
    readmes = {"README.md": {"title": "shizhong", "leads": ["安装很简单。", lead]}}
    assert describe("sz", readmes, manifests).text == lead
