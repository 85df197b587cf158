"""Check one sample: match its text, and check each field's claim.

`check_sample` checks what the sample's own file proves and returns the other claims for
later; `check_change_sample` checks samples about commits, when all files are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from repobuild.truth.answer_template import Fields, UnknownKindError, answer_templates
from repobuild.truth.claims.change_claims import (
    ChangeSubject,
    FindCommit,
    check_change,
)
from repobuild.truth.claims.code_claims import CODE_CLAIMS
from repobuild.truth.claims.completion_claims import COMPLETION_CLAIMS
from repobuild.truth.claims.condition_claims import CONDITION_CLAIMS
from repobuild.truth.claims.list_claims import (
    ParsedList,
    parse_list,
    parse_names,
    strip_more,
)
from repobuild.truth.claims.local_claims import (
    LOCAL_CLAIMS,
    called_line,
    comment_over,
    misses_lines,
    runs_under,
)
from repobuild.truth.claims.plans.plan_claims import check_plan
from repobuild.truth.claims.plans.plan_subject import PlanSubject
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.signature_claims import SIGNATURE_CLAIMS
from repobuild.truth.claims.undocumented_claims import UNDOCUMENTED_CLAIMS
from repobuild.truth.structure import CLAIMS, REASONING_PARTS, STEP_PARTS
from repobuild.truth.subject import (
    LINES,
    PROJECT,
    CheckedClaim,
    DeferredClaim,
    LocalCheck,
    Subject,
)
from repobuild.truth.tree.python_reader import PythonFile
from repobuild.truth.tree.tree_file import TreeFile
from repobuild.truth.tree.tree_index import TreeIndex

_QUESTION = " asked"  # after the name of a kind: the field is the question's
_PLANS = "plans//"  # begins the key of a plan
_STEP = re.compile(r"\n(\d+)\. ([^\n]+)((?:\n   - [^\n]+)*)")
_BELOW = "\n   - "  # begins what is told below a step
_LINE_NUMBER = re.compile(r"\n\d+\. \D*?(\d+)")  # of a step of a trace
_LOCAL_CHECKS: Mapping[str, LocalCheck] = {
    **LOCAL_CLAIMS,
    **SIGNATURE_CLAIMS,
    **CODE_CLAIMS,
    **COMPLETION_CLAIMS,
    **UNDOCUMENTED_CLAIMS,
    **CONDITION_CLAIMS,
}
# Claims of `RELATION_CLAIMS` whose text is a list of elements.
_ELEMENT_LISTS = frozenset(
    "callers readers callees bases subclasses overrides overridden tests imports"
    " importers".split()
) | {"imports for types", "bound in class"}
# Claims that two fields make together: what another file says, and which.
_PAIRED = {"real call": ("site", "code"), "said in document": ("document", "text")}
# Claims of `PROJECT_CLAIMS` whose text is a list of names that are no elements.
_NAME_LISTS = frozenset(
    {"technologies", "dependencies", "developers' packages", "test folders"}
    | {"document folders", "open callers"}
)


@dataclass(frozen=True, slots=True)
class WrongClaim:
    """A claim that does not hold, with what the tree says."""

    key: str
    claim: str
    claimed: str
    actual: str


@dataclass(frozen=True, slots=True)
class SampleResult:
    """A sample's claims: their names, those that are wrong, those still to check."""

    claims: list[str]
    wrong: list[WrongClaim]
    deferred: list[DeferredClaim]
    kind: str = ""


def check_sample(key: str, sample: Mapping[str, Any], file: TreeFile) -> SampleResult:
    """Check a sample against the file of its element."""
    try:
        kind, fields = _match_sample(key, sample)
    except (UnknownKindError, ValueError, FileNotFoundError) as error:
        return _unmatched(key, error)
    templates = answer_templates(sample["language"])
    subject = Subject(key, sample, kind, templates, file)
    checked = list(_check_fields(subject, fields))
    return _result(key, kind, checked, subject.deferred)


def check_change_sample(
    key: str, sample: Mapping[str, Any], index: TreeIndex, find_commit: FindCommit
) -> SampleResult:
    """Check a sample about a commit; `index` has to hold every file."""
    try:
        kind, fields = _match_sample(key, sample)
    except (UnknownKindError, ValueError, FileNotFoundError) as error:
        return _unmatched(key, error)
    commit = find_commit(str(sample.get("commit", "")))
    templates = answer_templates(sample["language"])
    checked = list(check_change(ChangeSubject(kind, fields, templates, index, commit)))
    for (part, field), claimed in fields.items():
        if field == "project":
            claim = DeferredClaim("project", key, sample["element"], claimed)
            actual = PROJECT_CLAIMS["project"](index, claim)
            checked.append(CheckedClaim(field, claimed, actual))
        elif (part, field) == ("change_body", "fence"):
            actual = "" if claimed == "diff" else "it is a diff"
            checked.append(CheckedClaim("language", claimed, actual))
    asked = {f: text for (part, f), text in fields.items() if part.endswith(_QUESTION)}
    for field, claimed in asked.items():
        answered = fields.get((kind, field), claimed)
        differs = f"the answer says {answered}" if answered != claimed else ""
        checked.append(CheckedClaim(field, claimed, differs))
    return _result(key, kind, checked, [])


def check_plan_sample(
    key: str,
    sample: Mapping[str, Any],
    index: TreeIndex,
    read: Callable[[str], str | None],
    python: Callable[[str], PythonFile | None],
    find_commit: FindCommit,
) -> SampleResult:
    """Check a plan; `index` has to hold every file.

    `read` returns a file's text and `python` the parsed file.
    """
    try:
        kind, fields = _match_sample(key, sample)
    except (UnknownKindError, ValueError, FileNotFoundError) as error:
        return _unmatched(key, error)
    templates = answer_templates(sample["language"])
    plan = PlanSubject(
        kind, fields, sample, templates, index, read, python, find_commit
    )
    checked = list(check_plan(plan))
    for (_, field), claimed in fields.items():
        if field == "project":
            claim = DeferredClaim("project", key, sample["element"], claimed)
            actual = PROJECT_CLAIMS["project"](index, claim)
            checked.append(CheckedClaim(field, claimed, actual))
    return _result(key, kind, checked, [])


def _result(
    key: str, kind: str, checked: Sequence[CheckedClaim], deferred: list[DeferredClaim]
) -> SampleResult:
    wrong = [WrongClaim(key, *one) for one in checked if one.actual]
    return SampleResult([one.claim for one in checked], wrong, deferred, kind)


def _unmatched(key: str, error: Exception) -> SampleResult:
    wrong = WrongClaim(key, "kind", key.rpartition("#")[2], str(error))
    return SampleResult(["kind"], [wrong], [])


def is_plan(key: str) -> bool:
    return key.startswith(_PLANS)


def is_change(sample: Mapping[str, Any]) -> bool:
    return bool(sample["task"] == "code_change")


def element_path(key: str) -> str:
    """Return the file that a sample's key names, "" for the project."""
    id = _element_id(key)
    return "" if id == PROJECT else id.partition("::")[0]


def _element_id(key: str) -> str:
    return key.rpartition("#")[0].removesuffix(LINES)


def _match_sample(key: str, sample: Mapping[str, Any]) -> tuple[str, Fields]:
    """Return a sample's kind and the fields of its question and its answer.

    Raises:
        UnknownKindError: there is no check for its kind.
        ValueError: a text does not match its template, or key and sample differ.
        FileNotFoundError: there is no question file for its language.
    """
    task, language, number = key.rpartition("#")[2].split(".")
    templates = answer_templates(language)
    kind = templates.kind(task, int(number))
    asked = templates.match_question(kind, int(number), sample["question"])
    answered = templates.match_answer(kind, sample["answer"])
    if asked is None or answered is None:
        part = "question" if asked is None else "answer"
        raise ValueError(f"the {part} is not in the words of a {kind} sample")
    if (sample["task"], sample["language"]) != (task, language):
        raise ValueError("key and sample name different tasks or languages")
    # Question and answer may claim different things of one field: check both.
    asked = {(part + _QUESTION, field): text for (part, field), text in asked.items()}
    return kind, {**asked, **answered}


def _check_fields(subject: Subject, fields: Fields) -> Iterator[CheckedClaim]:
    """Check the claim of every field; steps are matched and checked in turn."""
    if subject.id != _element_id(subject.key):
        yield CheckedClaim("key", subject.key, f"the sample is about {subject.id}")
    for (part, field), text in fields.items():
        part = part.removesuffix(_QUESTION)
        claim = CLAIMS.get((part, field)) or CLAIMS.get(("", field))
        if claim is None:
            missing = f"no check for {{{field}}} of {part}"
            yield CheckedClaim(missing, text, missing)
        elif claim in ("steps", "reasoning"):
            is_reasoning = claim == "reasoning"
            parts = REASONING_PARTS if is_reasoning else STEP_PARTS[subject.kind]
            yield from _check_steps(subject, text, parts)
            if is_reasoning and subject.kind == "trace":
                actual = misses_lines(subject, re.findall(_LINE_NUMBER, text))
                yield CheckedClaim("whole trace", text, actual)
        elif claim == "callee purposes":
            for item in text.split("\n- ")[1:]:
                yield from _check_callee_step(subject, item)
        elif claim in _PAIRED:
            place, quoted = (fields[part, side] for side in _PAIRED[claim])
            actual = subject.defer(claim, f"{place}\n{quoted}")
            yield CheckedClaim(claim, text, actual)
        elif claim == "purpose of base":
            yield _check_purpose_of_base(subject, text, fields[part, "model"])
        elif claim == "called line":
            line, code = (fields[part, side] for side in ("line", "code"))
            actual = called_line(subject, line, code) or runs_under(subject, line)
            yield CheckedClaim(claim, text, actual)
        elif claim == "extending line":
            line, code = (fields[part, side] for side in ("line", "code"))
            actual = _misses_base(part, code) or called_line(subject, line, code)
            yield CheckedClaim(claim, text, actual)
        elif claim == "line under a head":
            line, code = (fields[part, side] for side in ("line", "code"))
            actual = called_line(subject, line, code)
            head = fields[part, "head"], fields[part, "word"]
            actual = actual or runs_under(subject, line, *head)
            yield CheckedClaim(claim, text, actual)
        else:
            source = fields.get((part, "source"), "")
            actual = _check_claim(subject, claim, text, source)
            yield CheckedClaim(claim, text, actual)


def _check_purpose_of_base(subject: Subject, text: str, model: str) -> CheckedClaim:
    parsed = _parse_list(subject, model)
    ids = parsed.ids if isinstance(parsed, ParsedList) else ()
    actual = subject.defer("purpose", text, ids) if ids else str(parsed)
    return CheckedClaim("purpose", text, actual)


def _misses_base(part: str, code: str) -> str:
    """Return what is wrong with a line that is to call, or to name, the base class."""
    if part == "trace_super" and "super(" not in code:
        return "it calls no base class"
    is_named = part != "trace_base" or re.search(r"\w\.\w", code)
    return "" if is_named else "it names no base class"


def _check_claim(subject: Subject, claim: str, text: str, source: str = "") -> str:
    """Run the check of a claim, or defer the claim to when all files are read.

    `source` is the file that the same part names as the one that says so, or "".
    """
    if claim in _LOCAL_CHECKS:
        return _LOCAL_CHECKS[claim](subject, text)
    if claim in _ELEMENT_LISTS:
        parsed = _parse_list(subject, text)
        if not isinstance(parsed, ParsedList):
            return parsed
        if len(set(parsed.ids)) < len(parsed.ids):
            return "a name is listed twice"
        return subject.defer(claim, text, parsed.ids, parsed.has_more)
    if claim in _NAME_LISTS:
        bare, has_more = strip_more(text, subject.templates)
        names = [one.name for one in parse_names(bare, subject.templates) or ()]
        if not names:
            return "it cannot be read as a list"
        return subject.defer(claim, text, tuple(names), has_more, source)
    if claim in PROJECT_CLAIMS:
        return subject.defer(claim, text, source=source)
    return f"no check for the claim {claim}"


def _parse_list(subject: Subject, text: str) -> ParsedList | str:
    sources = subject.sample["sources"]
    return parse_list(text, subject.templates, subject.path, sources)


def _check_steps(
    subject: Subject, text: str, parts: tuple[str, ...]
) -> Iterator[CheckedClaim]:
    """Check numbered steps: each one of `parts`."""
    number = end = 0
    for number, step in enumerate(_STEP.finditer(text), 1):
        if step[1] != str(number) or step.start() != end:
            yield CheckedClaim("order", step[1], f"it is step {number}")
        end = step.end()
        yield from _check_step(subject, step[2], parts)
        number_told = re.search(r"\d+", step[2])
        for item in step[3].split(_BELOW)[1:]:
            told = subject.templates.match_parts(("trace_comment",), _BELOW + item)
            if told and number_told:
                comment = told[0]["trace_comment", "comment"]
                actual = comment_over(subject, int(number_told[0]), comment)
                yield CheckedClaim("comment above", comment, actual)
            else:
                yield from _check_callee_step(subject, item)
    if end < len(text) or not number:
        yield CheckedClaim("steps", text[end:], "it is no numbered step")


def _check_step(
    subject: Subject, text: str, parts: tuple[str, ...]
) -> Iterator[CheckedClaim]:
    """Check a step; where two parts match its text, one that holds counts."""
    readings = subject.templates.match_parts(parts, text)
    if not readings:
        yield CheckedClaim("steps", text, "it is none of the known steps")
        return
    before = list(subject.deferred)
    holding: list[list[CheckedClaim]] = []
    deferred: list[list[DeferredClaim]] = []
    for fields in readings:
        subject.deferred[:] = before
        checked = list(_check_fields(subject, fields))
        if not any(one.actual for one in checked):
            holding.append(checked)
            deferred.append(subject.deferred[len(before) :])
    if not holding:
        yield from checked
        return
    # The reading that claims most is meant. Of two that claim as much, what differs
    # holds when either does, which other files decide.
    most = max(map(len, deferred))
    meant = [at for at, claims in enumerate(deferred) if len(claims) == most][:2]
    first, second = deferred[meant[0]], deferred[meant[-1]]
    subject.deferred[:] = before + [
        one if one == other else replace(one, alternative=other)
        for one, other in zip(first, second, strict=True)
    ]
    yield from holding[meant[0]]


def _check_callee_step(subject: Subject, text: str) -> Iterator[CheckedClaim]:
    """Check a callee, with the first sentence of its docstring after a separator.

    Names may contain the separator, so every occurrence of it is tried.
    """
    separator, after = subject.templates.parts["purpose"].split("{text}")
    starts = [match.start() for match in re.finditer(re.escape(separator), text)]
    for end in [*starts, len(text)]:
        callee = text[:end]
        parsed = _parse_list(subject, callee)
        if isinstance(parsed, str) or len(parsed.ids) != 1 or parsed.has_more:
            continue
        actual = subject.defer("callees", callee, parsed.ids)
        yield CheckedClaim("callees", callee, actual)
        if end < len(text):
            purpose = text[end + len(separator) :].removesuffix(after)
            actual = subject.defer("purpose", purpose, parsed.ids)
            yield CheckedClaim("purpose", purpose, actual)
        return
    yield CheckedClaim("callees", text, "it names no source of the sample")
