"""Find what each sibling has for itself: classes, functions, constants, members.

`MySQLQuery` makes a `MySQLQueryBuilder`, which names `Dialects.MYSQL`: a sibling of it
needs a class and a member of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import Tree, is_usual
from repobuild.samples.families.membership import Family, words_of

_ENUM = re.compile(r"(?:^|\.)(?:\w*Enum|Flag|IntFlag)$")
_MIXIN = re.compile(r"Mix[Ii]n\Z")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9_]+")
_BARE = re.compile(r"(?<![.\w\"'])[A-Z][A-Z0-9_]+\b")  # constants without a module
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_MOST_MADE = 6  # classes of one sibling
# By what they have in common, a base or an enum: what each sibling, by number, has.
Having = dict[str, dict[int, tuple[str, ...]]]


def own_classes(family: Family, ids: list[str], tree: Tree) -> list[list[str]]:
    """Return the classes that each sibling alone makes and that have its name, sorted.

    `JiraQuery` has a `JiraBuilder`; a `MarkPointOpts` that only one of them makes is an
    option of the project's.
    """
    if family.kind != "subclass":
        return [[] for _ in ids]
    made = [sorted(_made_by(id, tree) - {*ids, family.where}) for id in ids]
    makers = Counter(one for classes in made for one in classes)
    return [
        [one for one in classes if makers[one] == 1 and own in _bare_name(one)]
        for classes, own in zip(made, _own_parts(ids), strict=True)
    ]


def _own_parts(ids: list[str]) -> list[str]:
    """Return siblings' names in small letters, without the last word of most."""
    names = [words_of(name_of(split_id(id)[1])) or [""] for id in ids]
    (shared, count), *_ = Counter(words[-1] for words in names).most_common(1)
    if is_usual(count, ids):
        names = [w[:-1] if w[-1] == shared and len(w) > 1 else w for w in names]
    return ["".join(words).lower() for words in names]


def _bare_name(id: str) -> str:
    return name_of(split_id(id)[1]).replace("_", "").lower()


def shared_bases(made: list[list[str]], family: Family, tree: Tree) -> list[Value]:
    """Return [base, [[number of a sibling, its class], ...]] where most have a class
    of their own that inherits from the base, the commonest first.
    """
    found: Having = defaultdict(dict)
    for number, classes in enumerate(made):
        for one in classes:
            for base in tree.reader.outgoing(one, "inherits"):
                if base != family.where:
                    found[base].setdefault(number, (one,))
    return _usual(found, made)


def enum_members(ids: list[str], made: list[list[str]], sources: Tree) -> list[Value]:
    """Return [enum, [[number of a sibling, member, element that names it], ...]]
    where most siblings, or their own classes, name a member that no other one does.
    """
    found: Having = defaultdict(dict)
    for number, id in enumerate(ids):
        named: dict[str, dict[str, str]] = defaultdict(dict)
        for holder in (id, *made[number]):
            for enum in _enums_of(holder, sources):
                for member in _members_in(holder, enum, sources):
                    named[enum].setdefault(member, holder)
        for enum, members in named.items():
            if len(members) == 1:
                found[enum][number] = next(iter(members.items()))
    kept: Having = {}
    for enum, rows in found.items():
        names = Counter(member for member, _ in rows.values())
        kept[enum] = {n: row for n, row in rows.items() if names[row[0]] == 1}
    return _usual(kept, ids)


def own_functions(ids: list[str], tree: Tree) -> list[Value]:
    """Return [path, [[number of a sibling, function], ...]] where most siblings use a
    function of this file that is called after them: `Skipped` has `_resolve_skipped`.
    """
    found: dict[tuple[str, str], dict[int, tuple[str, ...]]] = defaultdict(dict)
    for number, id in enumerate(ids):
        own = "_".join(words_of(name_of(split_id(id)[1]))).lower()
        called_after = re.compile(rf"(?<![a-z]){re.escape(own)}(?![a-z])")
        for one in _functions_used_by(id, tree):
            path, name = split_id(one)
            pattern, count = called_after.subn("*", name)
            if own and count == 1:
                found[path, pattern][number] = (one,)
    rows = _usual({"::".join(key): one for key, one in found.items()}, ids)
    return [[split_id(id)[0], pairs] for id, pairs in rows]


class OwnBases(NamedTuple):
    """Classes that siblings inherit from and that exist for one of them alone."""

    rows: list[Value]  # [path, [[number of a sibling, class], ...]], one at most
    unclear: set[str]  # siblings with one, of which nobody knows what it is for
    files: set[str]  # with all of them


def own_bases_of(family: Family, ids: list[str], tree: Tree) -> OwnBases:
    """Return the bases that are made for one sibling: `CallAsyncMixin` for `Call`.

    Those of several siblings are in one file and called after them; others there have
    names of this form.
    """
    found: Having = defaultdict(dict)
    alone: dict[int, str] = {}
    for number, id in enumerate(ids if family.kind == "subclass" else ()):
        own = name_of(split_id(id)[1])
        for base in _bases_of(id, tree):
            path, name = split_id(base)
            is_after = own in name and own != name
            if base == family.where or not (is_after or _MIXIN.search(name)):
                continue
            if _heirs(base, id, tree) == {id}:
                alone[number] = base
                if is_after:
                    found[f"{path}::{name.replace(own, '*', 1)}"][number] = (base,)
    group = max(found, key=lambda one: (len(found[one]), one), default="")
    path, pattern = split_id(group)
    pairs = {
        number: base
        for number, base in alone.items()
        if split_id(base)[0] == path and fnmatchcase(split_id(base)[1], pattern)
    }
    is_habit = len(found.get(group, ())) > 1
    rows: list[Value] = [[path, [[n, base] for n, base in sorted(pairs.items())]]]
    unclear = {ids[n] for n in alone if n not in pairs or not is_habit}
    files = {split_id(one)[0] for one in alone.values()}
    return OwnBases(rows if is_habit else [], unclear, files)


def _bases_of(id: str, tree: Tree) -> set[str]:
    """Return the bases of a class, also one that its file imports under a condition."""
    path, qual = split_id(id)
    element = tree.reader.elements(path).get(qual)
    if element is None:
        return set()
    named = {one.rpartition(".")[2] for one in element.row.bases}
    imported = tree.reader.edges(path).outgoing.get(("", "imports"), [])
    known = (one for one in imported if name_of(split_id(one)[1]) in named)
    bases = {*tree.reader.outgoing(id, "inherits"), *known}
    return {one for one in bases if _is_class(one, tree)}


def _heirs(base: str, id: str, tree: Tree) -> set[str]:
    """Return the classes that inherit from a base, those in the file of one of them
    by its name alone.
    """
    path, name = split_id(id)[0], name_of(split_id(base)[1])
    named = {
        one.id
        for one in tree.reader.elements(path).values()
        if one.type == "class"
        if name in {written.rpartition(".")[2] for written in one.row.bases}
    }
    return named | set(tree.reader.incoming(base, "inherits"))


class OwnConstants(NamedTuple):
    """Constants of a module that most siblings have of their own."""

    rows: list[Value]  # [path, [[number of a sibling, constant], ...]], one at most
    read: list[str]  # paths of all modules whose constants siblings name


def own_constants(family: Family, ids: list[str], tree: Tree) -> OwnConstants:
    """Return the module of constants of which most siblings name some that no other
    one does: `codes.IS_NOT_BYTES`.
    """
    named: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for number, id in enumerate(ids if family.kind == "subclass" else ()):
        for path, names in _named_constants(id, tree):
            named[path][number] = names
    found: Having = {}
    for path, by_number in named.items():
        elements = tree.reader.elements(path).values()
        if any(one.type in ("class", "function") for one in elements):
            continue
        known = set(
            _CONSTANT.findall((tree.read(path) or b"").decode("utf-8", "replace"))
        )
        counts = Counter(one for names in by_number.values() for one in names)
        for number, names in by_number.items():
            own = [one for one in names if one in known and counts[one] == 1]
            if own:
                found.setdefault(path, {})[number] = (own[0],)
    return OwnConstants(_usual(found, ids)[:1], sorted(named))


def _named_constants(id: str, tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Yield (path, constants) that a class names, by the files its file imports."""
    home, qual = split_id(id)
    element = tree.reader.elements(home).get(qual)
    if element is None or not home.endswith(".py"):
        return
    code = tree.code(element).decode("utf-8", "replace")
    taken: dict[str, set[str]] = defaultdict(set)  # names, by the module's last word
    for _, module, name, alias in tree.reader.facts(home).get("imports", ()):
        taken[module.rpartition(".")[2]].add(alias or name)
    imported = tree.reader.edges(home).outgoing.get(("", "imports"), [])
    for path in sorted({split_id(one)[0] for one in imported} - {home}):
        stem = path.rpartition("/")[2].partition(".")[0]
        names = []
        if f"{stem}." in code:
            names = re.findall(rf"\b{re.escape(stem)}\.([A-Z][A-Z0-9_]+)\b", code)
        if known := set(filter(_CAPITALS.fullmatch, taken[stem])):
            names += [one for one in _BARE.findall(code) if one in known]
        if names:
            yield path, list(dict.fromkeys(names))


def _functions_used_by(id: str, tree: Tree) -> list[str]:
    """Return the functions at the top level of a file that a class refers to."""
    used = {
        target
        for one in _with_methods(id, tree)
        for edge in ("calls", "uses")
        for target in tree.reader.outgoing(one.id, edge)
    }
    return sorted(one for one in used if _type_of(one, tree) == "function")


def _usual(found: Having, ids: Sequence[object]) -> list[Value]:
    """Return what most siblings have, the commonest first."""
    rows = [(id, pairs) for id, pairs in found.items() if is_usual(len(pairs), ids)]
    rows.sort(key=lambda row: (-len(row[1]), row[0]))
    return [[id, [[n, *one] for n, one in sorted(pairs.items())]] for id, pairs in rows]


def _made_by(id: str, tree: Tree) -> set[str]:
    """Return the classes that the methods of a class call; none where they are many."""
    found = {
        target
        for one in _with_methods(id, tree)
        for target in tree.reader.outgoing(one.id, "calls")
        if _is_class(target, tree) and not target.startswith(f"{id}.")
    }
    return found if len(found) <= _MOST_MADE else set()


def _with_methods(id: str, tree: Tree) -> Iterator[ElementView]:
    path, qual = split_id(id)
    for one in tree.reader.elements(path).values():
        if one.qual == qual or (one.parent == qual and one.type == "method"):
            yield one


def _is_class(id: str, tree: Tree) -> bool:
    return _type_of(id, tree) == "class"


def _type_of(id: str, tree: Tree) -> str:
    path, qual = split_id(id)
    element = tree.reader.elements(path).get(qual) if qual else None
    return element.type if element is not None else ""


def _enums_of(id: str, tree: Tree) -> set[str]:
    """Return the enums of the project that a class, or a method of it, refers to."""
    used = {
        target
        for one in _with_methods(id, tree)
        for target in tree.reader.outgoing(one.id, "uses")
        if _is_class(target, tree)
    }
    return {one for one in used if _is_enum(one, tree)}


def _is_enum(id: str, tree: Tree) -> bool:
    path, qual = split_id(id)
    return any(map(_ENUM.search, tree.reader.elements(path)[qual].row.bases))


def _members_in(id: str, enum: str, tree: Tree) -> list[str]:
    """Return the members of an enum that the code of a class names, in order."""
    path, qual = split_id(id)
    code = tree.code(tree.reader.elements(path)[qual])
    name = re.escape(name_of(split_id(enum)[1]))
    found = re.findall(rf"\b{name}\.([A-Za-z]\w*)", code.decode("utf-8", "replace"))
    known = tree.reader.elements(split_id(enum)[0])[split_id(enum)[1]].row.attrs
    return [one for one in dict.fromkeys(found) if one in known]
