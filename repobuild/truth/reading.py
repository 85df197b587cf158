"""One sample: read back into its claims, and these checked as far as its file goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from repobuild.truth.answer_template import Fields, UnknownKindError, answer_templates
from repobuild.truth.claims.change_claims import ChangeSubject, Past, checked
from repobuild.truth.claims.code_claims import CODE
from repobuild.truth.claims.completion_claims import COMPLETION
from repobuild.truth.claims.list_claims import ParsedList, listing, names, without_more
from repobuild.truth.claims.local_claims import OWN, Check, called_line
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.signature_claims import SHAPE
from repobuild.truth.structure import CLAIMS, REASONING, STEPS
from repobuild.truth.subject import LINES, PROJECT, DeferredClaim, Subject, TreeFile
from repobuild.truth.tree.tree_index import TreeIndex

_ASKED = " asked"  # behind the name of a frame: its question's
_STEP = re.compile(r"\n(\d+)\. ([^\n]+)")
_CHECKS: Mapping[str, Check] = {**OWN, **SHAPE, **CODE, **COMPLETION}
_LISTS = frozenset(
    "callers callees bases subclasses overrides overridden tests imports"
    " importers".split()
)
_NAMED = frozenset({"key modules", "technologies"})  # names without files


@dataclass(frozen=True, slots=True)
class WrongClaim:
    """A claim that does not hold."""

    key: str
    claim: str
    said: str
    tree: str


@dataclass(frozen=True, slots=True)
class ReadSample:
    """A sample's claims: their kinds, those that are wrong, those still to check."""

    claims: list[str]
    wrong: list[WrongClaim]
    far: list[DeferredClaim]
    kind: str = ""


def read(key: str, sample: Mapping[str, Any], file: TreeFile) -> ReadSample:
    """Check a sample against the file that its element stands in."""
    try:
        kind, found = _fields(key, sample)
    except (UnknownKindError, ValueError, FileNotFoundError) as error:
        return _unread(key, error)
    about = Subject(key, sample, kind, answer_templates(sample["language"]), file)
    claims: list[str] = []
    wrong: list[WrongClaim] = []
    for claim, said, tree in _checked(about, found):
        claims.append(claim)
        if tree:
            wrong.append(WrongClaim(key, claim, said, tree))
    return ReadSample(claims, wrong, about.far, kind)


def read_change(
    key: str, sample: Mapping[str, Any], index: TreeIndex, past: Past
) -> ReadSample:
    """Check a sample about a commit; every file has to be read before."""
    try:
        kind, found = _fields(key, sample)
    except (UnknownKindError, ValueError, FileNotFoundError) as error:
        return _unread(key, error)
    asked = {f: said for (part, f), said in found.items() if part.endswith(_ASKED)}
    commit = past(str(sample.get("commit", "")))
    about = ChangeSubject(
        kind, found, answer_templates(sample["language"]), index, commit
    )
    claims = list(checked(about))
    for (_, field), said in found.items():
        if field == "project":
            far = DeferredClaim("project", key, sample["element"], said)
            claims.append((field, said, PROJECT_CLAIMS["project"](index, far)))
    for field, said in asked.items():
        told = found.get((kind, field), said)
        differs = f"the answer says {told}" if told != said else ""
        claims.append((field, said, differs))
    wrong = [WrongClaim(key, claim, said, tree) for claim, said, tree in claims if tree]
    return ReadSample([claim for claim, _, _ in claims], wrong, [], kind)


def _unread(key: str, error: Exception) -> ReadSample:
    return ReadSample(
        ["kind"], [WrongClaim(key, "kind", key.rpartition("#")[2], str(error))], []
    )


def is_change(sample: Mapping[str, Any]) -> bool:
    return bool(sample["task"] == "code_change")


def element_path(key: str) -> str:
    """The file that a sample's key names, "" for the project."""
    id = key.rpartition("#")[0].removesuffix(LINES)
    return "" if id == PROJECT else id.partition("::")[0]


def _fields(key: str, sample: Mapping[str, Any]) -> tuple[str, Fields]:
    """The kind of a sample and what fills its frames; raises on what cannot be read."""
    task, language, number = key.rpartition("#")[2].split(".")
    known = answer_templates(language)
    kind = known.kind(task, int(number))
    asked = known.question(kind, int(number), sample["question"])
    said = known.answer(kind, sample["answer"])
    if asked is None or said is None:
        part = "question" if asked is None else "answer"
        raise ValueError(f"the {part} is not in the words of a {kind} sample")
    if (sample["task"], sample["language"]) != (task, language):
        raise ValueError("key and sample name different tasks or languages")
    # Question and answer may say different things of one field: both are checked.
    asked = {(part + _ASKED, field): said for (part, field), said in asked.items()}
    return kind, {**asked, **said}


def _checked(about: Subject, found: Fields) -> Iterator[tuple[str, str, str]]:
    """(claim, what is said, what the tree says or "") of every field."""
    if about.id != about.key.rpartition("#")[0].removesuffix(LINES):
        yield "key", about.key, f"the sample is about {about.id}"
    for (part, field), said in found.items():
        claim = _claim(part.removesuffix(_ASKED), field)
        if claim in ("steps", "reasoning"):
            parts = REASONING if claim == "reasoning" else STEPS[about.kind]
            yield from _steps(about, said, parts)
        elif claim == "called line":
            line, code = (found["trace_call", side] for side in ("line", "code"))
            yield claim, said, called_line(about, line, code)
        else:
            yield claim, said, _check(about, claim, said)


def _claim(part: str, field: str) -> str:
    claim = CLAIMS.get((part, field)) or CLAIMS.get(("", field))
    return claim or f"no check for {{{field}}} of {part}"


def _check(about: Subject, claim: str, said: str) -> str:
    if claim in _CHECKS:
        return _CHECKS[claim](about, said)
    if claim in _LISTS:
        return _listed(about, claim, said)
    if claim in _NAMED:
        text, more = without_more(said, about.frames)
        read = [named.name for named in names(text, about.frames) or ()]
        if not read:
            return "it cannot be read as a list"
        return about.later(claim, said, tuple(read), more)
    if claim in PROJECT_CLAIMS:
        return about.later(claim, said)
    return claim


def _listed(about: Subject, claim: str, said: str) -> str:
    found = listing(said, about.frames, about.path, about.sample["sources"])
    if not isinstance(found, ParsedList):
        return found
    if len(set(found.ids)) < len(found.ids):
        return "a name stands twice"
    return about.later(claim, said, found.ids, found.more)


def _steps(
    about: Subject, text: str, expected: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    """The claims of numbered steps, each a part, or a mention with its purpose."""
    place = end = 0
    for place, step in enumerate(_STEP.finditer(text), 1):
        if step[1] != str(place) or step.start() != end:
            yield "order", step[1], f"it is step {place}"
        end = step.end()
        if not expected:
            yield from _mentioned(about, step[2])
            continue
        yield from _step(about, about.frames.part(expected, step[2]), step[2])
    if end < len(text) or not place:
        yield "steps", text[end:], "it is no numbered step"


def _step(
    about: Subject, readings: list[Fields], text: str
) -> Iterator[tuple[str, str, str]]:
    """The claims of a step; of two readings, of the one that holds."""
    if not readings:
        yield "steps", text, "it is none of the known steps"
        return
    before, waiting = list(about.far), []
    holding: list[list[tuple[str, str, str]]] = []
    for fields in readings:
        about.far[:] = before
        found = list(_checked(about, fields))
        if not any(tree for _, _, tree in found):
            holding.append(found)
            waiting.append(about.far[len(before) :])
    if holding:
        about.far[:] = [*before, *_either(waiting)]
    yield from holding[0] if holding else found


def _either(readings: list[list[DeferredClaim]]) -> list[DeferredClaim]:
    """The claims of a text that can be read in one way or in another."""
    if len(readings) < 2:
        return readings[0]
    pairs = zip(*readings[:2], strict=True)
    return [one if one == two else replace(one, other=two) for one, two in pairs]


def _mentioned(about: Subject, said: str) -> Iterator[tuple[str, str, str]]:
    """A callee, with the first sentence of its docstring."""
    before = about.frames.parts["purpose"].replace("{text}", "")
    for end in [*_places(said, before), len(said)]:
        found = listing(said[:end], about.frames, about.path, about.sample["sources"])
        if isinstance(found, ParsedList) and len(found.ids) == 1 and not found.more:
            yield "callees", said[:end], about.later("callees", said[:end], found.ids)
            if end < len(said):
                text = said[end + len(before) :]
                yield "purpose", text, about.later("purpose", text, found.ids)
            return
    yield "callees", said, "it names no source of the sample"


def _places(text: str, mark: str) -> Iterator[int]:
    place = text.find(mark)
    while place >= 0:
        yield place
        place = text.find(mark, place + 1)
