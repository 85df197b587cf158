"""repobuild [build]: bring the tables up to date with a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, seconds, short

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.engine.context import Problem
    from repobuild.git.snapshot import Snapshot

_SHOWN_PROBLEMS = 10


@click.command("build")
@click.option("--until", metavar="TABLE", default="", help="Stop after this table.")
@click.option(
    "--commit",
    "revision",
    metavar="REV",
    default="HEAD",
    help="What to build [default: HEAD].",
)
@click.option(
    "--worktree",
    is_flag=True,
    help="Build the work tree as it stands, up to `dataset`.",
)
@click.option(
    "--jobs",
    "-j",
    metavar="N",
    default=0,
    type=click.IntRange(0),
    help="Worker processes [default: all cores].",
)
@options.dry_run
@click.option(
    "--no-wait", is_flag=True, help="Exit with 4 when another build holds the lock."
)
@options.as_json
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def command(
    until: str,
    revision: str,
    worktree: bool,
    jobs: int,
    dry_run: bool,
    no_wait: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Bring the tables, and with them the adapter, up to date with a commit.

    \b
    repobuild                      everything, at HEAD
    repobuild --until dataset      facts, graph and samples; no training
    repobuild --commit v1.2 -n     what building that tag would do
    """
    from repobuild.checkout import find
    from repobuild.cli.status import outlook, outlook_text

    checkout = find()
    if worktree and not until:
        until = "dataset"
    snapshot = checkout.snapshot(revision, worktree)
    goals = checkout.goals(until, snapshot)
    if notice := checkout.book(snapshot).notice:
        click.echo(notice, err=True)
    if dry_run:
        emit(outlook(checkout, snapshot, goals), as_json, outlook_text)
        return 0
    facts, failed = _build(
        checkout, snapshot, goals, jobs, not no_wait, quiet or as_json
    )
    if as_json or not quiet:
        emit(facts, as_json, text)
    if not failed and revision == "HEAD" and not worktree:
        _remember(checkout, snapshot, until, facts)
    return 3 if failed else 0


def _build(
    checkout: Checkout,
    snapshot: Snapshot,
    goals: list[str],
    jobs: int,
    wait: bool,
    quiet: bool,
) -> tuple[dict[str, Any], bool]:
    from repobuild.cli.progress import shown
    from repobuild.engine.storage.garbage_collection import CacheLimits, tidy

    def tell(text: str) -> None:
        click.echo(text, err=True)

    progress = shown(quiet)
    with checkout.building(snapshot, progress, jobs, wait, tell) as build:
        build.run(goals)
        tidy(build, CacheLimits.of(checkout.settings))
        _tell_problems(build.problems)
        failed = any(outcome.failed for outcome in build.outcomes.values())
        left_out = list(checkout.book(snapshot).untrusted)
        return {**facts_of(build), "untrusted": left_out}, failed


def facts_of(build: Build) -> dict[str, Any]:
    """Return what a build did, in the form that `--json` prints."""
    tables = {name: vars(o.counts) for name, o in build.outcomes.items()}
    return {
        "version": 1,
        "commit": build.snapshot.commit,
        "tables": tables,
        "adapter": adapter_of(build),
    }


def adapter_of(build: Build) -> dict[str, Any]:
    """Return the adapter's row at a build's commit, with its scores; may be empty."""
    row = build.table("adapter").get(build.snapshot.commit)
    if not row:
        return {}
    report = build.table("report").get(row["object"]) or {}
    return {**row, "report": report.get("headline", {})}


def text(facts: dict[str, Any]) -> str:
    """Return what a build did as a few lines."""
    changed = {
        name: c
        for name, c in facts["tables"].items()
        if c["built"] or c["memo"] or c["removed"]
    }
    if not changed:
        return f"nothing to do: {short(facts['commit'])} is built"
    rows = [["", "built", "memo", "removed", "unchanged", "time"]]
    for name, c in changed.items():
        counts = [f"{c[n]:,}" for n in ("built", "memo", "removed", "unchanged")]
        rows.append([name, *counts, seconds(c["seconds"])])
    said = [f"built {short(facts['commit'])}", columns(rows)]
    return "\n".join(said + _adapter_lines(facts["adapter"]))


def _adapter_lines(adapter: dict[str, Any]) -> list[str]:
    from repobuild.cli.adapter_rows import line

    return [line(adapter)] if adapter else []


def _tell_problems(problems: list[Problem]) -> None:
    """Say what is wrong with which row; of many rows with one problem, how many."""
    alike: dict[tuple[str, str], list[str]] = {}
    for table, key, problem in problems:
        alike.setdefault((table, problem), []).append(key)
    for (table, problem), keys in list(alike.items())[:_SHOWN_PROBLEMS]:
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        click.echo(f'warning: {table} "{keys[0]}"{more}: {problem}', err=True)
    if len(alike) > _SHOWN_PROBLEMS:
        more = str(sum(len(keys) for keys in list(alike.values())[_SHOWN_PROBLEMS:]))
        click.echo(f"warning: {more} more; see events.jsonl in the state", err=True)


def _remember(
    checkout: Checkout, snapshot: Snapshot, until: str, facts: dict[str, Any]
) -> None:
    """Leave the answer that the next run gives when nothing changed."""
    import json

    from repobuild import noop_cache

    still = {
        name: {
            "built": 0,
            "memo": 0,
            "removed": 0,
            "unchanged": c["built"] + c["memo"] + c["unchanged"],
            "seconds": 0.0,
        }
        for name, c in facts["tables"].items()
    }
    unchanged = {**facts, "tables": still}
    notice = checkout.book(snapshot).notice
    said = "\n".join(filter(None, (text(unchanged), notice)))
    wanted = facts["adapter"].get("object", "")
    noop_cache.write(
        str(checkout.folder), str(checkout.root), snapshot.commit, until,
        [f"{wanted[:2]}/{wanted[2:]}"] if wanted else [],
        said, json.dumps(unchanged, indent=2, default=bytes.hex),
    )  # fmt: skip
