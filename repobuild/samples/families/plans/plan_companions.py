"""Say what a new sibling needs besides itself: classes, functions, a member, a key."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.facts.element_row import name_of
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.families.plans.plan_scope import (
    PERHAPS,
    PlanScope,
    Step,
    plain_name,
)
from repobuild.samples.tasks import answer_parts

_BASE_STEP = f"{PERHAPS} base"
_FEWEST_OWN_BASES = 3  # siblings with a base of their own, that show a habit


def companion_steps(plan: PlanScope) -> Iterator[Step]:
    """Say what a new one needs besides itself: classes, functions, a member."""
    made = plan.rows("made")
    own = (plan.scope.get("own") or {}).get(plan.model.id, ())
    allowed = plan.scope.without_held_out(list(own))
    if made and plan.is_like and allowed:
        members = answer_parts.list_elements(
            plan.listing, allowed, more=len(allowed) < len(own)
        )
        fields = {"members": members, "model": plan.model.name}
        yield "plan_made", plan.part("plan_made_like", **fields)
    elif made and not plan.is_like:
        yield from _shown_by_model(plan, "plan_made", *made[0])
    for path, pairs in plan.rows("helpers")[:1]:
        yield from _shown_by_model(plan, "plan_helper", path, pairs)
    for enum, pairs in plan.rows("members")[:1]:
        yield from _shown_by_model(plan, "plan_member", enum, pairs)
    yield from _own_of_some(plan)
    yield from _entered(plan)


def _own_of_some(plan: PlanScope) -> Iterator[Step]:
    """Say what most siblings have, and not every one: constants, a base class.

    With a model it is that of the model.
    """
    for step, name in (("plan_constant", "constants"), (_BASE_STEP, "own_bases")):
        for path, pairs in plan.scope.get(name) or ():
            sibling, one = plan.shown_pair(pairs)
            is_base = step == _BASE_STEP
            is_told = sibling == plan.model.id or not plan.is_like
            if is_base:
                is_told = not plan.is_like and sibling != plan.model.id
                is_told &= len(pairs) >= _FEWEST_OWN_BASES
            if sibling and is_told:
                fields = {"model": plain_name(sibling)}
                fields |= plan.counts(len(pairs))
                part = "plan_base_some" if is_base else step
                like = name_of(one.partition("::")[2]) if is_base else one
                yield step, plan.part(part, other=path, like=like, **fields)


def _shown_by_model(
    plan: PlanScope, part: str, id: str, pairs: list[Value]
) -> Iterator[Step]:
    """Say what most siblings have, by that of the model or of another one."""
    sibling, like = plan.shown_pair(pairs, id)
    if sibling:
        text = plan.part(
            part,
            item=plain_name(id),
            other=id.partition("::")[0],
            like=strip_counts(like.rpartition("::")[2]),
            model=plain_name(sibling),
            **plan.counts(len(pairs)),
        )
        yield part, text


def _entered(plan: PlanScope) -> Iterator[Step]:
    """Say what is entered with a new one: its key, and its companion."""
    for owner, _, pairs in plan.rows("key_members"):
        sibling, key = plan.shown_pair(pairs)
        if sibling:
            yield (
                "plan_key_member",
                plan.part(
                    "plan_key_member",
                    item=plain_name(owner),
                    other=owner.partition("::")[0],
                    like=key,
                    model=plain_name(sibling),
                ),
            )
    made = {base for base, _ in plan.rows("made")}  # told before
    paired = [row for row in plan.rows("paired") if row[0] not in made]
    for number, (group, pairs) in enumerate(paired):
        sibling, one = plan.shown_pair(pairs)
        path, _, base = group.partition("::")
        if sibling:
            part = "plan_paired" if base else "plan_paired_function"
            fields = {"item": strip_counts(base)} if base else {}
            yield (
                f"plan_paired {number}",
                plan.part(
                    part,
                    other=one.partition("::")[0] if base else path,
                    like=plain_name(one),
                    model=plain_name(sibling),
                    **plan.counts(len(pairs)),
                    **fields,
                ),
            )
