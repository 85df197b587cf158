"""Load a rule's function from the bytes of a Python file, not from a path.

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

_CACHED_MODULES = 32


class RuleError(Exception):
    """What a user's function raised, with the line of its file."""


@dataclass(frozen=True)
class Script:
    """One Python file, and the function in it that a rule runs."""

    path: str
    function: str
    source: bytes

    def load(self) -> Callable[..., Any]:
        """Return the function; raises `UsageError` when the file does not define it."""
        names = vars(_module(self.path, self.source))
        function: Callable[..., Any] | None = names.get(self.function)
        if function is None or not callable(function):
            hint = nearest(self.function, names)
            raise UsageError(f'"{self.path}" has no function "{self.function}"{hint}')
        return partial(_call, function, _code_name(self.path))


def _call(function: Callable[..., Any], code_name: str, *arguments: Any) -> Any:
    """Call a user's function. It may neither print to stdout nor end the process."""
    try:
        with redirect_stdout(sys.stderr):
            return function(*arguments)
    except (BuildError, sqlite3.Error):  # raised by the engine
        raise
    except (Exception, SystemExit) as error:
        frames = extract_tb(error.__traceback__)
        lines = [str(f.lineno) for f in frames if f.filename == code_name]
        where = ", line ".join([code_name[1:-1], *lines[-1:]])
        raise RuleError(f"{type(error).__name__}: {error} ({where})") from error


def _code_name(path: str) -> str:
    """Return the file name that tracebacks show for a script."""
    return f"<{path}>"


@lru_cache(maxsize=_CACHED_MODULES)
def _module(path: str, source: bytes) -> ModuleType:
    name = f"repobuild_rule_{blake2b(source, digest_size=8).hexdigest()}"
    code_name = _code_name(path)
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses look their module up
    lines = source.decode("utf-8", "replace").splitlines(keepends=True)
    # So that tracebacks show the source lines.
    linecache.cache[code_name] = (len(source), None, lines, code_name)
    with redirect_stdout(sys.stderr):
        exec(compile(source, code_name, "exec", dont_inherit=True), vars(module))
    return module
