"""End a build on a signal: it unwinds, and the next build continues from there.

    Ctrl-C (SIGINT) 130, SIGTERM 143, SIGHUP 129      one line on stderr, state closed

The first signal is raised as an exception, so that files are closed and child processes
are ended. After it the signals have their default action: a second Ctrl-C kills the
program, which the state survives as well.
"""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_UNTIL_RAISED_AGAIN = 0.01


class SignalInterrupt(KeyboardInterrupt):
    """A signal arrived. Not an `Exception`, so that no rule or library catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.message = "interrupted" if number == signal.SIGINT else "ended by a signal"


def end_at_once(end: Callable[[int, FrameType | None], None]) -> None:
    """Call `end` at Ctrl-C while modules are loaded, where an exception may be lost."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)


def listen() -> None:
    """Raise `SignalInterrupt` at the first signal that is not ignored (nohup)."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)
    sys.unraisablehook = _raise_again


def _raise_again(unraisable: UnraisableHookArgs) -> None:
    """Raise a signal again a moment later that arrived where Python drops exceptions.

    That is within a `__del__` or the callback of a weak reference, of which the import
    system has one for each module: the build would go on as if nothing had been said.
    """
    interrupt = unraisable.exc_value
    if not isinstance(interrupt, SignalInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    number = interrupt.args[0]
    signal.signal(signal.SIGALRM, lambda _, frame: _raise(number, frame))
    signal.setitimer(signal.ITIMER_REAL, _SECONDS_UNTIL_RAISED_AGAIN)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    for other in _ENDING:
        if signal.getsignal(other) is _raise:
            signal.signal(other, signal.SIG_DFL)
    # joblib warns of tasks that it cancels. When its workers got the signal too, its
    # threads die with a traceback (test_processes.py).
    warnings.simplefilter("ignore")
    threading.excepthook = lambda error: None
    raise SignalInterrupt(number)
