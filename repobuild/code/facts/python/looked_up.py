"""Find the names in strings by which a Python module may look up what it calls.

    getattr(self, "render_text"), methodcaller("close")
    ["open", "close"], {"text": "render_text"}    in a module that looks up names
    "run = shelf.commands:main"                   an entry point

A module looks up names when it calls `getattr`, `globals`, `import_module` and the
like. What such a name means is not known here, so no edge leads there: that something
is called by nobody, or by these alone, cannot be said of any element of that name.
"""

from __future__ import annotations

import re


def _call_of(name: bytes, arguments: bytes) -> bytes:
    """Return an expression for a call of a whole name.

    It begins with the name: with a boundary before it, the search would try each byte.
    """
    return rb"%b(?<!\w.{%d})\(%b" % (name, len(name), arguments)


_LOOKS_UP = re.compile(
    b"|".join(
        _call_of(name, b"")
        for name in b"getattr globals locals vars import_module __import__"
        b" import_string methodcaller attrgetter load_object".split()
    )
)
_BY_CALL = re.compile(
    b"|".join(
        _call_of(name, before + rb"[\"']([A-Za-z_]\w*)[\"']")
        for name, before in (
            (b"getattr", rb"[^()\"'\n]*,\s*"),
            (b"hasattr", rb"[^()\"'\n]*,\s*"),
            (b"methodcaller", rb"\s*"),
            (b"attrgetter", rb"\s*"),
        )
    )
)
_ITEM = re.compile(rb"[\[({,:]\s*[\"'](?:[\w.]+\.)?([A-Za-z_]\w+)[\"']\s*(?=[,\])}])")
_ENTRY = re.compile(rb"[\"'](?:[\w.-]+\s*=\s*)?[A-Za-z_][\w.]*:([A-Za-z_]\w*)[\"']")
_MOST = 400


def looked_up_names(source: bytes, exported: list[str]) -> list[str]:
    """Return the names in strings that may be looked up, without the exported ones."""
    found = {one for groups in _BY_CALL.findall(source) for one in groups}
    found.update(_ENTRY.findall(source))
    if _LOOKS_UP.search(source):
        found.update(_ITEM.findall(source))
    names = {one.decode() for one in found if one}
    return sorted(names.difference(exported))[:_MOST]
