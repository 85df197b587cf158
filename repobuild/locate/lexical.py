"""Score files and units by the terms of a text: BM25 with weighted fields.

A file's score counts a term in its path and in the names that it defines more than one
in a body. A whole file has many terms often, so its saturation comes late (`_K1_FILE`):
with the usual 1.2 a file is found by which terms it has, not by what it is about, and
five issues in a hundred fewer are found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from repobuild.locate.lexicon import Lexicon

Scores = NDArray[np.float64]  # one number for each file or unit
Numbers = NDArray[np.int64]

# Usual values, or insensitive between half and twice the value.
_K1_FILE, _K1_UNIT, _K1_PATH, _B = 20.0, 2.0, 1.2, 0.75
_NAME_IN_FILE, _PATH_IN_FILE, _NAME_IN_UNIT = 10.0, 40.0, 4.0
_TITLE, _BODY, _HALF = 2.0, 1.0, 1.0  # weight of a term in the text, which saturates
_BEST_UNITS = 5


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """Scores of files and of units; those for the title count no other term."""

    words: Scores  # of files: path, names and bodies
    path: Scores  # of files: the path alone
    units: Scores  # of units
    title_units: Scores


@dataclass(frozen=True)
class RankedUnits:
    """The units of the files that are ranked, out of all in the lexicon."""

    lexicon: Lexicon
    files: Sequence[int]  # numbers in the lexicon; position = number here

    @cached_property
    def owner(self) -> Numbers:
        """The ranked file of each unit; -1 for units of other files."""
        number = np.full(len(self.lexicon.paths), -1, np.int64)
        number[list(self.files)] = np.arange(len(self.files))
        return np.asarray(number[self.lexicon.file_of])

    @cached_property
    def is_path(self) -> NDArray[np.bool_]:
        """Which units are the terms of a path."""
        marks = np.zeros(len(self.owner), np.bool_)
        marks[self.lexicon.first] = True
        return marks

    @cached_property
    def is_code(self) -> NDArray[np.bool_]:
        return np.asarray((self.owner >= 0) & ~self.is_path)

    def sum_by_file(self, values: Scores, units: Numbers | NDArray[np.bool_]) -> Scores:
        """Return the sums of some units' values by file."""
        owner = self.owner[units]
        kept = owner >= 0
        total = np.bincount(owner[kept], values[kept], minlength=len(self.files))
        return np.asarray(total, np.float64)

    def best(self, units: Scores) -> Scores:
        """Return the score of each file's best unit."""
        best = np.zeros(len(self.files))
        np.maximum.at(best, self.owner[self.is_code], units[self.is_code])
        return best

    def sum_of_best(self, units: Scores) -> Scores:
        """Return the sum of each file's best units."""
        scored = np.flatnonzero(self.is_code & (units > 0))
        order = scored[np.lexsort((-units[scored], self.owner[scored]))]
        owner = self.owner[order]
        position = np.arange(len(order)) - np.searchsorted(owner, owner)
        kept = order[position < _BEST_UNITS]
        return self.sum_by_file(units[kept], kept)


def term_weights(
    title: Counter[str], body: Counter[str]
) -> dict[str, tuple[float, float]]:
    """Return the weight of each term in the whole text, and in the title alone."""

    def saturate(count: float) -> float:
        return 2 * count / (count + _HALF)

    return {
        term: (
            saturate(_TITLE * title[term] + _BODY * body[term]),
            saturate(_TITLE * title[term]),
        )
        for term in sorted(title.keys() | body.keys())
    }


def score_terms(
    ranked: RankedUnits, terms: Mapping[str, tuple[float, float]]
) -> LexicalScores:
    """Return the scores of all files and units for weighted terms."""
    lexicon, files = ranked.lexicon, len(ranked.files)
    lengths = _Lengths.of(ranked)
    words, path = np.zeros(files), np.zeros(files)
    units, title_units = np.zeros(len(ranked.owner)), np.zeros(len(ranked.owner))
    for term, (whole, title) in terms.items():
        found, counts = lexicon.find(term)
        kept = ranked.owner[found] >= 0
        found = found[kept]
        if not len(found):
            continue
        names = counts.names[kept].astype(np.float64)
        rest = counts.rest[kept].astype(np.float64)
        is_path = ranked.is_path[found]
        weight = np.where(is_path, _PATH_IN_FILE, _NAME_IN_FILE)
        in_file = ranked.sum_by_file(weight * names + rest, found)
        rarity = _rarity(files, int(np.count_nonzero(in_file)))
        words += whole * rarity * _saturate(in_file, lengths.words, _K1_FILE)
        in_path = ranked.sum_by_file(names * is_path, found)
        path += whole * rarity * _saturate(in_path, lengths.path, _K1_PATH)
        code = found[~is_path]
        in_unit = (_NAME_IN_UNIT * names + rest)[~is_path]
        gain = _saturate(in_unit, lengths.units[code], _K1_UNIT)
        gain *= _rarity(lengths.unit_count, len(code))
        units[code] += whole * gain
        title_units[code] += title * gain
    return LexicalScores(words, path, units, title_units)


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Lengths relative to their mean: BM25 counts a term less in what is long."""

    words: Scores
    path: Scores
    units: Scores
    unit_count: int

    @classmethod
    def of(cls, ranked: RankedUnits) -> _Lengths:
        names, rest = ranked.lexicon.names, ranked.lexicon.rest
        everything = np.arange(len(ranked.owner))
        weight = np.where(ranked.is_path, _PATH_IN_FILE, _NAME_IN_FILE)
        unit = _NAME_IN_UNIT * names + rest
        count = int(ranked.is_code.sum())
        return cls(
            _relative(ranked.sum_by_file(weight * names + rest, everything)),
            _relative(ranked.sum_by_file(names * ranked.is_path, everything)),
            unit / max(float(unit[ranked.is_code].sum()) / max(count, 1), 1.0),
            count,
        )


def _relative(lengths: Scores) -> Scores:
    return lengths / max(float(lengths.mean()) if len(lengths) else 0.0, 1e-9)


def _saturate(counts: Scores, length: Scores, k1: float) -> Scores:
    """Return BM25's weight of a term that occurs so often in a text of this length."""
    return np.asarray(counts * (k1 + 1) / (counts + k1 * (1 - _B + _B * length) + 1e-9))


def _rarity(total: int, having: int) -> float:
    """Return BM25's inverse document frequency."""
    return math.log(1 + (total - having + 0.5) / (having + 0.5))
