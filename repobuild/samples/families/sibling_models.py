"""Choose the siblings that can be the model for a new one, and make the row of each.

A model is where a new one goes, defines what most siblings define, and is registered
where most are. See `siblings` in family_row.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from repobuild.code.graph.graph import split_id
from repobuild.code.usage.dated import has_dated_name, needs_python_2
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import NEARLY_ALL, Tree, is_usual
from repobuild.samples.families.membership import Family
from repobuild.samples.families.registration import EXPORTS, RAISES, TABLES
from repobuild.samples.families.sibling_code import sibling_code
from repobuild.samples.families.sibling_members import (
    is_bare,
    is_small,
    is_typical,
    own_bases,
    own_methods,
    required_methods,
)
from repobuild.samples.text.refusals import is_exception
from repobuild.samples.text.summary.purpose import summarise
from repobuild.samples.text.summary.sentences import says_as_much

Row = dict[str, Value]
LIKE = "like::"  # begins the key of a row about one sibling
# Fields of a family's row that the row of one of its siblings has, too.
_OF_FAMILY = tuple(
    "project family language count homes folder new_file required some arguments"
    " attributes made own helpers members tests past together past_count past_ids"
    " partners home_ids changelog key_sites key_members paired decorators module_calls"
    " module_imports asked test_lists choice own_bases constants".split()
)
# A sentence that shows how something is used, and not what it is for.
_USE = re.compile(
    r"(?<=[.!]) +(?=(?:It can be used (?:like|as)|Usage|Examples?|See)\b)"
)
_LONGEST_NEED = 240  # characters of a need, which is quoted whole
# By its name, or by how its docstring begins.
_UNFINISHED = re.compile(
    r"\A_?(?:Abstract|Base[A-Z_])|\A\w+(?:Base|Mixin)\n"
    r"|\A\w+\n\s*(?:(?:An?|The) )?(?i:abstract|base)\b"
)
_REGISTRATIONS = (*EXPORTS, *TABLES)


def siblings_row(
    family: Family,
    ids: list[str],
    elements: list[ElementView | None],
    fitting: set[str],
    tree: Tree,
) -> list[Value]:
    """Return the field `siblings` of the row of a family."""
    methods = required_methods(family, elements, tree)
    return [
        [
            *_sibling(family, id, one, tree),
            id in fitting and _is_model(family, one, methods, ids, tree),
        ]
        for id, one in zip(ids, elements, strict=True)
    ]


def _sibling(
    family: Family, id: str, element: ElementView | None, tree: Tree
) -> list[Value]:
    """Return an item of `siblings` without its last field."""
    return [
        id,
        _need(family, id, element, tree),
        *sibling_code(element, tree),
        own_methods(family, element, tree),
        own_bases(family, element),
    ]


def _need(family: Family, id: str, element: ElementView | None, tree: Tree) -> str:
    """Return what a sibling's docstring says first, whole, "" where that is long.

    It is no need where the docstring of the base says it, too: the base meets it.
    """
    path, qual = split_id(id)
    doc = element.doc if qual and element else tree.reader.facts(path).get("doc", "")
    whole = _USE.split(summarise(doc, len(doc)))[0]
    text = "" if len(whole) > _LONGEST_NEED else whole
    home, owner = split_id(family.where)
    base = tree.reader.elements(home).get(owner) if owner else None
    is_of_base = base is not None and says_as_much(base.doc, text)
    return "" if is_of_base else text


def _is_model(
    family: Family,
    element: ElementView | None,
    methods: list[Value],
    ids: list[str],
    tree: Tree,
) -> bool:
    """Return whether another one may be made like this: it defines what most do, is
    small, and neither dated nor unfinished.
    """
    if element is None:
        return True
    if not is_typical(family, element, methods, ids, tree):
        return False
    is_empty = element.is_stub or element.is_for_types
    if is_bare(element, tree):  # as a class is that is raised, and no other
        is_empty |= family.kind != "subclass" or not is_of_exceptions(family, tree)
    if is_empty or _UNFINISHED.search(f"{element.name}\n{element.doc}"):
        return False
    if has_dated_name(element.name) or not is_small(element, tree):
        return False
    if not element.path.endswith(".py"):
        return True
    return not needs_python_2(tree.code(element), tree.read(element.path) or b"")


def is_of_exceptions(family: Family, tree: Tree) -> bool:
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


# ------------------------------------------------------------ one sibling as the model


def like_key(key: str, id: str) -> str:
    return f"{LIKE}{id} in {key}"


def like_rows(row: Row) -> Iterator[tuple[str, Row]]:
    """Yield (id, row) of each sibling that can be the model for another."""
    ids = [id for id, *_ in row["siblings"]]
    raised = row.get("raised", {})
    summaries = Counter(summary for _, summary, *_ in row["siblings"])
    for number, (id, *model, fits) in enumerate(row["siblings"]):
        if not fits:
            continue
        every = row.get("sites", ())
        sites = [site for site in every if _is_place_of(number, site, row)]
        if any(map(is_raising, every)) and not any(map(is_raising, sites)):
            continue  # it is raised elsewhere, or not at all
        if any(_is_missing(number, site, row) for site in every):
            continue  # the one that nobody registered is no model
        if summaries[model[0]] > 1:
            model[0] = ""  # it says what another one is, too
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
                **({"raised": {id: raised[id]}} if id in raised else {}),
            },
        )


def _is_missing(number: int, site: Value, row: Row) -> bool:
    """Return whether a place registers most siblings, and not this one.

    Of a table these have to be nearly all: the others may be entered elsewhere.
    """
    kind, _, _, numbers, *_ = site
    siblings = row["siblings"]
    is_of_most = kind in EXPORTS and is_usual(len(numbers), siblings)
    is_of_most |= len(numbers) >= NEARLY_ALL * len(siblings)
    return kind in _REGISTRATIONS and is_of_most and number not in numbers


def _is_place_of(number: int, site: Value, row: Row) -> bool:
    """Return whether a place names a sibling, or is a document of nearly all others."""
    kind, _, _, numbers, *_ = site
    is_of_nearly_all = len(numbers) >= NEARLY_ALL * len(row["siblings"])
    return number in numbers or (kind == "document" and is_of_nearly_all)


def is_raising(site: Value) -> bool:
    return site[0] in RAISES
