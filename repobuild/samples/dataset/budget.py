"""Share a budget of tokens out among tasks and their files (max-min fairness).

    over tasks      Each task keeps all its tokens up to a level, the highest at which
                    all tasks together stay within the budget. So a task with few
                    samples keeps them all, however many the others have.
    over files      The same within a task, over the files that its samples are about.
                    A file's share is weighted by the importance of what it holds.
    within a file   Samples queue by the importance of what they are about, the highest
                    first, then by their hash, up to the first that does not fit. So a
                    change elsewhere moves the end of the queue by a sample or two, and
                    no sample is drawn again.

The table `balance` (repobuild/model/token_budget.py) holds, by task, `{"sizes": {file:
tokens}, "cuts": {file: place}}`, and by TASK//FILE the queue of trained samples,
`[[place, tokens], ...]`, sorted. A sample is over budget when its place in the queue is
not below its file's cut. Without a budget (`samples.max_tokens = 0`) the table is empty
and no token is counted.

Source: water-filling for max-min fair shares, Bertsekas and Gallager, Data Networks,
section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from repobuild.code.usage.importance import LEVELS
from repobuild.engine.contract import Table, Value, View
from repobuild.samples.dataset.all_samples import is_about
from repobuild.samples.dataset.split import hash32
from repobuild.samples.tasks.facts import Sample

BALANCE = "balance"
SEPARATOR = "//"  # between task and file; no path in git contains it
_SALT = "budget"
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
        """Return the cuts; None without a budget."""
        return cls(view.table(BALANCE)) if view.settings["samples.max_tokens"] else None

    def exclude(self, key: str, sample: Sample, importance: float = 0.0) -> bool:
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
