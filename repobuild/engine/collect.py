"""Garbage collection: what is kept, and why.

Kept always: every row of the tables as they are, and the artifacts of the newest
adapter on each branch (with its merged model and report). Beyond that, memo entries
and older artifacts are kept while they fit under the cap, newest first, because a
branch switch or a revert finds them again. Nothing that a row names is taken while the
row stays: rows of collected artifacts go first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repobuild.engine.build import Build
from repobuild.engine.rule import Rule

DEFAULT_BYTES = 2 << 30
_KEPT_BUILDS = 20  # memo entries of rows that left within so many builds stay


@dataclass(frozen=True, slots=True)
class Waste:
    """Something that gc takes: `name` for the user, `size` in bytes."""

    kind: str  # "object" or "memo"
    name: str
    size: int


def waste(build: Build, heads: list[str], cap: int = DEFAULT_BYTES) -> list[Waste]:
    """Return what a collection would take; `heads` are the branches' commits."""
    return [*_objects(build, heads, cap), *_memo(build)]


def collect(build: Build, found: list[Waste]) -> int:
    """Take what `waste` named; return the bytes. Runs under the lock."""
    with build.transaction():
        for item in found:
            if item.kind == "memo":
                build.state.database.execute(
                    "DELETE FROM memo WHERE id = ?", (int(item.name),)
                )
            else:
                _forget_rows(build, item.name)
    for item in found:
        if item.kind == "object":
            build.store.remove(item.name)
    if any(item.kind == "memo" for item in found):
        build.state.database.execute("VACUUM")
    return sum(item.size for item in found)


def roots(build: Build, heads: list[str]) -> set[str]:
    """Return the artifacts that must stay: the newest adapter of each branch, and
    what was made of it."""
    adapters = {
        str(row["object"])
        for rule in _tasks(build)
        if rule.chain
        for commit, row in build.table(rule.name).items()
        if commit in heads
    }
    made_of = {
        str(row["object"])
        for rule in _tasks(build)
        if not rule.chain
        for artifact, row in build.table(rule.name).items()
        if artifact in adapters
    }
    return adapters | made_of


def _objects(build: Build, heads: list[str], cap: int) -> Iterator[Waste]:
    kept = roots(build, heads)
    ages = _ages(build)
    room = cap - sum(folder_bytes(build, digest) for digest in kept)
    others = [digest for digest in build.store.digests() if digest not in kept]
    for digest in sorted(others, key=lambda d: -ages.get(d, -1)):
        size = folder_bytes(build, digest)
        room -= size
        if room < 0 or digest not in ages:
            yield Waste("object", digest, size)


def _ages(build: Build) -> dict[str, int]:
    """Return the last build that named each artifact."""
    ages: dict[str, int] = {}
    for rule in _tasks(build):
        for _, row in build.table(rule.name).items():
            digest = str(row["object"])
            ages[digest] = max(ages.get(digest, 0), int(row["build"]))
    return ages


def _memo(build: Build) -> Iterator[Waste]:
    database = build.state.database
    newest = database.execute("SELECT coalesce(max(id), 0) FROM builds").fetchone()[0]
    maps = [rule.name for rule in build.rules.values() if rule.kind == "map"]
    for name in maps:
        build.table(name)
    used = " UNION ALL ".join(f'SELECT memo FROM "rows_{name}"' for name in maps)
    query = (
        "SELECT id, length(value) FROM memo WHERE build <= ? "
        f"AND id NOT IN ({used or 'SELECT 0'})"
    )
    for number, size in database.execute(query, (newest - _KEPT_BUILDS,)):
        yield Waste("memo", str(number), int(size or 0))


def _forget_rows(build: Build, digest: str) -> None:
    for rule in _tasks(build):
        table = build.table(rule.name)
        gone = [key for key, row in table.items() if row["object"] == digest]
        writer = build.writer(rule)
        line = build.state.line(rule.name)
        for key in gone:
            writer.drop(key)
        if line and gone:
            writer.finish(line)


def folder_bytes(build: Build, digest: str) -> int:
    folder = build.store.folder / digest[:2] / digest[2:]
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _tasks(build: Build) -> Iterator[Rule]:
    return (rule for rule in build.rules.values() if rule.kind == "task")
