"""A rule's function from a Python file that lies in no folder: its bytes travel.

Users' rules come as blobs of the built commit. They are compiled from these bytes, in
the builder and in its workers, so that what runs is what was trusted, byte for byte,
whatever happens to the work tree meanwhile.
"""

from __future__ import annotations

import linecache
import sqlite3
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from traceback import extract_tb
from types import ModuleType
from typing import Any

from repobuild.errors import BuildError, UsageError, nearest

_KEPT = 32  # modules


@dataclass(frozen=True)
class Script:
    """One Python file, and the function in it that a rule runs."""

    path: str
    function: str
    source: bytes

    def load(self) -> Callable[..., Any]:
        """Return the function; raises `UsageError` when the file has none so named."""
        names = vars(_module(self.path, self.source))
        found: Callable[..., Any] | None = names.get(self.function)
        if found is None or not callable(found):
            hint = nearest(self.function, names)
            raise UsageError(f'"{self.path}" has no function "{self.function}"{hint}')
        return partial(_called, found, _place(self.path))


def _called(function: Callable[..., Any], place: str, *given: Any) -> Any:
    """Call a user's function: stdout is ours, and so is the end of the process."""
    try:
        with redirect_stdout(sys.stderr):
            return function(*given)
    except (BuildError, sqlite3.Error):  # the engine's own
        raise
    except (Exception, SystemExit) as error:
        frames = extract_tb(error.__traceback__)
        lines = [str(f.lineno) for f in frames if f.filename == place]
        where = ", line ".join([place[1:-1], *lines[-1:]])
        raise RuleError(f"{type(error).__name__}: {error} ({where})") from error


class RuleError(Exception):
    """What a user's function raised, and in which line of its file."""


def _place(path: str) -> str:
    return f"<{path}>"


@lru_cache(maxsize=_KEPT)
def _module(path: str, source: bytes) -> ModuleType:
    name = f"repobuild_rule_{blake2b(source, digest_size=8).hexdigest()}"
    place = _place(path)
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses look their module up
    lines = source.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[place] = (len(source), None, lines, place)  # shown in tracebacks
    with redirect_stdout(sys.stderr):
        exec(compile(source, place, "exec", dont_inherit=True), vars(module))
    return module
