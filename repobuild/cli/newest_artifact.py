"""The artifact that a verb means when none is named: HEAD's, else the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repobuild.errors import StaleError

if TYPE_CHECKING:
    from repobuild.engine.build import Build


def newest(build: Build, table: str) -> tuple[str, dict[str, Any]]:
    """Return key and row: at HEAD when it is built, else of the nearest ancestor.

    Raises `StaleError` when there is none.
    """
    from repobuild.git.ancestors import nearest_ancestor

    rows = dict(build.table(table).items())
    commit = nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)
    if commit:
        return commit, rows[commit]
    if not rows:
        raise StaleError(f"no {table} yet\nrun `repobuild` to build one")
    return max(rows.items(), key=lambda item: int(item[1]["build"]))
