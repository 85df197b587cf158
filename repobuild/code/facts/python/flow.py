"""Read where values go in a module: into parameters, containers, `for` and `with`.

An entry of `ElementRow.flow` is a list of strings. Chains in it are those of bindings,
with keys: `d[a]` is an element by the literal key `a`.

    ["f", "0", "=g", "key", "=h"]   f(g, key=h): arguments that may be called
    ["f", "0[a]", "=g", "*1", "=h"] f({"a": g}, *h): elements, and what is spread
    ["d[a]"]                        d["a"](): the called chain, with its keys
    ["c", "*"]                      for x in c       ["c", "~"]      with c:

Arguments and chains that begin with a builtin, or with what is imported from the
standard library, are left out: nothing of the repository is found through them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tree_sitter import Node

from repobuild.code.facts.element_row import IDENTIFIER
from repobuild.code.facts.python.contents import Contents, Element
from repobuild.code.facts.python.value import Values, arguments_of, literal_key
from repobuild.code.facts.syntax import Outline
from repobuild.code.scan.python_table import builtin_names, standard_library

_ROOT = re.compile(IDENTIFIER)
_ROOT_BYTES = re.compile(rb"[A-Za-z_]\w*|[\x80-\xff]+")
_ASSERTION = re.compile(rb"self\.assert")
_VALUE = rb"""(?:[A-Za-z_0-9.]+|"[^"\\\n]*"|'[^'\\\n]*')"""
_SIMPLE = re.compile(
    rb"\(\s*((?:(?:\w+\s*=\s*)?" + _VALUE + rb"\s*(?:,\s*|(?=\))))+)\)"
)
_ARGUMENT = re.compile(rb"(?:(\w+)\s*=\s*)?(" + _VALUE + rb")\s*(?:,|\Z)")
_CONSTANTS = frozenset({"True", "False", "None"})
_PASSED = frozenset({"identifier", "attribute", "call"})
_LONGEST = 200  # characters of a chain
_MOST_ARGUMENTS = 30
# Methods of containers, which put an argument into the container, or what it holds.
_PUTS = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "setdefault": 1}
_PUTS_ALL = {"extend": "*", "update": "[]", "extendleft": "*"}
Flow = dict[int, list[list[str]]]  # by index of the definition, -1 the module


class FlowReader:
    """Reads one module's flow; `roots` are the names that its chains begin with."""

    def __init__(
        self,
        outline: Outline,
        values: Values,
        contents: Contents,
        origins: Mapping[str, str],
    ) -> None:
        self.flow: Flow = defaultdict(list)
        self.roots: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self.put: list[tuple[Node, str, Element]] = []  # (call, container, what)
        self._outline = outline
        self._values = values
        self._contents = contents
        standard = standard_library()
        own = {one.name for one in outline.definitions}
        self._foreign = (builtin_names() - own - origins.keys() - {"super"}) | {
            name
            for name, origin in origins.items()
            if origin.partition(".")[0] in standard and name not in own
        }
        self._seen: set[tuple[int, tuple[str, ...]]] = set()
        for node in outline.sites.get("call", ()):
            self._call(node)
        self._implied()

    def _call(self, function: Node) -> None:
        """Read the arguments of a call, and the keys of what is called."""
        source, end = self._outline.source, function.end_byte
        is_keyed = function.type == "subscript"
        if source.startswith(b"()", end) and not is_keyed:
            return
        match = _ROOT_BYTES.match(source, function.start_byte, end)
        if match is None or match[0].decode() in self._foreign:
            return
        if _ASSERTION.match(source, function.start_byte, end):
            return
        simple = _SIMPLE.match(source, end)
        if simple is not None:
            passed = list(self._passed_simply(simple[1]))
        else:
            call = function.parent
            arguments = call.child_by_field_name("arguments") if call else None
            is_list = arguments is not None and arguments.type == "argument_list"
            passed = list(self._passed(arguments)) if arguments and is_list else []
        self._put_by(function)
        if not passed and not is_keyed:
            return
        if callee := self._chain(function):
            self._add(function, [callee, *passed])

    def _put_by(self, function: Node) -> None:
        """Read what a method of a container puts into it."""
        name = function.child_by_field_name("attribute")
        method = self._outline.text(name) if name is not None else ""
        object, call = function.child_by_field_name("object"), function.parent
        if method not in _PUTS | _PUTS_ALL.keys() or object is None or call is None:
            return
        arguments = arguments_of(call)
        found: list[Element] = []
        if method in _PUTS_ALL:
            for one in arguments:
                found += self._contents.put_into(one, _PUTS_ALL[method])
        elif len(arguments) > _PUTS[method]:
            is_keyed = method == "setdefault"
            key = literal_key(self._outline, arguments[0]) if is_keyed else ""
            found += self._contents.element(key, arguments[_PUTS[method]])
        if found and (holder := self._chain(object)):
            for keys, binding in found:
                if self.is_own(binding[1:]):
                    self.put.append((function, holder, (keys, binding)))

    def _passed_simply(self, text: bytes) -> Iterator[str]:
        """Yield the same as `_passed` of arguments that are names and literals."""
        for index, one in enumerate(_ARGUMENT.finditer(text)):
            chain = one[2].decode()
            root = chain.partition(".")[0]
            if not root.isidentifier() or root in _CONSTANTS or root in self._foreign:
                continue
            if len(chain) <= _LONGEST:
                yield one[1].decode() if one[1] else str(index)
                yield "=" + chain

    def _passed(self, arguments: Node) -> Iterator[str]:
        """Yield which parameter, and the binding, of arguments that may be called."""
        index, is_counted = 0, True
        for child in arguments.named_children[:_MOST_ARGUMENTS]:
            if child.type == "keyword_argument":
                name = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                if name is not None and value is not None:
                    yield from self._given(self._outline.text(name), value)
            elif child.type == "dictionary_splat":
                yield from self._spread(child, "**", "")
            elif child.type == "list_splat":
                if is_counted:
                    yield from self._spread(child, f"*{index}", str(index))
                is_counted = False  # of those behind it no index is known
            elif child.type != "comment" and is_counted:
                yield from self._given(str(index), child)
                index += 1

    def _given(self, which: str, value: Node) -> Iterator[str]:
        """Yield what one argument is, or what the container holds that it makes."""
        found = list(self._contents.of(value))
        if not found and value.type in _PASSED:
            found = [("", binding) for binding in self._values.of(value)]
        for keys, binding in found:
            if self.is_own(binding[1:]):
                yield which + keys
                yield binding

    def _spread(self, argument: Node, which: str, first: str) -> Iterator[str]:
        """Yield what `*found` and `**found` pass; a literal's elements one by one."""
        value = argument.named_children[0] if argument.named_child_count else None
        if value is None:
            return
        for keys, binding in self._contents.of(value):
            key = keys[1:-1]
            if key and keys.count("[") == 1 and self.is_own(binding[1:]):
                yield str(int(first) + int(key)) if first else key
                yield binding
        chain = self._chain(value)
        if chain:
            yield which
            yield f"={chain}"

    def _implied(self) -> None:
        """Read what `for` iterates over, and what `with` enters."""
        found: list[tuple[Node, str]] = [
            (parts["right"][0], "*")
            for kind, parts in self._outline.other_matches
            if kind == "loop"
        ]
        for node in self._outline.sites.get("entered", ()):
            inner = node.named_child(0) if node.type == "as_pattern" else node
            if inner is not None:
                found.append((inner, "~"))
        for node, mark in found:
            chain = self._chain(node)
            if chain:
                self._add(node, [chain, mark])

    def _chain(self, node: Node) -> str:
        chain = self._values.chain(node)
        return chain if self.is_own(chain) else ""

    def is_own(self, chain: str) -> bool:
        """Return whether a chain may lead to an element of the repository."""
        root = _ROOT.match(chain)
        return (
            root is not None and root[0] not in self._foreign and len(chain) <= _LONGEST
        )

    def _add(self, node: Node, entry: list[str]) -> None:
        owner = self._outline.owner(node.start_byte)
        key = (owner, tuple(entry))
        if key not in self._seen:
            self._seen.add(key)
            self.flow[owner].append(entry)
            self.roots[owner] += _roots(entry)


def _roots(entry: Iterable[str]) -> Iterator[tuple[str, int]]:
    for text in entry:
        if root := _ROOT.match(text.lstrip("=(:@!")):
            yield root[0], 0
