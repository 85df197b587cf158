"""What the variables and fields of a file are made of, as far as it is written there.

A query file captures where a name is bound (@local, @field); what is bound to it
stands around it in the tree: a type, or what makes it. `x: T` and `T x` are ":T",
`x = new T()` is "(T", `x := f()` is "(f", anything else "" (row.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from repobuild.code.facts.element_row import Binding
from repobuild.code.facts.parameter import flat

_CLIMB = 4  # nodes from a name to what declares it
_MADE = {
    "new_expression": ("constructor", "type"),
    "object_creation_expression": ("type",),
    "call_expression": ("function",),
    "composite_literal": ("type",),
    "struct_expression": ("name",),
}
# `for (x : f())` binds x to a part of what f makes, a pattern to a part of a value.
_STOPS = ("_pattern", "_statement", "_expression", "parameters", "loop", "_clause")
_LONGEST = 100
_GUESSED = ("auto", "var", "let", "val")


def binding_of(name: Node) -> Binding:
    """Return what a name is bound to where it stands."""
    for node, place in _around(name):
        typed = node.child_by_field_name("type")
        if typed is not None and typed.id != place.id:
            text = _text(typed).lstrip(": ")
            if text.split(" ")[0] not in _GUESSED:
                return f":{text}" if len(text) <= _LONGEST else ""
    for node, place in _around(name):
        if node.type.endswith(_STOPS):
            return ""
        if found := _made(node, place, name):
            return found
    return ""


def _around(name: Node) -> Iterator[tuple[Node, Node]]:
    """Yield the nodes around a name, each with the one that it was reached from."""
    place: Node = name
    node = name.parent
    for _ in range(_CLIMB):
        if node is None or node.type.endswith("_pattern"):
            return
        yield node, place
        if node.type.endswith(_STOPS):
            return
        place, node = node, node.parent


def _text(node: Node) -> str:
    return flat((node.text or b"").decode("utf-8", "replace"))


def _made(node: Node, place: Node, name: Node) -> Binding:
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    if value is None or value.id == place.id:
        return ""
    if value.type == "expression_list":  # Go's `a, err := f()`: a is what f gives first
        if place.start_byte != name.start_byte or value.named_child_count != 1:
            return ""
        value = value.named_children[0]
    if value.type in ("unary_expression", "reference_expression"):  # &T{}
        value = value.named_children[-1] if value.named_children else value
    for field in _MADE.get(value.type, ()):
        found = value.child_by_field_name(field)
        text = _text(found) if found else ""
        if text and len(text) <= _LONGEST and "(" not in text:
            return f"({text}"
    return ""
