"""Split source and prose into the terms that lexical search compares.

An identifier gives its parts, `parse_HTMLPage` -> `parse`, `html`, `page`, and itself
as one term, `parse_htmlpage`: the whole is rare, so it ranks what is named exactly; the
parts find it from prose. Parts are stemmed, wholes are not. Words so common that they
tell no file from another are left out of both sides.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_LONGEST = 40  # characters of a term
_WORD = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+|[^\W\d_A-Za-z]+")
_STOP_WORDS = frozenset(
    "a about after all also an and any are as at be been before but by can could "
    "did do does doing done each else even for from get go had has have he here "
    "how i if in into is it its just like may me more most much my no nor not "
    "now of off on one only or other our out over own same she should so some "
    "such than that the their them then there these they this those to too two "
    "under up use used uses using very was we were what when where which while "
    "who why will with would you your self cls def class return import none true "
    "false elif lambda pass raise try except finally yield del global nonlocal "
    "assert async await isinstance len str int".split()
)


def terms_of(text: str) -> Counter[str]:
    """Return the terms of a text and how often each is in it."""
    counts: Counter[str] = Counter()
    for word, often in Counter(_WORD.findall(text)).items():
        for term in split_identifier(word):
            counts[term] += often
    return counts


@lru_cache(maxsize=1 << 18)
def split_identifier(word: str) -> tuple[str, ...]:
    """Return the parts of an identifier or word, and itself when there are many."""
    if len(word) > 4 * _LONGEST:
        return ()
    parts = [part.lower() for part in _PART.findall(word)]
    named = [part for part in parts if not part.isdigit()]
    terms = [
        stem(part)
        for part in parts
        if 1 < len(part) <= _LONGEST and part not in _STOP_WORDS
    ]
    if len(named) > 1 or len(parts) > 1:
        whole = word.strip("_").lower()
        if len(whole) <= _LONGEST:
            terms.append(whole if "_" in whole else f"{whole}_")
    return tuple(terms)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return a word without the ending that its other forms lack.

    A few rules: `creates`, `created`, `creating`, `creation` -> `creat`. The stem need
    not be a word, only the same for most forms.
    """
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word[-1] == "s" and word[-2] not in "sui":
        word = word[:-1]
    for ending, shortest in (("ing", 4), ("ed", 4), ("ion", 5)):
        if word.endswith(ending) and len(word) - len(ending) >= shortest - 1:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word[-1] == "e" and len(word) > 3 else word
