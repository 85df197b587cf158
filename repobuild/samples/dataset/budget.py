"""A budget of tokens, shared out among tasks and modules as water fills basins.

    level over tasks      Each task gets what it has, or at most the level, which is the
                          highest at which all together stay within the budget. So a
                          task with few samples keeps them all, whatever others have.
    level over modules    The same within a task, over its files.
    within a module       Samples stay in the order of a hash of their keys, up to the
                          first that does not fit. So a change elsewhere moves the end
                          of that line by a sample or two, and no sample is drawn anew.

The table `balance` holds, by task, `{"sizes": {file: tokens}, "cuts": {file: luck}}`,
and by TASK//FILE `[[luck, tokens], ...]`, sorted, of the trained samples. A sample
is over budget when its luck is not below its file's cut. Without a budget
(`samples.max_tokens = 0`) the table is empty and nobody counts a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from repobuild.engine.contract import Table, Value, View
from repobuild.samples.dataset.split import part
from repobuild.samples.tasks.facts import Sample

BALANCE = "balance"
MARK = "//"  # no path in git holds it
_SALT = "budget"
_NO_CUT = 1 << 32  # above every luck

Line = list[list[int]]  # [luck, tokens] of each sample of a module, sorted


def luck(key: str) -> int:
    """Return a sample's place in the line: a hash of its dataset key."""
    return part(key, _SALT)


def module(sample: Sample) -> str:
    """Return the file that a sample is about."""
    return str(sample["element"]).partition("::")[0]


def level(sizes: Mapping[str, int], most: int) -> int:
    """Return the highest level at which all basins together hold at most `most`."""
    left = most
    for number, size in enumerate(ordered := sorted(sizes.values())):
        share = left // (len(ordered) - number)
        if size > share:
            return share
        left -= size
    return max(sizes.values(), default=0)


def cut(line: Line, most: int) -> int:
    """Return the luck of the first sample in the line that does not fit."""
    for place, tokens in line:
        most -= tokens
        if most < 0:
            return place
    return _NO_CUT


def term(task: str, path: str) -> str:
    """Return the index term of contexts that train samples of a task and a file."""
    return f"b:{task}{MARK}{path}"


@dataclass(slots=True)
class Cuts:
    """How far each module's line is kept, as the table says now."""

    table: Table
    _known: dict[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, view: View) -> Cuts | None:
        """None without a budget."""
        return cls(view.table(BALANCE)) if view.settings["samples.max_tokens"] else None

    def over(self, key: str, sample: Sample) -> bool:
        """Whether a trained sample is beyond the end of its module's line."""
        task = sample["task"]
        if task not in self._known:
            self._known[task] = _cuts(self.table.get(task))
        return luck(key) >= self._known[task].get(module(sample), _NO_CUT)


def moved(view: View) -> Iterator[str]:
    """Yield the terms of the modules whose lines end elsewhere than before."""
    for task, (old, new) in view.changes(BALANCE).items():
        if MARK in task:
            continue
        before, now = _cuts(old), _cuts(new)
        for path in sorted({*before, *now}):
            if before.get(path) != now.get(path):
                yield term(task, path)


def _cuts(row: Value | None) -> Mapping[str, int]:
    return row["cuts"] if row else {}
