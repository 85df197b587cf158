"""What a name means in a file that is linked by rules other than Python's.

Scopes, receivers, members and declared types work alike in all of these languages and
are followed here; what stands outside a file, and what a bare name may mean, is told by
the language's `LinkRules` (reach.py). Entities and how sure they are: entity.py, and

    m    a module: a file, or within it (qualified name) a Rust module, a namespace
    p    a Go package, its place for a path
    0.4  one of several definitions of a name (overloads, build variants); no sample
         tells an edge below 0.5
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from repobuild.code.facts.element_row import bound, parent_of
from repobuild.code.resolve.linked.link_rules import LinkRules, link_rules_of
from repobuild.code.resolve.linked.linked_files import LinkedFile, LinkedFiles
from repobuild.code.resolve.symbol import Entity, at_most, identity

_ARGUMENTS = re.compile(r"<[^<>]*>")
_PARTS = re.compile(r"\?\.|!\.|->|::|\.")
_PART = re.compile(r"[\w$~#]+!?(\(\))?")
_TYPE = re.compile(r"[\w$.]+")
_TYPE_NOISE = re.compile(
    r"'\w+|\b(?:mut|const|final|dyn|impl|struct|union|class|enum|readonly|volatile)\b"
    r"|\|\s*(?:null|undefined)\b|[&*]|@\w+"
)
_DEPTH = 40  # lookups within lookups
_MOST = 4  # definitions of one name that are told; of more, none
_SEVERAL = 0.4


class LinkedResolver:
    """Finds what names mean in any linked file, on behalf of one file.

    What was looked up is kept for that file alone: a lookup that runs into itself finds
    nothing there, so what is kept depends on the order in which it was asked.
    """

    def __init__(self, files: LinkedFiles) -> None:
        self.files = files
        self._depth = 0
        self._known: dict[tuple[str, ...], list[Entity]] = {}

    def _look(
        self, key: tuple[str, ...], compute: Callable[[], list[Entity]]
    ) -> list[Entity]:
        """Return a lookup's result; each is computed once."""
        if key in self._known:
            return self._known[key]
        if self._depth >= _DEPTH:
            return []
        self._known[key] = []
        self._depth += 1
        try:
            self._known[key] = compute()
        finally:
            self._depth -= 1
        return self._known[key]

    def callees(self, path: str, scope: str, name: str) -> Iterator[tuple[str, float]]:
        """Yield (id, confidence) of what a call as written runs."""
        for found in self.chain(path, scope, name):
            if found[0] == "f":
                yield identity(found), found[3]
            elif found[0] == "c" and self.reach(found[1]).makes:
                yield identity(found), found[3]
                yield from self._constructors(found)

    def _constructors(self, made: Entity) -> Iterator[tuple[str, float]]:
        name = self.reach(made[1]).constructor(made[2])
        for found in self.members(made, name) if name else ():
            if found[0] == "f":
                yield identity(found), found[3]

    def base(self, path: str, qual: str, text: str) -> Entity | None:
        """Return the class that a base's source text names."""
        found = self.type(path, parent_of(qual), text.rpartition(" ")[2])
        return found if found and (found[1], found[2]) != (path, qual) else None

    def type(self, path: str, scope: str, text: str) -> Entity | None:
        """Return the class that a type's source text names."""
        if text.startswith("("):  # what Go gives first
            text = text[1:].partition(",")[0]
        plain = _TYPE_NOISE.sub(" ", _bare(text)).replace("::", ".").strip(" ()")
        if plain == "Self":
            return self._holder(path, scope + "." if scope else "")
        if not _TYPE.fullmatch(plain):
            return None
        found = [one for one in self.chain(path, scope, plain) if one[0] == "c"]
        return found[0] if len(found) == 1 else None

    # -- chains

    def chain(self, path: str, scope: str, text: str) -> list[Entity]:
        """Return what `a.b().c` means in a scope; nothing when it cannot be told."""
        key = ("chain", path, scope, text)
        return self._look(key, lambda: self._chain(path, scope, text))

    def _chain(self, path: str, scope: str, text: str) -> list[Entity]:
        parts = _PARTS.split(_bare(text).removesuffix("::"))
        if parts[0] == "" and len(parts) > 1:
            parts, scope = parts[1:], ""  # `::f`
        if not all(_PART.fullmatch(part) for part in parts):
            return []
        found = self._called(parts[0], self.root(path, scope, _name(parts[0])))
        if not found:
            return self._whole(path, scope, parts)
        for place, part in enumerate(parts[1:], 1):
            if len(found) != 1:
                return []
            inner = self._called(part, self.members(found[0], _name(part)))
            if not inner and place == 1:
                return self._whole(path, scope, parts)
            found = inner
        return found

    def _called(self, part: str, found: list[Entity]) -> list[Entity]:
        """Return what a part stands for: `f()` for what f gives."""
        if not part.endswith("()"):
            return found
        results = (self.result(one) for one in found)
        return [result for result in results if result is not None]

    def _whole(self, path: str, scope: str, parts: list[str]) -> list[Entity]:
        """Return a definition that is named by the chain as it stands: `app.f`."""
        file = self.files.get(path)
        if file is None or len(parts) == 1 or _is_local(file, scope, parts[0]):
            return []
        name = ".".join(parts)
        if parts[0] in self.reach(path).receivers:
            return self._beside(file, scope, ".".join(parts[1:]))
        for outer in self._outward(scope):
            found = self.definitions(path, f"{outer}.{name}" if outer else name)
            if found:
                return found
        return self.reach(path).outside(path, scope, name)

    def _beside(self, file: LinkedFile, scope: str, name: str) -> list[Entity]:
        """Return `this.name` where no definition says what `this` is: `app.f`."""
        for outer in self._outward(scope):
            if outer and file.items.get(outer, ("", ""))[1] == "method":
                found = self.definitions(file.path, f"{parent_of(outer)}.{name}")
                return [at_most(one, 0.9) for one in found]
        return []

    def result(self, entity: Entity) -> Entity | None:
        """Return what calling an entity gives."""
        kind, path, qual, sure = entity
        if kind == "c":
            return ("i", path, qual, min(sure, 0.8))
        row = self.files.row(path, qual) if kind == "f" else None
        if row is None or not row.returns:
            return None
        found = self.type(path, parent_of(qual), row.returns)
        return ("i", found[1], found[2], min(sure, found[3], 0.7)) if found else None

    # -- names

    def root(self, path: str, scope: str, name: str) -> list[Entity]:
        """Return what a bare name means in a scope (a qualified name, "" the file)."""
        key = ("root", path, scope, name)
        return self._look(key, lambda: self._root(path, scope, name))

    def _root(self, path: str, scope: str, name: str) -> list[Entity]:
        reach, file = self.reach(path), self.files.get(path)
        if file is None:
            return []
        if name in reach.receivers or name in reach.above:
            kind = "s" if name in reach.above else "i"
            holder = self._holder(path, scope)
            return [(kind, *holder[1:3], 0.9)] if holder else []
        for outer in self._outward(scope):
            if outer == "":
                break
            if _is_local(file, outer, name):
                return self._local(path, outer, str(file.row(outer).vars[name]))
            found = self._within(path, outer, name)
            if found:
                return found
        return self.in_file(path, name) or reach.outside(path, scope, name)

    def _outward(self, scope: str) -> Iterator[str]:
        """Yield a scope and all around it, the file's own "" last."""
        while scope:
            yield scope
            scope = parent_of(scope)
        yield ""

    def _within(self, path: str, outer: str, name: str) -> list[Entity]:
        """Return what a name is in a function, a class or a namespace around it."""
        file = self.files.get(path)
        item = file.items.get(outer) if file else None
        if item is None or item[1] != "class":
            inner = self.definitions(path, f"{outer}.{name}")
            found = [one for one in inner if not self._is_method(one)]
            if found or item is not None:
                return found
        if not self.reach(path).bare_members:
            return []
        holder = self._type_of(path, outer)
        return (
            [at_most(one, 0.9) for one in self.members(holder, name)] if holder else []
        )

    def _is_method(self, entity: Entity) -> bool:
        row = self.files.row(entity[1], entity[2])
        return row is not None and row.type == "method"

    def _local(self, path: str, scope: str, binding: str) -> list[Entity]:
        """Return what a variable holds."""
        kind, rest = binding[:1], binding[1:]
        if kind == ":":
            found = self.type(path, scope, rest)
            return [("i", found[1], found[2], min(found[3], 0.75))] if found else []
        if kind == "(":
            results = [self.result(one) for one in self.chain(path, scope, rest)]
            return [found for found in results if found] if len(results) == 1 else []
        return []

    def in_file(self, path: str, name: str) -> list[Entity]:
        """Return what a name is at the top of a file: defined, imported, made of."""
        found = self.definitions(path, name)
        if found:
            return found
        for binding in bound(self.files.names(path), name):
            return self.binding(path, binding)
        return []

    def binding(self, path: str, binding: str) -> list[Entity]:
        """Return what a binding of a file's top level means."""
        key = ("binding", path, binding)
        return self._look(key, lambda: self._binding(path, binding))

    def _binding(self, path: str, binding: str) -> list[Entity]:
        kind, rest = binding[:1], binding[1:]
        if kind == "@":
            return self.reach(path).imported(path, *rest.split(":", 1))
        if kind == "!":
            return self.reach(path).module(path, rest)
        if kind == "=":
            return self.chain(path, "", rest)
        return self._local(path, "", binding)

    def definitions(self, path: str, qual: str) -> list[Entity]:
        """Return the definitions of a name in a file."""
        return self.several([(path, qual)])

    def several(self, named: list[tuple[str, str]]) -> list[Entity]:
        """Return definitions of one name; when there are several, none is sure."""
        found = [(path, one) for path, q in named for one in self.files.same(path, q)]
        sure = 1.0 if len(found) == 1 else _SEVERAL
        if len(found) > _MOST:
            return []
        return [(self._kind(path, qual), path, qual, sure) for path, qual in found]

    def _kind(self, path: str, qual: str) -> str:
        row = self.files.row(path, qual)
        return "c" if row is not None and row.type == "class" else "f"

    # -- members

    def members(self, entity: Entity, name: str) -> list[Entity]:
        """Return an attribute of an entity."""
        kind, path, qual, sure = entity
        if kind == "p":
            found = self._reach_in("go").members(path, "", name)
        elif kind == "m":
            found = self.reach(path).exported(path, qual, name)
        elif kind == "f":
            found = self.reach(path).members(path, qual, name)
        else:
            found = self._in_class(path, qual, name, kind == "s")
        return [at_most(one, sure) for one in found]

    def _in_class(self, path: str, qual: str, name: str, above: bool) -> list[Entity]:
        key = ("member", path, qual, name, "above" if above else "")
        return self._look(key, lambda: self._of_class(path, qual, name, above))

    def _of_class(self, path: str, qual: str, name: str, above: bool) -> list[Entity]:
        row = self.files.row(path, qual)
        if row is None:
            return []
        if not above:
            found = self.reach(path).members(path, qual, name)
            if found or name in row.attrs:
                return found or self._local(path, parent_of(qual), str(row.attrs[name]))
        for text in row.bases:
            base = self.base(path, qual, text)
            found = self._in_class(*base[1:3], name, False) if base else []
            if found:
                return found
        return []

    def _holder(self, path: str, scope: str) -> Entity | None:
        """Return the type whose method, or whose body, a scope is in."""
        file = self.files.get(path)
        for outer in self._outward(scope) if file else ():
            item = file.items.get(outer) if file else None
            if item is not None and item[1] == "class":
                return ("c", path, outer, 1.0)
            if item is not None and item[1] == "method":
                return self._type_of(path, parent_of(outer))
        return None

    def _type_of(self, path: str, qual: str) -> Entity | None:
        """Return a type by its qualified name, that may be defined elsewhere."""
        found = self.definitions(path, qual)
        if not found:
            found = self._whole(path, "", qual.split(".")) or self.chain(path, "", qual)
        known = [one for one in found if one[0] in ("c", "f")]
        return known[0] if len(known) == 1 else None

    def reach(self, path: str) -> LinkRules:
        file = self.files.get(path)
        return self._reach_in(file.links if file else "go")

    def _reach_in(self, links: str) -> LinkRules:
        return link_rules_of(links)(self)


def _bare(text: str) -> str:
    """Return a chain without type arguments."""
    before = ""
    while before != text:
        before, text = text, _ARGUMENTS.sub("", text)
    return text


def _name(part: str) -> str:
    return part.removesuffix("()")


def _is_local(file: LinkedFile, scope: str, name: str) -> bool:
    item = file.items.get(scope)
    return item is not None and item[1] != "class" and name in file.row(scope).vars
