"""repobuild fleet: bring many repositories up to date, and say what became of each."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import (
    columns,
    emit,
    number_of,
    print_message,
    seconds,
    short,
)
from repobuild.plain_text import escape_line

if TYPE_CHECKING:
    from repobuild.fleet import Outcome

_CLONES = "clones"


@click.command("fleet")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--jobs", "-j", "at_once", metavar="N", default=1, type=click.IntRange(1, 1024),
    help="Repositories that are built at a time [default: 1].",
)  # fmt: skip
@click.option(
    "--clones", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help=f"Folder of the clones [default: {_CLONES} beside FILE].",
)  # fmt: skip
@click.option("--until", metavar="TABLE", default="", help="Stop after this table.")
@options.dry_run
@options.as_json
def command(
    file: Path, at_once: int, clones: Path | None, until: str, dry_run: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Bring every repository of FILE up to date; one that fails stops no other.

    A line of FILE is a path or a URL, then name=, until= or settings; "#" begins a
    comment. URLs are cloned once, then fetched. Exit code 0 when all are up to date, 3
    when one failed; with -n, 1 when one is stale.

    \b
    repobuild fleet repositories.txt
    repobuild fleet repositories.txt --jobs 4 --until dataset
    repobuild fleet repositories.txt -n        what is out of date
    """
    from repobuild.fleet import Fleet, exit_code, read_fleet, summary

    place = clones or file.parent / _CLONES
    members = read_fleet(file, place.absolute())
    fleet = Fleet(members, at_once, until, only_look=dry_run)
    print_message(f"{number_of(len(members), 'repository')}, {at_once} at a time")
    outcomes = []
    for outcome in fleet.outcomes():
        outcomes.append(outcome)
        print_message(f"[{len(outcomes)}/{len(members)}] {_line(outcome)}")
    facts = summary(members, outcomes)
    emit(facts, as_json, text)
    return exit_code(facts)


def _line(outcome: Outcome) -> str:
    name = escape_line(outcome.member.name)
    return f"{name}: {outcome.state}, {seconds(outcome.seconds)}"


def text(facts: dict[str, Any]) -> str:
    """Return the summary table, and why those that failed did."""
    rows = [["", "", "commit", "adapter", "rows built", "time"]]
    for one in facts["repositories"]:
        commit = short(one["commit"]) if one["commit"] else ""
        rows.append(
            [
                one["name"],
                one["state"],
                commit,
                one["adapter"][:10],
                f"{one['rows']:,}",
                seconds(one["seconds"]),
            ]  # fmt: skip
        )
    failed = [one for one in facts["repositories"] if one["state"] == "failed"]
    lines = [columns(rows)]
    for one in failed:
        first, *rest = one["reason"].splitlines() or [f"exit code {one['exit']}"]
        lines.append(f"{escape_line(one['name'])}: {escape_line(first)}")
        lines += [f"  {escape_line(line)}" for line in rest]
        folder = escape_line(shlex.quote(one["folder"]))
        lines.append(f"  see it: cd {folder} && repobuild")
    counts = ("built", "current", "stale", "failed")
    lines.append(", ".join(f"{facts[s]:,} {s}" for s in counts if facts[s]))
    return "\n".join(lines)
