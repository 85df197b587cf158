"""Find what says that a whole element is deprecated, and not one of its arguments.

@deprecated("...")                       a decorator
.. deprecated:: 2.0                      in its docstring, and "Deprecated: ..."
warnings.warn("...", DeprecationWarning)     at the first level of its body

What will be deprecated, or will change, is not: its docstring says so, and is quoted
(`warning_of` in docstring_parts.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIRECTIVE = re.compile(r"(?m)^\.\. deprecated::[ \t]*[\d.]*\s*(?:[*`]+(\w+)[*`]+)?")
_DOCSTRING = re.compile(
    r"(?im)\A\W*deprecated\b|^@deprecated\b|^:deprecated:"
    r"|\bthis (?:function|method|class|property|attribute|module|decorator)"
    r" (?:is|has been) (?:now )?deprecated\b"
)
# What a warning says of a later version, or of a part of what warns.
_LATER = re.compile(r"(?i)\b(?:be|become) deprecated\b|\bwill change\b|\bbehaviou?r\b")
_JOINT = re.compile(r"['\"]\s*\n\s*[a-z]*['\"]")  # of a text on several lines
_WARNING = "DeprecationWarning"
_BODY = re.compile(r"^(?P<margin>[ \t]+)\S", re.MULTILINE)
_WARN = re.compile(r"(?:\w+\.)*warn\((?P<arguments>(?:[^()]|\([^()]*\))*)\)")


_TEXT_ARGUMENT = re.compile(r"\s*(?:message\s*=\s*)?([A-Za-z_]\w*)\s*(?:,|$)")


def is_deprecated(code: str, docstring: str, decorators: Iterable[str]) -> bool:
    """Return whether an element's own code or docstring says that it is deprecated."""
    names = (one.partition("(")[0].rpartition(".")[2] for one in decorators)
    if "deprecated" in names or _DOCSTRING.search(docstring):
        return True
    directives = _DIRECTIVE.finditer(docstring)
    if any(not _is_argument(one[1], docstring) for one in directives):
        return True
    return _WARNING in code and _always_warns(code)


def is_deprecated_module(source: bytes, docstring: str) -> bool:
    """Return whether a module says that it is deprecated, or warns when imported."""
    if _DOCSTRING.search(docstring) or _DIRECTIVE.search(docstring):
        return True
    if _WARNING.encode() not in source:
        return False
    text = source.decode("utf-8", "replace")
    return any(
        _says_so(warning["arguments"])
        for warning in _WARN.finditer(text)
        if not text[: warning.start()].rpartition("\n")[2]
    )


def _is_argument(name: str | None, docstring: str) -> bool:
    """Return whether a docstring describes an argument of a name."""
    described = rf"^[ \t]*{name}[ \t]*(?:\([^\n]*\))?:|:param [^:\n]*\b{name}:"
    return (
        name is not None and re.search(described, docstring, re.MULTILINE) is not None
    )


def _says_so(arguments: str) -> bool:
    """Return whether a deprecation warning says that something is deprecated now."""
    return _WARNING in arguments and not _LATER.search(_JOINT.sub("", arguments))


def _always_warns(code: str) -> bool:
    """Return whether a warning stands at the least indentation of a body."""
    lines = code.split("\n")
    head = next((n for n, one in enumerate(lines) if "def " in one), len(lines))
    margin = len(lines[head]) - len(lines[head].lstrip()) if head < len(lines) else 0
    body = "\n".join(lines[head + 1 :])
    indents = (len(m["margin"]) for m in _BODY.finditer(body))
    least = min((one for one in indents if one > margin), default=0)
    return any(
        _says_so(warning["arguments"])
        for warning in _WARN.finditer(body)
        if body[: warning.start()].rpartition("\n")[2] == " " * least
        if not _is_given(warning["arguments"], lines[head:])
    )


def _is_given(arguments: str, lines: list[str]) -> bool:
    """Return whether the text of a warning comes from the caller, who is to be warned.

    `def deprecated(message): warn(message, DeprecationWarning)` is about other code.
    """
    text = _TEXT_ARGUMENT.match(arguments)
    if text is None:
        return False
    ends = (n for n, line in enumerate(lines) if line.rstrip().endswith(":"))
    signature = "\n".join(lines[: next(ends, 0) + 1])
    return re.search(rf"[(,]\s*{text[1]}\s*[:=,)]", signature) is not None
