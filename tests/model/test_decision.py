from __future__ import annotations

from dataclasses import replace
from typing import Any

from repobuild.model.adapter.decision import (
    GATE_SAMPLES,
    SampleDelta,
    StepInput,
    StepMode,
    compare_manifests,
    decide,
    draw_gate,
    find_parent_row,
)
from repobuild.model.adapter.lineage import Manifest
from repobuild.model.teaching.curriculum import TeachableFact
from tests.model.test_nano import settings

ROW = {
    "object": "a1", "dataset": "d1", "recipe": "r", "base": "b", "promoted": True,
    "mode": "continue", "chain": 3, "drift": 0.1, "build": 1, "current": "",
}  # fmt: skip
NOW = StepInput("d2", "r", "b", 100, {"c1": ROW}, ROW)
SOME = SampleDelta(added=["x"], changed=["y"], removed=["z"])


def mode(now: StepInput, delta: SampleDelta = SOME, **changes: Any) -> StepMode:
    return decide(now, delta, settings(**changes)).mode


def parent(**changes: Any) -> StepInput:
    row = {**ROW, **changes}
    return replace(NOW, parent=row, rows={"c1": row})


def test_a_delta_lists_added_changed_and_removed_samples() -> None:
    old = Manifest({"a": b"1", "b": b"1", "c": b"1"})
    new = Manifest({"b": b"1", "c": b"2", "d": b"1"})
    found = compare_manifests(old, new)
    assert (found.added, found.changed, found.removed) == (["d"], ["c"], ["a"])
    assert found.to_train == ["c", "d"]


def test_the_first_adapter_has_no_parent() -> None:
    assert mode(replace(NOW, rows={}, parent=None)) is StepMode.FIRST


def test_an_adapter_of_the_same_samples_is_reused() -> None:
    found = decide(replace(NOW, dataset="d1"), SOME, settings())
    assert (found.mode, found.row) == (StepMode.REUSE, ROW)


def test_an_adapter_of_another_recipe_or_base_or_not_promoted_is_not_reused() -> None:
    for changes in ({"recipe": "x"}, {"base": "x"}, {"promoted": False}):
        assert mode(replace(parent(**changes), dataset="d1")) is not StepMode.REUSE


def test_a_changed_sample_continues_the_parent() -> None:
    found = decide(NOW, SOME, settings())
    assert (found.mode, found.row) == (StepMode.CONTINUE, ROW)


def test_too_few_changes_wait() -> None:
    assert mode(NOW, adapter__min_delta=4) is StepMode.WAIT
    assert mode(NOW, SampleDelta([], [], ["gone"])) is StepMode.WAIT  # nothing to train


def test_rebase_rules() -> None:
    assert mode(parent(base="x")) is StepMode.REBASE
    assert mode(parent(recipe="x")) is StepMode.REBASE
    assert mode(parent(promoted=False)) is StepMode.REBASE
    assert mode(parent(chain=40)) is StepMode.REBASE
    assert mode(parent(drift=0.49)) is StepMode.REBASE
    assert mode(parent(drift=0.47)) is StepMode.CONTINUE


def test_a_rebase_that_was_not_promoted_is_not_tried_at_every_commit() -> None:
    assert mode(parent(promoted=False, mode="rebase")) is StepMode.CONTINUE


def test_the_nearest_ancestor_is_the_parent_else_the_newest() -> None:
    rows = {"a": {**ROW, "build": 9}, "b": {**ROW, "build": 3}, "me": ROW}
    assert find_parent_row(rows, ["x", "b", "a"], "me") is rows["b"]
    assert find_parent_row(rows, ["x"], "me") is rows["a"]
    assert find_parent_row({"me": ROW}, [], "me") is None


# ------------------------------------------------------------------------------ gate


def gate(known: set[str], changed: set[str], count: int = 1_000) -> list[str]:
    """Return the facts that the gate asks about, of some hundred."""
    names = [f"f{n:04}#code_location.en.0" for n in range(count)]
    facts = [TeachableFact(name, (f"{name}0",), 0.5) for name in names]
    held_out = [f"{name}9" for name in reversed(names)]
    drawn = draw_gate(held_out, facts, known, changed)
    return [sample_id.partition("#")[0] for sample_id in drawn]


def fact(number: int) -> str:
    return f"f{number:04}#code_location.en.0"


def test_the_gate_of_a_first_adapter_asks_what_is_taught_first() -> None:
    assert gate(set(), set()) == [f"f{n:04}" for n in range(GATE_SAMPLES)]


def test_the_gate_asks_what_the_parent_was_taught() -> None:
    asked = gate({fact(900), fact(901)}, set())
    assert asked[:2] == ["f0900", "f0901"]
    assert len(asked) == GATE_SAMPLES


def test_the_gate_asks_about_the_delta_and_not_only_about_it() -> None:
    known = {fact(n) for n in range(500)}
    asked = gate(known, {fact(n) for n in range(500, 1_000)})
    of_delta = [name for name in asked if name >= "f0500"]
    assert len(of_delta) == GATE_SAMPLES // 2
    assert len(asked) == GATE_SAMPLES
    assert gate(known, {fact(700)})[:2] == ["f0700", "f0000"]
