"""Read and write an adapter's own record: its lineage and the manifest of its samples.

Beside PEFT's two files every adapter folder holds

    repobuild.json    commit, tree, parent, base, dataset digest, recipe, steps, scores
    manifest.bin      zlib(msgpack {"version": 1, "ids": [...], "digests": bytes,
                      "facts": [[fact, box, adapter], ...]})

The manifest lists every sample that may be taught, by id, with 8 bytes of its digest
(64 bits: among a million samples a changed one passes for unchanged with a chance of 1
in 10^13). `facts` are those that were begun: right answers in a row (scheduler.py),
the number of the adapter that looked at it last, counted from the base model, and, if
the answer replaced another one, in a fourth place that of the adapter that taught it
first. The next commit's delta is the difference of two manifests. Ids are sorted, so
that 10,000 of them deflate to some 130 kB.

No file holds a time, a host or an absolute path: equal adapters are equal bytes.

A row of the table `adapter` repeats the small facts. `object` is the digest of the
trained adapter. `current` is the digest of the one to use: empty for `object` itself,
or the parent's when this adapter was not promoted.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgpack

from repobuild.errors import BuildError

VERSION = 1
DIGEST = 8  # bytes
ROLLBACK = "rollback"  # mode of a row that replaces a commit's own row

Row = Mapping[str, Any]


class Known(NamedTuple):
    """What an adapter is known to know of a fact that it was taught."""

    box: int  # right answers in a row
    looked: int  # number of the adapter that was asked last
    replaced: int = 0  # of the one that taught this answer in place of another


@dataclass(frozen=True, slots=True)
class Manifest:
    """The samples of an adapter, and the facts that it was taught."""

    digests: Mapping[str, bytes]  # by id
    facts: Mapping[str, Known] = field(default_factory=dict)  # by id

    @property
    def digest(self) -> str:
        """SHA-256 of ids and samples, whatever was taught of them so far."""
        return hashlib.sha256(_packed(self._body())).hexdigest()

    def write(self, folder: Path) -> None:
        body = self._body()
        facts = [
            [fact, *(known if known.replaced else known[:2])]
            for fact, known in sorted(self.facts.items())
        ]
        packed = _packed({**body, "facts": facts})
        (folder / "manifest.bin").write_bytes(zlib.compress(packed, 6))

    def _body(self) -> dict[str, Any]:
        ids = sorted(self.digests)
        joined = b"".join(self.digests[i] for i in ids)
        return {"version": VERSION, "ids": ids, "digests": joined}

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read an adapter's manifest; raises `BuildError` when it is damaged."""
        path = folder / "manifest.bin"
        try:
            body = msgpack.unpackb(zlib.decompress(path.read_bytes()))
            if body["version"] > VERSION:
                raise BuildError(
                    f'"{path}" was written by a newer repobuild\nupdate this one'
                )
            joined, ids = body["digests"], body["ids"]
            facts = {fact: Known(*known) for fact, *known in body.get("facts", ())}
        except (
            OSError, ValueError, KeyError, TypeError, IndexError, zlib.error
        ) as error:  # fmt: skip
            raise BuildError(f'"{path}" cannot be read: {error}') from error
        parts = [joined[i * DIGEST : (i + 1) * DIGEST] for i in range(len(ids))]
        return cls(dict(zip(ids, parts, strict=True)), facts)


def sample_digest(sample: Mapping[str, Any]) -> bytes:
    """Hash what is trained: neither sources nor difficulty nor scores."""
    names = ("task", "form", "question", "answer", "prefix", "suffix")
    body = _packed([[name, sample[name]] for name in names if name in sample])
    return hashlib.blake2b(body, digest_size=DIGEST).digest()


def _packed(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


@dataclass(frozen=True, slots=True)
class Lineage:
    """The content of `repobuild.json`."""

    commit: str
    tree: str
    parent: str  # object digest of the continued adapter, "" = the base model
    mode: str  # first, continue or rebase
    reason: str
    base: dict[str, str]  # name, digest
    dataset: str
    recipe: dict[str, Any]
    recipe_digest: str
    chain: int  # adapters since the base model
    drift: float  # share of samples that changed since the base model
    samples: dict[str, int]  # current, added, changed, removed, trained, left out
    training: dict[str, Any]  # steps, tokens, loss curve
    scores: dict[str, float]  # held-out loss of the parent and of this adapter
    promoted: bool
    budget: int = 0  # tokens that the step was allowed
    coverage: dict[str, float] = field(default_factory=dict)  # see Coverage
    # What a strategy that does not train made it of; empty for a trained adapter.
    generated: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION

    def write(self, folder: Path) -> None:
        """Write it, as the last file: a folder with `repobuild.json` is complete."""
        new = folder / "repobuild.json.new"
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        new.write_text(text + "\n", "utf-8")
        new.rename(folder / "repobuild.json")

    @classmethod
    def read(cls, folder: Path) -> Lineage:
        """Read an adapter's record; raises `BuildError` for a newer format."""
        body = json.loads((folder / "repobuild.json").read_text("utf-8"))
        if body["version"] > VERSION:
            raise BuildError(
                f'"{folder}" was written by a newer repobuild\nupdate this one'
            )
        return cls(**body)

    def to_row(self, kept: Row | None) -> dict[str, Any]:
        """Return the row's fields; `kept` is the parent's row when it stays current.

        The next step continues the current adapter, so that the row has its chain
        length and drift.
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
            "budget": self.budget,
            "coverage": self.coverage,
            **({"generated": self.generated} if self.generated else {}),
            "current": current_digest(kept) if kept else "",
        }


def current_digest(row: Row) -> str:
    """Return the object digest of the adapter to use at this row's commit."""
    return str(row.get("current") or row["object"])
