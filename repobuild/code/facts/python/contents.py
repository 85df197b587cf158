"""Read what an expression holds, where it makes a container.

    [f, g]  {"a": f}             what stands in a literal, by index or key
    [f for f in found]           what a comprehension makes
    [*left, f]  left + right     what the others hold, by no known key
    list(found)  found[1:]       the same
    dict(a=f)                    what stands under a keyword

The elements of another container are its chain and `[]` or `*` (element_row.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from repobuild.code.facts.element_row import Binding
from repobuild.code.facts.python.value import (
    CHAIN_NODES,
    KEEP_ELEMENTS,
    Values,
    arguments_of,
    literal_key,
)
from repobuild.code.facts.syntax import Outline

LITERALS = frozenset({"dictionary", "list", "tuple", "set", "expression_list"})
_COMPREHENSIONS = frozenset(
    "list_comprehension set_comprehension dictionary_comprehension"
    " generator_expression".split()
)
_MAX_ELEMENTS = 500  # of a literal that are looked at
_MAX_DEPTH = 5  # of containers within containers
_JOINED = (b"+", b"|")
Element = tuple[str, Binding]  # keys, as of a chain, and what is there


class Contents:
    """The contents of one module's expressions."""

    def __init__(self, outline: Outline, values: Values) -> None:
        self._outline = outline
        self._values = values

    def of(self, node: Node, depth: int = 0) -> Iterator[Element]:
        """Yield the named elements of a container: `[a]` has `[0]` and `=a`."""
        kind = node.type
        if depth > _MAX_DEPTH:
            return
        if kind == "parenthesized_expression" and node.named_child_count == 1:
            yield from self.of(node.named_children[0], depth + 1)
        elif kind in LITERALS:
            yield from self._of_literal(node, depth)
        elif kind in _COMPREHENSIONS:
            body = node.child_by_field_name("body")
            if body is not None and body.type == "pair":
                body = body.child_by_field_name("value")
            if body is not None:
                yield from self.element("", body, depth)
        elif kind == "binary_operator":
            yield from self._of_joined(node, depth)
        elif kind == "call":
            yield from self._of_call(node, depth)
        elif kind == "subscript" and _is_slice(node):
            yield from self._copied(node.child_by_field_name("value"), "[]")

    def _of_literal(self, node: Node, depth: int) -> Iterator[Element]:
        index = 0
        for child in node.named_children[:_MAX_ELEMENTS]:
            if child.type == "pair":
                key = literal_key(self._outline, child.child_by_field_name("key"))
                if (value := child.child_by_field_name("value")) is not None:
                    yield from self.element(key, value, depth)
            elif child.type in ("dictionary_splat", "list_splat"):
                inner = child.named_children[0] if child.named_child_count else None
                end = "[]" if child.type == "dictionary_splat" else "*"
                yield from self._copied(inner, end)
            elif child.type != "comment":
                key = "" if node.type == "set" else str(index)
                index += 1
                yield from self.element(key, child, depth)

    def element(self, key: str, value: Node, depth: int = 0) -> Iterator[Element]:
        """Yield what is under a key: a value, or the elements of a container."""
        within = list(self.of(value, depth + 1))
        for keys, binding in within:
            yield f"[{key}]{keys}", binding
        if not within and (value.type in CHAIN_NODES or value.type == "lambda"):
            for binding in self._values.of(value):
                if binding[:1] in ("=", "(", "&"):
                    yield f"[{key}]", binding

    def _of_joined(self, node: Node, depth: int) -> Iterator[Element]:
        operator = node.child_by_field_name("operator")
        if operator is None or operator.type.encode() not in _JOINED:
            return
        for name in ("left", "right"):
            side = node.child_by_field_name(name)
            if side is not None:
                yield from self.put_into(side, "[]", depth)

    def _of_call(self, node: Node, depth: int) -> Iterator[Element]:
        name = self._values.origin_of(node)
        arguments = arguments_of(node)
        if name in KEEP_ELEMENTS and len(arguments) >= 1:
            yield from self.put_into(arguments[0], "*", depth)
        elif name == "dict":
            for child in arguments:
                if child.type == "keyword_argument":
                    key = child.child_by_field_name("name")
                    value = child.child_by_field_name("value")
                    if key is not None and value is not None:
                        yield from self.element(self._outline.text(key), value, depth)
                else:
                    yield from self.put_into(child, "[]", depth)

    def put_into(self, node: Node, end: str, depth: int = 0) -> Iterator[Element]:
        """Yield what another container gets of this one's elements: no key is known."""
        within = list(self.of(node, depth + 1))
        for keys, binding in within:
            yield "[]" + keys[keys.index("]") + 1 :], binding
        if not within:
            yield from self._copied(node, end)

    def _copied(self, node: Node | None, end: str) -> Iterator[Element]:
        chain = self._values.chain(node) if node is not None else ""
        if chain:
            yield "[]", f"={chain}{end}"


def _is_slice(node: Node) -> bool:
    inner = node.child_by_field_name("subscript")
    return inner is not None and inner.type == "slice"
