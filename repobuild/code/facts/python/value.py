"""What an expression is worth as a binding (row.py), as the source shows it.

An expression that is a chain of names, calls and subscripts is told as that chain; one
of two (`a if c else b`, `a or b`) as both. What a few functions of the standard library
give is what they were given: a partial is called as its function is, a cast is of its
type. Everything else is "": something that nothing is known of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from repobuild.code.facts.element_row import Binding
from repobuild.code.facts.syntax import Outline

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
NONE = "?"  # says nothing when something else is assigned, too
_LONGEST_CHAIN = 40
_LONGEST_VALUE = 4_000  # bytes
_DEEPEST = 5  # of values within values
# What is bound: (kind of binding, the argument that says it).
_GIVEN: dict[str, tuple[str, int | str]] = {
    "functools.partial": ("=", 0),
    "functools.partialmethod": ("=", 0),
    "functools.wraps": ("", 0),
    "typing.cast": (":", 0),
    "typing.NewType": ("=", 1),
    "typing.TypeVar": ("=", "bound"),
    "typing_extensions.TypeVar": ("=", "bound"),
}
# Builtins, and functools: which argument they call.
_CALLED: dict[str, int | str] = {
    "map": 0,
    "filter": 0,
    "sorted": "key",
    "min": "key",
    "max": "key",
    "functools.reduce": 0,
}
_SAME = frozenset({"sorted", "reversed", "list", "tuple", "iter", "set", "frozenset"})
_CHAINS = frozenset({"identifier", "attribute", "call", "subscript"})


class Values:
    """The values of one module's expressions; `origins` are its imported names."""

    def __init__(self, outline: Outline, origins: Mapping[str, str]) -> None:
        self._outline = outline
        self._origins = origins
        own = {found.name for found in outline.definitions}
        self._calling = _CALLED.keys() - own
        self._same = _SAME - own

    def of(self, node: Node, depth: int = 0) -> Iterator[Binding]:
        """Yield what a value may be: bindings, "" for something unknown."""
        kind = node.type
        if kind == "identifier" or kind == "attribute":
            text = self._outline.text(node)
            known = _DOTTED.match(text) and text not in ("True", "False")
            yield "=" + text if known else self._chained(node)
        elif kind == "call":
            yield self._made(node)
        elif kind in ("subscript", "await"):
            yield self._chained(node)
        elif depth < _DEEPEST and (parts := list(_parts(node))):
            for part in parts:
                yield from self.of(part, depth + 1) if part is not None else ("",)
        else:
            yield NONE if kind == "none" else ""

    def element(self, node: Node) -> Binding:
        """Return what an element of an iterated value is."""
        if node.type == "call" and self._called(node) in self._same:
            inner = _argument(self._outline, node, 0)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        return f"={chain}*" if chain else ""

    def second(self, node: Node) -> Binding:
        """Return what the second name of `for a, b in node` is."""
        if node.type != "call":
            return ""
        if self._called(node) == "enumerate":
            inner = _argument(self._outline, node, 0)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        if not chain.endswith(".items()"):
            return ""
        return f"={chain.removesuffix('.items()')}.values()*"

    def chain(self, node: Node) -> str:
        """Return an expression as a chain of names, "" when it is none."""
        if node.type not in _CHAINS and node.type != "await":
            return ""
        if node.end_byte - node.start_byte > _LONGEST_VALUE:
            return ""
        if node.type == "await":
            inner = node.named_child(0)
            chain = self.chain(inner) if inner is not None else ""
            return chain + "!" if chain else ""
        chain = call_name(self._outline, node)
        return "" if "?" in chain or chain.startswith("''") else chain

    def handed(self, name: str, function: Node) -> str:
        """Return what a call makes a builtin call (`key=f`), as a chain, or ""."""
        origin = self._origin(name)
        if origin not in self._calling or function.parent is None:
            return ""
        if "." not in origin and name in self._origins:
            return ""
        given = _argument(self._outline, function.parent, _CALLED[origin])
        return self.chain(given) if given is not None else ""

    def _chained(self, node: Node) -> Binding:
        chain = self.chain(node)
        return "=" + chain if chain else ""

    def _made(self, node: Node) -> Binding:
        """Return what a call gives."""
        function = node.child_by_field_name("function")
        name = self.chain(function) if function is not None else ""
        kind, place = _GIVEN.get(self._origin(name), ("(", 0))
        if kind == "(":
            return "(" + name if name else ""
        given = _argument(self._outline, node, place)
        if given is None or not kind:
            return ""
        if kind == ":":
            return ":" + self._outline.text(given)
        return next(self.of(given, 1))

    def _called(self, node: Node) -> str:
        function = node.child_by_field_name("function")
        return self._outline.text(function) if function is not None else ""

    def _origin(self, name: str) -> str:
        """Return the full name of what an imported name is."""
        root, dot, rest = name.partition(".")
        return self._origins.get(root, root) + dot + rest


def _parts(node: Node) -> Iterator[Node | None]:
    """Yield the expressions that an expression's value is one of."""
    kind = node.type
    fields = {
        "assignment": ("right",),
        "named_expression": ("value",),
        "boolean_operator": ("left", "right"),
    }
    if kind == "parenthesized_expression" and node.named_child_count == 1:
        yield node.named_child(0)
    elif kind == "conditional_expression" and node.named_child_count == 3:
        yield from (node.named_child(0), node.named_child(2))
    for name in fields.get(kind, ()):
        yield node.child_by_field_name(name)


def _argument(outline: Outline, call: Node, place: int | str) -> Node | None:
    """Return a call's positional argument by its place, or a keyword's value."""
    given = call.child_by_field_name("arguments")
    if given is None or given.type != "argument_list":
        return None
    plain = 0
    for child in given.named_children:
        if child.type == "keyword_argument":
            name = child.child_by_field_name("name")
            if name is not None and outline.text(name) == place:
                return child.child_by_field_name("value")
        elif child.type in ("list_splat", "dictionary_splat"):
            return None
        elif child.type != "comment":
            if plain == place:
                return child
            plain += 1
    return None


def call_name(outline: Outline, node: Node | None) -> str:
    """Return what is called as a chain of names; see `row.py`."""
    tail: list[str] = []
    while node is not None and len(tail) < _LONGEST_CHAIN:
        shape = node.type
        if shape == "identifier":
            return outline.text(node) + "".join(reversed(tail))
        if shape == "attribute":
            name = node.child_by_field_name("attribute")
            tail.append("." + (outline.text(name) if name else "?"))
            node = node.child_by_field_name("object")
        elif shape == "call":
            tail.append("()")
            node = node.child_by_field_name("function")
        elif shape == "subscript":
            tail.append("[]")
            node = node.child_by_field_name("value")
        elif shape == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_child(0)
        else:
            root = "''" if shape in ("string", "concatenated_string") else "?"
            return root + "".join(reversed(tail))
    return "?" + "".join(reversed(tail))
