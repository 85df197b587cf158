"""Collect what names are bound to in each scope of a Python module.

Functions keep only names that one of their calls begins with, directly or in a nested
function; modules and classes keep all, because other files may look there. Variables of
comprehensions and lambdas count as the function's: hiding a name too often loses an
edge, hiding it too rarely would invent one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from tree_sitter import Node

from repobuild.code.facts.element_row import (
    FIXTURE,
    IDENTIFIER,
    RETURNED,
    YIELDED,
    Bindings,
    parameter_name,
    parameter_of,
)
from repobuild.code.facts.python.binding_event import BindingEvent
from repobuild.code.facts.python.branches import (
    DeadSpan,
    branch_path,
    dead_spans,
    surviving,
)
from repobuild.code.facts.python.contents import LITERALS, Contents, Element
from repobuild.code.facts.python.exports import NAME as EXPORTS
from repobuild.code.facts.python.exports import ExportStatement, statements_of_calls
from repobuild.code.facts.python.flow import FlowReader
from repobuild.code.facts.python.import_bindings import ImportBindings
from repobuild.code.facts.python.value import NONE, Values
from repobuild.code.facts.syntax import Outline, Parts
from repobuild.code.scan.python_table import builtin_names

_ROOT = re.compile(IDENTIFIER)
_UNKNOWN = frozenset(
    "string concatenated_string integer float true false list dictionary set tuple"
    " none list_comprehension ellipsis binary_operator".split()
)
_RETURNED = frozenset({"identifier", "call", "attribute", "none"})
_MAKES_ROOM = re.compile(r"\.setdefault\(\)")  # as `[]`, where nothing is there
_STARRED = "list_splat_pattern"
_KEYS = re.compile(r"(?:\[\w*\])*")
_MAX_ROWS = 100  # of a literal that a loop iterates over
# Types that are less exact than the assigned value.
_VAGUE_TYPES = re.compile(r"(?:\w+\.)*(?:Callable|TypeAlias|Any|object)\b")
_VAGUE_RESULTS = re.compile(r"\b(?:Callable|Any|object|Iterator|Iterable|Generator)\b")


class Binder:
    """Collects bindings, then files them under the scope that they belong to."""

    def __init__(
        self,
        outline: Outline,
        calls: dict[int, list[tuple[str, int]]],
        parameters: list[list[Any]],
        imports: ImportBindings,
        values: Values,
        contents: Contents,
        flow: FlowReader,
    ) -> None:
        self.outline = outline
        self.imports = imports
        self._flow = flow
        self._values = values
        self._contents = contents
        self.parameters = parameters
        self.names: Bindings = {}
        self.vars: dict[int, Bindings] = defaultdict(dict)
        self.attrs: dict[int, Bindings] = defaultdict(dict)
        self.exports: list[ExportStatement] = []
        self.dead: set[int] = set()  # definitions beside one that exists instead
        self.for_types: set[int] = set()  # definitions under `if TYPE_CHECKING`
        self.generators = {
            outline.owner(node.start_byte)
            for node in outline.sites.get("yield", ())
            if not _is_in_lambda(node)
        }
        self._used_roots = self._roots_of_calls(calls)
        self._global: dict[int, set[str]] = defaultdict(set)
        self._nonlocal: dict[int, set[str]] = defaultdict(set)
        self._events: list[BindingEvent] = []
        self._bound: set[tuple[int, str]] = set()
        # What the dicts of bindings hold: one name may have thousands.
        self._added: set[tuple[int, str, str]] = set()

    def bind(self) -> None:
        """Fill `names`, `vars`, `attrs` and `exports` from the whole module."""
        sites = self.outline.sites
        for kind, scopes in (("global", self._global), ("nonlocal", self._nonlocal)):
            for node in sites.get(kind, ()):
                owner = self.outline.owner(node.start_byte)
                scopes[owner].add(self.outline.text(node))
        for kind, parts in self.outline.other_matches:
            self._read_statement(kind, parts)
        for call, holder, element in self._flow.put:
            self._put(call, holder, *element)
        for node in sites.get("lambda", ()):
            self._lambda(node)
        self._events += self.imports.events
        for event in self.imports.events:
            if event.name == EXPORTS and event.owner < 0:
                self.exports.append(ExportStatement(event.offset, "extend", None))
        self.exports += statements_of_calls(self.outline)
        known = {event.offset for event in self._events}
        for node in sites.get("bound", ()):
            offset = node.start_byte
            if offset not in known:  # a `with` target already has an event
                owner, name = self.outline.owner(offset), self.outline.text(node)
                if self.outline.is_class(owner) and _is_in_lambda(node):
                    continue  # a parameter, and no attribute of the class
                self._events.append(BindingEvent(offset, owner, name, ""))
        for node in sites.get("rebound", ()):
            self._rebind(node)
        for node in sites.get("type_parameter", ()):
            offset, name = node.start_byte, self.outline.text(node)
            for owner in self._functions_of(self.outline.owner(offset)):
                self._events.append(BindingEvent(offset, owner, name, ""))
        self._define()
        returned, results = self._returned(), self._results()
        self._file_events()
        for owner, binding in returned.items():
            if outside := self._returned_outside(owner, binding):
                self.vars[owner]["return"] = outside
        for owner, by_name in results.items():
            for name, bindings in by_name.items():
                if name != RETURNED or "return" not in self.vars[owner]:
                    self.vars[owner][name] = bindings

    def _roots_of_calls(
        self, calls: dict[int, list[tuple[str, int]]]
    ) -> dict[int, set[str]]:
        """Return the first names of each scope's calls, nested scopes included."""
        roots: dict[int, set[str]] = defaultdict(set)
        for index, sites in calls.items():
            for name, _ in sites:
                root = _ROOT.match(name)
                if root:
                    roots[index].add(root[0])
        definitions = self.outline.definitions
        for index in range(len(definitions) - 1, -1, -1):
            parent = definitions[index].parent
            if parent >= 0 and index in roots:
                roots[parent] |= roots[index]
        return roots

    # -- definitions

    def _define(self) -> None:
        """Add an event for each definition that may exist, and drop dead events.

        The definitions of a name of which only one exists have the mark `|`, but for
        the first; see branches.py.
        """
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        for index, one in enumerate(self.outline.definitions):
            groups[one.parent, one.name].append(index)
        dead = dead_spans(self.outline)
        for (parent, name), indexes in groups.items():
            marks = (
                self._marks(indexes, dead) if len(indexes) > 1 else {indexes[0]: "#"}
            )
            for index, mark in marks.items():
                one = self.outline.definitions[index]
                offset, binding = one.node.start_byte, mark + one.qual
                self._events.append(BindingEvent(offset, parent, name, binding))
            self.dead.update(index for index in indexes if index not in marks)
        if dead:
            typed = [span for span in dead if span.for_types]
            self.for_types.update(
                index
                for index, one in enumerate(self.outline.definitions)
                if _is_within(one.node.start_byte, typed)
            )
            self._drop_dead_events(dead)

    def _marks(self, indexes: list[int], dead: list[DeadSpan]) -> dict[int, str]:
        """Return the mark of each definition of one name that may exist."""
        nodes = {index: self.outline.definitions[index].node for index in indexes}
        live = [i for i in indexes if not _is_within(nodes[i].start_byte, dead)]
        live = live or indexes
        paths = [branch_path(nodes[index]) for index in live]
        alive = [live[position] for position in surviving(paths)]
        if len(alive) == 1:  # each replaced those before
            return dict.fromkeys(live, "#")
        return {index: "|" if position else "#" for position, index in enumerate(alive)}

    def _drop_dead_events(self, dead: list[DeadSpan]) -> None:
        """Drop what dead branches bind, where something else binds the name."""
        at_run_time = [span for span in dead if not span.for_types]
        live: list[BindingEvent] = []
        doubtful: list[BindingEvent] = []
        for event in self._events:
            is_definition = event.binding[:1] in ("#", "|")
            spans = dead if is_definition else at_run_time
            (doubtful if _is_within(event.offset, spans) else live).append(event)
        names = {(event.owner, event.name) for event in live}
        live += [one for one in doubtful if (one.owner, one.name) not in names]
        self._events = live

    # -- events

    def _rebind(self, node: Node) -> None:
        """Record that `x += 1` or `del x` in a function makes the name local."""
        owner, name = self.outline.owner(node.start_byte), self.outline.text(node)
        added = node.parent and node.parent.child_by_field_name("right")
        if name == EXPORTS and added:
            self._add_exports(node.start_byte, added)
        for keys, binding in self._contents.put_into(added, "*") if added else ():
            self._put(node, name, keys, binding)
        if owner < 0 or self.outline.is_class(owner) or name in self._global[owner]:
            return
        if name not in map(parameter_name, self.parameters[owner]):
            self._events.append(BindingEvent(node.start_byte, owner, name, NONE))

    def _lambda(self, node: Node) -> None:
        """Record what a lambda returns, and its parameters, in its scope.

        A class has none: what is in its scope are attributes.
        """
        offset = node.start_byte
        owner, number = self.outline.owner(offset), self._values.lambdas[offset]
        body = node.child_by_field_name("body")
        if body is None or self.outline.is_class(owner):
            return
        self._used_roots[owner].add("&" + number)
        for binding in self._values.of(body):
            if self._is_followed(binding):
                self._record_named(offset, owner, "&" + number, binding)
        parameters = node.child_by_field_name("parameters")
        for index, entry in enumerate(parameters.named_children if parameters else ()):
            name = entry.child_by_field_name("name") or entry
            if name.type != "identifier":
                continue
            text, start = self.outline.text(name), name.start_byte
            parameter = f"%{number}:{index}:{text}"
            self._events.append(BindingEvent(start, owner, text, parameter))
            default = entry.child_by_field_name("value")
            for binding in self._values.of(default) if default is not None else ():
                self._record_named(start, owner, text, binding)

    def _is_followed(self, binding: str) -> bool:
        """Return whether a binding may lead to something of the repository."""
        is_chain = binding[:1] in ("=", "(")
        return binding[:1] == "&" or (is_chain and self._flow.is_own(binding[1:]))

    def _functions_of(self, index: int) -> Iterator[int]:
        """Yield a function itself, or the outermost functions in a class."""
        if not self.outline.is_class(index):
            yield index
            return
        yield index  # the class's own body
        for inner in range(index + 1, len(self.outline.definitions)):
            parent = self.outline.definitions[inner].parent
            if parent < index:
                return
            if parent == index:
                yield from self._functions_of(inner)

    def _read_statement(self, kind: str, parts: Parts) -> None:
        """Record what a statement binds; python.scm defines the kinds."""
        left = parts["left"][0]
        right = parts["right"][0] if "right" in parts else None
        if kind == "assignment":
            self._assignment(parts, left, right)
        elif right is None:
            return
        elif kind == "unpacking":
            self._unpacking(left, right)
        elif kind == "item":
            self._item(left, right)
        elif kind == "loop":
            self._loop(left, right)
        elif kind == "with":
            chain = self._values.chain(right)
            self._record(left, [f"={chain}~" if chain else ""])
        elif kind == "caught":
            self._record(left, [":" + self.outline.text(right)])

    def _assignment(self, parts: Parts, left: Node, right: Node | None) -> None:
        if right is not None and self.outline.text(left) == EXPORTS:
            self._add_exports(left.start_byte, right)
        self._record(left, self._assigned_bindings(parts, right))
        if right is not None:
            for keys, binding in self._contents.of(right):
                self._put(left, self.outline.text(left), keys, binding)

    def _item(self, left: Node, right: Node) -> None:
        """Record `d["a"] = f` under `d[a]`."""
        chain = self._values.chain(left)
        name, bracket, keys = chain.partition("[")
        key = keys.partition("]")[0]
        if bracket and "()" not in chain and "." not in keys:
            for inner, binding in self._contents.element(key, right):
                rest = keys[len(key) + 1 :]
                self._put(left, name, f"[{key}]{rest}" + inner[len(key) + 2 :], binding)

    def _put(self, node: Node, name: str, keys: str, binding: str) -> None:
        """Add an event for an element of a container, or of one within it."""
        name, bracket, outer = _MAKES_ROOM.sub("[]", name).partition("[")
        receiver, dot, attribute = name.rpartition(".")
        if (dot and receiver not in ("self", "cls")) or not attribute.isidentifier():
            return
        if not _KEYS.fullmatch(bracket + outer):
            return
        offset = node.start_byte
        owner = self.outline.owner(offset)
        root = _ROOT.match(binding, 1)
        self._used_roots[owner].add(root[0] if root else "")
        full = name + bracket + outer + keys
        self._events.append(BindingEvent(offset, owner, full, binding))

    def _add_exports(self, offset: int, value: Node) -> None:
        if self.outline.owner(offset) < 0:
            self.exports.append(ExportStatement(offset, "extend", value))

    def _assigned_bindings(self, parts: Parts, right: Node | None) -> Iterable[str]:
        """Return the bindings that an assignment makes."""
        if "type" in parts:
            text = self.outline.text(parts["type"][0])
            if right is None or not _VAGUE_TYPES.match(text):
                return (":" + text,)
        if right is None:
            return ()
        if right.type in _UNKNOWN:
            return (NONE if right.type == "none" else "",)
        return self._values.of(right)

    def _unpacking(self, left: Node, right: Node) -> None:
        """Record `a, b = c, d`, `a, *b = c, d` and `a, b = c()`."""
        targets, values = left.named_children, right.named_children
        if right.type not in LITERALS:
            chain = self._values.chain(right)
            if chain and not any(one.type == _STARRED for one in targets):
                for index, target in enumerate(targets):
                    self._bind_part(target, [f"={chain}[{index}]"])
            return
        if any(one.type == "list_splat" for one in values):
            return
        for index, target in enumerate(targets):
            if target.type == _STARRED:
                self._rest(
                    target, values[index : len(values) - len(targets) + index + 1]
                )
                return
            if index < len(values):
                self._bind_part(target, self._values.of(values[index]))

    def _bind_part(self, target: Node, bindings: Iterable[str]) -> None:
        if target.type in ("identifier", "attribute"):
            self._record(target, bindings)

    def _rest(self, target: Node, values: list[Node]) -> None:
        """Record what the starred name of an unpacking holds."""
        name = self.outline.text(target).lstrip("* ")
        for index, value in enumerate(values):
            for keys, binding in self._contents.element(str(index), value):
                self._put(target, name, keys, binding)

    def _loop(self, left: Node, right: Node) -> None:
        if right.type in LITERALS and right.type != "dictionary":
            self._loop_of_literal(left, right)
        elif left.type == "identifier":
            held = [
                binding
                for keys, binding in self._contents.of(right)
                if keys.count("[") == 1
            ]
            self._record(left, held or [self._values.element(right)])
        elif left.type in ("pattern_list", "tuple_pattern"):
            for index, name in enumerate(left.named_children):
                if name.type == "identifier":
                    self._record(name, [self._values.part(right, index)])

    def _loop_of_literal(self, left: Node, right: Node) -> None:
        """Record `for f in (g, h)` and `for name, f in [("a", g), ("b", h)]`."""
        names = [left]
        if left.type in ("pattern_list", "tuple_pattern"):
            names = left.named_children
        elif left.type != "identifier":
            return
        for index, name in enumerate(names):
            if name.type != "identifier":
                continue
            bindings: list[str] = []
            for row in right.named_children[:_MAX_ROWS]:
                value: Node | None = row
                if len(names) > 1:
                    is_row = row.type in ("tuple", "list")
                    value = row.named_child(index) if is_row else None
                if row.type != "comment":
                    bindings += self._values.of(value) if value is not None else [""]
            self._record(name, bindings)

    def _record(self, left: Node, bindings: Iterable[str]) -> None:
        """Add an event for each binding, and mark the name it begins with as used."""
        offset, name = left.start_byte, self.outline.text(left)
        owner = self.outline.owner(offset)
        for binding in bindings:
            self._record_named(offset, owner, name, binding)

    def _record_named(self, offset: int, owner: int, name: str, binding: str) -> None:
        if binding[:1] in ("(", "="):
            root = _ROOT.match(binding, 1)
            self._used_roots[owner].add(root[0] if root else "")
        self._events.append(BindingEvent(offset, owner, name, binding))

    # -- return values

    def _returned(self) -> dict[int, str]:
        """Return the one binding that each function without a return type returns."""
        nodes: dict[int, list[Node]] = defaultdict(list)
        sites, definitions = self.outline.sites, self.outline.definitions
        for node in sites.get("return", ()):
            nodes[self.outline.owner(node.start_byte)].append(node)
        for owner in self.generators:
            nodes.pop(owner, None)
        for node in sites.get("yield", ()):
            if self._is_fixture(owner := self.outline.owner(node.start_byte)):
                value = node.named_child(0) if node.named_child_count else node
                nodes[owner].append(value or node)
        returned: dict[int, str] = {}
        for owner, values in nodes.items():
            if owner < 0 or "returns" in definitions[owner].parts:
                continue
            if any(node.type not in _RETURNED for node in values):
                continue
            bindings = {one for node in values for one in self._values.of(node)}
            bindings.discard(NONE)
            binding = bindings.pop() if len(bindings) == 1 else ""
            if binding:
                returned[owner] = binding
                if root := _ROOT.match(binding, 1):
                    self._used_roots[owner].add(root[0])
        return returned

    def _results(self) -> dict[int, dict[str, list[str]]]:
        """Return all that functions without an exact type may return, or yield.

        By the name that it has among the function's variables: `return*`, and
        `return*[1]` for an element of a container that it makes. The bindings are those
        of the function's own scope.
        """
        found: dict[int, dict[str, list[str]]] = defaultdict(dict)
        sites = self.outline.sites
        for node in (*sites.get("return", ()), *sites.get("yield", ())):
            owner = self.outline.owner(node.start_byte)
            is_yield = node.type == "yield"
            if owner < 0 or is_yield is not (owner in self.generators):
                continue
            declared = self.outline.definitions[owner].parts.get("returns")
            if declared and not _VAGUE_RESULTS.search(self.outline.text(declared[0])):
                continue
            for keys, binding in self._result(node):
                if self._is_followed(binding):
                    name = (YIELDED if is_yield else RETURNED) + keys
                    known = found[owner].setdefault(name, [])
                    if len(known) < _MAX_ROWS and binding not in known:
                        known.append(binding)
        for owner, results in found.items():
            for binding in chain.from_iterable(results.values()):
                if root := _ROOT.match(binding, 1):
                    self._used_roots[owner].add(root[0])
        return found

    def _result(self, node: Node) -> Iterator[Element]:
        """Yield what a `return` or a `yield` gives, and what that holds."""
        value: Node | None = node
        if node.type == "yield":
            value = node.named_child(0) if node.named_child_count else None
            if value is not None and any(one.type == "from" for one in node.children):
                yield "", self._values.element(value)
                return
        if value is not None:
            yield from (("", one) for one in self._values.of(value))
            yield from self._contents.of(value)

    def _is_fixture(self, owner: int) -> bool:
        """Return whether tests get what a generator yields: pytest iterates over it."""
        decorators = self.outline.definitions[owner].decorators if owner >= 0 else ()
        return any(FIXTURE.match(self.outline.text(node)) for node in decorators)

    def _returned_outside(self, owner: int, binding: str) -> str:
        """Return what a function's result means to its callers."""
        parameters = self.parameters[owner]
        first = parameter_name(parameters[0]) if parameters else ""
        if first in ("self", "cls") and binding in ("=" + first, "(" + first):
            is_method = self.outline.is_class(self.outline.definitions[owner].parent)
            return ":Self" if is_method else ""
        return self._outside(owner, binding)

    # -- scopes

    def _file_events(self) -> None:
        # None last: it is only a binding when the name has no other.
        events = sorted(self._events, key=lambda event: (event.binding == NONE, event))
        self._bound = self._bound_names()
        bound: set[str] = set()  # by the module, up to the event
        within: dict[int, set[str]] = defaultdict(set)  # the same by each class
        for _, owner, name, binding in events:
            if owner < 0:
                # `_map = map` above an own `map` is Python's.
                other = binding[1:] if binding[:1] == "=" else ""
                is_python = other in builtin_names() and other not in bound
                self._add(self.names, name, "" if is_python else binding)
                bound.add(name)
            elif self.outline.is_class(owner):
                if self._is_later(owner, binding, within[owner]):
                    binding = ""
                self._add(self.attrs[owner], name, binding)
                within[owner].add(name)
            elif "." not in name:
                self._file_local(owner, name, binding)
        for _, owner, name, binding in events:
            if owner >= 0 and "." in name:
                self._file_attribute(owner, name, binding)
        _drop_single_definitions(self.names, "")
        for owner, attrs in self.attrs.items():
            _drop_single_definitions(attrs, self.outline.definitions[owner].qual + ".")

    def _is_later(self, owner: int, binding: str, bound: set[str]) -> bool:
        """Return whether a class assigns what it defines below: that is another one.

        `queues_cls = Queues` above a method `Queues` is the class of the module.
        """
        root = _ROOT.match(binding, 1) if binding[:1] in ("=", "(") else None
        if root is None or root[0] in bound:
            return False
        return (owner, root[0]) in self._bound

    def _bound_names(self) -> set[tuple[int, str]]:
        """Return (scope, name) of all names that scopes bind themselves."""
        found = {
            (owner, parameter_name(entry))
            for owner, entries in enumerate(self.parameters)
            for entry in entries
        }
        for event in self._events:
            outside = self._global[event.owner] | self._nonlocal[event.owner]
            if event.name not in outside:
                found.add((event.owner, event.name))
        return found

    def _add(self, bindings: Bindings, name: str, binding: str) -> None:
        if binding == NONE:
            if name in bindings:
                return
            binding = ""
        key = (id(bindings), name, binding)
        if key in self._added:
            return
        self._added.add(key)
        known = bindings.get(name)
        if known is None:
            bindings[name] = binding
        elif isinstance(known, str):
            bindings[name] = [known, binding]
        else:
            known.append(binding)

    def _file_local(self, owner: int, name: str, binding: str) -> None:
        if name in self._global[owner]:
            self._add(self.names, name, self._outside_or_within(owner, binding))
            return
        root, bracket, _ = name.partition("[")
        is_outer = bool(bracket) or name in self._nonlocal[owner]
        if is_outer and (outer := self._binder_of(owner, root)) != owner:
            self._file_outside(owner, outer, name, binding)
        elif root in self._used_roots[owner] and root not in self._nonlocal[owner]:
            self._add(self.vars[owner], name, binding)

    def _binder_of(self, owner: int, name: str) -> int:
        """Return the scope whose name a function's name is; its own by default."""
        scope = owner
        while scope >= 0:
            if not self.outline.is_class(scope) and (scope, name) in self._bound:
                return scope
            scope = self.outline.definitions[scope].parent
        return scope if (scope, name) in self._bound else owner

    def _file_outside(self, owner: int, outer: int, name: str, binding: str) -> None:
        """File what a function binds of a scope around it, or puts into a container."""
        if binding[:1] in ("=", "(") and self._flow.is_own(binding[1:]):
            names = self.names if outer < 0 else self.vars[outer]
            self._add(names, name, self._within(owner, binding))

    def _within(self, owner: int, binding: str) -> str:
        """Return a binding as one that is to be read in a function's scope."""
        return f"${self.outline.definitions[owner].qual}:{binding}"

    def _outside_or_within(self, owner: int, binding: str) -> str:
        """Return what a binding means outside of its function, if anything does."""
        outside = self._outside(owner, binding)
        is_vague = not outside or _VAGUE_TYPES.match(outside, 1)
        if is_vague and binding[:1] in ("=", "(") and self._flow.is_own(binding[1:]):
            return self._within(owner, binding)
        return outside

    def _file_attribute(self, owner: int, name: str, binding: str) -> None:
        """File `self.x = ...` under the class, when the scope is its method."""
        receiver, _, attribute = name.partition(".")
        method = self._binder_of(owner, receiver) if "[" in name else owner
        parent = self.outline.definitions[method].parent if method >= 0 else method
        if not self.outline.is_class(parent) or "." in attribute:
            return
        if receiver not in ("self", "cls"):
            return
        if method == owner:
            found = self._outside_or_within(owner, binding)
            self._add(self.attrs[parent], attribute, found)
        elif self._flow.is_own(binding[1:]):
            self._add(self.attrs[parent], attribute, self._within(owner, binding))

    def _outside(self, owner: int, binding: str) -> str:
        """Return what a binding made in a function means outside of it."""
        if binding[:1] not in ("=", "("):
            return binding
        match = _ROOT.match(binding, 1)
        root, rest = (match[0], binding[match.end() :]) if match else ("", "")
        for entry in self.parameters[owner]:
            if parameter_name(entry) == root:
                parameter = parameter_of(entry)
                is_plain = binding == "=" + root and parameter.kind in ("", "k")
                return f":{parameter.type}" if is_plain and parameter.type else ""
        local = self.vars[owner].get(root)
        if local is None:
            return binding
        if rest or binding[0] == "(" or not isinstance(local, str):
            return ""
        return self._outside(owner, local) if local != binding else ""


def _is_within(offset: int, spans: list[DeadSpan]) -> bool:
    return any(span.start <= offset < span.end for span in spans)


def _is_in_lambda(node: Node) -> bool:
    """Return whether a lambda is around an expression, within its function."""
    outer = node.parent
    while outer is not None and outer.type not in ("block", "module"):
        if outer.type == "lambda":
            return True
        outer = outer.parent
    return False


def _drop_single_definitions(bindings: Bindings, prefix: str) -> None:
    """Drop names that are only defined once, which the elements show already."""
    for name in [name for name, to in bindings.items() if to == f"#{prefix}{name}"]:
        del bindings[name]
