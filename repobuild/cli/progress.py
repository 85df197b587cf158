"""Show progress on stderr: bars with the time left on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import print_message
from repobuild.plain_text import escape_line

if TYPE_CHECKING:
    from repobuild.engine.contract import ShowProgress

_LINE_SECONDS = 5.0
_BAR = "{l_bar}{bar:24}| {n_fmt}/{total_fmt} [{elapsed}, {remaining} left{postfix}]"


class ProgressBar:
    """A bar on a terminal."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, count: int = 1) -> None:
        self._bar.update(count)

    def note(self, text: str) -> None:
        self._bar.set_postfix_str(escape_line(text), refresh=False)


class ProgressLines:
    """One line every few seconds, for logs."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._note = ""
        self._began = self._printed = time.monotonic()

    def advance(self, count: int = 1) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._printed >= _LINE_SECONDS:
            self._printed = now
            print_message(self._line(now - self._began))

    def note(self, text: str) -> None:
        self._note = f", {text}" if text else ""

    def _line(self, seconds: float) -> str:
        left = seconds / max(self._done, 1) * max(self._total - self._done, 0)
        return (
            f"{self._label}: {self._done}/{self._total}, "
            f"about {left:.0f} s left{self._note}"
        )


def progress_for(quiet: bool) -> ShowProgress:
    """Return the kind of progress that suits stderr; a silent one for `quiet`."""
    from repobuild.checkout import silent

    if quiet:
        return silent
    return _show_bar if sys.stderr.isatty() else _print_lines


@contextmanager
def _show_bar(label: str, total: int) -> Iterator[ProgressBar]:
    from tqdm import tqdm

    with tqdm(
        total=total or None,
        desc=f"{escape_line(label):>9}",
        leave=False,
        bar_format=_BAR if total else "{desc} {elapsed}{postfix}",
    ) as bar:
        yield ProgressBar(bar)


@contextmanager
def _print_lines(label: str, total: int) -> Iterator[ProgressLines]:
    yield ProgressLines(label, total)
