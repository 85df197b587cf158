"""Find the places that name siblings: exports, tables, calls, documents, entry points.

A place that names a third of them is where a new one is registered.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import guides_work, tells_of_past
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import (
    LONGEST_LINE,
    MOST_LISTED,
    Tree,
    is_usual,
    sampled,
)
from repobuild.samples.families.membership import Family, is_aside
from repobuild.samples.families.past_additions import PastAddition, counted
from repobuild.samples.families.registration import (
    NamedPlace,
    branch_of,
    is_document,
    listed_names,
    mentions,
    order_of,
)
from repobuild.samples.families.together import companions
from repobuild.samples.text.refusals import is_exception

_CHOOSE = ("__new__", "__init__")  # may choose a sibling, by their arguments
_FEWEST_IN_FUNCTION = 3
_THIRD = 1 / 3
_MOST_FILES = 60  # that are searched for registrations
_MOST_DOCUMENTS = 24  # that name most siblings
_ENTRY_FILE = re.compile(r"(^|/)__init__\.py$")
_IMPORTED_FROM = re.compile(r"from\s+(?:\.|[\w.]+\.)(\w+)\s+import\b")
# How documents begin that plan work, or tell what became of it.
_OF_WORK = re.compile(
    r"\W*(?:ticket|proposal|rfc|roadmap|to-?do|design doc|implementation plan)\b",
    re.IGNORECASE,
)
_PACKAGE_FILES = ("__init__.py", "index.ts", "index.js", "mod.rs", "__main__.py")
_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")
_ENTERED = re.compile(r"[\"'][\w.+-]+[\"']\s*:\s*(?:\w+\.)*\w+,?$")
# A name, and what the value begins with: `LINE_END = LineEnd().named("line")`.
_BOUND = re.compile(
    r"(?:\w+\s+)*(\w+)(?:\s*:[^=]+)?\s*:?=\s*(?:new\s+)?&?(?:\w+\.)*(\w+)"
)
_RAISE = re.compile(r"^[ \t]*raise[ \t]+(?:\w+\.)*(\w+)", re.MULTILINE)
_MOST_RAISING = 3  # files of one sibling
_CALL_OR_CLOSE = re.compile(r"(\w*)([()])")
# Written by tools from the manifest, or about versions.
_NO_GUIDE = re.compile(
    r"(?i)\.(?:egg|dist)-info/|(^|/)version[-_ ]?history\.\w+$|(^|/)authors\b"
    r"|(^|/)what'?s[-_]?new[^/]*$"
)


# By kind, path and name of a place: its mentions of siblings, by their names.
_Found = dict[tuple[str, str, str], dict[str, NamedPlace]]


class FoundSites(NamedTuple):
    """The places that name siblings, and what they were found in."""

    sites: list[Value]
    searched: set[str]  # files
    entries: list[tuple[str, int, NamedPlace]]  # path, number of the sibling, mention
    own_lines: dict[str, set[int]]  # lines of the siblings themselves, by path
    raised: dict[str, list[Value]]  # by sibling: see `raising_files`


def describes(path: str) -> bool:
    """Return whether users read a document for what there is now."""
    if _NO_GUIDE.search(path):
        return False
    return is_document(path) and not (tells_of_past(path) or guides_work(path))


def registration_sites(
    family: Family,
    ids: list[str],
    elements: list[ElementView | None],
    past: list[PastAddition],
    tree: Tree,
) -> FoundSites:
    """Return the places that name a third of the siblings, and the searched files."""
    own_lines = _own_lines(ids, elements)
    names = set(map(_name_of_sibling, ids))
    searched = _searched(family, ids, names, tree)
    searched.update(split_id(id)[0] for one in past for id in one.added)
    searched.update(path for path, _ in counted(past))
    found: _Found = defaultdict(dict)
    every: list[tuple[str, int, NamedPlace]] = []
    unclear: set[tuple[str, str, str]] = set()
    for path, kind, one, number in _registering(family, ids, searched, own_lines, tree):
        if number is None:
            unclear.add((kind, path, one.where))
            continue
        found[kind, path, one.where].setdefault(one.name, one)
        every.append((path, number, one))
    _add_raising_files(found, ids)
    fewest = max(2, _THIRD * len(ids))
    if family.kind == "modules":
        fewest = max(3, fewest)  # the name of a module may be any word
    sites = [
        _site(place, lines, numbers_in(place[1], ids, tree), tree)
        for place, lines in found.items()
        # A document names at least so many; of a list the count would be wrong.
        if place not in unclear or is_document(place[1])
        if _is_registration(place, lines, ids, fewest, tree)
    ]
    sites = _with_passing_files(sites, {split_id(id)[0] for id in ids}, family)
    sites.sort(key=lambda site: (-len(site[3]), site[:3]))
    known = {(kind, path, where) for kind, path, where, *_ in sites}
    entries = [one for one in every if (one[2].kind, one[0], one[2].where) in known]
    raised = raising_files(ids, searched, tree)
    return FoundSites(_least(sites), searched, entries, own_lines, raised)


def _registering(
    family: Family,
    ids: list[str],
    searched: set[str],
    own_lines: dict[str, set[int]],
    tree: Tree,
) -> Iterator[tuple[str, str, NamedPlace, int | None]]:
    """Yield (path, kind, mention, number of the sibling) of what may register it.

    There is no number where a name may be that of several siblings.
    """
    names = set(map(_name_of_sibling, ids))
    for path in filter(can_register, sorted(searched)):
        source = tree.read(path)
        if source is None or len(source) > 1_000_000:
            continue
        if not may_name_two(names, source) or len(names & tree.words(path)) < 2:
            continue
        text = source.decode("utf-8", "replace").replace("\r\n", "\n")
        if is_document(path) and _OF_WORK.match(text):
            continue
        inner = tree.reader.elements(path)
        here = names - _meant_otherwise(path, names, ids, searched, tree)
        numbers = numbers_in(path, ids, tree)
        for one in mentions(path, text, here, inner, own_lines[path]):
            if kind := _kind(one, family):
                yield path, kind, one, numbers.get(one.name)


def raising_files(
    ids: list[str], searched: set[str], tree: Tree
) -> dict[str, list[Value]]:
    """Return {id: [[path, whether it imports the sibling by name], ...]} of the files
    that raise a sibling, those that raise the fewest others first.
    """
    found: dict[str, list[str]] = {}
    names = set(map(_name_of_sibling, ids))
    for path in sorted(searched):
        source = tree.read(path) or b""
        if is_aside(path) or not path.endswith(".py") or not may_raise(names, source):
            continue
        raised = set(_RAISE.findall(source.decode("utf-8", "replace")))
        raised -= _meant_otherwise(path, names, ids, searched, tree)
        meant = numbers_in(path, ids, tree)
        found[path] = [ids[meant[one]] for one in sorted(raised & meant.keys())]
    in_order = sorted(found, key=lambda path: (len(found[path]), path))
    by_id: dict[str, list[Value]] = defaultdict(list)
    for path in in_order:
        for id in found[path]:
            name = _name_of_sibling(id)
            by_id[id].append([path, _imports_names(path, [name], tree)])
    return {id: rows[:_MOST_RAISING] for id, rows in by_id.items()}


def may_raise(names: set[str], source: bytes) -> bool:
    """Return whether a source raises one of the names, as lines of Python do."""
    if b"raise" not in source:
        return False
    return not names.isdisjoint(_RAISE.findall(source.decode("utf-8", "replace")))


def _meant_otherwise(
    path: str, names: set[str], ids: list[str], searched: set[str], tree: Tree
) -> set[str]:
    """Return the names that mean something else in a file: what it imports or defines.

    What a document names may be any element of the name.
    """
    known = set(ids)
    imported = tree.reader.edges(path).outgoing.get(("", "imports"), [])
    if is_document(path):
        others = {id for one in searched for id in _top_level(one, tree)}
        others.update(
            id
            for one in searched
            for id in tree.reader.edges(one).outgoing.get(("", "imports"), [])
        )
    else:
        named = {name_of(split_id(id)[1]) for id in known.intersection(imported)}
        others = {id for id in imported if name_of(split_id(id)[1]) not in named}
        others |= _top_level(path, tree)
    return names & {name_of(split_id(id)[1]) for id in others - known}


def _top_level(path: str, tree: Tree) -> set[str]:
    """Return the functions and classes at the top level of a file of code."""
    if is_document(path) or is_aside(path):
        return set()
    elements = tree.reader.elements(path).values()
    return {one.id for one in elements if not one.parent and one.type != "section"}


def _own_lines(
    ids: list[str], elements: list[ElementView | None]
) -> dict[str, set[int]]:
    """Return the lines of the siblings themselves, by path."""
    own_lines: dict[str, set[int]] = defaultdict(set)
    for id, element in zip(ids, elements, strict=True):
        path, qual = split_id(id)
        if element is not None and qual:
            first = element.row.start_line - element.row.lead
            own_lines[path].update(range(first, element.row.end_line + 1))
    return own_lines


def _site(
    place: tuple[str, str, str],
    named: dict[str, NamedPlace],
    numbers: dict[str, int],
    tree: Tree,
) -> Value:
    """Return an item of `sites`; `named` are the names that it holds."""
    return [
        *place,
        sorted(numbers[name] for name in named),
        _short({name: one.line for name, one in named.items()}),
        _order(place, list(named), tree),
        _imports_names(place[1], list(named), tree),
        _branch(place, named, numbers, tree),
    ]


def _branch(
    place: tuple[str, str, str],
    named: dict[str, NamedPlace],
    numbers: dict[str, int],
    tree: Tree,
) -> Value:
    """Return [line, numbers] of the siblings that a place names under one `if`."""
    kind, path, _ = place
    if kind not in ("function", "table", "call") or not path.endswith(".py"):
        return []
    lines = (tree.read(path) or b"").decode("utf-8", "replace").split("\n")
    found: dict[int, list[str]] = defaultdict(list)
    for name, one in named.items():
        found[branch_of(lines, one.number)].append(name)
    under = [number for number in found if number]
    if len(under) != 1 or len(found[under[0]]) < 2:
        return []
    line = lines[under[0] - 1].strip()
    listed = sorted(numbers[name] for name in found[under[0]])
    return [line, listed] if len(line) <= LONGEST_LINE and "`" not in line else []


def _add_raising_files(found: _Found, ids: list[str]) -> None:
    """Add the files whose functions raise most siblings, where no function does."""
    raising = [place for place in found if place[0] == "raise"]
    if any(is_usual(len(found[place]), ids) for place in raising):
        return
    for kind, path, where in raising:
        found["raise_in", path, ""].update(found[kind, path, where])


def _with_passing_files(
    sites: list[Value], homes: set[str], family: Family
) -> list[Value]:
    """Return sites with an import that leads to a package's, and without the others.

    `from .core import Name` in a package needs an import in `core.py`, unless the name
    is defined there. Whoever imports most modules of a folder runs them.
    """
    sources = {
        match[1]
        for kind, path, _, _, lines, *_ in sites
        if kind == "reexport" and _ENTRY_FILE.search(path)
        for line in lines.values()
        if (match := _IMPORTED_FROM.match(line))
    }
    stems = {path.rpartition("/")[2].partition(".")[0] for path in homes}
    kept = []
    for site in sites:
        stem = site[1].rpartition("/")[2].partition(".")[0]
        is_passing = stem in sources - stems or family.kind == "modules"
        is_passing &= site[1] not in homes
        if site[0] != "import" or is_passing:
            kept.append(["reexport", *site[1:]] if site[0] == "import" else site)
    return kept


def numbers_by_name(ids: list[str]) -> dict[str, int]:
    """Return the siblings' positions by the names that only one of them has."""
    names = list(map(_name_of_sibling, ids))
    counts = Counter(names)
    return {name: n for n, name in enumerate(names) if counts[name] == 1}


def numbers_in(path: str, ids: list[str], tree: Tree) -> dict[str, int]:
    """Return the siblings' positions by their names in one file.

    Of several siblings of one name it is the one that the file defines or imports, or
    whose module it imports; there is none where that may be each of them.
    """
    numbers = numbers_by_name(ids)
    several = [n for n, id in enumerate(ids) if _name_of_sibling(id) not in numbers]
    if not several or is_document(path):
        return numbers
    known = {path, *tree.reader.edges(path).outgoing.get(("", "imports"), [])}
    defined = [n for n in several if ids[n] in known or split_id(ids[n])[0] == path]
    for near in (defined, [n for n in several if split_id(ids[n])[0] in known]):
        counts = Counter(_name_of_sibling(ids[n]) for n in near)
        for n in near:
            name = _name_of_sibling(ids[n])
            if counts[name] == 1:
                numbers.setdefault(name, n)
    return numbers


def _name_of_sibling(id: str) -> str:
    path, qual = split_id(id)
    return name_of(qual) or path.rpartition("/")[2].partition(".")[0]


def searched_names(ids: list[str]) -> set[str]:
    """Return the names for which the row of these siblings searches files."""
    return set(map(_name_of_sibling, sampled(ids)))


def may_name_two(names: set[str], source: bytes) -> bool:
    """Return whether a source contains two of the names, be it within other words.

    Takes a hundredth of the time that reading its words takes.
    """
    return sum(name.encode() in source for name in names) >= 2


def _is_raised(name: str, line: str) -> bool:
    return bool(re.search(rf"\braise\s+(?:\w+\.)*{name}\b", line))


def _is_registration(
    place: tuple[str, str, str],
    named: dict[str, NamedPlace],
    ids: list[str],
    fewest: float,
    tree: Tree,
) -> bool:
    """Return whether a place names enough siblings.

    A function has to name most of them, by edges of the graph: a name in a function's
    code may mean anything, and one that uses two of them is just a user.
    """
    kind, path, where = place
    names = sorted(named)
    if kind in ("raise", "raise_in", "document"):
        return is_usual(len(names), ids)
    if kind != "function":
        return len(names) >= fewest
    if len(names) < _FEWEST_IN_FUNCTION or not is_usual(len(names), ids):
        return False
    if any(_is_composed(one.line, names) for one in named.values()):
        return False
    if all(_ENTERED.match(named[name].line) for name in names):
        return True  # a table within the function
    edges = tree.reader.edges(path).outgoing
    targets = {
        target.removesuffix(".__init__")
        for one in tree.reader.elements(path).values()
        if one.plain_qual == where
        for edge in ("calls", "uses")
        for target in edges.get((one.qual, edge), ())
    }
    targets |= {split_id(target)[0] for target in targets}  # of a module, what it calls
    numbers = numbers_in(path, ids, tree)
    return targets.issuperset(ids[numbers[name]] for name in names)


def _is_bound(one: NamedPlace) -> bool:
    """Return whether a line gives a sibling another name: `i18n = Translation`.

    What is made of one has to have a name like its own, as in `INT = IntType()`. Any
    other line just uses it, as `TAG = Group(word)` does.
    """
    match = _BOUND.match(one.line)
    if not match or match[2] != one.name:
        return False
    if not one.line[match.end() :].strip(" ;"):
        return True
    bound, name = (text.replace("_", "").lower() for text in match.groups())
    return bound in name or name in bound


def _is_composed(line: str, names: list[str]) -> bool:
    """Return whether a line makes one sibling of others: `Group(word + Sign())`."""
    around: list[bool] = []  # of each open bracket: whether a sibling is called by it
    for word, sign in _CALL_OR_CLOSE.findall(line):
        if sign != "(":
            del around[-1:]
            continue
        is_sibling = word in names
        if is_sibling and any(around):
            return True
        around.append(is_sibling)
    return False


def can_register(path: str) -> bool:
    """Return whether a file can be the place of a registration or of documentation."""
    if is_document(path):
        return describes(path)
    return path.rpartition("/")[2] in _MANIFESTS or not is_aside(path)


def _kind(one: NamedPlace, family: Family) -> str:
    """Return the kind of a mention, "" for one that is no registration."""
    if not _counts(one, family):
        return ""
    if one.kind == "function" and _is_raised(one.name, one.line):
        return "raise"
    is_user = one.kind == "function" and is_exception(family.where)
    return "" if is_user else one.kind


def _counts(one: NamedPlace, family: Family) -> bool:
    """Return whether a mention can be a registration of this family."""
    if one.kind in ("document", "entry", "exports", "reexport", "import", "call"):
        return True
    if family.kind == "functions" and one.kind in ("function", "instance"):
        # Functions call each other: a table is a registration, a call is not.
        return False
    if one.kind == "function" and _is_special(one.where):
        return False
    if one.kind == "instance" and not _is_bound(one):
        return False
    return not (family.kind == "modules" and one.kind == "instance")


def _is_special(qual: str) -> bool:
    """Return whether a method is one of Python's, and not one that makes an object."""
    name = qual.rpartition(".")[2]
    return name.startswith("__") and name not in _CHOOSE


def _order(place: tuple[str, str, str], names: list[str], tree: Tree) -> str:
    """Return the order of a list or of registering calls: see `sites`."""
    kind, path, where = place
    if kind in ("call", "function"):
        return names[-1]
    source = tree.read(path) if kind in ("exports", "table") else None
    listed = listed_names(source.decode("utf-8", "replace"), where) if source else []
    return order_of(listed, names)


def _imports_names(path: str, names: list[str], tree: Tree) -> bool:
    """Return whether a file imports siblings by their names, and not by a star."""
    text = (tree.read(path) or b"").decode("utf-8", "replace")
    return any(re.search(rf"\bimport\b[^=:]*\b{name}\b", text) for name in names)


def _short(lines: dict[str, str]) -> dict[str, str]:
    return {
        name: line
        for name, line in lines.items()
        if len(line) <= LONGEST_LINE and "`" not in line
    }


def _least(sites: list[Value]) -> list[Value]:
    """Return at most six places: two of a kind, but for functions in two files."""
    kept: list[Value] = []
    for site in sites:
        same = [one for one in kept if one[0] == site[0]]
        is_repeated = site[0] != "function" and any(one[1] == site[1] for one in same)
        if len(same) < 2 and not is_repeated:
            kept.append(site)
    return kept[:MOST_LISTED]


def _searched(family: Family, ids: list[str], names: set[str], tree: Tree) -> set[str]:
    """Return the files to search: users of siblings, packages, manifests, documents."""
    homes = {split_id(id)[0] for id in ids}
    watched = set(homes)
    if "::" in family.where:
        watched.add(split_id(family.where)[0])
    users = {path for target in (*ids, *homes) for path in tree.users(target)}
    watched.update(sorted(users)[:_MOST_FILES])
    for path in sorted(homes)[:_MOST_FILES]:
        while path:
            path = path.rpartition("/")[0]
            prefix = path + "/" if path else ""
            watched.update(prefix + name for name in (*_PACKAGE_FILES, *_MANIFESTS))
    watched.update(*(companions(path, tree.past) for path in homes))
    counts = Counter(one for name in names for one in tree.find(f"says:{name}"))
    documents = sorted(counts, key=lambda path: (-counts[path], path))
    watched.update(documents[:_MOST_DOCUMENTS])
    return watched
