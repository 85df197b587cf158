"""Hold what a model said: the artifact of the task `lifted`.

One file, `lifted.bin`: zlib(msgpack):

    {"version": 1,
     "known": {key: text}          every answer that was paid for; "" = none of use
     "files": {path: [digest of its row of facts, {sub: text}]}
     "labels": {id of a node: [its label when it was asked about, text]}}

A key is a digest of all that was asked, and of the model: an element that moved or came
back is not asked again.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgpack

FILE = "lifted.bin"
_MOST_BYTES = 256_000_000
DIGEST = 8  # bytes of a row's digest


@dataclass(slots=True)
class LiftedPhrases:
    """Phrases for files and their elements, and labels."""

    known: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[bytes, Mapping[str, str]]] = field(default_factory=dict)
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of_file(self, path: str, digest: bytes) -> Mapping[str, str]:
        """Return sub -> phrase of a file, as of the facts with this digest; else {}."""
        known, phrases = self.files.get(path, (b"", {}))
        return phrases if known == digest[:DIGEST] else {}

    def label(self, id: str, label: str) -> str:
        """Return what to call a node that has a label of its own; "" for no other."""
        asked, text = self.labels.get(id, ("", ""))
        return text if asked == label else ""

    def write(self, folder: Path) -> None:
        """Write the artifact's file."""
        data = {
            "version": 1,
            "known": dict(sorted(self.known.items())),
            "files": {p: [d, dict(f)] for p, (d, f) in sorted(self.files.items())},
            "labels": {id: list(pair) for id, pair in sorted(self.labels.items())},
        }
        packed = zlib.compress(msgpack.packb(data, use_bin_type=True), 6)
        (folder / FILE).write_bytes(packed)

    @classmethod
    def read(cls, folder: Path) -> LiftedPhrases:
        """Read an artifact."""
        packed = (folder / FILE).read_bytes()
        data = msgpack.unpackb(
            zlib.decompressobj().decompress(packed, _MOST_BYTES), raw=False
        )
        files = {path: (d, phrases) for path, (d, phrases) in data["files"].items()}
        labels = {id: (asked, text) for id, (asked, text) in data["labels"].items()}
        return cls(data["known"], files, labels)
