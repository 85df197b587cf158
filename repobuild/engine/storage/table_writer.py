"""Write a table's rows: compare, write, count, and make changes pending for consumers.

Everything here runs under the lock and inside one transaction per table, so that the
rows, the table's digest and the pending rows are written together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from repobuild.engine.digest import TableDigest, inflate, names, pack, unpack
from repobuild.engine.rule import Rule
from repobuild.engine.storage.state import State, TableRecord
from repobuild.engine.storage.table import RawRow, StoredTable

_LISTED_ENTRIES = 10_000
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
    """What a build did to a table: counts of logical rows, keys of physical ones.

    `entries` lists the first logical rows that are new, for a rule with entries: a full
    build makes hundreds for each file, and only the event log lists them.
    """

    table: str
    counts: RowCounts = field(default_factory=RowCounts)
    built: list[str] = field(default_factory=list)
    memo: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add_entries(self, key: str, subs: Sequence[str]) -> None:
        """Note new logical rows of a physical one."""
        if len(self.entries) < _LISTED_ENTRIES:
            self.entries += [key + sub for sub in subs]


class RowDiff(NamedTuple):
    """How the logical rows of a row changed."""

    new: list[str]  # their sub keys
    removed: int


class TableWriter:
    """Writes changed rows of one table at once; `finish` writes its line."""

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
        self._is_empty = self._rows == 0  # then there is no old row to read

    @property
    def noted(self) -> bool:
        """Return whether every change so far is kept for `why`."""
        return bool(self._build) and self.changed <= _DETAILED_ROWS

    def put(
        self,
        key: str,
        row: RawRow,
        detail: dict[str, Any],
        old_value: bytes | None = None,
    ) -> RowDiff:
        """Write a row; return what it changed.

        A row that equals the stored one costs one look-up and nothing else. `old_value`
        is the stored form of the old value when the rule does not store values.
        """
        old = None if self._is_empty else self._table.raw(key)
        if old and old.digest == row.digest:
            self._update_memo(key, old, row)
            return RowDiff([], 0)
        diff, growth = self._difference(old, row)
        self._account(key, old, row, growth)
        self._state.database.execute(
            f'INSERT OR REPLACE INTO "rows_{self._rule.name}" VALUES (?, ?, ?, ?)',
            (key, row.digest, row.memo, row.value),
        )
        self._publish(key, old, detail, old_value)
        return diff

    def drop(self, key: str, old_value: bytes | None = None) -> int:
        """Remove a row; return how many logical rows were removed."""
        old = self._table.raw(key)
        if old is None:
            return 0
        before = self._items(old)
        self._account(key, old, None, -len(before))
        self._state.database.execute(
            f'DELETE FROM "rows_{self._rule.name}" WHERE key = ?', (key,)
        )
        self._publish(key, old, {"gone": True}, old_value)
        return len(before)

    def finish(self, line: TableRecord) -> TableRecord:
        """Write the table's line with its digest and counts filled in."""
        final = replace(
            line, digest=self._digest.state(), rows=self._rows, entries=self._entries
        )
        self._state.write_line(final)
        self._table.forget()
        return final

    def _update_memo(self, key: str, old: RawRow, row: RawRow) -> None:
        # The same value under another memo entry (a comment changed, a version rose):
        # the row must name the entry in use, or gc would remove its value.
        if row.memo != old.memo:
            self._state.database.execute(
                f'UPDATE "rows_{self._rule.name}" SET memo = ? WHERE key = ?',
                (row.memo, key),
            )
            self._mark_idle(old)

    def _account(
        self, key: str, old: RawRow | None, new: RawRow | None, growth: int
    ) -> None:
        """Update the table's digest and counts; `growth` counts logical rows."""
        if old:
            self._digest.remove(key, old.digest)
            self._rows -= 1
            self._mark_idle(old)
        if new:
            self._digest.add(key, new.digest)
            self._rows += 1
        self._entries += growth
        self.changed += 1

    def _mark_idle(self, row: RawRow) -> None:
        """Record for gc when a row last used its memo entry."""
        if row.memo is not None:
            self._state.database.execute(
                "INSERT OR REPLACE INTO idle VALUES (?, ?)", (row.memo, self._build)
            )

    def _difference(self, old: RawRow | None, row: RawRow) -> tuple[RowDiff, int]:
        """Return what changed, and by how many the logical rows grow."""
        if old is None:
            subs = self._subs(row)
            return RowDiff(subs, 0), len(subs)
        before, after = self._items(old), self._items(row)
        new = [sub for sub in after if before.get(sub) != after[sub]]
        removed = sum(1 for sub in before if sub not in after)
        return RowDiff(new, removed), len(after) - len(before)

    def _subs(self, row: RawRow) -> list[str]:
        if not self._rule.entries:
            return [""]
        stored = self._table.stored(row)
        return names(inflate(stored)) if stored else []

    def _items(self, row: RawRow) -> dict[str, Any]:
        if not self._rule.entries:
            return {"": row.digest}
        stored = self._table.stored(row)
        return dict(unpack(inflate(stored))) if stored else {}

    def _publish(
        self,
        key: str,
        old: RawRow | None,
        detail: dict[str, Any],
        old_value: bytes | None,
    ) -> None:
        """Make a changed row pending for the consumers and record it for `why`."""
        stored = self._table.stored(old) if old and self._rule.stored else old_value
        for consumer in self._consumers:
            # A row that is pending already keeps its older value, which is the one that
            # the consumer last saw.
            self._state.database.execute(
                "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)",
                (consumer, self._rule.name, key, stored),
            )
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
