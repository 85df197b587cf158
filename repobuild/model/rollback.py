"""Make an earlier adapter the current one of a commit, without training.

The commit is HEAD, or, when HEAD is not built, the nearest first parent that is: what
the next build goes on from. Its row takes the earlier adapter (engine/override.py);
the commit's own is kept and can be taken again. From then on

    a build of the same samples    changes nothing
    the next commit                goes on from the adapter rolled back to, on the
                                   difference of its manifest to today's: what was
                                   trained since is trained again, with what is new
    an adapter that was put aside  is not taken again by itself when its samples come
                                   back (delta.py): it was found wanting
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.engine.override import displaced, own, put
from repobuild.errors import StaleError, UsageError
from repobuild.git.ancestors import first_parents, nearest_ancestor
from repobuild.git.snapshot import resolve
from repobuild.model.adapter import delta as deltas
from repobuild.model.adapter.lineage import ROLLBACK, Lineage, Row, current
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.base import resolve as resolve_base

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_PREFIX = re.compile("[0-9a-f]{6,64}")
_LIST = "`repobuild log` lists what there is"

Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Rollback:
    """What is to be done: adapters by digest, and the row to write."""

    commit: str
    before: str
    after: str
    trained_at: str
    row: Row
    rebase: str  # why the next training starts from the base model; else ""

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def restores(self) -> bool:
        """Whether the commit's own adapter is put back."""
        return self.changes and own(self.row) is self.row


def foresee(build: Build, name: str = "") -> Rollback:
    """Return what rolling back to an adapter or a commit would do; by default to the
    adapter before.

    Raises `StaleError` when this branch has no adapter, and `UsageError` for a name
    that is none, an adapter that is not stored any more or one of another base model.
    """
    rows = dict(build.table("adapter").items())
    commit = nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)
    if not commit:
        raise StaleError("no adapter of this branch yet\nrun `repobuild` to build one")
    wanted = found(build, rows, name, commit) if name else earlier(build, rows, commit)
    lineage = Lineage.read(stored(build, wanted))
    settings = build.rules["adapter"].seen(build.settings)
    must_fit(lineage, wanted, settings)
    row = row_of(rows[commit], wanted, lineage)
    return Rollback(
        commit=commit,
        before=current(rows[commit]),
        after=wanted,
        trained_at=lineage.commit,
        row=row,
        rebase=rebase(lineage.row(None), settings),
    )


def carry_out(build: Build, step: Rollback) -> None:
    """Write the row, as a build of its own that runs no rule."""
    with build.step():
        put(build, build.rules["adapter"], step.commit, step.row)
        build.events.emit(
            "rollback", table="adapter", key=step.commit,
            object=step.after, instead=step.before, restored=step.restores,
        )  # fmt: skip


def row_of(row: Row, wanted: str, lineage: Lineage) -> Row:
    """The commit's own row, when it is its own adapter; else one in its place."""
    made = own(row)
    if wanted == current(made):
        return made
    facts = {
        **lineage.row(None),
        "object": wanted,
        "mode": ROLLBACK,
        "reason": f"instead of {current(made)[:12]}",
        "work": 0,
        "promoted": True,
    }
    return displaced(row, facts)


# ------------------------------------------------------------------- which adapter


def found(build: Build, rows: Rows, name: str, commit: str) -> str:
    """The adapter that is named by its digest or by a commit.

    A commit means the adapter that was in use there; `commit` itself its own.
    """
    hits = {d for d in adapters(build, rows) if d.startswith(name)}
    hits = hits if _PREFIX.fullmatch(name) else set()
    if len(hits) > 1:
        listed = ", ".join(sorted(hit[:16] for hit in hits))
        raise UsageError(f'"{name}" names several adapters: {listed}')
    if hits:
        return hits.pop()
    at = nearest_ancestor(build.snapshot.repository, _commit(build, name), rows)
    if not at:
        raise UsageError(f'no adapter was built at "{name}" or before it\n{_LIST}')
    return current(own(rows[at]) if at == commit else rows[at])


def adapters(build: Build, rows: Rows) -> Iterator[str]:
    """Every adapter that a row names or that is stored, by digest."""
    for row in rows.values():
        yield from filter(None, (row["object"], current(row), current(own(row))))
        yield str(own(row)["object"])
    for digest in build.store.digests():
        if is_adapter(build.store.place(digest)):
            yield digest


def is_adapter(folder: Path) -> bool:
    names = ("repobuild.json", "adapter_config.json", "manifest.bin")
    return all((folder / name).is_file() for name in names)


def _commit(build: Build, name: str) -> str:
    try:
        return str(resolve(build.snapshot.repository, name).id)
    except UsageError as error:
        said = f'"{name}" names no adapter and no commit here\n{_LIST}'
        raise UsageError(said) from error


def earlier(build: Build, rows: Rows, commit: str) -> str:
    """The adapter in use before; of a commit that is rolled back already, the one
    before that."""
    row = rows[commit]
    past = first_parents(build.snapshot.repository, commit)
    line = [current(rows[name]) for name in past if name in rows]
    if own(row) is not row:
        line = line[line.index(current(row)) :] if current(row) in line else []
    before = next((digest for digest in line if digest != current(row)), "")
    if not before:
        raise UsageError(f"no adapter before {current(row)[:12]}\n{_LIST}; name one")
    return before


# ----------------------------------------------------------------- what it must be


def stored(build: Build, digest: str) -> Path:
    try:
        return build.store.path(digest)
    except KeyError as error:
        raise UsageError(
            f"adapter {digest[:12]} is not stored any more\n"
            f"it was collected or damaged (cache.max_size); {_LIST}"
        ) from error


def must_fit(lineage: Lineage, digest: str, settings: Mapping[str, Any]) -> None:
    base = resolve_base(settings)
    if lineage.base["digest"] == base.digest:
        return
    raise UsageError(
        f"adapter {digest[:12]} belongs to another base model, "
        f'"{lineage.base["name"]}" {lineage.base["digest"][:12]}, '
        f'not to "{base.name}" {base.digest[:12]}\nset base.model back to use it'
    )


def rebase(row: Row, settings: Mapping[str, Any]) -> str:
    """Why the next training would start from the base model, known beforehand."""
    now = deltas.StepInput(
        dataset="",
        recipe=Recipe.of(settings).digest,
        base=row["base"],
        size=1,
        rows={},
        parent=row,
    )
    return deltas.rebase_reason(now, row, deltas.SampleDelta([], [], []), settings)
