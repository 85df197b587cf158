"""Share a budget of tokens out among tasks and their files (max-min fairness).

    over tasks      Each task keeps all its tokens up to a level, the highest at which
                    all tasks together stay within the budget. So a task with few
                    samples keeps them all, however many the others have.
    over files      The same within a task, over the files that its samples are about.
    within a file   Samples queue in the order of their hash buckets, up to the first
                    that does not fit. So a change elsewhere moves the end of the queue
                    by a sample or two, and no sample is drawn again.

The table `balance` (repobuild/model/token_budget.py) holds, by task, `{"sizes": {file:
tokens}, "cuts": {file: hash bucket}}`, and by TASK//FILE the queue of trained samples,
`[[hash bucket, tokens], ...]`, sorted. A sample is over budget when its hash bucket is
not below its file's cut. Without a budget (`samples.max_tokens = 0`) the table is empty
and no token is counted.

Source: water-filling for max-min fair shares, Bertsekas and Gallager, Data Networks,
section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from repobuild.engine.contract import Table, Value, View
from repobuild.samples.dataset.split import hash32
from repobuild.samples.tasks.facts import Sample

BALANCE = "balance"
SEPARATOR = "//"  # between task and file; no path in git contains it
_SALT = "budget"
_NO_CUT = 1 << 32  # above every hash bucket

Queue = list[list[int]]  # the queue of a file: [hash bucket, tokens] by sample, sorted


def hash_bucket(key: str) -> int:
    """Return the hash bucket of a sample's full dataset key: 0 .. 2^32 - 1."""
    return hash32(key, _SALT)


def file_of(sample: Sample) -> str:
    """Return the file that a sample is about."""
    return str(sample["element"]).partition("::")[0]


def fair_level(sizes: Mapping[str, int], most: int) -> int:
    """Return the highest level at which all sizes, capped by it, sum to `most` tokens.

    If all fit uncapped, return the largest size.
    """
    left = most
    for number, size in enumerate(ordered := sorted(sizes.values())):
        share = left // (len(ordered) - number)
        if size > share:
            return share
        left -= size
    return max(sizes.values(), default=0)


def first_beyond(line: Queue, most: int) -> int:
    """Return the hash bucket of the first queued sample beyond `most` tokens."""
    for bucket, tokens in line:
        most -= tokens
        if most < 0:
            return bucket
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

    def exclude(self, key: str, sample: Sample) -> bool:
        """Return whether a trained sample is over budget."""
        task = sample["task"]
        if task not in self._by_task:
            self._by_task[task] = _cuts(self.table.get(task))
        return hash_bucket(key) >= self._by_task[task].get(file_of(sample), _NO_CUT)


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
