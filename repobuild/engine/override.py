"""Put another artifact of a chain in the place of a commit's own, and take it back.

    {..., "object": W, "follows": W, "instead": {the commit's own row}}

The row keeps what the commit's own was made of (`manifest`, `inputs`) and follows the
artifact that it names. So its key is what a build of this commit computes: one with
nothing to do leaves it in peace. A later commit without any change finds it in the
memo, any other goes on from W. What is put aside stays whole: the own row lies inside,
collection keeps what it names, and `restored` puts it back as it was.

One transaction, after the note beside the artifact: a kill leaves the one row or the
other, and a lost index is made again with the newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from repobuild.engine.digest import deflate, digest, pack
from repobuild.engine.run.task import key_of, use
from repobuild.engine.storage.artifact_notes import note
from repobuild.engine.storage.table import RawRow

if TYPE_CHECKING:
    from repobuild.engine.build import Build
    from repobuild.engine.rule import Rule

INSTEAD = "instead"

Row = Mapping[str, Any]


def own(row: Row) -> Row:
    """Return what a build made of the commit, whatever took its place since."""
    found: Row = row.get(INSTEAD) or row
    return found


def displaced(row: Row, facts: Row) -> dict[str, Any]:
    """Return the row that puts `facts["object"]` in the place of a commit's own."""
    made, follows = own(row), str(facts["object"])
    key = key_of(bytes.fromhex(made["manifest"]), made["inputs"], follows)
    kept = {"manifest": made["manifest"], "inputs": made["inputs"]}
    return {**facts, **kept, "follows": follows, "key": key, INSTEAD: dict(made)}


def put(build: Build, rule: Rule, place: str, row: Row) -> None:
    """Write a task's row as of now, where there is one already.

    What the whole table was last made of stays as it is told: nothing was made.
    """
    value = {**row, "build": build.number}
    line = build.state.line(rule.name)
    assert line is not None
    note(build.store, rule.name, place, value)
    packed = pack(value)
    with build.transaction():
        writer = build.writer(rule)
        writer.put(place, RawRow(digest(packed), None, deflate(packed)), {})
        writer.finish(line)
        use(build, value)
