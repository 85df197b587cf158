"""Tell which kind of fact a question asks for, by the words of every known phrasing.

A question and a phrasing are compared without the names in them, by the words that they
share. A word counts the more, the fewer kinds have it in a phrasing. The score of a
kind is the mean of its three phrasings that are most alike; what is one of them word
for word has the full score. The phrasings are those that may be trained and those of
asked.py. A kind is about elements, files or the project, as the fields of its questions
say: "What is `x`?" asks for another kind of fact than "What is this project?".

Of 400 phrasings, each left out in turn, 62 % (English) and 57 % (Chinese) have their
own kind first among 67; by the edit distance of sentences it was 40 and 46 %.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from heapq import nlargest
from statistics import fmean
from typing import NamedTuple

from repobuild.evaluate.lookup.asked import Asked
from repobuild.evaluate.mentions.mention_parser import prose
from repobuild.samples.tasks.phrases import FactKind, load_phrases
from repobuild.samples.text.paraphrases import fields_in, phrasings

FULL = 100.0
COMPARED = 3  # phrasings of a kind
UNKNOWN = 3.0  # weight of a word that no phrasing has
RARE = 2.25  # weight of a word that says what a question is about: few kinds have it

QUOTED = re.compile(r'"([^\n]{3,})"|“([^”\n]{3,})”|「([^」\n]{3,})」')
# Chinese is written without spaces: its signs end a word of another script.
_W = r"[^\W\u3000-\u9fff\uff00-\uffef]"
_BEGIN = r"[^\W\d\u3000-\u9fff\uff00-\uffef]"
_ANY = rf"(?:{_W}|[./-])*"
WORD = re.compile(rf"{_BEGIN}{_ANY}{_W}(?:\(\))?")
# Words that are a name in code, not one of a sentence: `make_thing`, `HelpFormatter`.
CODE_WORD = re.compile(
    rf"{_BEGIN}{_ANY}(?:{_W}_{_W}|[a-z0-9][A-Z]|[A-Z][A-Z][a-z]|{_W}\.{_W}|/){_ANY}"
    rf"(?:\(\))?|_{_W}+(?:\(\))?|{_BEGIN}{_W}*\(\)"
)
# In backticks, with article and word for what it is: "the function `f`", "a `T` class".
_KIND = r"function|method|class|property|constant|module|file|document|section"
_CHINESE_KIND = "函数|方法|属性|常量|模块|文件|文档|类"
_SPAN = re.compile(
    rf"(?:\b(?:the|an?)\s+)?(?:\b(?:{_KIND})\s+|(?:{_CHINESE_KIND})\s*)?`[^`\n]*`"
    rf"(?:\s+(?:{_KIND})\b|\s*(?:{_CHINESE_KIND}))?",
    re.IGNORECASE,
)
THIS_PROJECT = re.compile(
    r"\b(?:(?:this|our|the)\s+(?:project|repository|repo|library|code\s?base)"
    r"|(?:this|our)\s+package)\b|[这本该]个?(?:项目|仓库|代码库|库)",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\{\w+\}")
_MADE = ("made", "made_class", "made_property")  # words for {made}
_OF_ELEMENTS = frozenset({"name", "short", "summary", "code", "like"})
_GONE_FILES = ("removed_file", "renamed_file")  # their {name} is a path
_WORD = re.compile(r"[^\W_]+")
_STEM = re.compile(r"(\w{3,}?)(?:s|es|e|d|ed|r|er|ing)*", re.ASCII)


class AskedAbout(Enum):
    """What a kind of fact is about."""

    ELEMENT = "element"
    FILE = "file"
    PROJECT = "project"


class Phrasing(NamedTuple):
    """A phrasing without names, as a text and as a set of words."""

    text: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, project: str = "") -> Phrasing:
        plain = without_names(text, project)
        return cls(" ".join(_WORD.findall(plain)), frozenset(_words(plain)))


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Scores questions of one language, 0 to `FULL`."""

    kinds: Mapping[str, Sequence[Phrasing]]
    subjects: Mapping[str, frozenset[AskedAbout]]  # of kinds
    weights: Mapping[str, float] = field(default_factory=dict)  # of words
    _wholes: dict[frozenset[str], float] = field(default_factory=dict)  # of phrasings

    @classmethod
    @cache
    def of(cls, language: str) -> QuestionReader:
        """Return the reader of a language."""
        asked, phrases = Asked.of(language), load_phrases(language)
        made = [word for name, word in phrases.words.items() if name in _MADE]
        kinds = {
            kind: tuple(
                Phrasing.of(text.replace("{made}", word))
                for text in (*texts, *asked.phrasings.get(kind, ()))
                for word in (made if "{made}" in text else made[:1])
            )
            for kind, texts in phrasings(language).items()
        }
        having: Counter[str] = Counter()
        for known in kinds.values():
            having.update(set().union(*(phrasing.words for phrasing in known)))
        weights = {word: math.log(1 + len(kinds) / n) for word, n in having.items()}
        subjects = {name: _subjects(kind) for name, kind in phrases.kinds.items()}
        return cls(kinds, subjects, weights)

    def asks_with(self, word: str) -> bool:
        """Return whether a word is one that questions are put in, as "parameters"."""
        return all(part in self.weights for part in _words(word.casefold()))

    def is_rare(self, word: str) -> bool:
        """Return whether a stem says what a question is about, not how it is put."""
        return self.weights.get(word, UNKNOWN) >= RARE

    def score(self, question: Phrasing, kind: str) -> float:
        """Return how much a question asks for what a kind of fact answers."""
        known = self.kinds.get(kind, ())
        if question.text and any(question.text == one.text for one in known):
            return FULL
        alike = [self.likeness(question, phrasing) for phrasing in known]
        return fmean(nlargest(COMPARED, alike)) if alike else 0.0

    def best(self, question: Phrasing, subjects: frozenset[AskedAbout]) -> float:
        """Return the best score of the kinds that are about one of these subjects."""
        kinds = (kind for kind in self.kinds if self.subjects[kind] & subjects)
        return max(self.score(question, kind) for kind in kinds)

    def likeness(self, one: Phrasing, other: Phrasing) -> float:
        """Return the weight of the words that both have, of those that either has."""
        both = self._weight(one.words & other.words)
        either = self._whole(one.words) + self._whole(other.words) - both
        return FULL * both / either if either else 0.0

    def _whole(self, words: frozenset[str]) -> float:
        """Return the weight of a phrasing's words; each is compared with thousands."""
        if words not in self._wholes:
            self._wholes[words] = self._weight(words)
        return self._wholes[words]

    def _weight(self, words: Iterable[str]) -> float:
        return sum(self.weights.get(word, UNKNOWN) for word in words)


def without_names(text: str, project: str = "") -> str:
    """Return a question in small letters, without quotations, names and code."""
    text = _FIELD.sub(" ", _SPAN.sub(" ", QUOTED.sub(" ", prose(text))))
    if project:
        text = re.sub(rf"(?<!\w){re.escape(project)}(?!\w)", " ", text)
    text = CODE_WORD.sub(" ", THIS_PROJECT.sub(" ", text))
    return " ".join(text.casefold().split())


def names_project(question: str, project: str) -> bool:
    """Return whether a question names the project, or says "this project"."""
    named = rf"(?<!\w){re.escape(project)}(?!\w)"
    return bool(project and re.search(named, question, re.IGNORECASE)) or bool(
        THIS_PROJECT.search(question)
    )


def _subjects(kind: FactKind) -> frozenset[AskedAbout]:
    """Return what a kind is about, by the fields of its questions."""
    fields = frozenset().union(*map(fields_in, kind.questions))
    if kind.name in _GONE_FILES:
        return frozenset({AskedAbout.FILE})
    if fields & _OF_ELEMENTS:
        return frozenset({AskedAbout.ELEMENT})
    return frozenset({AskedAbout.FILE if "path" in fields else AskedAbout.PROJECT})


def _words(text: str) -> Iterable[str]:
    """Yield the stems of English words, and the pairs of signs of Chinese ones."""
    for word in _WORD.findall(text):
        if not word.isascii():
            yield from map("".join, zip(word, word[1:], strict=False))
        elif stem := _STEM.fullmatch(word):
            yield stem[1]
        else:
            yield word
