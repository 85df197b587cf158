"""Signals that end a build: it unwinds, and the next one goes on from there.

    Ctrl-C (SIGINT) 130, SIGTERM 143, SIGHUP 129      one line on stderr, state closed

The first one is raised where the program is, so that files are closed and processes
that were started are ended. From then on they do what the system does by default: a
second Ctrl-C kills, which the state survives as well.
"""

from __future__ import annotations

import signal
import threading
import warnings
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalInterrupt(KeyboardInterrupt):
    """A signal came. No `Exception`: no rule and no library takes it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.said = "interrupted" if number == signal.SIGINT else "ended by a signal"


def listen() -> None:
    """Raise `SignalInterrupt` at the first signal; an ignored one (nohup) stays so."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    for other in _ENDING:
        if signal.getsignal(other) is _raise:
            signal.signal(other, signal.SIG_DFL)
    # joblib warns of tasks that it cancels, and when the workers got the signal, too,
    # its own threads die with a traceback (test_processes.py).
    warnings.simplefilter("ignore")
    threading.excepthook = lambda error: None
    raise SignalInterrupt(number)
