"""What names are bound to, in each scope of a Python module, as the source shows it.

Functions keep only names that one of their calls begins with, directly or in a nested
function; modules and classes keep all, since others may look there. A comprehension's
and a lambda's variables count as the function's: hiding too much costs an edge, hiding
too little would invent one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from repobuild.code.facts.element_row import Bindings
from repobuild.code.facts.python.value import NONE, Values
from repobuild.code.facts.syntax import Outline, Parts

_ROOT = re.compile(r"[A-Za-z_]\w*")
_FROM = re.compile(r"from\s*(\.[\s.]*)?\s*([\w.\s]*?)\s*\bimport\b(.*)\Z", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*|\\\n")
_LITERALS = frozenset(
    "string concatenated_string integer float true false list dictionary set tuple"
    " none lambda list_comprehension ellipsis binary_operator".split()
)
_RETURNED = frozenset({"identifier", "call", "attribute", "none"})
_FUNCTIONS = re.compile(r"(?:\w+\.)*(?:Callable|TypeAlias|Any|object)\b")
Event = tuple[int, int, str, str]  # place, owner, name, binding


class Binder:
    """Collects bindings, then files them under the scope that they are made in."""

    def __init__(
        self,
        outline: Outline,
        calls: dict[int, list[tuple[str, int]]],
        parameters: list[list[Any]],
        found: ImportBindings,
        values: Values,
    ) -> None:
        self.outline = outline
        self.imported = found
        self._values = values
        self.parameters = parameters
        self.names: Bindings = {}
        self.vars: dict[int, Bindings] = defaultdict(dict)
        self.attrs: dict[int, Bindings] = defaultdict(dict)
        self.exported: list[str] = []
        self._roots = self._called(calls)
        self._global: dict[int, set[str]] = defaultdict(set)
        self._outer: dict[int, set[str]] = defaultdict(set)
        self._events: list[Event] = []

    def is_class(self, index: int) -> bool:
        return index >= 0 and self.outline.definitions[index].kind == "class"

    def bind(self) -> None:
        """Read all bindings of the module."""
        sites = self.outline.sites
        for kind, scopes in (("global", self._global), ("nonlocal", self._outer)):
            for node in sites.get(kind, ()):
                owner = self.outline.owner(node.start_byte)
                scopes[owner].add(self.outline.text(node))
        for kind, parts in self.outline.others:
            self._bound(kind, parts)
        self._events += self.imported.events
        known = {place for place, _, _, _ in self._events}
        for node in sites.get("bound", ()):
            place = node.start_byte
            if place not in known:  # of a `with` more is known
                owner = self.outline.owner(place)
                self._events.append((place, owner, self.outline.text(node), ""))
        self._defined()
        returned = self._returned()
        self._file()
        for owner, binding in returned.items():
            if outside := self._given_back(owner, binding):
                self.vars[owner]["return"] = outside

    def _returned(self) -> dict[int, str]:
        """Return what functions without a declared type return, if it is one thing."""
        nodes: dict[int, list[Node]] = defaultdict(list)
        sites, definitions = self.outline.sites, self.outline.definitions
        for node in sites.get("return", ()):
            nodes[self.outline.owner(node.start_byte)].append(node)
        for node in sites.get("yield", ()):
            nodes.pop(self.outline.owner(node.start_byte), None)
        found: dict[int, str] = {}
        for owner, given in nodes.items():
            if owner < 0 or "returns" in definitions[owner].parts:
                continue
            if any(node.type not in _RETURNED for node in given):
                continue
            worth = {one for node in given for one in self._values.of(node)} - {NONE}
            binding = worth.pop() if len(worth) == 1 else ""
            if binding:
                found[owner] = binding
                if root := _ROOT.match(binding, 1):
                    self._roots[owner].add(root[0])
        return found

    def _given_back(self, owner: int, binding: str) -> str:
        """Return what a function's result means outside of it."""
        given = self.parameters[owner]
        first = (
            (given[0] if isinstance(given[0], str) else given[0][0]) if given else ""
        )
        if first in ("self", "cls") and binding in ("=" + first, "(" + first):
            return (
                ":Self" if self.is_class(self.outline.definitions[owner].parent) else ""
            )
        return self._outside(owner, binding)

    def _called(self, calls: dict[int, list[tuple[str, int]]]) -> dict[int, set[str]]:
        """Return the first names of each scope's calls, nested scopes included."""
        roots: dict[int, set[str]] = defaultdict(set)
        for index, found in calls.items():
            for name, _ in found:
                root = _ROOT.match(name)
                if root:
                    roots[index].add(root[0])
        definitions = self.outline.definitions
        for index in range(len(definitions) - 1, -1, -1):
            parent = definitions[index].parent
            if parent >= 0 and index in roots:
                roots[parent] |= roots[index]
        return roots

    def _bound(self, kind: str, parts: Parts) -> None:
        """Note what a statement binds; see the query file for the kinds."""
        left = parts["left"][0]
        right = parts["right"][0] if "right" in parts else None
        if kind == "assignment":
            self._assigned(parts, left, right)
        elif right is None:
            return
        elif kind == "unpacking":
            self._unpacked(left, right)
        elif kind == "loop":
            self._looped(left, right)
        elif kind == "with":
            chain = self._values.chain(right)
            self._note(left, f"={chain}~" if chain else "")
        elif kind == "caught":
            self._note(left, ":" + self.outline.text(right))

    def _assigned(self, parts: Parts, left: Node, right: Node | None) -> None:
        outline = self.outline
        place = left.start_byte
        owner = outline.owner(place)
        name = outline.text(left)
        if name == "__all__" and owner < 0 and right is not None:
            self.exported.append(outline.text(right))
        for binding in self._worth(parts, right):
            self._event(place, owner, name, binding)

    def _worth(self, parts: Parts, right: Node | None) -> Iterable[str]:
        """Return the bindings that an assignment makes."""
        if "type" in parts:
            text = self.outline.text(parts["type"][0])
            if right is None or not _FUNCTIONS.match(text):
                return (":" + text,)
        if right is None:
            return ()
        if right.type in _LITERALS:
            return (NONE if right.type == "none" else "",)
        return self._values.of(right)

    def _unpacked(self, left: Node, right: Node) -> None:
        """Note `a, b = c, d`; what is unpacked otherwise is unknown."""
        targets, values = left.named_children, right.named_children
        kinds = {child.type for child in (*targets, *values)}
        if len(targets) != len(values) or kinds & {"list_splat", "list_splat_pattern"}:
            return
        for target, value in zip(targets, values, strict=True):
            if target.type in ("identifier", "attribute"):
                for binding in self._values.of(value):
                    self._note(target, binding)

    def _looped(self, left: Node, right: Node) -> None:
        if left.type == "identifier":
            self._note(left, self._values.element(right))
        elif left.type in ("pattern_list", "tuple_pattern"):
            names = left.named_children
            if len(names) == 2 and names[1].type == "identifier":
                self._note(names[1], self._values.second(right))

    def _note(self, left: Node, binding: str) -> None:
        place = left.start_byte
        name = self.outline.text(left)
        self._event(place, self.outline.owner(place), name, binding)

    def _event(self, place: int, owner: int, name: str, binding: str) -> None:
        if binding[:1] in ("(", "="):
            # What it is made of must be known where it is used.
            root = _ROOT.match(binding, 1)
            self._roots[owner].add(root[0] if root else "")
        self._events.append((place, owner, name, binding))

    def _defined(self) -> None:
        for found in self.outline.definitions:
            place = found.node.start_byte
            self._events.append((place, found.parent, found.name, "#" + found.qual))

    def _file(self) -> None:
        # None last: it is only a binding when the name has no other.
        events = sorted(self._events, key=lambda event: (event[3] == NONE, event))
        for _, owner, name, binding in events:
            if owner < 0:
                _add(self.names, name, binding)
            elif self.is_class(owner):
                _add(self.attrs[owner], name, binding)
            elif "." not in name:
                self._local(owner, name, binding)
        for _, owner, name, binding in events:
            if owner >= 0 and "." in name:
                self._attribute(owner, name, binding)
        self._drop_plain(self.names, "")
        for owner, attrs in self.attrs.items():
            self._drop_plain(attrs, self.outline.definitions[owner].qual + ".")

    def _local(self, owner: int, name: str, binding: str) -> None:
        if name in self._global[owner]:
            _add(self.names, name, binding)
        elif name in self._roots[owner] and name not in self._outer[owner]:
            _add(self.vars[owner], name, binding)

    def _attribute(self, owner: int, name: str, binding: str) -> None:
        """File `self.x = ...` under the class, when the scope is its method."""
        holder = self.outline.definitions[owner].parent
        receiver, _, attribute = name.partition(".")
        if not self.is_class(holder) or "." in attribute:
            return
        if receiver in ("self", "cls"):
            _add(self.attrs[holder], attribute, self._outside(owner, binding))

    def _outside(self, owner: int, binding: str) -> str:
        """Return what a binding made in a function means outside of it."""
        if binding[:1] not in ("=", "("):
            return binding
        found = _ROOT.match(binding, 1)
        root, rest = (found[0], binding[found.end() :]) if found else ("", "")
        for entry in self.parameters[owner]:
            if (entry if isinstance(entry, str) else entry[0]) == root:
                typed = not isinstance(entry, str) and entry[1] in ("", "k")
                plain = binding == "=" + root
                return ":" + entry[2] if typed and plain and entry[2] else ""
        local = self.vars[owner].get(root)
        if local is None:
            return binding
        if rest or binding[0] == "(" or not isinstance(local, str):
            return ""
        return self._outside(owner, local) if local != binding else ""

    def _drop_plain(self, bindings: Bindings, prefix: str) -> None:
        """Leave out names that are only defined once: the elements say so."""
        for name in [name for name, to in bindings.items() if to == f"#{prefix}{name}"]:
            del bindings[name]


def _add(bindings: Bindings, name: str, binding: str) -> None:
    found = bindings.get(name)
    if binding == NONE:
        bindings.setdefault(name, "")
    elif found is None:
        bindings[name] = binding
    elif isinstance(found, str):
        if found != binding:
            bindings[name] = [found, binding]
    elif binding not in found:
        found.append(binding)


@dataclass
class ImportBindings:
    """The imports of a module: facts, what they bind, where its names come from."""

    entries: list[list[Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)  # name -> full name


def imported(outline: Outline) -> ImportBindings:
    """Read all imports of a module."""
    found = ImportBindings()
    for node in outline.sites.get("import", ()):
        place, line = node.start_byte, node.start_point.row + 1
        owner = outline.owner(place)
        text = _COMMENT.sub(" ", outline.text(node))
        for module, name, alias in _import_names(text):
            found.entries.append([line, module, name, alias])
            if not name:
                target = module if alias else module.partition(".")[0]
                bound, binding = alias or target, "!" + target
                found.origins[bound] = target
            elif name == "*":
                bound, binding = "*", module
            else:
                bound, binding = alias or name, f"@{module}:{name}"
                found.origins[bound] = f"{module}.{name}"
            found.events.append((place, owner, bound, binding))
    return found


def _import_names(text: str) -> list[tuple[str, str, str]]:
    """Return (module, name, alias) for each name of an import statement."""
    match = _FROM.match(text)
    if match:
        dots = "".join((match[1] or "").split())
        module = dots + "".join(match[2].split())
        return [(module, *_aliased(item)) for item in _items(match[3])]
    names = text.strip().removeprefix("import")
    return [(name, "", alias) for name, alias in map(_aliased, _items(names))]


def _items(text: str) -> list[str]:
    items = text.replace("(", " ").replace(")", " ").split(",")
    return [item for item in items if item.strip()]


def _aliased(item: str) -> tuple[str, str]:
    words = re.split(r"\sas\s", item.strip())
    name = "".join(words[0].split())
    return name, "".join(words[1].split()) if len(words) > 1 else ""
