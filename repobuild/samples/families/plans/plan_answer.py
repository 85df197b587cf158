"""Put the text of a plan together: reasons, steps, and code where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.families.plans.plan_companions import companion_steps
from repobuild.samples.families.plans.plan_contents import content_steps
from repobuild.samples.families.plans.plan_places import place_steps
from repobuild.samples.families.plans.plan_scope import (
    DOCUMENT,
    NAMED,
    PERHAPS,
    SITE,
    PlanScope,
    Step,
)
from repobuild.samples.families.registration import RAISES, TABLES
from repobuild.samples.families.sibling_code import without_docstring
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.trace import numbered

_LONGEST = 980  # characters of an answer, below the default of samples.max_answer
_MOST_CAME = 3  # files that came along
_LINKS = 2  # to other code that say enough without the code of the model
_REGISTERS = (*TABLES, "function", *RAISES)
_SHORTER = "shorter"  # names the model alone of the siblings
# Steps that say what a new one consists of.
_CONTENTS = frozenset(
    "plan_abstract plan_methods plan_choice plan_own plan_attributes".split()
)
# Steps that a question says itself, or that hold for all code.
_SAID = frozenset(
    "plan_home plan_base plan_decorator plan_name plan_some plan_changelog".split()
)
# What a long plan can do without, the first to go first.
_SPARE = (
    "plan_looked",
    _SHORTER,
    "plan_attributes",
    "plan_past",
    "plan_partners",
    "plan_some",
)
_FILE_STEPS = frozenset(
    (
        "plan_home",
        "plan_made",
        "plan_helper",
        "plan_member",
        "plan_constant",
        "plan_paired 0",
        "plan_paired 1",
        "plan_module_import",
        "plan_asked",
        "plan_keys",
        "plan_tests",
        "plan_together",
        "plan_partners",
        "plan_changelog",
    )
)
_NUMBERED_FILE_STEPS = (SITE, DOCUMENT, PERHAPS, "plan_test_")


def plan_answer(plan: PlanScope, kind: str, **fields: str) -> str:
    """Return reasoning, steps and code, without what is spare in a long one.

    Return "" where they tell little more than the question does: nothing of other
    code that a new one needs, or little of that and no code of the model.
    """
    frame = plan.scope.answer(kind, **{"noun": plan.noun, **fields})
    reasons, steps = dict(_reasons(plan)), dict(_steps(plan))
    links = len([one for one in steps if one not in _SAID | _CONTENTS])
    links -= sum(one.startswith(DOCUMENT) for one in steps)
    links += "plan_past" in reasons
    is_telling = links >= _LINKS or _is_registered(plan)
    is_telling &= not _CONTENTS.isdisjoint(steps)
    if not _are_certain(steps):
        return ""
    longest = fitting = ""
    for spare in ("", *_SPARE):
        reasons.pop(spare, None)
        if spare == _SHORTER:
            reasons["plan_pattern"] = _pattern_of(plan, [plan.model.id])
        steps.pop(spare, None)
        text = frame + plan.part("plan_reasoning", items=numbered([*reasons.values()]))
        text += plan.part("plan_steps", items=numbered([*steps.values()]))
        longest = longest or text
        if len(text) <= _LONGEST:
            fitting = fitting or text
        if spare == "plan_some":
            break  # no code is worth it
        if code := _example(plan, _LONGEST - len(text)):
            return text + code if links else ""
    return (fitting or longest) if is_telling else ""


def _is_registered(plan: PlanScope) -> bool:
    """Return whether there is a place without which a new one does not work."""
    return any(kind in _REGISTERS for kind, *_ in plan.rows("sites"))


def plan_files(plan: PlanScope) -> dict[str, str]:
    """Return the reasons and the files of a new sibling; empty for one file."""
    steps = [
        text
        for part, text in _steps(plan)
        if part in _FILE_STEPS or part.startswith(_NUMBERED_FILE_STEPS)
    ]
    if len(steps) < 2 or not _are_certain(part for part, _ in _steps(plan)):
        return {}
    reasons = [text for _, text in _reasons(plan)]
    return {"reasons": numbered(reasons), "items": numbered(steps)}


def _reasons(plan: PlanScope) -> Iterator[Step]:
    count, total = plan.count, plan.scope.get("count")
    is_short = total < NAMED or len(plan.scope.get("homes")) == 1
    ids = [plan.model.id, *plan.shown][: NAMED if is_short else 2]
    yield "plan_pattern", _pattern_of(plan, ids)
    if total > count:
        yield "plan_looked", plan.part("plan_looked", count=str(count))
    hidden = set(
        plan.scope.without_held_out(
            [id for _, ids, _ in plan.rows("past") for id in ids]
        )
    )
    for subject, ids, paths in plan.rows("past"):
        if not hidden.issuperset(ids) or not paths:
            continue
        names = answer_parts.list_elements(plan.listing, ids, files=True)
        text = answer_parts.list_texts(plan.scope, [f"`{one}`" for one in paths])
        subject = subject.replace("`", "'")
        fields = {"subject": subject, "members": names, "paths": text}
        yield "plan_past", plan.part("plan_past", **fields)
        break


def _pattern_of(plan: PlanScope, ids: list[str]) -> str:
    """Return how many siblings there are, and name some."""
    total = plan.scope.get("count")
    return plan.part(
        ("plan_pattern" if total == len(ids) else "plan_pattern_some")
        + ("_public" if _are_public(plan) else ""),
        total=str(total),
        members=answer_parts.list_elements(plan.listing, ids, files=True),
        project=str(plan.scope.get("project")),
    )


def _are_public(plan: PlanScope) -> bool:
    """Return whether siblings of a private name are left out (membership.py)."""
    base = plan.family.where.rpartition("::")[2].rpartition(".")[2]
    return plan.family.kind == "subclass" and not base.startswith("_")


def _steps(plan: PlanScope) -> Iterator[Step]:
    """Yield all steps: what a new one defines, where it is entered, what came along."""
    yield from content_steps(plan)
    yield from companion_steps(plan)
    yield from place_steps(plan)
    yield from _test_steps(plan)
    yield from _history_steps(plan)


def _test_steps(plan: PlanScope) -> Iterator[Step]:
    for path, _ in plan.rows("tests")[:1]:
        yield "plan_tests", plan.part("plan_tests", other=path)
    for number, (path, where, is_variable) in enumerate(_test_lists(plan)):
        part = "plan_test_list" if is_variable else "plan_test_parameters"
        fields = {"where": where, "other": path, "total": str(plan.count)}
        yield f"{part} {number}", plan.part(part, **fields)


def _history_steps(plan: PlanScope) -> Iterator[Step]:
    """Say which other files came along before, and which log has new ones."""
    known = {site[1] for site in plan.rows("sites")}
    known |= {path for path, _ in plan.rows("tests")}
    known |= {path for path, *_ in _test_lists(plan)}
    known |= {path for path, _ in plan.scope.get("homes")}
    past = plan.scope.get("past_count")
    together = [[*one, past] for one in plan.rows("together")]
    for part, rows in (
        ("plan_together", together),
        ("plan_partners", plan.rows("partners")),
    ):
        rows = [row for row in rows if row[0] not in known][:_MOST_CAME]
        known |= {path for path, *_ in rows}
        items = [
            plan.part("plan_came", other=path, count=str(n), total=str(total))
            for path, n, total in rows
        ]
        if items:
            listed = plan.listed(items)
            home = plan.scope.get("homes")[0][0]
            yield part, plan.part(part, members=listed, home=home)
    log = plan.scope.get("changelog")
    if log and log not in known:
        yield "plan_changelog", plan.part("plan_changelog", other=log)


def _test_lists(plan: PlanScope) -> list[Value]:
    """Return the parameters and lists in tests that hold all siblings.

    There are none where only some of the siblings were compared.
    """
    is_of_all = plan.scope.get("count") == plan.count
    return plan.rows("test_lists") if is_of_all else []


def _example(plan: PlanScope, room: int) -> str:
    """Return the model's code, or its outline where there is no room, or ""."""
    name, fence = strip_counts(plan.model.code_qual), plan.scope.get("language")
    fields = {"element": name, "other": plan.model.path}
    shorter = without_docstring(plan.model.code)
    for part, code in (
        ("plan_code", plan.model.code),
        ("plan_code", shorter),
        ("plan_outline", plan.model.outline),
    ):
        shown = plan.scope.phrases.words["code"].format(fence=fence, code=code)
        text = plan.part(part, code=shown, **fields)
        if code and len(text) <= room:
            return text
    return ""


def _are_certain(steps: Iterable[str]) -> bool:
    """Return whether a new one needs something, and not only perhaps."""
    uncertain = _SAID | _CONTENTS | {"plan_keys"}
    return any(
        one not in uncertain and not one.startswith((DOCUMENT, PERHAPS))
        for one in steps
    )
