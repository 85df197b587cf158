"""repobuild status: what a build would do, and about how long it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, seconds, short

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.git.snapshot import Snapshot


@click.command("status")
@options.as_json
def command(as_json: bool) -> int:
    """Say whether the adapter is current with HEAD. Exit 0 when it is, 1 when stale."""
    from repobuild.checkout import find

    checkout = find()
    snapshot = checkout.snapshot()
    facts = outlook(checkout, snapshot, checkout.goals("", snapshot))
    if notice := checkout.book(snapshot).notice:
        click.echo(notice, err=True)
    emit(facts, as_json, outlook_text)
    return 1 if facts["stale"] else 0


def outlook(checkout: Checkout, snapshot: Snapshot, goals: list[str]) -> dict[str, Any]:
    """Return what building `goals` at a snapshot would do; writes nothing."""
    from repobuild.cli.reason_text import stale_text
    from repobuild.engine.explain.forecast import foresee

    state = checkout.state()
    build = checkout.view(snapshot, state)
    seen = foresee(build, goals)
    lines = {line.name: line for line in state.lines()}
    tables = [
        {
            "name": name,
            "rows": lines[name].entries,
            "digest": lines[name].digest.hex(),
            "commit": lines[name].commit,
        }
        for name in build.rules
        if name in lines
    ]
    return {
        "version": 1,
        "head": snapshot.commit,
        "built": lines["files"].commit if "files" in lines else "",
        "stale": bool(seen.reasons),
        "tables": tables,
        "pending": {
            "files": seen.files,
            "names": seen.names,
            "reasons": {name: stale_text(r) for name, r in seen.reasons.items()},
            "tasks": seen.tasks,
            "seconds": round(seen.seconds, 3),
            "runs": seen.runs,
            "unknown": seen.unknown,
        },
        "adapter": _adapter(build),
        "start": _start(build),
        "untrusted": list(checkout.book(snapshot).untrusted),
    }


def _adapter(build: Build) -> dict[str, Any]:
    from repobuild.cli.build import adapter_of

    return adapter_of(build)


def _start(build: Build) -> dict[str, Any]:
    """Return the built commit that HEAD goes on from, itself when it is built."""
    from repobuild.cli.adapter_rows import in_use

    commit = in_use(build)
    row = build.table("adapter").get(commit) if commit else None
    if not row:
        return {}
    adapter = row.get("current") or row["object"]
    return {"commit": commit, "adapter": adapter, "mode": row.get("mode", "")}


def outlook_text(facts: dict[str, Any]) -> str:
    """Return the outlook as a few lines."""
    if not facts["stale"]:
        current = f"current: {short(facts['head'])} is built"
        return "\n".join([current, *_rolled_back(facts)])
    pending = facts["pending"]
    width = max(map(len, pending["reasons"]))
    said = [_headline(facts)]
    for name, reason in pending["reasons"].items():
        does = _does(pending["tasks"].get(name, ""))
        said.append(f"  {name.ljust(width)}  {'; '.join(filter(None, (reason, does)))}")
    said += _rolled_back(facts)
    said += [_estimate(pending), "run `repobuild` to build"]
    return "\n".join(said)


def _does(task: str) -> str:
    from repobuild.engine.explain.forecast import NOTHING

    return "the artifact stays" if task == NOTHING else task


def _rolled_back(facts: dict[str, Any]) -> list[str]:
    from repobuild.cli.adapter_rows import line

    adapter, start = facts["adapter"], facts["start"]
    if adapter:
        return [line(adapter)] if adapter.get("mode") == "rollback" else []
    if start.get("mode") != "rollback":
        return []
    back = f"to which {short(start['commit'])} was rolled back"
    return [f"goes on from adapter {start['adapter'][:12]}, {back}"]


def _estimate(pending: dict[str, Any]) -> str:
    if not pending["runs"]:
        return "no past build to go by" if pending["unknown"] else "next to no time"
    runs = f"{pending['runs']} past build{'s' * (pending['runs'] != 1)}"
    said = f"about {seconds(pending['seconds'])}, by {runs}"
    if pending["unknown"]:
        said += f", not counting {', '.join(pending['unknown'])}: no past one to go by"
    return said


def _headline(facts: dict[str, Any]) -> str:
    head, built = facts["head"], facts["built"]
    if not built:
        return f"stale: nothing is built yet, HEAD is {short(head)}"
    if head == built:
        return f"stale: {short(head)} is built in part, or with other settings"
    return f"stale: HEAD is {short(head)}, the state is at {short(built)}"
