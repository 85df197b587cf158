"""Resolve Python names across files: the entry of this folder.

The `Resolver` evaluates bindings and chains, and composes the parts that know the rest;
see expressions.py for how they depend on each other.
"""

from __future__ import annotations

import re

from repobuild.code.facts.element_row import IDENTIFIER, Binding, name_of, normal_form
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    ANNOTATED,
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    CALL,
    DEFINITION,
    IMPORTED_MODULE,
    IMPORTED_NAME,
    SUBSCRIPT,
)
from repobuild.code.resolve.lookup import LookupCache
from repobuild.code.resolve.python.data_flow.arguments import FindSites
from repobuild.code.resolve.python.data_flow.data_flow import Flow
from repobuild.code.resolve.python.distributions import Distributions
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import GlobalNames
from repobuild.code.resolve.python.imports import Candidates, ImportResolver
from repobuild.code.resolve.python.members import Members
from repobuild.code.resolve.python.modules import Modules
from repobuild.code.resolve.python.scopes import Scopes
from repobuild.code.resolve.python.type_inference import TypeInference
from repobuild.code.resolve.symbol import Kind, Symbol

_IDENTIFIER = re.compile(IDENTIFIER)
_SEGMENT = re.compile(r"\(\)|\[\w*\]|[*!~]|\.[^.()\[\]*!~]+")
_RECEIVERS = ("self", "cls")  # through which a class reads its own attributes
_READABLE = (Kind.MODULE, Kind.CLASS, Kind.INSTANCE)
_SUPER = "super()"


class Resolver:
    """Resolves names for one file at a time and collects the terms they depend on."""

    def __init__(
        self,
        modules: Modules,
        candidates: Candidates,
        standard: frozenset[str],
        distributions: Distributions,
        find_sites: FindSites,
    ) -> None:
        self._modules = modules
        self._lookups = LookupCache()
        context = ResolverContext(modules, self._lookups, expressions=self)
        self._imports = ImportResolver(
            modules, candidates, standard, distributions, self._lookups
        )
        self._global_names = GlobalNames(context, self._imports)
        self._members = Members(context, self._global_names)
        self._types = TypeInference(context, self._members)
        self._scopes = Scopes(context, self._global_names, self._types)
        self.flow = Flow(
            context,
            self._imports,
            self._global_names,
            self._members,
            self._types,
            self._scopes,
            find_sites,
        )
        # What code/graph asks for besides `resolve_all`.
        self.find_module = self._imports.find_module
        self.resolve_import = self._global_names.resolve_import
        self.find_in_class = self._members.find_in_class
        self.find_base = self._members.find_base
        self.find_member = self._members.find_member

    def begin_file(self) -> None:
        """Start collecting the terms of another file."""
        self._lookups.terms = set()
        self.flow.begin_file()

    @property
    def terms(self) -> set[str]:
        """The terms that lookups since `begin_file` depend on."""
        return self._lookups.terms | self.flow.terms()

    def resolve_all(self, path: str, scope: str, text: str) -> list[Symbol]:
        """Return every symbol that a chain may refer to.

        There are several where its first name has several bindings. Then each must be
        known: one that is not could be anything.
        """
        symbol = self.resolve_chain(path, scope, text)
        root = _IDENTIFIER.match(text)
        if root is None or text.startswith(_SUPER):
            return [symbol] if symbol is not None else []
        alternatives = self._scopes.alternatives(
            path, scope, root[0], symbol is not None
        )
        if not alternatives:
            return [symbol] if symbol is not None else []
        followed = [self._follow(one, text, root.end()) for one in alternatives]
        known = [one.at_most(0.5) for one in followed if one is not None]
        if symbol is not None:
            return [symbol, *(one for one in known if not one.is_same(symbol))]
        return known if len(known) == len(alternatives) else []

    def resolve_chain(self, path: str, scope: str, text: str) -> Symbol | None:
        """Return what a chain (`a.b().c`, see element_row.py) refers to."""
        text = normal_form(text)  # of an annotation or a base, which are as written
        root = _IDENTIFIER.match(text)
        if root is None:
            return None
        if text.startswith(_SUPER):
            start = self._scopes.resolve_super(path, scope)
            return self._follow(start, text, len(_SUPER))
        start = self._scopes.resolve_name(path, scope, root[0])
        end = root.end()
        return self._follow(start, text, end) if end < len(text) else start

    def resolve_read(self, path: str, scope: str, text: str) -> Symbol | None:
        """Return what reading a dotted chain uses: an element, or a module's variable.

        A property or method is used by its name, a class attribute by its class, a
        module's variable by its module. None is certain only where the owner is known.
        A name alone uses the function or class that it means.
        """
        before, _, name = text.rpartition(".")
        if not before:
            named = self.resolve_chain(path, scope, text)
            is_definition = named and named.kind in (Kind.FUNCTION, Kind.CLASS)
            return named if is_definition else None
        owner = self.resolve_chain(path, scope, before)
        if owner is None or owner.kind not in _READABLE:
            return None
        member = self.find_member(owner, name)
        if member is not None and member.kind in (Kind.FUNCTION, Kind.CLASS):
            # `self.__class__`, and an attribute that is another name of a class, are
            # no use of the name.
            return member if name_of(member.qual) == name else None
        module = self._modules.get(owner.path)
        if module is None:
            return None
        if owner.kind is Kind.MODULE:
            return owner if module.bindings(name) else None
        if owner.kind is not Kind.CLASS or before.partition(".")[0] in _RECEIVERS:
            return None
        is_known = owner.qual in module.items
        return owner if is_known and module.class_bindings(owner.qual, name) else None

    def is_one_of_several(self, path: str, scope: str, text: str) -> bool:
        """Return whether a dotted chain goes through an attribute of unlike things."""
        root, *names = normal_form(text).split(".")
        owner = self._scopes.resolve_name(path, scope, root)
        for name in names:
            if owner is None:
                return False
            if self._members.is_one_of_several(owner, name):
                return True
            owner = self._follow(owner, f".{name}", 0)
        return False

    def alternatives_of(self, symbol: Symbol) -> list[Symbol]:
        """Return a definition with those that may exist instead, itself among them."""
        module = self._modules.get(symbol.path)
        # One of several definitions has this confidence at most.
        if module is None or symbol.confidence > 0.5:
            return [symbol]
        quals = module.alternatives(symbol.qual)
        return [symbol._replace(qual=qual) for qual in quals] or [symbol]

    def _follow(self, symbol: Symbol | None, text: str, position: int) -> Symbol | None:
        """Follow the segments of a chain that start at a position, from a symbol."""
        while symbol is not None and position < len(text):
            segment = _SEGMENT.match(text, position)
            if segment is None:
                return None
            position = segment.end()
            if segment[0][0] == ".":
                symbol = self._members.find_member(symbol, segment[0][1:])
                if symbol is not None and not text.startswith(CALL, position):
                    symbol = self._types.read(symbol)
            else:
                name = segment[0]
                symbol = self._types.apply(
                    symbol, SUBSCRIPT if name[0] == "[" else name
                )
        return symbol

    def resolve_binding(self, path: str, scope: str, binding: Binding) -> Symbol | None:
        """Return what a name with this binding (element_row.py) refers to."""
        mark, rest = binding[:1], binding[1:]
        if mark == DEFINITION or mark == ALTERNATIVE:
            module = self._modules.get(path)
            if module is None:
                return None
            if "." in rest and (outermost := module.outermost_function(rest)):
                self._lookups.note(f"d:{path}::{outermost}")
            is_class = module.type_of(rest) == "class"
            return Symbol(Kind.CLASS if is_class else Kind.FUNCTION, path, rest, 1.0)
        if mark == IMPORTED_NAME:
            source, name = rest.split(":", 1)
            imported = self._global_names.resolve_import(path, source, name)
            return imported or self._imports.namespace(path, f"{source}.{name}")
        if mark == IMPORTED_MODULE:
            module_found = self._imports.find_module(path, rest)
            return module_found or self._imports.namespace(path, rest)
        if mark == ASSIGNED_NAME:
            return self.resolve_chain(path, scope, rest)
        if mark == ASSIGNED_CALL:
            function = self.resolve_chain(path, scope, rest)
            return self._types.call(function) if function is not None else None
        if mark == ANNOTATED:
            return self._types.resolve_annotation(path, scope, rest)
        return None
