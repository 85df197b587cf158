"""Escape the characters with which a text can do more than be read.

Names, messages and sources of the analysed repository reach terminals, logs and files.
Control characters move the cursor and set the window's title; bidirectional and
invisible ones show another text than there is; some programs break lines at U+2028.
They are written as Python and JSON escape them. Left alone are line feeds, tabs, and
the joiners that emoji, Persian and the scripts of India are written with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_UNSAFE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def escape_controls(text: str) -> str:
    r"""Return a text with `\x1b`, `\u202e` and the like in place of such characters."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def escape_line(text: str) -> str:
    r"""Escape a name within a line of our own: `\n`, too, so that it forges no line."""
    return escape_controls(text).replace("\n", "\\n")


def escape_json(text: str) -> str:
    """Escape JSON that was written as Unicode; it stays equal JSON."""
    return _UNSAFE.sub(lambda match: json.dumps(match.group())[1:-1], text)


def json_text(
    value: Any, indent: int | None = None, default: Callable[[Any], Any] | None = None
) -> str:
    """Return JSON that people can read and that holds no such character."""
    return escape_json(
        json.dumps(value, ensure_ascii=False, indent=indent, default=default)
    )


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
