"""Run tests under a profiler, and tell who really called whom.

    python traced.py OUT ROOT [what pytest is given]

A process of its own: repobuild never runs what it analyses, a benchmark may. Writes to
OUT as JSON `[[caller, callee], ...]`, each `[file, first line of the code, line of the
call or 0]`, of calls between functions whose files lie below ROOT. Only what is called
by call syntax counts: the instruction that the caller is at is a call. Generators and
coroutines are left out (they run when they are asked for, not when they are called),
and so are the bodies of classes.
"""

from __future__ import annotations

import dis
import inspect
import json
import sys
import threading
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_MADE = ("__init__", "__new__", "__call__")


@cache
def calls(code: CodeType) -> frozenset[int]:
    """Return where a code's instructions are calls."""
    found = dis.get_instructions(code)
    return frozenset(one.offset for one in found if one.opname.startswith("CALL"))


class Profile:
    """Collects pairs of frames."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.pairs: set[tuple[CodeType, int, CodeType]] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or frame.f_back is None:
            return
        code, caller = frame.f_code, frame.f_back
        name = code.co_name
        is_class = not code.co_flags & inspect.CO_OPTIMIZED
        if name[0] == "<" or is_class or code.co_flags & _LATER:
            return
        if name.startswith("__") and name.endswith("__") and name not in _MADE:
            return  # run by a builtin, nearly always
        outer = caller.f_code
        if not code.co_filename.startswith(self.root):
            return
        if not outer.co_filename.startswith(self.root):
            return
        if caller.f_lasti in calls(outer):
            self.pairs.add((outer, caller.f_lineno or 0, code))


def main() -> None:
    import pytest

    place, root, *given = sys.argv[1:]
    profile = Profile(root)
    threading.setprofile(profile)
    sys.setprofile(profile)
    pytest.main([*given, "-q", "-p", "no:cacheprovider", "-W", "ignore"])
    sys.setprofile(None)
    pairs = {
        (outer.co_filename, outer.co_firstlineno, line)
        + (code.co_filename, code.co_firstlineno, code.co_name)
        for outer, line, code in profile.pairs
    }
    Path(place).write_text(json.dumps(sorted(pairs)))


if __name__ == "__main__":
    main()
