"""Collect the facts that verbs print about an adapter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.cli.adapter_lookup import commit_in_use
from repobuild.cli.training_budget import larger_budget

if TYPE_CHECKING:
    from repobuild.engine.build import Build

Facts = dict[str, Any]
Row = Mapping[str, Any]


def head_adapter(build: Build) -> Facts:
    """Return the adapter's row at the build's commit with its scores; {} for none.

    `more` is a larger budget and what it would teach, if facts are left.
    """
    row = build.table("adapter").get(build.snapshot.commit)
    if not row:
        return {}
    return {**row, "report": scores(build, row["object"]), "more": more(build, row)}


def more(build: Build, row: Row) -> Facts:
    """Return a larger budget for an adapter, and what it would teach; {} for none."""
    from repobuild.engine.storage.run_history import runs

    known = [other for _, other in build.table("adapter").items()]
    return larger_budget(row, known, runs(build.state, "adapter"))


def scores(build: Build, adapter: str) -> Facts:
    """Return the headline scores of an adapter's newest report; {} without one."""
    headline: Facts = (build.table("report").get(adapter) or {}).get("headline", {})
    return headline


def adapter_facts(build: Build, adapter: str) -> Facts:
    """Return everything known about one adapter: use, scores, files and lineage."""
    folder = build.store.object_path(adapter)
    lineage = _read_lineage(folder)
    report = build.table("report").get(adapter)
    page = build.store.object_path(report["object"]) / "index.html" if report else None
    commit = lineage.get("commit", "")
    return {
        "adapter": adapter,
        "commit": commit,
        "subject": build.snapshot.subject(commit) if commit else "",
        **_uses(build, adapter),
        "folder": str(folder) if folder.is_dir() else "",
        "bytes": build.store.size(adapter),
        "page": str(page) if page and page.is_file() else "",
        "report": scores(build, adapter),
        "lineage": lineage,
    }


def _uses(build: Build, adapter: str) -> Facts:
    """Return the commits where an adapter is current, not promoted or rolled back.

    `seconds` is the time that its training took, None when it is not recorded.
    """
    from repobuild.engine.override import original_row
    from repobuild.model.adapter.lineage import current_digest

    rows = dict(build.table("adapter").items())
    head = commit_in_use(build)
    return {
        "is_current": bool(head) and current_digest(rows[head]) == adapter,
        "used": [c for c, row in rows.items() if current_digest(row) == adapter],
        "not_promoted": [
            c
            for c, row in rows.items()
            if row["object"] == adapter != current_digest(row)
        ],
        "put_aside": [
            c
            for c, row in rows.items()
            if original_row(row) is not row and original_row(row)["object"] == adapter
        ],
        "seconds": next(
            (
                row["seconds"]
                for row in map(original_row, rows.values())
                if row["object"] == adapter and row.get("work") and "seconds" in row
            ),
            None,
        ),
    }


def _read_lineage(folder: Path) -> Facts:
    """Return the adapter's `repobuild.json`; {} when it cannot be read."""
    try:
        lineage: Facts = json.loads((folder / "repobuild.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return lineage
