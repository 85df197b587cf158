"""Hold the adapter to its base on text that is not about the repository.

An adapter that learns nothing but facts forgets the rest. So it is also shown other
people's code and documents, and the loss has a second term: how far the adapter's
prediction of the next token is from the base model's own (Kullback-Leibler divergence,
the base as the teacher). It asks for nothing but to stay the same there.

Every few steps show a window, whose term then counts that many times: a pass over 280
tokens takes 108 ms on one thread, four over 70 take 172 (docs/benchmarks/training.md).

`configs/general/kept.jsonl.gz` holds the texts, {"path": str, "text": str} a line:
pieces of Python's standard library from other files than those that the report
measures general loss on (evaluate/scoring/general_loss.py). To draw them again:

    python -m repobuild.model.teaching.general_text

Source: arXiv 2605.26097 (`martin-marek/forgetting`): with a tenth of each batch and a
coefficient of about 10, rank 16 keeps general loss within 0.2 %.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from repobuild.model.conversation import FILE, Conversation
from repobuild.resources import data_folder

NAME = "kept.jsonl.gz"
TEXTS = 240
EVERY = 4  # steps show one window
LEAST_TOKENS = 32  # of general text a step
MOST_TOKENS = 512  # of a window
# A long run shows each several times: what the base says of it is computed only once.
MOST_WINDOWS = 256
_MIN_CHARACTERS = 600


def steps_between(batch_tokens: int, share: float) -> int:
    """Return how many steps show one window: fewer where one alone fills it."""
    return max(1, min(EVERY, MOST_TOKENS // _tokens_a_step(batch_tokens, share)))


def window_tokens(batch_tokens: int, share: float) -> int:
    """Return the tokens of a window so that `share` of all tokens are general text."""
    if share <= 0:
        return 0
    a_step = _tokens_a_step(batch_tokens, share)
    return min(MOST_TOKENS, a_step * steps_between(batch_tokens, share))


def _tokens_a_step(batch_tokens: int, share: float) -> int:
    return max(LEAST_TOKENS, round(batch_tokens * share / (1 - share)))


def read_windows(conversation: Conversation, tokens: int) -> list[list[int]]:
    """Return the shipped texts in windows of `tokens` tokens; [] if that is 0."""
    if not tokens:
        return []
    lines = gzip.decompress(_shipped_file().read_bytes()).decode("utf-8").splitlines()
    pieces = [json.loads(line) for line in lines]
    plain = conversation.plain
    texts = [
        (f"{FILE}{plain(p['path'])}\n" if conversation.has_file_token else "")
        + plain(p["text"])
        for p in pieces
    ]
    return list(islice(_windows(conversation.encode(texts), tokens), MOST_WINDOWS))


def _windows(rows: Iterable[Sequence[int]], tokens: int) -> Iterable[list[int]]:
    """Cut rows into windows of equal length: the first of each row, then the second."""
    rows = list(rows)
    longest = max(map(len, rows), default=0)
    for start in range(0, longest - tokens + 1, tokens):
        for row in rows:
            if len(row) >= start + tokens:
                yield list(row[start : start + tokens])


def _shipped_file() -> Path:
    return data_folder("configs") / "general" / NAME


def main() -> None:
    """Draw pieces of the running interpreter's library, by their hash."""
    from repobuild.model.bundled.corpus import (
        is_table,
        library_root,
        source_files,
        split_text,
    )

    pieces = [
        {"path": file.path, "text": text}
        for file in source_files(library_root(), held_out=False)
        for text in split_text(file.text)
        if len(text) >= _MIN_CHARACTERS and not is_table(text) and text.isascii()
    ]
    pieces.sort(key=lambda p: blake2b(json.dumps(p).encode(), digest_size=8).digest())
    lines = "".join(json.dumps(piece) + "\n" for piece in pieces[:TEXTS])
    _shipped_file().write_bytes(gzip.compress(lines.encode("ascii"), 9, mtime=0))


if __name__ == "__main__":
    main()
