"""Memo entries that no row names any more.

A row that leaves a memo entry notes it in `idle` with the build. Whether another row
still names the entry is not known without a look at all rows, so nothing is looked at
until so many entries have been idle for long that a look at all rows costs less than
the rows that left: then an entry costs the same to remove, however many rows there are.

Entries that no row ever named (a file without a language, a killed build) are found by
the same look. When only such entries are made, their number starts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repobuild.engine.build import Build

_LEAST = 256  # idle entries that are worth a look
_SHARE = 8  # and one for so many rows
_UNNAMED = 10_000  # entries made since the last look
_MOST = 50_000  # taken at once


def newest_build(build: Build) -> int:
    """Return the number of this build, or of the last one when none runs."""
    query = "SELECT coalesce(max(id), 0) FROM builds"
    return build.number or int(build.state.database.execute(query).fetchone()[0])


def is_due(build: Build, keep: int) -> bool:
    """Whether a look at all rows is worth it. Costs a count of the idle entries."""
    database = build.state.database
    rows = sum(line.rows for name in _maps(build) if (line := build.state.line(name)))
    query = "SELECT count(*) FROM idle WHERE build <= ?"
    limit = newest_build(build) - keep
    found = int(database.execute(query, (limit,)).fetchone()[0])
    made = _last_entry(build) - _looked_at(build)
    return found >= _LEAST + rows // _SHARE or made >= _UNNAMED + 2 * rows


def entries(build: Build, keep: int) -> Iterator[tuple[int, int]]:
    """Yield id and bytes of entries that no row named in the last `keep` builds."""
    maps = _maps(build)
    for name in maps:
        build.table(name)
    others = {line.name for line in build.state.lines()} - build.rules.keys()
    used = " UNION ALL ".join(
        f'SELECT memo FROM "rows_{name}" WHERE memo IS NOT NULL'
        for name in (*maps, *sorted(others))  # a rule may be gone until it is trusted
    )
    limit = newest_build(build) - keep
    query = (
        "SELECT id, length(key) + coalesce(length(value), 0) FROM memo "
        f"WHERE build <= ? AND id NOT IN ({used or 'SELECT 0'}) "
        "AND id NOT IN (SELECT memo FROM idle WHERE build > ?) LIMIT ?"
    )
    yield from build.state.database.execute(query, (limit, limit, _MOST))


def forget(build: Build, numbers: Sequence[int], keep: int) -> None:
    """Remove entries after a look at all rows. Runs inside a transaction."""
    database = build.state.database
    database.executemany("DELETE FROM memo WHERE id = ?", [(n,) for n in numbers])
    # What was idle for long and is still there was named again: it is not idle.
    limit = newest_build(build) - keep
    database.execute("DELETE FROM idle WHERE build <= ?", (limit,))
    database.execute(
        "INSERT OR REPLACE INTO meta VALUES ('looked', ?)", (_last_entry(build),)
    )


def _last_entry(build: Build) -> int:
    query = "SELECT coalesce(max(id), 0) FROM memo"
    return int(build.state.database.execute(query).fetchone()[0])


def _looked_at(build: Build) -> int:
    """Return the last entry when all rows were last looked at."""
    query = "SELECT value FROM meta WHERE name = 'looked'"
    found = build.state.database.execute(query).fetchone()
    return int(found[0]) if found else 0


def _maps(build: Build) -> list[str]:
    return [rule.name for rule in build.rules.values() if rule.kind == "map"]
