"""What tables say of an artifact, kept beside it: a lost index is made of these.

    objects/ab/cdef….rows    {"format": 1, "rows": [{"table", "key", "row"}, ...]}

A note is written before its artifact is renamed into place, and both before the row is
committed. So an artifact is never without its note, and a kill between the two costs no
training: whoever is about to make an artifact looks through the notes first.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.engine.digest import deflate, digest, pack
from repobuild.engine.rule import Rule
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.table import RawRow
from repobuild.engine.storage.table_writer import TableResult

if TYPE_CHECKING:
    from repobuild.engine.build import Build

FORMAT = 1

Row = dict[str, Any]


def note(store: ArtifactStore, table: str, key: str, row: Row) -> None:
    """Add a row to the note of the artifact that it names; replaced in one step."""
    path = _path(store, str(row["object"]))
    same = (table, key)
    kept = [n for n in read(path) if (n["table"], n["key"]) != same]
    kept.append({"table": table, "key": key, "row": row})
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "rows": kept}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def find_again(build: Build, rule: Rule) -> dict[str, Row]:
    """Bring back a task's rows that the table lacks; return them by key.

    Their build numbers count back from 0: they are older than all of this state.
    """
    table = build.table(rule.name)
    notes = [n for n in _notes(build.store, rule.name) if n["key"] not in table]
    if not notes:
        return {}
    last = max(int(n["row"]["build"]) for n in notes)
    notes.sort(key=lambda n: (int(n["row"]["build"]), n["row"]["object"]))
    found: dict[str, Row] = {
        n["key"]: {**n["row"], "build": int(n["row"]["build"]) - last} for n in notes
    }
    _write(build, rule, found)
    build.events.emit("found", table=rule.name, keys=sorted(found))
    return found


def _write(build: Build, rule: Rule, found: dict[str, Row]) -> None:
    began = time.perf_counter()
    with build.transaction():
        writer = build.writer(rule)
        for key, row in sorted(found.items()):
            packed = pack(row)
            writer.put(key, RawRow(digest(packed), None, deflate(packed)), {})
        build.close(rule, writer, TableResult(rule.name), began)


def _notes(store: ArtifactStore, table: str) -> Iterator[dict[str, Any]]:
    """Yield the notes on whole artifacts, of one table."""
    for name in store.digests():
        for entry in read(_path(store, name)):
            if entry["table"] == table and entry["row"]["object"] == name:
                yield entry


def _path(store: ArtifactStore, name: str) -> Path:
    place = store.place(name)
    return place.with_name(f"{place.name}.rows")


def read(path: Path) -> list[dict[str, Any]]:
    """Return an artifact's notes; none when they are missing, garbled or newer."""
    try:
        body = json.loads(path.read_bytes())
        if body["format"] > FORMAT:
            return []
        return [n for n in body["rows"] if _is_note(n)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _is_note(entry: Any) -> bool:
    names = isinstance(entry["table"], str) and isinstance(entry["key"], str)
    return names and {"object", "key", "build"} <= set(entry["row"])
