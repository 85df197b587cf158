"""Read the parameters of a definition from a grammar's fields.

Nearly every grammar calls a parameter's parts `name` or `pattern`, `type`, and `value`;
C nests the name in a declarator. A node with none of these fields is a name as written,
with its dots or stars.
"""

from __future__ import annotations

import re
from typing import Any

from tree_sitter import Node

_SPACE = re.compile(r"\s+")
_TARGETS = ("pattern", "left", "declarator")
_DEFAULTS = ("value", "right", "default_value")
_VARIADIC = re.compile(r"^(spread|variadic)_parameter")


def on_one_line(text: str) -> str:
    """Return a text on one line."""
    return _SPACE.sub(" ", text).strip()


def read_parameters(node: Node) -> list[Any]:
    """Return the parameters below a node in their stored form (element_row.py)."""
    if node.type == "identifier":  # x => x + 1
        return [_text(node)]
    parameters = []
    for child in node.named_children:
        if "comment" not in child.type and _text(child) != "void":
            parameters += _read(child)
    return parameters


def _text(node: Node | None) -> str:
    return on_one_line(_decode(node.text or b"")) if node else ""


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _read(node: Node) -> list[Any]:
    names = [_text(name) for name in node.children_by_field_name("name")]
    default = _field(node, _DEFAULTS)
    declared = node.child_by_field_name("type")
    target = _field(node, _TARGETS)
    if node.type == "self_parameter":
        return ["self"]
    if names and declared:
        dots = "..." if _VARIADIC.match(node.type) else ""
        annotation = dots + _type(declared)
        return [_entry(name, annotation, _text(default)) for name in names]
    if names:
        return [_entry(names[0], "", _text(default))]
    if target is not None:
        return [_read_target(node, target, declared, default)]
    if _VARIADIC.match(node.type) and node.named_child_count:
        # Java's `String... names`: the last child is the name.
        name = node.named_children[-1]
        before = (node.text or b"")[: name.start_byte - node.start_byte]
        return [_entry(_text(name), on_one_line(_decode(before)), "")]
    if declared is not None:  # a type without a name: `int f(int)`, `func(int)`
        others = [child for child in node.named_children if child != declared]
        return [_entry(_text(others[0]) if others else "_", _type(declared), "")]
    return [_text(node)]


def _field(node: Node, names: tuple[str, ...]) -> Node | None:
    children = (node.child_by_field_name(name) for name in names)
    return next((child for child in children if child is not None), None)


def _type(node: Node) -> str:
    return _text(node).removeprefix(":").strip()


def _read_target(
    node: Node, target: Node, declared: Node | None, default: Node | None
) -> Any:
    """Return a parameter that is a pattern, or a C declarator around a name."""
    if "declarator" not in target.type:
        plain = node.type != "parameter_declaration" or target.type == "identifier"
        if plain and not any(c.type == "type_qualifier" for c in node.named_children):
            annotation = _type(declared) if declared else ""
            return _entry(_text(target), annotation, _text(default))
    name = _declared_name(target)
    whole = node.text or b""
    end = default.start_byte - node.start_byte if default else len(whole)
    if name is None:
        return _entry(
            "_", on_one_line(_decode(whole[:end]).rstrip(" =")), _text(default)
        )
    first, last = name.start_byte - node.start_byte, name.end_byte - node.start_byte
    annotation = _decode(whole[:first] + whole[last:end]).rstrip(" =")
    return _entry(_text(name), on_one_line(annotation), _text(default))


def _declared_name(node: Node) -> Node | None:
    """Return the name inside a declarator, the first identifier on the way down."""
    while node.type != "identifier":
        inner = node.child_by_field_name("declarator")
        named = node.named_children
        if inner is None and (not named or node.type.startswith("abstract")):
            return None
        node = inner or named[0]
    return node


def _entry(name: str, annotation: str, default: str) -> Any:
    return [name, "", annotation, default] if annotation or default else name
