"""repobuild verify: rebuild from nothing, compare every digest."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, short


@click.command("verify")
@options.as_json
def command(as_json: bool) -> int:
    """Rebuild every table from nothing, beside the state, and compare the digests.

    Artifacts (adapter, merged, report) are checked against their own digests. Exit 1
    when anything differs.
    """
    from repobuild.checkout import find
    from repobuild.cli.progress import shown
    from repobuild.engine.errors import StaleError
    from repobuild.engine.verify import verify

    checkout = find()
    state = checkout.state()
    line = state.line("files")
    if line is None or not line.commit or line.tree.startswith("worktree:"):
        raise StaleError("no commit is built yet\nrun `repobuild` first")
    build = checkout.view(checkout.snapshot(line.commit), state)
    verdicts = verify(build, shown(as_json))
    tables = [
        {
            "name": v.name,
            "stored": v.stored,
            "found": v.found,
            "equal": v.holds,
            "keys": list(v.keys),
        }
        for v in verdicts
    ]
    holds = all(v.holds for v in verdicts)
    facts = {"version": 1, "commit": line.commit, "equal": holds, "tables": tables}
    emit(facts, as_json, text)
    return 0 if holds else 1


def text(facts: dict[str, Any]) -> str:
    rows = [
        [
            t["name"],
            t["stored"][:16],
            "equal" if t["equal"] else f"NOT {t['found'][:16]}",
        ]
        for t in facts["tables"]
    ]
    said = [columns(rows)]
    for table in facts["tables"]:
        said += [f"  {table['name']} differs at {key}" for key in table["keys"]]
    end = (
        "every digest is equal"
        if facts["equal"]
        else "the state is NOT what a clean build makes"
    )
    return "\n".join([*said, f"{short(facts['commit'])}: {end}"])
