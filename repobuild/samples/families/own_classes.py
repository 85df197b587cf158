"""Find what each sibling has for itself: classes, functions, members of an enum.

`MySQLQuery` makes a `MySQLQueryBuilder`, which names `Dialects.MYSQL`: a sibling of it
needs a class and a member of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import Tree, is_usual
from repobuild.samples.families.membership import Family, words_of

_ENUM = re.compile(r"(?:^|\.)(?:\w*Enum|Flag|IntFlag)$")
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
