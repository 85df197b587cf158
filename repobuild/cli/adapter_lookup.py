"""Find the adapter that a verb works on, or say that there is none yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from repobuild.errors import BuildError, StaleError
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.build import Build
    from repobuild.model.base import Base


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
        raise StaleError(f"no adapter yet\nrun `{program()}` to build one")
    commit = commit_in_use(build)
    if commit:
        return commit, rows[commit]
    return max(rows.items(), key=lambda item: int(item[1]["build"]))


def base_of(settings: Mapping[str, Any], commit: str, row: Mapping[str, Any]) -> Base:
    """Return the base model of the settings.

    Raises `BuildError` when the adapter was trained on another one.
    """
    from repobuild.model.base import resolve_base

    base = resolve_base(settings)
    if row["base"] != base.digest:
        raise BuildError(
            f"the adapter of {commit[:10]} was trained on another base model than "
            f'"{base.name}"\n'
            f"run `{program()}` to make a new one, or set base.model back"
        )
    return base
