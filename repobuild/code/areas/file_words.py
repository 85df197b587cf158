"""Make the bag of words by which a file is placed, and compare bags.

    path        twice: its directories and its stem
    features    three times the file's own, once those of its elements

The verb that a phrase begins with is a word of its own, "read!". A bag keeps the 24
most frequent words. A word weighs log(1 + files / files with it), as of the last
encode, so that a new file changes no other file's weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log, sqrt

from repobuild.code.areas.area_map import Bag
from repobuild.code.features.phrase import words_of
from repobuild.code.scan.file_roles import is_benchmark, is_test, is_tool
from repobuild.code.scan.language import DOCUMENTS
from repobuild.engine.contract import Value

VERB = "!"
_MOST_WORDS = 24
_MOST_COUNT = 15
_COUNT_WEIGHTS = (0.0, *(1.0 + log(count) for count in range(1, _MOST_COUNT + 1)))
_COMMON = 0.25  # of all files
_OF_PATH, _OF_FILE = 2, 3
_EMPTY = frozenset(
    "about across after all an and any are as at be between both but by can class code"
    " def does each every for from function has have if in init initialize into is it"
    " its kind main method more name new no not object of on one or other own per py"
    " represent return self should src that the their them then this to two type under"
    " use used using value values via what when where whether which while with without"
    " describe check extend perform compute object text lib package".split()
)
PRODUCT, TESTS, DOCUMENTATION, TOOLING = "", "Tests", "Documentation", "Tooling"
ROLES = frozenset({TESTS, DOCUMENTATION, TOOLING})
_EXAMPLES = ("examples/", "example/", "samples/", "demo/", "demos/", "scripts/")


def bag_of(path: str, features: Mapping[str, Value]) -> Bag:
    """Return the words of a file; its stem where it has no other."""
    counts: Counter[str] = Counter()
    for part in path.rpartition(".")[0].split("/"):
        _count(counts, " ".join(words_of(part)), _OF_PATH)
    for sub, found in features.items():
        for feature in found[:2]:
            verb, _, rest = str(feature[0]).partition(" ")
            weight = 1 if sub else _OF_FILE
            _count(counts, rest, weight)
            if verb not in _EMPTY:
                counts[verb + VERB] += weight
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:_MOST_WORDS]
    return {word: min(counts[word], _MOST_COUNT) for word in sorted(ranked)}


def _count(counts: Counter[str], text: str, weight: int) -> None:
    for word in text.split():
        if len(word) > 1 and word not in _EMPTY and not word.isdecimal():
            counts[word] += weight


def role_of(path: str, language: str) -> str:
    """Return the area of a file that is no part of the product, else ""."""
    if is_test(path):
        return TESTS
    if language == "manifest" or is_tool(path) or is_benchmark(path):
        return TOOLING
    if language in DOCUMENTS:
        return DOCUMENTATION
    return TOOLING if path.startswith(_EXAMPLES) else PRODUCT


def common_words(rarity: Mapping[str, int], files: int) -> set[str]:
    """Return the words of so many files that they tell none apart."""
    return {word for word, n in rarity.items() if n > _COMMON * files}


def drift(old: Bag, new: Bag) -> float:
    """Return how far two bags are apart: 1 - weighted Jaccard, 0 for equal ones."""
    words = old.keys() | new.keys()
    common = sum(min(old.get(w, 0), new.get(w, 0)) for w in words)
    whole = sum(max(old.get(w, 0), new.get(w, 0)) for w in words)
    return 1.0 - common / whole if whole else 0.0


class Weights:
    """Turns bags into weighted vectors of length 1."""

    def __init__(self, rarity: Mapping[str, int], files: int) -> None:
        self._rarity, self._files = rarity, max(files, 1)
        self._known: dict[str, float] = {}

    @classmethod
    def of(cls, bags: Iterable[Bag]) -> Weights:
        """Count the words of all files."""
        rarity: Counter[str] = Counter()
        count = 0
        for count, bag in enumerate(bags, 1):  # noqa: B007
            rarity.update(bag.keys())
        return cls(rarity, count)

    @property
    def rarity(self) -> dict[str, int]:
        """Files with each word; words of a single file are left out."""
        return {word: n for word, n in sorted(self._rarity.items()) if n > 1}

    def weight(self, word: str) -> float:
        """Return the weight of a word; most are in many bags."""
        known = self._known.get(word)
        if known is None:
            known = log(1.0 + self._files / (1.0 + self._rarity.get(word, 1)))
            self._known[word] = known
        return known

    def vector(self, bag: Bag) -> dict[str, float]:
        """Return the weight of each word of a bag, scaled to length 1."""
        weight = self.weight
        found = {word: _COUNT_WEIGHTS[n] * weight(word) for word, n in bag.items()}
        length = sqrt(sum(x * x for x in found.values())) or 1.0
        return {word: x / length for word, x in found.items()}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the cosine of two vectors; `other` may have any length."""
    length = sqrt(sum(x * x for x in other.values()))
    if not length:
        return 0.0
    return sum(x * other.get(word, 0.0) for word, x in one.items()) / length
