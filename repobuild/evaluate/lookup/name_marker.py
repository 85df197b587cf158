"""Put the names in a question in backticks, as adapters are taught them.

    looks like code    `make_thing`, `MakeThing`, `a.b`, `f()`, `a/b.py`; and a word
                       with a capital in which no question is put
    plain word         "Who calls emit?": a question that has no other name
    plain words        "the cli runner", if `CliRunner` or `cli_runner` is a name

A plain word is taken for a name if something has this name, and the question without
it is like a known one: "Who calls `emit`?" is, "How do I `emit` a warning?" is not. A
word in which questions are put themselves has to leave a known question word for word:
"What does `prompt` do?". So has a word that nothing is named after, here or in a
library: "Who calls shout?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.evaluate.lookup.question_reader import (
    CODE_WORD,
    FULL,
    WORD,
    AskedAbout,
    Phrasing,
    QuestionReader,
)
from repobuild.evaluate.mentions.symbol_lookup import SymbolLookup

LIKE_A_QUESTION = 40.0  # of 100, what a plain word leaves that is a name
MOST_WORDS = 3  # of a name that is written as words
SHORTEST = 3  # letters of a plain word
_CODE = frozenset({AskedAbout.ELEMENT, AskedAbout.FILE})

_ARTICLE = re.compile(r"\b(?:an?|the|our|your) $", re.IGNORECASE)
_QUOTED_OR_SPAN = re.compile(
    r"""(```.*?```|`[^`]*`|"[^"]*"|“[^”]*”|「[^」]*」)""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class NameMarker:
    """Marks the names of one repository."""

    lookup: SymbolLookup
    project: str
    named: Callable[[str], Sequence[str]]  # the ids of what has a name
    is_missing: Callable[[str], bool]  # whether a name is of nothing, here or elsewhere

    def mark(self, question: str, reader: QuestionReader) -> str:
        """Return the question with its names in backticks.

        Of a file that is the only one of its name, the whole path.
        """
        parts = _QUOTED_OR_SPAN.split(question)
        parts[::2] = [
            WORD.sub(lambda word: self._marked(word[0], reader), part)
            for part in parts[::2]
        ]
        marked = "".join(parts)
        if marked != question or len(parts) > 1 or CODE_WORD.search(question):
            return marked
        return self._mark_plain(question, reader)

    def _marked(self, word: str, reader: QuestionReader) -> str:
        name = word.removesuffix("()")
        is_code = bool(CODE_WORD.fullmatch(word))
        is_word = name.islower() or name == self.project or reader.asks_with(name)
        if not is_code and is_word:
            return word
        files = self.lookup.files_ending_in(name)
        if len(files) == 1:
            return f"`{files[0]}`"
        return f"`{word}`" if self.named(name) else word

    def _mark_plain(self, question: str, reader: QuestionReader) -> str:
        """Return a question with the plain words in backticks that are its name."""
        best, marked = 0.0, question
        for start, end, name in self._plain_names(question):
            text = f"{question[:start]}`{name}`{question[end:]}"
            score = reader.best(Phrasing.of(text, self.project), _CODE)
            words = WORD.findall(question[start:end])
            least = FULL if all(map(reader.asks_with, words)) else LIKE_A_QUESTION
            if score >= max(least, best):
                best, marked = score, text
        return marked if best else self._mark_unknown(question, reader)

    def _mark_unknown(self, question: str, reader: QuestionReader) -> str:
        """Return a question with the word in backticks that makes it a known one.

        Nothing has this name, and the answer can say so: "Where is shout defined?".
        What has an article is a thing, and no name: "Where is the configuration?".
        """
        for word in WORD.finditer(question):
            name, before = word[0], question[: word.start()]
            if len(name) < SHORTEST or name == self.project or _ARTICLE.search(before):
                continue
            if reader.asks_with(name) or not self.is_missing(name):
                continue
            text = f"{before}`{name}`{question[word.end() :]}"
            if reader.best(Phrasing.of(text, self.project), _CODE) >= FULL:
                return text
        return question

    def _plain_names(self, question: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, name) of words that something is named after.

        One word first, then more.
        """
        words = list(WORD.finditer(question))
        for count in range(1, MOST_WORDS + 1):
            for first in range(len(words) - count + 1):
                run = words[first : first + count]
                start, end = run[0].start(), run[-1].end()
                texts = question[start:end].split(" ")
                if len(texts) != count or len(run[0][0]) < SHORTEST:
                    continue
                names = [n for n in _spellings(texts) if n != self.project]
                if found := [name for name in names if self.named(name)]:
                    # "The scheduler" is `Scheduler`, and no fixture `scheduler`.
                    yield start, end, min(found, key=self._is_of_tests)

    def _is_of_tests(self, name: str) -> bool:
        return all(is_test(split_id(id)[0]) for id in self.named(name))


def _spellings(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names that words may stand for, as functions and classes have them."""
    joined = "_".join(words)
    return joined, joined.lower(), "".join(word[0].upper() + word[1:] for word in words)
