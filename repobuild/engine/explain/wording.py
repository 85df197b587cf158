"""Reasons in words: each short enough to be a piece of a line.

What is worded are plain reasons (reason.py), as `--json` prints them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from repobuild.engine.explain.reason import Cause

_MAX_CHARACTERS = 60
_DIGEST = re.compile(r"[0-9a-f]{24,}")
_DIGEST_CHARACTERS = 10
_AROUND = 10  # characters that stand before the first difference of two texts

Plain = Mapping[str, Any]


def shown(value: Any, most: int = _MAX_CHARACTERS) -> str:
    """Return a value as people write it, cut to fit a line; digests shorter."""
    if value is None:
        return "nothing"
    said = value.hex() if isinstance(value, bytes) else value
    said = said if isinstance(said, str) else repr(said)
    if _DIGEST.fullmatch(said):
        return said[:_DIGEST_CHARACTERS]
    said = " ".join(said.split())
    return said if len(said) <= most else said[: most - 1] + "…"


def from_to(old: Any, new: Any) -> str:
    """Return two values, of long texts what lies around the first difference."""
    if not (isinstance(old, str) and isinstance(new, str)) or _DIGEST.fullmatch(old):
        return f"{shown(old)} to {shown(new)}"
    same = len(os.path.commonprefix([old, new]))
    start = same - _AROUND if max(len(old), len(new)) > _MAX_CHARACTERS // 2 else 0
    cut = [text if start <= 0 else "…" + text[start:] for text in (old, new)]
    mark = '"' if any(not text or " " in text for text in cut) else ""
    most = _MAX_CHARACTERS // 2
    return " to ".join(f"{mark}{shown(text, most)}{mark}" for text in cut)


def sentence(reason: Plain) -> str:
    """Return what a reason says by itself, without what is behind it."""
    return _SENTENCES[Cause(reason["cause"])](reason)


def place(commit: str, subject: str) -> str:
    """Return a commit as people know it."""
    if not commit:
        return "the work tree"
    return f'{commit[:10]} "{shown(subject, 40)}"' if subject else commit[:10]


def field(leaf: Plain) -> str:
    """Return one changed field, from what to what."""
    name = f"{leaf['name']} " if leaf["name"] else ""
    if leaf["from"] is None:
        return f"{name}{shown(leaf['to'])} came"
    if leaf["to"] is None:
        return f"{name}{shown(leaf['from'])} went"
    return f"{name}{from_to(leaf['from'], leaf['to'])}"


def fields(leaves: list[Plain], most: int = 2) -> str:
    """Return the first changed fields and how many more there are."""
    said = "; ".join(field(leaf) for leaf in leaves[:most])
    more = len(leaves) - most
    return said + (f"; {more} more" if more > 0 else "")


def _changed(word: str) -> Callable[[Plain], str]:
    def worded(reason: Plain) -> str:
        return f"{word} {reason['name']} {_from_to(reason)}"

    return worded


def _from_to(reason: Plain) -> str:
    return from_to(reason["from"], reason["to"])


def _version(reason: Plain) -> str:
    return f"rule version {_from_to(reason)}"


def _never(reason: Plain) -> str:
    what = " ".join(filter(None, (reason["table"], reason["key"][:10])))
    return f"{what} was never built before"


def _evicted(reason: Plain) -> str:
    return f"gc took the artifact {shown(reason['to'] or reason['from'])}"


def _parent(reason: Plain) -> str:
    return f"it starts from another parent, {_from_to(reason)}"


def _input(word: str) -> Callable[[Plain], str]:
    def worded(reason: Plain) -> str:
        if reason["table"] == "git":
            where = place(reason["commit"], reason["subject"])
            return f"{reason['key']} {word} in {where}"
        said = " ".join(filter(None, (reason["table"], reason["key"], word)))
        if reason["fields"]:
            return f"{said}: {fields(reason['fields'])}"
        if reason["from"] or reason["to"]:
            return f"{said}: {reason['name']} {_from_to(reason)}"
        return f"{said} ({reason['name']})" if reason["name"] else said

    return worded


_SENTENCES = {
    Cause.INPUT_CHANGED: _input("changed"),
    Cause.INPUT_ADDED: _input("added"),
    Cause.INPUT_REMOVED: _input("removed"),
    Cause.SETTING_CHANGED: _changed("setting"),
    Cause.TOOL_CHANGED: _changed("tool"),
    Cause.INGREDIENT_CHANGED: _changed("ingredient"),
    Cause.RULE_VERSION_CHANGED: _version,
    Cause.PARENT_CHANGED: _parent,
    Cause.NEVER_BUILT: _never,
    Cause.EVICTED: _evicted,
}
