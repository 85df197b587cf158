"""Replace a commit's artifact by another one of its chain, and undo that (rollback).

    {..., "object": W, "follows": W, "instead": {the commit's original row}}

The row keeps what the original was made from (`manifest`, `inputs`) and follows the
artifact that it names. So its key is the one that a build of this commit computes, and
a build without changes keeps the row. A later commit without any change finds W by its
key, and any other commit continues from W. The original row is kept whole inside;
garbage collection keeps the artifacts it names, and undoing the override writes it
back.

The note beside the artifact is written first, then the row in one transaction: a kill
leaves the one row or the other, and a lost index is restored with the newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.digest import pack
from repobuild.engine.rule import Rule
from repobuild.engine.run.task import key_of, record_use
from repobuild.engine.storage.artifact_notes import write_note
from repobuild.engine.storage.table import RawRow

REPLACED_ROW = "instead"

Row = Mapping[str, Any]


def original_row(row: Row) -> Row:
    """Return the row that a build made for the commit, whatever overrides it."""
    original: Row = row.get(REPLACED_ROW) or row
    return original


def override_row(row: Row, facts: Row) -> dict[str, Any]:
    """Return the row that overrides a commit's artifact by `facts["object"]`."""
    original, follows = original_row(row), str(facts["object"])
    key = key_of(bytes.fromhex(original["manifest"]), original["inputs"], follows)
    kept = {"manifest": original["manifest"], "inputs": original["inputs"]}
    return {
        **facts,
        **kept,
        "follows": follows,
        "key": key,
        REPLACED_ROW: dict(original),
    }


def write_override(build: BuildContext, rule: Rule, key: str, row: Row) -> None:
    """Overwrite a task's row.

    The table's line keeps its manifest and commit, since nothing was built.
    """
    value = {**row, "build": build.number}
    line = build.state.line(rule.name)
    assert line is not None
    write_note(build.store, rule.name, key, value)
    with build.transaction():
        writer = build.writer(rule)
        writer.put(key, RawRow.inline(pack(value)), {})
        writer.finish(line)
        record_use(build, value)
