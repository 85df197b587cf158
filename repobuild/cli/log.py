"""repobuild log: the chain of adapters, newest first."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, short


@click.command("log")
@options.as_json
def command(as_json: bool) -> int:
    """Show every adapter that was built: commit, how it was made, what it scored."""
    from repobuild.checkout import find

    checkout = find()
    state = checkout.state()
    build = checkout.view(checkout.snapshot(), state)
    emit({"version": 1, "adapters": chain(build)}, as_json, text)
    return 0


def chain(build: Any) -> list[dict[str, Any]]:
    """Return the adapters' rows with their scores, newest first."""
    reports = dict(build.table("report").items())
    rows = [
        {"commit": commit, **row, "report": _headline_of(reports, row)}
        for commit, row in build.table("adapter").items()
    ]
    return sorted(rows, key=lambda row: -int(row["build"]))


def _headline_of(reports: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = reports.get(row["object"], {}).get("headline", {})
    return found


def text(facts: dict[str, Any]) -> str:
    if not facts["adapters"]:
        return "no adapter yet; `repobuild` builds one"
    return "\n".join(
        f"{short(row['commit'])}  {adapter_line(row)}" for row in facts["adapters"]
    )


def adapter_line(row: dict[str, Any]) -> str:
    """Return one line on an adapter: name, how it was made, its headline scores."""
    said = [f"adapter {row['object'][:12]}: {row.get('mode', 'made')}"]
    if row.get("steps"):
        said.append(f"{row['tokens']:,} tokens in {row['steps']:,} steps")
    recall = row.get("report", {}).get("recall", {})
    if recall.get("adapter") and recall.get("base"):
        said += _headline(recall)
    if row.get("promoted") is False:
        said.append("not promoted: worse than its parent, which stays current")
    return ", ".join(said)


def _headline(recall: dict[str, Any]) -> list[str]:
    base, adapter = recall["base"], recall["adapter"]
    said = [f"recall loss {base['loss']:.2f} to {adapter['loss']:.2f}"]
    if "path_exact" in base and "path_exact" in adapter:
        paths = f"{base['path_exact']:.0%} to {adapter['path_exact']:.0%}"
        said.append(f"right path {paths}")
    return said
