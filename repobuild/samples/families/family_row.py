"""Make the row of one family: what a plan for a new sibling can say.

kind, id        "family"; the element that the family is about: a base class or the
                sibling that is the best example
family          [kind, where, owner, pattern] of `membership.Family`
siblings        [[id, need, name of the code's element, code, outline, methods,
                bases, fits], ...], by id; methods that run and bases as written, of a
                class in Python; one that fits is where a new one goes, and defines what
                most do; a need is what its docstring says first, and its base's not
count           of all siblings; `siblings` has at most `MOST_SIBLINGS`, by a hash
homes           [[path, siblings in it], ...], most first
folder, new_file   where a new one goes, and whether in a file of its own
required        [[method, siblings that define it, whether it is abstract], ...]
some            [[method of the base, siblings that define it], ...]: fewer than most do
choice          [[method, siblings that define it], ...] that a method of the base asks
                for, of which each sibling defines one at least
arguments       names that functions of one pattern take first
attributes      [[class attribute, siblings that assign it], ...]
sites           [[kind, path, name, [number of a sibling, ...], {name: line}, order,
                whether the file imports siblings by name, branch]];
                order of a list: `SORTED` by the alphabet, `SORTED_PART` from the first
                sibling to the last, else the name of its last sibling, "" where it
                shows none; branch: [] or
                [line, [numbers]] of those that it names under one `if`
keys            {key: number of the sibling that is entered under it somewhere, or sets
                it}: `text`, or `Class.ATTRIBUTE`
key_sites       [[kind, path, name, [[number, key], ...]], ...]: places that have these
key_members     [[class with the keys, path of the entries, [[number, key], ...]]]
read            ids of all that is entered with them
paired          [[base or path, [[number, class or function], ...]]]: what siblings are
                entered with, each with its own
decorators      [[decorator, [number, ...]], ...] of most siblings
module_calls    [[callee, [[number, line], ...]], ...] of most siblings' modules
module_imports  [[path, [number, ...]]] of a file that imports their modules whole
asked           [path, class, [[method, [number, ...]], ...]]: where a class that keeps
                the siblings asks them
made            [[base, [[number of a sibling, class], ...]], ...]: classes that most
                siblings make for themselves
own             {id: [class, ...]}: all classes that a sibling makes for itself, where
                most make some
own_bases       [[path, [[number of a sibling, class], ...]]]: bases made for one alone
constants       [[path, [[number of a sibling, constant], ...]]] of a module of
                constants, where most siblings name some of their own
raised          {id: [[path, whether it imports the sibling by name], ...]}: files that
                raise a sibling
helpers         [[path, [[number of a sibling, function in it], ...]], ...]: functions
                that most siblings use, each one called after it
members         [[enum, [[number of a sibling, member, element that names it], ...]]]
tests           [[path or pattern, [number of a sibling, ...]], ...]
test_lists      [[path, name, whether it is a variable], ...]: parameters and lists in
                tests that hold all siblings
past            [[subject, [ids], [paths]], ...] of commits that added siblings
past_count, past_ids   all commits that added siblings
together        [[path or pattern, commits], ...] that came along in `past`
partners        [[path, commits, of how many], ...] that changed with the first home
home_ids        these commits
changelog       path of the change log, where new code is usually entered in one, or
                siblings were, and there is a section for the next release

A family is left out, by an empty row, when its siblings do not show how another is
made: when they have no home in common, when most of them share no method or attribute
though they have some, when they are nested, protocols, or neither named together
anywhere nor tested, or functions that are alike in name only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import (
    HALF,
    MOST_LISTED,
    MOST_METHODS,
    NEARLY_ALL,
    Tree,
    is_usual,
    sampled,
)
from repobuild.samples.families.membership import (
    Family,
    shape_names,
)
from repobuild.samples.families.named_sites import (
    FoundSites,
    numbers_by_name,
    registration_sites,
)
from repobuild.samples.families.own_classes import (
    enum_members,
    own_bases_of,
    own_classes,
    own_constants,
    own_functions,
    shared_bases,
)
from repobuild.samples.families.past_additions import (
    NAME,
    PastAddition,
    counted,
)
from repobuild.samples.families.registration import TABLES, recorded_names
from repobuild.samples.families.shared_habits import (
    asking_methods,
    module_calls,
    module_imports,
    shared_decorators,
)
from repobuild.samples.families.sibling_keys import (
    imported_files,
    key_places,
    least_places,
    read_keys,
    word_of,
)
from repobuild.samples.families.sibling_members import (
    choice_of_base,
    common_arguments,
    common_attributes,
    replaced_by_some,
    required_methods,
)
from repobuild.samples.families.sibling_models import (
    Row,
    is_of_exceptions,
    is_raising,
    siblings_row,
)
from repobuild.samples.families.sibling_tests import covering_tests, lists_in_tests
from repobuild.samples.families.together import together_row

_AT_HOME = 0.75  # share of the siblings that are in one file
_USUAL = 0.6  # share of the commits to a file that change another one, too
_MOST_PAST = 5
_MOST_DOCUMENTS = 6  # with most keys


class FamilyRow(NamedTuple):
    """A row, and the paths whose change can change it."""

    row: Row
    watched: set[str]


def family_row(key: str, ids: list[str], tree: Tree) -> FamilyRow:
    """Return the row of a family of siblings."""
    family = Family.of(key)
    past = tree.past.of(ids)  # of all siblings: additions to a large family are few
    ids = sampled(ids)
    elements = [_element(id, tree) for id in _shaped(family, ids, tree)]
    found = registration_sites(family, ids, elements, past, tree)
    homes = Counter(split_id(id)[0] for id in ids)
    alone = {id for id in ids if _is_alone(id, tree)}
    home = _most_first(homes)[0]
    is_new_file = _is_new_file(family, alone, ids, past)
    folder = _most_first(_folders(homes))[0]
    bases = own_bases_of(family, ids, tree)
    found.searched.update(bases.files)
    fitting = _fitting(ids, alone if is_new_file else set(), home[0], folder[0])
    row: Row = {
        "kind": "family",
        "id": _about(family, ids, elements),
        "project": tree.project,
        "family": list(family),
        "language": tree.reader.facts(split_id(ids[0])[0]).get("language", ""),
        "siblings": siblings_row(family, ids, elements, fitting - bases.unclear, tree),
        **_places(homes, is_new_file),
        **_defined(family, ids, elements, tree),
        "sites": found.sites,
        "raised": found.raised,
        "own_bases": bases.rows,
        **_own_fields(family, ids, found.searched, tree),
        **_entered(family, ids, elements, found, tree),
        **_habits(family, ids, alone, found, tree),
        **_tested(family, ids, alone, found.searched, tree),
        **_history(past, tree),
        **({} if is_new_file else _partners(home[0], tree)),
        "changelog": tree.changelog or _open_changelog(ids, found.searched, tree),
    }
    # Siblings agree on where a new one goes, and show how it is made.
    is_together = is_new_file and folder[1] > HALF * len(ids)
    is_settled = is_together or _are_at_home(family, homes)
    if not is_settled or not _is_alike(family, row, elements, tree):
        row = {}
    return FamilyRow({k: v for k, v in row.items() if v}, found.searched)


def _defined(
    family: Family, ids: list[str], elements: list[ElementView | None], tree: Tree
) -> Row:
    """Return what siblings define, and how."""
    methods = required_methods(family, elements, tree)
    return {
        "required": [one for one in methods if one[2] or is_usual(one[1], ids)],
        "some": replaced_by_some(family, methods, ids, tree),
        "choice": choice_of_base(family, methods, elements, tree),
        "arguments": common_arguments(family, elements),
        "attributes": common_attributes(family, elements, tree),
        "decorators": shared_decorators(family, elements),
    }


def _habits(
    family: Family, ids: list[str], alone: set[str], found: FoundSites, tree: Tree
) -> Row:
    """Return what is done for most siblings, in their modules and by their users."""
    return {
        "module_calls": module_calls(ids, alone, tree),
        "module_imports": module_imports(family, ids, found.searched, tree),
        "asked": asking_methods(found.sites, ids, tree),
    }


def _fitting(ids: list[str], alone: set[str], home: str, folder: str) -> set[str]:
    """Return the siblings that are where a new one goes."""
    if alone:
        return {one for one in alone if _path(one).rpartition("/")[0] == folder}
    return {one for one in ids if _path(one) == home}


def _path(id: str) -> str:
    return split_id(id)[0]


def _places(homes: Counter[str], is_new_file: bool) -> Row:
    """Return where siblings are, and where a new one goes."""
    return {
        "homes": _most_first(homes)[:MOST_LISTED],
        "folder": _most_first(_folders(homes))[0][0],
        "new_file": is_new_file,
    }


def _own_fields(family: Family, ids: list[str], searched: set[str], tree: Tree) -> Row:
    """Return what siblings have besides themselves: classes, functions, members.

    The files of these are added to those that were searched.
    """
    own = own_classes(family, ids, tree)
    searched.update(split_id(one)[0] for classes in own for one in classes)
    made, members = shared_bases(own, family, tree), enum_members(ids, own, tree)
    searched.update(split_id(enum)[0] for enum, _ in members)
    helpers = own_functions(ids, tree) if family.kind == "subclass" else []
    searched.update(path for path, _ in helpers)
    return {
        "helpers": helpers,
        "made": made,
        "own": {id: one for id, one in zip(ids, own, strict=True) if one and made},
        "members": members,
    }


def _entered(
    family: Family,
    ids: list[str],
    elements: list[ElementView | None],
    found: FoundSites,
    tree: Tree,
) -> Row:
    """Return the keys of siblings, where these occur, and what is entered with them.

    The documents with a key are added to the files that were searched.
    """
    keys, members, paired, read = read_keys(ids, elements, found.entries, tree)
    words = sorted(set(map(word_of, keys)))
    counts = Counter(one for word in words for one in tree.find(f"says:{word}"))
    found.searched.update(path for path, _ in _most_first(counts)[:_MOST_DOCUMENTS])
    found.searched.update(split_id(id)[0] for id in read)
    imported = imported_files(ids, family, tree) if keys else set()
    found.searched.update(imported)
    constants = own_constants(family, ids, tree)
    places = key_places(keys, ids, found, imported, tree)
    known = {(path, where) for _, path, where, *_ in found.sites}
    return {
        "keys": keys,
        "key_sites": least_places(places, known),
        "key_members": members,
        "paired": paired,
        "read": [*read, *constants.read],
        "constants": constants.rows,
    }


def _tested(
    family: Family, ids: list[str], alone: set[str], searched: set[str], tree: Tree
) -> Row:
    """Return where siblings are tested; what was searched is added to the files."""
    lists = lists_in_tests(family, ids, tree)
    searched.update(lists.searched)
    tests = covering_tests(family, ids, alone, tree)
    return {"tests": tests, "test_lists": lists.lists}


def _history(past: list[PastAddition], tree: Tree) -> Row:
    """Return what the commits that added siblings show."""
    return {
        "past": [[p.subject, list(p.added), list(p.paths)] for p in past[:_MOST_PAST]],
        "together": _together(past, tree),
        "past_count": len(past),
        "past_ids": [one.commit for one in past],
    }


def _open_changelog(ids: list[str], searched: set[str], tree: Tree) -> str:
    """Return the change log that records most siblings and is still written.

    It is added to the files that were searched.
    """
    path = tree.root_changelog
    if not path:
        return ""
    searched.add(path)
    text = (tree.read(path) or b"").decode("utf-8", "replace")
    names = set(numbers_by_name(ids))
    return path if is_usual(len(recorded_names(path, text, names)), ids) else ""


def _folders(homes: Counter[str]) -> Counter[str]:
    return Counter(path.rpartition("/")[0] for path in homes.elements())


def _is_alike(
    family: Family, row: Row, elements: list[ElementView | None], tree: Tree
) -> bool:
    """Return whether the siblings show how another one is made."""
    if family.kind == "functions":
        # To be imported somewhere is no registration of a function of this pattern.
        return any(kind in TABLES for kind, *_ in row["sites"])
    if family.kind != "subclass":  # else the plan says no more than the question
        return bool(row["sites"] or row["tests"] or row["past"])
    classes = [one for one in elements if one is not None]
    if any(one.parent for one in classes) or len(row["required"]) > MOST_METHODS:
        return False
    if any("Protocol" in base for one in classes for base in one.row.bases):
        return False
    if not (row["sites"] or row["tests"] or row["past"]) or _is_unclear(row):
        return False
    is_raised = any(map(is_raising, row["sites"]))
    if not is_raised and is_of_exceptions(family, tree):
        return False  # nothing would raise another one
    if row["choice"] or any(is_usual(one[1], classes) for one in row["required"]):
        return True
    has_methods = any(methods for *_, methods, _, _ in row["siblings"])
    return bool(row["attributes"]) or not has_methods


def _is_unclear(row: Row) -> bool:
    """Return whether half of the siblings or more are not registered where some are.

    They are in another way, that no place shows.
    """
    total = len(row["siblings"])
    counts = [(kind, len(numbers)) for kind, _, _, numbers, *_ in row["sites"]]
    few = (kind in TABLES and count <= HALF * total for kind, count in counts)
    named = [count for kind, count in counts if kind != "document"]
    return any(few) and max(named) < NEARLY_ALL * total


def _is_alone(id: str, tree: Tree) -> bool:
    """Return whether a sibling is the only public class or function of its file."""
    path, qual = split_id(id)
    return not qual or list(shape_names(tree.reader.elements(path))) == [qual]


def _together(past: list[PastAddition], tree: Tree) -> list[Value]:
    """Return the paths that exist and came along in half of the commits, at least 2."""
    kept = [(path, count) for path, count in counted(past) if count >= HALF * len(past)]
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
        for path, count in row["paths"][:MOST_LISTED]
        if count >= _USUAL * total
    ]
    return {"partners": partners, "home_ids": row["past_ids"]}


def _are_at_home(family: Family, homes: Counter[str]) -> bool:
    """Return whether siblings show which file a new one goes into.

    Where some are beside their base and most elsewhere, what they are for decides, and
    not their number.
    """
    home, count = _most_first(homes)[0]
    base = split_id(family.where)[0]
    return count >= _AT_HOME * homes.total() and not (home != base and base in homes)


def _shaped(family: Family, ids: list[str], tree: Tree) -> list[str]:
    """Return of files that define one name the ids of what has it, else the ids."""
    if family.kind != "modules":
        return ids
    names = [set(shape_names(tree.reader.elements(id))) for id in ids]
    counts = Counter(name for group in names for name in group)
    if not counts:
        return ids
    shared = max(counts, key=lambda name: (counts[name], name))
    return [
        f"{id}::{shared}" if shared in group else id
        for id, group in zip(ids, names, strict=True)
    ]


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


def _is_new_file(
    family: Family, alone: set[str], ids: list[str], past: Iterable[PastAddition]
) -> bool:
    """Return whether a new sibling gets a file of its own, as most and the last did."""
    if family.kind == "modules":
        return True
    if family.kind == "functions" or len(alone) <= HALF * len(ids):
        return False
    came = [one.is_new_file for one in past]
    return sum(came) * 2 > len(came) if came else True


def _most_first(counts: Counter[str]) -> list[list[Value]]:
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[path, count] for path, count in pairs]
