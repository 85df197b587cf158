"""What a continued run shows beside the changed samples, and how often.

    pass      every open sample once, among others that change from pass to pass
    round     a few passes; after it the model is asked, and what it does not answer yet
              is trained in another round (lesson.py)
    replay    the others of a pass, current samples all: one whose source changed is in
              the delta, one whose source is gone is in no dataset

Every third replayed sample is of what was learnt lately, the others are of the rest.
What is new fades first: over ten commits of click 69 % of the new facts were still
known word for word without, 76 to 96 % with it. Every second one was too many: of the
first build's facts 4 % more were lost. Of what was learnt `n` adapters ago 0.9^n is
replayed.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, cycle

from repobuild.model.adapter.packing import WEIGHTS

FADING = 0.9  # share of what was learnt an adapter earlier that is replayed
FORGOTTEN = 30  # adapters, after which it counts as known: 0.9^30 is 4 %


def passes_of(
    opened: Sequence[str], others: Sequence[str], passes: int, seed: str
) -> list[list[str]]:
    """The ids of each pass: every open sample, and its share of the others."""
    share = -(-len(others) // passes)
    found = []
    for number in range(passes):
        order = [*opened, *others[number * share : (number + 1) * share]]
        random.Random(f"{seed}.{number}").shuffle(order)
        found.append(order)
    return found


def passes_for(opened: int, share: float, most: int, samples: int) -> int:
    """How often each open sample is shown in a round: at most `most`, at least thrice.

    Between them, so often that the round stays near `samples`: a handful of facts takes
    eight passes, a rewritten package has many steps anyway.
    """
    fitting = int(samples * (1 - share) / max(1, opened))
    return max(min(3, most), min(most, fitting))


def replayed(opened: int, passes: int, share: float, least: int) -> int:
    """How many samples a round replays: `share` of all that it shows.

    `least` however small the delta is, because one changed fact does as much harm to
    the others as ten; none where the share is 0.
    """
    return max(round(opened * passes * share / (1 - share)), least) if share else 0


def turns(
    tasks: Mapping[str, str], fresh: set[str], seed: str, ages: Mapping[str, int]
) -> Iterator[str]:
    """All samples beside the delta, in the order of replay, over and over.

    `tasks` names the task of every current sample, `ages` says of those that were
    learnt since the first build how many adapters ago.
    """
    order = in_order(tasks, fresh, seed)
    turn = {
        sample_id: place / FADING ** ages[sample_id]
        for place, sample_id in enumerate(order)
        if sample_id in ages
    }
    known = {sample_id for sample_id, place in turn.items() if place < len(order)}
    recent = sorted(known, key=turn.__getitem__)
    rest = [sample_id for sample_id in order if sample_id not in known]
    if recent and rest:
        old = cycle(rest)
        return (i for new in cycle(recent) for i in (new, next(old), next(old)))
    return cycle(order)


def in_order(tasks: Mapping[str, str], fresh: set[str], seed: str) -> list[str]:
    """All samples beside the delta, evenly.

    By task as in the first build (packing.py), evenly by module, so that a large module
    does not crowd out the others, and every fact once before any in another phrasing:
    so many more facts are refreshed by as many samples.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for sample_id, task in sorted(tasks.items()):
        if sample_id not in fresh:
            module = sample_id.partition("::")[0].partition("#")[0]
            groups.setdefault((task, module), []).append(sample_id)
    chance = random.Random(f"{seed}.replay")
    queues = [
        (WEIGHTS.get(task, 1.0), _fact_by_fact(chance.sample(group, len(group))))
        for (task, _), group in sorted(groups.items())
    ]
    chance.shuffle(queues)
    places = (
        (place / weight, turn, sample_id)
        for turn, (weight, queue) in enumerate(queues)
        for place, sample_id in enumerate(queue)
    )
    return [sample_id for *_, sample_id in sorted(places)]


def _fact_by_fact(shuffled: Sequence[str]) -> list[str]:
    """One phrasing of each fact, then a second of each: an id is FACT.n."""
    seen: Counter[str] = Counter()
    found = []
    for sample_id in shuffled:
        fact = sample_id.rpartition(".")[0]
        found.append((seen[fact], sample_id))
        seen[fact] += 1
    return [sample_id for _, sample_id in sorted(found, key=lambda pair: pair[0])]


def bounded(
    epochs: Sequence[Sequence[int]], sizes: Sequence[int], most_tokens: int
) -> list[list[int]]:
    """Whole epochs as far as the tokens reach; of the first one what fits."""
    result: list[list[int]] = []
    left = most_tokens
    for epoch in epochs:
        cost = sum(sizes[number] for number in epoch)
        if cost > left and result:
            break
        result.append(_fitting(epoch, sizes, left))
        left -= cost
    return result


def _fitting(epoch: Sequence[int], sizes: Sequence[int], tokens: int) -> list[int]:
    spent = list(accumulate(sizes[number] for number in epoch))
    return list(epoch[: bisect_right(spent, tokens)])
