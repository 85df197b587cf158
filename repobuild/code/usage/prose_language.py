"""Tell Chinese prose from other prose by its characters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_HAN_SIGNS = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA_SIGNS = r"\u3040-\u30ff"
_HAN = re.compile(f"[{_HAN_SIGNS}]")
_KANA = re.compile(f"[{_KANA_SIGNS}]")
_WORD = re.compile(rf"[^\W\d_{_KANA_SIGNS}{_HAN_SIGNS}]{{2,}}")
_README = re.compile(r"readme\b[^/]*$|readme_[^/]*$", re.IGNORECASE)
# White space between two characters of Chinese is where a line was broken.
_CHINESE = r"\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_BREAK = re.compile(rf"(?<=[{_CHINESE}])[ \t]*\n\s*(?=[\w{_CHINESE}])")
_HAN_OF_A_WORD = 2  # characters, on average
_LEAST_SHARE = 0.3  # Chinese text about code holds many names in Latin letters
_KANA_OF_JAPANESE = 0.1  # of the Han characters beside them
_MINORITY = 0.2  # of a project's prose: less is no language of its documents


class ProseWords(NamedTuple):
    """How many words of a text are written in Han characters, and how many not."""

    chinese: int
    other: int

    @property
    def is_chinese(self) -> bool:
        return 0 < self.chinese >= _LEAST_SHARE * (self.chinese + self.other)


def count_words(text: str) -> ProseWords:
    """Count the words of a text; those of Japanese are no Chinese."""
    han, kana = len(_HAN.findall(text)), len(_KANA.findall(text))
    if kana > _KANA_OF_JAPANESE * han:
        han, kana = 0, han + kana
    other = len(_WORD.findall(text)) + kana // _HAN_OF_A_WORD
    return ProseWords(han // _HAN_OF_A_WORD, other)


def join_lines(text: str) -> str:
    """Return a paragraph on one line, with spaces as the language has them."""
    return " ".join(_BREAK.sub(_joint, text).split())


def _joint(gap: re.Match[str]) -> str:
    """Return what stands for a line break: a space before a Latin word."""
    before, after = gap.string[gap.start() - 1], gap.string[gap.end()]
    is_mark = not before.isalnum()
    return "" if is_mark or not after.isascii() else " "


def is_chinese(text: str) -> bool:
    return count_words(text).is_chinese


class ProseTotals:
    """The words of all documents by language, kept up to date document by document.

    The row is `{"languages": [...], "words": {language: n}, "readmes": {language: n}}`;
    `languages` are those of a README at the top or of a fifth of all words, English
    where nothing tells.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._words = {"en": 0, "zh": 0} | dict(row.get("words", {}))
        self._readmes = {"en": 0, "zh": 0} | dict(row.get("readmes", {}))

    def count(self, path: str, words: list[int], sign: int) -> None:
        """Add a document's words, or with a `sign` of -1 remove them."""
        if not words:
            return
        counted = ProseWords(*words)
        language = "zh" if counted.is_chinese else "en"
        self._words[language] += sign * sum(counted)
        if _README.match(path):
            self._readmes[language] += sign

    def row(self) -> dict[str, Any]:
        least = max(1, _MINORITY * sum(self._words.values()))
        languages = [
            language
            for language, count in self._words.items()
            if count >= least or self._readmes[language]
        ]
        totals = {"words": self._words, "readmes": self._readmes}
        return {"languages": languages or ["en"], **totals}
