"""Tell whether the adapter of a commit may be published: the gate of a CI job.

The build decides whether an adapter is promoted, by its held-out loss against that of
its parent (`adapter.margin`, model/adapter/adapter.py). The gate only reads that: an
adapter that is not promoted, and a commit without an adapter, do not pass.
"""

from __future__ import annotations

from typing import Any

from repobuild.engine.build import Build

Facts = dict[str, Any]


def gate_facts(build: Build) -> Facts:
    """Return whether the adapter of the build's commit passes, and why not."""
    commit = build.snapshot.commit
    row = build.table("adapter").get(commit)
    facts: Facts = {"version": 1, "commit": commit, "passes": False, "adapter": ""}
    if row is None:
        return {**facts, "why": "no adapter was built for this commit", "scores": {}}
    passes = bool(row.get("promoted", True)) and not row.get("current")
    why = "" if passes else "it does worse than its parent, which stays current"
    return {
        **facts,
        "passes": passes,
        "adapter": str(row["object"]),
        "why": why,
        "scores": dict(row.get("scores") or {}),
    }
