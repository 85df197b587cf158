"""What names are bound to, in each scope of a Python module, as the source shows it.

Functions keep only names that one of their calls begins with, directly or in a nested
function; modules and classes keep all, since others may look there. A comprehension's
and a lambda's variables count as the function's: hiding too much costs an edge, hiding
too little would invent one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tree_sitter import Node

from repobuild.code.row import Bindings
from repobuild.code.syntax import Outline, Parts

_ROOT = re.compile(r"[A-Za-z_]\w*")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_FROM = re.compile(r"from\s*(\.[\s.]*)?\s*([\w.\s]*?)\s*\bimport\b(.*)\Z", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*|\\\n")
_LITERAL = re.compile(r"""[\d'"\[{(]|-?\d|[a-zA-Z]?['"]|not\b|\.\.\.""")
_NONE = "?"  # None is assigned: says nothing when something else is assigned too
Event = tuple[int, int, str, str]  # place, owner, name, binding


class Binder:
    """Collects bindings, then files them under the scope that they are made in."""

    def __init__(
        self,
        outline: Outline,
        calls: dict[int, list[tuple[str, int]]],
        parameters: list[list[Any]],
    ) -> None:
        self.outline = outline
        self.parameters = parameters
        self.names: Bindings = {}
        self.vars: dict[int, Bindings] = defaultdict(dict)
        self.attrs: dict[int, Bindings] = defaultdict(dict)
        self.imports: list[list[Any]] = []
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
        for _, parts in self.outline.others:
            self._assigned(parts)
        for node in sites.get("import", ()):
            self._imported(node)
        known = {place for place, _, _, _ in self._events}
        for node in sites.get("bound", ()):
            place = node.start_byte
            if place not in known:  # of a `with` more is known
                owner = self.outline.owner(place)
                self._events.append((place, owner, self.outline.text(node), ""))
        self._defined()
        self._file()

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

    def _assigned(self, parts: Parts) -> None:
        outline = self.outline
        left = parts["left"][0]
        place = left.start_byte
        owner = outline.owner(place)
        name = outline.text(left)
        if name == "__all__" and owner < 0 and "right" in parts:
            self.exported.append(outline.text(parts["right"][0]))
        binding = self._value(parts)
        if binding is None:
            return
        if binding[:1] in ("(", "="):
            # What it is made of must be known where it is used.
            self._roots[owner].add(binding[1:].partition(".")[0])
        self._events.append((place, owner, name, binding))

    def _value(self, parts: Parts) -> str | None:
        """Return the binding that an assignment makes; None when it says nothing."""
        if "type" in parts:
            return ":" + self.outline.text(parts["type"][0])
        if "right" not in parts:
            return None
        right = parts["right"][0]
        start = right.start_byte
        text = self.outline.source[start : right.end_byte]
        if text == b"None":
            return _NONE
        shown = text.decode("utf-8", "replace")
        if _NAME.match(shown):
            return "" if shown in ("True", "False") else "=" + shown
        if _LITERAL.match(shown) or right.type != "call":
            return ""
        function = right.child_by_field_name("function")
        name = self.outline.text(function) if function else ""
        return "(" + name if _NAME.match(name) else ""

    def _imported(self, node: Node) -> None:
        outline = self.outline
        place = node.start_byte
        owner = outline.owner(place)
        line = node.start_point.row + 1
        text = _COMMENT.sub(" ", outline.text(node))
        for module, name, alias in _import_names(text):
            self.imports.append([line, module, name, alias])
            if not name:
                target = module if alias else module.partition(".")[0]
                self._events.append((place, owner, alias or target, "!" + target))
            elif name == "*":
                self._events.append((place, owner, "*", module))
            else:
                binding = f"@{module}:{name}"
                self._events.append((place, owner, alias or name, binding))

    def _defined(self) -> None:
        for found in self.outline.definitions:
            place = found.node.start_byte
            self._events.append((place, found.parent, found.name, "#" + found.qual))

    def _file(self) -> None:
        # None last: it is only a binding when the name has no other.
        events = sorted(self._events, key=lambda event: (event[3] == _NONE, event))
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
        root, _, rest = binding[1:].partition(".")
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
    if binding == _NONE:
        bindings.setdefault(name, "")
    elif found is None:
        bindings[name] = binding
    elif isinstance(found, str):
        if found != binding:
            bindings[name] = [found, binding]
    elif binding not in found:
        found.append(binding)


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
