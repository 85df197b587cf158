"""Remove artifacts that no head needs. Runs under the lock, after every build.

Always kept are the rows of all tables and, for each head (branches, HEAD, the
worktrees' HEADs, but no tags: a tag can be built again), the newest adapter, every
artifact that its row names (`current`, `parent`), and what was made from it. Other
artifacts are kept while all fit under the cap, the most recently used ones longest,
because a branch switch or a revert uses them again. memo_gc.py collects memo entries.

The rows of an artifact are removed first, in one transaction that also marks it as
doomed; then its files. A kill in between leaves a doomed folder, which the next
collection removes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.override import original_row
from repobuild.engine.rule import Rule
from repobuild.engine.storage import memo_gc
from repobuild.engine.storage.row_changes import note
from repobuild.errors import UsageError
from repobuild.git.ancestors import nearest_ancestor
from repobuild.git.snapshot import heads

_DIGEST = re.compile("[0-9a-f]{64}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.I)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_FREED_PAGES = 4096  # limit after one build: 32 MB
_REWRITTEN_ROWS = 1_000  # of one table in one build
_TRIM_BUILDS = 100  # builds between two removals of old build lines and manifests


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """`cache.max_size` in bytes for all artifacts, and `cache.keep_builds`."""

    max_bytes: int
    keep_builds: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CacheLimits:
        """Read the limits; raises `UsageError` for a malformed size."""
        size = parse_size(str(settings["cache.max_size"]))
        return cls(size, int(settings["cache.keep_builds"]))


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something that gc removes: its digest or memo id, `size` in bytes, and why."""

    kind: str  # "object" or "memo"
    name: str
    size: int
    why: str


def parse_size(text: str) -> int:
    """Return the bytes of a size such as 500M or 2 GiB; raises `UsageError`."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise UsageError(f'"{text}" is no size\nwrite 500M or 2G (cache.max_size)')
    return int(float(match[1]) * _UNITS[match[2].upper()])


def collect_after_build(build: BuildContext, limits: CacheLimits) -> list[Garbage]:
    """Collect at the end of a build when there may be garbage; return what it was.

    Costs two look-ups when no artifact was made and few memo entries are idle.
    """
    garbage: list[Garbage] = []
    outcomes = (build.outcomes.get(rule.name) for rule in _tasks(build))
    if any(o and (o.built or o.memo) for o in outcomes) or _doomed(build):
        garbage += _artifact_garbage(build, limits)
    is_due = memo_gc.is_due(build, limits.keep_builds)
    if is_due:
        garbage += _memo_garbage(build, limits)
    if garbage or is_due:
        remove_garbage(build, limits, garbage, _FREED_PAGES)
    if build.number % _TRIM_BUILDS == 0:
        _trim_builds(build)
    if _has_rewritten_table(build):
        _compact(build.state.database)
    return garbage


def _has_rewritten_table(build: BuildContext) -> bool:
    query = 'SELECT 1 FROM runs WHERE build = ? AND "full" AND changed > ?'
    found = build.state.database.execute(query, (build.number, _REWRITTEN_ROWS))
    return found.fetchone() is not None


def _compact(database: sqlite3.Connection) -> None:
    """Fill the pages again that writing whole tables left half empty.

    Makes the standard library's state 7 % smaller and takes 0.4 s. On a full disk, or
    in a database that is being read, nothing happens.
    """
    with suppress(sqlite3.OperationalError):
        database.execute("VACUUM")


def find_garbage(build: BuildContext, limits: CacheLimits) -> list[Garbage]:
    """Return what a collection would remove."""
    return [*_artifact_garbage(build, limits), *_memo_garbage(build, limits)]


def remove_garbage(
    build: BuildContext, limits: CacheLimits, garbage: list[Garbage], pages: int = 0
) -> int:
    """Remove what `waste` found; return its bytes. `pages` = 0 frees all free pages."""
    objects = [item.name for item in garbage if item.kind == "object"]
    database = build.state.database
    with build.transaction():
        numbers = [int(item.name) for item in garbage if item.kind == "memo"]
        if numbers or not objects:
            memo_gc.remove_entries(build, numbers, limits.keep_builds)
        for rule in _tasks(build):
            _remove_rows(build, rule, set(objects))
        for name in objects:
            database.execute("INSERT OR REPLACE INTO doomed VALUES (?)", (name,))
    for name in objects:
        build.store.remove(name)
        database.execute("DELETE FROM doomed WHERE object = ?", (name,))
        database.execute("DELETE FROM uses WHERE object = ?", (name,))
    _free_pages(database, pages)
    return sum(item.size for item in garbage)


def _free_pages(database: sqlite3.Connection, pages: int) -> None:
    """Shorten the file by up to `pages` free pages; 0 = all, as a user's gc does."""
    is_fixed_size = not database.execute("PRAGMA auto_vacuum").fetchone()[0]
    if is_fixed_size and not pages:  # created before this version set auto_vacuum
        database.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    # As a script: `execute` would step the statement once and free one page.
    database.executescript(f"PRAGMA incremental_vacuum({pages})")


def roots(build: BuildContext) -> set[str]:
    """Return the artifacts that must stay.

    These are each head's newest adapter, the artifacts its row names, and what was made
    from it.
    """
    kept: set[str] = set()
    for rule in _tasks(build):
        rows = dict(build.table(rule.name).items())
        if rule.chain:
            for commit in _needed_commits(build, rows):
                kept |= _named_artifacts(rows[commit])
    made_of = {
        str(row["object"])
        for rule in _tasks(build)
        if not rule.chain
        for artifact, row in build.table(rule.name).items()
        if artifact in kept
    }
    return kept | made_of


def _needed_commits(build: BuildContext, rows: Mapping[str, Any]) -> set[str]:
    """Return the commits whose rows a head continues from.

    The newest row of all counts too: a branch without any row continues from it.
    """
    repository = build.snapshot.repository
    tips = {*heads(repository), build.snapshot.commit}
    needed = {nearest_ancestor(repository, tip, rows) for tip in tips}
    newest = max(rows, key=lambda commit: int(rows[commit]["build"]), default="")
    return {commit for commit in (*needed, newest) if commit}


def _named_artifacts(row: Mapping[str, Any]) -> set[str]:
    """Return every artifact that a row, or the row it overrides, names.

    `follows` is left out: it only entered the key.
    """
    return {
        value
        for named in (row, original_row(row))
        for name, value in named.items()
        if name != "follows" and isinstance(value, str) and _DIGEST.fullmatch(value)
    }


def _artifact_garbage(build: BuildContext, limits: CacheLimits) -> Iterator[Garbage]:
    kept, last_use, doomed = roots(build), _last_uses(build), _doomed(build)
    sizes = {digest: build.store.size(digest) for digest in build.store.digests()}
    for digest in sorted(doomed):
        yield Garbage("object", digest, sizes.pop(digest, 0), "its rows went before")
    room = limits.max_bytes - sum(sizes.pop(digest, 0) for digest in kept)
    for digest in sorted(sizes, key=lambda name: (-last_use.get(name, -1), name)):
        room -= sizes[digest]
        if room < 0:
            used = "unnamed"
            if digest in last_use:
                used = f"last used in build {last_use[digest]}"
            yield Garbage("object", digest, sizes[digest], f"beyond the cap, {used}")


def _last_uses(build: BuildContext) -> dict[str, int]:
    """Return the last build that made or used each artifact."""
    last_use: dict[str, int] = dict(build.state.database.execute("SELECT * FROM uses"))
    for rule in _tasks(build):
        for _, row in build.table(rule.name).items():
            digest = str(row["object"])
            last_use[digest] = max(last_use.get(digest, 0), int(row["build"]))
    return last_use


def _memo_garbage(build: BuildContext, limits: CacheLimits) -> Iterator[Garbage]:
    why = f"no row named it in the last {limits.keep_builds} builds"
    for number, size in memo_gc.unused_entries(build, limits.keep_builds):
        yield Garbage("memo", str(number), size, why)


def _doomed(build: BuildContext) -> set[str]:
    return {name for (name,) in build.state.database.execute("SELECT * FROM doomed")}


def _remove_rows(build: BuildContext, rule: Rule, objects: set[str]) -> None:
    rows = build.table(rule.name).items() if objects else ()
    gone = {key: row for key, row in rows if row["object"] in objects}
    line = build.state.line(rule.name)
    if not gone or line is None:
        return
    writer = build.writer(rule)
    for key, row in gone.items():
        writer.drop(key)
        detail = {"was": b"", "gone": True, "evicted": row["object"]}
        number = memo_gc.newest_build(build)
        note(build.state.database, number, rule.name, key, **detail)
    writer.finish(line)


def _trim_builds(build: BuildContext) -> None:
    """Remove the lines of builds and the manifests that nothing names any more."""
    database = build.state.database
    database.execute(
        "DELETE FROM builds WHERE id <= ? AND id NOT IN (SELECT build FROM changes) "
        "AND id NOT IN (SELECT build FROM runs)",
        (build.number - _TRIM_BUILDS,),
    )
    rows = [row for rule in _tasks(build) for _, row in build.table(rule.name).items()]
    named = {bytes.fromhex(str(row.get("manifest", ""))) for row in rows}
    query = (
        "SELECT id, digest FROM manifests WHERE id NOT IN (SELECT manifest FROM tables "
        "UNION SELECT manifest FROM runs UNION SELECT was FROM runs)"
    )
    gone = [(number,) for number, name in database.execute(query) if name not in named]
    database.executemany("DELETE FROM manifests WHERE id = ?", gone)


def _tasks(build: BuildContext) -> Iterator[Rule]:
    return (rule for rule in build.rules.values() if rule.kind == "task")
