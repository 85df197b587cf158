"""Follow functions through data: parameters, containers, results, wrappers.

Where the other parts find the one thing that a name means, this finds all values that
it may have, and follows them from where they are passed to where they are called. A
call that is found so is real in some run, but no name in the source states it; its edge
has a confidence below what samples state (`THROUGH_DATA`).

Values are followed without regard to the order of statements, and to which call of a
function they came from. They are the least solution of equations (`fixed_point.py`),
which have levels:

- `NAMED` (0): values that names lead to, without what is passed to parameters. At most
  twelve of them; of more, nothing is known (`UNKNOWN`), nor of what contains,
  calls or reads these.
- 1 and more: what may be called in the end, with what is passed on that many times
  (`hops`): by a parameter, an element of a container, a result. These sets have any
  size (a decorator of a thousand functions), so their values are called, but neither
  their results nor their attributes are followed.

That number is bounded because a call of sympy would depend on most of sympy otherwise:
in functions that pass on whatever they get (`flatten`) all containers meet, and go
everywhere from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial

from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    IDENTIFIER,
    RETURNED,
    YIELDED,
    Binding,
    Bindings,
    ElementRow,
    Parameter,
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
    ENTER,
    IMPORTED_NAME,
    IN_FUNCTION,
    ITERATE,
    LAMBDA,
    LAMBDA_PARAMETER,
    SUBSCRIPT,
)
from repobuild.code.resolve.python.data_flow.arguments import (
    Arguments,
    FindSites,
    Target,
)
from repobuild.code.resolve.python.data_flow.fixed_point import NAMED, FixedPoint
from repobuild.code.resolve.python.data_flow.passing_sites import (
    CallSite,
    decorator_chain,
)
from repobuild.code.resolve.python.data_flow.record_fields import fields_of
from repobuild.code.resolve.python.data_flow.value_sets import (
    NOTHING,
    UNKNOWN,
    Values,
    innermost,
    only,
    outermost,
    union,
)
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import GlobalNames
from repobuild.code.resolve.python.imports import ImportResolver
from repobuild.code.resolve.python.members import Members
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.scopes import Scopes, receiver_kind
from repobuild.code.resolve.python.type_inference import TypeInference, is_property
from repobuild.code.resolve.symbol import Kind, Symbol

THROUGH_DATA = 0.4
# networkx and the snippets of `tests.benchmarks.edges` have the same edges with two as
# with any number, joblib all but one; a commit to sympy took 50 s of CPU with any
# number, 2.5 with three, 0.4 with two.
MOST_HOPS = 2

_ROOT = re.compile(IDENTIFIER)
_SEGMENT = re.compile(r"\(\)|\[\w*\]|[*!~]|\.[^.()\[\]*!~]+")
_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_SUPER = "super()"
_LONGEST_CHAIN = 200  # characters; all its beginnings are read
_ITEM_METHODS = frozenset({"get", "pop", "setdefault", "popleft"})
_ITEMS_METHODS = frozenset({"values", "copy"})
_FUNCTIONS = (Kind.FUNCTION, Kind.BOUND)
_PARAMETER = "*"  # `*1`, in the place of a container's name: parameter 1 of a function


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
        self._note = context.lookups.note
        self._solver = FixedPoint(context.lookups)
        self._resolve_chain = context.expressions.resolve_chain
        self._resolve_binding = context.expressions.resolve_binding
        self._imports = imports
        self._global_names = global_names
        self._members = members
        self._types = types
        self._scopes = scopes
        self._arguments = Arguments(context, self._solver, find_sites, self)

    # -- what is asked

    def begin_file(self) -> None:
        """Start collecting the terms of another file."""
        self._solver.begin_file()

    def terms(self) -> set[str]:
        """Return the terms that the answers since `begin_file` depend on."""
        return self._solver.terms()

    def callees(self, path: str, scope: str, chain: str) -> list[Symbol]:
        """Return the functions and classes that a call of a chain may run."""
        return self._called_by(self._values(path, scope, chain, MOST_HOPS))

    def decorators(self, path: str, scope: str, chain: str) -> list[Symbol]:
        """Return the functions that run where a decorator is applied."""
        return self._called_by(self._applied(path, scope, chain))

    def _called_by(self, values: Values) -> list[Symbol]:
        if values is UNKNOWN:
            return []
        found: dict[Symbol, None] = {}
        for value in values:
            if value.kind is Kind.CLASS:
                found[value] = None
            # A lambda is no element; what it calls is called by the code around it.
            for target in self._targets(value) or ():
                if target.function.kind is not Kind.LAMBDA:
                    found[_plain(target.function)] = None
        return list(found)

    def wrappers(self, function: Symbol) -> list[Symbol]:
        """Return what runs in place of a decorated function, when it is called."""
        module = self._modules.get(function.path)
        if module is None or not module.row(function.qual).decorators:
            return []
        values = self._decorated(function.path, function.qual, 0)
        return [
            wrapper
            for wrapper in self._called_by(values)
            if wrapper.definition != function.definition
            and wrapper.kind is not Kind.CLASS
        ]

    def is_property(self, function: Symbol) -> bool:
        """Return whether what is called is what a property gives."""
        module = self._modules.get(function.path)
        return module is not None and is_property(module.row(function.qual))

    def implied(self, path: str, scope: str, chain: str, mark: str) -> list[Symbol]:
        """Return the methods that `for` or `with` call on the values of a chain."""
        names = ("__iter__",) if mark == ITERATE else ("__enter__", "__exit__")
        found: dict[Symbol, None] = {}
        for value in self._instances(self._values(path, scope, chain, NAMED)):
            for name in names:
                for method in self._methods(value, name):
                    found[_plain(method)] = None
                    if name == "__iter__":
                        for made in self._instances(self._results(method)):
                            for one in self._methods(made, "__next__"):
                                found[_plain(one)] = None
        return list(found)

    def _instances(self, values: Values) -> list[Symbol]:
        known = () if values is UNKNOWN else values
        return [one for one in known if one.kind is Kind.INSTANCE]

    def _methods(self, value: Symbol, name: str) -> list[Symbol]:
        found = self._in_class(value, name)
        known = () if found is UNKNOWN else found
        return [one for one in known if one.kind in _FUNCTIONS]

    # -- chains

    def _values(self, path: str, scope: str, chain: str, hops: int) -> Values:
        """Return the values of a chain, with what is passed on `hops` times."""
        if len(chain) > _LONGEST_CHAIN:
            return NOTHING
        root, segments = _parts(chain)
        if not segments:
            return self._name(path, scope, root, hops) if root else NOTHING
        return self._solver.read(
            hops,
            ("V", hops, path, scope, chain),
            lambda: self._chain(path, scope, chain, segments[-1], hops),
            NOTHING,
        )

    def _chain(
        self, path: str, scope: str, chain: str, segment: str, hops: int
    ) -> Values:
        before = chain[: -len(segment)]
        if before == _SUPER:
            values = only(self._scopes.resolve_super(path, scope))
        else:
            keeps = segment[0] == "[" or segment == ITERATE
            values = self._values(path, scope, before, hops if keeps else NAMED)
        return self._step(values, segment, hops)

    def _step(self, values: Values, segment: str, hops: int) -> Values:
        """Return the values of one segment of a chain, from those before it."""
        if values is UNKNOWN:
            return NOTHING if hops else UNKNOWN
        first = segment[0]
        if first == ".":
            name = segment[1:]
            members = union((self._member(v, name, hops) for v in values), hops)
            if members is UNKNOWN:
                return UNKNOWN
            return union((self._read(one, hops) for one in members), hops)
        if segment == CALL:
            return union((self._call(one, hops) for one in values), hops)
        if first == "[" or first == ITERATE:
            return union((self._item(one, segment, hops) for one in values), hops)
        if segment == ENTER:
            return union((self._entered(one, hops) for one in values), hops)
        return union((only(self._types.apply(v, segment)) for v in values), hops)

    # -- names

    def _name(self, path: str, scope: str, name: str, hops: int) -> Values:
        return self._solver.read(
            hops,
            ("N", hops, path, scope, name),
            lambda: self._in_scope(path, scope, name, hops),
            NOTHING,
        )

    def _in_scope(self, path: str, scope: str, name: str, hops: int) -> Values:
        """Return the values of a name, as Python's scoping rules find it."""
        module = self._modules.get(path)
        outer = scope
        while outer and module is not None and outer in module.items:
            row = module.row(outer)
            self._note(f"e:{path}::{outer}")
            if row.type != "class":
                values = self._local(module, row, name, hops)
                if values is not None:
                    return values
            elif outer == scope:
                self._note(f"m:{path}::{outer}:{name}")
                if bindings := module.class_bindings(outer, name):
                    found = self._bindings(path, outer, bindings, hops)
                    return self._with_container(module, outer, name, found)
            outer = parent_of(outer)
        return self._global(path, name, hops)

    def _local(
        self, module: ModuleFacts, row: ElementRow, name: str, hops: int
    ) -> Values | None:
        """Return a function's own name's values, None where it binds no such name."""
        path, qual = module.path, row.qual
        values: Values | None = None
        for index, entry in enumerate(row.parameters):
            parameter = entry if isinstance(entry, str) else entry[0]
            if parameter == name:
                kind = receiver_kind(row) if index == 0 else None
                if kind is not None:
                    values = frozenset((Symbol(kind, path, parent_of(qual), 1.0),))
                elif not isinstance(entry, str) and entry[1][:1] == "*":
                    values = _elements_of(path, qual, index)
                elif hops:
                    values = self._parameter(path, qual, index, hops)
                else:
                    values = self._declared(path, row, index)
        if bindings := bindings_of(row.vars, name):
            if "" in bindings and name not in module.containers(qual):
                return NOTHING  # it may be anything else as well
            found = self._bindings(path, qual, bindings, hops)
            values = union((values or NOTHING, found), hops)
        elif values is None and f"{qual}.{name}" in module.items:
            values = self._bindings(path, qual, (f"{DEFINITION}{qual}.{name}",), hops)
        if name in module.containers(qual):
            values = self._with_container(module, qual, name, values or NOTHING)
        return values

    def _with_container(
        self, module: ModuleFacts, scope: str, name: str, values: Values
    ) -> Values:
        self._note(f"e:{module.path}::{scope}")
        if values is UNKNOWN or name not in module.containers(scope):
            return values
        made = Symbol(Kind.CONTAINER, module.path, f"{scope}|{name}", 1.0)
        return values | {made}

    def _global(self, path: str, name: str, hops: int) -> Values:
        return self._solver.read(
            hops,
            ("G", hops, path, name),
            lambda: self._of_module(path, name, hops),
            NOTHING,
        )

    def _of_module(self, path: str, name: str, hops: int) -> Values:
        module = self._modules.get(path)
        if module is None:
            return NOTHING
        self._note(f"n:{path}:{name}")
        bindings = module.bindings(name)
        found = self._bindings(path, "", bindings, hops)
        found = self._with_container(module, "", name, found)
        if bindings and not module.is_package:
            return found
        other = self._global_names.resolve_global(path, name)
        values = [found, only(other)]
        if other is not None and other.path != path and _is_called(other, name):
            values.append(self._global(other.path, name, hops))
        return union(values, hops)

    def _bindings(
        self, path: str, scope: str, bindings: Iterable[Binding], hops: int
    ) -> Values:
        return union((self._binding(path, scope, one, hops) for one in bindings), hops)

    def _binding(self, path: str, scope: str, binding: Binding, hops: int) -> Values:
        """Return the values of one binding (element_row.py)."""
        mark, rest = binding[:1], binding[1:]
        if mark == ASSIGNED_NAME:
            return self._values(path, scope, rest, hops)
        if mark == ASSIGNED_CALL:
            return self._values(path, scope, rest + CALL, hops)
        if mark == DEFINITION or mark == ALTERNATIVE:
            found = only(self._resolve_binding(path, scope, binding))
            return union((found, self._decorated(path, rest, 0)), hops)
        if mark == LAMBDA:
            made = Symbol(Kind.LAMBDA, path, f"{scope}|{binding}", 1.0)
            return frozenset((made,))
        if mark == LAMBDA_PARAMETER:
            return self._given_to_lambda(path, scope, rest, hops) if hops else NOTHING
        if mark == IN_FUNCTION:
            qual, _, inner = rest.partition(":")
            return self._binding(path, qual, inner, hops)
        if mark == DECORATED:
            index, _, qual = rest.partition(":")
            return union((self._decorated(path, qual, int(index)),), hops)
        if mark == IMPORTED_NAME:
            source, name = rest.split(":", 1)
            found_in = self._imports.find_module(path, source)
            module = self._modules.get(found_in.path) if found_in else None
            if module is not None and module.path != path:
                values = self._global(module.path, name, hops)
                if module.bindings(name):
                    return values
                other = only(self._resolve_binding(path, scope, binding))
                return union((values, other), hops)
        return only(self._resolve_binding(path, scope, binding))

    # -- members

    def _member(self, value: Symbol, name: str, hops: int) -> Values:
        kind = value.kind
        if kind is Kind.MODULE:
            return self._global(value.path, name, hops)
        if kind in (Kind.INSTANCE, Kind.CLASS, Kind.SUPER) and name != "__class__":
            return self._in_class(value, name, hops)
        if kind is Kind.CONTAINER:
            if name in _ITEM_METHODS:
                return frozenset((value.as_kind(Kind.CONTAINER_ITEM),))
            if name in _ITEMS_METHODS:
                return frozenset((value.as_kind(Kind.CONTAINER_ITEMS),))
            return NOTHING
        return only(self._members.find_member(value, name))

    def _in_class(self, value: Symbol, name: str, hops: int = NAMED) -> Values:
        """Return an attribute of a class or an instance, with its receiver."""
        return self._solver.read(
            hops,
            ("M", hops, value.kind, value.path, value.qual, name),
            lambda: self._in_mro(value, name, hops),
            NOTHING,
        )

    def _in_mro(self, value: Symbol, name: str, hops: int) -> Values:
        path, qual = value.definition
        for entry in self._members.mro(path, qual)[value.kind is Kind.SUPER :]:
            module = self._modules.get(entry.path) if entry is not None else None
            if entry is None or module is None or entry.qual not in module.items:
                continue
            inner = entry.qual
            self._note(f"m:{module.path}::{inner}:{name}")
            bindings = module.class_bindings(inner, name)
            found = self._bindings(module.path, inner, bindings, hops)
            found = self._with_container(module, inner, name, found)
            if hops and bindings:
                found |= self._field(module, inner, name, hops)
            if found is UNKNOWN:
                return UNKNOWN
            if bindings or found:
                return frozenset(self._received(one, value, inner) for one in found)
        return NOTHING

    def _field(self, module: ModuleFacts, qual: str, name: str, hops: int) -> Values:
        """Return what calls of a class pass to one of its fields."""
        fields = fields_of(module.row(qual))
        index = next((i for i, one in enumerate(fields) if one.name == name), None)
        if index is None:
            return NOTHING
        self._note(f"e:{module.path}::{qual}")
        read = self._arguments.of_function
        given = read(module.path, qual, fields, index, hops - 1)
        return union((one.values for one in given if not one.keys), True)

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

    def _read(self, attribute: Symbol, hops: int) -> Values:
        """Return the values of reading an attribute: a property is called."""
        if attribute.kind is not Kind.BOUND:
            return frozenset((attribute,))
        module = self._modules.get(attribute.path)
        if module is None or not is_property(module.row(attribute.qual)):
            return frozenset((attribute,))
        return self._results(attribute, hops)

    # -- calls

    def _call(self, value: Symbol, hops: int) -> Values:
        """Return the values of calling a value."""
        kind = value.kind
        if kind is Kind.CONTAINER_ITEM or kind is Kind.CONTAINER_ITEMS:
            container = value.as_kind(Kind.CONTAINER)
            if kind is Kind.CONTAINER_ITEMS:
                return frozenset((container,))
            return self._item(container, "[]", hops)
        if kind in _FUNCTIONS:
            return self._results(value, hops)
        if kind is Kind.LAMBDA:
            scope, _, name = value.qual.partition("|")
            bindings = bindings_of(self._names_in(value.path, scope), name)
            return self._bindings(value.path, scope, bindings, hops)
        if kind is Kind.CLASS:
            made = frozenset((value.as_kind(Kind.INSTANCE),))
            return union((made, self._called_method(value, "__new__", hops)), hops)
        if kind is Kind.INSTANCE:
            return self._called_method(value, "__call__", hops)
        return only(self._types.call(value))

    def _called_method(self, value: Symbol, name: str, hops: int = NAMED) -> Values:
        """Return the results of a method of a class or an instance."""
        methods = self._in_class(value, name)
        if methods is UNKNOWN:
            return NOTHING if hops else UNKNOWN
        return union((self._results(one, hops) for one in methods), hops)

    def _results(self, function: Symbol, hops: int = NAMED) -> Values:
        """Return what a function returns, or the generator that it makes."""
        if function.kind not in _FUNCTIONS:
            return NOTHING
        path, qual = function.definition
        return self._solver.read(
            hops,
            ("R", hops, path, qual),
            lambda: self._returned(path, qual, _less(hops)),
            NOTHING,
        )

    def _returned(self, path: str, qual: str, hops: int) -> Values:
        module = self._modules.get(path)
        if module is None or qual not in module.items:
            return NOTHING
        self._note(f"e:{path}::{qual}")
        row, held = module.row(qual), module.containers(qual)
        if YIELDED in row.vars or YIELDED in held:
            return frozenset((Symbol(Kind.GENERATOR, path, qual, 1.0),))
        if (RETURNED in row.vars or RETURNED in held) and "a" not in row.flags:
            returned = bindings_of(row.vars, RETURNED)
            values = self._bindings(path, qual, returned, hops)
            return self._with_container(module, qual, RETURNED, values)
        return only(self._types.call(Symbol(Kind.FUNCTION, path, qual, 1.0)))

    def _targets(self, value: Symbol) -> list[Target] | None:
        """Return the functions that a call of a value runs; None if nobody knows."""
        if value.kind is Kind.FUNCTION or value.kind is Kind.LAMBDA:
            return [Target(value, 0)]
        if value.kind is Kind.BOUND:
            return [Target(value, 1)]
        if value.kind not in (Kind.CLASS, Kind.INSTANCE):
            return []
        is_class = value.kind is Kind.CLASS
        instance = value.as_kind(Kind.INSTANCE)
        found: list[Target] = []
        for name in ("__new__", "__init__") if is_class else ("__call__",):
            methods = self._in_class(instance, name)
            if methods is UNKNOWN:
                return None
            found += [Target(one, 1) for one in methods if one.kind in _FUNCTIONS]
        return found

    # -- items

    def _item(self, value: Symbol, segment: str, hops: int) -> Values:
        """Return the values of a subscript, or of iterating."""
        if value.kind is Kind.CONTAINER:
            return self._solver.read(
                hops,
                ("C", hops, value.path, value.qual, segment),
                lambda: self._contained(value, segment, hops),
                NOTHING,
            )
        if value.kind is Kind.GENERATOR:
            path, qual = value.definition
            module = self._modules.get(path)
            if segment != ITERATE or module is None:
                return NOTHING
            yielded = bindings_of(module.row(qual).vars, YIELDED)
            values = self._bindings(path, qual, yielded, hops)
            return self._with_container(module, qual, YIELDED, values)
        if value.kind is Kind.INSTANCE:
            if hops:
                return self._item(value, segment, NAMED)
            if segment != ITERATE:
                return self._called_method(value, "__getitem__")
            iterators = self._called_method(value, "__iter__")
            if iterators is UNKNOWN:
                return UNKNOWN
            given = (self._next(one) for one in iterators)
            return union((only(self._types.apply(value, ITERATE)), *given), False)
        plain = SUBSCRIPT if segment[0] == "[" else segment
        return only(self._types.apply(value, plain))

    def _entered(self, value: Symbol, hops: int) -> Values:
        """Return the target of `with`: of a generator, what it yields."""
        if value.kind is Kind.GENERATOR:
            return self._item(value, ITERATE, hops)
        return only(self._types.apply(value, ENTER))

    def _next(self, iterator: Symbol) -> Values:
        if iterator.kind is Kind.INSTANCE:
            return self._called_method(iterator, "__next__")
        return self._item(iterator, ITERATE, NAMED)

    def _contained(self, container: Symbol, segment: str, hops: int) -> Values:
        path = container.path
        scope, _, prefix = container.qual.partition("|")
        key = segment if segment[0] == "[" else "[]"
        found: list[Values] = []
        for name, read in self._held(path, scope, prefix, hops):
            if not name.startswith(prefix + "["):
                continue
            end = name.find("]", len(prefix)) + 1
            own = name[len(prefix) : end]
            if own != key and "[]" not in (own, key):
                continue
            if end == len(name):
                found.append(read())
            else:
                inner = container._replace(qual=f"{scope}|{name[:end]}")
                found.append(frozenset((inner,)))
        return union(found, hops)

    def _held(
        self, path: str, scope: str, prefix: str, hops: int
    ) -> Iterator[tuple[str, Callable[[], Values]]]:
        """Yield the names of a scope's elements, and what reads the values of each."""
        module = self._modules.get(path)
        if module is None:
            return
        if prefix[0] == _PARAMETER:
            name = prefix.partition("[")[0]
            parameters = _parameters_of(module.row(scope))
            if hops:
                index, read = int(name[1:]), self._arguments.of_function
                for one in read(path, scope, parameters, index, hops - 1):
                    yield name + one.keys, partial(_same, one.values)
            return
        names = self._names_in(path, scope)
        for name in names:
            if name[-1:] == "]":
                bindings = bindings_of(names, name)
                yield name, partial(self._bindings, path, scope, bindings, _less(hops))

    def _names_in(self, path: str, scope: str) -> Bindings:
        """Return what a scope ("" the module) binds itself."""
        self._note(f"e:{path}::{scope}")
        module = self._modules.get(path)
        if module is None or not scope:
            return module.names if module is not None else {}
        row = module.row(scope)
        return row.attrs if row.type == "class" else row.vars

    # -- parameters

    def _parameter(self, path: str, qual: str, index: int, hops: int) -> Values:
        return self._solver.read(
            hops,
            ("P", hops, path, qual, index),
            lambda: self._passed(path, qual, index, hops),
            NOTHING,
        )

    def _declared(self, path: str, row: ElementRow, index: int) -> Values:
        """Return an instance of a parameter's type."""
        parameter = parameter_of(row.parameters[index])
        if not parameter.type or parameter.kind.startswith("*"):
            return NOTHING
        outer = parent_of(row.qual)
        return only(self._types.resolve_annotation(path, outer, parameter.type))

    def _passed(self, path: str, qual: str, index: int, hops: int) -> Values:
        """Return what a function's parameter is given: by its type, else by calls."""
        module = self._modules.get(path)
        if module is None:
            return NOTHING
        row = module.row(qual)
        parameter = parameter_of(row.parameters[index])
        outer = parent_of(qual)
        if parameter.type:
            declared = self._types.resolve_annotation(path, outer, parameter.type)
            if declared is not None:
                return only(declared)
        found: list[Values] = []
        if _DOTTED.match(parameter.default):
            found.append(self._values(path, outer, parameter.default, hops))
        parameters = _parameters_of(row)
        given = self._arguments.of_function(path, qual, parameters, index, hops - 1)
        if any(one.keys for one in given):
            found.append(_elements_of(path, qual, index))
        found += [one.values for one in given if not one.keys]
        return frozenset(one for one in union(found, True) if self._may_run(one))

    def _given_to_lambda(
        self, path: str, scope: str, parameter: str, hops: int
    ) -> Values:
        """Return what calls pass to a lambda, by the names of its scope that it has."""
        number, index, name = parameter.split(":")
        binding = LAMBDA + number

        def compute() -> Values:
            names = self._names_in(path, scope)
            called = [
                one.partition("[")[0]
                for one in names
                if binding in bindings_of(names, one)
            ]
            parameters = [*[Parameter("")] * int(index), Parameter(name)]
            definition = path, f"{scope}|{binding}"
            given = self._arguments.under(
                called, definition, parameters, int(index), hops - 1
            )
            return union((one.values for one in given if not one.keys), True)

        key = ("L", hops, path, scope, parameter)
        return self._solver.read(hops, key, compute, NOTHING)

    def _may_run(self, value: Symbol) -> bool:
        """Return whether a value can be called, or holds what can."""
        if value.kind is not Kind.INSTANCE:
            return value.kind is not Kind.MODULE
        return bool(self._in_class(value, "__call__"))

    # -- what call sites mean, for arguments.py

    def targets_at(self, site: CallSite, binding: Binding) -> Iterator[Target]:
        """Yield what a site calls that passes this; a class stands for its fields."""
        if binding[:1] == DECORATED:
            called = self._applied(site.path, site.scope, site.callee)
        else:
            called = self._values(site.path, site.scope, site.callee, NAMED)
        for value in () if called is UNKNOWN else called:
            targets = self._targets(value)
            if targets == [] and value.kind is Kind.CLASS:
                targets = [Target(value, 0)]
            yield from targets or ()

    def values_at(self, site: CallSite, binding: Binding, hops: int) -> Values:
        """Return the values of an argument, passed on `hops` times at most before."""
        return self._binding(site.path, site.scope, binding, hops)

    # -- decorators

    def _decorated(self, path: str, qual: str, after: int) -> Values:
        """Return a definition, decorated by all decorators from an index on."""
        return self._solver.read(
            NAMED,
            ("A", path, qual, after),
            lambda: self._decorate(path, qual, after),
            NOTHING,
        )

    def _decorate(self, path: str, qual: str, after: int) -> Values:
        module = self._modules.get(path)
        if module is None or qual not in module.items:
            return NOTHING
        self._note(f"e:{path}::{qual}")
        row = module.row(qual)
        kind = Kind.CLASS if row.type == "class" else Kind.FUNCTION
        values: Values = frozenset((Symbol(kind, path, qual, 1.0),))
        for text in reversed(row.decorators[after:]):
            values = self._apply(path, parent_of(qual), decorator_chain(text), values)
        return values

    def _apply(self, path: str, scope: str, chain: str, values: Values) -> Values:
        """Return what a decorator makes of values; an unknown one keeps them."""
        decorators = self._applied(path, scope, chain)
        if decorators is UNKNOWN or values is UNKNOWN:
            return UNKNOWN
        made: list[Values] = []
        if not self._replaces(path, scope, chain):
            made.append(values)
        for one in decorators:
            if one.kind is Kind.CLASS:
                made.append(frozenset((one.as_kind(Kind.INSTANCE),)))
                continue
            if one.kind is Kind.LAMBDA:
                continue
            targets = self._targets(one)
            if targets is None:
                return UNKNOWN
            for function, receivers in targets:
                results = self._result_for(function, receivers, values)
                if results is UNKNOWN:
                    return UNKNOWN
                # One that also takes settings alone returns itself for them, or the
                # function within it that is to be applied.
                if not chain.endswith(CALL):
                    results = innermost(results)
                made.append(frozenset(v for v in results if not _is_itself(v, one)))
        return union(made, False)

    def _applied(self, path: str, scope: str, chain: str) -> Values:
        """Return the functions that are applied where a decorator stands.

        One that is called with settings may return the wrapper, too: for a function.
        """
        values = self._values(path, scope, chain, NAMED)
        return outermost(values) if chain.endswith(CALL) else values

    def _replaces(self, path: str, scope: str, chain: str) -> bool:
        """Return whether a decorator is known to return something of its own."""
        decorator = self._resolve_chain(path, scope, chain)
        if decorator is None or decorator.kind is Kind.CLASS:
            return decorator is not None
        if decorator.kind is Kind.INSTANCE:
            owner = decorator.definition
            decorator = self._members.find_in_class(*owner, "__call__")
        if decorator is None or decorator.kind is not Kind.FUNCTION:
            return False
        module = self._modules.get(decorator.path)
        if module is None:
            return False
        return not {RETURNED, "return"}.isdisjoint(module.row(decorator.qual).vars)

    def _result_for(self, function: Symbol, index: int, values: Values) -> Values:
        """Return a function's results when one parameter has these values."""
        module = self._modules.get(function.path)
        if module is None:
            return NOTHING
        row = module.row(function.qual)
        returned = bindings_of(row.vars, RETURNED)
        if len(row.parameters) <= index or not returned:
            return self._results(function)
        name = parameter_of(row.parameters[index]).name
        return union(
            (
                values
                if one == ASSIGNED_NAME + name
                else self._binding(function.path, function.qual, one, NAMED)
                for one in returned
            ),
            False,
        )


def _less(hops: int) -> int:
    """Return how often values may be passed on before they were once."""
    return hops - 1 if hops else NAMED


def _same(values: Values) -> Values:
    return values


def _parameters_of(row: ElementRow) -> list[Parameter]:
    return [parameter_of(one) for one in row.parameters]


def _elements_of(path: str, qual: str, index: int) -> Values:
    """Return the container that a parameter holds."""
    name = f"{qual}|{_PARAMETER}{index}"
    return frozenset((Symbol(Kind.CONTAINER, path, name, 1.0),))


@lru_cache(maxsize=100_000)
def _parts(chain: str) -> tuple[str, tuple[str, ...]]:
    """Return a chain's first name, "" where it is none, and its segments."""
    root = _ROOT.match(chain)
    if root is None:
        return "", ()
    start = len(_SUPER) if chain.startswith(_SUPER) else root.end()
    segments: list[str] = []
    position = start
    while position < len(chain):
        segment = _SEGMENT.match(chain, position)
        if segment is None:
            return "", ()
        segments.append(segment[0])
        position = segment.end()
    return root[0], tuple(segments)


def _is_itself(value: Symbol, decorator: Symbol) -> bool:
    """Return whether a value is a decorator, or its definition in another branch."""
    if value.kind is Kind.INSTANCE or value.path != decorator.path:
        return False
    outer, name = parent_of(value.qual), name_of(value.qual)
    return (outer, name) == (parent_of(decorator.qual), name_of(decorator.qual))


def _is_called(definition: Symbol, name: str) -> bool:
    """Return whether a name of a module is that of a definition."""
    return not parent_of(definition.qual) and name_of(definition.qual) == name


def _plain(function: Symbol) -> Symbol:
    return function.as_kind(Kind.FUNCTION)
