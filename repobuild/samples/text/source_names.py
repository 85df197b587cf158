"""Find names in Python source: those that it assigns to, and those that it computes.

A class may call its methods by a name that it computes:

    getattr(self, f"xpath_{kind}_function")     names like xpath_..._function
    getattr(self, "visit_" + name)              names like visit_...
    method = "do_%s" % name                     names like do_...
    getattr(self, method)
    name = type(node).__name__.upper()          all names in capital letters
    getattr(self, name)

A list of the callers of such a method would leave out the one that matters. Variables
that are bound to something else are not followed: many a class reads its attributes so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from repobuild.samples.text.long_strings import without_long_strings

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+")
# Every module may have them, and nobody looks for them there.
_ANYWHERE = frozenset(("logger", "log", "LOG", "LOGGER", "TYPE_CHECKING"))
_TYPE_VARIABLE = re.compile(
    r"^(\w+)[ \t]*=[ \t]*(?:\w+\.)?(?:TypeVar|ParamSpec|TypeVarTuple)\(",
    re.MULTILINE,
)
# A type may be on several lines in brackets, which may hold others, or after a `\\`.
_TYPE = r"[^\[\]=]"
for _ in range(4):
    _TYPE = rf"(?:[^\[\]=]|\[{_TYPE}*\])"
_ASSIGNED = re.compile(
    rf"^([^\W\d]\w*)[ \t]*(?::(?:[^=\n\[\\]|\\\n|\[{_TYPE}*\])+)?=(?!=)",
    re.MULTILINE,
)
_GETATTR = re.compile(r"\bgetattr\(\s*(?:self|cls)\s*,\s*(?=\S)")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)\s*[,)]")
_TEXT = re.compile(r"""(f?)(["'])((?:(?!\2)[^\\\n])*)\2\s*(\+|%|\.format\b)?""")
_FIELD = re.compile(r"\{[^{}]*\}|%s|%\(\w+\)s")
_CAPITALS = "[^a-z]*"


def assigned_names(source: bytes) -> set[str]:
    """Return the names to which lines without indentation assign."""
    return set(_ASSIGNED.findall(source.decode("utf-8", "replace")))


def public_constants(source: bytes) -> list[str]:
    """Return the names in capitals that a file assigns to, in the order of the file."""
    plain = without_long_strings(source.decode("utf-8", "replace"))
    names = dict.fromkeys(_ASSIGNED.findall(plain))
    return [n for n in names if _CONSTANT.fullmatch(n) and n not in _ANYWHERE]


def other_public_names(source: bytes, known: Collection[str]) -> list[str]:
    """Return the other names that a file assigns to for those who use it.

    They are dictionaries, types, or second names of a class. What is not in `known`,
    the names that the file binds, is an argument on a line of its own.
    """
    plain = without_long_strings(source.decode("utf-8", "replace"))
    aside = {*_ANYWHERE, *_TYPE_VARIABLE.findall(plain)}
    return [
        name
        for name in dict.fromkeys(_ASSIGNED.findall(plain))
        if name in known and name[0] != "_" and name not in aside
        if not _CONSTANT.fullmatch(name)
    ]


def computed_names(code: str) -> Iterator[re.Pattern[str]]:
    """Yield patterns of the names that a method's code looks up on its receiver."""
    for call in _GETATTR.finditer(code):
        if variable := _VARIABLE.match(code, call.end()):
            name = re.escape(variable[1])
            for value in re.finditer(rf"\b{name}\s*=\s*(?=[^=\s])", code):
                yield from _pattern_at(code, value.end())
        else:
            yield from _pattern_at(code, call.end())


def _pattern_at(code: str, position: int) -> Iterator[re.Pattern[str]]:
    """Yield the pattern of the text that an expression computes, if it is known."""
    text = _TEXT.match(code, position)
    if text is None:
        expression = code[position:].partition("\n")[0]
        if "__name__" in expression and ".upper()" in expression:
            yield re.compile(_CAPITALS)
        return
    is_format, _, content, operator = text.groups()
    if not is_format and not operator:
        return  # one name, as if it were written after a dot
    parts = [re.escape(part) for part in _FIELD.split(content)]
    if any(parts):
        yield re.compile(".*".join(parts) + (".*" if operator == "+" else ""))
