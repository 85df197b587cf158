"""Turn an expression into bindings (facts/element_row.py), from its source alone.

A chain of names, calls and subscripts yields that chain; an alternative (`a if c else
b`, `a or b`) yields both. A few functions of the standard library yield one of their
arguments: calling a partial calls its function, a cast has the type that it names.
Everything else yields "", an unknown value.
"""

from __future__ import annotations

import re
from collections import defaultdict
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
    "functools.update_wrapper": ("=", 0),
    "functools.lru_cache": ("=", 0),
    "functools.cache": ("=", 0),
    "functools.cmp_to_key": ("=", 0),
    "staticmethod": ("=", 0),
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
_SORT = ".sort"  # the method of a list
# Calls whose elements are those of their first argument.
KEEP_ELEMENTS = frozenset(
    "sorted reversed list tuple iter set frozenset collections.deque".split()
)
# Methods that return their second argument where a key is missing.
_GETTERS = frozenset({"get", "pop", "setdefault"})
CHAIN_NODES = frozenset({"identifier", "attribute", "call", "subscript"})


class Values:
    """The values of one module's expressions; `origins` are its imported names."""

    def __init__(self, outline: Outline, origins: Mapping[str, str]) -> None:
        self._outline = outline
        self._origins = origins
        self._own = {definition.name for definition in outline.definitions}
        self.lambdas = dict(_numbered(outline))

    def of(self, node: Node, depth: int = 0) -> Iterator[Binding]:
        """Yield the bindings that a value may be, "" when it is unknown."""
        kind = node.type
        if kind == "identifier" or kind == "attribute":
            text = self._outline.text(node)
            is_name = _DOTTED.match(text) and text not in ("True", "False")
            yield "=" + text if is_name else self._chain_binding(node)
        elif kind == "call" and self._is_next(node):
            yield self._chain_binding(node)
        elif kind == "call":
            yield self._call_binding(node)
            yield from self._otherwise(node)
        elif kind in ("subscript", "await"):
            yield self._chain_binding(node)
        elif kind == "lambda":
            yield "&" + self.lambdas[node.start_byte]
        elif depth < _MAX_DEPTH and (parts := list(_alternatives(node))):
            for part in parts:
                yield from self.of(part, depth + 1) if part is not None else ("",)
        else:
            yield NONE if kind == "none" else ""

    def element(self, node: Node) -> Binding:
        """Return the binding of `for a in node`."""
        if node.type == "call" and self.origin_of(node) in KEEP_ELEMENTS:
            inner = _argument(self._outline, node, 0)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        return f"={chain}*" if chain else ""

    def part(self, node: Node, index: int) -> Binding:
        """Return the binding of b in `for a, b in node`, of index 1."""
        origin = self.origin_of(node)
        if origin in ("enumerate", "zip"):
            which = index if origin == "zip" else index - 1
            inner = _argument(self._outline, node, which)
            return self.element(inner) if inner is not None else ""
        chain = self.chain(node)
        if chain.endswith(".items()"):
            return f"={chain.removesuffix('.items()')}.values()*" if index == 1 else ""
        return f"={chain}*[{index}]" if chain else ""

    def chain(self, node: Node) -> str:
        """Return an expression as a chain of names, "" when it is not one."""
        if node.type not in CHAIN_NODES and node.type != "await":
            return ""
        if node.end_byte - node.start_byte > _MAX_BYTES:
            return ""
        if self._is_next(node):
            inner = _argument(self._outline, node, 0)
            chain = self.chain(inner) if inner is not None else ""
            return chain + "*" if chain else ""
        if node.type == "await":
            inner = node.named_child(0)
            chain = self.chain(inner) if inner is not None else ""
            return chain + "!" if chain else ""
        chain = call_name(self._outline, node, with_keys=True)
        return "" if "?" in chain or chain.startswith("''") else chain

    def also_called(self, name: str, function: Node) -> Iterator[str]:
        """Yield chains of what a call runs besides what it names.

        That is an argument that a builtin calls (`key=f`), the function that stands in
        for a missing key (`found.get(key, f)()`), and what `next(found)()` gives.
        """
        found: list[Binding] = []
        argument = self._called_argument(name, function)
        if argument is not None:
            found += self.of(argument)
        if function.type == "call":
            found += self._otherwise(function)
            if self._is_next(function):
                found.append(self._chain_binding(function))
        for binding in found:
            if binding[:1] == "=":
                yield binding[1:]
            elif binding[:1] == "(":
                yield f"{binding[1:]}()"

    def _called_argument(self, name: str, function: Node) -> Node | None:
        """Return the argument that a builtin or a function of functools calls."""
        call = function.parent
        which = None if name in self._own else _CALLS_ARGUMENT.get(self._origin(name))
        if name.endswith(_SORT):
            which = "key"
        elif name == "iter" and call is not None and len(arguments_of(call)) == 2:
            which = 0  # it calls a function until that returns the other argument
        if call is None or which is None:
            return None
        return _argument(self._outline, call, which)

    def _otherwise(self, call: Node) -> Iterator[Binding]:
        """Yield what `found.get(key, f)` is for a missing key: our own definition."""
        function = call.child_by_field_name("function")
        name = function and function.child_by_field_name("attribute")
        if name is None or self._outline.text(name) not in _GETTERS:
            return
        other = _argument(self._outline, call, 1)
        if other is not None and self._outline.text(other) in self._own:
            yield "=" + self._outline.text(other)

    def _is_next(self, node: Node) -> bool:
        is_named_so = self._outline.source.startswith(b"next(", node.start_byte)
        return is_named_so and node.type == "call" and "next" not in self._own

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

    def origin_of(self, call: Node) -> str:
        """Return the full name of what is called, "" where that is our own."""
        function = call.child_by_field_name("function")
        if function is None or call.type != "call":
            return ""
        name = self._outline.text(function)
        return "" if name in self._own else self._origin(name)

    def _origin(self, name: str) -> str:
        """Return the full name of an imported name."""
        root, dot, rest = name.partition(".")
        return self._origins.get(root, root) + dot + rest


def _numbered(outline: Outline) -> Iterator[tuple[int, str]]:
    """Yield where each lambda starts, and its number among those of its scope."""
    seen: dict[int, int] = defaultdict(int)
    for node in outline.sites.get("lambda", ()):
        owner = outline.owner(node.start_byte)
        yield node.start_byte, str(seen[owner])
        seen[owner] += 1


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


def arguments_of(call: Node) -> list[Node]:
    """Return the arguments of a call, as nodes."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return []
    return [one for one in arguments.named_children if one.type != "comment"]


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
