"""Say where a new sibling goes and what it defines: base, methods, attributes."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.facts.element_row import name_of
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.families.plans.plan_scope import PlanScope, Step


def content_steps(plan: PlanScope) -> Iterator[Step]:
    """Yield the file that a new one goes into, and what it defines there."""
    yield _home(plan)
    yield from _definitions(plan)


def _home(plan: PlanScope) -> Step:
    """Say where a new one goes."""
    homes = plan.scope.get("homes")
    path, count = homes[0]
    if plan.scope.get("new_file"):
        folder = plan.scope.get("folder") or "."
        part, other = "plan_new_file", plan.model.path
        fields = {"folder": folder, "other": other}
        return "plan_home", plan.part(part, **fields)
    part = "plan_home_all" if count == plan.count else "plan_home"
    return "plan_home", plan.part(part, other=path, **plan.counts(count))


def _definitions(plan: PlanScope) -> Iterator[Step]:
    """Say what it defines: base, methods, attributes, arguments."""
    if plan.family.kind == "subclass":
        base = strip_counts(plan.family.where.rpartition("::")[2])
        if plan.model.bases:
            yield "plan_base", _base_classes(plan)
        else:
            yield "plan_base", plan.part("plan_base", base=base)
    elif plan.family.kind == "decorated":
        yield "plan_decorator", plan.part("plan_decorator", pattern=plan.family.pattern)
    elif plan.family.kind == "functions":
        yield (
            "plan_name",
            plan.part(
                "plan_name",
                pattern=plan.family.pattern,
                members=plan.quoted(plan.scope.get("arguments")),
            ),
        )
    yield from _decorators(plan)
    rows = plan.rows("required")
    is_own = plan.is_like and bool(plan.model.methods)
    for part, is_wanted in (("plan_abstract", True), ("plan_methods", False)):
        items = [
            plan.item(name, count)
            for name, count, is_abstract in rows
            if is_abstract == is_wanted
        ]
        if items and (is_wanted or not is_own):
            yield part, plan.part(part, members=plan.listed(items))
    open_ones = {name for name, _, is_abstract in rows if is_abstract}
    own = [one for one in plan.model.methods if one not in open_ones]
    if is_own and own:
        listed = plan.quoted(own)
        fields = {"members": listed, "model": plan.model.name}
        part = "plan_own_besides" if open_ones else "plan_own"
        yield "plan_own", plan.part(part, **fields)
    elif not is_own:
        yield from _chosen(plan)
    if not plan.is_like:  # the model sets what is told of it, and nothing else
        yield from _attributes(plan)


def _chosen(plan: PlanScope) -> Iterator[Step]:
    """Say of which methods each sibling defines one, and what only some define."""
    for name in ("choice", "some"):
        if items := [plan.item(*item) for item in plan.scope.get(name) or ()]:
            listed = plan.listed(items)
            yield f"plan_{name}", plan.part(f"plan_{name}", members=listed)


def _base_classes(plan: PlanScope) -> str:
    """Say what it inherits from; one made for the model is one to make."""
    model = plan.model.name
    for path, pairs in plan.rows("own_bases"):
        own = {plan.ids[number]: id for number, id in pairs}.get(plan.model.id)
        if own is None or not plan.scope.without_held_out([own]):
            continue
        like = name_of(own.partition("::")[2])
        others = [one for one in plan.model.bases if one.rpartition(".")[2] != like]
        is_elsewhere = path != plan.model.path
        return plan.part(
            "plan_base_own_bound" if is_elsewhere else "plan_base_own",
            members=plan.quoted(others),
            other=path,
            like=like,
            model=model,
            **plan.counts(len(pairs)),
            **({"home": plan.model.path} if is_elsewhere else {}),
        )
    listed = plan.quoted(plan.model.bases)
    return plan.part("plan_bases", members=listed, model=model)


def _decorators(plan: PlanScope) -> Iterator[Step]:
    """Say which decorators most classes have, or, with a model, those of it."""
    for number, (pattern, having) in enumerate(plan.rows("decorators")):
        if not plan.is_like or plan.model.id in [plan.ids[n] for n in having]:
            fields = {"pattern": pattern, **plan.counts(len(having))}
            text = plan.part("plan_decorated", **fields)
            yield f"plan_decorated {number}", text


def _attributes(plan: PlanScope) -> Iterator[Step]:
    """Say which class attributes most siblings set."""
    items = [plan.item(*row) for row in plan.rows("attributes")]
    if items:
        listed = plan.listed(items)
        yield "plan_attributes", plan.part("plan_attributes", members=listed)
