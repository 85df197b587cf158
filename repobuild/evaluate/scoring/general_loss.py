"""What a model knows beside the repository: its loss on text that nobody trained on.

`configs/general/python.jsonl.gz` holds 60 pieces of Python's standard library, some
20,000 tokens, from the files that the embedded base model never saw (`held_out` in
model/bundled/corpus.py).  It ships with repobuild, so that the number means the same on
every machine and with every base; other bases may have seen the files, and what shows
is how an adapter changes their loss.

One JSON object a line, {"path": str, "text": str}, in the order of the paths.  Drawn by

    python -m repobuild.evaluate.scoring.general_loss

from the running interpreter: at most four pieces a file, by their hash, and no tables.
The text is under Python's licence, which lies beside it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from repobuild.evaluate.scoring.confidence import ratio
from repobuild.resources import folder

FILE = "python.jsonl.gz"
PIECES = 60
_OF_A_FILE = 4
Losses = Sequence[tuple[float, int]]  # sum and tokens of each piece
_SHORTEST = 600  # characters of a piece


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some lines of a file, by its path below the library's root."""

    path: str
    text: str


@dataclass(frozen=True)
class GeneralText:
    """The text whose loss is taken."""

    pieces: tuple[TextPiece, ...]

    @classmethod
    def read(cls, count: int = PIECES) -> GeneralText:
        """`count` pieces, always the same ones."""
        lines = gzip.decompress(_file().read_bytes()).decode("utf-8").splitlines()
        pieces = [TextPiece(**json.loads(line)) for line in lines]
        return cls(tuple(sorted(pieces, key=_luck)[:count]))

    def write(self, path: Path) -> None:
        """Same pieces, same bytes."""
        text = "".join(json.dumps(asdict(piece)) + "\n" for piece in self.pieces)
        path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))

    @cached_property
    def digest(self) -> str:
        texts = json.dumps([[piece.path, piece.text] for piece in self.pieces])
        return blake2b(texts.encode("ascii"), digest_size=8).hexdigest()


def section(general: GeneralText, losses: Mapping[str, Losses]) -> dict[str, Any]:
    """`strict.general` of the report; comparison.py says its form."""
    found: dict[str, Any] = {"n": len(general.pieces), "text": general.digest}
    for model, own in losses.items():
        found[model] = _plain(loss=own)
    ours = losses["adapter"]
    found["difference"] = {
        other: _gaps(ours, theirs)
        for other, theirs in losses.items()
        if other != "adapter"
    }
    return found


def _gaps(ours: Losses, theirs: Losses) -> dict[str, Any]:
    """How far the loss is above another's: nats a token, and as a share of it."""
    pairs = [(a[0] - b[0], a[1], b[0]) for a, b in zip(ours, theirs, strict=True)]
    return _plain(
        loss=[(gap, tokens) for gap, tokens, _ in pairs],
        relative=[(gap, other) for gap, _, other in pairs],
    )


def _plain(**pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """A quotient of sums, resampled by piece."""
    return {name: ratio(found).plain() for name, found in pairs.items() if found}


def drawn(root: Path) -> GeneralText:
    """The pieces that a library's held-out files give."""
    from repobuild.model.bundled.corpus import (
        SourceFile,
        is_table,
        pieces,
        source_files,
    )

    def of_file(file: SourceFile) -> list[TextPiece]:
        cut = (TextPiece(file.path, text) for text in pieces(file.text))
        found = (p for p in cut if len(p.text) >= _SHORTEST and not is_table(p.text))
        return sorted(found, key=_luck)[:_OF_A_FILE]

    held = [of_file(file) for file in source_files(root) if file.held_out]
    turns = (
        found[turn] for turn in range(_OF_A_FILE) for found in _by_luck(held, turn)
    )
    return GeneralText(
        tuple(sorted(islice(turns, PIECES), key=lambda p: (p.path, p.text)))
    )


def _by_luck(held: list[list[TextPiece]], turn: int) -> Iterator[list[TextPiece]]:
    """The files that have a piece for this turn; the last turn may not reach all."""
    having = (found for found in held if len(found) > turn)
    yield from sorted(having, key=lambda found: _luck(found[turn]))


def _luck(piece: TextPiece) -> bytes:
    text = f"{piece.path}\0{piece.text}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


def _file() -> Path:
    return folder("configs") / "general" / FILE


def main() -> None:
    from repobuild.model.bundled.corpus import library_root

    drawn(library_root()).write(_file())


if __name__ == "__main__":
    main()
