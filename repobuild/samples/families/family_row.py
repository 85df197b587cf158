"""Make the row of one family: what a plan for a new sibling can say.

kind, id        "family"; the element that the family is about: a base class or the
                sibling that is the best example
family          [kind, where, owner, pattern] of `membership.Family`
siblings        [[id, summary, name of the code's element, code, ended, methods, bases,
                fits], ...], by id; methods that run and bases as written, of a class
                in Python; one that fits is where a new one goes
count           of all siblings; `siblings` has at most `_MOST`, chosen by a hash
homes           [[path, siblings in it], ...], most first
folder, new_file   where a new one goes, and whether in a file of its own
required        [[method, siblings that define it, whether it is abstract], ...]
some            [[method of the base, siblings that define it], ...]: fewer than most do
arguments       names that functions of one pattern take first
attributes      [[class attribute, siblings that assign it], ...]
sites           [[kind, path, name, [number of a sibling, ...], {name: line}, order,
                whether the file imports siblings by name]];
                order of a list: `SORTED` by the alphabet, else the name of its last
                sibling, "" where it shows none
tests           [[path or pattern, [number of a sibling, ...]], ...]
past            [[subject, [ids], [paths]], ...] of commits that added siblings
past_count, past_ids   all commits that added siblings
together        [[path or pattern, commits], ...] that came along in `past`
partners        [[path, commits, of how many], ...] that changed with the first home
home_ids        these commits
changelog       path of the change log, where new code is usually entered in one

A family is left out, by an empty row, when its siblings do not show how another is
made: when they have no home in common, when most of them share no method or attribute
though they have some, when they are nested, protocols, or neither named together
anywhere nor tested, or functions that are alike in name only.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import (
    guides_work,
    is_benchmark,
    tells_of_past,
)
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.graph_reader import GraphReader, enclosing_test
from repobuild.samples.families.membership import (
    Family,
    is_aside,
    shape_names,
    shape_of,
)
from repobuild.samples.families.past_additions import (
    NAME,
    PastAddition,
    PastAdditions,
    counted,
    forms_of,
    pattern_of,
)
from repobuild.samples.families.registration import (
    NamedPlace,
    is_document,
    listed_names,
    mentions,
)
from repobuild.samples.families.together import companions, together_row
from repobuild.samples.text.docstring_parts import first_sentence, summarise
from repobuild.samples.text.refusals import is_exception

Row = dict[str, Value]
LIKE = "like::"  # begins the key of a row about one sibling
SORTED = "*"
# Fields of a family's row that the row of one of its siblings has, too.
_OF_FAMILY = tuple(
    "project family language count homes folder new_file required some arguments"
    " attributes tests past together past_count past_ids partners home_ids"
    " changelog".split()
)
_FEWEST_ORDERED = 3  # items of a list that shows an order
_MOST = 40  # siblings that are looked at
MOST_USERS = 40  # of a sibling or of its file, of each kind of edge
_HALF = 0.5
_THIRD = 1 / 3
_USUAL = 0.6  # share of the commits to a file that change another one, too
_MOST_FILES = 60  # that are searched for registrations
_MOST_PAST = 5
_MOST_LISTED = 6
_MOST_METHODS = 8  # of a list; a family with more required methods is left out
_MOST_OWN = 6  # methods of a model
_LONGEST_CODE = 420  # characters
_LONGEST_LINE = 90
_ATTRIBUTE = re.compile(rb"^(?:    |\t)([a-z_]\w*)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_INNER = re.compile(r"\n\s+(?:async def|def|class|@)")
_DOCSTRING = re.compile(r'\n\s+[rR]?("""|\'\'\').*?\1[ \t]*\n', re.DOTALL)
_LONG_STRING = re.compile(rb'("""|\'\'\').*?\1', re.DOTALL)
_REGISTRATIONS = ("exports", "reexport", "table", "call", "entry")
_ENTRY_FILE = re.compile(r"(^|/)__init__\.py$")
_IMPORTED_FROM = re.compile(r"from\s+(?:\.|[\w.]+\.)(\w+)\s+import\b")
_TEST_AFFIX = re.compile(r"^tests?|tests?$")
_GENERIC = re.compile(r"(?:typing\.|t\.)?(?:Generic|Protocol)\b")
_UNDONE = re.compile(rb"raise NotImplementedError")
_PACKAGE_FILES = ("__init__.py", "index.ts", "index.js", "mod.rs", "__main__.py")
_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")


def describes(path: str) -> bool:
    """Return whether users read a document for what there is now."""
    return is_document(path) and not (tells_of_past(path) or guides_work(path))


class Tree(NamedTuple):
    """What a row is made from."""

    reader: GraphReader
    past: PastAdditions
    read: Callable[[str], bytes | None]  # source of a path; None where there is none
    words: Callable[[str], frozenset[str]]  # in the source of a path
    users: Callable[[str], frozenset[str]]  # files not aside that import or call an id
    exists: Callable[[str], bool]
    find: Callable[[str], list[str]]  # paths by a term of the index (families.py)
    project: str
    changelog: str  # path of the change log when new code is usually entered in it


class FamilyRow(NamedTuple):
    """A row, and the paths whose change can change it."""

    row: Row
    watched: set[str]


def family_row(key: str, ids: list[str], tree: Tree) -> FamilyRow:
    """Return the row of a family of at least two siblings."""
    family = Family.of(key)
    past = tree.past.of(ids)  # of all siblings: additions to a large family are few
    ids = _sample(ids)
    elements = [_element(id, tree) for id in ids]
    sites, searched = _sites(family, ids, elements, past, tree)
    homes = Counter(split_id(id)[0] for id in ids)
    alone = {id for id in ids if _is_alone(id, tree)}
    methods = _required(family, elements, tree)
    required = [one for one in methods if one[2] or _is_usual(one[1], ids)]
    home = _most_first(homes)[0]
    is_new_file = _is_new_file(family, alone, ids, past)
    in_home = {id for id in ids if split_id(id)[0] == home[0]}
    row: Row = {
        "kind": "family",
        "id": _about(family, ids, elements),
        "project": tree.project,
        "family": list(family),
        "language": tree.reader.facts(split_id(ids[0])[0]).get("language", ""),
        "siblings": [
            [
                *_sibling(family, id, one, required, tree),
                id in (alone if is_new_file else in_home) and _is_small(one, tree),
            ]
            for id, one in zip(ids, elements, strict=True)
        ],
        "homes": _most_first(homes)[:_MOST_LISTED],
        "folder": _most_first(_folders(homes))[0][0],
        "new_file": is_new_file,
        "required": required,
        "some": _some(family, methods, ids, tree),
        "arguments": _arguments(family, elements),
        "attributes": _attributes(elements, tree),
        "sites": sites,
        "tests": _tests(family, ids, alone, tree),
        **_history(past, tree),
        **({} if is_new_file else _partners(home[0], tree)),
        "changelog": tree.changelog,
    }
    # Siblings agree on where a new one goes, and show how it is made.
    is_at_home = is_new_file or home[1] > _HALF * len(ids)
    if not is_at_home or not _is_alike(family, row, elements, tree):
        return FamilyRow({}, searched)
    return FamilyRow({k: v for k, v in row.items() if v}, searched)


def _history(past: list[PastAddition], tree: Tree) -> Row:
    """Return what the commits that added siblings show."""
    return {
        "past": [[p.subject, list(p.added), list(p.paths)] for p in past[:_MOST_PAST]],
        "together": _together(past, tree),
        "past_count": len(past),
        "past_ids": [one.commit for one in past],
    }


def _folders(homes: Counter[str]) -> Counter[str]:
    return Counter(path.rpartition("/")[0] for path in homes.elements())


def _sibling(
    family: Family,
    id: str,
    element: ElementView | None,
    required: list[Value],
    tree: Tree,
) -> list[Value]:
    """Return an item of `siblings` without its last field."""
    return [
        id,
        _summary(id, element, tree),
        *_code(id, element, required, tree),
        _own_methods(family, element, tree),
        _own_bases(family, element),
    ]


def _is_usual(count: int, ids: Sequence[object]) -> bool:
    return count >= 2 and count > _HALF * len(ids)


def _is_raising(site: Value) -> bool:
    return site[0] in ("raise", "raise_in")


def _is_of_exceptions(family: Family, tree: Tree) -> bool:
    """Return whether a base class, or one above it, is named like an exception.

    Only the base's own file is read: the row is made again when that changes.
    """
    home, _ = split_id(family.where)
    ids = [family.where]
    if "::" in family.where:
        above = tree.reader.ancestors(family.where)
        ids += [id for id in above if split_id(id)[0] == home]
    return any(
        is_exception(name)
        for path, qual in map(split_id, ids)
        for name in (qual or path, *_bases_of(tree.reader.elements(path).get(qual)))
    )


def _bases_of(element: ElementView | None) -> list[str]:
    return element.row.bases if element else []


def _is_alike(
    family: Family, row: Row, elements: list[ElementView | None], tree: Tree
) -> bool:
    """Return whether the siblings show how another one is made."""
    if family.kind == "functions":
        return any(kind in _REGISTRATIONS for kind, *_ in row["sites"])
    if family.kind != "subclass":
        return True
    classes = [one for one in elements if one is not None]
    if any(one.parent for one in classes) or len(row["required"]) > _MOST_METHODS:
        return False
    if any("Protocol" in base for one in classes for base in one.row.bases):
        return False
    if not (row["sites"] or row["tests"] or row["past"]):
        return False
    is_raised = any(map(_is_raising, row["sites"]))
    if not is_raised and _is_of_exceptions(family, tree):
        return False  # nothing would raise another one
    if any(_is_usual(count, classes) for _, count, _ in row["required"]):
        return True
    has_methods = any(methods for *_, methods, _, _ in row["siblings"])
    return bool(row["attributes"]) or not has_methods


def _is_alone(id: str, tree: Tree) -> bool:
    """Return whether a sibling is the only public class or function of its file."""
    path, qual = split_id(id)
    return not qual or list(shape_names(tree.reader.elements(path))) == [qual]


def _together(past: list[PastAddition], tree: Tree) -> list[Value]:
    """Return the paths that exist and came along in half of the commits, at least 2."""
    kept = [
        (path, count) for path, count in counted(past) if count >= _HALF * len(past)
    ]
    return [
        [path, count]
        for path, count in kept
        if count >= 2 and (NAME in path or tree.exists(path))
    ]


def _partners(home: str, tree: Tree) -> Row:
    """Return the files that changed with the siblings' file, and in which commits."""
    row = together_row(home, tree.past, tree.exists, tree.project)
    if row is None:
        return {}
    total = row["commits"]
    partners = [
        [path, count, total]
        for path, count in row["paths"][:_MOST_LISTED]
        if count >= _USUAL * total
    ]
    return {"partners": partners, "home_ids": row["past_ids"]}


def _sample(ids: list[str]) -> list[str]:
    """Return at most `_MOST` ids, the same ones when others come and go."""
    chosen = sorted(ids, key=lambda id: (crc32(id.encode()), id))[:_MOST]
    return sorted(chosen)


def _element(id: str, tree: Tree) -> ElementView | None:
    """Return a sibling, or of a file its first function or class."""
    path, qual = split_id(id)
    elements = tree.reader.elements(path)
    if qual:
        return elements.get(qual)
    name = next(shape_names(elements), "")
    return elements.get(name)


def _about(family: Family, ids: list[str], elements: list[ElementView | None]) -> str:
    if family.kind == "subclass" and "::" in family.where:
        return family.where
    documented = (
        id for id, one in zip(ids, elements, strict=True) if one is not None and one.doc
    )
    return next(documented, ids[0])


def _summary(id: str, element: ElementView | None, tree: Tree) -> str:
    path, qual = split_id(id)
    doc = element.doc if qual and element else tree.reader.facts(path).get("doc", "")
    return first_sentence(summarise(doc))


# ------------------------------------------------------------ the code of a sibling


def _code(
    id: str, element: ElementView | None, required: list[Value], tree: Tree
) -> tuple[str, str, bool]:
    """Return (qualified name, code, whether it is whole) of what shows a sibling best.

    That is the sibling when it is short, else a method that siblings define or, where
    they share none, one of its own, else its first lines without the docstring.
    """
    if element is None:
        return "", "", False
    source = tree.read(element.path) or b""
    whole = _text(element, source)
    if 0 < len(whole) <= _LONGEST_CODE:
        return element.qual, whole, True
    elements = tree.reader.elements(element.path)
    own = [
        one.name
        for one in elements.values()
        if one.parent == element.qual and one.type == "method"
    ]
    own.sort(key=lambda name: name.startswith("__"))
    for method in [name for name, *_ in required] or own:
        inner = elements.get(f"{element.qual}.{method}")
        text = _text(inner, source) if inner and inner.runs else ""
        if 0 < len(text) <= _LONGEST_CODE and text.count("\n"):
            return f"{element.qual}.{method}", text, True
    lines, length = [], 0
    for line in without_docstring(whole).split("\n"):
        length += len(line) + 1
        if length > _LONGEST_CODE:
            break
        lines.append(line)
    return element.qual, "\n".join(lines).rstrip(), False


def without_docstring(code: str) -> str:
    """Return a definition without its docstring; the head says how it is made."""
    match = _DOCSTRING.search(code)
    head = code[: match.start()].rstrip() if match else ""
    if match is None or not head.endswith(":") or _INNER.search(head):
        return code
    body = code[match.end() :].lstrip("\n")
    return f"{head}\n{body}"


def _text(element: ElementView, source: bytes) -> str:
    """Return an element's source, decorators included; "" when it would end a fence."""
    start = source.rfind(b"\n", 0, element.row.start) + 1
    text = source[start : element.row.start + element.row.length]
    decoded = text.decode("utf-8", "replace").rstrip().expandtabs(4)
    lines = decoded.split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    if any(line[:indent].strip() for line in lines):
        return ""
    if "```" in decoded or any(len(line) > _LONGEST_LINE + indent for line in lines):
        return ""
    return "\n".join(line[indent:] for line in lines)


# ------------------------------------------------------------ what siblings define


def _required(
    family: Family, elements: list[ElementView | None], tree: Tree
) -> list[Value]:
    """Return the methods that siblings define, with their number, abstract first."""
    if family.kind == "modules":
        names = (
            list(dict.fromkeys(shape_names(tree.reader.elements(one.path))))
            for one in elements
            if one
        )
        abstract: set[str] = set()
    elif family.kind == "subclass":
        names = (_methods(one, tree) for one in elements if one)
        abstract = set(_abstract_methods(family.where, tree))
    else:
        return []
    counts = Counter(name for group in names for name in group)
    counted_methods: list[Value] = [
        [name, count, name in abstract] for name, count in counts.items()
    ]
    return sorted(counted_methods, key=lambda item: (-item[2], -item[1], item[0]))


def _some(
    family: Family, counted_methods: list[Value], ids: list[str], tree: Tree
) -> list[Value]:
    """Return the methods of the base that some siblings replace, and most do not."""
    path, qual = split_id(family.where)
    inherited = {
        one.name for one in tree.reader.elements(path).values() if one.parent == qual
    }
    some = [
        [name, count]
        for name, count, is_abstract in counted_methods
        if not is_abstract and not _is_usual(count, ids) and name in inherited
    ]
    is_subclass = family.kind == "subclass" and bool(qual)
    return some if is_subclass and len(some) <= _MOST_METHODS else []


def _methods(element: ElementView, tree: Tree) -> list[str]:
    """Return the methods of a class that run, those with names of Python's own not."""
    return [
        name
        for name in _running_methods(element, tree)
        if name == "__init__" or not name.startswith("__")
    ]


def _running_methods(element: ElementView, tree: Tree) -> list[str]:
    names = (
        one.name
        for one in tree.reader.elements(element.path).values()
        if one.parent == element.qual and one.type == "method" and one.runs
        if one.name.strip("_")  # `_` is another version of a method, by its type
    )
    return list(dict.fromkeys(names))


def _own_methods(family: Family, element: ElementView | None, tree: Tree) -> list[str]:
    """Return all methods of a class that run; none of one with many."""
    if family.kind != "subclass" or element is None or not _is_small(element, tree):
        return []
    return _running_methods(element, tree)


def _is_small(element: ElementView | None, tree: Tree) -> bool:
    """Return whether something is no class with so many methods that it is no model."""
    if element is None or element.type != "class":
        return True
    return len(_running_methods(element, tree)) <= _MOST_OWN


def _own_bases(family: Family, element: ElementView | None) -> list[str]:
    """Return the bases of a class as written, where there are several (Python only)."""
    if family.kind != "subclass" or element is None:
        return []
    bases = [one for one in element.row.bases if not _GENERIC.match(one)]
    # `namedtuple("Name", ...)` is made for one class.
    bases = [one for one in bases if not set(one) & {'"', "'"}]
    return bases if len(bases) > 1 and element.path.endswith(".py") else []


def _abstract_methods(base: str, tree: Tree) -> Iterator[str]:
    """Yield the methods of a base class that subclasses have to define."""
    path, qual = split_id(base)
    if not qual:
        return
    source = tree.read(path) or b""
    for one in tree.reader.elements(path).values():
        if one.parent != qual or one.type != "method":
            continue
        marked = any(
            d.rpartition(".")[2] == "abstractmethod" for d in one.row.decorators
        )
        code = source[one.row.start : one.row.start + one.row.length]
        if marked or (len(code) < 1500 and _UNDONE.search(code)):
            yield one.name


def _arguments(family: Family, elements: list[ElementView | None]) -> list[str]:
    if family.kind != "functions" or elements[0] is None:
        return []
    return list(shape_of(elements[0]))


def _attributes(elements: list[ElementView | None], tree: Tree) -> list[Value]:
    """Return the class attributes that half of the siblings assign (Python only)."""
    counts: Counter[str] = Counter()
    for one in elements:
        if one is None or one.type != "class" or not one.path.endswith(".py"):
            return []
        source = tree.read(one.path) or b""
        start = source.rfind(b"\n", 0, one.row.start) + 1
        if source[start : one.row.start].strip():
            return []
        code = source[start : one.row.start + one.row.length]
        if code[:1] not in b" \t":  # a class at the top level: its body is one level in
            code = _LONG_STRING.sub(b"", code)
            counts.update({name.decode() for name in _ATTRIBUTE.findall(code)})
    kept: list[Value] = [
        [name, count]
        for name, count in counts.items()
        if count >= 2 and count > _HALF * len(elements) and not name.startswith("__")
    ]
    return sorted(kept, key=lambda item: (-item[1], item[0]))[:_MOST_METHODS]


# ------------------------------------------------------------ where they are named


def _sites(
    family: Family,
    ids: list[str],
    elements: list[ElementView | None],
    past: list[PastAddition],
    tree: Tree,
) -> tuple[list[Value], set[str]]:
    """Return the places that name a third of the siblings, and the searched files."""
    own_lines = _own_lines(ids, elements)
    numbers = _numbers_by_name(ids)
    names = set(numbers)
    searched = _searched(family, ids, names, tree)
    searched.update(split_id(id)[0] for one in past for id in one.added)
    searched.update(path for path, _ in counted(past))
    found: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for path in filter(_can_register, sorted(searched)):
        source = tree.read(path)
        if source is None or len(source) > 1_000_000:
            continue
        if not may_name_two(names, source) or len(names & tree.words(path)) < 2:
            continue
        text = source.decode("utf-8", "replace").replace("\r\n", "\n")
        inner = tree.reader.elements(path)
        for one in mentions(path, text, names, inner, own_lines[path]):
            if kind := _kind(one, family):
                found[kind, path, one.where].setdefault(one.name, one.line)
    _add_raising_files(found, ids)
    fewest = max(2, _THIRD * len(ids))
    if family.kind == "modules":
        fewest = max(3, fewest)  # the name of a module may be any word
    sites = [
        _site(place, lines, numbers, tree)
        for place, lines in found.items()
        if _is_registration(place, sorted(lines), ids, fewest, tree)
    ]
    sites = _with_passing_files(sites, {split_id(id)[0] for id in ids})
    sites.sort(key=lambda site: (-len(site[3]), site[:3]))
    return _least(sites), searched


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
    lines: dict[str, str],
    numbers: dict[str, int],
    tree: Tree,
) -> Value:
    """Return an item of `sites`; `lines` are those of the names that it holds."""
    return [
        *place,
        sorted(numbers[name] for name in lines),
        _short(lines),
        _order(place, list(lines), tree),
        _imports_names(place[1], list(lines), tree),
    ]


def _add_raising_files(
    found: dict[tuple[str, str, str], dict[str, str]], ids: list[str]
) -> None:
    """Add the files whose functions raise most siblings, where no function does."""
    raising = [place for place in found if place[0] == "raise"]
    if any(_is_usual(len(found[place]), ids) for place in raising):
        return
    for kind, path, where in raising:
        found["raise_in", path, ""].update(found[kind, path, where])


def _with_passing_files(sites: list[Value], homes: set[str]) -> list[Value]:
    """Return sites with an import that leads to a package's, and without the others.

    `from .core import Name` in a package needs an import in `core.py`, unless the name
    is defined there.
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
        is_passing = site[1] not in homes and stem in sources - stems
        if site[0] != "import" or is_passing:
            kept.append(["reexport", *site[1:]] if site[0] == "import" else site)
    return kept


def _numbers_by_name(ids: list[str]) -> dict[str, int]:
    """Return the siblings' positions by the names that only one of them has."""
    names = [
        name_of(qual) or path.rpartition("/")[2].partition(".")[0]
        for path, qual in map(split_id, ids)
    ]
    counts = Counter(names)
    return {name: n for n, name in enumerate(names) if counts[name] == 1}


def searched_names(ids: list[str]) -> set[str]:
    """Return the names for which the row of these siblings searches files."""
    return set(_numbers_by_name(_sample(ids)))


def may_name_two(names: set[str], source: bytes) -> bool:
    """Return whether a source contains two of the names, be it within other words.

    Takes a hundredth of the time that reading its words takes.
    """
    return sum(name.encode() in source for name in names) >= 2


def _is_raised(name: str, line: str) -> bool:
    return bool(re.search(rf"\braise\s+(?:\w+\.)*{name}\b", line))


def _is_registration(
    place: tuple[str, str, str],
    names: list[str],
    ids: list[str],
    fewest: float,
    tree: Tree,
) -> bool:
    """Return whether a place names enough siblings.

    A function has to name all of them, by edges of the graph: a name in a function's
    code may mean anything, and one that uses two of them is just a user.
    """
    kind, path, where = place
    if kind in ("raise", "raise_in"):
        return _is_usual(len(names), ids)
    if kind != "function":
        return len(names) >= fewest
    if len(names) < max(2, len(ids)):
        return False
    edges = tree.reader.edges(path).outgoing
    targets = {
        target.removesuffix(".__init__")
        for one in tree.reader.elements(path).values()
        if one.plain_qual == where
        for edge in ("calls", "uses")
        for target in edges.get((one.qual, edge), ())
    }
    return targets.issuperset(ids)


def _can_register(path: str) -> bool:
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
    if one.kind == "function" and one.where.rpartition(".")[2].startswith("__"):
        return False
    return not (family.kind == "modules" and one.kind in ("function", "instance"))


def _order(place: tuple[str, str, str], names: list[str], tree: Tree) -> str:
    """Return the order of a list or of registering calls: see `sites`."""
    kind, path, where = place
    if kind in ("call", "function"):
        return names[-1]
    source = tree.read(path) if kind in ("exports", "table") else None
    listed = listed_names(source.decode("utf-8", "replace"), where) if source else []
    if len(listed) < _FEWEST_ORDERED or not set(names).issubset(listed):
        return ""
    if listed in (sorted(listed), sorted(listed, key=str.lower)):
        return SORTED
    return max(names, key=listed.index)


def _imports_names(path: str, names: list[str], tree: Tree) -> bool:
    """Return whether a file imports siblings by their names, and not by a star."""
    text = (tree.read(path) or b"").decode("utf-8", "replace")
    return any(re.search(rf"\bimport\b[^=:]*\b{name}\b", text) for name in names)


def _short(lines: dict[str, str]) -> dict[str, str]:
    return {
        name: line
        for name, line in lines.items()
        if len(line) <= _LONGEST_LINE and "`" not in line
    }


def _least(sites: list[Value]) -> list[Value]:
    """Return at most six places: two of a kind, one of a kind and file."""
    kept: list[Value] = []
    for site in sites:
        same = [one for one in kept if one[0] == site[0]]
        if len(same) < 2 and not any(one[1] == site[1] for one in same):
            kept.append(site)
    return kept[:_MOST_LISTED]


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
    for name in sorted(names):
        documents = tree.find(f"says:{name}")
        watched.update(documents[:_MOST_LISTED])
    return watched


def _tests(family: Family, ids: list[str], alone: set[str], tree: Tree) -> list[Value]:
    """Return test files, or patterns of their names, that cover most siblings.

    A test file covers what its tests call, and the one that is named after the file of
    a sibling, where that has the file to itself.
    """
    homes = {split_id(id)[0] for id in ids}
    found: dict[str, list[int]] = defaultdict(list)
    of_sibling: dict[str, set[str]] = {}
    for id in ids:
        path, _ = split_id(id)
        callers = filter(_is_in_test, tree.reader.incoming(id, "calls", True))
        tests = {split_id(source)[0] for source in islice(callers, _MOST)}
        stem = path.rpartition("/")[2].partition(".")[0].strip("_").lower()
        if id in alone:
            tests.update(tree.find(f"tests:{stem}"))
        of_sibling[id] = {one for one in tests if not is_benchmark(one)}
    # A file that tests several siblings is named after none of them.
    shared = Counter(path for paths in of_sibling.values() for path in paths)
    for number, (id, paths) in enumerate(of_sibling.items()):
        forms = forms_of(id, len(homes) * 2 > len(ids))
        patterns = {
            path if shared[path] > 1 else pattern_of(path, forms) for path in paths
        }
        for one in patterns:
            found[one].append(number)
    kept = [
        [path, numbers]
        for path, numbers in found.items()
        if _is_usual(len(numbers), ids)
    ]
    kept.sort(key=lambda item: (-len(item[1]), item[0]))
    # One that is named after another module uses them for its own ends.
    named = [item for item in kept if _is_named_after(str(item[0]), family, homes)]
    return (named or kept)[:2]


def _is_named_after(test: str, family: Family, homes: set[str]) -> bool:
    """Return whether a test file has the name of a sibling's file, or of their base."""
    if NAME in test:
        return True
    base_path, _, base = family.where.partition("::")
    owners = [*homes, base_path, base.rpartition(".")[2]]
    stem = _TEST_AFFIX.sub("", _stem(test))
    known = (_stem(one) for one in owners if one)
    return bool(stem) and any(one and (stem in one or one in stem) for one in known)


def _stem(path: str) -> str:
    name = path.rpartition("/")[2].partition(".")[0]
    return name.strip("_").lower().replace("_", "")


def _is_in_test(id: str) -> bool:
    """Return whether code is part of a test, and no helper that tests share."""
    path, qual = split_id(id)
    name = path.rpartition("/")[2]
    return bool(enclosing_test(id)) and (bool(qual) or "test" in name.lower())


def _is_new_file(
    family: Family, alone: set[str], ids: list[str], past: Iterable[PastAddition]
) -> bool:
    """Return whether a new sibling gets a file of its own, as most and the last did."""
    if family.kind == "modules":
        return True
    if family.kind == "functions" or len(alone) <= _HALF * len(ids):
        return False
    came = [one.is_new_file for one in past]
    return sum(came) * 2 > len(came) if came else True


def _most_first(counts: Counter[str]) -> list[list[Value]]:
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[path, count] for path, count in pairs]


# ------------------------------------------------------------ one sibling as the model


def like_key(key: str, id: str) -> str:
    return f"{LIKE}{id} in {key}"


def like_rows(row: Row) -> Iterator[tuple[str, Row]]:
    """Yield (id, row) of each sibling with code that can be the model for another."""
    ids = [id for id, *_ in row["siblings"]]
    for number, (id, *model, fits) in enumerate(row["siblings"]):
        if not model[2] or not fits:
            continue
        every = row.get("sites", ())
        sites = [site for site in every if number in site[3]]
        if any(map(_is_raising, every)) and not any(map(_is_raising, sites)):
            continue  # it is raised elsewhere, or not at all
        yield (
            id,
            {
                **{name: row[name] for name in _OF_FAMILY if name in row},
                "kind": "like",
                "id": id,
                "about": row["id"],
                "siblings": ids,
                "model": [id, *model],
                **({"sites": sites} if sites else {}),
            },
        )
