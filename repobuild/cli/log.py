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
        {"commit": commit, **row, "scores": _scores(reports, row)}
        for commit, row in build.table("adapter").items()
    ]
    return sorted(rows, key=lambda row: -int(row["build"]))


def _scores(reports: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    scores: dict[str, Any] = reports.get(row["object"], {}).get("scores", {})
    return scores


def text(facts: dict[str, Any]) -> str:
    if not facts["adapters"]:
        return "no adapter yet; `repobuild` builds one"
    return "\n".join(
        f"{short(row['commit'])}  {adapter_line(row)}" for row in facts["adapters"]
    )


def adapter_line(row: dict[str, Any]) -> str:
    """Return one line on an adapter: name, how it was made, its headline scores."""
    said = [f"adapter {row['object'][:12]}: {row.get('mode', 'made')}"]
    if row.get("samples"):
        said.append(f"{row['samples']:,} samples in {row.get('steps', 0):,} steps")
    recall = row.get("scores", {}).get("recall", {})
    if recall.get("adapter"):
        said += _headline(recall)
    if row.get("promoted") is False:
        said.append("not promoted: worse than its parent, which stays current")
    return ", ".join(said)


def _headline(recall: dict[str, Any]) -> list[str]:
    base, adapter = recall["base"], recall["adapter"]
    return [
        f"recall loss {base['loss']:.2f} to {adapter['loss']:.2f}",
        f"right path {base['path_exact']:.0%} to {adapter['path_exact']:.0%}",
    ]
