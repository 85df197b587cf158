"""Check steps about where a new sibling is entered: lists, tables, calls, documents.

The evidence names the siblings that a place holds; the place has to name them all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from repobuild.truth.claims.plans.plan_subject import (
    COUNTED_OTHERWISE,
    PlanSubject,
    StepCheck,
    StepFields,
    bare_name,
    check_example,
    quoted_names,
    shown_name,
    split_id,
)
from repobuild.truth.claims.plans.step_readings import has_numbers
from repobuild.truth.tree.python_reader import PythonFile
from repobuild.truth.tree.site_reader import (
    class_attributes,
    code_of,
    imported_modules,
    listed_items,
    names_in_place,
    words_of,
)

_ALL = "__all__"
_KEY_PARTS = ("plan_key_item", "plan_key_definition", "plan_key_document")
_KEPT = re.compile(r"\bself\.(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:\w+\.)*(\w+)\(")
_OWN_ATTRIBUTE = re.compile(r"\bself\.(\w+)")


def _check_place(part: str) -> StepCheck:
    """Return the check of a step about a place of this kind."""

    def check(plan: PlanSubject, fields: StepFields) -> str:
        path, where = fields["other"], fields.get("where", "")
        places = (where, "", _ALL)
        sites = [s for s in plan.evidence["sites"] if s[0] == path and s[1] in places]
        # A list and the imports of one file can name as many siblings, yet others.
        counted = [s[2] for s in sites if str(len(s[2])) == fields["count"]]
        problems = [_check_named(plan, part, fields, named) for named in counted]
        return min(problems, key=bool) if problems else COUNTED_OTHERWISE

    return check


def _check_named(
    plan: PlanSubject, part: str, fields: StepFields, named: list[str]
) -> str:
    """Return "" when a place has these siblings, as the step says."""
    if not set(named) <= set(plan.siblings):
        return COUNTED_OTHERWISE
    path, where = fields["other"], fields.get("where", "")
    text, file = plan.read(path), plan.python(path)
    if text is None:
        return "there is no such file"
    if part == "plan_entry" and where not in text:
        return f"it has no {where}"
    place = _ALL if part in ("plan_exports", "plan_listed") else where
    words = words_of(text)
    if file is not None and part not in ("plan_document", "plan_entry"):
        words = names_in_place(file, part, place)
    if file is not None and part == "plan_listed":
        words &= names_in_place(file, "plan_reexport", "")
    if lost := [one for one in named if bare_name(one) not in words]:
        return f"it does not name {lost[0]}"
    names = list(map(bare_name, named))
    if problem := _check_order(file, place, names, fields):
        return problem
    if problem := _check_branch(text, names, fields):
        return problem
    if "import" in fields and not any(_imports(text, one) for one in names):
        return "it imports none of them"
    lines = (one.strip() for one in text.split("\n"))
    return "" if fields.get("line", "") in ("", *lines) else "no such line"


def _check_order(
    file: PythonFile | None, place: str, names: list[str], fields: StepFields
) -> str:
    """Return "" when a list is sorted as the step says, or has the sibling in it."""
    if "behind" in fields and fields["behind"] not in names:
        return f"it does not hold {fields['behind']}"
    if file is None or not {"behind", "sorted", "part"} & fields.keys():
        return ""
    items = listed_items(file, place)
    if "part" in fields:
        places = [n for n, one in enumerate(items) if one in names]
        items = items[places[0] : places[-1] + 1] if places else []
    is_sorted = bool(items) and _is_sorted(items)
    if "behind" in fields:
        return "it is sorted" if is_sorted else ""
    return "" if is_sorted else "it is in another order"


def _is_sorted(items: list[str]) -> bool:
    """Return whether names are sorted, be it constants first and functions last."""
    kinds = [0 if one.isupper() else 1 if one[:1].isupper() else 2 for one in items]
    by_kind = [name for _, name in sorted(zip(kinds, items, strict=True))]
    return items in (sorted(items), sorted(items, key=str.lower), by_kind)


def _check_branch(text: str, names: list[str], fields: StepFields) -> str:
    """Return "" when the siblings are named below the line of an `if`, indented."""
    if "branch" not in fields:
        return ""
    under = quoted_names(fields.get("under", "")) or names
    lines = text.split("\n")
    for start, line in enumerate(lines):
        if line.strip() == fields["branch"]:
            if words_of(_block_below(lines, start)).issuperset(under):
                return ""
    return "they are not under it"


def _block_below(lines: list[str], start: int) -> str:
    """Return the lines after one that are indented more, up to one that is not."""
    inner = []
    for one in lines[start + 1 :]:
        if one.strip() and _indent(one) <= _indent(lines[start]):
            break
        inner.append(one)
    return "\n".join(inner)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _imports(text: str, name: str) -> bool:
    return bool(re.search(rf"\bimport\b[^=:]*\b{re.escape(name)}\b", text))


def _check_raised(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when these files raise the sibling, and import it if the step says."""
    paths = quoted_names(fields["members"])
    join = plan.templates.words["join"]
    homes = [id for id in plan.siblings if shown_name(id) == fields["model"]]
    if not homes or join.join(f"`{one}`" for one in paths) != fields["members"]:
        return "it cannot be read"
    name = bare_name(homes[0])
    for path in paths:
        file, text = plan.python(path), plan.read(path) or ""
        if file is None or name not in names_in_place(file, "plan_raise_in", ""):
            return f"{path} does not raise it"
        is_home = any(split_id(id).path == path for id in homes)
        if "import" in fields and not (is_home or _imports(text, name)):
            return f"{path} does not import it"
    return ""


# ------------------------------------------------------------------------- modules


def _check_module_import(plan: PlanSubject, fields: StepFields) -> str:
    found = plan.evidence_of("module_imports", fields["other"])
    file = plan.python(fields["other"])
    if found is None or str(len(found[0])) != fields["count"] or file is None:
        return COUNTED_OTHERWISE
    known = imported_modules(file)
    for id in found[0]:
        path = split_id(id).path.removesuffix("/__init__.py").removesuffix(".py")
        if id not in plan.siblings or path.rpartition("/")[2] not in known:
            return f"it does not import {id}"
    return ""


def _check_module_call(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many siblings' modules make this call, each by a line of it."""
    pairs = plan.pairs_of("module_calls", fields["line"].partition("(")[0])
    if str(len(pairs)) != fields["count"]:
        return COUNTED_OTHERWISE
    for sibling, line in pairs:
        if sibling not in plan.siblings:
            return f"{sibling} is no sibling"
        text = plan.read(split_id(sibling).path) or ""
        if line not in map(str.rstrip, text.split("\n")):
            return f"{sibling} makes no such call"
    return "" if fields["line"] in {line for _, line in pairs} else "no such line"


def _check_asked(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when methods of a class use the attributes that hold siblings."""
    file, owner = plan.python(fields["other"]), fields["item"]
    if file is None:
        return "there is no such file"
    made = _KEPT.findall(code_of(file, owner))
    for method in quoted_names(fields["members"]):
        found = plan.evidence_of("asked", fields["other"], owner, method)
        if found is None or not found[0]:
            return f"the evidence has no {method}"
        used = set(_OWN_ATTRIBUTE.findall(code_of(file, f"{owner}.{method}")))
        asked = {name for attribute, name in made if attribute in used}
        if not asked.issuperset(map(bare_name, found[0])):
            return f"{method} asks others"
    return ""


# ---------------------------------------------------------------------------- keys


def _check_key_member(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a file names siblings under attributes of this class."""
    owner = f"{fields['other']}::{fields['item']}"
    found = plan.evidence_of("key_members", owner)
    if found is None:
        return "the evidence has none"
    path, pairs = found
    file, text = plan.python(fields["other"]), plan.read(path) or ""
    known = class_attributes(file, fields["item"]) if file else set()
    for sibling, key in pairs:
        if sibling not in plan.siblings:
            return f"{sibling} is no sibling"
        after = rf"[^\n]*(?:\n[^\n]*)?\b{re.escape(bare_name(sibling))}\b"
        named = rf"\b{re.escape(bare_name(owner))}\.{re.escape(key)}\b{after}"
        if key not in known or not re.search(named, text):
            return f"{sibling} is not entered under {key}"
    return check_example(fields, pairs)


def _check_keys(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when each place has as many keys, and the one that is shown."""
    every: list[tuple[str, str]] = []
    for text in fields["members"].split(plan.templates.words["join"]):
        readings = plan.templates.match_parts(_KEY_PARTS, text)
        readings = list(filter(has_numbers, readings))
        if not readings:
            return f"{text} does not read as a place"
        part = next(iter(readings[0]))[0]
        item = {name: value for (_, name), value in readings[0].items()}
        found = plan.evidence_of("keys", item["other"], item.get("where", ""))
        if found is None or str(len(found[0])) != item["count"]:
            return f"the evidence counts {text} otherwise"
        words = _words_with_keys(plan, part, item)
        for sibling, key in found[0]:
            if sibling not in plan.siblings or key.rpartition(".")[2] not in words:
                return f"{text} does not have {key}"
        if int(item["total"]) != len(plan.siblings):
            return f"{len(plan.siblings)} siblings are compared"
        every += found[0]
    return check_example(fields, every)


def _words_with_keys(plan: PlanSubject, part: str, item: StepFields) -> set[str]:
    """Return the words of a document or of a place, or what a file defines."""
    file, where = plan.python(item["other"]), item.get("where", "")
    if file is None:
        return words_of(plan.read(item["other"]) or "")
    if part == "plan_key_definition":
        targets = (
            target
            for node in file.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in getattr(node, "targets", [getattr(node, "target", None)])
        )
        constants = {one.id for one in targets if isinstance(one, ast.Name)}
        return constants | {one.name for one in file.children("")}
    table = names_in_place(file, "plan_table", where)
    return table | names_in_place(file, "plan_function", where)


_PLACES = (
    "plan_exports", "plan_reexport", "plan_listed", "plan_table", "plan_table_some",
    "plan_call", "plan_function", "plan_function_some", "plan_instance", "plan_entry",
    "plan_document", "plan_raise", "plan_raise_in",
)  # fmt: skip
# Steps that may have endings: where in a list, an import, a line that shows how.
PLACE_STEPS: Mapping[str, StepCheck] = {
    **{part: _check_place(part) for part in _PLACES},
    "plan_raise_like": _check_raised,
}
ENTRY_STEPS: Mapping[str, StepCheck] = {
    "plan_module_import": _check_module_import,
    "plan_module_call": _check_module_call,
    "plan_asked": _check_asked,
    "plan_key_member": _check_key_member,
    "plan_keys": _check_keys,
}
