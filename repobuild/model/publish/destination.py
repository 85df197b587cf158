"""Describe a published adapter, and the places that it can be put.

    TARGET/4f2a91c0de12/            the exported adapter of a commit, never changed
        published.json              {"version": 1, "made_by": "repobuild publish",
                                     "commit": id, "adapter": digest}
    TARGET/latest.json              the same, and "folder": where the newest one is

A server loads each commit's adapter from a folder of its own: a folder that changed
under a name would leave it with a stale prefix cache (docs/serving.md). If a commit got
another adapter since, as after a rollback, that one's folder is 4f2a91c0de12-ADAPTER.

Data come first and `published.json` last of them; then `latest.json` moves. So what it
names is complete, and a publication that was killed is repeated. It does not move back:
a job that ends late does not replace the adapter of a newer commit.

In a hub repository (hub_destination.py) each commit's adapter is a revision with a tag,
and the branch `main` is the newest one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

RECORD = "published.json"
LATEST = "latest.json"
_MADE_BY = "repobuild publish"
_COMMIT = 12  # hex digits in a name
_ADAPTER = 8
_MOST_BYTES = 10_000  # of a record

# Whether the first commit is an ancestor of the second, as far as is known here.
IsAncestor = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Release:
    """The adapter of a commit, exported into a folder with its record."""

    commit: str
    adapter: str  # digest
    source: Path

    @property
    def names(self) -> tuple[str, str]:
        """The name that it gets, and the one if another adapter has that."""
        short = self.commit[:_COMMIT]
        return short, f"{short}-{self.adapter[:_ADAPTER]}"

    @property
    def record(self) -> ReleaseRecord:
        return ReleaseRecord(self.commit, self.adapter)

    def files(self) -> list[str]:
        """Return the paths of its files, the record last."""
        paths = [path for path in self.source.rglob("*") if path.is_file()]
        names = sorted(path.relative_to(self.source).as_posix() for path in paths)
        return sorted(names, key=lambda name: name == RECORD)


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """What `published.json` and `latest.json` say."""

    commit: str
    adapter: str
    folder: str = ""

    def to_bytes(self) -> bytes:
        body = {"version": 1, "made_by": _MADE_BY, **asdict(self)}
        if not self.folder:
            del body["folder"]
        return (json.dumps(body, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, data: bytes) -> ReleaseRecord | None:
        """Return the record, None for bytes that we did not write."""
        try:
            body: dict[str, Any] = json.loads(data[:_MOST_BYTES])
            if body["made_by"] != _MADE_BY or body["version"] != 1:
                return None
            return cls(*(str(body.get(n, "")) for n in ("commit", "adapter", "folder")))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did."""

    where: str  # the folder, URL or hub revision of the adapter
    is_new: bool  # false: it was there already
    latest: str  # commit that the pointer names now


class Destination(Protocol):
    """A place to publish to."""

    def publish(self, release: Release, is_ancestor: IsAncestor) -> Published:
        """Put a release there and move the pointer, unless a newer one has it.

        Raises:
            UsageError: something there is not ours, or the place cannot be used so.
            BuildError: the place does not answer, or refuses.
        """


def moves(latest: ReleaseRecord | None, release: Release, is_older: IsAncestor) -> bool:
    """Return whether the pointer moves to a release: not back to an older commit."""
    if latest is None or latest.commit == release.commit:
        return True
    return not is_older(release.commit, latest.commit)
