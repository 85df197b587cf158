"""A trace explains what the lines do, and is asked only where most are explained."""

from __future__ import annotations

from repobuild.samples.tasks import implementation_path
from repobuild.samples.tasks.facts import FactScope
from repobuild.samples.tasks.phrases import load_phrases
from tests.cases.sampled import Sampled, of_kind, sampled_fixture

MACHINE = '''\
"""A machine."""

import functools


def locked(method):
    """Run a method while nobody else runs one."""

    @functools.wraps(method)
    def run(*args):
        return method(*args)

    return run


def checked(plan):
    """Return a plan without steps that nobody can take."""
    return [one for one in plan if one]


def bare(plan):
    return list(plan)


class Machine:
    """Something that runs by a plan."""

    def start(self, plan):
        """Begin with a plan."""
        self.plan = checked(plan)
        return self

    def set{n}(self, plan):
        """Keep a plan for later."""
        self.steps = bare(plan)
        self.size = len(plan)
        self.plan = checked(plan)

    def run{n}(self, plan):
        """Run a plan."""
        # Those that are empty do nothing.
        steps = checked(plan)
        count = len(steps)

        self.count = count
        return steps

    @locked
    def hold{n}(self, plan):
        """Hold a plan."""
        # Nobody else may change it.
        self.plan = checked(plan)
        return self.plan
'''


# One function in two has a trace, by its id: of eight, some have.
machine = sampled_fixture(
    {f"machine{n}.py": MACHINE.replace("{n}", str(n)) for n in range(8)}
)


def traced(machine: Sampled, name: str) -> set[str]:
    return {
        one["answer"]
        for one in of_kind(machine, "trace")
        if f"::Machine.{name}" in one["element"]
    }


def test_every_claim_holds(machine: Sampled) -> None:
    assert not machine.audit().wrong


def test_a_step_tells_what_it_calls_is_for(machine: Sampled) -> None:
    assert traced(machine, "run")
    for answer in traced(machine, "run"):
        assert "**Purpose**: Run a plan." in answer
        told = '   - The comment above it: "Those that are empty do nothing."\n'
        assert told + "   - `checked`: Return a plan without steps" in answer


def test_lines_that_are_only_read_aloud_are_no_trace(machine: Sampled) -> None:
    assert not traced(machine, "set")


def test_what_an_unknown_decorator_wraps_has_no_trace(machine: Sampled) -> None:
    assert not traced(machine, "hold")


def test_a_comment_that_the_source_lacks_is_noticed(machine: Sampled) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace("are empty do", "are full do")}
        for key, one in machine.samples.items()
        if "The comment above it" in one["answer"]
    }
    assert changed
    wrong = machine.audit(changed).wrong
    assert {one.key for one in wrong if one.claim == "comment above"} == {*changed}


def test_a_purpose_in_another_language_explains_no_step() -> None:
    context = {
        "kind": "lines", "id": "a.py::f", "label": "f", "path": "a.py", "name": "f",
        "project": "p", "start": 1, "end": 4, "fence": "python",
        "code": [[2, "x = g()", ["a.py::g"], 0, ""], [3, "return h(x)", [], 0, ""]],
        "purposes": {"a.py::g": "Return one of them."},
    }  # fmt: skip
    for language, count in (("en", 0), ("zh", 0)):
        scope = FactScope(context, load_phrases(language), (language,), lambda _: False)
        assert len(list(implementation_path.facts(scope))) == count
    whole = {**context, "code": [[2, "x = g()", ["a.py::g"], 0, ""]] * 2}
    for language, count in (("en", 1), ("zh", 0)):
        scope = FactScope(whole, load_phrases(language), (language,), lambda _: False)
        assert len(list(implementation_path.facts(scope))) == count
