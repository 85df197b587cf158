"""Tell what the siblings of a family define: methods, bases, arguments, attributes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from textwrap import dedent

from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import (
    HALF,
    MOST_METHODS,
    NEARLY_ALL,
    Tree,
    is_usual,
)
from repobuild.samples.families.membership import Family, shape_names, shape_of
from repobuild.samples.text.long_strings import without_long_strings
from repobuild.samples.text.quote import quote_definition

_MOST_OWN = 6  # methods of a model
_ATTRIBUTE = re.compile(
    r"^(?:    |\t)([A-Za-z_]\w*)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE
)
_GENERIC = re.compile(r"(?:typing\.|t\.)?(?:Generic|Protocol)\b")
# All that a body does that is yet to be written.
_UNDONE = re.compile(
    r"\s*raise NotImplementedError\b[^\n]*(?:\n(?:\s+[^\n]*|\)))*\s*\Z"
)
_UNDONE_AT_ONCE = re.compile(r"def [^\n]*:\s*raise NotImplementedError\b[^\n]*\Z")
_MOST_CHOSEN = 4  # methods of which each sibling defines one
# A method that a base asks for, or calls without defining it.
_ASKED = re.compile(
    r"\b(?:has|get)attr\(\s*self\s*,\s*[\"'](\w+)[\"']|\bself\.([a-zA-Z]\w*)\("
)
_RARE = 0.1  # share of the siblings whose methods of Python's own are none of others
_FEW = 1 / 3  # share of the siblings


def required_methods(
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
        abstract = set(_abstract_methods(family.where, tree))
        names = (_running_methods(one, tree) for one in elements if one)
    else:
        return []
    counts = Counter(name for group in names for name in group)
    counted_methods: list[Value] = [
        [name, count, name in abstract and count > _FEW * len(elements)]
        for name, count in counts.items()
    ]
    return sorted(counted_methods, key=lambda item: (-item[2], -item[1], item[0]))


def choice_of_base(
    family: Family,
    counted_methods: list[Value],
    elements: list[ElementView | None],
    tree: Tree,
) -> list[Value]:
    """Return [[method, siblings that define it], ...] of which each defines one at
    least, where a single method of the base asks for them and most define none of them.
    """
    path, qual = split_id(family.where)
    if family.kind != "subclass" or not qual or not path.endswith(".py"):
        return []
    defined = [_defined_in(one, tree) for one in elements if one is not None]
    known = {name for name, _, is_abstract in counted_methods if not is_abstract}
    for one in tree.reader.elements(path).values():
        if one.parent != qual or one.type != "method":
            continue
        code = tree.code(one).decode("utf-8", "replace")
        asked = {found or called for found, called in _ASKED.findall(code)} & known
        counts = {name: sum(name in group for group in defined) for name in asked}
        rare = {name for name in asked if not is_usual(counts[name], elements)}
        is_of_all = all(rare & group for group in defined)
        if 1 < len(rare) <= _MOST_CHOSEN and is_of_all:
            found = [[name, counts[name]] for name in rare]
            return sorted(found, key=lambda item: (-item[1], item[0]))
    return []


def _defined_in(element: ElementView, tree: Tree) -> set[str]:
    return {*_running_methods(element, tree), *_class_attributes(element, tree)}


def replaced_by_some(
    family: Family, counted_methods: list[Value], ids: list[str], tree: Tree
) -> list[Value]:
    """Return the methods that some siblings replace, and most do not.

    Those are the methods of the base and of what it inherits from in its file, with all
    that Python calls by itself: a base outside of the project may define these.
    """
    path, qual = split_id(family.where)
    elements = tree.reader.elements(path)
    above = tree.reader.ancestors(family.where) if qual else ()
    owners = {qual, *(own for home, own in map(split_id, above) if home == path)}
    inherited = {one.name for one in elements.values() if one.parent in owners}
    base = elements.get(qual) if qual else None
    fields = set(_class_attributes(base, tree)) - inherited if base else set()
    some = [
        [name, count]
        for name, count, is_abstract in counted_methods
        if not is_abstract and not is_usual(count, ids)
        if name in inherited or (_is_hook(name) and count > _RARE * len(ids))
    ]
    some += [one for one in _set_by_some(fields, ids, tree) if fields]
    some.sort(key=lambda item: (-item[1], item[0]))
    is_subclass = family.kind == "subclass" and bool(qual)
    return some if is_subclass and len(some) <= MOST_METHODS else []


def _is_hook(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _set_by_some(names: set[str], ids: list[str], tree: Tree) -> list[Value]:
    """Return the attributes of a base that some siblings set, or define as property."""
    counts: Counter[str] = Counter()
    for id in ids:
        path, qual = split_id(id)
        one = tree.reader.elements(path).get(qual)
        if one is not None:
            counts.update(names & _defined_in(one, tree))
    found = sorted(counts.items())
    return [[name, count] for name, count in found if not is_usual(count, ids)]


def _running_methods(element: ElementView, tree: Tree) -> list[str]:
    names = (
        one.name
        for one in tree.reader.elements(element.path).values()
        if one.parent == element.qual and one.type == "method" and one.runs
        if one.name.strip("_")  # `_` is another version of a method, by its type
    )
    return list(dict.fromkeys(names))


def own_methods(family: Family, element: ElementView | None, tree: Tree) -> list[str]:
    """Return all that a class defines and that runs: methods, and what its body sets.

    There is nothing of a class with many methods.
    """
    if family.kind != "subclass" or element is None or not is_small(element, tree):
        return []
    methods = _running_methods(element, tree)
    return list(dict.fromkeys([*methods, *_class_attributes(element, tree)]))


def is_typical(
    family: Family,
    element: ElementView,
    counted_methods: list[Value],
    ids: list[str],
    tree: Tree,
) -> bool:
    """Return whether a sibling defines all that nearly all of them define."""
    least = NEARLY_ALL * len(ids)
    wanted = {name for name, count, _ in counted_methods if count >= least}
    if family.kind == "modules":
        return wanted.issubset(shape_names(tree.reader.elements(element.path)))
    return wanted.issubset(_running_methods(element, tree))


def is_small(element: ElementView | None, tree: Tree) -> bool:
    """Return whether something is no class with so many methods that it is no model."""
    if element is None or element.type != "class":
        return True
    attributes = set(_class_attributes(element, tree))
    is_short = len(attributes) <= _MOST_OWN
    return is_short and len(_running_methods(element, tree)) <= _MOST_OWN


def is_bare(element: ElementView, tree: Tree) -> bool:
    """Return whether a class of Python defines nothing: its base does all the work."""
    if element.type != "class" or not element.path.endswith(".py"):
        return False
    defined = _running_methods(element, tree) or _class_attributes(element, tree)
    return not defined


def own_bases(family: Family, element: ElementView | None) -> list[str]:
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
    for one in tree.reader.elements(path).values():
        if one.parent != qual or one.type != "method":
            continue
        marked = any(
            d.rpartition(".")[2] == "abstractmethod" for d in one.row.decorators
        )
        if marked or _is_undone(one, tree):
            yield one.name


def _is_undone(method: ElementView, tree: Tree) -> bool:
    """Return whether a method only raises NotImplementedError."""
    code = tree.code(method)
    if b"NotImplementedError" not in code or not method.path.endswith(".py"):
        return False
    quoted = quote_definition("python", code, bool(method.doc))
    if quoted is None:
        return bool(_UNDONE_AT_ONCE.match(code.decode("utf-8", "replace")))
    return bool(_UNDONE.match(dedent(quoted.body)))


def common_arguments(family: Family, elements: list[ElementView | None]) -> list[str]:
    if family.kind != "functions" or elements[0] is None:
        return []
    return list(shape_of(elements[0]))


def common_attributes(
    family: Family, elements: list[ElementView | None], tree: Tree
) -> list[Value]:
    """Return the class attributes that half of the siblings assign (Python only)."""
    if family.kind == "modules":
        return []  # a class in each of them has some, and no module does
    counts: Counter[str] = Counter()
    for one in elements:
        if one is None or one.type != "class" or not one.path.endswith(".py"):
            return []
        counts.update(set(_class_attributes(one, tree)))
    kept: list[Value] = [
        [name, count]
        for name, count in counts.items()
        if count >= 2 and count > HALF * len(elements)
    ]
    return sorted(kept, key=lambda item: (-item[1], item[0]))[:MOST_METHODS]


def _class_attributes(element: ElementView, tree: Tree) -> list[str]:
    """Return the names that the body of a class assigns, also in an `if` (Python)."""
    if element.type != "class" or not element.path.endswith(".py"):
        return []
    source = tree.read(element.path) or b""
    start = source.rfind(b"\n", 0, element.row.start) + 1
    code = source[start : element.row.start + element.row.length]
    if source[start : element.row.start].strip():
        return []
    plain = dedent(without_long_strings(code.decode("utf-8", "replace")))
    return [one for one in _ATTRIBUTE.findall(plain) if not one.startswith("__")]
