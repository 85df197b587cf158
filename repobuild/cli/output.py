"""Print results; the text is made from the same object that `--json` prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click


def emit(
    facts: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]
) -> None:
    """Print one object on stdout, as JSON or as the text made from it."""
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=bytes.hex))
    elif printed := text(facts):
        click.echo(printed)


def print_message(text: str) -> None:
    """Print a warning or a note on stderr."""
    click.echo(text, err=True)


def short(commit: str) -> str:
    """Return an abbreviated commit id."""
    return commit[:10] if commit else "the work tree"


def seconds(value: float) -> str:
    """Return a duration with a unit that suits it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 90 else f"{value / 60:.1f} min"


def columns(rows: list[list[str]], indent: str = "  ") -> str:
    """Return rows in columns: the first aligned left, the others aligned right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(widths[i + 1]) for i, cell in enumerate(row[1:])]
        lines.append(indent + "  ".join(cells).rstrip())
    return "\n".join(lines)
