"""Claims about other elements: who calls, inherits, overrides, tests, imports.

exists      every element that a list names is defined in the file that it names
calls       the caller's own code calls something of the callee's name, or names it
            where it is not called by that name: an alias, an argument, a decorator
inherits    the class names a base of that name, itself or by an alias
overrides   both methods have the name, and the one class is an ancestor of the
            other by the names of the bases
imports     an import statement can mean that file, or a name that it defines
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from repobuild.truth.claims.list_claims import shown
from repobuild.truth.claims.prose_match import begins
from repobuild.truth.subject import DeferredClaim
from repobuild.truth.tree.file_evidence import (
    CALLED,
    DefinitionEvidence,
    FileEvidence,
    ImportEvidence,
    imported,
)
from repobuild.truth.tree.tree_index import TreeIndex, dotted

FarCheck = Callable[[TreeIndex, DeferredClaim], str]
_TEST = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
_LEVELS = 12
_TOLD = 6  # names in a message
_OWN_CLASS = ("cls", "__class__", "type")  # `type(self)()` makes one of its own
_STEPS = 4  # from a name to what it was bound to
_REEXPORTS = 3  # files between an import and what it means


def callers(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(id, far.id) for id in far.ids], _calls)


def callees(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(far.id, id) for id in far.ids], _calls)


def tests(index: TreeIndex, far: DeferredClaim) -> str:
    """Tests call the element or, of a class, what stands in it."""
    odd = [id for id in far.ids if not _TEST.search(id.partition("::")[0])]
    return f"{odd[0]} is no test" if odd else _tests(index, far)


def _tests(index: TreeIndex, far: DeferredClaim) -> str:
    wrong = ""
    for id in far.ids:
        targets = [far.id, *index.members(far.id)]
        found = [_edges(index, far, [(id, target)], _calls) for target in targets]
        wrong = wrong or ("" if "" in found else found[0])
    return wrong


def bases(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(far.id, id) for id in far.ids], _inherits)


def subclasses(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(id, far.id) for id in far.ids], _inherits)


def overrides(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(far.id, id) for id in far.ids], _overrides)


def overridden(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(id, far.id) for id in far.ids], _overrides)


def imports(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(far.id, id) for id in far.ids], _imports)


def importers(index: TreeIndex, far: DeferredClaim) -> str:
    return _edges(index, far, [(id, far.id) for id in far.ids], _imports)


def purpose(index: TreeIndex, far: DeferredClaim) -> str:
    """What another element is for: how its docstring begins."""
    mark = index.mark(far.ids[0])
    if mark is None:
        return f"there is no {far.ids[0]}"
    return "" if begins(far.said, mark.doc) else f"it says: {mark.doc[:80]!r}"


def unambiguous(index: TreeIndex, far: DeferredClaim) -> str:
    """Whether a short name is one element's alone."""
    found = index.named(far.said)
    mine = far.id.partition("::")
    others = found - {(mine[0], shown(mine[2]))}
    if others:
        return f"it is {'::'.join(sorted(others)[0])}, too"
    return ""


def path(index: TreeIndex, far: DeferredClaim) -> str:
    return "" if far.said in index.paths else "there is no such file"


def own_imports(index: TreeIndex, far: DeferredClaim) -> str:
    """Whether every statement imports something from a file of the project."""
    origin = far.id.partition("::")[0]
    for line in far.said.split("\n"):
        known = [index.modules(list(_modules(origin, one))) for one in imported(line)]
        if not any(known):
            return f"{line} imports nothing of the project"
    return ""


Edge = Callable[[TreeIndex, str, str], str]


def _edges(
    index: TreeIndex, far: DeferredClaim, pairs: list[tuple[str, str]], edge: Edge
) -> str:
    for source, target in pairs:
        for id in (source, target):
            if index.mark(id) is None and not index.unread(id):
                return f"there is no {id}"
        if wrong := edge(index, source, target):
            return wrong
    if far.more and not _are_more(index, far):
        return "there are no others"
    return ""


def _are_more(index: TreeIndex, far: DeferredClaim) -> bool:
    """Whether others can be, where a list says so: more files than it names hold it."""
    name = far.id.rpartition("::")[2].rpartition(".")[2]
    if far.claim in ("callers", "tests", "subclasses"):
        return index.mentions(shown(name) or name) > 0
    return True


def _calls(index: TreeIndex, source: str, target: str) -> str:
    face, mark = index.face(source), index.mark(source)
    if face is None or mark is None or face.problem:
        return ""
    wanted = set(_wanted(index, source, target))
    for mark in _marks(face, source):
        if any(f" {name} " in mark.calls + mark.names for name in wanted):
            return ""
        if any(_is_alias(index, face, name, wanted) for name in mark.calls.split()):
            return ""
    return f"{source} names no {' or '.join(sorted(wanted)[:_TOLD])}"


def _marks(face: FileEvidence, source: str) -> Iterator[DefinitionEvidence]:
    """What an element names; of a test also what is nested in it, which it runs."""
    qual = source.partition("::")[2]
    yield face.marks[qual]
    if qual.rpartition(".")[2].startswith("test"):
        inner = f"{qual}."
        yield from (mark for name, mark in face.marks.items() if name.startswith(inner))


def _wanted(index: TreeIndex, source: str, target: str) -> Iterator[str]:
    """The names under which an element can be called from another."""
    holder, _, name = shown(target.partition("::")[2]).rpartition(".")
    names = [name]
    if name in ("__init__", "__new__", "__call__"):
        names.append(holder.rpartition(".")[2])
    for one in names:
        yield one
        yield from index.renamed(one)
    made = names[-1]
    if name in ("__init__", "__new__", "__call__"):
        yield from index.below(made)
    if name == "__call__":
        yield CALLED  # what a call gave is called
    holders = shown(source.partition("::")[2]).split(".")[:-1]
    if {made, *index.below(made)}.intersection(holders):
        yield from _OWN_CLASS


def _is_alias(
    index: TreeIndex, face: FileEvidence, name: str, wanted: set[str]
) -> bool:
    """Whether a name was bound to what a wanted one means or gives, in a few steps."""
    seen, level = {name}, [name]
    for _ in range(_STEPS):
        known = (to for one in level for to in _meant(index, face, one))
        level = [to for to in dict.fromkeys(known) if to not in seen]
        seen.update(level)
        if not wanted.isdisjoint(level):
            return True
    return False


def _meant(index: TreeIndex, face: FileEvidence, name: str) -> Iterator[str]:
    yield from face.aliases.get(name, "").split()
    yield from index.returned(name)


def _inherits(index: TreeIndex, source: str, target: str) -> str:
    face, mark = index.face(source), index.mark(source)
    if face is None or mark is None or face.problem:
        return ""
    wanted = shown(target.partition("::")[2]).rpartition(".")[2]
    known = {wanted, *index.renamed(wanted)}
    for base in mark.bases:
        if base in known or _is_alias(index, face, base, known):
            return ""
    return f"{source} has the bases {', '.join(mark.bases)}"


def _overrides(index: TreeIndex, source: str, target: str) -> str:
    (path, _, mine), (_, _, theirs) = source.partition("::"), target.partition("::")
    holder, _, name = shown(mine).rpartition(".")
    base, _, inherited = shown(theirs).rpartition(".")
    if name != inherited:
        return f"the method is called {name}"
    wanted = (target.partition("::")[0], theirs.rpartition(".")[0])
    level = {(path, mine.rpartition(".")[0])}
    for _ in range(_LEVELS):
        level = {above for one in level for above in index.above(*one)}
        if wanted in level:
            return ""
    return f"{holder} does not inherit from {base}"


def _imports(index: TreeIndex, source: str, target: str) -> str:
    face = index.face(source)
    if face is None or face.problem:
        return ""
    origin, path = source.partition("::")[0], target.partition("::")[0]
    if any(_means(index, origin, path, found) for found in face.imports):
        return ""
    return f"{origin} has no import that can mean {path}"


def _means(
    index: TreeIndex,
    origin: str,
    path: str,
    found: ImportEvidence,
    levels: int = _REEXPORTS,
) -> bool:
    """Whether an import can mean a file: by its name, or by what others export."""
    target, modules = dotted(path), list(_modules(origin, found))
    if any(_is_module(target, module, bool(found.level)) for module in modules):
        return True
    name = found.name or found.module.rpartition(".")[2]
    if not levels or not name:
        return False
    for other in index.modules(modules):
        for further in index.faces[other].imports:
            named = further.bound in (name, "*") or name == "*"
            if named and _means(index, other, path, further, levels - 1):
                return True
    return False


def _modules(origin: str, found: ImportEvidence) -> Iterator[str]:
    """The dotted names that an import can mean."""
    module = found.module
    if found.level:
        parts = origin.split("/")[: -found.level]
        module = ".".join([*parts, *filter(None, [module])])
    elif not found.name:
        parts = module.split(".")
        yield from (".".join(parts[:n]) for n in range(1, len(parts)))
    yield module
    if found.name:
        yield f"{module}.{found.name}".strip(".")


def _is_module(target: str, module: str, relative: bool) -> bool:
    """Whether a dotted name is a file's; an absolute one may begin in any folder."""
    return target == module or (not relative and target.endswith("." + module))


FAR: Mapping[str, FarCheck] = {
    "callers": callers,
    "callees": callees,
    "tests": tests,
    "bases": bases,
    "subclasses": subclasses,
    "overrides": overrides,
    "overridden": overridden,
    "imports": imports,
    "importers": importers,
    "purpose": purpose,
    "unambiguous": unambiguous,
    "path": path,
    "own imports": own_imports,
}
