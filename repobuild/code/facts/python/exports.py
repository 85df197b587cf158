"""Reads what a module's `__all__` holds: facts' `all`, entries in source order.

    "name"           the name is exported
    "-name"          no longer: `__all__.remove("name")`
    "*a.b.__all__"   what another module exports, or what a name (`*names`) holds

A statement that cannot be read (a comprehension, a function's result) adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tree_sitter import Node

from repobuild.code.facts.python.docstring import string_value
from repobuild.code.facts.python.value import call_name
from repobuild.code.facts.syntax import Outline

NAME = "__all__"
_COPIES = frozenset({"list", "tuple", "set", "sorted"})
_SEQUENCES = frozenset(
    "list tuple set expression_list list_splat parenthesized_expression".split()
)


class ExportStatement(NamedTuple):
    """One statement that sets or changes `__all__`."""

    offset: int  # bytes
    method: str  # "extend" (also `=` and `+=`), "append", "insert", "remove"
    value: Node | None  # None: it is imported


def read_exports(
    outline: Outline, statements: Iterable[ExportStatement]
) -> list[str] | None:
    """Return the entries of `__all__`, None when no statement sets it."""
    entries: list[str] = []
    is_set = False
    for _, method, value in sorted(statements, key=lambda one: one.offset):
        is_set = True
        if value is None:
            entries.append(f"*{NAME}")
        elif method == "extend":
            entries += _items(outline, value)
        else:
            sign = "-" if method == "remove" else ""
            entries += [sign + name for name in _items(outline, value)]
    return entries if is_set else None


def statements_of_calls(outline: Outline) -> Iterator[ExportStatement]:
    """Yield the module's `__all__.extend(...)` and its like."""
    start = NAME.encode() + b"."
    for function in outline.sites.get("call", ()):
        if not outline.source.startswith(start, function.start_byte):
            continue
        method, call = outline.text(function).rpartition(".")[2], function.parent
        arguments = call.child_by_field_name("arguments") if call else None
        if arguments is None or outline.owner(function.start_byte) >= 0:
            continue
        values = [node for node in arguments.named_children if node.type != "comment"]
        index = 1 if method == "insert" else 0
        if method in ("extend", "append", "insert", "remove") and len(values) > index:
            yield ExportStatement(function.start_byte, method, values[index])


def _items(outline: Outline, value: Node) -> Iterator[str]:
    """Yield the entries that an expression adds, in source order."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        inner: list[Node | None] = []
        if node.type in ("string", "concatenated_string"):
            if name := string_value(outline.text(node)):
                yield name
        elif node.type == "identifier":
            yield "*" + outline.text(node)
        elif node.type == "attribute":
            name = call_name(outline, node)
            if name.endswith("." + NAME) and not set(name) & set("?()[]'"):
                yield "*" + name
        elif node.type in _SEQUENCES:
            inner = list(node.named_children)
        elif node.type == "binary_operator" and b"+" in _operator(node):
            inner = [node.child_by_field_name(side) for side in ("left", "right")]
        elif node.type == "call":
            yield from _split_text(outline, node)
            inner = _copied(outline, node)
        waiting += [child for child in reversed(inner) if child is not None]


def _operator(node: Node) -> bytes:
    operator = node.child_by_field_name("operator")
    return (operator.text or b"") if operator is not None else b""


def _split_text(outline: Outline, call: Node) -> list[str]:
    """Return the names in `"a b c".split()`."""
    function = call.child_by_field_name("function")
    text = function.child_by_field_name("object") if function is not None else None
    if text is None or function is None or text.type != "string":
        return []
    is_split = outline.text(function).endswith(".split")
    is_plain = outline.text(call).endswith("()")
    return string_value(outline.text(text)).split() if is_split and is_plain else []


def _copied(outline: Outline, call: Node) -> list[Node | None]:
    """Return the argument of `list(...)` and its like."""
    function = call.child_by_field_name("function")
    arguments = call.child_by_field_name("arguments")
    if function is None or arguments is None:
        return []
    if outline.text(function) not in _COPIES or arguments.named_child_count != 1:
        return []
    return [arguments.named_child(0)]
