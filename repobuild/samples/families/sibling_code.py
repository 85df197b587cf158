"""Show a sibling as an example: whole where it is short, else the outline of its class.

Code that is cut shows statements that another one does not need, and ends before those
that it needs. An outline has the heads of all methods, and what the body sets on a line
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import LONGEST_LINE, Tree
from repobuild.samples.text.quote import quote_definition
from repobuild.samples.text.statements import is_whole

_LONGEST = 560  # characters
_SHORT = 260  # that there is room for beside any plan
_INNER = re.compile(r"\n\s+(?:async def|def|class|@)")
_DOCSTRING = re.compile(r'\n\s+[rR]?("""|\'\'\').*?\1[ \t]*\n', re.DOTALL)
_SETTING = re.compile(r"    [A-Za-z]\w*(?:: [^=\n]+|(?:: [^=\n]+)? = \S[^\n]*)")


def sibling_code(element: ElementView | None, tree: Tree) -> tuple[str, str, str]:
    """Return (qualified name, code, outline); "" for what is long, or is not needed."""
    if element is None:
        return "", "", ""
    whole = _text(element, tree.read(element.path) or b"")
    forms = (whole, without_docstring(whole))
    code = next((one for one in forms if 0 < len(one) <= _LONGEST), "")
    if code and len(code) <= _SHORT:
        return element.qual, code, ""
    outline = _outline(element, whole, tree)
    return element.qual, code, outline if len(outline) <= _LONGEST else ""


def without_docstring(code: str) -> str:
    """Return a definition without its docstring; the head says how it is made."""
    match = _DOCSTRING.search(code)
    head = code[: match.start()].rstrip() if match else ""
    if match is None or not head.endswith(":") or _INNER.search(head):
        return code
    body = code[match.end() :].lstrip("\n")
    return f"{head}\n{body}"


def _text(element: ElementView, source: bytes) -> str:
    """Return an element's source, decorators included; "" when it would end a fence."""
    start = source.rfind(b"\n", 0, element.row.start) + 1
    text = source[start : element.row.start + element.row.length]
    decoded = text.decode("utf-8", "replace").rstrip().expandtabs(4)
    lines = decoded.split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    if any(line[:indent].strip() for line in lines):
        return ""
    if "```" in decoded or any(len(line) > LONGEST_LINE + indent for line in lines):
        return ""
    return "\n".join(line[indent:] for line in lines)


def _outline(element: ElementView, whole: str, tree: Tree) -> str:
    """Return the heads of a class of Python and of its methods, "" of anything else."""
    if element.type != "class" or not element.path.endswith(".py"):
        return ""
    elements = tree.reader.elements(element.path).values()
    methods = [one for one in elements if one.parent == element.qual]
    is_plain = all(one.type == "method" and one.runs for one in methods)
    names = [one.name for one in methods]
    if not methods or not is_plain or len(set(names)) < len(names):
        return ""
    source = tree.read(element.path) or b""
    parts = ["\n".join([*_decorated(element), *_settings(whole)])]
    for one in methods:
        lines = _head(one, source).split("\n")
        parts.append("\n".join(f"    {line}" for line in lines) + " ...")
    lines = "\n".join(parts).split("\n")
    is_short = max(map(len, lines)) <= LONGEST_LINE
    return "\n\n".join(parts) if is_short else ""


def _decorated(element: ElementView) -> list[str]:
    """Return the lines of a head, with its decorators."""
    head = f"{element.signature}:"
    return [*(f"@{' '.join(one.split())}" for one in element.row.decorators), head]


def _head(element: ElementView, source: bytes) -> str:
    """Return the head of a method as it is written, with its decorators."""
    row = element.row
    start = source.rfind(b"\n", 0, row.start) + 1
    quoted = quote_definition("python", source[start : row.start + row.length], False)
    return quoted.head if quoted else "\n".join(_decorated(element))


def _settings(code: str) -> Iterator[str]:
    """Yield the lines by which the body of a class sets something, before methods."""
    body = without_docstring(code)
    inner = _INNER.search(body, body.find("\n"))
    for line in body[: inner.start() if inner else None].split("\n"):
        if _SETTING.fullmatch(line) and is_whole(line):
            yield line
