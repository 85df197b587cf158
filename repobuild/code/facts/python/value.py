"""Turn an expression into bindings (facts/element_row.py), from its source alone.

A chain of names, calls and subscripts yields that chain; an alternative (`a if c else
b`, `a or b`) yields both. A few functions of the standard library yield one of their
arguments: calling a partial calls its function, a cast has the type that it names.
Everything else yields "", an unknown value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from repobuild.code.facts.element_row import DOTTED_NAME, Binding
from repobuild.code.facts.syntax import Outline

_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_KEY = re.compile(r"""(['"]?)(\w{1,40})\1\Z""")
NONE = "?"  # the binding of `None`; ignored beside any other binding
_MAX_SEGMENTS = 40
_MAX_BYTES = 4_000
_MAX_DEPTH = 5  # of values within values
# Callee -> kind of binding, and the argument (index or keyword) that it binds.
_PASS_THROUGH: dict[str, tuple[str, int | str]] = {
    "functools.partial": ("=", 0),
    "functools.partialmethod": ("=", 0),
    "functools.wraps": ("", 0),
    "typing.cast": (":", 0),
    "typing.NewType": ("=", 1),
    "typing.TypeVar": ("=", "bound"),
    "typing_extensions.TypeVar": ("=", "bound"),
}
# Builtins and functools: the argument (index or keyword) that they call.
_CALLS_ARGUMENT: dict[str, int | str] = {
    "map": 0,
    "filter": 0,
    "sorted": "key",
    "min": "key",
    "max": "key",
    "functools.reduce": 0,
}
# Calls whose elements are those of their first argument.
_KEEP_ELEMENTS = frozenset(
    {"sorted", "reversed", "list", "tuple", "iter", "set", "frozenset"}
)
CONTAINERS = frozenset({"dictionary", "list", "tuple", "set"})  # literals
_MAX_ELEMENTS = 500  # of a literal that are looked at
_CHAIN_NODES = frozenset({"identifier", "attribute", "call", "subscript"})


class Values:
    """The values of one module's expressions; `origins` are its imported names."""

    def __init__(self, outline: Outline, origins: Mapping[str, str]) -> None:
        self._outline = outline
        self._origins = origins
        own = {definition.name for definition in outline.definitions}
        self._calling = _CALLS_ARGUMENT.keys() - own
        self._keep_elements = _KEEP_ELEMENTS - own

    def of(self, node: Node, depth: int = 0) -> Iterator[Binding]:
        """Yield the bindings that a value may be, "" when it is unknown."""
        kind = node.type
        if kind == "identifier" or kind == "attribute":
            text = self._outline.text(node)
            is_name = _DOTTED.match(text) and text not in ("True", "False")
            yield "=" + text if is_name else self._chain_binding(node)
        elif kind == "call":
            yield self._call_binding(node)
        elif kind in ("subscript", "await"):
            yield self._chain_binding(node)
        elif depth < _MAX_DEPTH and (parts := list(_alternatives(node))):
            for part in parts:
                yield from self.of(part, depth + 1) if part is not None else ("",)
        else:
            yield NONE if kind == "none" else ""

    def contents(self, node: Node, depth: int = 0) -> Iterator[tuple[str, Binding]]:
        """Yield (keys, binding) of the named elements of a literal: `[a][0]`."""
        is_mapping = node.type == "dictionary"
        index = 0
        for child in node.named_children[:_MAX_ELEMENTS]:
            key, value = str(index), child
            if is_mapping:
                found = child.child_by_field_name("value")
                if child.type != "pair" or found is None:
                    continue
                key = literal_key(self._outline, child.child_by_field_name("key"))
                value = found
            elif child.type == "comment":
                continue
            index += 1
            if node.type == "set":
                key = ""
            if value.type in CONTAINERS and depth < _MAX_DEPTH:
                for inner, binding in self.contents(value, depth + 1):
                    yield f"[{key}]{inner}", binding
            elif value.type in _CHAIN_NODES:
                for binding in self.of(value):
                    if binding[:1] in ("=", "("):
                        yield f"[{key}]", binding

    def element(self, node: Node) -> Binding:
        """Return the binding of `for a in node`."""
        if node.type == "call" and self._callee(node) in self._keep_elements:
            inner = _argument(self._outline, node, 0)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        return f"={chain}*" if chain else ""

    def second(self, node: Node) -> Binding:
        """Return the binding of b in `for a, b in node`."""
        if node.type != "call":
            return ""
        if self._callee(node) == "enumerate":
            inner = _argument(self._outline, node, 0)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        if not chain.endswith(".items()"):
            return ""
        return f"={chain.removesuffix('.items()')}.values()*"

    def chain(self, node: Node) -> str:
        """Return an expression as a chain of names, "" when it is not one."""
        if node.type not in _CHAIN_NODES and node.type != "await":
            return ""
        if node.end_byte - node.start_byte > _MAX_BYTES:
            return ""
        if node.type == "await":
            inner = node.named_child(0)
            chain = self.chain(inner) if inner is not None else ""
            return chain + "!" if chain else ""
        chain = call_name(self._outline, node, with_keys=True)
        return "" if "?" in chain or chain.startswith("''") else chain

    def callback(self, name: str, function: Node) -> str:
        """Return the argument that a builtin calls (`key=f`) as a chain, or ""."""
        origin = self._origin(name)
        if origin not in self._calling or function.parent is None:
            return ""
        if "." not in origin and name in self._origins:
            return ""
        argument = _argument(self._outline, function.parent, _CALLS_ARGUMENT[origin])
        return self.chain(argument) if argument is not None else ""

    def _chain_binding(self, node: Node) -> Binding:
        chain = self.chain(node)
        return "=" + chain if chain else ""

    def _call_binding(self, node: Node) -> Binding:
        """Return the binding of a call's result."""
        function = node.child_by_field_name("function")
        name = self.chain(function) if function is not None else ""
        kind, which = _PASS_THROUGH.get(self._origin(name), ("(", 0))
        if kind == "(":
            return "(" + name if name else ""
        argument = _argument(self._outline, node, which)
        if argument is None or not kind:
            return ""
        if kind == ":":
            return ":" + self._outline.text(argument)
        return next(self.of(argument, 1))

    def _callee(self, node: Node) -> str:
        function = node.child_by_field_name("function")
        return self._outline.text(function) if function is not None else ""

    def _origin(self, name: str) -> str:
        """Return the full name of an imported name."""
        root, dot, rest = name.partition(".")
        return self._origins.get(root, root) + dot + rest


def _alternatives(node: Node) -> Iterator[Node | None]:
    """Yield the expressions one of which is the expression's value."""
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


def _argument(outline: Outline, call: Node, which: int | str) -> Node | None:
    """Return a call's positional argument by its index, or a keyword's value."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return None
    index = 0
    for child in arguments.named_children:
        if child.type == "keyword_argument":
            name = child.child_by_field_name("name")
            if name is not None and outline.text(name) == which:
                return child.child_by_field_name("value")
        elif child.type in ("list_splat", "dictionary_splat"):
            return None
        elif child.type != "comment":
            if index == which:
                return child
            index += 1
    return None


def literal_key(outline: Outline, node: Node | None) -> str:
    """Return a string's or a number's text as a key, "" where it is not so simple."""
    if node is None or node.type not in ("string", "integer"):
        return ""
    key = _KEY.match(outline.text(node))
    return key[2] if key else ""


def call_name(outline: Outline, node: Node | None, with_keys: bool = False) -> str:
    """Return a callee as a chain of names (facts/element_row.py)."""
    tail: list[str] = []
    while node is not None and len(tail) < _MAX_SEGMENTS:
        kind = node.type
        if kind == "identifier":
            return outline.text(node) + "".join(reversed(tail))
        if kind == "attribute":
            name = node.child_by_field_name("attribute")
            tail.append("." + (outline.text(name) if name else "?"))
            node = node.child_by_field_name("object")
        elif kind == "call":
            tail.append("()")
            node = node.child_by_field_name("function")
        elif kind == "subscript":
            key = ""
            if with_keys:
                key = literal_key(outline, node.child_by_field_name("subscript"))
            tail.append(f"[{key}]")
            node = node.child_by_field_name("value")
        elif kind == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_child(0)
        else:
            root = "''" if kind in ("string", "concatenated_string") else "?"
            return root + "".join(reversed(tail))
    return "?" + "".join(reversed(tail))
