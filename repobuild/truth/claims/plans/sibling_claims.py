"""Check that siblings are a family, how it is called, how many they are, and code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase

from repobuild.truth.claims.list_claims import ParsedList, parse_list
from repobuild.truth.claims.plans.outline_claims import check_outline
from repobuild.truth.claims.plans.plan_subject import (
    PlanSubject,
    StepCheck,
    StepFields,
    bare_name,
    shown_name,
    split_id,
)
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.prose_match import occurs
from repobuild.truth.subject import DeferredClaim
from repobuild.truth.tree.python_reader import PythonDefinition, display_name

_MOST_COMPARED = 40  # siblings of a family that a plan counts


def check_sibling(plan: PlanSubject, id: str) -> str:
    """Return why an element does not belong to the family, "" when it does."""
    kind, where, owner, pattern = plan.evidence["family"]
    path, qual = split_id(id)
    definition = plan.index.definition(id)
    if kind == "modules":
        holds = path.rpartition("/")[0] == where and path in plan.index.paths
        return "" if holds else f"it is no file of {where}"
    if definition is None:
        return "" if plan.index.occurs_in_text(id) else "there is no such element"
    if kind == "subclass":
        bare = display_name(plan.base.qual).rpartition(".")[2]
        if plan.base.path and plan.base in plan.index.possible_bases(path, qual):
            return ""
        return "" if bare in definition.bases else f"its bases: {definition.bases}"
    if kind == "functions":
        holds = path == where and qual.rpartition(".")[0] == owner
        named = fnmatchcase(bare_name(id), pattern)
        return "" if holds and named else f"it is no `{pattern}` there"
    one = plan.definition(id)
    last = pattern.rpartition(".")[2]
    return "" if one is None or last in one.decorators else "it has no such decorator"


def check_noun(plan: PlanSubject, text: str) -> str:
    """Return "" when a noun is the family's in one of the wordings."""
    kind, where, owner, pattern = plan.evidence["family"]
    folders = Counter(id.partition("::")[0].rpartition("/")[0] for id in plan.siblings)
    folder = min(folders, key=lambda one: (-folders[one], one)) if folders else ""
    fields = {
        "base": display_name(where.rpartition("::")[2]),
        "path": where.partition("::")[0],
        "folder": (where if kind == "decorated" else folder) or ".",
        "owner": owner,
        "pattern": pattern,
    }
    parts = (one for one in plan.templates.parts if one.startswith("noun_"))
    right = {plan.templates.parts[part].format_map(fields) for part in parts}
    return "" if text in right else f"it is none of {sorted(right)}"


def check_model(plan: PlanSubject, text: str) -> str:
    """Return "" when a name, or a path, is that of a single sibling."""
    shown = [shown_name(id) for id in plan.siblings]
    shown += {split_id(id).path for id in plan.siblings if "::" in id}
    count = shown.count(text)
    return "" if count == 1 else f"{count} siblings are named so"


def check_summary(plan: PlanSubject, text: str) -> str:
    for id in plan.siblings:
        one = plan.index.definition(id)
        if one is not None and occurs(text, one.doc):
            return ""
    return "no sibling is documented so"


def check_code(plan: PlanSubject, part: str, text: str) -> str:
    """Return "" when the element that is named is written so, or has this outline.

    Its docstring may be left out.
    """
    path, qual = plan.fields[part, "other"], plan.fields[part, "element"]
    if not any(id.partition("::")[0] == path for id in plan.siblings):
        return "no sibling is there"
    file = plan.python(path)
    wanted = _code_lines(text.split("\n"))
    if file is None:
        lines = _code_lines((plan.read(path) or "").split("\n"))
        starts = range(len(lines) - len(wanted) + 1)
        same = any(lines[start : start + len(wanted)] == wanted for start in starts)
        return "" if same else f"{path} has no such lines"
    if part == "plan_outline":
        return check_outline(file, qual, text)
    found = [d for d in file.definitions.values() if display_name(d.qual) == qual]
    options = [
        _code_lines(
            file.lines[one.decorated_start - 1 : start] + file.lines[end : one.end]
        )
        for one in found
        for start, end in {(one.end, one.end), _docstring_lines(one)}
    ]
    return "" if wanted in options else f"{qual} is not written so"


def _code_lines(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _docstring_lines(definition: PythonDefinition) -> tuple[int, int]:
    """Return the rows of a docstring, from 0; an empty range at the end without one."""
    if not definition.doc:
        return definition.end, definition.end
    first = definition.node.body[0]
    return first.lineno - 1, first.end_lineno or definition.end


def _check_pattern(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when the project has as many siblings, and these among them."""
    claim = DeferredClaim("project", "", plan.sample["element"], fields["project"])
    if problem := PROJECT_CLAIMS["project"](plan.index, claim):
        return problem
    total, count = int(fields["total"]), len(plan.siblings)
    if total != count and not total > count == _MOST_COMPARED:
        return f"there are {count}"
    path = plan.sample["element"].partition("::")[0]
    parsed = parse_list(fields["members"], plan.templates, path, plan.sample["sources"])
    if not isinstance(parsed, ParsedList):
        return parsed
    if strange := set(parsed.ids) - set(plan.siblings):
        return f"{min(strange)} is none of them"
    has_no_others = parsed.has_more and len(parsed.ids) >= total
    return "there are no others" if has_no_others else ""


def _check_looked(plan: PlanSubject, fields: StepFields) -> str:
    return "" if int(fields["count"]) == len(plan.siblings) else "it is another number"


SIBLING_STEPS: Mapping[str, StepCheck] = {
    "plan_pattern": _check_pattern,
    "plan_pattern_some": _check_pattern,
    "plan_pattern_public": _check_pattern,
    "plan_pattern_some_public": _check_pattern,
    "plan_looked": _check_looked,
}
