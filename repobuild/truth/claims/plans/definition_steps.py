"""Check steps that say what a new sibling defines: home, bases, methods, attributes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import NamedTuple

from repobuild.truth.claims.plans.plan_subject import (
    PlanSubject,
    StepCheck,
    StepFields,
    quoted_names,
    split_id,
)
from repobuild.truth.claims.plans.step_readings import has_numbers
from repobuild.truth.tree.python_reader import PythonFile, display_name, last_name
from repobuild.truth.tree.site_reader import (
    class_attributes,
    code_of,
    leaves_open,
    words_of,
)


class _Item(NamedTuple):
    """A name in a list, and how many of how many siblings define it."""

    name: str
    having: int
    total: int


def _check_home(plan: PlanSubject, fields: StepFields) -> str:
    there = [id for id in plan.siblings if split_id(id).path == fields["other"]]
    return "" if len(there) == int(fields["count"]) else f"{len(there)} are there"


def _check_new_file(plan: PlanSubject, fields: StepFields) -> str:
    homes = {split_id(id).path for id in plan.siblings}
    if fields["other"] not in homes:
        return "no sibling is there"
    if "::" in plan.siblings[0] and not _is_alone(plan, fields["other"]):
        return f"{fields['other']} holds more than one"
    folders = {path.rpartition("/")[0] or "." for path in homes}
    return "" if fields["folder"] in folders else "no sibling is in this folder"


def _is_alone(plan: PlanSubject, path: str) -> bool:
    """Return whether a file defines nothing public beside one sibling."""
    file = plan.python(path)
    if file is None:
        return True
    top = [one.name for one in file.children("") if not one.name.startswith("_")]
    return len(set(top)) == 1


def _check_base(plan: PlanSubject, fields: StepFields) -> str:
    base = display_name(plan.base.qual)
    return "" if fields["base"] == base else f"it is {base}"


def check_bases(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when the sibling has just these bases, apart from general ones and
    those that are made for it, by a name of their own.
    """
    found = plan.sibling_named(fields["model"])
    if found is None:
        return f"there is no sibling {fields['model']}"
    node = found[0].definitions[found[1]].node
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    known = [
        "".join(ast.unparse(one).split())
        for one in bases
        if last_name(one) not in ("Generic", "Protocol")
        if not any(map(_is_text, ast.walk(one)))
    ]
    named = quoted_names(fields["members"])
    same = ["".join(one.split()) for one in named] == known
    return "" if same else f"its bases are {', '.join(known)}"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _check_own(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when the sibling defines just these methods, apart from stubs, and its
    body sets just these attributes.
    """
    found = plan.sibling_named(fields["model"])
    if found is None:
        return f"there is no sibling {fields['model']}"
    file, qual = found
    known = {
        one.name
        for one in file.children_by_name(qual).values()
        if one.kind == "method" and not file.is_stub(one) and one.name.strip("_")
    }
    sets = {one for one in class_attributes(*found) if not one.startswith("__")}
    named = set(quoted_names(fields["members"]))
    # A branch of its body may set some, and a statement several.
    wanted = {*known, *(one for one in sets if _is_set_plainly(*found, one))}
    wanted -= {one for one in wanted if _is_left_open(plan, one)}  # a step tells them
    if wanted <= named <= known | sets:
        return ""
    return f"it defines {', '.join(sorted(known | sets))}"


def _is_left_open(plan: PlanSubject, name: str) -> bool:
    path, base = plan.base
    file = plan.python(path) if path else None
    return file is not None and leaves_open(file, f"{base}.{name}")


def _is_set_plainly(file: PythonFile, qual: str, name: str) -> bool:
    """Return whether a class's body sets a name by a statement of its own."""
    for node in file.definitions[qual].node.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            if targets[0].id == name:
                return True
    return False


def _check_wording(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a decorator, or a pattern with its arguments, is the family's."""
    pattern = plan.evidence["family"][3]
    if fields["pattern"] != pattern:
        return f"it is {pattern}"
    for name in quoted_names(fields.get("members", "")):
        for id in plan.siblings:
            one = plan.definition(id)
            if one and name not in {p.name for p in one.parameters()}:
                return f"{one.qual} takes no {name}"
    return ""


def _check_decorated(plan: PlanSubject, fields: StepFields) -> str:
    count, last = 0, fields["pattern"].rpartition(".")[2]
    for id in plan.siblings:
        path, qual = split_id(id)
        file = plan.python(path)
        if file is None:
            return ""  # of another language
        one = file.definitions.get(qual)
        count += one is not None and last in one.decorators
    return "" if count == int(fields["count"]) else f"{count} have it"


def _check_most(plan: PlanSubject, fields: StepFields) -> str:
    return _check_items(plan, fields, _defines, is_usual=True)


def _check_attributes(plan: PlanSubject, fields: StepFields) -> str:
    return _check_items(plan, fields, _assigns, is_usual=True)  # no methods


def _check_some(plan: PlanSubject, fields: StepFields) -> str:
    return _check_items(plan, fields, _defines, is_usual=False)


def _check_choice(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when each sibling defines one of these, which one method of the base
    names.
    """
    if problem := _check_items(plan, fields, _defines, is_usual=False):
        return problem
    names = quoted_names(fields["members"])
    for id in plan.siblings:
        is_python = plan.python(split_id(id).path) is not None
        if is_python and not any(_defines(plan, id, name) for name in names):
            return f"{id} defines none of them"
    path, base = plan.base
    file = plan.python(path)
    inner = file.children_by_name(base).values() if file else ()
    code = (code_of(file, one.qual) for one in inner if file)
    is_named = any(words_of(text).issuperset(names) for text in code)
    return "" if is_named else f"no method of {base} names them"


def _check_abstract(plan: PlanSubject, fields: StepFields) -> str:
    path, base = plan.base
    file = plan.python(path)
    for name in quoted_names(fields["members"]):
        if file is not None and not leaves_open(file, f"{base}.{name}"):
            return f"{base}.{name} is not left open"
    return _check_items(plan, fields, _defines)


def _check_items(
    plan: PlanSubject,
    fields: StepFields,
    defines: Callable[[PlanSubject, str, str], bool],
    is_usual: bool | None = None,
) -> str:
    """Return "" when as many siblings define each name as the text says.

    With `is_usual` these have to be most siblings, or fewer.
    """
    total = len(plan.siblings)
    is_python = any(plan.python(split_id(id).path) for id in plan.siblings)
    for text in fields["members"].split(plan.templates.words["join"]):
        item = _read_item(plan, text)
        if item is None:
            return f"{text} does not read as {plan.templates.parts['plan_item']}"
        if item.total != total:
            return f"{total} siblings are compared"
        count = item.having
        if is_python:
            count = sum(defines(plan, id, item.name) for id in plan.siblings)
            # What most define as a method, one may set as an attribute.
            set_ = sum(_assigns(plan, id, item.name) for id in plan.siblings)
            count = item.having if count - set_ == item.having > set_ else count
        if count != item.having:
            return f"{count} define {item.name}"
        if is_usual is not None and is_usual != (count * 2 > total):
            return f"{count} of {total} define it"
    return ""


def _read_item(plan: PlanSubject, text: str) -> _Item | None:
    for fields in plan.templates.match_parts(("plan_item",), text):
        if has_numbers(fields):
            item = {name: value for (_, name), value in fields.items()}
            return _Item(item["item"], int(item["count"]), int(item["total"]))
    return None


def _defines(plan: PlanSubject, id: str, name: str) -> bool:
    path, qual = split_id(id)
    file = plan.python(path)
    if file is None:
        return False
    inner = f"{qual}.{name}" if qual else name
    one = file.children_by_name(qual).get(name) if qual else None
    if one is not None and one.kind == "method" and file.is_stub(one):
        return False
    return inner in file.definitions or _assigns(plan, id, name)


def _assigns(plan: PlanSubject, id: str, name: str) -> bool:
    """Return whether the body of a class assigns to a name."""
    path, qual = split_id(id)
    file = plan.python(path)
    return file is not None and bool(qual) and name in class_attributes(file, qual)


DEFINITION_STEPS: Mapping[str, StepCheck] = {
    "plan_home": _check_home,
    "plan_home_all": _check_home,
    "plan_new_file": _check_new_file,
    "plan_base": _check_base,
    "plan_bases": check_bases,
    "plan_decorator": _check_wording,
    "plan_name": _check_wording,
    "plan_decorated": _check_decorated,
    "plan_abstract": _check_abstract,
    "plan_methods": _check_most,
    "plan_choice": _check_choice,
    "plan_some": _check_some,
    "plan_attributes": _check_attributes,
    "plan_own": _check_own,
    "plan_own_besides": _check_own,
}
