"""What an adapter was trained on, counted: by task, by reason dropped, by licence.

Read from the tables as they are now. These may hold other samples than the adapter was
trained on: the state has gone on, the adapter waits for more changes, or was rolled
back to. `manifest` tells; it is held against the adapter's own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from repobuild.model.adapter.lineage import Manifest, sample_digest
from repobuild.model.token_budget import counter, size
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import SampleSource
from repobuild.samples.dataset.summary import DatasetSummary, used

ASKED = "code_location"  # the task of the question that a page may quote


@dataclass(slots=True)
class TrainingContents:
    """Counts of one dataset; tokens are of questions and answers."""

    summary: DatasetSummary = field(default_factory=DatasetSummary)
    trained: Counter[str] = field(default_factory=Counter)  # task -> samples
    held_out: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)  # of the trained ones
    digests: dict[str, bytes] = field(default_factory=dict)  # of the trained ones
    example: str = ""  # a trained question

    @property
    def manifest(self) -> str:
        """Digest of what is trained on, as an adapter notes it."""
        return Manifest(self.digests).digest


def contents(source: SampleSource) -> TrainingContents:
    """Count the samples that have a split; tokens if a tokenizer is at hand."""
    found = TrainingContents()
    count = counter(source.settings)
    with_lines = bool(source.settings["adapter.line_numbers"])
    for key, sample, row, _ in used(source, found.summary):
        if quotes_lines(key) and not with_lines:
            continue  # as in training
        task = sample["task"]
        if row["split"] != "train":
            found.held_out[task] += 1
            continue
        found.trained[task] += 1
        found.digests[key] = sample_digest(sample)
        if count is not None:
            found.tokens[task] += size(sample, count)
        if not found.example and task == ASKED and sample["language"] == "en":
            found.example = sample["question"]
    return found
