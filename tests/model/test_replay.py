from __future__ import annotations

from collections import Counter
from itertools import islice

from repobuild.model.adapter import replay
from repobuild.model.adapter.replay import balanced_order, build_passes, replay_queue


def tasks(old: int, fresh: int = 0) -> dict[str, str]:
    made = {f"m{n % 5}.py::f#{n}": f"t{n % 2}" for n in range(old)}
    return {**made, **{f"new.py::f#{n}": "t0" for n in range(fresh)}}


NEW = [f"new.py::f#{n}" for n in range(6)]


def test_unanswered_samples_are_in_every_pass_and_replayed_ones_change() -> None:
    others = [f"o{n}" for n in range(20)]
    found = build_passes(NEW, others, 4, "1")
    assert [len(order) for order in found] == [11] * 4
    assert all(set(NEW) <= set(order) for order in found)
    seen = Counter(i for order in found for i in order if i not in NEW)
    assert seen == Counter(others)


def test_a_pass_is_shuffled_and_the_same_for_the_same_seed() -> None:
    found = build_passes(NEW, [], 2, "1")
    assert found == build_passes(NEW, [], 2, "1")
    assert found[0] != found[1] or found != build_passes(NEW, [], 2, "2")


def test_a_share_of_a_round_is_replayed_and_no_less_than_the_floor() -> None:
    assert replay.count_replayed(10, 8, 0.5, 0) == 80
    assert replay.count_replayed(10, 8, 0.75, 0) == 240
    assert replay.count_replayed(1, 8, 0.5, 100) == 100


def test_without_replay_only_the_delta_is_trained() -> None:
    assert replay.count_replayed(10, 8, 0.0, 100) == 0


def test_a_third_of_the_replay_was_learnt_recently() -> None:
    made = tasks(100)
    recent = {sample_id: 1 for sample_id in list(made)[:30]}
    order = list(islice(replay_queue(made, set(), "1", recent), 60))
    assert sum(sample_id in recent for sample_id in order) == 20
    assert len(set(order)) == 60


def test_samples_learnt_long_ago_are_replayed_less_often() -> None:
    made = tasks(2000)
    ages = {i: 1 if n % 2 else 12 for n, i in enumerate(made) if n % 10 < 2}
    order = list(islice(replay_queue(made, set(), "1", ages), 300))
    seen = Counter(ages[i] for i in order if i in ages)
    assert seen[1] > 1.5 * seen[12] > 0


def test_the_queue_repeats_when_there_are_few_others() -> None:
    order = list(islice(replay_queue(tasks(3), set(), "1", {}), 6))
    assert Counter(Counter(order).values()) == {2: 3}
    assert list(replay_queue(tasks(0, 6), set(NEW), "1", {})) == []


def test_replay_is_even_by_task_and_module() -> None:
    made = tasks(100)
    order = balanced_order(made, set(), "1")
    groups = Counter((made[i], i.partition("::")[0]) for i in order[:20])
    assert set(groups.values()) == {2}
    assert sorted(order) == sorted(made)
    assert order != balanced_order(made, set(), "2")


def test_every_fact_is_replayed_once_before_any_in_another_phrasing() -> None:
    made = {f"a.py::f{n}#use.en.{m}": "use" for n in range(9) for m in range(4)}
    order = balanced_order(made, set(), "1")
    for first in (0, 9, 18, 27):
        facts = {sample_id.rpartition(".")[0] for sample_id in order[first : first + 9]}
        assert len(facts) == 9


def test_replay_has_as_much_of_a_task_as_the_first_build() -> None:
    made = {f"a.py::f{n}#code_location.en.0": "code_location" for n in range(99)}
    made |= {f"a.py::f{n}#use.en.0": "use" for n in range(99)}
    order = balanced_order(made, set(), "1")
    assert Counter(made[i] for i in order[:45])["use"] == 3


def test_a_small_delta_is_shown_more_often() -> None:
    counts = [replay.count_passes(n, 0.75, 8, 1500) for n in (1, 40, 60, 100, 5000)]
    assert counts == [8, 8, 6, 3, 3]
    assert replay.count_passes(5000, 0.75, 2, 1500) == 2


def test_passes_are_bounded_by_tokens() -> None:
    sizes = [10] * 6
    epochs = [[0, 1, 2], [3, 4, 5], [0, 4, 2]]
    assert replay.limit_tokens(epochs, sizes, 70) == epochs[:2]
    assert replay.limit_tokens(epochs, sizes, 29) == [[0, 1]]
    assert replay.limit_tokens(epochs, sizes, 1000) == epochs
