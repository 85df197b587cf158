"""Check plans: siblings are siblings, and every count and quotation is counted again.

A plan's `evidence` names all that its numbers count: the siblings, those that a place
or a test names, and the commits. The tree has to show each of them, and the text has to
have just these numbers.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from repobuild.truth.answer_template import AnswerTemplates, Fields
from repobuild.truth.claims.change_claims import FindCommit
from repobuild.truth.claims.list_claims import ParsedList, parse_list
from repobuild.truth.claims.outline_claims import check_outline
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.prose_match import occurs
from repobuild.truth.structure import PLAN_PARTS
from repobuild.truth.subject import CheckedClaim, DeferredClaim
from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonFile,
    display_name,
    last_name,
)
from repobuild.truth.tree.site_reader import (
    class_attributes,
    code_of,
    imported_modules,
    leaves_open,
    listed_items,
    names_in_place,
    words_of,
)
from repobuild.truth.tree.tree_index import Location, TreeIndex

_STEP = re.compile(r"\n(\d+)\. ([^\n]+)")
_MOST_COMPARED = 40  # siblings of a family that a plan counts
_NAME = "{name}"
_LONGEST_SUBJECT = 100


@dataclass
class PlanSubject:
    """A plan while its claims are checked."""

    kind: str
    fields: Fields
    sample: Mapping[str, Any]
    templates: AnswerTemplates
    index: TreeIndex
    read: Callable[[str], str | None]  # a file's text
    python: Callable[[str], PythonFile | None]  # the same, parsed
    find_commit: FindCommit

    @property
    def evidence(self) -> Mapping[str, Any]:
        return self.sample.get("evidence") or {}

    @property
    def siblings(self) -> list[str]:
        return list(self.evidence.get("siblings", ()))


def check_plan(plan: PlanSubject) -> Iterator[CheckedClaim]:
    """Yield every claim of a plan."""
    if plan.kind == "together":
        yield from _check_together(plan)
        return
    for id in plan.siblings:
        yield CheckedClaim("sibling", id, _check_sibling(plan, id))
    if len(set(plan.siblings)) < max(2, len(plan.siblings)):
        yield CheckedClaim("sibling", "", "siblings are repeated, or too few")
    for (part, name), text in plan.fields.items():
        if name == "noun":
            yield CheckedClaim("noun", text, _check_noun(plan, text))
        elif name in ("items", "reasons"):
            yield from _check_steps(plan, text)
        elif name == "like":
            shown = [_shown(id) for id in plan.siblings]
            shown += {id.partition("::")[0] for id in plan.siblings if "::" in id}
            count = shown.count(text)
            actual = "" if count == 1 else f"{count} siblings are named so"
            yield CheckedClaim("model", text, actual)
        elif name == "summary":
            yield CheckedClaim("summary", text, _check_summary(plan, text))
        elif name == "fence":
            file = plan.index.files.get(plan.fields[part, "other"])
            right = file is not None and file.language == text
            yield CheckedClaim("language", text, "" if right else "it is another one")
        elif name == "code":
            yield CheckedClaim("code", text, _check_code(plan, part, text))


def _shown(id: str) -> str:
    path, _, qual = id.partition("::")
    return display_name(qual) if qual else path


def _bare(id: str) -> str:
    path, _, qual = id.partition("::")
    if qual:
        return display_name(qual).rpartition(".")[2]
    return path.rpartition("/")[2].partition(".")[0]


def _check_sibling(plan: PlanSubject, id: str) -> str:
    """Return why an element does not belong to the family, "" when it does."""
    kind, where, owner, pattern = plan.evidence["family"]
    path, _, qual = id.partition("::")
    definition = plan.index.definition(id)
    if kind == "modules":
        holds = path.rpartition("/")[0] == where and path in plan.index.paths
        return "" if holds else f"it is no file of {where}"
    if definition is None:
        return "" if plan.index.occurs_in_text(id) else "there is no such element"
    if kind == "subclass":
        base_path, _, base = where.rpartition("::")
        bare = display_name(base).rpartition(".")[2]
        if base_path:
            bases = plan.index.possible_bases(path, qual)
            if Location(base_path, base) in bases:
                return ""
        return "" if bare in definition.bases else f"its bases: {definition.bases}"
    if kind == "functions":
        holds = path == where and qual.rpartition(".")[0] == owner
        named = fnmatchcase(_bare(id), pattern)
        return "" if holds and named else f"it is no `{pattern}` there"
    file = plan.python(path)
    one = file.definitions.get(qual) if file else None
    last = pattern.rpartition(".")[2]
    return "" if one is None or last in one.decorators else "it has no such decorator"


def _check_noun(plan: PlanSubject, text: str) -> str:
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


def _check_summary(plan: PlanSubject, text: str) -> str:
    for id in plan.siblings:
        one = plan.index.definition(id)
        if one is not None and occurs(text, one.doc):
            return ""
    return "no sibling is documented so"


def _check_code(plan: PlanSubject, part: str, text: str) -> str:
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


# ----------------------------------------------------------------------------- steps


def _check_steps(plan: PlanSubject, text: str) -> Iterator[CheckedClaim]:
    end = 0
    for number, step in enumerate(_STEP.finditer(text), 1):
        if step[1] != str(number) or step.start() != end:
            yield CheckedClaim("order", step[1], f"it is step {number}")
        end = step.end()
        readings = _readings(plan, step[2])
        problems = [_check_step(plan, reading) for reading in readings]
        actual = (
            min(problems, key=bool) if problems else "it is none of the known steps"
        )
        yield CheckedClaim("plan step", step[2], actual)
    if end < len(text):
        yield CheckedClaim("plan step", text[end:], "it is no numbered step")


def _readings(plan: PlanSubject, text: str) -> list[Fields]:
    """Return the readings of a step: a place may be followed by a line of it."""
    others = [part for part in PLAN_PARTS if part not in _SITES]
    readings = plan.templates.match_parts(others, text)
    stop, template = plan.templates.words["stop"], plan.templates.parts["plan_line"]
    if not text.endswith(stop):
        return readings
    bare = text.removesuffix(stop)
    readings += _places(plan, bare)
    before, after = template.split("{line}")
    start = bare.find(before)
    if start >= 0 and bare.endswith(after):
        line = bare[start + len(before) : len(bare) - len(after)]
        shorter = _places(plan, bare[:start])
        readings += [{**one, ("plan_line", "line"): line} for one in shorter]
    return [one for one in readings if all(map(_is_number, one.items()))]


def _places(plan: PlanSubject, text: str) -> list[Fields]:
    """Return the readings of a place, which may be one that imports what it names."""
    mark = plan.templates.parts["plan_import"]
    bare = text.removesuffix(mark)
    readings = plan.templates.match_parts(sorted(_SITES), bare)
    in_order = plan.templates.parts["plan_sorted"]
    if bare.endswith(in_order):
        sites = plan.templates.match_parts(sorted(_SITES), bare.removesuffix(in_order))
        readings += [{**one, ("plan_sorted", "sorted"): in_order} for one in sites]
    in_part = plan.templates.parts["plan_sorted_part"]
    if bare.endswith(in_part):
        sites = plan.templates.match_parts(sorted(_SITES), bare.removesuffix(in_part))
        readings += [{**one, ("plan_sorted", "part"): in_part} for one in sites]
    before, after = plan.templates.parts["plan_behind"].split("{item}")
    start = bare.rfind(before)
    if start >= 0 and bare.endswith(after):
        item = bare[start + len(before) : len(bare) - len(after)]
        sites = plan.templates.match_parts(sorted(_SITES), bare[:start])
        readings += [{**one, ("plan_behind", "behind"): item} for one in sites]
    readings += _under_branch(plan, bare)
    if not text.endswith(mark):
        return readings
    return [{**one, ("plan_import", "import"): mark} for one in readings]


def _under_branch(plan: PlanSubject, bare: str) -> list[Fields]:
    """Return the readings of a place that names siblings under one `if`."""
    readings: list[Fields] = []
    for part in ("plan_under", "plan_under_all"):
        ending = re.escape(plan.templates.parts[part])
        for name, group in (("members", ".+"), ("line", "[^`]+")):
            ending = ending.replace(re.escape("{" + name + "}"), f"(?P<{name}>{group})")
        for match in re.finditer(rf"(?={ending}$)", bare):
            branch = {(part, "branch"): match["line"]}
            if part == "plan_under":
                branch[part, "under"] = match["members"]
            sites = plan.templates.match_parts(sorted(_SITES), bare[: match.start()])
            readings += [{**one, **branch} for one in sites]
    return readings


def _is_number(item: tuple[tuple[str, str], str]) -> bool:
    (_, name), text = item
    return name not in ("count", "total") or text.isdecimal()


def _check_step(plan: PlanSubject, reading: Fields) -> str:
    part = next(iter(reading))[0]
    fields = {name: text for (_, name), text in reading.items()}
    if "of" in fields:
        readings = plan.templates.match_parts(_SHARE_PARTS, fields["of"])
        readings = [one for one in readings if all(map(_is_number, one.items()))]
        if not readings:
            return f"{fields['of']} counts nothing"
        fields |= {name: text for (_, name), text in readings[0].items()}
    fields.setdefault("count", fields.get("total", ""))  # where it names all
    if "total" in fields and not part.startswith("plan_pattern"):
        if int(fields["total"]) != len(plan.siblings):
            return f"{len(plan.siblings)} siblings are compared"
        needed = _SHARES.get(part, 0)
        if int(fields["count"]) <= needed * len(plan.siblings):
            return "these are too few"
    if part in _SITES:
        return _check_site(plan, part, fields)
    check = _CHECKS.get(part)
    return check(plan, fields) if check else f"no check for {part}"


def _check_site(plan: PlanSubject, part: str, fields: Mapping[str, str]) -> str:
    if part == "plan_raise_like":
        return _check_raised(plan, fields)
    path, where = fields["other"], fields.get("where", "")
    places = (where, "", "__all__")
    sites = [s for s in plan.evidence["sites"] if s[0] == path and s[1] in places]
    # A list and the imports of one file can name as many siblings, yet others.
    counted = [s[2] for s in sites if str(len(s[2])) == fields["count"]]
    problems = [_check_named(plan, part, fields, named) for named in counted]
    return min(problems, key=bool) if problems else "the evidence counts otherwise"


def _check_named(
    plan: PlanSubject, part: str, fields: Mapping[str, str], named: list[str]
) -> str:
    """Return "" when a place has these siblings, as the step says."""
    if not set(named) <= set(plan.siblings):
        return "the evidence counts otherwise"
    path, where = fields["other"], fields.get("where", "")
    text, file = plan.read(path), plan.python(path)
    if text is None:
        return "there is no such file"
    place = "__all__" if part in ("plan_exports", "plan_listed") else where
    if part == "plan_entry" and where not in text:
        return f"it has no {where}"
    in_python = file is not None and part not in ("plan_document", "plan_entry")
    words = names_in_place(file, part, place) if in_python and file else words_of(text)
    if file is not None and part == "plan_listed":
        words &= names_in_place(file, "plan_reexport", "")
    lost = [one for one in named if _bare(one) not in words]
    if lost:
        return f"it does not name {lost[0]}"
    if problem := _check_order(file, place, named, fields):
        return problem
    if problem := _check_branch(text, named, fields):
        return problem
    if "import" in fields and not any(_imports(text, _bare(one)) for one in named):
        return "it imports none of them"
    line = fields.get("line", "")
    return (
        ""
        if line in {one.strip() for one in ("", *text.split("\n"))}
        else "no such line"
    )


def _check_order(
    file: PythonFile | None, place: str, named: list[str], fields: Mapping[str, str]
) -> str:
    """Return "" when a list is sorted as the step says, or has the sibling in it."""
    if "behind" in fields and fields["behind"] not in map(_bare, named):
        return f"it does not hold {fields['behind']}"
    if file is None or not {"behind", "sorted", "part"} & fields.keys():
        return ""
    items = listed_items(file, place)
    if "part" in fields:
        siblings = set(map(_bare, named))
        places = [n for n, one in enumerate(items) if one in siblings]
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


def _check_branch(text: str, named: list[str], fields: Mapping[str, str]) -> str:
    """Return "" when the siblings are named below the line of an `if`, indented."""
    if "branch" not in fields:
        return ""
    under = re.findall(r"`([^`]+)`", fields.get("under", ""))
    lines = text.split("\n")
    for start, line in enumerate(lines):
        if line.strip() != fields["branch"]:
            continue
        margin = len(line) - len(line.lstrip())
        inner = []
        for one in lines[start + 1 :]:
            if one.strip() and len(one) - len(one.lstrip()) <= margin:
                break
            inner.append(one)
        words = words_of("\n".join(inner))
        if words.issuperset(under or map(_bare, named)):
            return ""
    return "they are not under it"


def _imports(text: str, name: str) -> bool:
    return bool(re.search(rf"\bimport\b[^=:]*\b{re.escape(name)}\b", text))


def _check_pattern(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    claim = DeferredClaim("project", "", plan.sample["element"], fields["project"])
    if problem := PROJECT_CLAIMS["project"](plan.index, claim):
        return problem
    total, count = int(fields["total"]), len(plan.siblings)
    if total != count and not total > count == _MOST_COMPARED:
        return f"there are {count}"
    return _check_listed(plan, fields["members"], plan.siblings, total)


def _check_listed(
    plan: PlanSubject, text: str, allowed: list[str], total: int = 0
) -> str:
    path = plan.sample["element"].partition("::")[0]
    parsed = parse_list(text, plan.templates, path, plan.sample["sources"])
    if not isinstance(parsed, ParsedList):
        return parsed
    strange = set(parsed.ids) - set(allowed)
    if strange:
        return f"{sorted(strange)[0]} is none of them"
    if total and parsed.has_more and len(parsed.ids) >= total:
        return "there are no others"
    return ""


def _check_looked(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    return "" if int(fields["count"]) == len(plan.siblings) else "it is another number"


def _check_past(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when a commit of the evidence added these and touched those."""
    path = plan.sample["element"].partition("::")[0]
    sources = plan.sample["sources"]
    parsed = parse_list(fields["members"], plan.templates, path, sources)
    if not isinstance(parsed, ParsedList):
        return parsed
    for id in plan.evidence["commits"]:
        commit = plan.find_commit(id)
        if commit is None or _subject(commit.subject) != fields["subject"]:
            continue
        for one in parsed.ids:
            file = one.partition("::")[0]
            name = rf"\b{re.escape(_bare(one))}\b" if "::" in one else r"(?s).*"
            if not re.search(name, commit.after(file) or ""):
                return f"it does not add {one}"
        names = re.findall(r"`([^`]+)`", fields["paths"])
        touched = {new for _, new in commit.paths}
        lost = [name for name in names if not _touches(name, touched)]
        return f"it does not touch {lost[0]}" if lost else ""
    return "there is no such commit"


def _subject(text: str) -> str:
    text = text.replace("`", "'")
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return text[: _LONGEST_SUBJECT - 1].rstrip() + "…"


def _touches(pattern: str, paths: set[str]) -> bool:
    expression = re.escape(pattern).replace(re.escape(_NAME), "[^/]+")
    end = ".*" if pattern.endswith("/") else ""
    return any(re.fullmatch(expression + end, path) for path in paths)


def _check_home(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    there = [id for id in plan.siblings if id.partition("::")[0] == fields["other"]]
    return "" if len(there) == int(fields["count"]) else f"{len(there)} are there"


def _check_new_file(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    homes = {id.partition("::")[0] for id in plan.siblings}
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


def _check_base(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    base = display_name(plan.evidence["family"][1].rpartition("::")[2])
    return "" if fields["base"] == base else f"it is {base}"


def _model(plan: PlanSubject, name: str) -> tuple[PythonFile, str] | None:
    """Return the file and the qualified name of the sibling that is named so."""
    for id in plan.siblings:
        path, _, qual = id.partition("::")
        file = plan.python(path)
        if _shown(id) == name and file is not None and qual in file.definitions:
            return file, qual
    return None


def _check_bases(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when the sibling has just these bases, apart from general ones and
    those that are made for it, by a name of their own.
    """
    found = _model(plan, fields["model"])
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
    named = re.findall(r"`([^`]+)`", fields["members"])
    same = ["".join(one.split()) for one in named] == known
    return "" if same else f"its bases are {', '.join(known)}"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _check_own(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when the sibling defines just these methods, apart from stubs, and its
    body sets just these attributes.
    """
    found = _model(plan, fields["model"])
    if found is None:
        return f"there is no sibling {fields['model']}"
    file, qual = found
    known = {
        one.name
        for one in file.children_by_name(qual).values()
        if one.kind == "method" and not file.is_stub(one) and one.name.strip("_")
    }
    sets = {one for one in class_attributes(*found) if not one.startswith("__")}
    named = set(re.findall(r"`([^`]+)`", fields["members"]))
    # A branch of its body may set some, and a statement several.
    wanted = {*known, *(one for one in sets if _is_set_plainly(*found, one))}
    wanted -= {one for one in wanted if _is_left_open(plan, one)}  # a step tells them
    if wanted <= named <= known | sets:
        return ""
    return f"it defines {', '.join(sorted(known | sets))}"


def _is_left_open(plan: PlanSubject, name: str) -> bool:
    path, _, base = plan.evidence["family"][1].rpartition("::")
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


def _check_made(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when as many siblings make a class of their own below this base."""
    base = f"{fields['other']}::{fields['item']}"
    pairs = next((p for id, p in plan.evidence["made"] if id == base), None)
    if pairs is None or str(len(pairs)) != fields["count"]:
        return "the evidence counts otherwise"
    if len({one for _, one in pairs}) < len(pairs):
        return "two siblings make the same class"
    for sibling, one in pairs:
        path, _, qual = one.partition("::")
        bases = plan.index.possible_bases(path, qual)
        if Location(*_split(base)) not in bases or not _names(
            plan, sibling, _bare(one)
        ):
            return f"{sibling} makes no {one}"
    shown = {(_shown(sibling), _shown(one)) for sibling, one in pairs}
    told = (fields["model"], fields["like"])
    return "" if told in shown else f"{told[0]} makes no {told[1]}"


def _check_made_like(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when a sibling names these classes of the project."""
    found = _model(plan, fields["model"])
    if found is None:
        return f"there is no sibling {fields['model']}"
    words = words_of(code_of(*found))
    for name in re.findall(r"`([^`]+)`", fields["members"]):
        if name not in plan.index.paths and name.rpartition(".")[2] not in words:
            return f"it names no {name}"
    return ""


def _check_helper(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when as many siblings use a function of the file for themselves."""
    rows = (p for path, p in plan.evidence["helpers"] if path == fields["other"])
    pairs: list[list[str]] = next(rows, [])
    if str(len(pairs)) != fields["count"]:
        return "the evidence counts otherwise"
    if len({one for _, one in pairs}) < len(pairs):
        return "two siblings use the same function"
    file = plan.python(fields["other"])
    for sibling, one in pairs:
        node = file.definitions.get(_bare(one)) if file else None
        if node is None or not _names(plan, sibling, _bare(one)):
            return f"{sibling} uses no {one}"
    shown = {(_shown(sibling), _shown(one)) for sibling, one in pairs}
    told = (fields["model"], fields["like"])
    return "" if told in shown else f"{told[0]} uses no {told[1]}"


def _check_raised(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when these files raise the sibling, and import it where told so."""
    found = re.findall(r"`([^`]+)`", fields["members"])
    join = plan.templates.words["join"]
    model = [id for id in plan.siblings if _shown(id) == fields["model"]]
    if not model or join.join(f"`{one}`" for one in found) != fields["members"]:
        return "it cannot be read"
    for path in found:
        file, text = plan.python(path), plan.read(path) or ""
        if file is None or _bare(model[0]) not in names_in_place(
            file, "plan_raise_in", ""
        ):
            return f"{path} does not raise it"
        is_home = any(id.partition("::")[0] == path for id in model)
        if "import" in fields and not (is_home or _imports(text, _bare(model[0]))):
            return f"{path} does not import it"
    return ""


def _check_own_base(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when as many siblings inherit from a class of the file, each from one
    of its own.
    """
    pairs = next(
        (p for path, p in plan.evidence["own_bases"] if path == fields["other"])
    )
    if str(len(pairs)) != fields["count"]:
        return "the evidence counts otherwise"
    if len({one for _, one in pairs}) < len(pairs):
        return "two siblings have the same"
    for sibling, one in pairs:
        if _bare(one) not in _base_names(plan, sibling):
            return f"{sibling} does not inherit from {one}"
        heirs = [id for id in plan.siblings if _bare(one) in _base_names(plan, id)]
        if heirs != [sibling]:
            return f"{one} is not the base of {sibling} alone"
    if (fields["model"], fields["like"]) not in {
        (_shown(a), _bare(b)) for a, b in pairs
    }:
        return f"{fields['model']} has no {fields['like']}"
    if "home" in fields and fields["like"] not in words_of(
        plan.read(fields["home"]) or ""
    ):
        return f"{fields['home']} does not bind it"
    if "members" not in fields:
        return ""
    members = f"{fields['members']}{plan.templates.words['join']}`{fields['like']}`"
    return _check_bases(plan, {**fields, "members": members})


def _base_names(plan: PlanSubject, id: str) -> set[str]:
    """Return the last names of a class's bases."""
    path, qual = _split(id)
    file = plan.python(path)
    one = file.definitions.get(qual) if file else None
    node = one.node if one else None
    return set(map(last_name, node.bases)) if isinstance(node, ast.ClassDef) else set()


def _check_constant(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when as many siblings name a constant of the file for themselves."""
    rows = (p for path, p in plan.evidence["constants"] if path == fields["other"])
    pairs: list[list[str]] = next(rows, [])
    if str(len(pairs)) != fields["count"]:
        return "the evidence counts otherwise"
    known = words_of(plan.read(fields["other"]) or "")
    for sibling, one in pairs:
        users = [id for id in plan.siblings if _names(plan, id, one)]
        if one not in known or users != [sibling]:
            return f"{one} is not the constant of {sibling} alone"
    told = (fields["model"], fields["like"])
    shown = {(_shown(sibling), one) for sibling, one in pairs}
    return "" if told in shown else f"{told[0]} has no {told[1]}"


def _check_member(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when as many siblings have a member of the enum for themselves."""
    enum = f"{fields['other']}::{fields['item']}"
    rows = next((p for id, p in plan.evidence["members"] if id == enum), None)
    if rows is None or str(len(rows)) != fields["count"]:
        return "the evidence counts otherwise"
    file = plan.python(fields["other"])
    known = class_attributes(file, fields["item"]) if file else set()
    if len({member for _, member, _ in rows}) < len(rows):
        return "two siblings have the same member"
    for sibling, member, holder in rows:
        if member not in known or not _names(plan, holder, member):
            return f"{holder} names no {member}"
        if holder != sibling and not _names(plan, sibling, _bare(holder)):
            return f"{sibling} names no {holder}"
    told = (fields["model"], fields["like"])
    shown = {(_shown(sibling), member) for sibling, member, _ in rows}
    return "" if told in shown else f"{told[0]} has no {told[1]}"


def _names(plan: PlanSubject, id: str, name: str) -> bool:
    """Return whether the code of a class has a name in it."""
    path, qual = _split(id)
    file = plan.python(path)
    return file is not None and name in words_of(code_of(file, qual))


def _split(id: str) -> tuple[str, str]:
    path, _, qual = id.partition("::")
    return path, qual


def _check_wording(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when a decorator, or a pattern with its arguments, is the family's."""
    pattern = plan.evidence["family"][3]
    if fields["pattern"] != pattern:
        return f"it is {pattern}"
    for name in re.findall(r"`([^`]+)`", fields.get("members", "")):
        for id in plan.siblings:
            path, _, qual = id.partition("::")
            file = plan.python(path)
            one = file.definitions.get(qual) if file else None
            if one and name not in {p.name for p in one.parameters()}:
                return f"{qual} takes no {name}"
    return ""


def _defines(plan: PlanSubject, id: str, name: str) -> bool:
    path, _, qual = id.partition("::")
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
    path, _, qual = id.partition("::")
    file = plan.python(path)
    return file is not None and bool(qual) and name in class_attributes(file, qual)


def _check_items(
    plan: PlanSubject,
    fields: Mapping[str, str],
    has: Callable[[PlanSubject, str, str], bool] = _defines,
) -> str:
    """Return "" when as many siblings have each name as the text says."""
    template = plan.templates.parts["plan_item"]
    for text in fields["members"].split(plan.templates.words["join"]):
        readings = plan.templates.match_parts(("plan_item",), text)
        if not readings:
            return f"{text} does not read as {template}"
        item = {name: value for (_, name), value in readings[0].items()}
        if int(item["total"]) != len(plan.siblings):
            return f"{len(plan.siblings)} siblings are compared"
        if all(plan.python(id.partition("::")[0]) is None for id in plan.siblings):
            continue
        count = sum(has(plan, id, item["item"]) for id in plan.siblings)
        if count != int(item["count"]):
            return f"{count} define {item['item']}"
    return ""


def _check_most(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    return _check_items(plan, fields) or _check_share(plan, fields, is_usual=True)


def _check_attributes(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    wrong = _check_items(plan, fields, _assigns)  # a method is no attribute
    return wrong or _check_share(plan, fields, is_usual=True)


def _check_some(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    return _check_items(plan, fields) or _check_share(plan, fields, is_usual=False)


def _check_choice(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when each sibling defines one of these, which one method of the base
    names.
    """
    if problem := _check_items(plan, fields) or _check_share(plan, fields, False):
        return problem
    names = re.findall(r"`([^`]+)`", fields["members"])
    for id in plan.siblings:
        if plan.python(id.partition("::")[0]) is None:
            continue
        if not any(_defines(plan, id, name) for name in names):
            return f"{id} defines none of them"
    path, _, base = plan.evidence["family"][1].rpartition("::")
    file = plan.python(path)
    inner = file.children_by_name(base) if file else {}
    code = [code_of(file, one.qual) for one in inner.values()] if file else []
    named = any(words_of(text).issuperset(names) for text in code)
    return "" if named else f"no method of {base} names them"


def _check_share(plan: PlanSubject, fields: Mapping[str, str], is_usual: bool) -> str:
    """Return "" when each item is one of most siblings, or of fewer."""
    for text in fields["members"].split(plan.templates.words["join"]):
        reading = plan.templates.match_parts(("plan_item",), text)[0]
        count = int(reading["plan_item", "count"])
        if (count * 2 > len(plan.siblings)) != is_usual:
            return f"{count} of {len(plan.siblings)} define it"
    return ""


def _check_abstract(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    path, _, base = plan.evidence["family"][1].rpartition("::")
    file = plan.python(path)
    for name in re.findall(r"`([^`]+)`", fields["members"]):
        if file is not None and not leaves_open(file, f"{base}.{name}"):
            return f"{base}.{name} is not left open"
    return _check_items(plan, fields)


def _check_tests(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    path = fields["other"]
    covered = next((ids for one, ids in plan.evidence["tests"] if one == path), None)
    if covered is None or not set(covered) <= set(plan.siblings):
        return "the evidence counts otherwise"
    if len(covered) * 2 <= len(plan.siblings):
        return "these are too few"
    if _NAME in path:
        return "" if _touches(path, set(plan.index.paths)) else "there is none"
    text = plan.read(path)
    if text is None:
        return "there is no such file"
    words, stem = words_of(text), path.rpartition("/")[2].lower()
    homes = Counter(id.partition("::")[0] for id in plan.siblings)
    for id in covered:
        home = id.partition("::")[0].rpartition("/")[2].partition(".")[0].strip("_")
        is_its_own = homes[id.partition("::")[0]] == 1 and home.lower() in stem
        if _bare(id) not in words and not is_its_own:
            others = plan.index.other_names(_bare(id))
            if not others & words:
                return f"it does not name {id}"
    return ""


def _check_together_step(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    template = re.escape(plan.templates.parts["plan_came"])
    for name in ("other", "count", "total"):
        group = r"[^`]+" if name == "other" else r"\d+"
        template = template.replace(re.escape("{" + name + "}"), f"(?P<{name}>{group})")
    found = list(re.finditer(template, fields["members"]))
    join = plan.templates.words["join"]
    if join.join(match[0] for match in found) != fields["members"]:
        return "it cannot be read as a list"
    commits = plan.evidence["home_commits" if "home" in fields else "commits"]
    for match in found:
        if problem := _check_came(plan, match.groupdict(), commits):
            return problem
    return _check_home_commits(plan, fields["home"]) if "home" in fields else ""


def _check_home_commits(plan: PlanSubject, home: str) -> str:
    if all(id.partition("::")[0] != home for id in plan.siblings):
        return "no sibling is there"
    for id in plan.evidence["home_commits"]:
        commit = plan.find_commit(id)
        if commit is None or home not in {new for _, new in commit.paths}:
            return f"{id} does not touch it"
    return ""


def _check_came(
    plan: PlanSubject, fields: Mapping[str, str], commits: list[str]
) -> str:
    """Return "" when as many of the commits touched a path."""
    if len(commits) != int(fields["total"]):
        return f"there are {len(commits)} commits"
    count = 0
    for id in commits:
        commit = plan.find_commit(id)
        if commit is None:
            return f"there is no commit {id}"
        count += _touches(fields["other"], {new for _, new in commit.paths})
    # A pattern may match files that are not named after the sibling, too.
    right = (
        count >= int(fields["count"])
        if _NAME in fields["other"]
        else (count == int(fields["count"]))
    )
    return "" if right else f"{count} touched it"


def _check_test_parameters(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    file = plan.python(fields["other"])
    one = file.definitions.get(fields["where"]) if file else None
    if one is None or isinstance(one.node, ast.ClassDef):
        return "there is no such test or fixture"
    return _check_holds_all(plan, fields, one.node.decorator_list)


def _check_test_list(plan: PlanSubject, fields: Mapping[str, str]) -> str:
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
    plan: PlanSubject, fields: Mapping[str, str], places: Sequence[ast.expr]
) -> str:
    """Return "" when one of these expressions names every sibling."""
    if fields["total"] != str(len(plan.siblings)):
        return f"{len(plan.siblings)} siblings are compared"
    wanted = set(map(_bare, plan.siblings))
    for place in places:
        nodes = [one for one in ast.walk(place) if isinstance(one, ast.expr)]
        if wanted.issubset(map(last_name, nodes)):
            return ""
    return "it does not have all of them"


def _check_changelog(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    return "" if fields["other"] in plan.index.paths else "there is no such file"


def _check_together(plan: PlanSubject) -> Iterator[CheckedClaim]:
    """Check the files that changed with a file."""
    fields = {name: text for (_, name), text in plan.fields.items()}
    path, commits = plan.sample["element"], plan.evidence["commits"]
    yield CheckedClaim("path", fields["path"], "" if fields["path"] == path else path)
    right = fields["total"] == str(len(commits))
    yield CheckedClaim("commits", fields["total"], "" if right else str(len(commits)))
    for match in _STEP.finditer(fields["items"]):
        readings = plan.templates.match_parts(("together_path",), match[2])
        if not readings:
            yield CheckedClaim("plan step", match[2], "it is none of the known steps")
            continue
        step = {name: text for (_, name), text in readings[0].items()}
        yield CheckedClaim("plan step", match[2], _check_came(plan, step, commits))
    yield CheckedClaim("commit", fields["subject"], _check_latest(plan, fields))


def _check_latest(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    for id in plan.evidence["commits"]:
        commit = plan.find_commit(id)
        if commit is None or _subject(commit.subject) != fields["subject"]:
            continue
        text = commit.after(plan.sample["element"]) or ""
        for name in re.findall(r"`([^`]+)`", fields["members"]):
            if name not in words_of(text):
                return f"it does not add {name}"
        return ""
    return "there is no such commit"


# ------------------------------------------------------- what is entered, and habits


def _evidence(plan: PlanSubject, name: str, *start: str) -> list[Any] | None:
    """Return the rest of the evidence that begins so, None where there is none."""
    for one in plan.evidence.get(name, ()):
        if tuple(one[: len(start)]) == start:
            return list(one[len(start) :])
    return None


def _check_decorated(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    count, last = 0, fields["pattern"].rpartition(".")[2]
    for id in plan.siblings:
        path, qual = _split(id)
        file = plan.python(path)
        if file is None:
            return ""  # of another language
        one = file.definitions.get(qual)
        count += one is not None and last in one.decorators
    return "" if count == int(fields["count"]) else f"{count} have it"


def _check_key_member(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when a file names siblings under attributes of this class."""
    owner = f"{fields['other']}::{fields['item']}"
    found = _evidence(plan, "key_members", owner)
    if found is None:
        return "the evidence has none"
    path, pairs = found
    file, text = plan.python(fields["other"]), plan.read(path) or ""
    known = class_attributes(file, fields["item"]) if file else set()
    for sibling, key in pairs:
        if sibling not in plan.siblings:
            return f"{sibling} is no sibling"
        after = rf"[^\n]*(?:\n[^\n]*)?\b{_bare(sibling)}\b"
        named = rf"\b{_bare(owner)}\.{re.escape(key)}\b{after}"
        if key not in known or not re.search(named, text):
            return f"{sibling} is not entered under {key}"
    shown = {(_shown(sibling), key) for sibling, key in pairs}
    told = (fields["model"], fields["like"])
    return "" if told in shown else f"{told[0]} is not under {told[1]}"


def _check_paired(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when siblings are named in one line with each its own companion."""
    base = fields.get("item", "")
    groups = {
        group: pairs
        for group, pairs in plan.evidence.get("paired", ())
        if (_shown(group) == base if base else group == fields["other"])
    }
    for group, pairs in groups.items():
        if str(len(pairs)) != fields["count"]:
            continue
        if len({one for _, one in pairs}) < len(pairs):
            return "two siblings have the same"
        for sibling, one in pairs:
            if sibling not in plan.siblings:
                return f"{sibling} is no sibling"
            if problem := _check_pair(plan, sibling, one, group if base else ""):
                return problem
        shown = {(_shown(sibling), _shown(one)) for sibling, one in pairs}
        told = (fields["model"], fields["like"])
        return "" if told in shown else f"{told[1]} is not that of {told[0]}"
    return "the evidence counts otherwise"


def _check_pair(plan: PlanSubject, sibling: str, one: str, base: str) -> str:
    path, _, qual = one.partition("::")
    if plan.index.definition(one) is None:
        return f"there is no {one}"
    if base and Location(*_split(base)) not in plan.index.possible_bases(path, qual):
        return f"{one} is no subclass of {base}"
    both = {_bare(sibling), _bare(one)}
    code = [code_of(file, at) for at, file in _files_of(plan, sibling, one)]
    if any(both <= words_of(text) for text in code):
        return ""
    lines = (
        line
        for site in plan.evidence["sites"]
        for line in (plan.read(site[0]) or "").split("\n")
    )
    named = any(both <= words_of(line) for line in lines)
    return "" if named else f"{sibling} is not entered with {one}"


def _files_of(plan: PlanSubject, *ids: str) -> Iterator[tuple[str, PythonFile]]:
    for path, qual in map(_split, ids):
        if (file := plan.python(path)) is not None:
            yield qual, file


def _check_module_import(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    found = _evidence(plan, "module_imports", fields["other"])
    file = plan.python(fields["other"])
    if found is None or str(len(found[0])) != fields["count"] or file is None:
        return "the evidence counts otherwise"
    known = imported_modules(file)
    for id in found[0]:
        path = id.partition("::")[0].removesuffix("/__init__.py").removesuffix(".py")
        if id not in plan.siblings or path.rpartition("/")[2] not in known:
            return f"it does not import {id}"
    return ""


def _check_module_call(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    callee = fields["line"].partition("(")[0]
    for known, pairs in plan.evidence.get("module_calls", ()):
        if known != callee or str(len(pairs)) != fields["count"]:
            continue
        for sibling, line in pairs:
            if sibling not in plan.siblings:
                return f"{sibling} is no sibling"
            text = plan.read(sibling.partition("::")[0]) or ""
            if line not in map(str.rstrip, text.split("\n")):
                return f"{sibling} makes no such call"
        return "" if fields["line"] in {line for _, line in pairs} else "no such line"
    return "the evidence counts otherwise"


def _check_asked(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when methods of a class use the attributes that hold siblings."""
    file, owner = plan.python(fields["other"]), fields["item"]
    if file is None:
        return "there is no such file"
    made = re.findall(
        r"\bself\.(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:\w+\.)*(\w+)\(", code_of(file, owner)
    )
    for method in re.findall(r"`([^`]+)`", fields["members"]):
        found = _evidence(plan, "asked", fields["other"], owner, method)
        if found is None or not found[0]:
            return f"the evidence has no {method}"
        code = code_of(file, f"{owner}.{method}")
        used = set(re.findall(r"\bself\.(\w+)", code))
        asked = {name for attribute, name in made if attribute in used}
        if not asked.issuperset(map(_bare, found[0])):
            return f"{method} asks others"
    return ""


def _check_keys(plan: PlanSubject, fields: Mapping[str, str]) -> str:
    """Return "" when each place has as many keys, and the one that is shown."""
    join = plan.templates.words["join"]
    shown: set[tuple[str, str]] = set()
    for text in fields["members"].split(join):
        readings = plan.templates.match_parts(
            ("plan_key_item", "plan_key_definition", "plan_key_document"), text
        )
        if not readings:
            return f"{text} does not read as a place"
        item = {name: value for (_, name), value in readings[0].items()}
        found = _evidence(plan, "keys", item["other"], item.get("where", ""))
        if found is None or str(len(found[0])) != item["count"]:
            return f"the evidence counts {text} otherwise"
        words = _words_with_keys(plan, next(iter(readings[0]))[0], item)
        for sibling, key in found[0]:
            shown.add((_shown(sibling), key))
            if sibling not in plan.siblings or key.rpartition(".")[2] not in words:
                return f"{text} does not have {key}"
        if int(item["total"]) != len(plan.siblings):
            return f"{len(plan.siblings)} siblings are compared"
    told = (fields["model"], fields["like"])
    return "" if told in shown else f"{told[1]} is not the key of {told[0]}"


def _words_with_keys(plan: PlanSubject, part: str, item: Mapping[str, str]) -> set[str]:
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


_SITES = frozenset(
    "plan_exports plan_reexport plan_table plan_call plan_function plan_instance"
    " plan_entry plan_document plan_raise plan_raise_in plan_function_some"
    " plan_listed plan_table_some plan_raise_like".split()
)
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
_CHECKS: Mapping[str, Callable[[PlanSubject, Mapping[str, str]], str]] = {
    "plan_pattern": _check_pattern,
    "plan_pattern_some": _check_pattern,
    "plan_pattern_public": _check_pattern,
    "plan_pattern_some_public": _check_pattern,
    "plan_made": _check_made,
    "plan_made_like": _check_made_like,
    "plan_helper": _check_helper,
    "plan_member": _check_member,
    "plan_looked": _check_looked,
    "plan_past": _check_past,
    "plan_home": _check_home,
    "plan_home_all": _check_home,
    "plan_new_file": _check_new_file,
    "plan_base": _check_base,
    "plan_bases": _check_bases,
    "plan_own": _check_own,
    "plan_own_besides": _check_own,
    "plan_some": _check_some,
    "plan_decorator": _check_wording,
    "plan_name": _check_wording,
    "plan_abstract": _check_abstract,
    "plan_methods": _check_most,
    "plan_attributes": _check_attributes,
    "plan_tests": _check_tests,
    "plan_test_parameters": _check_test_parameters,
    "plan_test_list": _check_test_list,
    "plan_together": _check_together_step,
    "plan_partners": _check_together_step,
    "plan_changelog": _check_changelog,
    "plan_decorated": _check_decorated,
    "plan_key_member": _check_key_member,
    "plan_paired": _check_paired,
    "plan_paired_function": _check_paired,
    "plan_module_import": _check_module_import,
    "plan_module_call": _check_module_call,
    "plan_asked": _check_asked,
    "plan_keys": _check_keys,
    "plan_choice": _check_choice,
    "plan_base_own": _check_own_base,
    "plan_base_own_bound": _check_own_base,
    "plan_base_some": _check_own_base,
    "plan_constant": _check_constant,
}
