"""Choose which samples a continued run shows beside the delta, and how often.

    pass      every unanswered sample of the delta once, and a part of the replayed ones
    round     a few passes; then the model is asked, and the samples that it does not
              answer yet are trained in another round (adapter.py)
    replay    current samples outside of the delta, taken from the head of the queue
              (`replay_queue`)

Every third replayed sample was learnt recently, the others are older. New facts fade
first: over ten commits of click 69 % of the new facts were still known word for word
without this rule and 76 to 96 % with it. With every second one, 4 % more of the first
build's facts were lost. A fact that was learnt `n` adapters ago is replayed 0.9^n as
often as one that was just learnt.

Source: replay of earlier samples in continual learning is experience replay
(Rolnick et al. 2019, "Experience Replay for Continual Learning").
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, cycle

from repobuild.model.adapter.packing import WEIGHTS

RETENTION = 0.9  # how often a fact is replayed, relative to one learnt an adapter later
KNOWN_AFTER = 30  # adapters, after which a fact counts as old: 0.9^30 is 4 %

# ------------------------------------------------------------------------ one round


def count_passes(unanswered: int, share: float, most: int, samples: int) -> int:
    """Return how often a round shows each unanswered sample: 3 to `most` times.

    Within these limits a round stays near `samples` samples: a handful of facts is
    shown `most` times, a rewritten package has many steps anyway.
    """
    affordable = int(samples * (1 - share) / max(1, unanswered))
    return max(min(3, most), min(most, affordable))


def count_replayed(unanswered: int, passes: int, share: float, least: int) -> int:
    """Return how many samples a round replays: `share` of all that it shows.

    `least` is a floor however small the delta is, because one changed fact harms the
    others as much as ten do. With a share of 0 nothing is replayed.
    """
    if not share:
        return 0
    return max(round(unanswered * passes * share / (1 - share)), least)


def build_passes(
    unanswered: Sequence[str], replayed: Sequence[str], passes: int, seed: str
) -> list[list[str]]:
    """Return the shuffled ids of each pass."""
    size = -(-len(replayed) // passes)
    built = []
    for number in range(passes):
        order = [*unanswered, *replayed[number * size : (number + 1) * size]]
        random.Random(f"{seed}.{number}").shuffle(order)
        built.append(order)
    return built


def limit_tokens(
    passes: Sequence[Sequence[int]], sizes: Sequence[int], max_tokens: int
) -> list[list[int]]:
    """Keep whole passes within the token budget, and a part of the first at least.

    `passes` hold indices into `sizes`, which are in tokens.
    """
    kept: list[list[int]] = []
    left = max_tokens
    for order in passes:
        spent = list(accumulate(sizes[number] for number in order))
        cost = spent[-1] if spent else 0
        if cost > left and kept:
            break
        kept.append(list(order[: bisect_right(spent, left)]))
        left -= cost
    return kept


# ---------------------------------------------------------------------- replay queue


def replay_queue(
    tasks: Mapping[str, str], delta: set[str], seed: str, ages: Mapping[str, int]
) -> Iterator[str]:
    """Yield the ids of all samples outside of the delta in order of replay, endlessly.

    `tasks` names the task of every current sample. `ages` counts the adapters since a
    sample was learnt; samples of the first build are not in it.
    """
    order = balanced_order(tasks, delta, seed)
    # An older sample moves back in the queue, and off its end.
    position = {
        sample_id: number / RETENTION ** ages[sample_id]
        for number, sample_id in enumerate(order)
        if sample_id in ages
    }
    recent = sorted(
        (i for i, number in position.items() if number < len(order)),
        key=position.__getitem__,
    )
    is_recent = set(recent)
    old = [sample_id for sample_id in order if sample_id not in is_recent]
    if recent and old:
        others = cycle(old)
        return (i for new in cycle(recent) for i in (new, next(others), next(others)))
    return cycle(order)


def balanced_order(tasks: Mapping[str, str], delta: set[str], seed: str) -> list[str]:
    """Order all samples outside of the delta evenly.

    By task with the weights of a first build (packing.py); by module, so that a large
    module does not crowd out the others; and every fact once before any fact in a
    second phrasing, so that the same number of samples refreshes more facts.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for sample_id, task in sorted(tasks.items()):
        if sample_id not in delta:
            module = sample_id.partition("::")[0].partition("#")[0]
            groups.setdefault((task, module), []).append(sample_id)
    chance = random.Random(f"{seed}.replay")
    queues = [
        (WEIGHTS.get(task, 1.0), _fact_by_fact(chance.sample(group, len(group))))
        for (task, _), group in sorted(groups.items())
    ]
    chance.shuffle(queues)
    positions = (
        (number / weight, turn, sample_id)
        for turn, (weight, queue) in enumerate(queues)
        for number, sample_id in enumerate(queue)
    )
    return [sample_id for *_, sample_id in sorted(positions)]


def _fact_by_fact(shuffled: Sequence[str]) -> list[str]:
    """Order by phrasing: the first of each fact, then the second; ids are FACT.n."""
    seen: Counter[str] = Counter()
    numbered = []
    for sample_id in shuffled:
        fact = sample_id.rpartition(".")[0]
        numbered.append((seen[fact], sample_id))
        seen[fact] += 1
    return [sample_id for _, sample_id in sorted(numbered, key=lambda pair: pair[0])]
