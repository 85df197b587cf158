"""What nobody would ask is not asked, and answers leave out what tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

JOBS = '''"""Jobs that run again and again.

.. deprecated:: 1.0
"""


class JobError(Exception):
    """Something is wrong with a job."""


class Job:
    """A job, made by `every`."""

    def __init__(self, interval: int) -> None:
        self.interval = interval

    @property
    def minutes(self) -> "Job":
        """Run it every few minutes."""
        return self

    @property
    def fortnight(self):
        if self.interval != 1:
            raise JobError("a fortnight is too long")
        return self.minutes

    def to(self, latest: int) -> "Job":
        """Run it at an irregular interval.

        See :meth:`.at` for regular ones.
        """
        return self

    def at(self, time: str) -> "Job":
        """Run it at a time of the day, as :class:`.Job` says."""
        self._check(time)
        return self

    def delay(self, time: str) -> "Job":
        """Run it later."""
        self._check(time)
        if self.interval < 2:
            self.interval += 1
        else:
            self.interval *= 2
        return self

    def _check(self, time: str) -> None:
        """Check that a time is one."""
        if not time:
            raise JobError(time)


def every(interval: int = 1) -> Job:
    """Make a job."""
    return Job(interval)


def main(arguments: list[str]) -> int:
    """Run all jobs."""
    return len(arguments)


class Result:
    """What a job returned, as C{run_job} wraps it for a L{Job}."""

    def __init__(self, value: int) -> None:
        self.value = value


def run_job(job: Job) -> Result:
    """Run a job once."""
    return Result(job.interval)


def shift(hour, hours):
    """Move an hour by some hours."""
    return hour + hours


def wait(hours, minutes):
    """Wait for some hours and minutes."""
    return 60 * hours + minutes


def strike(hour: int) -> list[str]:
    """Strike an hour, as often as it says."""

    def one(number):
        return "bong"

    return [one(number) for number in range(abs(shift(hour, 0)))]


def ring(hour: int) -> list[str]:
    """Ring at an hour."""
    return strike(hour)


class Ticker:
    """A clock's ticker."""

    def __init__(self) -> None:
        self.ticks = 0

    def _tick(self, times):
        self.ticks += times
        for _ in range(times):
            print("tick")
            print("tock")
            print("tick tock")
TICKS        if self.ticks > 60:
            self.ticks = 0
        if self.ticks < 0:
            self.ticks = 60
        print("done")
        return self.ticks

    def _minute(self):
        """{'type': 'int'}"""
        return self._tick(60)


class Late(Job):
    """A job that is late."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.hours = 1


class Plan:
    """A plan of jobs."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs


FIRST = Plan(1)
main([])
'''
OLD = '''"""
.. version-deprecated: 1.0.0
    Use `jobs` instead.
"""


def old():
    """.. deprecated:: 1.0"""
    return 1
'''
JOBS = JOBS.replace("TICKS", 20 * "        print('how late it is')\n")
BENCHMARK = '''"""Measure jobs."""

from clock.jobs import every


def bench_every(benchmark, count: int):
    """Measure how long it takes to make a job."""
    every(count)
    benchmark(count)
'''
SETUP = '''from setuptools import setup


def read_text(path: str) -> str:
    """Return the text of a file."""
    with open(path) as file:
        return file.read()


setup(name="clock", description=read_text("README.md"))
'''
FILES = {
    "setup.py": SETUP,
    "README.md": "# Clock\n\nClock runs jobs.\n\n```python\n"
    "import clock\n\nclock.every(5).to(10).minutes\n```\n",
    "clock/__init__.py": '"""Clock."""\n',
    "clock/jobs.py": JOBS,
    "clock/old.py": OLD,
    "benchmarks/bench_jobs.py": BENCHMARK,
    "docs/conf.py": "from clock.jobs import every\n\n\n"
    "def skip(app: str) -> int:\n    return every(app)\n",
    "tests/test_jobs.py": "from clock.jobs import ring, run_job\n\n\n"
    "def late(hour):\n    return hour + 11\n\n\n"
    "def test_run_job():\n    found = run_job(1)\n    assert found != 'spam'\n\n\n"
    "def test_ring():\n    assert ring(late(-10)) == ['bong']\n    ring(3)\n\n\n"
    "def test_silence():\n    try:\n        ring(hour=None)\n"
    "    except TypeError as error:\n        assert error.args\n",
}
HOME = "clock/jobs.py::"
clock = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(clock: Sampled) -> None:
    assert clock.audit().wrong == []


@pytest.mark.parametrize(
    "path",
    [
        "benchmarks/bench_jobs.py::bench_every",
        "setup.py::read_text",
        "docs/conf.py::skip",
    ],
)
def test_benchmarks_and_setup_scripts_are_not_explained(
    clock: Sampled, path: str
) -> None:
    asked = {one["task"] for one in clock.samples.values() if one["element"] == path}
    assert asked <= {"code_location"}


def test_how_a_private_method_is_called_is_not_asked(clock: Sampled) -> None:
    assert answers(clock, "usage", f"{HOME}Job._check") == set()
    assert answers(clock, "usage", f"{HOME}Job.at") != set()


def test_how_a_main_function_is_called_is_not_asked(clock: Sampled) -> None:
    assert answers(clock, "usage", f"{HOME}main") == set()


def test_an_exception_alone_is_not_what_code_depends_on(clock: Sampled) -> None:
    assert answers(clock, "callees", f"{HOME}Job.fortnight") == set()
    (text,) = answers(clock, "written", f"{HOME}Job.fortnight")
    assert "**It raises**: `JobError`" in text and "**It calls**" not in text


def test_who_calls_a_constructor_is_asked_of_its_class(clock: Sampled) -> None:
    assert answers(clock, "callers", f"{HOME}Plan.__init__") == set()
    assert answers(clock, "callers", f"{HOME}Plan") != set()


def test_a_property_is_not_called_a_method(clock: Sampled) -> None:
    told = {one["element"] for one in of_kind(clock, "container")}
    assert f"{HOME}Job.minutes" not in told


def test_a_directive_is_no_purpose(clock: Sampled) -> None:
    told = "\n".join(one["answer"] for one in clock.samples.values())
    assert ".. version" not in told and ".. deprecated" not in told


def test_the_dot_of_a_role_is_not_shown(clock: Sampled) -> None:
    (text,) = answers(clock, "explain", f"{HOME}Job.at")
    assert "as `Job` says" in text


def test_a_call_of_a_call_in_a_document_is_an_example(clock: Sampled) -> None:
    (text,) = answers(clock, "usage", f"{HOME}Job.to")
    assert "**A call from** `README.md`" in text
    assert "clock.every(5).to(10).minutes" in text


def test_what_only_its_own_file_makes_is_not_made_by_users(clock: Sampled) -> None:
    assert answers(clock, "usage", f"{HOME}Result") == set()


def test_a_call_that_repeats_names_is_not_shown(clock: Sampled) -> None:
    assert answers(clock, "usage", f"{HOME}wait") == set()


def test_what_a_value_is_not_is_not_asked(clock: Sampled) -> None:
    assert answers(clock, "assertion") == set()


def test_marks_of_epytext_are_not_shown(clock: Sampled) -> None:
    (text,) = answers(clock, "explain", f"{HOME}Result")
    assert "as `run_job` wraps it for a `Job`." in text


def test_commands_of_a_table_that_setup_gets_are_told(tmp_path: Path) -> None:
    setup = (
        "try:\n    from setuptools import setup\nexcept ImportError:\n"
        "    from distutils.core import setup\n    extra = {'scripts': ['bin/x']}\n"
        "else:\n    extra = {'entry_points': {\n"
        "        'console_scripts': ['run = pkg.app:go'],\n    }}\n"
        "\nsetup(name='pkg', **extra)\n"
    )
    app = '"""The app."""\n\n\ndef go():\n    """Go."""\n    return 0\n'
    files = {"setup.py": setup, "pkg/__init__.py": "", "pkg/app.py": app}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    (text,) = answers(sampled, "commands")
    assert "- `run` runs `pkg.app:go` (in `pkg/app.py`)" in text


def test_what_takes_anything_is_not_asked_for_its_arguments(clock: Sampled) -> None:
    assert answers(clock, "construct", f"{HOME}Late") == set()


def test_a_function_within_is_no_other_function(clock: Sampled) -> None:
    told = [one["answer"] for one in of_kind(clock, "callees")]
    assert any("`shift`" in text for text in told)
    assert not any("strike.one" in text for text in told)


def test_a_call_that_a_test_expects_to_fail_is_no_example(clock: Sampled) -> None:
    (text,) = answers(clock, "usage", f"{HOME}ring")
    assert "hour=None" not in text and "ring(3)\n" in text


def test_private_methods_are_no_methods_that_a_class_offers(clock: Sampled) -> None:
    assert answers(clock, "members", f"{HOME}Ticker") == set()


def test_a_private_method_is_explained_by_its_code_and_not_by_its_callers(
    clock: Sampled,
) -> None:
    (told,) = answers(clock, "written", f"{HOME}Ticker._tick")
    assert "**Its code**" in told and "self.ticks = 60" in told


def test_a_literal_is_no_purpose(clock: Sampled) -> None:
    told = "\n".join(one["question"] for one in clock.samples.values())
    assert "{'type'" not in told


def test_one_line_is_no_trace(tmp_path: Path) -> None:
    code = 'def find(name):\n    """Mark a name."""\n    return name + "!"\n'
    for n in range(8):  # one function in two has a trace, by its id
        code += f"\n\ndef one_{n}(name):\n    print(find(name))\n"
        code += f"\n\ndef two_{n}(name):\n    name = find(name)\n"
        code += "    print(find(name))\n"
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    traced = {one["element"] for one in of_kind(sampled, "trace")}
    assert traced and all(one.startswith("a.py::two_") for one in traced)


def test_nobody_looks_for_code_by_who_uses_it(tmp_path: Path) -> None:
    body = '    """{0}"""\n    return x\n'
    code = "\n\n".join(
        f"def {name}{n}(x):\n" + body.format(f"{text} {n} points of it.")
        for name, text in (
            ("draw", "Draw lines between"),
            ("bend", "Used by those with"),
        )
        for n in range(3, 9)
    )
    files = {"setup.cfg": "[metadata]\nname = pen\n", "pen.py": code}
    found = answers(Sampled(tmp_path, files, **ALL_IN_ENGLISH), "reverse")
    assert any("draw" in one for one in found)
    assert not any("bend" in one for one in found)
