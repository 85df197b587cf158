"""Decide whether a new adapter is promoted: by the loss of held-out questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter.lineage import Row, current_digest
from repobuild.model.base import Base

if TYPE_CHECKING:
    from repobuild.engine.contract import Task


def measure_gate(
    task: Task,
    base: Base,
    parent: Row | None,
    folder: Path,
    held_out: Sequence[tuple[str, Mapping[str, Any]]],
) -> dict[str, float]:
    """Return the held-out loss of the parent, or of the base, and of the new adapter.

    In nats per answer token; empty without held-out samples.
    """
    from repobuild.model.generate import TextGenerator

    before = task.object(current_digest(parent)) if parent else None
    if not held_out:
        return {}
    averages = []
    with task.progress("gate", 2) as progress:
        for each in (before, folder):
            losses = TextGenerator.load(base, each).losses(held_out)
            tokens = sum(count for _, count in losses)
            averages.append(
                round(sum(total for total, _ in losses) / max(1, tokens), 4)
            )
            progress.advance()
    return {"parent_loss": averages[0], "loss": averages[1]}


def passes_gate(scores: Mapping[str, float], settings: Mapping[str, Any]) -> bool:
    """Return whether the new adapter is at most `adapter.margin` worse."""
    if not scores:
        return True
    return scores["loss"] <= scores["parent_loss"] + float(settings["adapter.margin"])
