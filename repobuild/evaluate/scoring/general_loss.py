"""Measure general ability by the loss on text from outside the repository.

`configs/general/python.jsonl.gz` holds 60 pieces of Python's standard library, about
20,000 tokens, from the files that the embedded base model never saw
(`is_file_held_out` in model/bundled/corpus.py). It ships with repobuild, so that the
number means the same on every machine and with every base. Other bases may have seen
the files; the number that counts is how much an adapter changes their loss
(catastrophic forgetting; source: McCloskey and Cohen, "Catastrophic interference in
connectionist networks", 1989).

One JSON object a line, {"path": str, "text": str}, in the order of the paths. To draw
the pieces again from the running interpreter:

    python -m repobuild.evaluate.scoring.general_loss

At most four pieces a file are taken, by their hash, and no tables. The text is under
Python's licence, which is in the same folder.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from repobuild.evaluate.scoring.confidence import ratio
from repobuild.resources import data_folder

FILE = "python.jsonl.gz"
PIECES = 60
_PER_FILE = 4
_MIN_CHARACTERS = 600  # of a piece
Losses = Sequence[tuple[float, int]]  # sum in nats and number of tokens of each piece


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some lines of a file; `path` is relative to the library's root."""

    path: str
    text: str


@dataclass(frozen=True)
class GeneralText:
    """The pieces of text whose loss is taken."""

    pieces: tuple[TextPiece, ...]

    @classmethod
    def read(cls, count: int = PIECES) -> GeneralText:
        """Read `count` pieces of the shipped text, always the same ones."""
        content = gzip.decompress(_shipped_file().read_bytes())
        lines = content.decode("utf-8").splitlines()
        pieces = [TextPiece(**json.loads(line)) for line in lines]
        return cls(tuple(sorted(pieces, key=_draw_key)[:count]))

    def write(self, path: Path) -> None:
        """Write the pieces; the same pieces make the same bytes."""
        text = "".join(json.dumps(asdict(piece)) + "\n" for piece in self.pieces)
        path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))

    @cached_property
    def digest(self) -> str:
        texts = json.dumps([[piece.path, piece.text] for piece in self.pieces])
        return blake2b(texts.encode("ascii"), digest_size=8).hexdigest()


def section(general: GeneralText, losses: Mapping[str, Losses]) -> dict[str, Any]:
    """Return the section `strict.general`; comparison.py defines its form."""
    section: dict[str, Any] = {"n": len(general.pieces), "text": general.digest}
    for model, model_losses in losses.items():
        section[model] = _intervals(loss=model_losses)
    section["difference"] = {
        other: _differences(losses["adapter"], other_losses)
        for other, other_losses in losses.items()
        if other != "adapter"
    }
    return section


def _differences(ours: Losses, theirs: Losses) -> dict[str, Any]:
    """Return `ours` minus `theirs`: in nats per token, and as a share of `theirs`."""
    sums = [(a[0] - b[0], a[1], b[0]) for a, b in zip(ours, theirs, strict=True)]
    return _intervals(
        loss=[(difference, tokens) for difference, tokens, _ in sums],
        relative=[(difference, their_sum) for difference, _, their_sum in sums],
    )


def _intervals(**pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return each ratio of sums with its interval, resampled by piece."""
    return {name: ratio(losses).to_dict() for name, losses in pairs.items() if losses}


# ---------------------------------------------------------------- drawing the pieces


def draw_pieces(root: Path) -> GeneralText:
    """Draw `PIECES` from the held-out files below `root`, one file after the other."""
    from repobuild.model.bundled.corpus import (
        SourceFile,
        is_table,
        source_files,
        split_text,
    )

    def best_of(file: SourceFile) -> list[TextPiece]:
        drawn = (
            TextPiece(file.path, text)
            for text in split_text(file.text)
            if len(text) >= _MIN_CHARACTERS and not is_table(text)
        )
        return sorted(drawn, key=_draw_key)[:_PER_FILE]

    files = [best_of(file) for file in source_files(root, held_out=True)]
    # The first piece of every file comes before the second of any.
    in_turns = (
        piece
        for turn in range(_PER_FILE)
        for piece in sorted((f[turn] for f in files if len(f) > turn), key=_draw_key)
    )
    chosen = islice(in_turns, PIECES)
    return GeneralText(tuple(sorted(chosen, key=lambda p: (p.path, p.text))))


def _draw_key(piece: TextPiece) -> bytes:
    """Return the hash that pieces are drawn by, the smallest first."""
    text = f"{piece.path}\0{piece.text}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


def _shipped_file() -> Path:
    return data_folder("configs") / "general" / FILE


def main() -> None:
    from repobuild.model.bundled.corpus import library_root

    draw_pieces(library_root()).write(_shipped_file())


if __name__ == "__main__":
    main()
