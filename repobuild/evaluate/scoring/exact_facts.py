"""Find the facts in an answer that can be looked up, and so are right or wrong.

    path       a path of the repository (mentions/mention_parser.py has the rule)
    lines      "lines 12-34", "line 7", and line numbers after a path: `core.py:12-34`
    name       a name in backticks: callers, bases, members, a container
    code       other inline code: a default, a type, a condition
    parameter  one part between the brackets of a signature or call in a fence
    signature  that whole signature or call

Words are not facts: a summary is scored by its similarity alone. The id of a commit is
not one either: ten random digits are looked up, not known. Code in a fence counts if
the task is about signatures; elsewhere it is a quotation and scored by its similarity.

A question asks for the facts of the expected answer that the question itself does not
state: repeating is not knowing. A question states a name or a parameter if it has it in
code, a path or a condition if it has it anywhere.

    share      share of the facts asked for that the answer states (recall)
    right      1 if the answer states all of them
    wrong      stated facts of a kind that was asked for, which the expected answer does
               not state; those that exist nowhere are `invented`. If a list in the
               expected answer ends in "and others", only invented facts are wrong

Models that were never trained on our form use no backticks and fences. So an answer
without any backticks states the names asked for as bare words, and an answer without a
fence states a signature in its text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from repobuild.evaluate.mentions.mention_parser import (
    KnownNames,
    is_name,
    path_of,
    paths_in,
    prose,
    spans,
)
from repobuild.resources import data_folder
from repobuild.samples.tasks.phrases import load_phrases

SIGNATURE_TASKS = frozenset({"api_usage", "code_explanation", "code_change"})

_RANGE = r"(\d+)(?:\s?(?:-|–|to|至|到)\s?(\d+))?"
_LINES = re.compile(rf"\b[Ll]ines? {_RANGE}|第\s?{_RANGE}\s?行")
_LINES_AFTER_PATH = re.compile(r"(?::|#L)(\d+)(?:[-:]L?(\d+))?$")
_FENCED = re.compile(r"^```([^\n]*)\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)
_DEFINITION = re.compile(r"\b(?:async def|def|class) \w[^\n(:]*\(")
_CALL = re.compile(r"(?:await )?[\w.]+\(")
_RETURN_TYPE = re.compile(r"[ \t]*->[ \t]*([^\n]+?)[ \t]*:?[ \t]*$", re.MULTILINE)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


class ExactFact(NamedTuple):
    kind: str
    text: str


Facts = frozenset[ExactFact]


@dataclass(frozen=True, slots=True)
class FactCounts:
    """The facts of one answer, compared with those of the expected answer."""

    wanted: Facts  # asked for
    stated: Facts  # of those asked for
    wrong: Facts
    invented: Facts  # of the wrong ones

    @property
    def share(self) -> float | None:
        """None if the question asks for no fact."""
        return round(len(self.stated) / len(self.wanted), 4) if self.wanted else None

    @property
    def right(self) -> float | None:
        return float(self.stated == self.wanted) if self.wanted else None


def compare_facts(
    question: str, answer: str, expected: str, task: str, known: KnownNames
) -> FactCounts:
    """Compare the facts of an answer with those of the expected answer."""
    true = facts_in(expected, task, known)
    wanted = facts_asked_for(question, true)
    stated = facts_in(answer, task, known) | bare_facts(answer, wanted)
    kinds = {fact.kind for fact in wanted}
    extra = frozenset(
        fact for fact in facts_asked_for(question, stated - true) if fact.kind in kinds
    )
    invented = frozenset(fact for fact in extra if not _exists(fact, known))
    wrong = invented if is_cut(expected) else extra
    return FactCounts(wanted, wanted & stated, wrong, invented)


def facts_in(text: str, task: str, known: KnownNames) -> Facts:
    """Return every fact that a text states."""
    facts = {ExactFact("path", path) for path in paths_in(text, known)}
    ranges = [(a or c, b or d) for a, b, c, d in _LINES.findall(prose(text))]
    for span in spans(text):
        if known.is_path(path_of(span)):
            ranges += _LINES_AFTER_PATH.findall(span)
        elif is_name(span.removesuffix("()")):
            facts.add(ExactFact("name", span.removesuffix("()")))
        else:
            facts.add(ExactFact("code", _one_line(span)))
    for first, last in ranges:
        is_single = last in ("", first)
        facts.add(ExactFact("lines", first if is_single else f"{first}-{last}"))
    if task in SIGNATURE_TASKS:
        for language, code in _FENCED.findall(text):
            if language != "diff":  # changed lines, no signature
                facts |= signature_facts(code)
    return frozenset(facts)


def bare_facts(answer: str, wanted: Facts) -> Facts:
    """Return the wanted facts that an answer states without backticks or fences."""
    facts: set[ExactFact] = set()
    if not spans(answer):
        text = prose(answer)
        facts |= {f for f in wanted if f.kind == "name" and _has_word(text, f.text)}
    if "```" not in answer and any(fact.kind == "signature" for fact in wanted):
        facts |= signature_facts(answer)
    return frozenset(facts)


def facts_asked_for(question: str, facts: Facts) -> Facts:
    """Return the facts that the question does not state itself."""
    fenced = (code for _, code in _FENCED.findall(question))
    code = "\n".join([*spans(question), *fenced])

    def is_stated(fact: ExactFact) -> bool:
        if fact.kind in ("name", "parameter"):
            return _has_word(code, fact.text)
        return fact.kind in ("path", "code") and fact.text in question

    return frozenset(fact for fact in facts if not is_stated(fact))


def is_cut(expected: str) -> bool:
    """Return whether a list in the expected answer ends in "and others"."""
    lines = (line.rstrip(" .。") for line in expected.splitlines())
    return any(line.endswith(_more_endings()) for line in lines)


@lru_cache(maxsize=1)
def _more_endings() -> tuple[str, ...]:
    """Return the text after an incomplete list, in every language."""
    files = sorted((data_folder("configs") / "questions").glob("*.toml"))
    frames = (load_phrases(file.stem).words["more"] for file in files)
    endings = (frame.partition("{items}")[2].strip() for frame in frames)
    return tuple(ending for ending in endings if ending)


def _exists(fact: ExactFact, known: KnownNames) -> bool:
    if fact.kind == "path":
        return fact.text in known.paths
    return fact.kind != "name" or known.has_name(fact.text)


def _has_word(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


# -------------------------------------------------------------------- signatures


def signature_facts(code: str) -> set[ExactFact]:
    """Return the first definition or call in some code, whole and by parameter."""
    head = _DEFINITION.search(code) or _CALL.search(code)
    if head is None:
        return set()
    parts, end = _split_arguments(code, head.end())
    returned = _RETURN_TYPE.match(code, end)
    result = f" -> {_one_line(returned[1])}" if returned else ""
    whole = _one_line(f"{head[0]}{', '.join(parts)}){result}")
    return {
        *(ExactFact("parameter", part) for part in parts),
        ExactFact("signature", whole),
    }


def _split_arguments(code: str, start: int) -> tuple[list[str], int]:
    """Split the text after an open bracket at its commas.

    Returns the parts, and the index after the closing bracket.
    """
    parts, part_start, closers, index = [], start, [")"], start
    while index < len(code) and closers:
        char = code[index]
        if char in "\"'":
            index = _end_of_string(code, index)
            continue
        if char in _BRACKETS:
            closers.append(_BRACKETS[char])
        elif char == closers[-1]:
            closers.pop()
        if not closers or (char == "," and len(closers) == 1):
            parts.append(_one_line(code[part_start:index]))
            part_start = index + 1
        index += 1
    return [part for part in parts if part], index


def _end_of_string(code: str, start: int) -> int:
    """Return the index after the string that begins at `start`.

    The end of the line also ends a string, so that a broken one costs one line.
    """
    index = start + 1
    while index < len(code) and code[index] not in (code[start], "\n"):
        index += 2 if code[index] == "\\" else 1
    return index + 1
