"""The parameters of a definition, as a grammar's fields tell them.

Nearly every grammar calls a parameter's parts `name` or `pattern`, `type`, and `value`;
C nests the name in a declarator. What is none of these is a name as it is written, its
dots or stars with it.
"""

from __future__ import annotations

import re
from typing import Any

from tree_sitter import Node

_SPACE = re.compile(r"\s+")
_TARGETS = ("pattern", "left", "declarator")
_DEFAULTS = ("value", "right", "default_value")
_VARIADIC = re.compile(r"^(spread|variadic)_parameter")


def flat(text: str) -> str:
    """Return a text on one line."""
    return _SPACE.sub(" ", text).strip()


def read_parameters(node: Node) -> list[Any]:
    """Return the parameters below a node, as they lie in a row (row.py)."""
    if node.type == "identifier":  # x => x + 1
        return [_text(node)]
    found = []
    for child in node.named_children:
        if "comment" not in child.type and _text(child) != "void":
            found += _read(child)
    return found


def _text(node: Node | None) -> str:
    return flat((node.text or b"").decode("utf-8", "replace")) if node else ""


def _read(node: Node) -> list[Any]:
    names = [_text(name) for name in node.children_by_field_name("name")]
    default = _field(node, _DEFAULTS)
    typed = node.child_by_field_name("type")
    target = _field(node, _TARGETS)
    if node.type == "self_parameter":
        return ["self"]
    if names and typed:
        dots = "..." if _VARIADIC.match(node.type) else ""
        return [_entry(n, dots + _type(typed), _text(default)) for n in names]
    if names:
        return [_entry(names[0], "", _text(default))]
    if target is not None:
        return [_targeted(node, target, typed, default)]
    if _VARIADIC.match(node.type) and node.named_child_count:
        return [_last_named(node)]
    if typed is not None:  # a type without a name: `int f(int)`, `func(int)`
        children = [child for child in node.named_children if child != typed]
        name = _text(children[0]) if children else "_"
        return [_entry(name, _type(typed), "")]
    return [_text(node)]


def _field(node: Node, names: tuple[str, ...]) -> Node | None:
    found = (node.child_by_field_name(name) for name in names)
    return next((child for child in found if child is not None), None)


def _type(node: Node) -> str:
    return _text(node).removeprefix(":").strip()


def _targeted(
    node: Node, target: Node, typed: Node | None, default: Node | None
) -> Any:
    """Return a parameter that is a pattern, or a C declarator around a name."""
    if "declarator" not in target.type:
        plain = node.type != "parameter_declaration" or target.type == "identifier"
        if plain and not _has_qualifier(node):
            kind = _type(typed) if typed else ""
            return _entry(_text(target), kind, _text(default))
    leaf = _leaf(target)
    whole = node.text or b""
    end = default.start_byte - node.start_byte if default else len(whole)
    if leaf is None:
        return _entry("_", flat(_decode(whole[:end]).rstrip(" =")), _text(default))
    first, last = leaf.start_byte - node.start_byte, leaf.end_byte - node.start_byte
    kind = _decode(whole[:first] + whole[last:end]).rstrip(" =")
    return _entry(_text(leaf), flat(kind), _text(default))


def _has_qualifier(node: Node) -> bool:
    return any(child.type == "type_qualifier" for child in node.named_children)


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _leaf(node: Node) -> Node | None:
    """Return the name inside a declarator; what follows the name is never looked at."""
    while node.type != "identifier":
        inner = node.child_by_field_name("declarator")
        named = node.named_children
        if inner is None and (not named or node.type.startswith("abstract")):
            return None
        node = inner or named[0]
    return node


def _last_named(node: Node) -> Any:
    """Return a Java `String... names`: the last child names it."""
    name = node.named_children[-1]
    kind = (node.text or b"")[: name.start_byte - node.start_byte]
    return _entry(_text(name), flat(_decode(kind)), "")


def _entry(name: str, kind: str, default: str) -> Any:
    return [name, "", kind, default] if kind or default else name
