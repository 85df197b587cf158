"""Writing a table's rows: compare, write, count, and tell the consumers.

Everything here runs under the lock and inside one transaction per table, so that the
rows, the running digest and the news of them are whole or absent together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repobuild.engine.digest import TableDigest, inflate, names, pack, unpack
from repobuild.engine.rule import Rule
from repobuild.engine.storage.state import State, TableLine
from repobuild.engine.storage.table import RawRow, StoredTable

_DETAILED_ROWS = 2_000  # a build that changed more keeps no old values for `why`


@dataclass
class RowCounts:
    """Logical rows of one table in one build."""

    built: int = 0
    memo: int = 0
    removed: int = 0
    unchanged: int = 0
    seconds: float = 0.0


@dataclass
class TableResult:
    """What happened to a table: counts, and which physical rows for the event log."""

    table: str
    counts: RowCounts = field(default_factory=RowCounts)
    built: list[str] = field(default_factory=list)
    memo: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class TableWriter:
    """Collects the changes of one table; `finish` writes its line."""

    def __init__(
        self,
        state: State,
        rule: Rule,
        table: StoredTable,
        consumers: Sequence[str],
        build: int,
    ) -> None:
        self._state = state
        self._rule = rule
        self._table = table
        self._consumers = list(consumers)
        self._build = build
        line = state.line(rule.name)
        self._digest = TableDigest(line.digest if line else b"")
        self._rows = line.rows if line else 0
        self._entries = line.entries if line else 0
        self.changed = 0
        self._empty = self._rows == 0  # then there is no old row to look for

    @property
    def noted(self) -> bool:
        """Whether every change so far is kept for `why`."""
        return bool(self._build) and self.changed <= _DETAILED_ROWS

    def put(
        self, key: str, row: RawRow, detail: dict[str, Any], seen: bytes | None = None
    ) -> tuple[list[str], int]:
        """Write a row; return the new logical rows' subs and how many went.

        A row that is equal to what is there costs one look-up and nothing else. `seen`
        is the old value of a row whose value is not stored, for the consumers.
        """
        old = None if self._empty else self._table.raw(key)
        if old and old.digest == row.digest:
            self._touch(key, old, row)
            return [], 0
        new, gone, by = self._difference(old, row)
        self._account(key, old, row, by)
        self._state.database.execute(
            f'INSERT OR REPLACE INTO "rows_{self._rule.name}" VALUES (?, ?, ?, ?)',
            (key, row.digest, row.memo, row.value),
        )
        self._tell(key, old, detail, seen)
        return new, gone

    def drop(self, key: str, seen: bytes | None = None) -> int:
        """Remove a row; return how many logical rows went."""
        old = self._table.raw(key)
        if old is None:
            return 0
        before = self._items(old)
        self._account(key, old, None, -len(before))
        self._state.database.execute(
            f'DELETE FROM "rows_{self._rule.name}" WHERE key = ?', (key,)
        )
        self._tell(key, old, {"gone": True}, seen)
        return len(before)

    def finish(self, line: TableLine) -> TableLine:
        """Write the table's line with its running digest and counts."""
        final = replace(
            line, digest=self._digest.state(), rows=self._rows, entries=self._entries
        )
        self._state.write_line(final)
        self._table.forget()
        return final

    def _touch(self, key: str, old: RawRow, row: RawRow) -> None:
        # The same value under another memo entry (a comment changed, a version rose):
        # the row must name the entry that is alive, or gc would take its value away.
        if row.memo != old.memo:
            self._state.database.execute(
                f'UPDATE "rows_{self._rule.name}" SET memo = ? WHERE key = ?',
                (row.memo, key),
            )
            self._leave(old)

    def _account(
        self, key: str, old: RawRow | None, new: RawRow | None, by: int
    ) -> None:
        if old:
            self._digest.remove(key, old.digest)
            self._rows -= 1
            self._leave(old)
        if new:
            self._digest.add(key, new.digest)
            self._rows += 1
        self._entries += by
        self.changed += 1

    def _leave(self, row: RawRow) -> None:
        """Note when a memo entry was last used by this row; gc goes by it."""
        if row.memo is not None:
            self._state.database.execute(
                "INSERT OR REPLACE INTO idle VALUES (?, ?)", (row.memo, self._build)
            )

    def _difference(
        self, old: RawRow | None, row: RawRow
    ) -> tuple[list[str], int, int]:
        """Return the new logical rows' subs, how many went, how many more there are."""
        if old is None:
            subs = self._subs(row)
            return subs, 0, len(subs)
        before, after = self._items(old), self._items(row)
        new = [sub for sub in after if before.get(sub) != after[sub]]
        gone = sum(1 for sub in before if sub not in after)
        return new, gone, len(after) - len(before)

    def _subs(self, row: RawRow) -> list[str]:
        if not self._rule.entries:
            return [""]
        stored = self._table.stored(row)
        return names(inflate(stored)) if stored else []

    def _items(self, row: RawRow | None) -> dict[str, Any]:
        if row is None:
            return {}
        if not self._rule.entries:
            return {"": row.digest}
        stored = self._table.stored(row)
        return dict(unpack(inflate(stored))) if stored else {}

    def _tell(
        self, key: str, old: RawRow | None, detail: dict[str, Any], seen: bytes | None
    ) -> None:
        stored = self._table.stored(old) if old and self._rule.stored else seen
        for consumer in self._consumers:
            # Unseen news keep the oldest value: that is what the consumer last saw.
            self._state.database.execute(
                "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)",
                (consumer, self._rule.name, key, stored),
            )
        self._note(key, old, stored, detail)

    def _note(
        self, key: str, old: RawRow | None, stored: bytes | None, detail: dict[str, Any]
    ) -> None:
        if not self.noted:
            return
        noted = {
            **detail,
            "was": old.digest if old else b"",
            "old": stored if self._rule.kind != "map" else None,
            "memo": old.memo if old else None,
        }
        self._state.database.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?)",
            (self._build, self._rule.name, key, pack(noted)),
        )
