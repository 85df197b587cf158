"""What an adapter knows about itself, and the chain it stands in.

Beside PEFT's two files every adapter folder holds

    repobuild.json    commit, tree, parent, base, dataset digest, recipe, steps, scores
    manifest.bin      zlib(msgpack {"version": 1, "ids": [...], "digests": bytes,
                      "taught": [[place in ids, adapter], ...]})

The manifest is what the adapter was last shown: every trained sample by id, with the
number in the chain of the adapter that learnt it if that was not the first, and 8 bytes
of its digest (64 bits: among a million samples a changed one is taken for an
unchanged one with a chance of 1 in 10^13). The next commit's delta is the difference of
two manifests. Ids are sorted, so 10,000 of them deflate to some 130 kB.

No file holds a time, a host or an absolute path: equal adapters are equal bytes.

A row of the table `adapter` repeats the small facts. Its `object` is what was trained;
`current` is what should be used: itself, or the parent when it was not promoted.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from repobuild.errors import BuildError

VERSION = 1
DIGEST = 8
ROLLBACK = "rollback"  # mode of a row that was put in the place of a commit's own

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Trained samples by id."""

    digests: Mapping[str, bytes]
    taught: Mapping[str, int] = field(default_factory=dict)  # id -> place in the chain

    @classmethod
    def of(cls, samples: Iterable[tuple[str, Mapping[str, Any]]]) -> Manifest:
        return cls({i: sample_digest(sample) for i, sample in sorted(samples)})

    @property
    def digest(self) -> str:
        """Of what is trained, whenever it was learnt."""
        return hashlib.sha256(_packed(self._body())).hexdigest()

    def write(self, folder: Path) -> None:
        body = self._body()
        taught = [
            [n, self.taught[i]] for n, i in enumerate(body["ids"]) if i in self.taught
        ]
        packed = _packed({**body, "taught": taught})
        (folder / "manifest.bin").write_bytes(zlib.compress(packed, 6))

    def _body(self) -> dict[str, Any]:
        ids = sorted(self.digests)
        joined = b"".join(self.digests[i] for i in ids)
        return {"version": VERSION, "ids": ids, "digests": joined}

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        path = folder / "manifest.bin"
        try:
            body = msgpack.unpackb(zlib.decompress(path.read_bytes()))
            if body["version"] > VERSION:
                raise BuildError(
                    f'"{path}" was written by a newer repobuild\nupdate this one'
                )
            joined, ids = body["digests"], body["ids"]
            taught = {ids[place]: number for place, number in body.get("taught", ())}
        except (
            OSError, ValueError, KeyError, TypeError, IndexError, zlib.error
        ) as error:  # fmt: skip
            raise BuildError(f'"{path}" cannot be read: {error}') from error
        parts = [joined[i * DIGEST : (i + 1) * DIGEST] for i in range(len(ids))]
        return cls(dict(zip(ids, parts, strict=True)), taught)


def sample_digest(sample: Mapping[str, Any]) -> bytes:
    """Over what is trained: not over sources, difficulty or marks."""
    names = ("task", "form", "question", "answer", "prefix", "suffix")
    body = _packed([[name, sample[name]] for name in names if name in sample])
    return hashlib.blake2b(body, digest_size=DIGEST).digest()


def _packed(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


@dataclass(frozen=True, slots=True)
class Lineage:
    """All of `repobuild.json`."""

    commit: str
    tree: str
    parent: str  # object digest of the adapter it went on from, "" = the base model
    mode: str  # first, continue or rebase
    reason: str
    base: dict[str, str]  # name, digest
    dataset: str
    recipe: dict[str, Any]
    recipe_digest: str
    chain: int  # adapters since the base model
    drift: float  # share of samples shown since the base model
    samples: dict[str, int]  # current, added, changed, removed, replayed, left out
    training: dict[str, Any]  # steps, tokens, loss curve
    scores: dict[str, float]  # held-out loss of parent and of this one
    promoted: bool
    version: int = VERSION

    def write(self, folder: Path) -> None:
        """Last of all files: a folder with `repobuild.json` is whole."""
        new = folder / "repobuild.json.new"
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        new.write_text(text + "\n", "utf-8")
        new.rename(folder / "repobuild.json")

    @classmethod
    def read(cls, folder: Path) -> Lineage:
        body = json.loads((folder / "repobuild.json").read_text("utf-8"))
        if body["version"] > VERSION:
            raise BuildError(
                f'"{folder}" was written by a newer repobuild\nupdate this one'
            )
        return cls(**body)

    def row(self, kept: Row | None) -> dict[str, Any]:
        """The row's meta; `kept` is the parent's row when that one stays current.

        The chain goes on from what is current, so its length is that one's too.
        """
        return {
            "mode": self.mode,
            "reason": self.reason,
            "parent": self.parent,
            "base": self.base["digest"],
            "dataset": self.dataset,
            "recipe": self.recipe_digest,
            "chain": kept["chain"] if kept else self.chain,
            "drift": kept["drift"] if kept else self.drift,
            "samples": self.samples,
            "steps": self.training["steps"],
            "tokens": self.training["tokens"],
            "work": self.training["tokens"],
            "scores": self.scores,
            "promoted": self.promoted,
            "current": current(kept) if kept else "",
        }


def current(row: Row) -> str:
    """Object digest of the adapter that should be used as of this row."""
    return str(row.get("current") or row["object"])
