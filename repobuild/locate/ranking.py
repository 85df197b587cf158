"""Rank files and functions for a text: a weighted sum of signals.

Nothing here is learnt from the repository. The weights were fitted once, on half of the
issues of a public benchmark (docs/benchmarks/localisation.md); what the signals are is
at the top of `evidence.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from repobuild.code.facts.element_row import name_of
from repobuild.engine.contract import Table
from repobuild.locate.evidence import Evidence, scaled
from repobuild.locate.issue_text import read_issue
from repobuild.locate.lexical import RankedUnits, Scores, score_terms, term_weights
from repobuild.locate.lexicon import PATH_UNIT, Lexicon
from repobuild.locate.words import terms_of

# All that was fitted, by `python -m tests.benchmarks.localisation --fit`.
FILE_WEIGHTS: Mapping[str, float] = {
    "words": 1.4,
    "units": 1.5,
    "title": 2.2,
    "title_names": 0.7,
    "path": 0.7,
    "named": 1.0,
    "frame": 1.0,
    "imported": 0.25,
    "defines": 1.6,
    "recent": 1.2,
    "message": 0.9,
    "imports": 1.3,
    "together": 0.5,
    "folder": 1.8,
    "package": -0.35,
}
# A function's score: that of its file, its own words, and whether it is named.
FILE, UNIT, TITLE_UNIT, DEFINED, IN_FRAME = 1.0, 2.0, 1.0, 1.0, 1.0
_FILES_READ = 40  # whose functions are ranked


class Ranked(NamedTuple):
    """A file (its path) or an element (its id) with its score."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Located:
    """What was found, best first."""

    files: list[Ranked]
    functions: list[Ranked]


def locate(lexicon: Table, touches: Table, text: str, most: int = 10) -> Located:
    """Return the files and functions that a text is most likely about."""
    evidence = Evidence(lexicon, touches, read_issue(text))
    if not evidence.paths:
        return Located([], [])
    scores = weigh(evidence.signals())
    return Located(
        _best(evidence.paths, scores, most), rank_functions(evidence, scores)[:most]
    )


def weigh(signals: Mapping[str, Scores]) -> Scores:
    """Return the score of each file."""
    return np.asarray(sum(w * signals[name] for name, w in FILE_WEIGHTS.items()))


def rank_functions(evidence: Evidence, scores: Scores) -> list[Ranked]:
    """Return the functions and classes of the best files, best first."""
    lexical, units = evidence.lexical, evidence.units
    own = UNIT * scaled(lexical.units) + TITLE_UNIT * scaled(lexical.title_units)
    of_file = FILE * scores
    frames = evidence.text.frames
    called = {(frame.name, frame.path.rpartition("/")[2]) for frame in frames}
    rarest = max(evidence.identifiers.values(), default=1.0)
    found = []
    for file in np.argsort(-scores, kind="stable")[:_FILES_READ].tolist():
        number, path = units.files[file], evidence.paths[file]
        first = int(units.lexicon.first[number])
        for at, qual in enumerate(units.lexicon.quals(number)):
            if qual in ("", PATH_UNIT):
                continue
            name = name_of(qual)
            score = of_file[file] + own[first + at]
            score += DEFINED * evidence.identifiers.get(name, 0.0) / rarest
            score += IN_FRAME * ((name, path.rpartition("/")[2]) in called)
            found.append(Ranked(f"{path}::{qual}", round(float(score), 4)))
    return sorted(found, key=lambda one: (-one.score, one.id))


def search(lexicon: Table, text: str, most: int = 20) -> Located:
    """Return files and elements by their words alone, tests included."""
    reader = Lexicon(lexicon)
    if not reader.paths:
        return Located([], [])
    units = RankedUnits(reader, range(len(reader.paths)))
    terms = terms_of(text)
    found = score_terms(units, term_weights(terms, terms))
    files = scaled(found.words) + scaled(units.sum_of_best(found.units))
    best = np.argsort(-found.units, kind="stable")[: most * 2].tolist()
    elements = []
    for unit in best:
        file = int(reader.file_of[unit])
        qual = reader.quals(file)[unit - int(reader.first[file])]
        if found.units[unit] > 0 and qual not in ("", PATH_UNIT):
            score = round(float(found.units[unit]), 4)
            elements.append(Ranked(f"{reader.paths[file]}::{qual}", score))
    hits = [one for one in _best(reader.paths, files, most) if one.score > 0]
    return Located(hits, elements[:most])


def _best(names: Sequence[str], scores: Scores, most: int) -> list[Ranked]:
    order = sorted(range(len(names)), key=lambda n: (-scores[n], names[n]))
    return [Ranked(names[n], round(float(scores[n]), 4)) for n in order[:most]]
