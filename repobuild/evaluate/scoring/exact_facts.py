"""Exact facts: what an answer states that can be looked up, and so be right or wrong.

    path       a path of the repository (known.py has the rule)
    lines      "lines 12-34", "line 7", and the place behind a path: `core.py:12-34`
    name       a name in backticks: callers, bases, members, a container
    code       other inline code: a default, a type, a condition
    parameter  one of the parts between the brackets of a signature or call in a fence
    signature  that signature or call whole

Words are no facts: a summary is judged by its likeness alone.  A commit's id is none
either: ten random digits are looked up, not known.  Code in a fence counts where the
task is about signatures; elsewhere it is a quotation, and judged by its likeness.

What an answer is asked for are the facts of the checked answer that its question does
not state: repeating is not knowing.  A name or a parameter is stated by a question that
has it in code, a path or a condition by one that has it anywhere.

    share      stated, of those that were asked for
    right      all of them are
    wrong      stated, of a kind that was asked for, and not in the checked answer;
               `invented` are those of them that exist nowhere.  Where a list of the
               checked answer ends in "and others", what exists is not held wrong

An answer without any backticks states the names that it was asked for as bare words,
one without a fence a signature in its text: models that were never trained on our form
have neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from repobuild.evaluate.scoring.mention_parser import (
    KnownNames,
    is_name,
    path_of,
    paths_in,
    prose,
    spans,
)
from repobuild.resources import folder
from repobuild.samples.tasks.phrases import phrases

SIGNED = frozenset({"api_usage", "code_explanation", "code_change"})

_RANGE = r"(\d+)(?:\s?(?:-|–|to|至|到)\s?(\d+))?"
_LINES = re.compile(rf"\b[Ll]ines? {_RANGE}|第\s?{_RANGE}\s?行")
_BEHIND = re.compile(r"(?::|#L)(\d+)(?:[-:]L?(\d+))?$")
_FENCED = re.compile(r"^```([^\n]*)\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)
_DEFINED = re.compile(r"\b(?:async def|def|class) \w[^\n(:]*\(")
_CALLED = re.compile(r"(?:await )?[\w.]+\(")
_RETURNED = re.compile(r"[ \t]*->[ \t]*([^\n]+?)[ \t]*:?[ \t]*$", re.MULTILINE)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class ExactFact(NamedTuple):
    kind: str
    text: str


Facts = frozenset[ExactFact]


@dataclass(frozen=True, slots=True)
class FactCounts:
    """How the facts of one answer fared."""

    wanted: Facts
    stated: Facts  # of those that were wanted
    wrong: Facts
    invented: Facts  # of those that are wrong

    @property
    def share(self) -> float | None:
        """None where the checked answer holds no fact that its question does not."""
        return round(len(self.stated) / len(self.wanted), 4) if self.wanted else None

    @property
    def right(self) -> float | None:
        return float(self.stated == self.wanted) if self.wanted else None


def judged(
    question: str, answer: str, expected: str, task: str, known: KnownNames
) -> FactCounts:
    """Hold an answer's facts against those of the checked answer."""
    true = facts_in(expected, task, known)
    wanted = asked_for(question, true)
    said = facts_in(answer, task, known) | bare(answer, wanted)
    kinds = {fact.kind for fact in wanted}
    extra = {f for f in unasked(question, said - true) if f.kind in kinds}
    invented = frozenset(fact for fact in extra if not _exists(fact, known))
    wrong = invented if is_cut(expected) else frozenset(extra)
    return FactCounts(wanted, wanted & said, wrong, invented)


def facts_in(text: str, task: str, known: KnownNames) -> Facts:
    """Every fact that a text states."""
    found = {ExactFact("path", path) for path in paths_in(text, known)}
    for span in spans(text):
        if known.is_path(path_of(span)):
            found |= _lines(_BEHIND.findall(span))
        elif is_name(span.removesuffix("()")):
            found.add(ExactFact("name", span.removesuffix("()")))
        else:
            found.add(ExactFact("code", _plain(span)))
    ranges = _LINES.findall(prose(text))
    found |= _lines((a or c, b or d) for a, b, c, d in ranges)
    if task in SIGNED:
        for language, code in _FENCED.findall(text):
            if language != "diff":  # changed lines, no signature
                found |= signature_facts(code)
    return frozenset(found)


def _lines(ranges: Iterable[tuple[str, str]]) -> set[ExactFact]:
    return {
        ExactFact("lines", first if last in ("", first) else f"{first}-{last}")
        for first, last in ranges
    }


def bare(answer: str, wanted: Facts) -> Facts:
    """Of the wanted facts those that an answer states without our marks."""
    found: set[ExactFact] = set()
    if not spans(answer):
        text = prose(answer)
        found |= {f for f in wanted if f.kind == "name" and _has_word(text, f.text)}
    if "```" not in answer and any(fact.kind == "signature" for fact in wanted):
        found |= signature_facts(answer)
    return frozenset(found)


def asked_for(question: str, facts: Facts) -> Facts:
    return frozenset(unasked(question, facts))


def unasked(question: str, facts: Iterable[ExactFact]) -> Iterator[ExactFact]:
    """The facts that the question does not state itself."""
    fenced = (code for _, code in _FENCED.findall(question))
    code = "\n".join([*spans(question), *fenced])
    for fact in facts:
        if fact.kind in ("name", "parameter"):
            stated = _has_word(code, fact.text)
        else:
            stated = fact.kind in ("path", "code") and fact.text in question
        if not stated:
            yield fact


def is_cut(expected: str) -> bool:
    """Whether a list in the checked answer says that there are more."""
    lines = (line.rstrip(" .。") for line in expected.splitlines())
    return any(line.endswith(_endings()) for line in lines)


@lru_cache(maxsize=1)
def _endings() -> tuple[str, ...]:
    """What stands behind a list that is not whole, in every language there is."""
    files = sorted((folder("configs") / "questions").glob("*.toml"))
    frames = (phrases(file.stem).words["more"] for file in files)
    found = (frame.partition("{items}")[2].strip() for frame in frames)
    return tuple(ending for ending in found if ending)


def _exists(fact: ExactFact, known: KnownNames) -> bool:
    if fact.kind == "path":
        return fact.text in known.paths
    return fact.kind != "name" or known.has_name(fact.text)


def _has_word(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def _plain(text: str) -> str:
    return " ".join(text.split())


# -------------------------------------------------------------------- signatures


def signature_facts(code: str) -> set[ExactFact]:
    """The first definition or call of some code, whole and part by part."""
    found = _DEFINED.search(code) or _CALLED.search(code)
    if found is None:
        return set()
    parts, end = _parts(code, found.end())
    returned = _RETURNED.match(code, end)
    result = f" -> {_plain(returned[1])}" if returned else ""
    whole = _plain(f"{found[0]}{', '.join(parts)}){result}")
    return {
        *(ExactFact("parameter", part) for part in parts),
        ExactFact("signature", whole),
    }


def _parts(code: str, start: int) -> tuple[list[str], int]:
    """What the commas part from a bracket to its mate, and where that ends."""
    parts, begun, open_, place = [], start, [")"], start
    while place < len(code) and open_:
        sign = code[place]
        if sign in "\"'":
            place = _behind_string(code, place)
            continue
        if sign in _PAIRS:
            open_.append(_PAIRS[sign])
        elif sign == open_[-1]:
            open_.pop()
        if not open_ or (sign == "," and len(open_) == 1):
            parts.append(_plain(code[begun:place]))
            begun = place + 1
        place += 1
    return [part for part in parts if part], place


def _behind_string(code: str, start: int) -> int:
    """Where the string ends that begins here; a line's end ends a broken one."""
    place = start + 1
    while place < len(code) and code[place] not in (code[start], "\n"):
        place += 2 if code[place] == "\\" else 1
    return place + 1
