"""What a sample quotes: code and prose that are not its own words.

A *passage* is a run of at least `RUN` words of quoted text:

    code    what stands between fences, and around and in a hole
    prose   what a line of an answer says between names in backticks, quotes and colons,
            and what a question says in quotes

The words of the question files are no passage: in answers they stand between such marks
and are short (a test holds it). A word is a run of letters, digits and underscores, in
lower case; punctuation does not count, as in the 13-gram check by which GPT-3's
training data was parted from its tests. Of Chinese each character is a word, and two
are needed where a passage's length is counted.

Two texts that share `RUN` words in a row share a *mark*, always: marks are picked by
winnowing (Schleimer, Wilkerson, Aiken, SIGMOD 2003): of the `RUN - GRAM + 1` hashes of
`GRAM` words in any such run, the least. So an index that holds about a fifth of the
words finds every copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from zlib import crc32

from repobuild.engine.contract import Value

RUN = 13
GRAM = 5
_WINDOW = RUN - GRAM + 1
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_NAME = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
_BREAK = re.compile(r"`[^`\n]*`|[\n\":：“”「」]")
_IN_QUOTES = re.compile(r"[\"“「]([^\"”」\n]+)[\"”」]")
_WORD = re.compile(r"[^\W\u3400-\u9fff]+|[\u3400-\u9fff]")
_ASCII_WORD = re.compile(r"\w+")

Passage = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotedPassages:
    """The passages of one sample, and what it is compared by."""

    passages: tuple[Passage, ...]  # of question and answer, of a hole with its code
    answered: tuple[Passage, ...]  # of the answer
    shown: Passage  # words of the passages that stand in the question
    said: Passage  # words of the answer without the names


NOTHING = QuotedPassages((), (), (), ())


def quoted(sample: Mapping[str, Value]) -> QuotedPassages:
    """Return the passages of a sample."""
    if sample["form"] == "fim":
        return _completed(sample)
    asked = tuple(passages(sample["question"], _IN_QUOTES.findall))
    answered = tuple(passages(sample["answer"], _BREAK.split))
    if not asked and not answered:
        return NOTHING
    shown = tuple(chain.from_iterable(asked))
    return QuotedPassages(asked + answered, answered, shown, _said(sample["answer"]))


def _completed(sample: Mapping[str, Value]) -> QuotedPassages:
    """Of a hole: what fills it, and all the code that it is in."""
    filled = words(sample["answer"])
    before, after = (sample.get(name) or "" for name in ("prefix", "suffix"))
    whole = _long(words(f"{before}{sample['answer']}{after}"))
    if not whole:
        return NOTHING
    return QuotedPassages(whole, _long(filled), whole[0], filled)


def _said(text: str) -> Passage:
    return words(_NAME.sub(" ", text) if "`" in text else text)


def passages(text: str, prose: Callable[[str], list[str]]) -> Iterator[Passage]:
    """Yield the passages of a text; `prose` parts what stands outside fences."""
    for number, part in enumerate(_FENCE.split(text) if "```" in text else (text,)):
        for run in (part,) if number % 2 else prose(part):
            if len(run) >= 2 * RUN:
                yield from _long(words(run))


def words(text: str) -> Passage:
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return tuple(pattern.findall(text.lower()))


def marks(passage: Passage) -> set[int]:
    """Return 32-bit numbers of which two passages with a common run share one."""
    turns = zip(*(passage[n:] for n in range(GRAM)), strict=False)
    hashes = [crc32(" ".join(turn).encode("utf-8", "replace")) for turn in turns]
    return set(map(min, zip(*(hashes[n:] for n in range(_WINDOW)), strict=False)))


def runs(passage: Passage) -> set[Passage]:
    """Return every `RUN` words in a row."""
    return set(zip(*(passage[n:] for n in range(RUN)), strict=False))


def _long(found: Passage) -> tuple[Passage, ...]:
    if len(found) < RUN:
        return ()
    single = sum("\u3400" <= word <= "\u9fff" for word in found)
    return (found,) if len(found) - single // 2 >= RUN else ()
