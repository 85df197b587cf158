"""Task `implementation_path`: how something is done here, and how to change it.

The original specification asks for reasoning traces: here, every step names code that
the graph knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import (
    Trace,
    merged,
    numbered,
    reasoning,
    whole_list,
)

_SHORT_BODY = 14  # lines that are quoted whole
_FIRST_TESTS = 4
_FEWEST_OF_MANY = 2  # tests that are named where there are others
_TESTS = ("tests", "users_in_tests")
_CHANGE_STEPS = (
    ("overridden", "step_overridden"),
    ("callers", "step_callers"),
    ("readers", "step_readers"),
)
_FEWEST_LINES = 2  # of a trace
_FEWEST_STEPS = 2  # of a change
_FIRST_WORD = re.compile(r"(?:async )?\w+")  # of the head of a block
_NEEDS_NO_WORD = re.compile(r"return(?: \w+)?\s*(?:#.*)?")
_SAYS_WHY = re.compile(r"raise \w+\(\s*[fr]?['\"].*\s.*['\"]")
_BELOW = "\n   - "  # begins what is told below a step


def facts(scope: FactScope) -> Iterator[Fact]:
    if scope.get("kind") == "lines":
        yield from _trace(scope)
    if scope.get("kind") not in ("function", "method", "class"):
        return
    if scope.get("brief") or scope.get("name").startswith("__"):
        return
    if answer_parts.has_untold_condition(scope):
        return
    yield from _change(scope)
    yield from _steps(scope)
    if scope.get("kind") == "method" and scope.get("summary"):
        yield from _similar(scope)


def _change(scope: FactScope) -> Iterator[Fact]:
    """Say what to look at when a function changes, where more than callers is known.

    Nothing is asked of a class, which its annotations and attributes bind as well; of a
    method that overrides another, which is called in its place; of one without callers;
    of a public one whose name others have, of which some callers are not resolved; of
    one that its callers do not bound: it sets what others read, or has a counterpart.
    Every list is whole, but that of the tests.
    """
    name = str(scope.get("name"))
    if not _is_bounded(scope):
        return
    if scope.get("other_names"):
        scope = _without_alias(scope)
    part = scope.phrases.part
    steps: list[str] = []
    groups: list[tuple[str, ...]] = [(scope.id,)]
    for field, step in _CHANGE_STEPS:
        if not scope.get(field):
            continue
        text, ids = whole_list(scope, field)
        if not text:
            return
        steps.append(part(step, members=text))
        groups.append(ids)
    if others := [f"`{one}`" for one in scope.get("other_names") or ()]:
        members = answer_parts.list_texts(scope, others)
        steps.append(part("step_other_names", members=members))
    step, text, ids = _tests_to_run(scope, name)
    if text:
        steps.append(part(step, members=text))
        groups.append(ids)
    elif any(map(scope.get, _TESTS)) or answer_parts.is_open(scope, "tests"):
        return  # that no test is named would read as that there is none
    if len(steps) < _FEWEST_STEPS:
        return  # who changes code looks at its callers, and needs no answer for that
    answer = scope.answer("change") + part("steps", items=numbered(steps))
    yield Fact("change", answer, merged(*groups), "hard")


def _is_bounded(scope: FactScope) -> bool:
    """Return whether all that a change of a function concerns can be named."""
    if scope.get("kind") == "class" or scope.get("overrides") or scope.get("stub"):
        return False
    if not scope.get("callers") and not scope.get("readers") or scope.get("beyond"):
        return False
    # What its own file makes of it at the top level has a name, which may not be known.
    is_named = scope.get("path") not in (scope.get("readers") or ())
    return is_named or bool(scope.get("other_names"))


def _without_alias(scope: FactScope) -> FactScope:
    """Leave the top level of its own file out of who refers to a function.

    There the file gives it another name, which has a step of its own.
    """
    readers = [id for id in scope.get("readers") or () if id != scope.get("path")]
    return replace(scope, context={**scope.context, "readers": readers})


def _tests_to_run(scope: FactScope, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the step, the first tests of a function, or of what uses it, and ids.

    All are empty where none of the file with the first one may be named: the others use
    it by the way, and may pass whatever it returns.
    """
    every = list(scope.get("tests") or ())
    if not every:
        text, ids = answer_parts.list_field(scope, "users_in_tests", _FIRST_TESTS)
        return "step_run_users", text, tuple(ids)
    allowed = scope.without_held_out(every)
    tests = allowed[:_FIRST_TESTS]
    while len(tests) > 1 and answer_parts.is_long(tests):
        tests.pop()
    if not tests or split_id(tests[0])[0] != split_id(every[0])[0]:
        return "", "", ()
    bare = name.replace("_", "").lower()
    is_named = all(bare in test.replace("_", "").lower() for test in tests)
    step = "step_run" if is_named else "step_run_users"
    is_cut = len(tests) < len(every) or "tests" in (scope.get("more") or ())
    if is_cut and not is_named and len(tests) < _FEWEST_OF_MANY:
        return "", "", ()  # one of several, and nothing says why that one
    more = is_cut and not is_named  # "first of all" says so
    return step, answer_parts.list_elements(scope, tests, more), tuple(tests)


def _steps(scope: FactScope) -> Iterator[Fact]:
    """The whole code of a short function, and the purposes of what it calls.

    A list of callees alone would hide the order, the conditions and what is no call.
    """
    body = str(scope.get("body") or "")
    if not body or scope.get("kind") == "class" or body.count("\n") >= _SHORT_BODY:
        return
    summaries = scope.get("callee_summaries") or {}
    callees = list(scope.get("callees") or ())
    ids = scope.without_held_out(callees)
    is_cut = len(ids) < len(callees) or "callees" in (scope.get("more") or ())
    if is_cut or summaries.keys().isdisjoint(ids):
        return
    lines = []
    for id in ids:
        name = answer_parts.element_name(scope, id)
        if text := summaries.get(id):
            name += scope.phrases.part("purpose", text=text)
        lines.append(name)
    code = answer_parts.render_code(scope, f"{scope.get('head')}\n{body}")
    answer = scope.answer("steps", code=code)
    answer += answer_parts.render_condition(scope)
    answer += scope.phrases.part("parts", items="".join(f"\n- {one}" for one in lines))
    yield Fact("steps", answer, merged((scope.id, *ids)), "hard")


def _similar(scope: FactScope) -> Iterator[Fact]:
    """How to write a method like this one, where it is one of several of its name."""
    code = answer_parts.render_short_code(scope, _SHORT_BODY)
    if not code or not scope.get("sole") or scope.get("stub"):
        return
    if not scope.get("overrides") and not scope.get("overridden"):
        return
    text, cited = reasoning(scope, "callers", "callees")
    if not text:
        return
    answer = scope.answer("similar") + text + answer_parts.render_summary(scope)
    answer += answer_parts.render_warning(scope)
    if text := scope.get("container_summary"):
        answer += scope.phrases.part(
            "class_summary", container=scope.get("container"), summary=text
        )
    yield Fact("similar", answer + code, merged((scope.id,), cited), "hard")


def _trace(scope: FactScope) -> Iterator[Fact]:
    """Every line of a short function, with what it calls, and what that is for.

    Lines that are read aloud explain nothing: most of them have to call what has a
    purpose, to be below a comment, or to be a `raise` with a message. A `return` of a
    name, which needs no word, counts neither way.
    """
    rows = scope.get("code") or ()
    if len(rows) < _FEWEST_LINES or not _is_explained(scope, rows):
        return
    trace = Trace(scope)
    words = {line: _FIRST_WORD.match(text) for line, text, *_ in rows}
    told: set[str] = set()
    for line, text, callees, head, comment in rows:
        ids = scope.without_held_out(callees)
        # A code span holds text with a backtick only between double backticks.
        code = f"`` {text} ``" if "`" in text else f"`{text}`"
        fields = {"line": str(line), "code": code}
        if ids:
            fields["members"] = answer_parts.list_elements(scope, ids)
        kind = "trace_call" if ids else "trace_line"
        if word := words.get(head):
            kind += "_under"
            fields |= {"head": str(head), "word": word[0]}
        step = scope.phrases.part(kind, **fields)
        if comment and not scope.is_foreign(comment):
            step += scope.phrases.part("trace_comment", comment=comment)
        trace.steps.append(step + _purposes(scope, ids, told))
        told.update(ids)
        trace.sources += ids
    if not trace.sources:
        return
    lines = {"start": str(scope.get("start")), "end": str(scope.get("end"))}
    answer = scope.answer("trace", **lines)
    if (text := scope.get("purpose")) and not scope.is_foreign(text):
        answer += scope.phrases.part("summary", summary=text)
    answer += trace.render()
    yield Fact("trace", answer, merged((scope.id,), tuple(trace.sources)), "hard")


def _is_explained(scope: FactScope, rows: Sequence[Sequence[Value]]) -> bool:
    """Return whether more than half of the lines of a trace come with an explanation.

    A comment explains the lines below it up to the next empty one. What is in another
    language than the answer explains nothing.
    """
    purposes = scope.get("purposes") or {}
    known = {id for id, text in purposes.items() if not scope.is_foreign(text)}
    asked = explained = below = 0  # the line below the last one that a comment explains
    for line, text, callees, _, comment in rows:
        if comment and not scope.is_foreign(comment) or line == below:
            below = line + 1
        if _NEEDS_NO_WORD.fullmatch(text):
            continue
        is_told = bool(callees) and {*scope.without_held_out(callees)} <= known
        asked += 1
        explained += is_told or below > line or bool(_SAYS_WHY.match(text))
    return asked >= _FEWEST_LINES and 2 * explained > asked


def _purposes(scope: FactScope, ids: list[str], told: set[str]) -> str:
    """Return the purposes of what a line calls, of each where it is called first."""
    purposes = scope.get("purposes") or {}
    text = ""
    for id in ids:
        purpose = purposes.get(id)
        if purpose and id not in told and not scope.is_foreign(purpose):
            name = answer_parts.element_name(scope, id)
            text += f"{_BELOW}{name}{scope.phrases.part('purpose', text=purpose)}"
    return text
