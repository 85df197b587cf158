"""repobuild verify: rebuild every table from nothing and compare the digests."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, short


@click.command("verify")
@click.option("--samples", is_flag=True, help="Check every claim of every sample.")
@click.option("--jobs", default=0, metavar="N", help="Workers for --samples.")
@options.as_json
def command(samples: bool, jobs: int, as_json: bool) -> int:
    """Rebuild every table from nothing, beside the state, and compare the digests.

    Artifacts (adapter, merged, report) are checked against their own digests. Exit 1
    when anything differs. With --samples, check instead that every claim of the samples
    holds in the tree that they were made from.

    \b
    repobuild verify --samples
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.cli.reason_text import obstacle_text
    from repobuild.engine.verify import verify

    checkout = open_checkout()
    if samples:
        from repobuild.cli import claim_audit
        from repobuild.engine.context import usable_cores

        workers = jobs or usable_cores()
        facts = claim_audit.audit_claims(checkout, progress_for(as_json), workers)
        emit(facts, as_json, claim_audit.text)
        return 0 if facts["true"] else 1
    snapshot = checkout.snapshot()
    checkout.rulebook(snapshot).require_unchanged()
    checkout.require_powers(snapshot, ["balance"])  # artifacts are not made again
    build = checkout.view(snapshot, checkout.state())
    verdicts = verify(build, progress_for(as_json))
    tables = [
        {
            "name": v.name,
            "stored": v.stored,
            "found": v.found,
            "equal": v.holds,
            "keys": list(v.keys),
            "obstacle": obstacle_text(v.obstacle) if v.obstacle else "",
        }
        for v in verdicts
    ]
    holds = all(v.holds for v in verdicts)
    commit = getattr(build.state.line("files"), "commit", "")
    facts = {"version": 1, "commit": commit, "equal": holds, "tables": tables}
    emit(facts, as_json, text)
    return 0 if holds else 1


def text(facts: dict[str, Any]) -> str:
    rows = [[t["name"], t["stored"][:16], _verdict(t)] for t in facts["tables"]]
    lines = [columns(rows)]
    for table in facts["tables"]:
        lines += [f"  {table['name']} differs at {key}" for key in table["keys"]]
        if table["obstacle"]:
            lines.append(f"  {table['name']} cannot be verified: {table['obstacle']}")
    lines.append(f"{short(facts['commit'])}: {_conclusion(facts)}")
    return "\n".join(lines)


def _verdict(table: dict[str, Any]) -> str:
    if table["equal"]:
        return "equal"
    return "unknown" if table["obstacle"] else f"NOT {table['found'][:16]}"


def _conclusion(facts: dict[str, Any]) -> str:
    if facts["equal"]:
        return "every digest is equal"
    if all(table["equal"] or table["obstacle"] for table in facts["tables"]):
        return "what could be verified is equal; build first, then verify the rest"
    return "the state is NOT what a clean build makes"
