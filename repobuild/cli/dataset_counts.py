"""Count the dataset for `show dataset`: by split, task, language, licence and more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import columns, number_of

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_TITLES = {
    "tokens": "tokens",
    "tasks": "by task",
    "languages": "by language",
    "difficulties": "by difficulty",
    "licences": "by licence",
    "dropped": "dropped",
}


def dataset_counts(build: Build) -> dict[str, Any]:
    """Return all counts of the dataset; tokens only when a tokenizer is at hand."""
    from repobuild.model.token_budget import count_tokens, load_token_counter
    from repobuild.samples.dataset.summary import SPLITS, DatasetSummary, read_kept

    summary, tokens = DatasetSummary(), Counter[str]()
    count = load_token_counter(build.settings)
    for _, sample, row, _ in read_kept(build, summary):
        if count is not None:
            tokens[row["split"]] += count_tokens(sample, count)
    counts = summary.to_dict()
    if count is not None:
        counts["tokens"] = {split: tokens[split] for split in SPLITS}
    return counts


def dataset_text(counts: Mapping[str, Any]) -> str:
    """Return the counts as titled blocks."""
    dropped = sum(counts["dropped"].values())
    blocks = [
        f"dataset: {number_of(counts['samples'], 'sample')} used, {dropped:,} dropped"
    ]
    by_track = {
        split if track == "train" else f"{split}, {track}": count
        for split, tracks in counts["splits"].items()
        for track, count in tracks.items()
    }
    blocks += _block("by split and track", by_track)
    for name, title in _TITLES.items():
        blocks += _block(title, counts.get(name, {}))
    return "\n".join(blocks)


def _block(title: str, counts: Mapping[str, int]) -> list[str]:
    rows = [[name, f"{count:,}"] for name, count in counts.items()]
    return [f"\n{title}", columns(rows)] if rows else []
