"""Parse TOML that may be hostile: every way in which it fails is one error.

`tomllib` raises RecursionError for deep nesting and a plain ValueError for an integer
of 5,000 digits. It takes time that grows with the square of a dotted key's length (1.7
s for 32 kB), so `parse_toml` looks at size and dots first.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from typing import Any

MOST_BYTES = 1 << 20
_MOST_DOTS = 16
_KEY = r"(?:(?<![\w-])[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_LONG_KEY = re.compile(rf"(?:{_KEY}[ \t]*\.[ \t]*){{{_MOST_DOTS}}}")


class TomlError(ValueError):
    """A text is no TOML that repobuild reads; the message says why, with the line."""


def parse_toml(data: bytes) -> dict[str, Any]:
    """Return the document; raises `TomlError` for anything that cannot be read."""
    if len(data) > MOST_BYTES:
        raise TomlError(f"it has more than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")  # as Windows editors write
        if long := _LONG_KEY.search(text):
            line = text.count("\n", 0, long.start()) + 1
            raise TomlError(f"a key has more than {_MOST_DOTS} dots (at line {line})")
        return tomllib.loads(text)
    except RecursionError:
        raise TomlError("it is nested too deeply") from None
    except TomlError:
        raise
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TomlError(f"it is not UTF-8 (at line {line})") from error
    except ValueError as error:  # also of an integer that is too long
        raise TomlError(str(error)) from error


def read_bounded(path: str) -> bytes:
    """Return a file's content, cut after one byte more than `parse_toml` takes.

    A pipe or a device is empty: waiting for a pipe's writer would take for ever. Raises
    `OSError` when there is no such file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(MOST_BYTES + 1)
