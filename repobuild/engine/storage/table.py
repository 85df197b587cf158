"""Read tables as rules and verbs see them.

A row's value is stored inline (source, view, task) or in the memo (map). A rule with
`stored = false` keeps only `{sub: digest}` there; its values are rendered again from
the input row, which keeps a hundred thousand samples off the disk.

Values that a table returns are shared: read them, never change them.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from repobuild.engine.contract import Change, Value
from repobuild.engine.digest import deflate, digest, inflate, names, unpack
from repobuild.engine.rule import Rule
from repobuild.engine.storage.state import State

Render = Callable[[str], Value | None]
_CACHED_ROWS = 2_000
_DECODED_ROWS = 20_000  # of the changes of one input: facts take some 20 kB each
_TERM_BYTES = 6  # 48 bits: a false hit in 500,000 terms is rare and costs one look-up


class DamageError(sqlite3.DatabaseError):
    """A value does not match its digest; has the error code of a damaged page."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def checked(stored: bytes, known: bytes) -> bytes:
    """Return the packed bytes of a stored value after checking the row's digest.

    Raises:
        DamageError: they do not match.
    """
    try:
        packed = inflate(stored)
    except zlib.error as error:
        raise DamageError(f"a value cannot be inflated: {error}") from error
    if digest(packed) != known:
        raise DamageError("a value does not match its digest")
    return packed


def term_number(term: str) -> int:
    """Return the number under which the index keeps a term."""
    data = term.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=_TERM_BYTES).digest(), "big")


def own_key(table: str, key: str) -> str:
    """Return a key without the `TABLE//` that other tables may put before it."""
    return key.removeprefix(f"{table}//")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row in its stored form."""

    digest: bytes
    memo: int | None  # the memo entry that holds the value of a map's row
    value: bytes | None  # the stored value of any other row

    @classmethod
    def inline(cls, packed: bytes) -> RawRow:
        """Return the row that holds a packed value itself, not in the memo."""
        return cls(digest(packed), None, deflate(packed))


class StoredIndex:
    """See `contract.Index`: the index of a view, as of its last build."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        self._database = database
        self._query = (
            f'SELECT k.key FROM "terms_{table}" t JOIN "keys_{table}" k ON k.id = t.id '
            "WHERE t.term = ? ORDER BY k.key"
        )
        self._counted = f'SELECT 1 FROM "terms_{table}" WHERE term = ? LIMIT ?'

    def find(self, term: str) -> list[str]:
        return self.find_number(term_number(term))

    def find_number(self, number: int) -> list[str]:
        """Return the keys that carry the term with this number, sorted."""
        return [key for (key,) in self._database.execute(self._query, (number,))]

    def find_few(self, term: str, most: int) -> list[str] | None:
        number = term_number(term)
        return self.find_number(number) if self.has_few(number, most) else None

    def has_few(self, number: int, most: int) -> bool:
        """Return whether at most `most` keys carry the term with this number."""
        rows = self._database.execute(self._counted, (number, most + 1))
        return len(rows.fetchall()) <= most


class StoredTable:
    """See `contract.Table`. Adds access to the stored form of its rows."""

    def __init__(self, state: State, rule: Rule, render: Render | None = None) -> None:
        self.rule = rule
        self._state = state
        self._database = state.database
        self._name = rule.name
        self._render = render
        self._cache: OrderedDict[str, Value | None] = OrderedDict()
        state.rows_of(rule.name, index=rule.kind == "view")

    @property
    def index(self) -> StoredIndex:
        return StoredIndex(self._database, self._name)

    def raw(self, key: str) -> RawRow | None:
        """Return a row in its stored form."""
        row = self._database.execute(
            f'SELECT digest, memo, value FROM "rows_{self._name}" WHERE key = ?', (key,)
        ).fetchone()
        return RawRow(*row) if row else None

    def get(self, key: str) -> Value | None:
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        row = self.raw(key)
        value = self.value(key, row) if row else None
        self._cache[key] = value
        if len(self._cache) > _CACHED_ROWS:
            self._cache.popitem(last=False)
        return value

    def value(self, key: str, row: RawRow) -> Value | None:
        """Return the value of a stored row; render it when it is not stored."""
        if not self.rule.stored and self._render is not None:
            return self._render(key)
        stored = self.stored(row)
        return unpack(checked(stored, row.digest)) if stored else None

    def stored(self, row: RawRow) -> bytes | None:
        """Return the bytes stored for a row: its value, or its entries' digests."""
        if row.memo is None:
            return row.value
        fetched = self._database.execute(
            "SELECT value FROM memo WHERE id = ?", (row.memo,)
        ).fetchone()
        return fetched[0] if fetched else None

    def subs(self, key: str) -> list[str]:
        """Return the sub keys of a row with entries, without decoding these."""
        row = self.raw(key)
        stored = self.stored(row) if row else None
        return names(inflate(stored)) if stored else []

    def find(self, logical: str) -> tuple[str, str] | None:
        """Return (key, sub) of a logical key, or None; TABLE//KEY is accepted."""
        logical = own_key(self._name, logical)
        if logical in self:
            if not self.rule.entries or "" in self.subs(logical):
                return logical, ""
        for end in range(len(logical) - 1, 0, -1):
            if logical[end] in "#: " and logical[:end] in self:
                key, sub = logical[:end], logical[end:]
                if sub in self.subs(key):
                    return key, sub
        return None

    def forget(self) -> None:
        """Drop cached values after the table's rows were written."""
        self._cache.clear()

    def keys(self) -> Iterator[str]:
        query = f'SELECT key FROM "rows_{self._name}" ORDER BY key'
        for (key,) in self._database.execute(query).fetchall():
            yield key

    def raw_items(self) -> Iterator[tuple[str, RawRow]]:
        """Yield all keys with their rows in stored form, sorted by key."""
        query = f'SELECT key, digest, memo, value FROM "rows_{self._name}" ORDER BY key'
        for key, *row in self._database.execute(query):
            yield key, RawRow(*row)

    def digests(self) -> Iterator[tuple[str, bytes]]:
        query = f'SELECT key, digest FROM "rows_{self._name}" ORDER BY key'
        yield from self._database.execute(query)

    def items(self) -> Iterator[tuple[str, Value]]:
        if not self.rule.stored:
            for key in self.keys():
                yield key, self.get(key)
            return
        query = (
            f"SELECT r.key, r.digest, coalesce(r.value, m.value) "
            f'FROM "rows_{self._name}" r LEFT JOIN memo m ON m.id = r.memo '
            "ORDER BY r.key"
        )
        for key, known, stored in self._database.execute(query):
            yield key, unpack(checked(stored, known)) if stored else None

    def entries(self) -> Iterator[tuple[str, Value]]:
        for key, value in self.items():
            for sub, item in (value or {}).items():
                yield key + sub, item

    def __contains__(self, key: object) -> bool:
        query = f'SELECT 1 FROM "rows_{self._name}" WHERE key = ?'
        return self._database.execute(query, (key,)).fetchone() is not None

    def __len__(self) -> int:
        query = f'SELECT count(*) FROM "rows_{self._name}"'
        return int(self._database.execute(query).fetchone()[0])


class RowChanges(Mapping[str, Change]):
    """Changed rows of an input, key -> (old, new), decoded on first access.

    Decoded rows are cached: a view goes over its changes more than once, and on a full
    build of 2,374 files each pass over the facts costs 0.5 s. Only the first
    `_DECODED_ROWS` are, which bounds the memory. Rendered rows are not: all samples of
    the standard library take 400 MB and are read once.
    """

    def __init__(
        self, table: StoredTable, keys: Sequence[str], old: Mapping[str, bytes | None]
    ) -> None:
        self._table = table
        self._keys: dict[str, Change | None] = dict.fromkeys(keys)
        self._decoded = 0
        self._old = old

    def __getitem__(self, key: str) -> Change:
        known = self._keys[key]
        if known is None:
            stored = self._old.get(key)
            old = unpack(inflate(stored)) if stored else None
            known = (old, self._table.get(key))
            if self._table.rule.stored and self._decoded < _DECODED_ROWS:
                self._decoded += 1
                self._keys[key] = known
        return known

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def pending_rows(state: State, consumer: str, source: str) -> dict[str, bytes | None]:
    """Return the rows of `source` that `consumer` has not seen: key -> stored old."""
    rows = state.database.execute(
        "SELECT key, old FROM pending WHERE consumer = ? AND source = ? ORDER BY key",
        (consumer, source),
    )
    return dict(rows.fetchall())
