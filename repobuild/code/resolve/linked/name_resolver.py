"""Resolve names in a file that is linked by rules other than Python's.

Scopes, receivers, members and declared types work alike in all of these languages and
are followed here. The language's `LinkRules` resolve what is outside of a file. For the
kinds of symbols and their confidence, see symbol.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from repobuild.code.facts.element_row import Binding, bindings_of, parent_of
from repobuild.code.resolve.binding_marks import (
    ANNOTATED,
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    IMPORTED_MODULE,
    IMPORTED_NAME,
)
from repobuild.code.resolve.linked.link_rules import LinkRules, Symbols
from repobuild.code.resolve.linked.linked_files import LinkedFile, LinkedFiles
from repobuild.code.resolve.linked.rules_by_language import RULES
from repobuild.code.resolve.symbol import Kind, Symbol, enclosing_scopes

_TYPE_ARGUMENTS = re.compile(r"<[^<>]*>")
_SEPARATOR = re.compile(r"\?\.|!\.|->|::|\.")
_PART = re.compile(r"[\w$~#]+!?(\(\))?")
_TYPE = re.compile(r"[\w$.]+")
_TYPE_NOISE = re.compile(
    r"'\w+|\b(?:mut|const|final|dyn|impl|struct|union|class|enum|readonly|volatile)\b"
    r"|\|\s*(?:null|undefined)\b|[&*]|@\w+"
)
_MAX_DEPTH = 40  # nested lookups
_MAX_DEFINITIONS = 4  # of one name; with more, none is reported
_ONE_OF_SEVERAL = 0.4


class LinkedResolver:
    """Resolves names in any linked file, on behalf of one file.

    The memo lives for that file alone: a lookup that runs into itself finds nothing at
    that point, so the memo depends on the order of the lookups.
    """

    def __init__(self, files: LinkedFiles) -> None:
        self.files = files
        self._depth = 0
        self._memo: dict[tuple[str, ...], Symbols] = {}
        self._rules: dict[str, LinkRules] = {}

    def rules(self, path: str) -> LinkRules:
        """Return the link rules of a file or, as no file has its path, a Go package."""
        file = self.files.get(path)
        links = file.links if file else "go"
        if links not in self._rules:
            self._rules[links] = RULES[links](self)
        return self._rules[links]

    def callees(self, path: str, scope: str, name: str) -> Iterator[Symbol]:
        """Yield what a call as written runs: with a class, its constructor too."""
        for symbol in self.resolve_chain(path, scope, name):
            if symbol.kind is Kind.FUNCTION:
                yield symbol
            elif symbol.kind is Kind.CLASS and self.rules(symbol.path).calls_construct:
                yield symbol
                constructor = self.rules(symbol.path).constructor_name(symbol.qual)
                for member in (
                    self.find_members(symbol, constructor) if constructor else ()
                ):
                    if member.kind is Kind.FUNCTION:
                        yield member

    def find_base(self, path: str, qual: str, text: str) -> Symbol | None:
        """Return the class that a base's source text refers to."""
        base = self.resolve_type(path, parent_of(qual), text.rpartition(" ")[2])
        return base if base and base.definition != (path, qual) else None

    def resolve_type(self, path: str, scope: str, text: str) -> Symbol | None:
        """Return the class that a type's source text refers to."""
        if text.startswith("("):  # a Go function's results: the first one
            text = text[1:].partition(",")[0]
        plain = _without_type_arguments(text)
        plain = _TYPE_NOISE.sub(" ", plain).replace("::", ".").strip(" ()")
        if plain == "Self":
            return self._enclosing_type(path, scope + "." if scope else "")
        if not _TYPE.fullmatch(plain):
            return None
        symbols = self.resolve_chain(path, scope, plain)
        classes = [symbol for symbol in symbols if symbol.kind is Kind.CLASS]
        return classes[0] if len(classes) == 1 else None

    # -- chains

    def resolve_chain(self, path: str, scope: str, text: str) -> Symbols:
        """Return what `a.b().c` in a scope refers to, [] when it is not known."""
        key = ("chain", path, scope, text)
        return self._look(key, lambda: self._resolve_chain(path, scope, text))

    def _resolve_chain(self, path: str, scope: str, text: str) -> Symbols:
        parts = _SEPARATOR.split(_without_type_arguments(text).removesuffix("::"))
        if parts[0] == "" and len(parts) > 1:
            parts, scope = parts[1:], ""  # `::f`
        if not all(_PART.fullmatch(part) for part in parts):
            return []
        first = parts[0].removesuffix("()")
        symbols = self._evaluate(parts[0], self.resolve_name(path, scope, first))
        if not symbols:
            return self._resolve_qualified(path, scope, parts)
        for index, part in enumerate(parts[1:], 1):
            if len(symbols) != 1:
                return []
            members = self.find_members(symbols[0], part.removesuffix("()"))
            members = self._evaluate(part, members)
            if not members and index == 1:
                return self._resolve_qualified(path, scope, parts)
            symbols = members
        return symbols

    def _evaluate(self, part: str, symbols: Symbols) -> Symbols:
        """Return the value of a chain's part: of `f()` what calling f gives."""
        if not part.endswith("()"):
            return symbols
        values = (self.call(symbol) for symbol in symbols)
        return [value for value in values if value is not None]

    def _resolve_qualified(self, path: str, scope: str, parts: list[str]) -> Symbols:
        """Return a definition whose qualified name is the whole chain: `app.f`."""
        file = self.files.get(path)
        if file is None or len(parts) == 1 or _is_local(file, scope, parts[0]):
            return []
        if parts[0] in self.rules(path).receivers:
            return self._resolve_through_receiver(file, scope, ".".join(parts[1:]))
        name = ".".join(parts)
        for outer in enclosing_scopes(scope):
            symbols = self.definitions(path, f"{outer}.{name}" if outer else name)
            if symbols:
                return symbols
        return self.rules(path).find_outside(path, scope, name)

    def _resolve_through_receiver(
        self, file: LinkedFile, scope: str, name: str
    ) -> Symbols:
        """Return `this.name` where no class defines `this`, as after `app.f = ...`."""
        for outer in enclosing_scopes(scope):
            if outer and file.type_of(outer) == "method":
                symbols = self.definitions(file.path, f"{parent_of(outer)}.{name}")
                return [symbol.at_most(0.9) for symbol in symbols]
        return []

    def call(self, symbol: Symbol) -> Symbol | None:
        """Return the value of calling a symbol."""
        kind, path, qual, confidence = symbol
        if kind is Kind.CLASS:
            return symbol.as_kind(Kind.INSTANCE, at_most=0.8)
        row = self.files.row(path, qual) if kind is Kind.FUNCTION else None
        if row is None or not row.returns:
            return None
        result = self.resolve_type(path, parent_of(qual), row.returns)
        return result.as_kind(Kind.INSTANCE, min(confidence, 0.7)) if result else None

    # -- names

    def resolve_name(self, path: str, scope: str, name: str) -> Symbols:
        """Return what a name in a scope (a qualified name, "" the file) refers to."""
        key = ("root", path, scope, name)
        return self._look(key, lambda: self._resolve_name(path, scope, name))

    def _resolve_name(self, path: str, scope: str, name: str) -> Symbols:
        rules, file = self.rules(path), self.files.get(path)
        if file is None:
            return []
        if name in rules.receivers or name in rules.super_names:
            kind = Kind.SUPER if name in rules.super_names else Kind.INSTANCE
            holder = self._enclosing_type(path, scope)
            return [Symbol(kind, holder.path, holder.qual, 0.9)] if holder else []
        for outer in enclosing_scopes(scope):
            if outer == "":
                break
            if _is_local(file, outer, name):
                return self._resolve_variable(
                    path, outer, str(file.row(outer).vars[name])
                )
            symbols = self._resolve_in_scope(file, outer, name)
            if symbols:
                return symbols
        return self.resolve_in_file(path, name) or rules.find_outside(path, scope, name)

    def _resolve_in_scope(self, file: LinkedFile, outer: str, name: str) -> Symbols:
        """Return what a name is in one function, class or namespace around it."""
        if file.type_of(outer) != "class":
            symbols = [
                symbol
                for symbol in self.definitions(file.path, f"{outer}.{name}")
                if not self._is_method(symbol)
            ]
            if symbols or outer in file.items:
                return symbols
        # A class, or a qualified name without an element: a namespace, or a type that
        # another file defines.
        if not self.rules(file.path).has_implicit_receiver:
            return []
        holder = self._find_type(file.path, outer)
        if holder is None:
            return []
        return [member.at_most(0.9) for member in self.find_members(holder, name)]

    def _is_method(self, symbol: Symbol) -> bool:
        row = self.files.row(symbol.path, symbol.qual)
        return row is not None and row.type == "method"

    def _resolve_variable(self, path: str, scope: str, binding: Binding) -> Symbols:
        """Return the value of a variable, by its declared type or its constructor."""
        mark, rest = binding[:1], binding[1:]
        if mark == ANNOTATED:
            declared = self.resolve_type(path, scope, rest)
            return [declared.as_kind(Kind.INSTANCE, at_most=0.75)] if declared else []
        if mark == ASSIGNED_CALL:
            values = [self.call(one) for one in self.resolve_chain(path, scope, rest)]
            return [value for value in values if value] if len(values) == 1 else []
        return []

    def resolve_in_file(self, path: str, name: str) -> Symbols:
        """Return what a name at a file's top level refers to."""
        symbols = self.definitions(path, name)
        if symbols:
            return symbols
        for binding in bindings_of(self.files.names(path), name):
            return self.resolve_binding(path, binding)
        return []

    def resolve_binding(self, path: str, binding: Binding) -> Symbols:
        """Return what a binding at a file's top level refers to."""
        key = ("binding", path, binding)
        return self._look(key, lambda: self._resolve_binding(path, binding))

    def _resolve_binding(self, path: str, binding: Binding) -> Symbols:
        mark, rest = binding[:1], binding[1:]
        if mark == IMPORTED_NAME:
            module, name = rest.split(":", 1)
            return self.rules(path).find_imported(path, module, name)
        if mark == IMPORTED_MODULE:
            return self.rules(path).find_module(path, rest)
        if mark == ASSIGNED_NAME:
            return self.resolve_chain(path, "", rest)
        return self._resolve_variable(path, "", binding)

    def definitions(self, path: str, qual: str) -> Symbols:
        """Return the definitions of a name in a file."""
        return self.definitions_in([path], qual)

    def definitions_in(self, paths: list[str], qual: str) -> Symbols:
        """Return the definitions of a name in several files; of many, none is sure."""
        matches = [
            (path, one) for path in paths for one in self.files.definitions(path, qual)
        ]
        if len(matches) > _MAX_DEFINITIONS:
            return []
        confidence = 1.0 if len(matches) == 1 else _ONE_OF_SEVERAL
        symbols = []
        for path, one in matches:
            row = self.files.row(path, one)
            is_class = row is not None and row.type == "class"
            kind = Kind.CLASS if is_class else Kind.FUNCTION
            symbols.append(Symbol(kind, path, one, confidence))
        return symbols

    # -- members

    def find_members(self, symbol: Symbol, name: str) -> Symbols:
        """Return an attribute of a symbol."""
        kind, path, qual, confidence = symbol
        if kind is Kind.MODULE:
            members = self.rules(path).find_exported(path, qual, name)
        elif kind is Kind.PACKAGE or kind is Kind.FUNCTION:
            members = self.rules(path).find_members(path, qual, name)
        else:
            members = self._find_in_class(path, qual, name, kind is Kind.SUPER)
        return [member.at_most(confidence) for member in members]

    def _find_in_class(
        self, path: str, qual: str, name: str, skip_itself: bool
    ) -> Symbols:
        """Return a member of a class or of its bases, or (`super`) of its bases."""

        def compute() -> Symbols:
            row = self.files.row(path, qual)
            if row is None:
                return []
            if not skip_itself:
                members = self.rules(path).find_members(path, qual, name)
                if members:
                    return members
                if name in row.attrs:
                    field = str(row.attrs[name])
                    return self._resolve_variable(path, parent_of(qual), field)
            for text in row.bases:
                base = self.find_base(path, qual, text)
                if base is None:
                    continue
                members = self._find_in_class(base.path, base.qual, name, False)
                if members:
                    return members
            return []

        key = ("member", path, qual, name, "above" if skip_itself else "")
        return self._look(key, compute)

    def _enclosing_type(self, path: str, scope: str) -> Symbol | None:
        """Return the type whose method, or whose body, a scope is in."""
        file = self.files.get(path)
        for outer in enclosing_scopes(scope) if file else ():
            element_type = file.type_of(outer) if file else ""
            if element_type == "class":
                return Symbol(Kind.CLASS, path, outer, 1.0)
            if element_type == "method":
                return self._find_type(path, parent_of(outer))
        return None

    def _find_type(self, path: str, qual: str) -> Symbol | None:
        """Return a type by its qualified name; another file may define it."""
        symbols = (
            self.definitions(path, qual)
            or self._resolve_qualified(path, "", qual.split("."))
            or self.resolve_chain(path, "", qual)
        )
        types = [one for one in symbols if one.kind in (Kind.CLASS, Kind.FUNCTION)]
        return types[0] if len(types) == 1 else None

    def _look(self, key: tuple[str, ...], compute: Callable[[], Symbols]) -> Symbols:
        """Return a lookup's result, computed once; [] where it runs into itself."""
        if key in self._memo:
            return self._memo[key]
        if self._depth >= _MAX_DEPTH:
            return []
        self._memo[key] = []
        self._depth += 1
        try:
            self._memo[key] = compute()
        finally:
            self._depth -= 1
        return self._memo[key]


def _without_type_arguments(text: str) -> str:
    """Return a chain without `<...>`, nested ones included."""
    before = ""
    while before != text:
        before, text = text, _TYPE_ARGUMENTS.sub("", text)
    return text


def _is_local(file: LinkedFile, scope: str, name: str) -> bool:
    """Return whether a function has a variable of this name."""
    element_type = file.type_of(scope)
    is_function = element_type not in ("", "class")
    return is_function and name in file.row(scope).vars
