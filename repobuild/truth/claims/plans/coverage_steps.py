"""Check steps about tests: which cover siblings, and which lists in them hold all."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence

from repobuild.truth.claims.plans.plan_subject import (
    COUNTED_OTHERWISE,
    NAME,
    PlanSubject,
    StepCheck,
    StepFields,
    bare_name,
    is_touched,
    split_id,
)
from repobuild.truth.tree.python_reader import last_name
from repobuild.truth.tree.site_reader import words_of


def _check_tests(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a file names most siblings, or is named after their files."""
    path = fields["other"]
    found = plan.evidence_of("tests", path)
    if found is None or not set(found[0]) <= set(plan.siblings):
        return COUNTED_OTHERWISE
    covered = found[0]
    if len(covered) * 2 <= len(plan.siblings):
        return "these are too few"
    if NAME in path:
        return "" if is_touched(path, plan.index.paths) else "there is none"
    text = plan.read(path)
    if text is None:
        return "there is no such file"
    words, stem = words_of(text), path.rpartition("/")[2].lower()
    homes = Counter(split_id(id).path for id in plan.siblings)
    for id in covered:
        file = split_id(id).path
        is_its_own = homes[file] == 1 and bare_name(file).strip("_").lower() in stem
        names = {bare_name(id)} | plan.index.other_names(bare_name(id))
        if not is_its_own and names.isdisjoint(words):
            return f"it does not name {id}"
    return ""


def _check_test_parameters(plan: PlanSubject, fields: StepFields) -> str:
    file = plan.python(fields["other"])
    one = file.definitions.get(fields["where"]) if file else None
    if one is None or isinstance(one.node, ast.ClassDef):
        return "there is no such test or fixture"
    return _check_holds_all(plan, fields, one.node.decorator_list)


def _check_test_list(plan: PlanSubject, fields: StepFields) -> str:
    file = plan.python(fields["other"])
    if file is None:
        return "there is no such file"
    lists = [
        node.value
        for node in file.tree.body
        if isinstance(node, ast.Assign)
        and fields["where"] in map(ast.unparse, node.targets)
    ]
    return _check_holds_all(plan, fields, lists)


def _check_holds_all(
    plan: PlanSubject, fields: StepFields, places: Sequence[ast.expr]
) -> str:
    """Return "" when one of these expressions names every sibling."""
    wanted = set(map(bare_name, plan.siblings))
    for place in places:
        nodes = (one for one in ast.walk(place) if isinstance(one, ast.expr))
        if wanted.issubset(map(last_name, nodes)):
            return ""
    return "it does not have all of them"


COVERAGE_STEPS: Mapping[str, StepCheck] = {
    "plan_tests": _check_tests,
    "plan_test_parameters": _check_test_parameters,
    "plan_test_list": _check_test_list,
}
