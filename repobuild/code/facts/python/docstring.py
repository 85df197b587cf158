"""Read docstrings, with results equal to `ast.get_docstring`."""

from __future__ import annotations

import ast
import re
import warnings

from tree_sitter import Node

_PLAIN = re.compile(
    r"""\A[uU]?(?:\"\"\"((?:[^"\\]|"(?!""))*)\"\"\"|'''((?:[^'\\]|'(?!''))*)'''"""
    r"""|"([^"\\\n]*)"|'([^'\\\n]*)')\Z"""
)
_STRINGS = ("string", "concatenated_string", "parenthesized_expression")


def docstring(body: Node, source: bytes) -> str:
    """Return the cleaned docstring of a body, or ""."""
    # Most bodies begin with something else, which one byte shows without a node.
    if source[body.start_byte : body.start_byte + 1] not in b"\"'rRuU(#":
        return ""
    node = _first_statement(body)
    if node is None or node.type != "expression_statement":
        return ""
    if node.named_child_count != 1:
        return ""
    child = node.named_child(0)
    if child is None or child.type not in _STRINGS:
        return ""
    text = source[child.start_byte : child.end_byte].decode("utf-8", "replace")
    return clean_docstring(string_value(text))


def _first_statement(body: Node) -> Node | None:
    for index in range(body.named_child_count):
        node = body.named_child(index)
        if node is not None and node.type != "comment":
            return node
    return None


def string_value(text: str) -> str:
    """Return the value of a string literal, "" when it is not a plain string."""
    plain = _PLAIN.match(text)
    if plain:
        return next(group for group in plain.groups() if group is not None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes
            value = ast.literal_eval("(" + text + ")")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    if not isinstance(value, str):
        return ""
    # An escape may yield a lone surrogate, which UTF-8 cannot encode.
    return value.encode("utf-8", "replace").decode("utf-8")


def clean_docstring(text: str) -> str:
    """Return the text without common indentation, like `inspect.cleandoc`."""
    if "\n" not in text and "\t" not in text:
        return text.lstrip()
    lines = text.expandtabs().split("\n")
    margins = [
        len(line) - len(stripped) for line in lines[1:] if (stripped := line.lstrip())
    ]
    margin = min(margins, default=0)
    lines = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines)
