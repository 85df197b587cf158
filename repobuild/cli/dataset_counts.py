"""What `repobuild show dataset` says: everything counted, in blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import columns

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_BLOCKS = {
    "tokens": "tokens",
    "tasks": "by task",
    "languages": "by language",
    "difficulties": "by difficulty",
    "licences": "by licence",
    "dropped": "dropped",
}


def dataset_counts(build: Build) -> dict[str, Any]:
    """Return all counts of the dataset, and its tokens if a tokenizer is at hand."""
    from repobuild.model.token_budget import counter, size
    from repobuild.samples.dataset.summary import SPLITS, DatasetSummary, used

    summary, tokens = DatasetSummary(), Counter[str]()
    count = counter(build.settings)
    for _, sample, row, _ in used(build, summary):
        if count is not None:
            tokens[row["split"]] += size(sample, count)
    said = summary.said()
    if count is not None:
        said["tokens"] = {split: tokens[split] for split in SPLITS}
    return said


def text(said: Mapping[str, Any]) -> str:
    """Return the same as text."""
    dropped = sum(said["dropped"].values())
    blocks = [f"dataset: {said['samples']:,} samples used, {dropped:,} dropped"]
    blocks += _block("by split and track", _cells(said["splits"]))
    for name, title in _BLOCKS.items():
        blocks += _block(title, said.get(name, {}))
    return "\n".join(blocks)


def _cells(splits: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {
        split if track == "train" else f"{split}, {track}": count
        for split, tracks in splits.items()
        for track, count in tracks.items()
    }


def _block(title: str, counts: Mapping[str, int]) -> list[str]:
    rows = [[name, f"{count:,}"] for name, count in counts.items()]
    return [f"\n{title}", columns(rows)] if rows else []
