"""What a rule's function receives: the whole surface between the engine and the rooms.

The engine calls four kinds of function and knows nothing else of them:

    source run(source) -> None               reads the snapshot, puts and drops its rows
    map    run(value, scope) -> value        pure; one row in, one row out
    view   run(view) -> None                 reads changed rows, puts and drops its own
    task   run(task) -> Mapping[str, Value]  writes files into task.folder, gives meta
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from repobuild.git.snapshot import Snapshot

# Plain msgpack data. A recursive type would force casts at every read of a row.
Value = Any
Change = tuple[Value | None, Value | None]
Ingredients = Mapping[str, Value]


class Scope(Protocol):
    """What a map may see besides its row."""

    @property
    def settings(self) -> Mapping[str, Value]:
        """The settings that the rule declares, by dotted name."""
        ...

    def blob(self, blob_id: str) -> bytes:
        """Content of a git blob; raises `KeyError` when the repository lacks it."""
        ...


class Index(Protocol):
    """Which keys carry a term, read only."""

    def find(self, term: str) -> list[str]:
        """Return the keys that carry `term`, sorted; may hold rare false hits."""
        ...


class OwnIndex(Index, Protocol):
    def set(self, key: str, terms: Iterable[str]) -> None:
        """Replace the terms of `key`; no terms removes it."""
        ...


class Table(Protocol):
    """A table as of now, read only."""

    @property
    def index(self) -> Index: ...

    def get(self, key: str) -> Value | None: ...

    def keys(self) -> Iterator[str]: ...

    def items(self) -> Iterator[tuple[str, Value]]: ...

    def entries(self) -> Iterator[tuple[str, Value]]:
        """Yield logical rows: (key + sub, item) for a rule with `entries = true`."""
        ...

    def __contains__(self, key: object) -> bool: ...

    def __len__(self) -> int: ...


class OwnTable(Protocol):
    """The rows that a view keeps."""

    @property
    def index(self) -> OwnIndex: ...

    def get(self, key: str) -> Value | None: ...

    def put(self, key: str, value: Value) -> None: ...

    def drop(self, key: str) -> None: ...

    def keys(self) -> Iterator[str]: ...


class Source(Protocol):
    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def settings(self) -> Mapping[str, Value]: ...

    @property
    def own(self) -> OwnTable: ...

    @property
    def full(self) -> bool:
        """True when the table starts empty."""
        ...

    @property
    def last(self) -> str:
        """What it was last made of: a tree id or a lineage; "" when it starts empty."""
        ...


class View(Protocol):
    @property
    def settings(self) -> Mapping[str, Value]: ...

    @property
    def own(self) -> OwnTable: ...

    @property
    def full(self) -> bool:
        """True when the view starts empty and every row arrives as added."""
        ...

    def changes(self, table: str) -> Mapping[str, Change]: ...

    def table(self, name: str) -> Table: ...

    def joined(self, name: str) -> tuple[str, ...]:
        """Names of a table that the rule declares, and of those that join it."""
        ...

    def blob(self, blob_id: str) -> bytes: ...


class Progress(Protocol):
    def advance(self, count: int = 1) -> None: ...

    def note(self, text: str) -> None:
        """Show a few words beside the bar (a loss, a file)."""
        ...


class Task(Protocol):
    @property
    def settings(self) -> Mapping[str, Value]: ...

    @property
    def commit(self) -> str: ...

    @property
    def tree(self) -> str: ...

    @property
    def key(self) -> str:
        """Hex digest of everything that the result may depend on."""
        ...

    @property
    def folder(self) -> Path:
        """Where to write; survives a kill, so that training finds its checkpoint."""
        ...

    @property
    def logs(self) -> Path:
        """Where to write what is watched meanwhile: kept, but part of no artifact."""
        ...

    def table(self, name: str) -> Table: ...

    def joined(self, name: str) -> tuple[str, ...]:
        """Names of a table that the rule declares, and of those that join it."""
        ...

    def object(self, digest: str) -> Path:
        """Folder of a stored artifact; raises `KeyError` when absent or corrupt."""
        ...

    def rows(self, table: str) -> Mapping[str, Mapping[str, Value]]: ...

    def ancestors(self) -> Iterator[str]:
        """Yield the commit's first-parent ancestors, nearest first."""
        ...

    def progress(self, label: str, total: int) -> AbstractContextManager[Progress]: ...

    def event(self, name: str, **fields: Value) -> None: ...
