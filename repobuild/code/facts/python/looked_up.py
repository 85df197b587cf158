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

_LOOKS_UP = re.compile(
    rb"\b(?:getattr|globals|locals|vars|import_module|__import__|import_string"
    rb"|methodcaller|attrgetter|load_object)\("
)
_BY_CALL = re.compile(
    rb"\b(?:getattr|hasattr)\([^()\"'\n]*,\s*[\"']([A-Za-z_]\w*)[\"']"
    rb"|\b(?:methodcaller|attrgetter)\(\s*[\"']([A-Za-z_]\w*)[\"']"
)
_ITEM = re.compile(
    rb"(?<=[\[({,:])\s*[\"'](?:[\w.]+\.)?([A-Za-z_]\w+)[\"']\s*(?=[,\])}])"
)
_ENTRY = re.compile(rb"[\"'](?:[\w.-]+\s*=\s*)?[A-Za-z_][\w.]*:([A-Za-z_]\w*)[\"']")
_MOST = 400


def looked_up_names(source: bytes, exported: list[str]) -> list[str]:
    """Return the names in strings that may be looked up, without the exported ones."""
    found = {one for pair in _BY_CALL.findall(source) for one in pair}
    found.update(_ENTRY.findall(source))
    if _LOOKS_UP.search(source):
        found.update(_ITEM.findall(source))
    names = {one.decode() for one in found if one}
    return sorted(names.difference(exported))[:_MOST]
