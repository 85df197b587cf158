"""Find the adapter that a commit continues.

The key of the adapter task holds the parent too (`find_chain_parent` in
engine/run/task.py), so both walk the same first parents (git/ancestors.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from repobuild.model.adapter.lineage import ROLLBACK, Row


def find_parent_row(
    rows: Mapping[str, Row], ancestors: Iterable[str], commit: str
) -> Row | None:
    """Return the adapter of the nearest first-parent ancestor, else the newest one.

    A commit that was rolled back continues the adapter that it was rolled back to.
    """
    if commit in rows and rows[commit].get("mode") == ROLLBACK:
        return rows[commit]
    for ancestor in ancestors:
        if ancestor in rows:
            return rows[ancestor]
    others = [row for name, row in rows.items() if name != commit]
    return max(others, key=lambda row: int(row.get("build", 0)), default=None)
