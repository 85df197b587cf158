"""Check steps about what a new sibling needs of its own besides: classes, functions,
constants, members of enums. Each sibling of the evidence has to have another one.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from repobuild.truth.claims.plans.definition_steps import check_bases
from repobuild.truth.claims.plans.plan_subject import (
    COUNTED_OTHERWISE,
    PlanSubject,
    StepCheck,
    StepFields,
    bare_name,
    check_example,
    check_pairs,
    quoted_names,
    shown_name,
    split_id,
)
from repobuild.truth.tree.python_reader import last_name
from repobuild.truth.tree.site_reader import class_attributes, code_of, words_of


def _check_made(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings make a class of their own below this base."""
    base = f"{fields['other']}::{fields['item']}"
    pairs = plan.pairs_of("made", base)
    if problem := check_pairs(plan, pairs, fields):
        return problem
    for sibling, one in pairs:
        is_below = split_id(base) in plan.index.possible_bases(*split_id(one))
        if not is_below or bare_name(one) not in plan.words_in(sibling):
            return f"{sibling} makes no {one}"
    return check_example(fields, ((id, shown_name(one)) for id, one in pairs))


def _check_made_like(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a sibling names these classes of the project."""
    found = plan.sibling_named(fields["model"])
    if found is None:
        return f"there is no sibling {fields['model']}"
    words = words_of(code_of(*found))
    for name in quoted_names(fields["members"]):
        if name not in plan.index.paths and name.rpartition(".")[2] not in words:
            return f"it names no {name}"
    return ""


def _check_helper(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings use a function of the file for themselves."""
    pairs = plan.pairs_of("helpers", fields["other"])
    if problem := check_pairs(plan, pairs, fields):
        return problem
    file = plan.python(fields["other"])
    for sibling, one in pairs:
        name = bare_name(one)
        is_there = file is not None and name in file.definitions
        if not is_there or name not in plan.words_in(sibling):
            return f"{sibling} uses no {one}"
    return check_example(fields, ((id, shown_name(one)) for id, one in pairs))


def _check_constant(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings name a constant of the file for themselves."""
    pairs = plan.pairs_of("constants", fields["other"])
    if problem := check_pairs(plan, pairs, fields):
        return problem
    known = words_of(plan.read(fields["other"]) or "")
    words = {id: plan.words_in(id) for id in plan.siblings}
    for sibling, one in pairs:
        users = [id for id in plan.siblings if one in words[id]]
        if one not in known or users != [sibling]:
            return f"{one} is not the constant of {sibling} alone"
    return check_example(fields, ((id, one) for id, one in pairs))


def _check_member(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings have a member of the enum for themselves."""
    rows = plan.pairs_of("members", f"{fields['other']}::{fields['item']}")
    if problem := check_pairs(plan, rows, fields):
        return problem
    file = plan.python(fields["other"])
    known = class_attributes(file, fields["item"]) if file else set()
    for sibling, member, holder in rows:
        if member not in known or member not in plan.words_in(holder):
            return f"{holder} names no {member}"
        if holder != sibling and bare_name(holder) not in plan.words_in(sibling):
            return f"{sibling} names no {holder}"
    return check_example(fields, ((id, member) for id, member, _ in rows))


# --------------------------------------------------------------- bases of their own


def _check_own_base(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings inherit from a class of the file, each from one
    of its own.
    """
    pairs = plan.pairs_of("own_bases", fields["other"])
    if problem := check_pairs(plan, pairs, fields):
        return problem
    bases = {id: _base_names(plan, id) for id in plan.siblings}
    heirs = Counter(name for names in bases.values() for name in names)
    for sibling, one in pairs:
        if bare_name(one) not in bases.get(sibling, ()):
            return f"{sibling} does not inherit from {one}"
        if heirs[bare_name(one)] > 1:
            return f"{one} is not the base of {sibling} alone"
    if problem := check_example(fields, ((id, bare_name(one)) for id, one in pairs)):
        return problem
    if "home" in fields:
        bound = words_of(plan.read(fields["home"]) or "")
        if fields["like"] not in bound:
            return f"{fields['home']} does not bind it"
    if "members" not in fields:
        return ""
    members = f"{fields['members']}{plan.templates.words['join']}`{fields['like']}`"
    return check_bases(plan, {**fields, "members": members})


def _base_names(plan: PlanSubject, id: str) -> set[str]:
    """Return the last names of a class's bases."""
    one = plan.definition(id)
    node = one.node if one else None
    return set(map(last_name, node.bases)) if isinstance(node, ast.ClassDef) else set()


# --------------------------------------------------------------- entered together


def _check_paired(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when siblings are named in one line with each its own companion."""
    base = fields.get("item", "")
    for group, pairs in plan.evidence.get("paired", ()):
        is_told = shown_name(group) == base if base else group == fields["other"]
        if not is_told or str(len(pairs)) != fields["count"]:
            continue
        if problem := check_pairs(plan, pairs, fields):
            return problem
        for sibling, one in pairs:
            if problem := _check_pair(plan, sibling, one, group if base else ""):
                return problem
        return check_example(fields, ((id, shown_name(one)) for id, one in pairs))
    return COUNTED_OTHERWISE


def _check_pair(plan: PlanSubject, sibling: str, one: str, base: str) -> str:
    """Return "" when the code of either, or a line of a place, names them both."""
    if plan.index.definition(one) is None:
        return f"there is no {one}"
    if base and split_id(base) not in plan.index.possible_bases(*split_id(one)):
        return f"{one} is no subclass of {base}"
    both = {bare_name(sibling), bare_name(one)}
    if any(both <= plan.words_in(id) for id in (sibling, one)):
        return ""
    is_named = any(both <= words_of(line) for line in _lines_of_places(plan))
    return "" if is_named else f"{sibling} is not entered with {one}"


def _lines_of_places(plan: PlanSubject) -> Iterator[str]:
    for path, *_ in plan.evidence["sites"]:
        yield from (plan.read(path) or "").split("\n")


COMPANION_STEPS: Mapping[str, StepCheck] = {
    "plan_made": _check_made,
    "plan_made_like": _check_made_like,
    "plan_helper": _check_helper,
    "plan_constant": _check_constant,
    "plan_member": _check_member,
    "plan_base_own": _check_own_base,
    "plan_base_own_bound": _check_own_base,
    "plan_base_some": _check_own_base,
    "plan_paired": _check_paired,
    "plan_paired_function": _check_paired,
}
