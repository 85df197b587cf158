"""Yield the claims of a plan, and check each of its steps by the part it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repobuild.truth.answer_template import Fields
from repobuild.truth.claims.plans.companion_steps import COMPANION_STEPS
from repobuild.truth.claims.plans.coverage_steps import COVERAGE_STEPS
from repobuild.truth.claims.plans.definition_steps import DEFINITION_STEPS
from repobuild.truth.claims.plans.history_steps import (
    HISTORY_STEPS,
    check_changed_together,
)
from repobuild.truth.claims.plans.place_steps import ENTRY_STEPS, PLACE_STEPS
from repobuild.truth.claims.plans.plan_subject import PlanSubject, StepCheck
from repobuild.truth.claims.plans.sibling_claims import (
    SIBLING_STEPS,
    check_code,
    check_model,
    check_noun,
    check_sibling,
    check_summary,
)
from repobuild.truth.claims.plans.step_readings import (
    StepReader,
    check_numbered,
    has_numbers,
)
from repobuild.truth.subject import CheckedClaim

_OTHER_STEPS: Mapping[str, StepCheck] = {
    **SIBLING_STEPS,
    **DEFINITION_STEPS,
    **COMPANION_STEPS,
    **ENTRY_STEPS,
    **COVERAGE_STEPS,
    **HISTORY_STEPS,
}
_CHECKS: Mapping[str, StepCheck] = {**PLACE_STEPS, **_OTHER_STEPS}
_SHARE_PARTS = ("plan_of", "plan_of_all", "plan_of_least")
# What share of the siblings has to be exceeded for a step to say what to do.
_SHARES = {
    "plan_home": 0.5,
    "plan_made": 0.5,
    "plan_decorated": 0.5,
    "plan_paired": 0.5,
    "plan_paired_function": 0.5,
    "plan_module_call": 0.5,
    "plan_helper": 0.5,
    "plan_constant": 0.5,
    "plan_member": 0.5,
    "plan_raise": 0.5,
    "plan_raise_in": 0.5,
    "plan_function": 0.9,
    "plan_function_some": 0.5,
}


def check_plan(plan: PlanSubject) -> Iterator[CheckedClaim]:
    """Yield every claim of a plan."""
    if plan.kind == "together":
        yield from check_changed_together(plan)
        return
    for id in plan.siblings:
        yield CheckedClaim("sibling", id, check_sibling(plan, id))
    if len(set(plan.siblings)) < max(2, len(plan.siblings)):
        yield CheckedClaim("sibling", "", "siblings are repeated, or too few")
    for (part, name), text in plan.fields.items():
        if name == "noun":
            yield CheckedClaim("noun", text, check_noun(plan, text))
        elif name in ("items", "reasons"):
            yield from _check_steps(plan, text)
        elif name == "like":
            yield CheckedClaim("model", text, check_model(plan, text))
        elif name == "summary":
            yield CheckedClaim("summary", text, check_summary(plan, text))
        elif name == "fence":
            file = plan.index.files.get(plan.fields[part, "other"])
            right = file is not None and file.language == text
            yield CheckedClaim("language", text, "" if right else "it is another one")
        elif name == "code":
            yield CheckedClaim("code", text, check_code(plan, part, text))


def _check_steps(plan: PlanSubject, text: str) -> Iterator[CheckedClaim]:
    reader = StepReader(plan.templates, sorted(PLACE_STEPS), sorted(_OTHER_STEPS))

    def check(step: str) -> str:
        problems = [_check_step(plan, reading) for reading in reader.readings(step)]
        # One reading that holds is enough.
        return min(problems, key=bool, default="it is none of the known steps")

    yield from check_numbered(text, check)


def _check_step(plan: PlanSubject, reading: Fields) -> str:
    """Return "" when a step holds by one reading, the first field of its own part."""
    part = next(iter(reading))[0]
    fields = {name: text for (_, name), text in reading.items()}
    if "of" in fields:
        shares = plan.templates.match_parts(_SHARE_PARTS, fields["of"])
        share = next(filter(has_numbers, shares), None)
        if share is None:
            return f"{fields['of']} counts nothing"
        fields |= {name: text for (_, name), text in share.items()}
    fields.setdefault("count", fields.get("total", ""))  # where it names all
    if "total" in fields and part not in SIBLING_STEPS:
        if int(fields["total"]) != len(plan.siblings):
            return f"{len(plan.siblings)} siblings are compared"
        least = _SHARES.get(part, 0) * len(plan.siblings)
        if int(fields["count"]) <= least:
            return "these are too few"
    return _CHECKS[part](plan, fields)
