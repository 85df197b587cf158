"""Define what a rule's function receives: all that rooms use of the engine.

The engine calls four kinds of function and knows nothing else of them:

    source run(source) -> None               reads the snapshot, puts and drops its rows
    map    run(value, scope) -> value        pure; one row in, one row out
    view   run(view) -> None                 reads changed rows, puts and drops its own
    task   run(task) -> Mapping[str, Value]  writes files into task.folder, returns
                                             what its row records

The classes that implement the protocols refer to this file for their documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from repobuild.git.snapshot import Snapshot

# Plain msgpack data. A recursive type would force casts at every read of a row.
Value = Any
Change = tuple[Value | None, Value | None]  # old, new; None = there is no row
Ingredients = Mapping[str, Value]


class Scope(Protocol):
    """What a map may read besides its row."""

    @property
    def settings(self) -> Mapping[str, Value]:
        """The settings that the rule declares, by dotted name."""
        ...

    def blob(self, blob_id: str) -> bytes:
        """Return a git blob's content; raises `MissingObjectError` without it.

        A map lets this error pass: its row then fails, and is tried again.
        """
        ...


class Index(Protocol):
    """Which keys carry a term; read-only."""

    def find(self, term: str) -> list[str]:
        """Return the keys that carry `term`, sorted; false hits are rare."""
        ...

    def find_few(self, term: str, most: int) -> list[str] | None:
        """Return the keys that carry `term`, sorted; None for more than `most`.

        The cost does not depend on how many carry it.
        """
        ...


class OwnIndex(Index, Protocol):
    """The index of the table that a view writes."""

    def set(self, key: str, terms: Iterable[str]) -> None:
        """Replace the terms of `key`; no terms removes it."""
        ...


class Table(Protocol):
    """A table as of now; read-only. Its values are shared: never change them."""

    @property
    def index(self) -> Index:
        """The index of a view's table."""
        ...

    def get(self, key: str) -> Value | None:
        """Return the value of a row, or None when there is none."""
        ...

    def keys(self) -> Iterator[str]:
        """Yield all keys, sorted."""
        ...

    def items(self) -> Iterator[tuple[str, Value]]:
        """Yield all keys with their values, sorted by key."""
        ...

    def digests(self) -> Iterator[tuple[str, bytes]]:
        """Yield all keys with the digests of their rows, sorted; decodes none."""
        ...

    def entries(self) -> Iterator[tuple[str, Value]]:
        """Yield logical rows: (key + sub, item) for a rule with `entries = true`."""
        ...

    def __contains__(self, key: object) -> bool:
        """Return whether there is a row with this key."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...


class OwnTable(Protocol):
    """The table that a source or a view writes."""

    @property
    def index(self) -> OwnIndex:
        """The index of the table; only views have a stored one."""
        ...

    def get(self, key: str) -> Value | None:
        """Return a row's value as of now, puts and drops included."""
        ...

    def put(self, key: str, value: Value) -> None:
        """Write a row. The value is packed at once: later changes to it are lost."""
        ...

    def drop(self, key: str) -> None:
        """Remove a row and its terms; no error when there is none."""
        ...

    def keys(self) -> Iterator[str]:
        """Yield all keys as of now, sorted."""
        ...

    def items(self) -> Iterator[tuple[str, Value]]:
        """Yield all keys with their values as of now, sorted by key."""
        ...


class Source(Protocol):
    """What a source's function receives."""

    @property
    def snapshot(self) -> Snapshot:
        """The commit or work tree that is built."""
        ...

    @property
    def settings(self) -> Mapping[str, Value]:
        """The settings that the rule declares, by dotted name."""
        ...

    @property
    def own(self) -> OwnTable:
        """The table that the source writes."""
        ...

    @property
    def full(self) -> bool:
        """True when the table starts empty."""
        ...

    @property
    def last(self) -> str:
        """The tree id or lineage of the last build; "" when the table starts empty."""
        ...

    @property
    def warn(self) -> Callable[[str, str], None]:
        """Report something about a key: the build goes on."""
        ...

    def fail(self, key: str, problem: object) -> None:
        """Report a row that cannot be made now; the next build tries it again."""
        ...


class View(Protocol):
    """What a view's function receives."""

    @property
    def settings(self) -> Mapping[str, Value]:
        """The settings that the rule declares, untracked ones included."""
        ...

    @property
    def own(self) -> OwnTable:
        """The table that the view writes."""
        ...

    @property
    def full(self) -> bool:
        """True when the view starts empty and every row arrives as added."""
        ...

    def changes(self, table: str) -> Mapping[str, Change]:
        """Return the rows of an input that changed since the view was last built."""
        ...

    def table(self, name: str) -> Table:
        """Return an input; raises `KeyError` for a table that is not declared."""
        ...

    def with_extensions(self, name: str) -> tuple[str, ...]:
        """Return the name of a declared table and of the tables that extend it."""
        ...

    def blob(self, blob_id: str) -> bytes:
        """Return a git blob's content; raises `MissingObjectError` without it."""
        ...

    def fail(self, table: str, key: str, problem: object) -> None:
        """Report a row of an input from which no row can be made now.

        It arrives as changed in the next build again.
        """
        ...


class Progress(Protocol):
    """A progress bar."""

    def advance(self, count: int = 1) -> None:
        """Count finished steps."""
        ...

    def note(self, text: str) -> None:
        """Show a few words beside the bar (a loss, a file)."""
        ...

    def expect(self, total: int) -> None:
        """Replace the number of steps by a better estimate."""
        ...


# Shows a bar with a label and a number of steps (0 = unknown).
ShowProgress = Callable[[str, int], AbstractContextManager[Progress]]


class Task(Protocol):
    """What a task's function receives."""

    @property
    def settings(self) -> Mapping[str, Value]:
        """The settings that the rule declares, untracked ones included."""
        ...

    @property
    def commit(self) -> str:
        """The commit that is built."""
        ...

    @property
    def tree(self) -> str:
        """The tree that is built."""
        ...

    @property
    def key(self) -> str:
        """Hex digest of everything that the result may depend on."""
        ...

    @property
    def follows(self) -> str:
        """The artifact that a chain continues at this commit; "" for none."""
        ...

    @property
    def folder(self) -> Path:
        """The folder to write the artifact into.

        It survives a kill, so that a training finds its checkpoint.
        """
        ...

    @property
    def logs(self) -> Path:
        """The folder for logs that are watched meanwhile; kept, but no artifact."""
        ...

    def table(self, name: str) -> Table:
        """Return an input; raises `KeyError` for a table that is not declared."""
        ...

    def with_extensions(self, name: str) -> tuple[str, ...]:
        """Return the name of a declared table and of the tables that extend it."""
        ...

    def object(self, digest: str) -> Path:
        """Return a stored artifact's folder; raises `KeyError` when absent or bad."""
        ...

    def rows(self, table: str) -> Mapping[str, Mapping[str, Value]]:
        """Return all rows of a table by key; its own table is allowed, too."""
        ...

    def ancestors(self) -> Iterator[str]:
        """Yield the commit's first-parent ancestors, nearest first."""
        ...

    def progress(self, label: str, total: int) -> AbstractContextManager[Progress]:
        """Show a progress bar over `total` steps."""
        ...

    def event(self, name: str, **fields: Value) -> None:
        """Append an event to the event log."""
        ...
