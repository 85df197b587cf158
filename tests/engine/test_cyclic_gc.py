"""Promises of the pause of the garbage collector."""

import gc
import weakref

from repobuild.engine.run import cyclic_gc
from repobuild.engine.run.cyclic_gc import CyclicGc


class Resolver:
    """Something that holds itself, as the resolver of the graph does."""

    def __init__(self, values: int) -> None:
        self.values = [[number] for number in range(values)]
        self.itself = self


def leave_a_cycle(collector: CyclicGc, values: int) -> "weakref.ref[Resolver]":
    with collector.paused():
        return weakref.ref(Resolver(values))


def test_what_a_rule_leaves_in_cycles_is_gone_before_the_next_when_it_is_much(
    monkeypatch,
):
    monkeypatch.setattr(cyclic_gc, "_MANY_CONTAINERS", 1_000)
    collector = CyclicGc()
    left = leave_a_cycle(collector, values=1_100)
    assert left() is not None  # the last rule of a build pays nothing for it
    with collector.paused():
        assert left() is None


def test_a_little_that_a_rule_leaves_is_not_looked_for():
    collector = CyclicGc()
    left = leave_a_cycle(collector, values=1_100)
    with collector.paused():
        assert left() is not None


def test_what_a_process_held_before_is_no_reason_to_look(monkeypatch):
    monkeypatch.setattr(cyclic_gc, "_MANY_CONTAINERS", 1_000)
    held = [[number] for number in range(5_000)]
    collector = CyclicGc()
    left = leave_a_cycle(collector, values=0)
    with collector.paused():
        assert held and left() is not None


def test_the_collector_is_off_while_a_rule_runs_and_on_after_it():
    with CyclicGc().paused():
        assert not gc.isenabled()
    assert gc.isenabled()
