"""repobuild log: the chain of adapters, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_facts import scores
from repobuild.cli.adapter_lookup import commit_in_use
from repobuild.cli.adapter_text import MODE_WORDS
from repobuild.cli.output import emit, seconds, short
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_NUMBERS = ("tokens", "time", "loss", "file", "facts")
_HEAD = ("", "commit", "adapter", "made", *_NUMBERS, "why")

Row = dict[str, Any]


@click.command("log")
@options.as_json
def command(as_json: bool) -> int:
    """Show every adapter that was built: commit, how it was made, what it scored.

    \b
    *   the one that HEAD uses          loss    of recall questions, held out
    -   put aside by a rollback         file    of them that name the right one
                                        facts   of them with all facts right

    \b
    repobuild log
    repobuild log --json
    """
    from repobuild.checkout import open_checkout

    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    facts = {
        "version": 1,
        "head": build.snapshot.commit,
        "current": commit_in_use(build),
        "adapters": adapter_rows(build),
    }
    emit(facts, as_json, text)
    return 0


def adapter_rows(build: Build) -> list[Row]:
    """Return the adapters' rows with their scores, newest first."""

    def with_scores(row: Row) -> Row:
        row = {**row, "report": scores(build, row["object"])}
        if "instead" in row:  # the commit's own row, replaced by a rollback
            row["instead"] = with_scores(row["instead"])
        return row

    rows = [
        {"commit": commit, **with_scores(row)}
        for commit, row in build.table("adapter").items()
    ]
    return sorted(rows, key=lambda row: -int(row["build"]))


def text(facts: Row) -> str:
    if not facts["adapters"]:
        return f"no adapter yet; `{program()}` builds one"
    rows: list[tuple[str, ...]] = [_HEAD]
    for row in facts["adapters"]:
        commit = row["commit"]
        rows.append(_cells("*" if commit == facts["current"] else "", commit, row))
        if "instead" in row:
            rows.append(_cells("-", commit, row["instead"]))
    return "\n".join(_aligned(rows))


def _cells(mark: str, commit: str, row: Row) -> tuple[str, ...]:
    """Return one table row; its columns are those of `_HEAD`."""
    recall = row["report"].get("recall", {}).get("adapter", {})
    mode = row.get("mode", "")
    why = [row.get("reason", "")]
    if row.get("current"):
        why.append(f"worse than its parent: {row['current'][:12]} stays current")
    return (
        mark,
        short(commit),
        row["object"][:12],
        MODE_WORDS.get(mode, mode or "made"),
        f"{row['work']:,.0f}" if row.get("work") else "",
        seconds(row["seconds"]) if row.get("work") and "seconds" in row else "",
        f"{recall['loss']:.2f}" if "loss" in recall else "",
        *(f"{recall[n]:.0%}" if n in recall else "" for n in ("path_exact", "right")),
        "; ".join(filter(None, why)),
    )


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield lines of equal columns, with numbers aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_number = [name in _NUMBERS for name in _HEAD]
    for row in rows:
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, is_number, strict=True)
        ]
        yield "  ".join(cells).rstrip()
