"""Make samples with one changed fact, which `verify --samples` has to notice.

A mutant changes one token of an answer: a name or a path in backticks or a word of
prose or code gets a letter more, a number is one more.

Source: mutation testing (DeMillo, Lipton and Sayward, 1978), applied to texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_TOKENS = {
    "name": re.compile(r"`[^`\n]*?(\w)`"),
    "path": re.compile(r"`[^`\n]*?(\w)\.\w+`"),
    "number": re.compile(r"(?<![\w.])(\d+)(?![\w.])"),
    "word": re.compile(r"\b([^\W\d_]{3,})\b"),
}


class Mutant(NamedTuple):
    """A sample with one token of its answer changed; `what` is the kind of token."""

    key: str
    token_kind: str
    before: str
    after: str
    sample: Mapping[str, Any]


def changeable_tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of every token that can be changed."""
    for what, pattern in _TOKENS.items():
        for found in pattern.finditer(text):
            yield what, found.start(1), found.end(1)


def make_mutant(
    key: str, sample: Mapping[str, Any], chance: random.Random
) -> Mutant | None:
    """Change one token of an answer; None when it has none."""
    answer = sample["answer"]
    found = sorted(set(changeable_tokens(answer)))
    if not found:
        return None
    what, start, end = chance.choice(found)
    old = answer[start:end]
    new = str(int(old) + 1) if what == "number" else _with_added_letter(old)
    text = answer[:start] + new + answer[end:]
    excerpt = slice(max(start - 30, 0), end + 30)
    return Mutant(key, what, answer[excerpt], text[excerpt], {**sample, "answer": text})


def _with_added_letter(word: str) -> str:
    return word + ("q" if not word.endswith("q") else "z")
