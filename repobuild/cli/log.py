"""repobuild log: the chain of adapters, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, seconds, short

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
    """
    from repobuild.checkout import find
    from repobuild.cli.adapter_rows import in_use

    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    facts = {"head": build.snapshot.commit, "current": in_use(build)}
    emit({"version": 1, **facts, "adapters": chain(build)}, as_json, text)
    return 0


def chain(build: Any) -> list[Row]:
    """Return the adapters' rows with their scores, newest first."""
    from repobuild.cli.adapter_rows import scores

    def told(row: Row) -> Row:
        aside = {"instead": told(row["instead"])} if "instead" in row else {}
        return {**row, **aside, "report": scores(build, row["object"])}

    rows = [{"commit": c, **told(row)} for c, row in build.table("adapter").items()]
    return sorted(rows, key=lambda row: -int(row["build"]))


def text(facts: Row) -> str:
    if not facts["adapters"]:
        return "no adapter yet; `repobuild` builds one"
    return "\n".join(_aligned([_HEAD, *_lines(facts)]))


def _lines(facts: Row) -> Iterator[tuple[str, ...]]:
    for row in facts["adapters"]:
        commit = row["commit"]
        yield _cells("*" if commit == facts["current"] else "", commit, row)
        if "instead" in row:
            yield _cells("-", commit, row["instead"])


def _cells(mark: str, commit: str, row: Row) -> tuple[str, ...]:
    from repobuild.cli.adapter_rows import HOW

    recall = row["report"].get("recall", {}).get("adapter", {})
    mode = row.get("mode", "")
    return (
        mark,
        short(commit),
        row["object"][:12],
        HOW.get(mode, mode or "made"),
        f"{row['work']:,.0f}" if row.get("work") else "",
        seconds(row["seconds"]) if row.get("work") and "seconds" in row else "",
        f"{recall['loss']:.2f}" if "loss" in recall else "",
        *(f"{recall[n]:.0%}" if n in recall else "" for n in ("path_exact", "right")),
        _why(row),
    )


def _why(row: Row) -> str:
    said = [row.get("reason", "")]
    if row.get("current"):
        said.append(f"worse than its parent: {row['current'][:12]} stays current")
    return "; ".join(filter(None, said))


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield lines of equal columns; numbers to the right, the last as it comes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [name in _NUMBERS for name in _HEAD]
    for row in rows:
        cells = [
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()
