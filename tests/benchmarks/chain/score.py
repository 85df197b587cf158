"""Put an exam to an adapter: right and stale answers, and the loss on other code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from repobuild.evaluate.scoring.general_loss import GeneralText
from tests.benchmarks.chain.exam import KINDS, Question

ANSWER_TOKENS = 96


def scores(adapter: Path, asked: Sequence[Question]) -> dict[str, Any]:
    """{kind: {"right": [0 or 1, ...], "stale": [...]}, "general": nats a token}."""
    from repobuild.model.base import resolve_base
    from repobuild.model.generate import TextGenerator

    base = resolve_base(
        {"base.model": "tiny", "base.revision": "", "base.fim": True, "root": "."}
    )
    speaker = TextGenerator.load(base, adapter)
    answers = speaker.generate([question.text for question in asked], ANSWER_TOKENS)
    found: dict[str, Any] = {kind: {"right": [], "stale": []} for kind in KINDS}
    for question, answer in zip(asked, answers, strict=True):
        right, stale = question.mark(answer.text)
        if right is not None:
            found[question.kind]["right"].append(int(right))
        if stale is not None:
            found[question.kind]["stale"].append(int(stale))
    return {**found, "general": general_loss(speaker)}


def general_loss(speaker: Any) -> float:
    """Nats a token on the report's general text: what is forgotten."""
    texts = [(piece.path, piece.text) for piece in GeneralText.read().pieces]
    losses = speaker.text_losses(texts)
    return round(sum(loss for loss, _ in losses) / sum(n for _, n in losses), 4)
