"""Score files and units by the terms of a text: BM25 with weighted fields.

A file's score counts a term in its path and in the names that it defines more than one
in a body. A whole file has many terms often, so its saturation comes late (`_K1_FILE`):
with the usual 1.2 a file is found by which terms it has, not by what it is about, and
five issues in a hundred fewer are found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repobuild.locate.ranked_files import (
    NAME_IN_FILE,
    NAME_IN_UNIT,
    PATH_IN_FILE,
    Numbers,
    RankedFiles,
    Scores,
)

# Usual values, or insensitive between half and twice the value.
_K1_FILE, _K1_UNIT, _K1_PATH, _B = 20.0, 2.0, 1.2, 0.75
_TITLE, _BODY, _HALF = 2.0, 1.0, 1.0  # weight of a term in the text, which saturates


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """Scores of files and of units; those for the title count no other term."""

    words: Scores  # of files: path, names and bodies
    path: Scores  # of files: the path alone
    units: Scores  # of units
    title_units: Scores


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
    ranked: RankedFiles, terms: Mapping[str, tuple[float, float]]
) -> LexicalScores:
    """Return the scores of all files and units for weighted terms."""
    files, lengths = len(ranked.paths), ranked.lengths
    in_words = _saturation(lengths.words, _K1_FILE)
    in_paths = _saturation(lengths.path, _K1_PATH)
    in_units = _saturation(lengths.units, _K1_UNIT)
    words, path = np.zeros(files), np.zeros(files)
    units, title_units = np.zeros(len(ranked.owner)), np.zeros(len(ranked.owner))
    for term, (whole, title) in terms.items():
        found, names, rest = _occurrences(ranked, term)
        if not len(found):
            continue
        is_path = ranked.is_path[found]
        weight = np.where(is_path, PATH_IN_FILE, NAME_IN_FILE)
        in_file = ranked.sum_by_file(weight * names + rest, found)
        rarity = _rarity(files, int(np.count_nonzero(in_file)))
        words += whole * rarity * _gain(in_file, in_words, _K1_FILE)
        if is_path.any():
            in_path = ranked.sum_by_file(names * is_path, found)
            path += whole * rarity * _gain(in_path, in_paths, _K1_PATH)
            code = ~is_path
            found, names, rest = found[code], names[code], rest[code]
        gain = _gain(NAME_IN_UNIT * names + rest, in_units[found], _K1_UNIT)
        gain *= _rarity(lengths.unit_count, len(found))
        units[found] += whole * gain
        if title:
            title_units[found] += title * gain
    return LexicalScores(words, path, units, title_units)


def _occurrences(ranked: RankedFiles, term: str) -> tuple[Numbers, Scores, Scores]:
    """Return the units of ranked files that have a term, and how often they do."""
    found, counts = ranked.lexicon.find(term)
    kept = ranked.owner[found] >= 0
    names = counts.names[kept].astype(np.float64)
    return found[kept], names, counts.rest[kept].astype(np.float64)


def _saturation(length: Scores, k1: float) -> Scores:
    """Return the count at which a term has half of its weight, by length."""
    return np.asarray(k1 * (1 - _B + _B * length))


def _gain(counts: Scores, saturation: Scores, k1: float) -> Scores:
    """Return BM25's weight of a term that occurs so often."""
    return np.asarray(counts * (k1 + 1) / (counts + saturation + 1e-9))


def _rarity(total: int, having: int) -> float:
    """Return BM25's inverse document frequency."""
    return math.log(1 + (total - having + 0.5) / (having + 0.5))
