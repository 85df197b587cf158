"""Say what a build asks of rows and artifacts that others made: the shared cache.

The engine knows no network. It asks for three things, each by everything that the
result depends on, and takes what it gets for its own:

    memo_rows       results of a map that the memo lacks     when many are missing
    view_rows       all rows of a view, with its index       when it starts afresh
    fetch_artifacts artifacts with their notes               before one is made

An implementation (repobuild/remote) returns only rows whose digests it has checked, and
never raises for what a remote does: nothing found means that the build goes on alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from repobuild.engine.rule import Rule
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.table import RawRow

# Fewer missing rows of a known table are computed: the look-up would cost as much.
ASK_ABOVE = 50


class MemoRow(NamedTuple):
    """A map's result in its stored form; `digest` is empty where it made no row."""

    key: bytes  # memo key
    digest: bytes
    stored: bytes


@dataclass(frozen=True, slots=True)
class ViewRows:
    """All rows of a view, and its index: key -> term numbers."""

    rows: Mapping[str, RawRow]
    index: Mapping[str, frozenset[int]]


class SharedRows(Protocol):
    """Rows and artifacts that others have made."""

    def memo_rows(
        self, rule: Rule, manifest: bytes, commit: str, wanted: Mapping[str, bytes]
    ) -> Iterator[Sequence[MemoRow]]:
        """Yield results of a map; `wanted` is row key -> memo key."""
        ...

    def view_rows(
        self, rule: Rule, manifest: bytes, commit: str, key: str
    ) -> ViewRows | None:
        """Return a view's rows; `key` is the digest of manifest and inputs."""
        ...

    def fetch_artifacts(
        self,
        rule: Rule,
        manifest: bytes,
        names: Sequence[str],
        store: ArtifactStore,
    ) -> None:
        """Store the artifacts of the first of these rows that is found, with notes."""
        ...
