"""Find the adapter that a verb works on, or say that there is none yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repobuild.errors import StaleError

if TYPE_CHECKING:
    from repobuild.engine.build import Build


def commit_in_use(build: Build) -> str:
    """Return the commit whose adapter HEAD uses: itself or its nearest built ancestor.

    Returns "" when none has an adapter.
    """
    from repobuild.git.ancestors import nearest_ancestor

    rows = set(build.table("adapter").keys())
    return nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)


def find_adapter(build: Build) -> tuple[str, dict[str, Any]]:
    """Return commit and row of the adapter that HEAD uses, else of the newest one.

    Raises `StaleError` when no adapter was built.
    """
    rows = dict(build.table("adapter").items())
    if not rows:
        raise StaleError("no adapter yet\nrun `repobuild` to build one")
    commit = commit_in_use(build)
    if commit:
        return commit, rows[commit]
    return max(rows.items(), key=lambda item: int(item[1]["build"]))
