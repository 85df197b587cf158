"""Print results; the text is made from the same object that `--json` prints.

Everything that any verb prints passes through this module, which escapes it: names and
texts of the repository must not reach a terminal raw
(tests/cases/verbs/test_terminal.py).
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from types import TracebackType
from typing import Any

import click

from repobuild.plain_text import escape_controls, escape_line, json_text


def emit(
    facts: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]
) -> None:
    """Print one object on stdout, as JSON or as the text made from it.

    Secrets in it, also in names and paths, are replaced.
    """
    facts = redact_secrets(facts)
    if as_json:
        print_text(json_text(facts, indent=2, default=bytes.hex))
    elif printed := text(facts):
        print_text(fit_to_terminal(printed))


_NARROWEST = 40  # columns; on less, a terminal breaks the lines itself
_SECOND_COLUMN = re.compile(r"(?:\S  )? *\S+ {2,}(?=\S)")  # after a mark or without
_ENDS_IN_Y = re.compile("[^aeiou]y$")
_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
# What clears a progress bar from the line that is written next.
_clear_bar: Callable[[], None] | None = None


def clear_before_printing(clear: Callable[[], None] | None) -> None:
    """Call this before each line that is printed; None: nothing is drawn."""
    global _clear_bar
    _clear_bar = clear


def _clear() -> None:
    if _clear_bar is not None:
        _clear_bar()


def print_text(text: str, end: str = "\n", bold: bool = False) -> None:
    """Print a text on stdout, with control characters escaped."""
    _clear()
    text = escape_controls(text)
    click.echo(click.style(text, bold=True) if bold else text, nl=False)
    click.echo(end, nl=False)


def print_message(text: str) -> None:
    """Print a warning or a note on stderr, without control characters and tokens."""
    _clear()
    click.echo(escape_controls(_redact_tokens(text)), err=True)


def fit_to_terminal(text: str) -> str:
    """Return a text whose lines are broken between words, on a terminal.

    What follows stands under the second column, or two blanks in. A pipe gets the lines
    as they are.
    """
    width = shutil.get_terminal_size().columns
    if width < _NARROWEST or not sys.stdout.isatty():
        return text
    return "\n".join(
        part for line in text.split("\n") for part in break_line(line, width)
    )


def break_line(line: str, width: int) -> list[str]:
    """Return a line in parts of at most `width` characters, unless a word is longer."""
    if len(line) <= width or " " not in line.strip():
        return [line]
    column = _SECOND_COLUMN.match(line)
    indent = len(line) - len(line.lstrip()) + 2
    if column and column.end() < width / 2:
        indent = column.end()
    last = [gap.end() for gap in _GAP.finditer(line) if gap.end() < width]
    if last and last[-1] > width / 2:  # the last column of a row, as a whole
        first, rest = line[: last[-1]].rstrip(), " " * indent + line[last[-1] :]
        return [first, *break_line(rest, width)]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def redact_secrets(value: Any) -> Any:
    """Return plain data with every secret in it replaced."""
    from repobuild.samples.dataset.secret_detection import redact

    return redact(value)


def _redact_tokens(text: str) -> str:
    """Replace what has a token's form; a message may name a path that looks random."""
    from repobuild.samples.dataset.secret_detection import redact_tokens

    return redact_tokens(text)


def write_screen(text: str) -> None:
    """Write escape sequences of our own around texts that are escaped already."""
    click.echo(text, nl=False)


def bold_title(text: str) -> str:
    """Return a text in bold type for `write_screen`."""
    return click.style(escape_line(text), bold=True)


def print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the traceback of a fault of repobuild's own, as `sys.excepthook`."""
    import traceback

    print_message("".join(traceback.format_exception(kind, error, trace)).rstrip())


def short(commit: str) -> str:
    """Return an abbreviated commit id."""
    return commit[:10] if commit else "the work tree"


def seconds(value: float) -> str:
    """Return a duration with a unit that suits it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 90 else f"{value / 60:.1f} min"


def number_of(count: int, word: str) -> str:
    """Return a count with its word: "1 row", "2 rows", "2 entries"."""
    if count != 1:
        word = f"{word[:-1]}ies" if _ENDS_IN_Y.search(word) else f"{word}s"
    return f"{count:,} {word}"


def columns(rows: list[list[str]], indent: str = "  ") -> str:
    """Return rows in columns: the first aligned left, the others aligned right."""
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(widths[i + 1]) for i, cell in enumerate(row[1:])]
        lines.append(indent + "  ".join(cells).rstrip())
    return "\n".join(lines)
