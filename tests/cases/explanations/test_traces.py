"""A trace is whole, and what a change affects is known where it is asked."""

from __future__ import annotations

import re

from tests.cases.sampled import Sampled, of_kind, sampled_fixture

CHAIN = '''\
"""Chains of nodes."""

from __future__ import annotations

import typing as t


def check(count):
    """Check a count."""
    if count < 0:
        raise ValueError(count)
    return count


class Chain:
    """A chain of nodes."""

    def __init__(self):
        self.nodes = []

    def empty(self):
        """Drop all nodes."""
        self.nodes = []

    def grow(self, count):
        """Grow by some nodes."""
        check(count)  # negative ones are refused
        # These are filled by whoever holds the chain.
        self.nodes += [None] * count
        return self

    def long(self, count):
        """Do a lot."""
        check(count)
        a = count
        b = a
        c = b
        d = c
        e = d
        f = e
        g = f
        h = g
        return h


class Ring(Chain):
    """A chain that is closed."""

    if t.TYPE_CHECKING:

        def grow(self, count) -> Ring: ...

    def empty(self):
        super().empty()
        self.first = None

    def turn(self): return self

    @property
    def size(self):
        return len(self.nodes)


class Typed(Chain):
    """A chain for checkers."""

    def empty(self) -> None: ...


def caller(chain):
    """Grow a chain twice."""
    check(1)
    return Ring().grow(1)
'''
chains = sampled_fixture(
    {"chains/__init__.py": "", "chains/chain.py": CHAIN},
    **{"samples.min_code_lines": 2},
)


def answers(sampled: Sampled, task: str, name: str) -> set[str]:
    """Return the answers about an element in one task."""
    return {
        sample["answer"]
        for sample in sampled.samples.values()
        if sample["element"].endswith(f"::{name}") and sample["task"] == task
    }


def test_every_claim_holds(chains: Sampled) -> None:
    assert not chains.audit().wrong


def traces(sampled: Sampled) -> dict[str, str]:
    return {
        sample["element"].partition("::")[2]: sample["answer"]
        for sample in sampled.samples.values()
        if ". Line " in sample["answer"] and "**Reasoning**" in sample["answer"]
    }


def test_a_trace_has_every_line_of_a_short_function(chains: Sampled) -> None:
    found = traces(chains)
    assert found
    body = {"check(count)", "self.nodes += [None] * count", "return self"}
    if "Chain.grow" in found:
        assert all(line in found["Chain.grow"] for line in body)


def test_a_long_function_has_no_trace(chains: Sampled) -> None:
    assert "Chain.long" not in traces(chains)


def test_a_trace_without_a_line_is_noticed(chains: Sampled) -> None:
    changed = {}
    for key, sample in chains.samples.items():
        steps = re.split(r"\n(?=\d+\. Line )", sample["answer"])
        if len(steps) > 1:
            changed[key] = {**sample, "answer": "\n".join(steps[:-1])}
    assert changed
    assert any(one.claim == "whole trace" for one in chains.audit(changed).wrong)


def test_an_example_of_a_subclass_names_every_method_that_runs(chains: Sampled) -> None:
    found = answers(chains, "architecture_understanding", "Ring")
    shown = {one for one in found if "an example of a subclass" in one}
    assert shown
    for answer in shown:
        line = "`empty` (lines 53-55), `turn` (line 57), `size` (lines 59-61)."
        assert f"It defines {line}" in answer
        assert "`grow`" not in answer


def test_a_class_of_stubs_is_no_example(chains: Sampled) -> None:
    assert not answers(chains, "architecture_understanding", "Typed")


def test_what_a_change_affects_is_asked_with_known_callers_only(
    chains: Sampled,
) -> None:
    for sample in of_kind(chains, "change"):
        assert "Check the callers" in sample["answer"]
        assert sample["element"].endswith(("::check", "::Chain.grow"))


def test_how_something_works_is_told_with_its_whole_code(chains: Sampled) -> None:
    shown = [
        sample
        for sample in chains.samples.values()
        if "The whole of `" in sample["answer"]
    ]
    assert shown
    for sample in shown:
        assert "**About what it calls**:\n- `check`: Check a count." in sample["answer"]
