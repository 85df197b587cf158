"""Find what says that a whole element is deprecated, and not one of its arguments.

@deprecated("...")                       a decorator
.. deprecated:: 2.0                      in its docstring, and "Deprecated: ..."
warnings.warn("...", DeprecationWarning)     at the first level of its body
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_DOCSTRING = re.compile(
    r"(?im)\A\W*deprecated\b|^\.\. deprecated::|^@deprecated\b|^:deprecated:"
)
_WARNING = "DeprecationWarning"
_BODY = re.compile(r"^(?P<margin>[ \t]+)\S", re.MULTILINE)
_WARN = re.compile(r"(?:\w+\.)*warn\((?P<arguments>(?:[^()]|\([^()]*\))*)\)")


def is_deprecated(code: str, docstring: str, decorators: Iterable[str]) -> bool:
    """Return whether an element's own code or docstring says that it is deprecated."""
    names = (one.partition("(")[0].rpartition(".")[2] for one in decorators)
    if "deprecated" in names or _DOCSTRING.search(docstring):
        return True
    return _WARNING in code and _always_warns(code)


def is_deprecated_module(source: bytes, docstring: str) -> bool:
    """Return whether a module says that it is deprecated, or warns when imported."""
    if _DOCSTRING.search(docstring):
        return True
    if _WARNING.encode() not in source:
        return False
    text = source.decode("utf-8", "replace")
    return any(
        _WARNING in warning["arguments"]
        for warning in _WARN.finditer(text)
        if not text[: warning.start()].rpartition("\n")[2]
    )


def _always_warns(code: str) -> bool:
    """Return whether a warning stands at the least indentation of a body."""
    lines = code.split("\n")
    head = next((n for n, one in enumerate(lines) if "def " in one), len(lines))
    margin = len(lines[head]) - len(lines[head].lstrip()) if head < len(lines) else 0
    body = "\n".join(lines[head + 1 :])
    indents = (len(m["margin"]) for m in _BODY.finditer(body))
    least = min((one for one in indents if one > margin), default=0)
    return any(
        _WARNING in warning["arguments"]
        for warning in _WARN.finditer(body)
        if body[: warning.start()].rpartition("\n")[2] == " " * least
    )
