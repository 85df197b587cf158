"""Score an answer by the words that it shares with the expected one: ROUGE-L and BLEU.

    rouge_l   F1 of the longest common subsequence of words, over both lengths
    bleu      n-grams up to four, smoothed for single sentences (sacrebleu's
              `sentence_bleu` with effective order), from 0 to 1

Both know nothing of facts: a fluent answer with a wrong path scores high. They are
beside the exact facts because other reports have them.

A word is a run of letters, digits and `_`, in lower case, or one character of Chinese
or Japanese. The package rouge-score keeps only a-z and 0-9, so that every Chinese
answer scores 0; its algorithm is one call of rapidfuzz.

Sources: Lin, "ROUGE: a package for automatic evaluation of summaries" (ACL 2004
workshop); Papineni et al., "BLEU" (ACL 2002); Post, "A call for clarity in reporting
BLEU scores" (WMT 2018).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, NamedTuple

# Han, Hiragana and Katakana have no spaces between words.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])\w)+"
)


class TextOverlap(NamedTuple):
    """Both scores, from 0 to 1."""

    rouge_l: float
    bleu: float


def text_overlap(answer: str, expected: str) -> TextOverlap | None:
    """Compare the words of two texts; None when nothing with words is expected."""
    ours, theirs = words(answer), words(expected)
    if not theirs:
        return None
    return TextOverlap(_rouge_l(ours, theirs), _bleu(ours, theirs))


def words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def _rouge_l(ours: list[str], theirs: list[str]) -> float:
    from rapidfuzz.distance import LCSseq

    common = LCSseq.similarity(ours, theirs)
    return round(2.0 * common / (len(ours) + len(theirs)), 4)


def _bleu(ours: list[str], theirs: list[str]) -> float:
    found = _sentence_bleu().sentence_score(" ".join(ours), [" ".join(theirs)])
    return round(min(1.0, float(found.score) / 100), 4)


@cache
def _sentence_bleu() -> Any:
    """Return sacrebleu's metric; the words are split already."""
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize="none", effective_order=True)
