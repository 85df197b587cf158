"""Check claims about other elements: who calls, inherits, overrides, tests, imports.

What each relation requires, beyond that all named elements are defined in their files:

    calls      the caller's own code calls something of the callee's name, or mentions
               the name where it is not called: an alias, an argument, a decorator
    reads      the reader's own code mentions the name
    inherits   the class names a base of that name, itself or through an alias
    overrides  both methods have the name, and one class is an ancestor of the other by
               the names of the bases
    imports    an import statement can mean that file, or a name that it defines

An import of a dependency that a manifest declares means no file of the tree, so nothing
is called or imported through it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from repobuild.truth.claims.prose_match import begins_comment, is_beginning, is_purpose
from repobuild.truth.subject import DeferredCheck, DeferredClaim
from repobuild.truth.tree.file_evidence import (
    CALL_OF_CALL,
    DefinitionEvidence,
    FileEvidence,
    ImportEvidence,
    imports_of,
)
from repobuild.truth.tree.python_reader import display_name, last_name, parse_python
from repobuild.truth.tree.standard_library import standard_modules
from repobuild.truth.tree.tree_index import Location, TreeIndex, dotted

TEST_PATH = re.compile(
    r"(^|/)((type|unit|functional|integration|property)?_?tests?|__tests__)/"
    r"|^testing/|(^|/)testing/(?!.*\.pyi?$)"
    r"|(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest)\.pyi?$"
    r"|_test\.go$|\.(test|spec)\.[cm]?[jt]sx?$|Tests?\.java$|_(unit)?test\.(c|cc|cpp|cxx)$"
)
_BENCHMARK = re.compile(r"(?i)(^|[/_.])bench")
_COLLECTED = re.compile(r"test|.*Test")
_CONSTRUCTORS = ("__init__", "__new__", "__call__")
# `type(self)()` makes one of its own class.
_OWN_CLASS = ("cls", "_cls", "__class__", "type")
_NAMING = ("callers", "readers", "subclasses")  # they have the element's name
_LISTED = 6  # names in a message
_INHERITANCE_LEVELS = 12
_ALIAS_STEPS = 4  # from a name to what it was bound to
_REEXPORTS = 3  # files between an import and what it means


def callers(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(id, claim.id) for id in claim.ids], _calls)


def open_callers(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that each file calls a method of the element's name on some object."""
    name = display_name(claim.id.partition("::")[2]).rpartition(".")[2]
    word = re.escape(name)  # `a.b?.(c)` calls it, too, and so does `@a.b`
    call = re.compile(rf"\.{word}\s*(?:\?\.\s*)?\(|^[ \t]*@[\w.]+\.{word}\s*$", re.M)
    for path in claim.ids:
        if path not in index.paths or not call.search(index.read_text(path) or ""):
            return f"{path} calls no {name} of an object"
    return ""


def readers(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(id, claim.id) for id in claim.ids], _reads)


def callees(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(claim.id, id) for id in claim.ids], _calls)


def tests(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that tests call the element, or a member of it when it is a class."""
    for id in claim.ids:
        path, _, qual = id.partition("::")
        if not TEST_PATH.search(path):
            return f"{id} is no test"
        if _BENCHMARK.search(path) or _BENCHMARK.search(qual):
            return f"{id} is a benchmark"
        last = display_name(qual).rpartition(".")[2]
        if qual and path.endswith(".py") and not _COLLECTED.match(last):
            return f"{id} is no test that a runner collects"
    targets = [claim.id, *index.members(claim.id)]
    for id in claim.ids:
        wrong = [_check_edges(index, claim, [(id, t)], _calls) for t in targets]
        if "" not in wrong:
            return wrong[0]
    return ""


def bases(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(claim.id, id) for id in claim.ids], _inherits)


def subclasses(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(id, claim.id) for id in claim.ids], _inherits)


def overrides(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(claim.id, id) for id in claim.ids], _overrides)


def overridden(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(id, claim.id) for id in claim.ids], _overrides)


def imports(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(claim.id, id) for id in claim.ids], _imports)


def imports_for_types(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that all imports which can mean a file are under `if TYPE_CHECKING`."""
    if wrong := imports(index, claim):
        return wrong
    file = index.file(claim.id)
    for one in file.imports if file else ():
        for id in () if one.for_types else claim.ids:
            path = id.partition("::")[0]
            if _is_of_python(one, path):
                continue
            if _can_mean(index, claim.id, path, one, levels=0):
                return f"it imports {path} at run time, too"
    return ""


def bound_in_class(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that the bodies of classes import or assign a function under its name."""
    name = display_name(claim.id.partition("::")[2])
    for id in claim.ids:
        path, _, qual = id.partition("::")
        python = parse_python(path, index.read_text(path))
        one = python.definitions.get(qual) if python else None
        if one is None or not isinstance(one.node, ast.ClassDef):
            return f"there is no class {id}"
        if name not in _names_bound_in(one.node):
            return f"the body of {qual} does not bind {name}"
    return ""


def _names_bound_in(node: ast.ClassDef) -> set[str]:
    """Return the names that a class body imports, or assigns as they are."""
    found: set[str] = set()
    for inner in node.body:
        if isinstance(inner, ast.ImportFrom):
            found |= {one.asname or one.name for one in inner.names}
        elif isinstance(inner, ast.Assign):
            value = last_name(inner.value)
            found |= {value} & {last_name(one) for one in inner.targets}
    return found


def coroutines(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that something of each name is awaited: what a function returns of it."""
    for name in claim.ids:
        if not any(_is_awaited(index, one) for one in index.named(name)):
            return f"what {name} gives is not awaited"
    return ""


def _is_awaited(index: TreeIndex, one: Location) -> bool:
    python = parse_python(one.path, index.read_text(one.path))
    definitions = python.definitions.values() if python else ()
    found = (d for d in definitions if display_name(d.qual) == one.qual)
    return any(d.is_coroutine for d in found)


def importers(index: TreeIndex, claim: DeferredClaim) -> str:
    return _check_edges(index, claim, [(id, claim.id) for id in claim.ids], _imports)


def purpose(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check how another element's docstring begins."""
    definition = index.definition(claim.ids[0])
    if definition is not None:
        good = is_beginning(claim.claimed, definition.doc)
        actual = f"it says: {definition.doc[:80]!r}"
    else:
        file = index.file(claim.ids[0])
        if file is None or not index.occurs_in_text(claim.ids[0]):
            return f"there is no {claim.ids[0]}"
        good = begins_comment(claim.claimed, file.text)
        actual = "no comment of the file begins like that"
    return "" if good and is_purpose(claim.claimed) else actual


def unambiguous(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that no other element has the short name."""
    path, _, qual = claim.id.partition("::")
    others = index.named(claim.claimed) - {Location(path, display_name(qual))}
    return f"it is {'::'.join(min(others))}, too" if others else ""


def path(index: TreeIndex, claim: DeferredClaim) -> str:
    return "" if claim.claimed in index.paths else "there is no such file"


def own_imports(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that every statement imports something from a file of the project."""
    origin = claim.id.partition("::")[0]
    for line in claim.claimed.split("\n"):
        own = (one for one in imports_of(line) if not _package_of(index, origin, one))
        if not any(_is_of_project(index, origin, one) for one in own):
            return f"{line} imports nothing of the project"
    return ""


def _is_of_project(index: TreeIndex, origin: str, statement: ImportEvidence) -> bool:
    """Return whether an import can mean a file of the project.

    A name of the standard library does only where a file at the top hides it.
    """
    wanted = list(_possible_modules(origin, statement))
    if not index.dotted_paths.isdisjoint(wanted):
        return True  # also of files that are left out, as what is shipped of others
    if hook := _SHIPPED.match(statement.module):
        return hook[0] in index.dotted_paths  # it imports from where it is shipped
    found = index.modules(wanted)
    return any(not _is_of_python(statement, one) for one in found)


def _is_of_python(statement: ImportEvidence, path: str) -> bool:
    """Return whether an import means the standard library, and not a file below."""
    top = statement.module.partition(".")[0]
    if statement.level or top not in standard_modules():
        return False
    return dotted(path).removeprefix("src.").partition(".")[0] != top


_SHIPPED = re.compile(r".*\._?(?:vendor|vendored|third_party|extern|externals)\b")
Edge = Callable[[TreeIndex, str, str], str]  # (index, source id, target id)


def _check_edges(
    index: TreeIndex, claim: DeferredClaim, pairs: list[tuple[str, str]], edge: Edge
) -> str:
    for source, target in pairs:
        for id in (source, target):
            if index.definition(id) is None and not index.occurs_in_text(id):
                return f"there is no {id}"
        if wrong := edge(index, source, target):
            return wrong
    if wrong := _check_total(index, claim):
        return wrong
    if claim.has_more and claim.claim in ("callers", "tests", "subclasses"):
        # Others can only exist where some definition mentions the name.
        owner, _, name = claim.id.rpartition("::")[2].rpartition(".")
        # A special method is called without its name, by who makes or uses an object.
        name = display_name(owner if name.startswith("__") and owner else name) or name
        name = name.rpartition(".")[2]
        if not any(map(index.is_mentioned, (name, *index.other_names(name)))):
            return "there are no others"
    return ""


def _check_total(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check how many there are in all: no more than the definitions that name it."""
    name = display_name(claim.id.rpartition("::")[2]).rpartition(".")[2]
    if not claim.total or claim.claim not in _NAMING or name.startswith("__"):
        return ""  # special methods are called without their names
    users = index.users_of({name, *index.other_names(name)})
    is_possible = len(claim.ids) <= claim.total <= users
    return "" if is_possible else f"{users} definitions name it"


def may_call(index: TreeIndex, source: str, target: str) -> bool:
    """Return whether an element's own code can call another."""
    return not _calls(index, source, target)


def _calls(index: TreeIndex, source: str, target: str) -> str:
    file = index.file(source)
    if file is None or index.definition(source) is None:
        return ""
    if package := _only_imported_from(index, file, target.partition("::")[0]):
        return f"{package} is a declared dependency, no file of the project"
    names = set(_callable_names(index, source, target))
    running = list(_running_definitions(file, source))
    if any(definition.uses(name) for definition in running for name in names):
        return ""
    called = {name for definition in running for name in definition.calls.split()}
    for one in chain([file], _files_of_bases(index, source)):
        if any(_is_alias(index, one, name, names) for name in called):
            return ""
    return f"{source} names no {' or '.join(sorted(names)[:_LISTED])}"


def _files_of_bases(index: TreeIndex, source: str) -> Iterator[FileEvidence]:
    """Yield the files of a method's base classes, which assign attributes, too."""
    path, _, qual = source.partition("::")
    level = seen = {Location(path, qual.rpartition(".")[0])}
    for _ in range(_INHERITANCE_LEVELS):
        level = {above for one in level for above in index.possible_bases(*one)} - seen
        seen = seen | level
    yield from (index.files[one] for one in {found.path for found in seen} - {path})


def _reads(index: TreeIndex, source: str, target: str) -> str:
    """Check that an element's own code mentions the name of what it reads."""
    file = index.file(source)
    if file is None or index.definition(source) is None or file.problem:
        return ""
    if package := _only_imported_from(index, file, target.partition("::")[0]):
        return f"{package} is a declared dependency, no file of the project"
    name = display_name(target.partition("::")[2]).rpartition(".")[2]
    known = {name, *index.other_names(name)}
    for definition in _running_definitions(file, source):
        if any(definition.uses(one) for one in known):
            return ""
    return f"{source} names no {name}"


def _only_imported_from(index: TreeIndex, file: FileEvidence, path: str) -> str:
    """Return the dependency that all imports which can mean a file name, or ""."""
    packages = [(_package_of(index, file.path, one), one) for one in file.imports]
    if path == file.path or not any(package for package, _ in packages):
        return ""
    ours = (one for package, one in packages if not package)
    if any(_can_mean(index, file.path, path, one) for one in ours):
        return ""
    outside = ((package, one) for package, one in packages if package)
    able = (name for name, one in outside if _can_mean(index, file.path, path, one))
    return min(able, default="")


def _package_of(index: TreeIndex, origin: str, statement: ImportEvidence) -> str:
    """Return the declared dependency that a statement imports from, or ""."""
    if statement.level:
        return ""
    parts = filter(None, (statement.module, statement.name.strip("*")))
    return index.declared_packages.imported_by(origin, ".".join(parts))


def _running_definitions(
    file: FileEvidence, source: str
) -> Iterator[DefinitionEvidence]:
    """Yield an element, and of a class its constructor, of a test what is nested in it.

    A function within functions calls what the defaults of their parameters are, so
    these are yielded, too.
    """
    qual = source.partition("::")[2]
    yield file.definitions[qual]
    number = 2
    while again := file.definitions.get(f"{qual}#{number}"):
        yield again  # the first ones may be overloads
        number += 1
    if (
        file.definitions[qual].kind == "class"
        and f"{qual}.__init__" in file.definitions
    ):
        yield file.definitions[f"{qual}.__init__"]  # making an object runs it
    around = qual.rpartition(".")[0]
    while around and file.definitions[around].kind != "class":
        yield file.definitions[around]
        around = around.rpartition(".")[0]
    if qual.rpartition(".")[2].startswith("test"):
        for name, definition in file.definitions.items():
            if name.startswith(f"{qual}."):
                yield definition


def _callable_names(index: TreeIndex, source: str, target: str) -> Iterator[str]:
    """Yield the names under which one element can be called from another."""
    owner, _, name = display_name(target.partition("::")[2]).rpartition(".")
    names = [name]
    if name in _CONSTRUCTORS:
        names.append(owner.rpartition(".")[2])
    for one in names:
        yield one
        yield from index.other_names(one)
    class_name = names[-1]
    if name in _CONSTRUCTORS:
        yield from index.descendants(class_name)
    if name == "__call__":
        yield CALL_OF_CALL
    if name == "__call__" or _is_function(index, target.rpartition(".")[0]):
        # Calling an instance, or the function that another one returned.
        yield from index.instance_names(owner.rpartition(".")[2])
    around = index.definition(source)
    enclosing = display_name(source.partition("::")[2]).split(".")
    if around is None or around.kind != "class":
        enclosing.pop()
    if {class_name, *index.descendants(class_name)}.intersection(enclosing):
        yield from _OWN_CLASS
        if name == "__call__":
            yield "self"


def _is_function(index: TreeIndex, id: str) -> bool:
    definition = index.definition(id) if "::" in id else None
    return definition is not None and definition.kind in ("function", "method")


def _is_alias(
    index: TreeIndex, file: FileEvidence, name: str, wanted: set[str]
) -> bool:
    """Return whether a name was bound to a wanted one or its result in a few steps."""
    seen, level = {name}, [name]
    for _ in range(_ALIAS_STEPS):
        targets = (
            target
            for one in level
            for target in (
                *file.alias_targets.get(one, "").split(),
                *index.return_types(one),
            )
        )
        level = [target for target in dict.fromkeys(targets) if target not in seen]
        seen.update(level)
        if not wanted.isdisjoint(level):
            return True
    return False


def _inherits(index: TreeIndex, source: str, target: str) -> str:
    file, definition = index.file(source), index.definition(source)
    if file is None or definition is None:
        return ""
    name = display_name(target.partition("::")[2]).rpartition(".")[2]
    known = {name, *index.other_names(name)}
    for base in definition.bases:
        if base in known or _is_alias(index, file, base, known):
            return ""
    return f"{source} has the bases {', '.join(definition.bases)}"


def _overrides(index: TreeIndex, source: str, target: str) -> str:
    source_path, _, source_qual = source.partition("::")
    target_path, _, target_qual = target.partition("::")
    owner, _, name = display_name(source_qual).rpartition(".")
    base, _, inherited = display_name(target_qual).rpartition(".")
    if name != inherited:
        return f"the method is called {name}"
    if index.definition(source) is None:
        return ""
    wanted = Location(target_path, target_qual.rpartition(".")[0])
    level = {Location(source_path, source_qual.rpartition(".")[0])}
    for _ in range(_INHERITANCE_LEVELS):
        level = {above for one in level for above in index.possible_bases(*one)}
        if wanted in level:
            return ""
    return f"{owner} does not inherit from {base}"


def _imports(index: TreeIndex, source: str, target: str) -> str:
    file = index.file(source)
    if file is None or file.is_text:
        return ""
    origin, path = source.partition("::")[0], target.partition("::")[0]
    for one in file.imports:
        if not _package_of(index, origin, one):
            if _can_mean(index, origin, path, one):
                return ""
    return f"{origin} has no import that can mean {path}"


def _can_mean(
    index: TreeIndex,
    origin: str,
    path: str,
    statement: ImportEvidence,
    levels: int = _REEXPORTS,
) -> bool:
    """Return whether an import can mean a file: by its name, or through re-exports."""
    target, modules = dotted(path), list(_possible_modules(origin, statement))
    for module in modules:
        # An absolute name may begin in any folder.
        is_inside = not statement.level and target.endswith("." + module)
        if target == module or is_inside:
            return True
    name = statement.name or statement.module.rpartition(".")[2]
    if not levels or not name:
        return False
    for other in index.modules(modules):
        aliased = index.files[other].alias_targets.get(name, "").split()
        for further in index.files[other].imports:
            is_named = further.bound in (name, "*", *aliased) or name == "*"
            if is_named and _can_mean(index, other, path, further, levels - 1):
                return True
    return False


def _possible_modules(origin: str, statement: ImportEvidence) -> Iterator[str]:
    """Yield the dotted names that an import can mean."""
    module = statement.module
    if statement.level:
        parts = origin.split("/")[: -statement.level]
        module = ".".join([*parts, *filter(None, [module])])
    elif not statement.name:
        parts = module.split(".")
        yield from (".".join(parts[:n]) for n in range(1, len(parts)))
    yield module
    if statement.name:
        yield f"{module}.{statement.name}".strip(".")


RELATION_CLAIMS: Mapping[str, DeferredCheck] = {
    "callers": callers,
    "open callers": open_callers,
    "readers": readers,
    "callees": callees,
    "tests": tests,
    "bases": bases,
    "subclasses": subclasses,
    "overrides": overrides,
    "overridden": overridden,
    "imports": imports,
    "imports for types": imports_for_types,
    "bound in class": bound_in_class,
    "coroutines": coroutines,
    "importers": importers,
    "purpose": purpose,
    "unambiguous": unambiguous,
    "path": path,
    "own imports": own_imports,
}
