"""An in-memory view, so that a view's function is tested without a repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from repobuild.engine.digest import digest, pack


class MemoryIndex:
    def __init__(self) -> None:
        self.terms: dict[str, set[str]] = {}

    def set(self, key: str, terms: Iterable[str]) -> None:
        self.terms[key] = set(terms)

    def find_few(self, term: str, most: int) -> list[str] | None:
        keys = self.find(term)
        return keys if len(keys) <= most else None

    def find(self, term: str) -> list[str]:
        return sorted(key for key, terms in self.terms.items() if term in terms)


class MemoryTable:
    def __init__(self, rows: Mapping[str, Any] | None = None) -> None:
        self.rows: dict[str, Any] = dict(rows or {})
        self.index = MemoryIndex()

    def get(self, key: str) -> Any | None:
        return self.rows.get(key)

    def put(self, key: str, value: Any) -> None:
        self.rows[key] = value

    def drop(self, key: str) -> None:
        self.rows.pop(key, None)
        self.index.set(key, ())

    def keys(self) -> Iterator[str]:
        return iter(sorted(self.rows))

    def items(self) -> Iterator[tuple[str, Any]]:
        return iter(sorted(self.rows.items()))

    def digests(self) -> Iterator[tuple[str, bytes]]:
        for key, value in self.items():
            yield key, digest(pack(value))

    def entries(self) -> Iterator[tuple[str, Any]]:
        for key, value in self.items():
            for sub, item in value.items():
                yield key + sub, item

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __len__(self) -> int:
        return len(self.rows)


class MemoryView:
    """Feed `advance` with new rows of the inputs; `own` then holds the view's rows."""

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        blobs: Mapping[str, bytes] | None = None,
    ) -> None:
        self.settings = dict(settings or {})
        self.own = MemoryTable()
        self.full = True
        self.blobs = dict(blobs or {})
        self.tables: dict[str, MemoryTable] = {}
        self.pending: dict[str, dict[str, tuple[Any, Any]]] = {}

    def advance(self, **tables: Mapping[str, Any]) -> MemoryView:
        """Replace input tables by these rows and keep what changed, for one run."""
        self.pending = {}
        for name, rows in tables.items():
            old = self.tables.get(name, MemoryTable()).rows
            keys = sorted(set(old) | set(rows))
            changed = {
                key: (old.get(key), rows.get(key))
                for key in keys
                if old.get(key) != rows.get(key)
            }
            self.pending[name] = changed
            table = self.tables.setdefault(name, MemoryTable())
            table.rows = dict(rows)
        self.full = not self.own.rows
        return self

    def changes(self, table: str) -> dict[str, tuple[Any, Any]]:
        return self.pending.get(table, {})

    def table(self, name: str) -> MemoryTable:
        return self.tables.setdefault(name, MemoryTable())

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return (name,)

    def blob(self, blob_id: str) -> bytes:
        return self.blobs[blob_id]
