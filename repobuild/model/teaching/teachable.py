"""Make the table `teachable`, and read it: what may be taught, without its texts.

A row has the key of the samples' row, and for each of these that may be taught

    [role, rank, length, importance, digest]

    role          a `Role`
    rank          place of its kind in `adapter.teach`
    length        bytes of question and answer, as taught
    importance    of what it is about, from the dataset
    digest        of what is taught (lineage.py)

So a commit decides what to train, and in which order, without making the text of every
sample again: 5 s of the 73,000 samples of this repository. The texts of the few that
are trained are read by `TaughtTexts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter.lineage import sample_digest
from repobuild.model.teaching.curriculum import Sample, TeachableSample, Teaching

if TYPE_CHECKING:
    from repobuild.engine.contract import Task, View
    from repobuild.samples.dataset.all_samples import AllSamples

TABLE = "teachable"

Row = dict[str, list[Any]]


class Role(IntEnum):
    TRAINED = 0
    ASKED = 1  # by the gate: a recall question of the validation split


Teachable = Mapping[str, TeachableSample]  # by sample id, sorted by it


def teachable(view: View) -> None:
    """Bring the table up to date with changed samples, and changed places of them."""
    # Imported late: the command line reads this file's names without samples/.
    from repobuild.samples.dataset.all_samples import AllSamples, SampleChanges

    teaching = Teaching.of(view.settings)
    with_lines = bool(view.settings["adapter.line_numbers"])
    places, samples = view.table("dataset"), AllSamples.of(view)

    def write(key: str, found: Mapping[str, Sample] | None) -> None:
        row = make_row(key, found or {}, places.get(key) or {}, teaching, with_lines)
        if row:
            view.own.put(key, row)
        else:
            view.own.drop(key)

    changed = SampleChanges(view)
    for key, (_, found) in changed.items():
        write(key, found)
    for key in sorted(view.changes("dataset").keys() - set(changed)):
        write(key, samples.get(key))


def make_row(
    key: str,
    samples: Mapping[str, Sample],
    places: Mapping[str, Mapping[str, Any]],
    teaching: Teaching,
    with_lines: bool,
) -> Row:
    """Return the row of `key`; `places` are its samples' splits, from the dataset."""
    from repobuild.samples.contexts.line_rows import quotes_lines

    row: Row = {}
    for sub, sample in samples.items():
        place = places.get(sub, {})
        asked = place.get("split") == "val" and place.get("track") == "recall"
        if not asked and place.get("split") != "train":
            continue
        if quotes_lines(key + sub) and not with_lines:
            continue
        rank = teaching.rank(key + sub, str(sample["task"]))
        taught = None if rank is None else teaching.shorten(sample)
        if taught is None:
            continue
        text = f"{taught['question']}{taught['answer']}"
        row[sub] = [
            int(Role.ASKED if asked else Role.TRAINED),
            rank,
            len(text.encode("utf-8", "replace")),
            float(place.get("importance", 0.0)),
            sample_digest(taught),
        ]
    return row


def trained_digests(row: Row | None) -> dict[str, bytes]:
    """Return the digest of each sample of a row that a run may train."""
    rows = (row or {}).items()
    return {sub: facts[-1] for sub, facts in rows if facts[0] == Role.TRAINED}


def read_teachable(task: Task) -> tuple[Teachable, Teachable]:
    """Return what may be taught, and what the gate may ask."""
    found: dict[Role, dict[str, TeachableSample]] = {role: {} for role in Role}
    for key, row in task.table(TABLE).items():
        for sub, (role, *facts) in row.items():
            found[Role(role)][key + sub] = TeachableSample(key, *facts)
    trained, asked = (dict(sorted(found[role].items())) for role in Role)
    return trained, asked


@dataclass(frozen=True, slots=True)
class TaughtTexts:
    """Reads samples as they are taught; a row is made once, whatever is asked of it."""

    samples: AllSamples
    teaching: Teaching
    rows: Mapping[str, str]  # sample id -> key of its row
    _made: dict[str, Mapping[str, Sample]] = field(default_factory=dict)

    @classmethod
    def of(cls, task: Task, *known: Teachable) -> TaughtTexts:
        from repobuild.samples.dataset.all_samples import AllSamples

        rows = {i: sample.row for samples in known for i, sample in samples.items()}
        return cls(AllSamples.of(task), Teaching.of(task.settings), rows)

    def __getitem__(self, sample_id: str) -> Sample:
        key = self.rows[sample_id]
        if key not in self._made:
            self._made[key] = self.samples.get(key) or {}
        taught = self.teaching.shorten(self._made[key][sample_id[len(key) :]])
        assert taught is not None, f"{sample_id} is in the table, and cannot be taught"
        return taught

    def pairs(self, ids: Iterable[str]) -> list[tuple[str, Sample]]:
        """Return (id, sample) of each id, in their order."""
        return [(sample_id, self[sample_id]) for sample_id in ids]
