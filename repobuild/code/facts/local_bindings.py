"""Read what a file's variables and fields are bound to, as far as it is written there.

A query file captures where a name is bound (@local, @field). The nodes around it show
the value: a declared type, or the expression that constructs it. `x: T` and `T x` are
":T", `x = new T()` is "(T", `x := f()` is "(f", anything else "" (element_row.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from repobuild.code.facts.element_row import Binding
from repobuild.code.facts.parameter import on_one_line

_MAX_CLIMB = 4  # nodes from a name to its declaration
# Expressions that construct a value, with the fields that name the callee or type.
_CONSTRUCTING = {
    "new_expression": ("constructor", "type"),
    "object_creation_expression": ("type",),
    "call_expression": ("function",),
    "composite_literal": ("type",),
    "struct_expression": ("name",),
}
# `for (x : f())` binds x to a part of the result of f, a pattern to a part of a value.
_STOPS = ("_pattern", "_statement", "_expression", "parameters", "loop", "_clause")
_LONGEST = 100
_INFERRED = ("auto", "var", "let", "val")


def binding_of(name: Node) -> Binding:
    """Return what a name is bound to at this node."""
    for node, child in _ancestors(name):
        declared = node.child_by_field_name("type")
        if declared is not None and declared.id != child.id:
            text = _text(declared).lstrip(": ")
            if text.split(" ")[0] not in _INFERRED:
                return f":{text}" if len(text) <= _LONGEST else ""
    for node, child in _ancestors(name):
        if node.type.endswith(_STOPS):
            return ""
        if binding := _constructed(node, child, name):
            return binding
    return ""


def _ancestors(name: Node) -> Iterator[tuple[Node, Node]]:
    """Yield the nearest ancestors of a name, each with the child on the way to it."""
    child: Node = name
    node = name.parent
    for _ in range(_MAX_CLIMB):
        if node is None or node.type.endswith("_pattern"):
            return
        yield node, child
        if node.type.endswith(_STOPS):
            return
        child, node = node, node.parent


def _text(node: Node) -> str:
    return on_one_line((node.text or b"").decode("utf-8", "replace"))


def _constructed(node: Node, child: Node, name: Node) -> Binding:
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    if value is None or value.id == child.id:
        return ""
    if value.type == "expression_list":  # Go's `a, err := f()` binds a to f's first
        if child.start_byte != name.start_byte or value.named_child_count != 1:
            return ""
        value = value.named_children[0]
    if value.type in ("unary_expression", "reference_expression"):  # &T{}
        value = value.named_children[-1] if value.named_children else value
    for field in _CONSTRUCTING.get(value.type, ()):
        callee = value.child_by_field_name(field)
        text = _text(callee) if callee else ""
        if text and len(text) <= _LONGEST and "(" not in text:
            return f"({text}"
    return ""
