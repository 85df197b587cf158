"""Garbage collection: what is kept, and why. Runs under the lock, after every build.

Kept always: every row of the tables as they are, and of each head (branches, HEAD, the
worktrees' HEADs, but no tags: a tag can be built again) the newest adapter, every
artifact that its row names (`current`, `parent`), and what was made of it. Beyond that,
artifacts are kept while all fit under the cap, the last used longest, because a branch
switch or a revert finds them again. Memo entries are idle.py's part.

Rows of an artifact go first, in one transaction that also marks it as doomed; then its
files. A kill between leaves a doomed folder, which the next collection takes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.override import own
from repobuild.engine.rule import Rule
from repobuild.engine.storage import memo_gc
from repobuild.engine.storage.row_changes import note
from repobuild.errors import UsageError
from repobuild.git.ancestors import nearest_ancestor
from repobuild.git.snapshot import heads

_DIGEST = re.compile("[0-9a-f]{64}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.I)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_FREED_PAGES = 4096  # given back to the file system after one build, at most: 32 MB
_TIDY_BUILDS = 100  # so often, what every build leaves behind is looked through


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """`cache.max_size` in bytes for all artifacts, and `cache.keep_builds`."""

    max_bytes: int
    keep_builds: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CacheLimits:
        """Raises `UsageError` for a size that is none."""
        size = parse_size(str(settings["cache.max_size"]))
        return cls(size, int(settings["cache.keep_builds"]))


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something that gc takes: `name` for the user, `size` in bytes, and why."""

    kind: str  # "object" or "memo"
    name: str
    size: int
    why: str


def parse_size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise UsageError(f'"{text}" is no size\nwrite 500M or 2G (cache.max_size)')
    return int(float(match[1]) * _UNITS[match[2].upper()])


def tidy(build: Build, limits: CacheLimits) -> list[Garbage]:
    """Collect at the end of a build, if there can be anything; return what went.

    Costs two look-ups when no artifact was made and few memo entries are idle.
    """
    found: list[Garbage] = []
    if _artifacts_changed(build) or _doomed(build):
        found += _objects(build, limits)
    is_due = memo_gc.is_due(build, limits.keep_builds)
    if is_due:
        found += _memo(build, limits)
    if found or is_due:
        collect(build, limits, found, _FREED_PAGES)
    if build.number % _TIDY_BUILDS == 0:
        _forget_builds(build)
    return found


def waste(build: Build, limits: CacheLimits) -> list[Garbage]:
    """Return what a collection would take."""
    return [*_objects(build, limits), *_memo(build, limits)]


def collect(
    build: Build, limits: CacheLimits, found: list[Garbage], pages: int = 0
) -> int:
    """Take what `waste` named; return the bytes. `pages` = 0: free all there is."""
    objects = [item.name for item in found if item.kind == "object"]
    database = build.state.database
    with build.transaction():
        numbers = [int(item.name) for item in found if item.kind == "memo"]
        if numbers or not objects:
            memo_gc.forget(build, numbers, limits.keep_builds)
        for rule in _tasks(build):
            _forget_rows(build, rule, set(objects))
        for name in objects:
            database.execute("INSERT OR REPLACE INTO doomed VALUES (?)", (name,))
    for name in objects:
        build.store.remove(name)
        database.execute("DELETE FROM doomed WHERE object = ?", (name,))
        database.execute("DELETE FROM uses WHERE object = ?", (name,))
    _give_back(database, pages)
    return sum(item.size for item in found)


def _give_back(database: sqlite3.Connection, pages: int) -> None:
    """Shorten the file by free pages; by all, and in any case, when asked by hand."""
    is_whole = not database.execute("PRAGMA auto_vacuum").fetchone()[0]
    if is_whole and not pages:  # made before pages could be given back one by one
        database.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    # As a script: `execute` steps such a statement once, and frees one page.
    database.executescript(f"PRAGMA incremental_vacuum({pages})")


def roots(build: Build) -> set[str]:
    """Return the artifacts that must stay: of each head its newest adapter, what that
    one names, and what was made of it."""
    kept: set[str] = set()
    for rule in _tasks(build):
        rows = dict(build.table(rule.name).items())
        if rule.chain:
            for commit in _living(build, rows):
                kept |= _named(rows[commit])
    made_of = {
        str(row["object"])
        for rule in _tasks(build)
        if not rule.chain
        for artifact, row in build.table(rule.name).items()
        if artifact in kept
    }
    return kept | made_of


def _living(build: Build, rows: Mapping[str, Any]) -> set[str]:
    """Return the commits whose rows a head goes on from, and the newest of all, from
    which a branch without any goes on."""
    repository = build.snapshot.repository
    tips = {*heads(repository), build.snapshot.commit}
    found = {nearest_ancestor(repository, tip, rows) for tip in tips}
    newest = max(rows, key=lambda commit: int(rows[commit]["build"]), default="")
    return {commit for commit in (*found, newest) if commit}


def _named(row: Mapping[str, Any]) -> set[str]:
    """Return every artifact that a row names, or the one whose place it took, but for
    what only entered its key."""
    return {
        value
        for named in (row, own(row))
        for name, value in named.items()
        if name != "follows" and isinstance(value, str) and _DIGEST.fullmatch(value)
    }


def _objects(build: Build, limits: CacheLimits) -> Iterator[Garbage]:
    kept, ages, doomed = roots(build), _ages(build), _doomed(build)
    sizes = {digest: folder_bytes(build, digest) for digest in build.store.digests()}
    for digest in sorted(doomed):
        yield Garbage("object", digest, sizes.pop(digest, 0), "its rows went before")
    room = limits.max_bytes - sum(sizes.pop(digest, 0) for digest in kept)
    for digest in sorted(sizes, key=lambda name: (-ages.get(name, -1), name)):
        room -= sizes[digest]
        if room < 0:
            last = f"last used in build {ages[digest]}" if digest in ages else "unnamed"
            yield Garbage("object", digest, sizes[digest], f"beyond the cap, {last}")


def _ages(build: Build) -> dict[str, int]:
    """Return the last build that made or wanted each artifact."""
    ages: dict[str, int] = dict(build.state.database.execute("SELECT * FROM uses"))
    for rule in _tasks(build):
        for _, row in build.table(rule.name).items():
            digest = str(row["object"])
            ages[digest] = max(ages.get(digest, 0), int(row["build"]))
    return ages


def _memo(build: Build, limits: CacheLimits) -> Iterator[Garbage]:
    why = f"no row named it in the last {limits.keep_builds} builds"
    for number, size in memo_gc.entries(build, limits.keep_builds):
        yield Garbage("memo", str(number), size, why)


def _artifacts_changed(build: Build) -> bool:
    names = {rule.name for rule in _tasks(build)}
    return any(o.built or o.memo for n, o in build.outcomes.items() if n in names)


def _doomed(build: Build) -> set[str]:
    return {name for (name,) in build.state.database.execute("SELECT * FROM doomed")}


def _forget_rows(build: Build, rule: Rule, objects: set[str]) -> None:
    rows = build.table(rule.name).items() if objects else ()
    gone = {key: row for key, row in rows if row["object"] in objects}
    line = build.state.line(rule.name)
    if not gone or line is None:
        return
    writer = build.writer(rule)
    for key, row in gone.items():
        writer.drop(key)
        what = {"was": b"", "gone": True, "evicted": row["object"]}
        note(build.state.database, memo_gc.newest_build(build), rule.name, key, **what)
    writer.finish(line)


def _forget_builds(build: Build) -> None:
    """Remove builds and manifests that nothing names any more."""
    database = build.state.database
    database.execute(
        "DELETE FROM builds WHERE id <= ? AND id NOT IN (SELECT build FROM changes) "
        "AND id NOT IN (SELECT build FROM runs)",
        (build.number - _TIDY_BUILDS,),
    )
    rows = [row for rule in _tasks(build) for _, row in build.table(rule.name).items()]
    named = {bytes.fromhex(str(row.get("manifest", ""))) for row in rows}
    query = (
        "SELECT id, digest FROM manifests WHERE id NOT IN (SELECT manifest FROM tables "
        "UNION SELECT manifest FROM runs UNION SELECT was FROM runs)"
    )
    gone = [(number,) for number, name in database.execute(query) if name not in named]
    database.executemany("DELETE FROM manifests WHERE id = ?", gone)


def folder_bytes(build: Build, digest: str) -> int:
    folder = build.store.folder / digest[:2] / digest[2:]
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _tasks(build: Build) -> Iterator[Rule]:
    return (rule for rule in build.rules.values() if rule.kind == "task")
