"""repobuild status: what a build would do, and about how long it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_facts import head_adapter, more
from repobuild.cli.adapter_lookup import commit_in_use
from repobuild.cli.adapter_text import adapter_line
from repobuild.cli.hook import builder_lines
from repobuild.cli.output import emit, print_message, seconds, short
from repobuild.cli.training_budget import coverage_line
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.engine.explain.forecast import Forecast
    from repobuild.git.snapshot import Snapshot


@click.command("status")
@options.as_json
def command(as_json: bool) -> int:
    """Say whether the adapter is current with HEAD. Exit 0 when it is, 1 when stale.

    \b
    repobuild status                what a build would do, and for how long
    repobuild status || repobuild   build only when something changed
    """
    from repobuild.checkout import open_checkout
    from repobuild.hooks.builder_record import background_facts

    checkout = open_checkout()
    snapshot = checkout.snapshot()
    facts = status_facts(checkout, snapshot, checkout.goals("", snapshot))
    facts["background"] = background_facts(checkout.folder)
    if notice := checkout.rulebook(snapshot).notice:
        print_message(notice)
    emit(facts, as_json, _text)
    return 1 if facts["stale"] else 0


def _text(facts: dict[str, Any]) -> str:
    """Return the forecast, and what is built in the background meanwhile."""
    return "\n".join([status_text(facts), *builder_lines(facts["background"])])


def status_facts(
    checkout: Checkout, snapshot: Snapshot, goals: list[str]
) -> dict[str, Any]:
    """Return what building `goals` at a snapshot would do; writes nothing.

    HEAD is current, too, where every artifact of it would stay: an adapter that was
    given a larger budget than the settings name.
    """
    from repobuild.cli.reason_text import stale_text
    from repobuild.engine.explain.forecast import NO_WORK, forecast_build

    state = checkout.state()
    build = checkout.view(snapshot, state)
    adapter = head_adapter(build)
    forecast = forecast_build(build, goals)
    files = state.line("files")
    built = files.commit if files else ""
    all_stay = all(forecast.tasks.get(name) == NO_WORK for name in forecast.reasons)
    return {
        "version": 1,
        "head": snapshot.commit,
        "built": built,
        "stale": bool(forecast.reasons) and not (all_stay and built == snapshot.commit),
        "tables": _tables(build),
        "pending": {
            "files": forecast.files,
            "names": forecast.names,
            "reasons": {name: stale_text(r) for name, r in forecast.reasons.items()},
            "tasks": forecast.tasks,
            "seconds": _seconds(forecast),
            "runs": forecast.runs,
            "unknown": forecast.unknown,
        },
        "adapter": adapter,
        "start": _start(build, adapter),
        "untrusted": list(checkout.rulebook(snapshot).untrusted),
        "withheld": sorted(checkout.powers.names),
    }


def _seconds(forecast: Forecast) -> float | None:
    """Return how long a build would take; None where nothing is known to go by."""
    if forecast.unknown and not forecast.runs:
        return None
    return round(forecast.seconds, 3)


def _tables(build: Build) -> list[dict[str, Any]]:
    """Return what is built, in the order of the build."""
    lines = {line.name: line for line in build.state.lines()}
    return [
        {
            "name": name,
            "rows": lines[name].entries,
            "digest": lines[name].digest.hex(),
            "commit": lines[name].commit,
        }
        for name in build.rules
        if name in lines
    ]


def _start(build: Build, at_head: dict[str, Any]) -> dict[str, Any]:
    """Return the adapter that HEAD uses, which the next training continues.

    `at_head` are the facts of HEAD's own, which it uses if it has one.
    """
    commit = commit_in_use(build)
    row = build.table("adapter").get(commit) if commit else None
    if not row:
        return {}
    adapter = row.get("current") or row["object"]
    return {
        "commit": commit,
        "adapter": adapter,
        "mode": row.get("mode", ""),
        "coverage": row.get("coverage") or {},
        "more": at_head["more"] if at_head else more(build, row),
    }


def status_text(facts: dict[str, Any]) -> str:
    """Return the forecast as a few lines."""
    from repobuild.engine.explain.forecast import NO_WORK

    pending = facts["pending"]
    lines = [_headline(facts)]
    width = max(map(len, pending["reasons"]), default=0)
    for name, reason in pending["reasons"].items():
        task = pending["tasks"].get(name, "")
        effect = "the artifact stays" if task == NO_WORK else task
        lines.append(
            f"  {name.ljust(width)}  {'; '.join(filter(None, (reason, effect)))}"
        )
    lines += _rolled_back(facts) + _coverage(facts)
    if facts["stale"]:
        lines += [_estimate(pending), f"run `{program()}` to build"]
    return "\n".join(lines)


def _headline(facts: dict[str, Any]) -> str:
    head, built = facts["head"], facts["built"]
    if not facts["stale"]:
        return f"current: {short(head)} is built"
    if not built:
        return f"stale: nothing is built yet, HEAD is {short(head)}"
    if head == built:
        return f"stale: {short(head)} is built in part, or with other settings"
    return f"stale: HEAD is {short(head)}, the state is at {short(built)}"


def _rolled_back(facts: dict[str, Any]) -> list[str]:
    """Return a line when HEAD's adapter, or the one it continues, was rolled back."""
    adapter, start = facts["adapter"], facts["start"]
    if adapter:
        return [adapter_line(adapter)] if adapter.get("mode") == "rollback" else []
    if start.get("mode") != "rollback":
        return []
    back = f"to which {short(start['commit'])} was rolled back"
    return [f"continues adapter {start['adapter'][:12]}, {back}"]


def _coverage(facts: dict[str, Any]) -> list[str]:
    """Return a line on what HEAD's adapter, or the one it continues, was taught."""
    line = coverage_line(facts["adapter"] or facts["start"])
    return [line] if line else []


def _estimate(pending: dict[str, Any]) -> str:
    if not pending["runs"]:
        return "no past build to go by" if pending["unknown"] else "next to no time"
    runs = f"{pending['runs']} past build{'s' * (pending['runs'] != 1)}"
    text = f"about {seconds(pending['seconds'])}, by {runs}"
    if pending["unknown"]:
        text += f", not counting {', '.join(pending['unknown'])}: no past one to go by"
    return text
