"""Tell Chinese prose from other prose by its characters."""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W\d_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{2,}")
_HAN_OF_A_WORD = 2  # characters, on average
_LEAST_SHARE = 0.3  # Chinese text about code holds many names in Latin letters


def count_words(text: str) -> tuple[int, int]:
    """Return how many words of a text are written in Han characters, and how many not.

    Quoted code counts as other words: it says nothing of the language around it.
    """
    return len(_HAN.findall(text)) // _HAN_OF_A_WORD, len(_WORD.findall(text))


def is_chinese(text: str) -> bool:
    han, other = count_words(text)
    return han > 0 and han >= _LEAST_SHARE * (han + other)
