"""Find the passages of a sample: code and prose that it quotes from the repository.

A *passage* is a run of at least `RUN` words of quoted text:

    code    the text between fences, and around and in a hole
    prose   in an answer, the parts of a line between names in backticks, quotes and
            colons; in a question, the text in quotes

The words of the question files form no passage: in answers they are enclosed by such
marks and are short (a test checks it). A word is a run of letters, digits and
underscores, in lower case; punctuation does not count, as in the 13-gram check that
separated GPT-3's training data from its tests (Brown et al. 2020). Each Chinese
character is a word, and two of them count as one word of a passage's length.

Two texts that share `RUN` words in a row always share a *mark*: marks are chosen by
winnowing (Schleimer, Wilkerson, Aiken, SIGMOD 2003), as the least of the
`RUN - GRAM + 1` hashes of `GRAM` words in any such run. So an index that holds about a
fifth of the words finds every copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from sys import intern
from zlib import crc32

from repobuild.engine.contract import Value

RUN = 13  # words
GRAM = 5  # words
_WINDOW = RUN - GRAM + 1
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_NAME = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
_BREAK = re.compile(r"`[^`\n]*`|[\n\":：“”「」]")
_IN_QUOTES = re.compile(r"[\"“「]([^\"”」\n]+)[\"”」]")
_WORD = re.compile(r"[^\W\u3400-\u9fff]+|[\u3400-\u9fff]")
_ASCII_WORD = re.compile(r"\w+")

Passage = tuple[str, ...]  # words


@dataclass(frozen=True, slots=True)
class QuotedPassages:
    """The passages of one sample, and the words that it is compared by."""

    all: tuple[Passage, ...]  # of question and answer; of a hole with its code
    in_answer: tuple[Passage, ...]  # of the answer
    question_words: Passage  # words of the question's passages
    answer_words: Passage  # words of the answer without the names


NOTHING = QuotedPassages((), (), (), ())


def quoted_passages(sample: Mapping[str, Value]) -> QuotedPassages:
    """Return the passages of a sample."""
    if sample["form"] == "fim":
        return _quoted_by_completion(sample)
    answer = sample["answer"]
    asked = tuple(passages(sample["question"], _IN_QUOTES.findall))
    answered = tuple(passages(answer, _BREAK.split))
    if not asked and not answered:
        return NOTHING
    without_names = _NAME.sub(" ", answer) if "`" in answer else answer
    shown = asked[0] if len(asked) == 1 else tuple(chain.from_iterable(asked))
    return QuotedPassages(asked + answered, answered, shown, words(without_names))


def _quoted_by_completion(sample: Mapping[str, Value]) -> QuotedPassages:
    """Return the passage that fills a hole, and that of all the code around it."""
    filling = words(sample["answer"])
    before, after = (sample.get(name) or "" for name in ("prefix", "suffix"))
    whole = _if_long(words(f"{before}{sample['answer']}{after}"))
    if not whole:
        return NOTHING
    return QuotedPassages(whole, _if_long(filling), whole[0], filling)


def passages(text: str, prose: Callable[[str], list[str]]) -> Iterator[Passage]:
    """Yield the passages of a text; `prose` splits the text outside of fences."""
    for number, part in enumerate(_FENCE.split(text) if "```" in text else (text,)):
        for run in (part,) if number % 2 else prose(part):
            if len(run) >= 2 * RUN:
                yield from _if_long(words(run))


def words(text: str) -> Passage:
    """Return the words of a text, in lower case.

    A word is kept once in memory, or the passages of the standard library take half a
    gigabyte.
    """
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return tuple(map(intern, pattern.findall(text.lower())))


def fingerprints(passage: Passage) -> set[int]:
    """Return 32-bit numbers; two passages with a common run share at least one."""
    grams = zip(*(passage[n:] for n in range(GRAM)), strict=False)
    hashes = [crc32(" ".join(gram).encode("utf-8", "replace")) for gram in grams]
    return set(map(min, zip(*(hashes[n:] for n in range(_WINDOW)), strict=False)))


def word_runs(passage: Passage) -> set[Passage]:
    """Return every `RUN` words in a row."""
    return set(zip(*(passage[n:] for n in range(RUN)), strict=False))


def _if_long(passage: Passage) -> tuple[Passage, ...]:
    """Return the words as one passage, or nothing when they are too few."""
    if len(passage) < RUN:
        return ()
    chinese = sum("\u3400" <= word <= "\u9fff" for word in passage)
    return (passage,) if len(passage) - chinese // 2 >= RUN else ()
