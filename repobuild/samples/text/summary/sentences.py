"""Cut text after whole sentences."""

from __future__ import annotations

import re

SUMMARY = 320  # characters of a first paragraph
SENTENCE = 120  # characters of a neighbour's first sentence
_STEM = 5  # letters of a word that "convert" and "convertible" have in common
_GENERAL_STEMS = frozenset(
    word[:_STEM]
    for word in "the that this these those and for with from into has have are not its"
    " any all one which when will can may check test validate verify represent class"
    " base object type kind simple used".split()
)
_STRETCH = 2  # times the length that is asked for, for the sake of a whole sentence
# No sentence ends after these, nor before a small letter.
SENTENCE_END = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bcf\.)(?<!\bresp\.)(?<!\bw\.r\.t\.)"
    r"(?<=[.!?。！？])(?=\s+[^a-z\s]|\s*$)|(?<=[。！？])"
)
# A sentence that tells what happens under a condition, as one of several.
CASE = re.compile(r"(?:If|When|Unless|Otherwise|Else|In case|For)\b|如果|若|否则|当")
_WORDS = re.compile(r"[^\W_]+")


def first_sentence(text: str) -> str:
    """Return the first sentence of a summary, `SENTENCE` characters at most."""
    end = SENTENCE_END.search(text)
    return shorten(text[: end.start()] if end else text, SENTENCE)


def sentences_before(text: str, end: int) -> str:
    """Return the sentences of a text that end before a place in it."""
    ends = (match.start() for match in SENTENCE_END.finditer(text))
    whole = [one for one in ends if one < end and not text[:one].endswith(" ex.")]
    return text[: whole[-1]] if whole else ""


def shorten(text: str, most: int) -> str:
    """Cut a text after its last sentence that fits, or after a longer first one.

    A sentence is never cut: of one that is longer than `_STRETCH` times `most` nothing
    is left.
    """
    if len(text) <= most:
        return text
    ends = [match.start() for match in SENTENCE_END.finditer(text)] or [len(text)]
    end = max((end for end in ends if end <= most), default=ends[0])
    end = _end_before_cases(text, ends, end)
    return text[:end].rstrip() if end <= most * _STRETCH else ""


def _end_before_cases(text: str, ends: list[int], end: int) -> int:
    """Return the end of a cut before the first of several cases, if any is before it.

    "If a port is given, it is returned." alone would tell one case as the whole rule.
    """
    kept = [one for one in ends if one <= end]
    while len(kept) > 1 and CASE.match(text[end:].lstrip()):
        if not CASE.match(text[kept[-2] :].lstrip()):
            break
        kept.pop()
        end = kept[-1]
    return end


def says_as_much(docstring: str, text: str) -> bool:
    """Return whether a docstring has all words that a text consists of, in any form.

    "Check that a value is a float." says no more than "Tests that value is a float or a
    string." does. Words that any docstring may have, as "check", do not count.
    """
    wanted = _stems_of(text)
    return bool(wanted) and wanted <= _stems_of(docstring)


def _stems_of(text: str) -> set[str]:
    words = _WORDS.findall(text.lower())
    return {word[:_STEM] for word in words if len(word) > 2} - _GENERAL_STEMS
