"""Remove memo entries that no row names any more.

When a row drops a memo entry, `idle` records it with the build. Whether another row
still names the entry is known only after a scan of all rows. So the scan waits until
enough entries have been idle for long, in proportion to the number of rows: then
removing one entry has the same cost, however many rows there are.

Entries that no row ever named (a file without a language, a killed build) are found by
the same scan. When only such entries are made, their number triggers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repobuild.engine.context import BuildContext

# A scan is due after _MIN_IDLE idle entries plus one for every _ROWS_PER_IDLE rows, or
# after _MIN_NEW new entries plus two for every row.
_MIN_IDLE = 256
_ROWS_PER_IDLE = 8
_MIN_NEW = 10_000
_MAX_REMOVED = 50_000  # entries in one collection


def newest_build(build: BuildContext) -> int:
    """Return the number of this build, or of the last one when none runs."""
    query = "SELECT coalesce(max(id), 0) FROM builds"
    return build.number or int(build.state.database.execute(query).fetchone()[0])


def is_due(build: BuildContext, keep: int) -> bool:
    """Return whether a scan of all rows is worthwhile; counts the idle entries."""
    database = build.state.database
    rows = sum(
        line.rows for name in _map_names(build) if (line := build.state.line(name))
    )
    query = "SELECT count(*) FROM idle WHERE build <= ?"
    limit = newest_build(build) - keep
    idle = int(database.execute(query, (limit,)).fetchone()[0])
    new = _last_entry(build) - _last_scanned_entry(build)
    return idle >= _MIN_IDLE + rows // _ROWS_PER_IDLE or new >= _MIN_NEW + 2 * rows


def unused_entries(build: BuildContext, keep: int) -> Iterator[tuple[int, int]]:
    """Scan all rows; yield id and bytes of entries unused for `keep` builds."""
    maps = _map_names(build)
    for name in maps:
        build.table(name)  # creates its rows table
    others = {line.name for line in build.state.lines()} - build.rules.keys()
    used = " UNION ALL ".join(
        f'SELECT memo FROM "rows_{name}" WHERE memo IS NOT NULL'
        for name in (
            *maps,
            *sorted(others),
        )  # a rule may be missing until it is trusted
    )
    limit = newest_build(build) - keep
    query = (
        "SELECT id, length(key) + coalesce(length(value), 0) FROM memo "
        f"WHERE build <= ? AND id NOT IN ({used or 'SELECT 0'}) "
        "AND id NOT IN (SELECT memo FROM idle WHERE build > ?) LIMIT ?"
    )
    yield from build.state.database.execute(query, (limit, limit, _MAX_REMOVED))


def remove_entries(build: BuildContext, numbers: Sequence[int], keep: int) -> None:
    """Remove entries after a scan of all rows. Runs inside a transaction."""
    database = build.state.database
    database.executemany("DELETE FROM memo WHERE id = ?", [(n,) for n in numbers])
    # Entries that were idle for long and are still there were used again.
    limit = newest_build(build) - keep
    database.execute("DELETE FROM idle WHERE build <= ?", (limit,))
    database.execute(
        "INSERT OR REPLACE INTO meta VALUES ('looked', ?)", (_last_entry(build),)
    )


def _last_entry(build: BuildContext) -> int:
    query = "SELECT coalesce(max(id), 0) FROM memo"
    return int(build.state.database.execute(query).fetchone()[0])


def _last_scanned_entry(build: BuildContext) -> int:
    """Return the newest entry at the time of the last scan; 0 before the first."""
    query = "SELECT value FROM meta WHERE name = 'looked'"
    row = build.state.database.execute(query).fetchone()
    return int(row[0]) if row else 0


def _map_names(build: BuildContext) -> list[str]:
    return [rule.name for rule in build.rules.values() if rule.kind == "map"]
