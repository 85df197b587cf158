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

from repobuild.locate.evidence import MOST_OF_IDENTIFIER, Evidence, scaled
from repobuild.locate.issue_text import read_issue
from repobuild.locate.ranked_files import RankedProject, Scores

# All that was fitted, by `python -m tests.benchmarks.localisation --fit`; but for
# `named` and `frame`, which few issues have: the fit gives them 0.96 and 0.95, and half
# as much again to three times as much ranks those issues better.
FILE_WEIGHTS: Mapping[str, float] = {
    "words": 1.46,
    "units": 1.56,
    "title": 2.56,
    "path": 0.93,
    "named": 3.0,
    "frame": 3.0,
    "defines": 1.71,
    "recent": 1.38,
    "message": 0.35,
    "imports": 1.36,
    "folder": 1.85,
    "aside": -0.55,
}
FUNCTION_WEIGHTS: Mapping[str, float] = {
    "file": 0.78,
    "unit": 2.6,
    "title": 2.04,
    "defined": 0.5,
    "frame": 1.42,
}
FILES_READ = 40  # whose functions are ranked


class Ranked(NamedTuple):
    """A file (its path) or an element (its id) with its score."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Located:
    """What was found, best first."""

    files: list[Ranked]
    functions: list[Ranked]


def locate(project: RankedProject, text: str, most: int = 10) -> Located:
    """Return the files and functions that a text is most likely about."""
    evidence = Evidence(project, read_issue(text))
    if not evidence.paths:
        return Located([], [])
    scores = weigh(evidence.signals())
    return Located(
        _best(evidence.paths, scores, most), rank_functions(evidence, scores, most)
    )


def weigh(signals: Mapping[str, Scores]) -> Scores:
    """Return the score of each file."""
    return np.asarray(sum(w * signals[name] for name, w in FILE_WEIGHTS.items()))


@dataclass(frozen=True, slots=True)
class FunctionSignals:
    """Functions and classes, the file of each, and one number a signal for each."""

    ids: list[str]
    files: list[int]
    signals: Mapping[str, Scores]


def rank_functions(evidence: Evidence, scores: Scores, most: int) -> list[Ranked]:
    """Return the functions and classes of the best files, best first."""
    best = np.argsort(-scores, kind="stable")[:FILES_READ].tolist()
    found = function_signals(evidence, best)
    return _best(found.ids, weigh_functions(found, scores), most)


def weigh_functions(found: FunctionSignals, scores: Scores) -> Scores:
    """Return the score of each function: its own signals and its file's score."""
    total = FUNCTION_WEIGHTS["file"] * scores[found.files]
    for name, values in found.signals.items():
        total = total + FUNCTION_WEIGHTS[name] * values
    return np.asarray(total)


def function_signals(evidence: Evidence, files: Sequence[int]) -> FunctionSignals:
    """Return what speaks for each function and class of some files."""
    named = evidence.identifiers
    called: dict[str, set[str]] = {}
    for frame in evidence.text.frames:
        called.setdefault(frame.path.rpartition("/")[2], set()).add(frame.name)
    ids, owners, numbers, defined, framed = [], [], [], [], []
    for file in files:
        found = evidence.files.elements(file)
        calls = called.get(evidence.paths[file].rpartition("/")[2], set())
        ids += found.ids
        owners += [file] * len(found.ids)
        numbers += found.units
        defined += [named.get(name, 0.0) for name in found.names]
        framed += [name in calls for name in found.names]
    signals = {
        "unit": scaled(evidence.lexical.units)[numbers],
        "title": scaled(evidence.lexical.title_units)[numbers],
        "defined": np.array(defined, np.float64) / MOST_OF_IDENTIFIER,
        "frame": np.array(framed, np.float64),
    }
    return FunctionSignals(ids, owners, signals)


def _best(names: Sequence[str], scores: Scores, most: int) -> list[Ranked]:
    numbers = np.arange(len(names))
    if most < len(names):
        least = np.partition(scores, -most)[-most]
        numbers = np.flatnonzero(scores >= least)
    kept = {int(n): float(scores[n]) for n in numbers}
    order = sorted(kept, key=lambda n: (-kept[n], names[n]))
    return [Ranked(names[n], round(kept[n], 4)) for n in order[:most]]
