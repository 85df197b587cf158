"""Follow functions through data: parameters, containers, results, wrappers.

Where the other parts find the one thing that a name means, this finds all values that
it may have, and follows them from where they are passed to where they are called. A
call that is found so is real in some run, but no name in the source states it; its edge
has a confidence below what samples state (`THROUGH_DATA`).

Values are followed without regard to the order of statements, and to which call of a
function they came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    IDENTIFIER,
    Binding,
    Bindings,
    ElementRow,
    bindings_of,
    name_of,
    parameter_of,
    parent_of,
)
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    CALL,
    DECORATED,
    DEFINITION,
    IMPORTED_NAME,
    IN_FUNCTION,
    ITERATE,
)
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import GlobalNames
from repobuild.code.resolve.python.imports import ImportResolver
from repobuild.code.resolve.python.members import Members
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.passing_sites import (
    SUBCLASS,
    CallSite,
    decorator_chain,
    names_of_function,
)
from repobuild.code.resolve.python.scopes import Scopes, receiver_kind
from repobuild.code.resolve.python.type_inference import TypeInference, is_property
from repobuild.code.resolve.symbol import Kind, Symbol

THROUGH_DATA = 0.4
Values = tuple[Symbol, ...]
FindSites = Callable[[str], Iterable[CallSite]]
RETURNED, YIELDED = "return*", "yield*"  # see facts/python/binding.py

_ROOT = re.compile(IDENTIFIER)
_SEGMENT = re.compile(r"\(\)|\[\w*\]|[*!~]|\.[^.()\[\]*!~]+")
_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_SUPER = "super()"
_MOST_VALUES = 4_000  # of one name: a decorator of thousands of functions
_MOST_CALLED = 12  # functions whose results one call may have
_ITEM_METHODS = frozenset({"get", "pop", "setdefault", "popleft"})
_ITEMS_METHODS = frozenset({"values", "copy"})
_FUNCTIONS = (Kind.FUNCTION, Kind.BOUND)


class Flow:
    """Finds the values that a chain may have."""

    def __init__(
        self,
        context: ResolverContext,
        imports: ImportResolver,
        global_names: GlobalNames,
        members: Members,
        types: TypeInference,
        scopes: Scopes,
        find_sites: FindSites,
    ) -> None:
        self._modules = context.modules
        self._lookups = context.lookups
        self._note = context.lookups.note
        self._resolve_binding = context.expressions.resolve_binding
        self._imports = imports
        self._global_names = global_names
        self._members = members
        self._types = types
        self._scopes = scopes
        self._find_sites = find_sites

    # -- what is asked

    def callees(self, path: str, scope: str, chain: str) -> list[Symbol]:
        """Return the functions and classes that a call of a chain may run."""
        self._lookups.begin_query()
        found: dict[Symbol, None] = {}
        for value in self._values(path, scope, chain, True):
            if value.kind is Kind.CLASS:
                found[value] = None
            for function, _ in self._targets(value):
                found[_plain(function)] = None
        return list(found)

    def decorators(self, path: str, scope: str, chain: str) -> list[Symbol]:
        """Return the functions that run where a decorator is applied."""
        self._lookups.begin_query()
        found: dict[Symbol, None] = {}
        for value in self._values(path, scope, chain, False):
            if value.kind is Kind.CLASS:
                found[value] = None
            for function, _ in self._targets(value):
                found[_plain(function)] = None
        return list(found)

    def wrappers(self, function: Symbol) -> list[Symbol]:
        """Return what runs in place of a decorated function, when it is called."""
        self._lookups.begin_query()
        module = self._modules.get(function.path)
        if module is None or not module.row(function.qual).decorators:
            return []
        found: dict[Symbol, None] = {}
        for value in self._decorated(function.path, function.qual, 0):
            for wrapper, _ in self._targets(value):
                if wrapper.definition != function.definition:
                    found[_plain(wrapper)] = None
        return list(found)

    def is_property(self, function: Symbol) -> bool:
        """Return whether what is called is what a property gives."""
        module = self._modules.get(function.path)
        return module is not None and is_property(module.row(function.qual))

    def implied(self, path: str, scope: str, chain: str, mark: str) -> list[Symbol]:
        """Return the methods that `for` or `with` call on the values of a chain."""
        self._lookups.begin_query()
        names = ("__iter__",) if mark == ITERATE else ("__enter__", "__exit__")
        found: dict[Symbol, None] = {}
        for value in self._values(path, scope, chain, False):
            if value.kind is not Kind.INSTANCE:
                continue
            for name in names:
                for method in self._in_class(value, name):
                    if method.kind not in _FUNCTIONS:
                        continue
                    found[_plain(method)] = None
                    if name == "__iter__":
                        for made in self._results(method):
                            if made.kind is Kind.INSTANCE:
                                for one in self._in_class(made, "__next__"):
                                    found[_plain(one)] = None
        return list(found)

    # -- chains

    def _values(self, path: str, scope: str, chain: str, passed: bool) -> Values:
        """Return the values of a chain, with or without those that are `passed`."""
        root = _ROOT.match(chain)
        if root is None:
            return ()
        if root.end() == len(chain):
            return self._name(path, scope, chain, passed)
        key = ("V+" if passed else "V", path, scope, chain)
        return (
            self._lookups.look_on(
                key, lambda: self._chain(path, scope, chain, root, passed)
            )
            or ()
        )

    def _chain(
        self, path: str, scope: str, chain: str, root: re.Match[str], passed: bool
    ) -> Values:
        last_member = chain.rfind(".") if passed else len(chain)
        if chain.startswith(_SUPER):
            start = self._scopes.resolve_super(path, scope)
            values: Values = (_certain(start),) if start else ()
            position = len(_SUPER)
        else:
            position = root.end()
            values = self._name(path, scope, root[0], position > last_member)
        while values and position < len(chain):
            segment = _SEGMENT.match(chain, position)
            if segment is None:
                return ()
            is_passed = position >= last_member
            position = segment.end()
            values = self._step(values, segment[0], is_passed)
        return values

    def _step(self, values: Values, segment: str, passed: bool) -> Values:
        """Return the values of one segment of a chain, from those before it."""
        first = segment[0]
        if first == ".":
            members = _union(self._member(one, segment[1:], passed) for one in values)
            return _union(self._read(one, passed) for one in members)
        if len(values) > _MOST_CALLED:
            return ()
        if segment == CALL:
            return _union(self._call(one, passed) for one in values)
        if first == "[" or first == ITERATE:
            return _union(self._item(one, segment, passed) for one in values)
        return _union(_only(self._types.apply(one, segment)) for one in values)

    # -- names

    def _name(self, path: str, scope: str, name: str, passed: bool) -> Values:
        key = ("N+" if passed else "N", path, scope, name)
        return (
            self._lookups.look_on(
                key, lambda: self._in_scope(path, scope, name, passed)
            )
            or ()
        )

    def _in_scope(self, path: str, scope: str, name: str, passed: bool) -> Values:
        """Return the values of a name, as Python's scoping rules find it."""
        module = self._modules.get(path)
        outer = scope
        while outer and module is not None and outer in module.items:
            row = module.row(outer)
            self._note(f"e:{path}::{outer}")
            if row.type != "class":
                values = self._local(module, row, name, passed)
                if values is not None:
                    return values
            elif outer == scope:
                self._note(f"m:{path}::{outer}:{name}")
                if bindings := module.class_bindings(outer, name):
                    found = self._bindings(path, outer, bindings, passed)
                    return self._with_container(module, outer, name, found)
            outer = parent_of(outer)
        return self._global(path, name, passed)

    def _local(
        self, module: ModuleFacts, row: ElementRow, name: str, passed: bool
    ) -> Values | None:
        """Return a function's own name's values, None where it binds no such name."""
        path, qual = module.path, row.qual
        values: Values | None = None
        for index, entry in enumerate(row.parameters):
            parameter = entry if isinstance(entry, str) else entry[0]
            if parameter == name:
                kind = receiver_kind(row) if index == 0 else None
                if kind is not None:
                    values = (Symbol(kind, path, parent_of(qual), 1.0),)
                elif passed:
                    values = self._parameter(path, qual, name, index)
                else:
                    values = self._declared(path, row, index)
        if bindings := bindings_of(row.vars, name):
            if "" in bindings and name not in module.containers(qual):
                return ()  # it may be anything else as well
            found = self._bindings(path, qual, bindings, passed)
            values = _union((values or (), found))
        elif values is None and f"{qual}.{name}" in module.items:
            values = self._bindings(path, qual, (f"{DEFINITION}{qual}.{name}",), passed)
        if name in module.containers(qual):
            values = self._with_container(module, qual, name, values or ())
        return values

    def _with_container(
        self, module: ModuleFacts, scope: str, name: str, values: Values
    ) -> Values:
        if scope or name:
            self._note(f"e:{module.path}::{scope}")
        if name not in module.containers(scope):
            return values
        made = Symbol(Kind.CONTAINER, module.path, f"{scope}|{name}", 1.0)
        return _union((values, (made,)))

    def _global(self, path: str, name: str, passed: bool) -> Values:
        key = ("G+" if passed else "G", path, "", name)
        return (
            self._lookups.look_on(key, lambda: self._of_module(path, name, passed))
            or ()
        )

    def _of_module(self, path: str, name: str, passed: bool) -> Values:
        module = self._modules.get(path)
        if module is None:
            return ()
        self._note(f"n:{path}:{name}")
        found = self._bindings(path, "", module.bindings(name), passed)
        found = self._with_container(module, "", name, found)
        return found or _only(self._global_names.resolve_global(path, name))

    def _bindings(
        self, path: str, scope: str, bindings: Iterable[Binding], passed: bool
    ) -> Values:
        return _union(self._binding(path, scope, one, passed) for one in bindings)

    def _binding(self, path: str, scope: str, binding: Binding, passed: bool) -> Values:
        """Return the values of one binding (element_row.py)."""
        mark, rest = binding[:1], binding[1:]
        if mark == ASSIGNED_NAME:
            return self._values(path, scope, rest, passed)
        if mark == ASSIGNED_CALL:
            called = self._values(path, scope, rest, passed)
            return self._step(called, CALL, passed)
        if mark == DEFINITION or mark == ALTERNATIVE:
            found = _only(self._resolve_binding(path, scope, binding))
            return _union((found, self._decorated(path, rest, 0)))
        if mark == IN_FUNCTION:
            qual, _, inner = rest.partition(":")
            return self._binding(path, qual, inner, passed)
        if mark == DECORATED:
            index, _, qual = rest.partition(":")
            return self._decorated(path, qual, int(index))
        if mark == IMPORTED_NAME:
            source, name = rest.split(":", 1)
            module = self._imports.find_module(path, source)
            if module is not None and module.path != path:
                if found := self._global(module.path, name, passed):
                    return found
        return _only(self._resolve_binding(path, scope, binding))

    # -- members

    def _member(self, value: Symbol, name: str, passed: bool) -> Values:
        kind = value.kind
        if kind is Kind.MODULE:
            return self._global(value.path, name, passed)
        if kind in (Kind.INSTANCE, Kind.CLASS, Kind.SUPER) and name != "__class__":
            return self._in_class(value, name, passed)
        if kind is Kind.CONTAINER:
            if name in _ITEM_METHODS:
                return (value.as_kind(Kind.CONTAINER_ITEM),)
            if name in _ITEMS_METHODS:
                return (value.as_kind(Kind.CONTAINER_ITEMS),)
            return ()
        return _only(self._members.find_member(value, name))

    def _in_class(self, value: Symbol, name: str, passed: bool = False) -> Values:
        """Return an attribute of a class or an instance, with its receiver."""
        mark = "M+" if passed else "M"
        key = (mark, value.path, value.qual, f"{value.kind}{name}")
        return (
            self._lookups.look_on(key, lambda: self._in_mro(value, name, passed)) or ()
        )

    def _in_mro(self, value: Symbol, name: str, passed: bool) -> Values:
        path, qual = value.definition
        for entry in self._members.mro(path, qual)[value.kind is Kind.SUPER :]:
            module = self._modules.get(entry.path) if entry is not None else None
            if entry is None or module is None or entry.qual not in module.items:
                continue
            inner = entry.qual
            self._note(f"m:{module.path}::{inner}:{name}")
            bindings = module.class_bindings(inner, name)
            found = self._bindings(module.path, inner, bindings, passed)
            found = self._with_container(module, inner, name, found)
            if bindings or found:
                return tuple(self._received(one, value, inner) for one in found)
        return ()

    def _received(self, member: Symbol, value: Symbol, holder: str) -> Symbol:
        """Return a class's method as bound, where reading it binds it."""
        if member.kind is not Kind.FUNCTION or parent_of(member.qual) != holder:
            return member
        module = self._modules.get(member.path)
        if module is None:
            return member
        kind = receiver_kind(module.row(member.qual))
        if kind is None or (value.kind is Kind.CLASS and kind is Kind.INSTANCE):
            return member
        return member.as_kind(Kind.BOUND)

    def _read(self, attribute: Symbol, passed: bool) -> Values:
        """Return the values of reading an attribute: a property is called."""
        if attribute.kind is not Kind.BOUND:
            return (attribute,)
        module = self._modules.get(attribute.path)
        if module is None or not is_property(module.row(attribute.qual)):
            return (attribute,)
        return self._results(attribute, passed)

    # -- calls

    def _call(self, value: Symbol, passed: bool) -> Values:
        """Return the values of calling a value."""
        kind = value.kind
        if kind is Kind.CONTAINER_ITEM or kind is Kind.CONTAINER_ITEMS:
            container = value.as_kind(Kind.CONTAINER)
            if kind is Kind.CONTAINER_ITEMS:
                return (container,)
            return self._item(container, "[]", passed)
        if kind in _FUNCTIONS:
            return self._results(value, passed)
        if kind is Kind.CLASS:
            made = value.as_kind(Kind.INSTANCE)
            others = (self._results(one) for one in self._own_new(value))
            return _union(((made,), *others))
        if kind is Kind.INSTANCE:
            called = self._in_class(value, "__call__")
            return _union(self._results(one, passed) for one in called)
        return _only(self._types.call(value))

    def _own_new(self, value: Symbol) -> Values:
        return tuple(
            one for one in self._in_class(value, "__new__") if one.kind in _FUNCTIONS
        )

    def _results(self, function: Symbol, passed: bool = False) -> Values:
        """Return what a function returns, or the generator that it makes."""
        if function.kind not in _FUNCTIONS:
            return ()
        path, qual = function.definition
        key = ("R+" if passed else "R", path, qual, "")
        return (
            self._lookups.look_on(key, lambda: self._returned(path, qual, passed)) or ()
        )

    def _returned(self, path: str, qual: str, passed: bool) -> Values:
        module = self._modules.get(path)
        if module is None or qual not in module.items:
            return ()
        self._note(f"e:{path}::{qual}")
        row = module.row(qual)
        if YIELDED in row.vars:
            return (Symbol(Kind.GENERATOR, path, qual, 1.0),)
        if RETURNED in row.vars and "a" not in row.flags:
            return self._bindings(path, qual, bindings_of(row.vars, RETURNED), passed)
        return _only(self._types.call(Symbol(Kind.FUNCTION, path, qual, 1.0)))

    def _targets(self, value: Symbol) -> Iterator[tuple[Symbol, int]]:
        """Yield the functions that a call runs, and how many arguments they get more.

        These are the receivers.
        """
        if value.kind is Kind.FUNCTION:
            yield value, 0
        elif value.kind is Kind.BOUND:
            yield value, 1
        elif value.kind in (Kind.CLASS, Kind.INSTANCE):
            is_class = value.kind is Kind.CLASS
            instance = value.as_kind(Kind.INSTANCE)
            for name in ("__new__", "__init__") if is_class else ("__call__",):
                for method in self._in_class(instance, name):
                    if method.kind in _FUNCTIONS:
                        yield method, 1

    # -- items

    def _item(self, value: Symbol, segment: str, passed: bool) -> Values:
        """Return the values of a subscript, or of iterating."""
        if value.kind is Kind.CONTAINER:
            mark = "C+" if passed else "C"
            key = (mark, value.path, value.qual, segment)
            # A container may hold what it gave.
            return (
                self._lookups.look_on(
                    key, lambda: self._contained(value, segment, passed)
                )
                or ()
            )
        if value.kind is Kind.GENERATOR:
            path, qual = value.definition
            module = self._modules.get(path)
            if segment != ITERATE or module is None:
                return ()
            yielded = bindings_of(module.row(qual).vars, YIELDED)
            return self._bindings(path, qual, yielded, passed)
        if value.kind is Kind.INSTANCE:
            if segment != ITERATE:
                methods = self._in_class(value, "__getitem__")
                return _union(map(self._results, methods))
            makers = self._in_class(value, "__iter__")
            if makers:
                iterators = _union(map(self._results, makers))
                return _union(self._iterated(one, passed) for one in iterators)
        return _only(self._types.apply(value, segment))

    def _iterated(self, iterator: Symbol, passed: bool) -> Values:
        if iterator.kind is Kind.INSTANCE:
            return _union(map(self._results, self._in_class(iterator, "__next__")))
        return self._item(iterator, ITERATE, passed)

    def _contained(self, container: Symbol, segment: str, passed: bool) -> Values:
        path = container.path
        scope, _, prefix = container.qual.partition("|")
        module = self._modules.get(path)
        if module is None:
            return ()
        self._note(f"e:{path}::{scope}")
        names: Bindings = module.names
        if scope:
            row = module.row(scope)
            names = row.attrs if row.type == "class" else row.vars
        key = segment if segment[0] == "[" else "[]"
        found: list[Values] = []
        for name in names:
            if not name.startswith(prefix + "["):
                continue
            end = name.find("]", len(prefix)) + 1
            own = name[len(prefix) : end]
            if own != key and "[]" not in (own, key):
                continue
            if end == len(name):
                bindings = bindings_of(names, name)
                found.append(self._bindings(path, scope, bindings, passed))
            else:
                found.append((container._replace(qual=f"{scope}|{name[:end]}"),))
        return _union(found)

    # -- parameters

    def _parameter(self, path: str, qual: str, name: str, index: int) -> Values:
        key = ("P", path, qual, name)
        return self._lookups.look_on(key, lambda: self._passed(path, qual, index)) or ()

    def _declared(self, path: str, row: ElementRow, index: int) -> Values:
        """Return an instance of a parameter's type."""
        parameter = parameter_of(row.parameters[index])
        if not parameter.type or parameter.kind.startswith("*"):
            return ()
        outer = parent_of(row.qual)
        return _only(self._types.resolve_annotation(path, outer, parameter.type))

    def _passed(self, path: str, qual: str, index: int) -> Values:
        """Return what a function's parameter is given: by its type, else by calls."""
        module = self._modules.get(path)
        if module is None:
            return ()
        row = module.row(qual)
        parameter = parameter_of(row.parameters[index])
        if parameter.kind.startswith("*"):
            return ()
        found: list[Values] = []
        outer = parent_of(qual)
        if parameter.type:
            declared = self._types.resolve_annotation(path, outer, parameter.type)
            if declared is not None:
                return _only(declared)
        if _DOTTED.match(parameter.default):
            found.append(self._values(path, outer, parameter.default, True))
        for site, received in self._sites_of(path, qual):
            wanted = (str(index - received), parameter.name)
            for which, binding in zip(site.passed[::2], site.passed[1::2], strict=True):
                if which in wanted:
                    found.append(self._binding(site.path, site.scope, binding, True))
        return _union(found)

    def _sites_of(self, path: str, qual: str) -> list[tuple[CallSite, int]]:
        """Return the calls of a function that pass something to it."""
        key = ("S", path, qual, "")
        return self._lookups.look_on(key, lambda: self._search(path, qual)) or []

    def _search(self, path: str, qual: str) -> list[tuple[CallSite, int]]:
        found: dict[CallSite, int] = {}
        waiting = list(names_of_function(qual))
        seen = set(waiting)
        while waiting:
            name = waiting.pop(0)
            self._note(f"to:{name}")
            for site in self._find_sites(name):
                if site.passed[0] == SUBCLASS:
                    subclass = name_of(site.scope)
                    if subclass not in seen:
                        seen.add(subclass)
                        waiting.append(subclass)
                    continue
                for function, received in self._called(site):
                    if function.definition == (path, qual):
                        found[site] = received
        return list(found.items())

    def _called(self, site: CallSite) -> list[tuple[Symbol, int]]:
        key = ("T", site.path, site.scope, site.callee)
        return self._lookups.look_on(key, lambda: self._call_targets(site)) or []

    def _call_targets(self, site: CallSite) -> list[tuple[Symbol, int]]:
        is_result = site.callee.endswith(CALL)
        values = self._values(site.path, site.scope, site.callee, not is_result)
        return [target for one in values for target in self._targets(one)]

    # -- decorators

    def _decorated(self, path: str, qual: str, after: int) -> Values:
        """Return a definition, decorated by all decorators from an index on."""
        key = ("A", path, qual, str(after))
        return (
            self._lookups.look_on(key, lambda: self._decorate(path, qual, after)) or ()
        )

    def _decorate(self, path: str, qual: str, after: int) -> Values:
        module = self._modules.get(path)
        if module is None or qual not in module.items:
            return ()
        self._note(f"e:{path}::{qual}")
        row = module.row(qual)
        kind = Kind.CLASS if row.type == "class" else Kind.FUNCTION
        values: Values = (Symbol(kind, path, qual, 1.0),)
        for text in reversed(row.decorators[after:]):
            values = self._apply(path, parent_of(qual), text, values)
        return values

    def _apply(self, path: str, scope: str, text: str, values: Values) -> Values:
        """Return what a decorator makes of values; an unknown one keeps them."""
        decorators = self._values(path, scope, decorator_chain(text), False)
        if len(decorators) > _MOST_CALLED:
            return values
        made: list[Values] = []
        for one in decorators:
            if one.kind is Kind.CLASS:
                made.append((one.as_kind(Kind.INSTANCE),))
                continue
            for function, received in self._targets(one):
                made.append(self._result_for(function, received, values))
        # One that also takes settings alone returns itself for them.
        own = {one.definition for one in decorators}
        return (
            tuple(
                one
                for one in _union(made)
                if one.definition not in own or one.kind is Kind.INSTANCE
            )
            or values
        )

    def _result_for(self, function: Symbol, index: int, values: Values) -> Values:
        """Return a function's results when one parameter has these values."""
        module = self._modules.get(function.path)
        if module is None:
            return ()
        row = module.row(function.qual)
        returned = bindings_of(row.vars, RETURNED)
        if len(row.parameters) <= index or not returned:
            return self._results(function)
        name = parameter_of(row.parameters[index]).name
        return _union(
            values
            if one == ASSIGNED_NAME + name
            else self._binding(function.path, function.qual, one, False)
            for one in returned
        )


def _only(symbol: Symbol | None) -> Values:
    return (_certain(symbol),) if symbol is not None else ()


def _certain(symbol: Symbol) -> Symbol:
    """Return a symbol that equals others of its kind, however they were found."""
    return symbol if symbol.confidence == 1.0 else symbol._replace(confidence=1.0)


def _plain(function: Symbol) -> Symbol:
    return function.as_kind(Kind.FUNCTION)


def _union(parts: Iterable[Values]) -> Values:
    """Return all values, each once, in their order."""
    found: dict[Symbol, None] = {}
    for part in parts:
        for one in part:
            found[one] = None
        if len(found) > _MOST_VALUES:
            break
    return tuple(found)
