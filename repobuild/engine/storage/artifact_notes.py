"""Record beside each artifact which rows name it, to restore a lost index.

    objects/ab/cdef….rows    {"format": 1, "rows": [{"table", "key", "row"}, ...]}

A note is written before its artifact is renamed into place, and both before the row is
committed. So an artifact always has its note, and a kill between the two costs no
training: a task looks through the notes before it makes an artifact.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.digest import pack
from repobuild.engine.rule import Rule
from repobuild.engine.state_files import replace_file
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.table import RawRow
from repobuild.engine.storage.table_writer import TableResult

FORMAT = 1

Row = dict[str, Any]


def write_note(store: ArtifactStore, table: str, key: str, row: Row) -> None:
    """Add a row to the note of the artifact that it names; replaced in one step."""
    path = _note_path(store, str(row["object"]))
    same = (table, key)
    kept = [n for n in read_notes(path) if (n["table"], n["key"]) != same]
    kept.append({"table": table, "key": key, "row": row})
    path.parent.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"format": FORMAT, "rows": kept}, indent=1)
    replace_file(path, body.encode(), sync=True)


def read_notes(path: Path) -> list[dict[str, Any]]:
    """Return an artifact's notes; none when they are missing, garbled or newer."""
    try:
        body = json.loads(path.read_bytes())
        if body["format"] > FORMAT:
            return []
        return [n for n in body["rows"] if _is_note(n)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def restore_rows(build: BuildContext, rule: Rule) -> dict[str, Row]:
    """Write the rows that a task's table lacks but that notes hold; return them by key.

    Their build numbers become 0 and negative: they are older than this whole state.
    """
    began = time.perf_counter()
    table = build.table(rule.name)
    notes = [n for n in _notes(build.store, rule.name) if n["key"] not in table]
    if not notes:
        return {}
    last = max(int(n["row"]["build"]) for n in notes)
    notes.sort(key=lambda n: (int(n["row"]["build"]), n["row"]["object"]))
    restored: dict[str, Row] = {
        n["key"]: {**n["row"], "build": int(n["row"]["build"]) - last} for n in notes
    }
    with build.transaction():
        writer = build.writer(rule)
        for key, row in sorted(restored.items()):
            writer.put(key, RawRow.inline(pack(row)), {})
        build.close(rule, writer, TableResult(rule.name), began)
    build.events.emit("found", table=rule.name, keys=sorted(restored))
    return restored


def _notes(store: ArtifactStore, table: str) -> Iterator[dict[str, Any]]:
    """Yield one table's notes on the artifacts that are stored."""
    for name in store.digests():
        for entry in read_notes(_note_path(store, name)):
            if entry["table"] == table and entry["row"]["object"] == name:
                yield entry


def _note_path(store: ArtifactStore, name: str) -> Path:
    folder = store.object_path(name)
    return folder.with_name(f"{folder.name}.rows")


def _is_note(entry: Any) -> bool:
    names = isinstance(entry["table"], str) and isinstance(entry["key"], str)
    return names and {"object", "key", "build"} <= set(entry["row"])
