"""Say where a new sibling is entered: in lists, tables, functions and documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.facts.element_row import name_of
from repobuild.engine.contract import Value
from repobuild.samples.families.family_tree import NEARLY_ALL
from repobuild.samples.families.plans.plan_scope import (
    DOCUMENT,
    PERHAPS,
    SITE,
    PlanScope,
    Step,
    plain_name,
)
from repobuild.samples.families.registration import EXPORTS, RAISES, SORTED, SORTED_PART

_MOST_SITES = 4
# Kinds of sites whose line shows no pattern: a list has names alone, the others prose
# or code of many forms.
_SHOWN_WITHOUT_LINE = (
    "exports", "listed", "document", "function", "raise", "raise_in"
)  # fmt: skip
_KEY_PARTS = {"document": "plan_key_document", "definition": "plan_key_definition"}


def place_steps(plan: PlanScope) -> Iterator[Step]:
    """Yield where a new one is entered, and what is done for each in other files."""
    yield from _registrations(plan)
    yield from _habits(plan)
    yield from _keys(plan)


def _registrations(plan: PlanScope) -> Iterator[Step]:
    """Say where it is registered, documented and raised.

    What several files raise is told by those that raise the model.
    """
    sites = _sites(plan)[:_MOST_SITES]
    raised = _raising_model(plan, [site for site in sites if site[0] in RAISES])
    is_told = False
    for number, site in enumerate(sites):
        part = DOCUMENT if site[0] == "document" else SITE
        is_raising = site[0] in RAISES
        if not is_raising and _is_partial(plan, site):
            part = PERHAPS
        if not (is_raising and raised):
            yield f"{part} {number}", _site(plan, site)
        elif not is_told:
            is_told = True
            yield f"{part} {number}", _raised(plan, raised)


def _sites(plan: PlanScope) -> list[Value]:
    """Return the places; one that imports siblings and lists them is a single one.

    Of documents one is enough.
    """
    sites = plan.rows("sites")
    lists = {(p, tuple(n)) for kind, p, _, n, *_ in sites if kind == "exports"}
    imports = {(p, tuple(n)) for kind, p, _, n, *_ in sites if kind == "reexport"}
    documents = [site for site in sites if site[0] == "document"]
    kept: list[Value] = []
    for site in sites:
        kind, place = site[0], (site[1], tuple(site[3]))
        if kind == "reexport" and place in lists or site in documents[1:]:
            continue
        is_both = kind == "exports" and place in imports
        kept.append(["listed", *site[1:]] if is_both else site)
    return kept


def _raising_model(plan: PlanScope, sites: list[Value]) -> list[Value]:
    """Return the files that raise the model, where they have to be told.

    They have not where one place raises siblings, and the model in no other file.
    """
    raised = plan.scope.get("raised") or {}
    rows: list[Value] = raised.get(plan.model.id) or []
    is_of_one = [site[1] for site in sites] == [path for path, _ in rows]
    is_of_one &= len(sites) == 1
    is_of_one |= not plan.is_like and len(sites) < 2
    return [] if is_of_one else rows


def _raised(plan: PlanScope, rows: list[Value]) -> str:
    """Say which files raise the model, and whether they import it."""
    listed = plan.listed([f"`{path}`" for path, _ in rows])
    fields = {"members": listed, "model": plan.model.name}
    text = plan.part("plan_raise_like", **fields)
    others = [is_imported for path, is_imported in rows if path != plan.model.path]
    text += plan.part("plan_import") if others and all(others) else ""
    return text + plan.scope.phrases.words["stop"]


def _site(plan: PlanScope, site: list[Value]) -> str:
    kind, path, where, numbers, lines, order, imports, branch = site
    # Who holds a part of them holds those of some sort.
    is_some = kind in ("function", "table") and _is_partial(plan, site)
    part = f"plan_{kind}_some" if is_some else f"plan_{kind}"
    share = plan.share(len(numbers), kind == "document")
    text = plan.part(part, other=path, where=where, of=share)
    name = name_of(plan.model.id.partition("::")[2])
    line = lines.get(name, "")
    # In a function what comes after the last branch of an `if` may never run.
    is_place = kind != "function" or _is_of_several(plan, line)
    if is_place and not is_some and not branch:
        text += _order(plan, kind, order, numbers)
    text += _branch(plan, branch, len(numbers))
    is_used = path != plan.model.path and _is_imported(name, line)
    if is_used and imports:
        text += plan.part("plan_import")
    shows = kind not in _SHOWN_WITHOUT_LINE and line.strip(" ,()") != name and line
    if shows:
        text += plan.part("plan_line", line=line)
    return text + plan.scope.phrases.words["stop"]


def _is_partial(plan: PlanScope, site: list[Value]) -> bool:
    """Return whether a place may do without a new one: it names only some, or is a
    function that does not name all.
    """
    least = plan.count if site[0] == "function" else NEARLY_ALL * plan.count
    return len(site[3]) < least


def _order(plan: PlanScope, kind: str, order: str, numbers: list[int]) -> str:
    """Say where a new one goes in a list: see `sites` in family_row.py.

    Where no order shows, it goes after its model: of names that are exported, and
    without a model, the place is of no importance, or known to nobody.
    """
    if order in ("", SORTED, SORTED_PART):
        part = "plan_sorted" if order == SORTED else "plan_sorted_part"
        return plan.part(part) if order else ""
    if plan.family.kind == "modules" or kind in (*EXPORTS, "listed"):
        return ""
    is_listed = plan.model.id in [plan.ids[number] for number in numbers]
    if not is_listed or not plan.is_like:
        return ""
    order = name_of(plan.model.id.partition("::")[2])
    return plan.part("plan_behind", item=order)


def _is_of_several(plan: PlanScope, line: str) -> bool:
    """Return whether a line is that of a list: it names several siblings."""
    words = set(re.findall(r"\w+", line))
    return sum(name_of(id.partition("::")[2]) in words for id in plan.ids) > 1


def _branch(plan: PlanScope, branch: list[Value], count: int) -> str:
    """Say which siblings a place names under one `if`."""
    if not branch:
        return ""
    line, numbers = branch
    ids = [plan.ids[number] for number in numbers]
    allowed = plan.scope.without_held_out(ids)
    if len(allowed) < len(ids):
        return ""
    if len(ids) == count:
        return plan.part("plan_under_all", line=line)
    names = [f"`{name_of(one.partition('::')[2])}`" for one in allowed]
    return plan.part("plan_under", members=plan.listed(names), line=line)


def _is_imported(name: str, line: str) -> bool:
    """Return whether a line of Python uses a name that its file has to import."""
    pattern = rf"(?:raise|return|except|=|\() *{re.escape(name)}\("
    return bool(re.search(pattern, line)) and '"' not in line and "'" not in line


def _habits(plan: PlanScope) -> Iterator[Step]:
    """Say what is done for each sibling, in its module and by those who use it."""
    for path, numbers in plan.rows("module_imports"):
        fields = {"other": path, "of": plan.share(len(numbers))}
        yield "plan_module_import", plan.part("plan_module_import", **fields)
    for number, (_, pairs) in enumerate(plan.rows("module_calls")):
        whole = [pair for pair in pairs if pair[1].endswith(")")]
        sibling, line = plan.shown_pair(whole)
        if sibling:
            fields = {"line": line, **plan.counts(len(pairs))}
            text = plan.part("plan_module_call", **fields)
            yield f"plan_module_call {number}", text
    if asked := plan.scope.get("asked"):
        path, owner, rows = asked
        listed = plan.listed([f"`{method}`" for method, _ in rows])
        fields = {"item": owner, "other": path, "members": listed}
        yield "plan_asked", plan.part("plan_asked", **fields)


def _keys(plan: PlanScope) -> Iterator[Step]:
    """Say where the keys of siblings occur besides."""
    sites = plan.rows("key_sites")
    items = [
        plan.part(
            _KEY_PARTS.get(kind, "plan_key_item"),
            other=path,
            where=where,
            **plan.counts(len(pairs)),
        )
        for kind, path, where, pairs in sites
    ]
    every = {number: key for *_, pairs in sites for number, key in pairs}
    sibling, key = plan.shown_pair([*every.items()])
    if items and sibling:
        listed = plan.listed(items)
        model = plain_name(sibling)
        fields = {"members": listed, "like": key, "model": model}
        yield "plan_keys", plan.part("plan_keys", **fields)
