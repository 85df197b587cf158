"""Promises of the pause of the garbage collector."""

import gc
import weakref

from repobuild.engine.run import cyclic_gc
from repobuild.engine.run.cyclic_gc import paused_gc


class Resolver:
    """Something that holds itself, as the resolver of the graph does."""

    def __init__(self) -> None:
        self.itself = self


def leave_a_cycle() -> "weakref.ref[Resolver]":
    with paused_gc():
        return weakref.ref(Resolver())


def test_what_a_rule_leaves_in_cycles_is_gone_before_the_next_when_it_is_much(
    monkeypatch,
):
    monkeypatch.setattr(cyclic_gc, "_MANY_OBJECTS", 0)
    left = leave_a_cycle()
    assert left() is not None  # the last rule of a build pays nothing for it
    with paused_gc():
        assert left() is None


def test_a_little_that_a_rule_leaves_is_not_looked_for():
    gc.unfreeze()
    gc.collect()
    left = leave_a_cycle()
    with paused_gc():
        assert left() is not None


def test_the_collector_is_off_while_a_rule_runs_and_on_after_it():
    with paused_gc():
        assert not gc.isenabled()
    assert gc.isenabled()
