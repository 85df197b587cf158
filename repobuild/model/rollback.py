"""Make an earlier adapter the current one of a commit, without training.

The commit is HEAD or, when HEAD is not built, its nearest first-parent ancestor that
is: the one that the next build continues from. Its row is overridden by the earlier
adapter (engine/override.py); the commit's own row is kept and can be restored. From
then on

    a build of the same samples    changes nothing
    the next commit                continues from the adapter rolled back to, on the
                                   difference between its manifest and today's: samples
                                   trained since are trained again, with the new ones
    the adapter rolled back from   is not reused by itself when its samples come back
                                   (adapter/decision.py), because the user rejected it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repobuild.engine.override import original_row, override_row, write_override
from repobuild.errors import StaleError, UsageError
from repobuild.git.ancestors import first_parents, nearest_ancestor
from repobuild.git.snapshot import resolve
from repobuild.model.adapter import decision as deltas
from repobuild.model.adapter.lineage import ROLLBACK, Lineage, Row, current_digest
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.base import resolve_base as resolve_base
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_DIGEST_PREFIX = re.compile("[0-9a-f]{6,64}")

Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Rollback:
    """A planned rollback: adapters by digest, and the row to write."""

    commit: str  # whose row changes
    before: str
    after: str
    trained_at: str  # the commit of the adapter `after`
    row: Row
    rebase: str  # why the next training starts from the base model; "" if it does not

    @property
    def changes(self) -> bool:
        """Return whether another adapter becomes current."""
        return self.before != self.after

    @property
    def restores(self) -> bool:
        """Return whether the commit's own adapter becomes current again."""
        return self.changes and original_row(self.row) is self.row


def plan_rollback(build: Build, name: str = "") -> Rollback:
    """Plan the rollback to an adapter or a commit; by default to the previous adapter.

    Raises `StaleError` when this branch has no adapter, and `UsageError` when `name` is
    unknown, or its adapter is not stored any more or belongs to another base model.
    """
    rows = dict(build.table("adapter").items())
    commit = nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)
    if not commit:
        raise StaleError(
            f"no adapter of this branch yet\nrun `{program()}` to build one"
        )
    target = (
        _find_adapter(build, rows, name, commit)
        if name
        else _previous_adapter(build, rows, commit)
    )
    try:
        folder = build.store.checked_path(target)
    except KeyError as error:
        raise UsageError(
            f"adapter {target[:12]} is not stored any more\n"
            f"it was collected or damaged (cache.max_size); {_list_hint()}"
        ) from error
    lineage = Lineage.read(folder)
    settings = build.rules["adapter"].visible_settings(build.settings)
    _check_base(lineage, target, settings)
    return Rollback(
        commit=commit,
        before=current_digest(rows[commit]),
        after=target,
        trained_at=lineage.commit,
        row=_row_after(rows[commit], target, lineage),
        rebase=_next_rebase_reason(lineage.to_row(None), settings),
    )


def apply_rollback(build: Build, step: Rollback) -> None:
    """Write the row, in a build step that runs no rule."""
    with build.step():
        write_override(build, build.rules["adapter"], step.commit, step.row)
        build.events.emit(
            "rollback", table="adapter", key=step.commit,
            object=step.after, instead=step.before, restored=step.restores,
        )  # fmt: skip


def _row_after(row: Row, target: str, lineage: Lineage) -> Row:
    """Return the commit's own row if `target` is its own adapter, else an override."""
    own_row = original_row(row)
    if target == current_digest(own_row):
        return own_row
    facts = {
        **lineage.to_row(None),
        "object": target,
        "mode": ROLLBACK,
        "reason": f"instead of {current_digest(own_row)[:12]}",
        "work": 0,
        "promoted": True,
    }
    return override_row(row, facts)


# ------------------------------------------------------------------- which adapter


def _find_adapter(build: Build, rows: Rows, name: str, commit: str) -> str:
    """Return the digest of the adapter that a digest prefix or a commit names.

    A commit means the adapter that was current there; `commit` means its own.
    """
    matches = {d for d in list_adapters(build, rows) if d.startswith(name)}
    matches = matches if _DIGEST_PREFIX.fullmatch(name) else set()
    if len(matches) > 1:
        listed = ", ".join(sorted(digest[:16] for digest in matches))
        raise UsageError(f'"{name}" names several adapters: {listed}')
    if matches:
        return matches.pop()
    try:
        named = str(resolve(build.snapshot.repository, name).id)
    except UsageError as error:
        message = f'"{name}" names no adapter and no commit here\n{_list_hint()}'
        raise UsageError(message) from error
    at = nearest_ancestor(build.snapshot.repository, named, rows)
    if not at:
        raise UsageError(
            f'no adapter was built at "{name}" or before it\n{_list_hint()}'
        )
    return current_digest(original_row(rows[at]) if at == commit else rows[at])


def list_adapters(build: Build, rows: Rows) -> Iterator[str]:
    """Yield the digest of every adapter that a row names or that is stored."""
    for row in rows.values():
        yield from filter(
            None,
            (row["object"], current_digest(row), current_digest(original_row(row))),
        )
        yield str(original_row(row)["object"])
    for digest in build.store.digests():
        folder = build.store.object_path(digest)
        files = ("repobuild.json", "adapter_config.json", "manifest.bin")
        if all((folder / name).is_file() for name in files):
            yield digest


def _list_hint() -> str:
    return f"`{program()} log` lists the adapters"


def _previous_adapter(build: Build, rows: Rows, commit: str) -> str:
    """Return the adapter that was current before the commit's current one.

    After a rollback that is the adapter before the one rolled back to.
    """
    row = rows[commit]
    digest = current_digest(row)
    past = first_parents(build.snapshot.repository, commit)
    history = [current_digest(rows[name]) for name in past if name in rows]
    if original_row(row) is not row:
        history = history[history.index(digest) :] if digest in history else []
    before = next((other for other in history if other != digest), "")
    if not before:
        raise UsageError(f"no adapter before {digest[:12]}\n{_list_hint()}; name one")
    return before


# -------------------------------------------------------------------------- checks


def _check_base(lineage: Lineage, digest: str, settings: Mapping[str, Any]) -> None:
    base = resolve_base(settings)
    if lineage.base["digest"] == base.digest:
        return
    raise UsageError(
        f"adapter {digest[:12]} belongs to another base model, "
        f'"{lineage.base["name"]}" {lineage.base["digest"][:12]}, '
        f'not to "{base.name}" {base.digest[:12]}\nset base.model back to use it'
    )


def _next_rebase_reason(row: Row, settings: Mapping[str, Any]) -> str:
    """Return why the next training would start from the base model, "" if it would not.

    The size and the rows of the next dataset are unknown; the recipe and the base
    decide.
    """
    step = deltas.StepInput(
        dataset="",
        recipe=Recipe.of(settings).digest,
        base=row["base"],
        size=1,
        rows={},
        parent=row,
    )
    return deltas.rebase_reason(step, row, deltas.SampleDelta([], [], []), settings)
