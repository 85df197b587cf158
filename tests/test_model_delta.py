from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from repobuild.model import delta as deltas
from repobuild.model.delta import Delta, Mode, Situation, decide, difference, mix
from repobuild.model.lineage import Manifest
from tests.test_model_nano import settings

ROW = {
    "object": "a1", "dataset": "d1", "recipe": "r", "base": "b", "promoted": True,
    "mode": "continue", "chain": 3, "drift": 0.1, "build": 1, "current": "",
}  # fmt: skip
NOW = Situation("d2", "r", "b", 100, {"c1": ROW}, ROW)
SOME = Delta(added=["x"], changed=["y"], removed=["z"])


def mode(now: Situation, delta: Delta = SOME, **changes: Any) -> Mode:
    return decide(now, delta, settings(**changes)).mode


def parent(**changes: Any) -> Situation:
    row = {**ROW, **changes}
    return replace(NOW, parent=row, rows={"c1": row})


def test_a_difference_names_added_changed_and_removed() -> None:
    old = Manifest({"a": b"1", "b": b"1", "c": b"1"})
    new = Manifest({"b": b"1", "c": b"2", "d": b"1"})
    found = difference(old, new)
    assert (found.added, found.changed, found.removed) == (["d"], ["c"], ["a"])
    assert found.shown == ["c", "d"]


def test_the_first_adapter_has_no_parent() -> None:
    assert mode(replace(NOW, rows={}, parent=None)) is Mode.FIRST


def test_an_adapter_of_the_same_samples_is_taken_again() -> None:
    found = decide(replace(NOW, dataset="d1"), SOME, settings())
    assert (found.mode, found.row) == (Mode.REUSE, ROW)


def test_but_not_one_of_another_recipe_or_base_or_not_promoted() -> None:
    for changes in ({"recipe": "x"}, {"base": "x"}, {"promoted": False}):
        assert mode(replace(parent(**changes), dataset="d1")) is not Mode.REUSE


def test_a_changed_sample_continues_the_parent() -> None:
    found = decide(NOW, SOME, settings())
    assert (found.mode, found.row) == (Mode.CONTINUE, ROW)


def test_too_few_changes_wait() -> None:
    assert mode(NOW, adapter__min_delta=4) is Mode.WAIT
    assert mode(NOW, Delta([], [], ["gone"])) is Mode.WAIT  # nothing to show


def test_rebase_rules() -> None:
    assert mode(parent(base="x")) is Mode.REBASE
    assert mode(parent(recipe="x")) is Mode.REBASE
    assert mode(parent(promoted=False)) is Mode.REBASE
    assert mode(parent(chain=40)) is Mode.REBASE
    assert mode(parent(drift=0.49)) is Mode.REBASE
    assert mode(parent(drift=0.47)) is Mode.CONTINUE


def test_a_rebase_that_was_not_promoted_is_not_tried_at_every_commit() -> None:
    assert mode(parent(promoted=False, mode="rebase")) is Mode.CONTINUE


def test_the_nearest_ancestor_is_the_parent_else_the_newest() -> None:
    rows = {"a": {**ROW, "build": 9}, "b": {**ROW, "build": 3}, "me": ROW}
    assert deltas.nearest_row(rows, ["x", "b", "a"], "me") is rows["b"]
    assert deltas.nearest_row(rows, ["x"], "me") is rows["a"]
    assert deltas.nearest_row({"me": ROW}, [], "me") is None


def tasks(old: int, fresh: int) -> dict[str, str]:
    made = {f"m{n % 5}.py::f#{n}": f"t{n % 2}" for n in range(old)}
    return {**made, **{f"new.py::f#{n}": "t0" for n in range(fresh)}}


NEW = [f"new.py::f#{n}" for n in range(6)]


def test_fresh_samples_are_in_every_epoch_and_half_is_replay() -> None:
    found = mix(tasks(100, 6), NEW, passes=4, share=0.5, least=0, seed="1")
    assert len(found.epochs) == 4
    for epoch in found.epochs:
        assert len(epoch) == 12
        assert set(NEW) <= set(epoch)
    seen = Counter(i for epoch in found.epochs for i in epoch if i not in NEW)
    assert set(seen.values()) == {1}  # another one each time
    assert found.replayed == len(seen) == 24


def test_a_small_delta_is_replayed_with_no_less_than_asked() -> None:
    found = mix(tasks(100, 6), NEW, passes=4, share=0.5, least=50, seed="1")
    assert [len(epoch) for epoch in found.epochs] == [6 + 13] * 4
    assert found.replayed == 52


def test_a_large_delta_is_replayed_with_all_others_once_and_no_more() -> None:
    found = mix(tasks(100, 6), NEW, passes=2, share=0.95, least=0, seed="1")
    assert [len(epoch) for epoch in found.epochs] == [6 + 50] * 2
    assert found.replayed == 100


def test_replay_is_even_by_task_and_module() -> None:
    made = tasks(100, 0)
    order = deltas.replay_order(made, set(), "1")
    groups = Counter((made[i], i.partition("::")[0]) for i in order[:20])
    assert set(groups.values()) == {2}
    assert sorted(order) == sorted(made)
    assert order != deltas.replay_order(made, set(), "2")


def test_every_fact_is_replayed_once_before_any_in_another_phrasing() -> None:
    made = {f"a.py::f{n}#use.en.{m}": "use" for n in range(9) for m in range(4)}
    order = deltas.replay_order(made, set(), "1")
    for first in (0, 9, 18, 27):
        facts = {sample_id.rpartition(".")[0] for sample_id in order[first : first + 9]}
        assert len(facts) == 9


def test_replay_has_as_much_of_a_task_as_the_first_build() -> None:
    made = {f"a.py::f{n}#code_location.en.0": "code_location" for n in range(99)}
    made |= {f"a.py::f{n}#use.en.0": "use" for n in range(99)}
    order = deltas.replay_order(made, set(), "1")
    assert Counter(made[i] for i in order[:45])["use"] == 3


def test_without_replay_only_the_delta_is_trained() -> None:
    found = mix(tasks(100, 6), NEW, 2, 0.0, 50, "1")
    assert [sorted(epoch) for epoch in found.epochs] == [NEW, NEW]


def test_few_old_samples_are_replayed_more_than_once() -> None:
    found = mix(tasks(3, 6), NEW, 2, 0.5, 0, "1")
    assert [len(epoch) for epoch in found.epochs] == [12, 12]
    assert found.replayed == 3


def test_a_small_delta_is_shown_more_often() -> None:
    counts = [deltas.passes_for(n, 0.75, 8, 1500) for n in (1, 40, 60, 100, 5000)]
    assert counts == [8, 8, 6, 3, 3]
    assert deltas.passes_for(5000, 0.75, 2, 1500) == 2


def test_passes_are_bounded_by_tokens() -> None:
    sizes = [10] * 6
    epochs = [[0, 1, 2], [3, 4, 5], [0, 4, 2]]
    assert deltas.bounded(epochs, sizes, 70) == epochs[:2]
    assert deltas.bounded(epochs, sizes, 29) == [[0, 1]]
    assert deltas.bounded(epochs, sizes, 1000) == epochs
