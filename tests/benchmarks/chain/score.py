"""Put an exam to an adapter: right and stale answers, and the loss on other code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks.chain.exam import KINDS, Question

ANSWER_TOKENS = 96
PIECES = 40  # of the standard library, never trained on: some 19,000 tokens


def scores(adapter: Path, asked: Sequence[Question]) -> dict[str, Any]:
    """{kind: {"right": [0 or 1, ...], "stale": [...]}, "general": nats a token}."""
    from repobuild.model.base import resolve
    from repobuild.model.generate import Speaker

    base = resolve(
        {"base.model": "tiny", "base.revision": "", "base.fim": True, "root": "."}
    )
    speaker = Speaker.load(base, adapter)
    answers = speaker.answers([question.text for question in asked], ANSWER_TOKENS)
    found: dict[str, Any] = {kind: {"right": [], "stale": []} for kind in KINDS}
    for question, answer in zip(asked, answers, strict=True):
        right, stale = question.mark(answer)
        if question.wanted:
            found[question.kind]["right"].append(int(right))
        if question.old:
            found[question.kind]["stale"].append(int(stale))
    return {**found, "general": general_loss(speaker)}


def general_loss(speaker: Any) -> float:
    """Nats a token on held-out files of the standard library: what is forgotten."""
    import torch
    from torch.nn import functional as F

    total, count = 0.0, 0
    for ids in speaker.conversation.encode(general_texts()):
        row = torch.tensor([ids[:512]])
        with torch.inference_mode():
            logits = speaker.model(input_ids=row).logits[0, :-1].float()
        total += float(F.cross_entropy(logits, row[0, 1:], reduction="sum"))
        count += row.shape[1] - 1
    return round(total / count, 4)


@lru_cache(maxsize=1)
def general_texts() -> tuple[str, ...]:
    """Pieces of the files that the base model never saw, evenly over the files."""
    from repobuild.model.corpus import code_documents, library_root, source_files

    held = (file for file in source_files(library_root()) if file.held_out)
    first = (islice(code_documents(file), 2) for file in held)
    return tuple(document.text for pair in first for document in pair)[:PIECES]
