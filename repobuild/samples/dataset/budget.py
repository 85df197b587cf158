"""Share a budget of tokens out among tasks and their files (max-min fairness).

    over tasks      Each task keeps all its tokens up to a level, the highest at which
                    all tasks together stay within the budget. So a task with few
                    samples keeps them all, however many the others have. A task with
                    a proportion (`samples.proportions`) keeps at most that share of
                    what all keep together.
    over files      The same within a task, over the files that its samples are about.
                    A file's share is weighted by the importance of what it holds.
    within a file   Samples queue by the importance of what they are about, the highest
                    first, then by their hash, up to the first that does not fit. So a
                    change elsewhere moves the end of the queue by a sample or two, and
                    no sample is drawn again.

The table `balance` (repobuild/model/token_budget.py) holds, by task, `{"sizes": {file:
tokens}, "cuts": {file: place}}`, and by TASK//FILE the queue of trained samples,
`[[place, tokens], ...]`, sorted. A sample is over budget when its place in the queue is
not below its file's cut. With proportions alone, a sample counts as one token: no
tokenizer is needed, and shares are shares of samples. Without both the table is empty.

Source: water-filling for max-min fair shares, Bertsekas and Gallager, Data Networks,
section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from repobuild.code.usage.importance import LEVELS
from repobuild.engine.contract import Table, Value, View
from repobuild.samples.dataset.all_samples import is_about
from repobuild.samples.dataset.split import hash32
from repobuild.samples.tasks.facts import Sample

BALANCE = "balance"
SEPARATOR = "//"  # between task and file; no path in git contains it
_SALT = "budget"
_PROPORTIONS = "samples.proportions."
_NO_CUT = (LEVELS + 1) << 32  # above every place

Queue = list[list[int]]  # the queue of a file: [place, tokens] by sample, sorted


def queue_place(key: str, sample: Sample, importance: float) -> int:
    """Return where a sample queues: by what it is about, then by its full key's hash.

    The less the place, the earlier: 0 .. 2^36 - 1. A sample of a user's table whose key
    does not name its element queues in the middle: an update could not find it.
    """
    if not is_about(key, sample):
        importance = 0.5
    level = LEVELS - round(importance * LEVELS)
    return level << 32 | hash32(key, _SALT)


def weight_of(queue: Queue) -> int:
    """Return the weight of a file's share, 1 .. 16: its most important sample's."""
    return 1 + LEVELS - (queue[0][0] >> 32) if queue else 1


def file_of(sample: Sample) -> str:
    """Return the file that a sample is about."""
    return str(sample["element"]).partition("::")[0]


def fair_level(sizes: Mapping[str, int], most: int) -> int:
    """Return the highest level at which all sizes, capped by it, sum to `most` tokens.

    If all fit uncapped, return the largest size.
    """
    shares = fair_shares(sizes, most, dict.fromkeys(sizes, 1))
    return max(shares.values(), default=0)


def fair_shares(
    sizes: Mapping[str, int], most: int, weights: Mapping[str, int]
) -> dict[str, int]:
    """Return how much of `most` tokens each file gets: its size, or a fair share.

    A share is the level times the file's weight; no file gets more than its size.
    """
    left, weight_left = most, sum(weights.values())
    shares: dict[str, int] = {}
    ordered = sorted(sizes, key=lambda name: (sizes[name] / weights[name], name))
    for number, name in enumerate(ordered):
        if sizes[name] * weight_left > left * weights[name]:
            capped = {n: left * weights[n] // weight_left for n in ordered[number:]}
            return shares | capped
        shares[name] = sizes[name]
        left -= sizes[name]
        weight_left -= weights[name]
    return shares


def proportions_of(settings: Mapping[str, Value]) -> dict[str, Fraction]:
    """Return the share that each bounded task may have, by task."""
    return {
        name.removeprefix(_PROPORTIONS): Fraction(str(value))
        for name, value in settings.items()
        if name.startswith(_PROPORTIONS) and value < 1
    }


def task_limits(
    sizes: Mapping[str, int], proportions: Mapping[str, Fraction], budget: int
) -> dict[str, int]:
    """Return how many tokens each task keeps; `budget` is 0 for none.

    Together they are the largest set in which no task has more than its proportion.
    """
    total = _largest_total(sizes, shares := _feasible(sizes, proportions))
    if budget:
        total = min(total, Fraction(budget))
    caps = {
        task: min(size, int(shares[task] * total)) if task in shares else size
        for task, size in sizes.items()
    }
    level = fair_level(caps, budget) if budget else max(caps.values(), default=0)
    return {task: min(cap, level) for task, cap in caps.items()}


def _feasible(
    sizes: Mapping[str, int], proportions: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Return the proportions of the tasks that have samples.

    If all of them have one, and together less than the whole, they are scaled to it:
    else no dataset would satisfy them.
    """
    present = {task: proportions[task] for task in sizes if task in proportions}
    whole = sum(present.values(), Fraction(0))
    if len(present) < len(sizes) or not 0 < whole < 1:
        return present
    return {task: share / whole for task, share in present.items()}


def _largest_total(
    sizes: Mapping[str, int], proportions: Mapping[str, Fraction]
) -> Fraction:
    """Return the largest total T of which each task has at most its proportion.

    T is the largest root of the sum of min(size, proportion * T) - T, which is concave
    in T. Newton's method from the right reaches it in at most a step for each task.
    """
    total = Fraction(sum(sizes.values()))
    while True:
        capped = {t: p for t, p in proportions.items() if sizes[t] > p * total}
        free = sum(size for task, size in sizes.items() if task not in capped)
        share = sum(capped.values(), Fraction(0))
        if share >= 1 or free + share * total == total:
            return total
        total = free / (1 - share)


def first_beyond(line: Queue, most: int) -> int:
    """Return the place of the first queued sample beyond `most` tokens."""
    for place, tokens in line:
        most -= tokens
        if most < 0:
            return place
    return _NO_CUT


def index_term(task: str, path: str) -> str:
    """Return the index term of contexts that train samples of a task and a file."""
    return f"b:{task}{SEPARATOR}{path}"


@dataclass(slots=True)
class BudgetCuts:
    """The cuts of all files, read from the table `balance` as they are needed."""

    table: Table
    _by_task: dict[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, view: View) -> BudgetCuts | None:
        """Return the cuts; None without a budget and proportions."""
        settings = view.settings
        if settings["samples.max_tokens"] or proportions_of(settings):
            return cls(view.table(BALANCE))
        return None

    def exclude(self, key: str, sample: Sample, importance: float) -> bool:
        """Return whether a trained sample is over budget; `key` is its full key."""
        task = sample["task"]
        if task not in self._by_task:
            self._by_task[task] = _cuts(self.table.get(task))
        cut = self._by_task[task].get(file_of(sample), _NO_CUT)
        return queue_place(key, sample, importance) >= cut


def changed_terms(view: View) -> Iterator[str]:
    """Yield the index terms of the tasks and files whose cut changed."""
    for task, (old, new) in view.changes(BALANCE).items():
        if SEPARATOR in task:
            continue
        before, now = _cuts(old), _cuts(new)
        for path in sorted({*before, *now}):
            if before.get(path) != now.get(path):
                yield index_term(task, path)


def _cuts(row: Value | None) -> Mapping[str, int]:
    return row["cuts"] if row else {}
