"""Collect the rows that a view or a source writes, as an overlay over the table.

On a full build the stored rows are hidden: the view starts empty, and rows that it does
not put again are removed at the end. Values are packed when they are put, so that a
later change to the object has no effect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from repobuild.engine.contract import Value
from repobuild.engine.digest import TableDigest, digest, pack, unpack
from repobuild.engine.index_digest import (
    index_entry,
    read_index_digest,
    sum_index,
    write_index_digest,
)
from repobuild.engine.rule import Rule
from repobuild.engine.storage.state import State
from repobuild.engine.storage.table import RawRow, StoredIndex, StoredTable, term_number
from repobuild.engine.storage.table_writer import TableResult, TableWriter

_FEW_ROWS = 20
Keys = set[str]  # `ViewIndex.set` hides the name of the type


class ViewIndex:
    """See `contract.OwnIndex`: changed keys in memory, over the stored index."""

    def __init__(self, stored: StoredIndex | None) -> None:
        self._stored = stored
        self.changed: dict[str, frozenset[int]] = {}  # key -> term numbers
        # Term number -> the changed key that has it, or the set of them: most have one,
        # and a set takes 216 bytes.
        self._keys: dict[int, str | Keys] = {}

    def set(self, key: str, terms: Iterable[str]) -> None:
        numbers = frozenset(map(term_number, terms))
        before = self.changed.get(key, frozenset())
        for number in before - numbers:
            keys = self._written(number) - {key}
            self._keys[number] = keys.pop() if len(keys) == 1 else keys
        self.changed[key] = numbers
        for number in numbers - before:
            known = self._keys.setdefault(number, key)
            if isinstance(known, set):
                known.add(key)
            elif known != key:
                self._keys[number] = {known, key}

    def _written(self, number: int) -> Keys:
        """Return the changed keys that have a term."""
        keys = self._keys.get(number, ())
        return {keys} if isinstance(keys, str) else {*keys}

    def find(self, term: str) -> list[str]:
        number = term_number(term)
        keys = self._written(number)
        if self._stored is not None:
            stored = self._stored.find_number(number)
            keys.update(key for key in stored if key not in self.changed)
        return sorted(keys)

    def find_few(self, term: str, most: int) -> list[str] | None:
        number = term_number(term)
        written = self._keys.get(number, "")
        if isinstance(written, set) and len(written) > most:
            return None
        # Of the stored keys, at most the changed ones may have lost the term.
        stored = self._stored
        if stored and not stored.has_few(number, most + len(self.changed)):
            return None
        keys = self.find(term)
        return keys if len(keys) <= most else None


class ViewOutput:
    """See `contract.OwnTable`."""

    def __init__(self, stored: StoredTable, full: bool) -> None:
        self._stored = stored
        self._full = full
        self._puts: dict[str, bytes] = {}
        self._drops: set[str] = set()
        indexed = stored.rule.kind == "view" and not full
        self.index = ViewIndex(stored.index if indexed else None)

    def get(self, key: str) -> Value | None:
        if key in self._puts:
            return unpack(self._puts[key])
        if self._full or key in self._drops:
            return None
        return self._stored.get(key)

    def put(self, key: str, value: Value) -> None:
        self._puts[key] = pack(value)
        self._drops.discard(key)

    def drop(self, key: str) -> None:
        self._puts.pop(key, None)
        self._drops.add(key)
        self.index.set(key, ())

    def keys(self) -> Iterator[str]:
        shown = set() if self._full else set(self._stored.keys()) - self._drops
        yield from sorted(shown | self._puts.keys())

    def items(self) -> Iterator[tuple[str, Value]]:
        rows = {} if self._full else dict(self._stored.items())
        for key in self._drops:
            rows.pop(key, None)
        rows |= {key: unpack(packed) for key, packed in self._puts.items()}
        yield from sorted(rows.items())

    def put_keys(self) -> list[str]:
        """Return the keys that were put in this run, sorted."""
        return sorted(self._puts)

    def write(self, writer: TableWriter, outcome: TableResult) -> None:
        """Write the puts and drops. Runs inside the table's transaction."""
        if self._full:
            self._drops = set(self._stored.keys()) - self._puts.keys()
        rows = ((key, RawRow.inline(packed)) for key, packed in self._changed_puts())
        write_rows(writer, rows, self._drops, outcome, self._stored.rule.entries)

    def _changed_puts(self) -> Iterator[tuple[str, bytes]]:
        """Yield what was put and is not stored already.

        A view may put all of its rows again where few of them change: the others are
        neither looked up one by one nor compressed.
        """
        are_most = len(self._puts) > _FEW_ROWS and 2 * len(self._puts) > len(
            self._stored
        )
        known = dict(self._stored.digests()) if are_most else {}
        for key in sorted(self._puts):
            if known.get(key) != digest(self._puts[key]):
                yield key, self._puts[key]


def write_rows(
    writer: TableWriter,
    rows: Iterable[tuple[str, RawRow]],
    dropped: Collection[str],
    outcome: TableResult,
    entries: bool,
) -> None:
    """Write rows and drop others, and count both. Runs inside the transaction."""
    for key, row in rows:
        new, removed = writer.put(key, row, {})
        outcome.counts.built += len(new)
        outcome.counts.removed += removed
        if new or removed:
            outcome.built.append(key)
        if entries:
            outcome.add_entries(key, new)
    for key in sorted(dropped):
        if removed := writer.drop(key):
            outcome.counts.removed += removed
            outcome.removed.append(key)


def write_index(state: State, rule: Rule, index: ViewIndex, full: bool) -> None:
    """Write a view's changed terms. Runs inside the table's transaction."""
    database, name = state.database, rule.name
    if full:
        _write_whole_index(state, name, index)
        return
    if not index.changed:
        return
    total = read_index_digest(database, name) or sum_index(database, name)
    for key, numbers in index.changed.items():
        number = _key_number(state, name, key, bool(numbers))
        rows = database.execute(
            f'SELECT term FROM "terms_{name}" WHERE id = ?', (number,)
        )
        old = {term for (term,) in rows}
        if old:
            total.remove(key, index_entry(old))
        if numbers:
            total.add(key, index_entry(numbers))
        database.executemany(
            f'DELETE FROM "terms_{name}" WHERE term = ? AND id = ?',
            [(term, number) for term in old - numbers],
        )
        database.executemany(
            f'INSERT INTO "terms_{name}" VALUES (?, ?)',
            [(term, number) for term in sorted(numbers - old)],
        )
        if number and not numbers:
            database.execute(f'DELETE FROM "keys_{name}" WHERE id = ?', (number,))
    write_index_digest(database, name, total)


def _write_whole_index(state: State, name: str, index: ViewIndex) -> None:
    database = state.database
    database.execute(f'DELETE FROM "terms_{name}"')
    database.execute(f'DELETE FROM "keys_{name}"')
    keys = [key for key, numbers in index.changed.items() if numbers]
    database.executemany(
        f'INSERT INTO "keys_{name}" VALUES (?, ?)', list(enumerate(keys, 1))
    )
    # Sorted by term, rows are appended to the B-tree instead of scattered over it.
    terms = sorted(
        (term, number)
        for number, key in enumerate(keys, 1)
        for term in index.changed[key]
    )
    database.executemany(f'INSERT INTO "terms_{name}" VALUES (?, ?)', terms)
    total = TableDigest()
    for key in keys:
        total.add(key, index_entry(index.changed[key]))
    write_index_digest(database, name, total)


def _key_number(state: State, name: str, key: str, create: bool) -> int:
    """Return a key's number in the index; 0 when it has none and `create` is false."""
    row = state.database.execute(
        f'SELECT id FROM "keys_{name}" WHERE key = ?', (key,)
    ).fetchone()
    if row or not create:
        return int(row[0]) if row else 0
    cursor = state.database.execute(
        f'INSERT INTO "keys_{name}"(key) VALUES (?)', (key,)
    )
    return int(cursor.lastrowid or 0)
