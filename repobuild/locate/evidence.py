"""Turn what the tables know into signals: for each file a number from 0 to 1.

words       BM25 of the whole file: path, names, bodies
units       the sum of its five best units
title       its best unit, for the title alone
path        the terms of its path
named       its path is written in the text
frame       it is in a quoted traceback, the innermost call most
defines     it defines an identifier of the text, best one that few files define
recent      how few commits ago it was touched
message     a past commit whose subject is like the text touched it
imports     files that match import it
folder      the three best files of its folder
aside       1 for what is seldom the place: an `__init__.py`, which names much and
            does little, examples, scripts, what builds documents
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from repobuild.locate.issue_text import IssueText
from repobuild.locate.lexical import LexicalScores, score_terms, term_weights
from repobuild.locate.ranked_files import RankedProject, Scores, common_end
from repobuild.locate.words import terms_of

_SHARPNESS = 4  # of what spreads along edges: only files that match well count
_FADE = 600  # commits that halve what a commit says
_MOST_SPREADING = 60  # files whose edges are followed
_MOST_MATCHES = 3  # files that one written path may stand for
_MOST_IDENTIFIERS = 400
_OUTER_FRAME = 0.8  # of the frame that it called
MOST_OF_IDENTIFIER = 2.0  # how much one counts, in the title or in backticks
_SHORTEST = 3  # letters of an identifier that is looked up
_WORD = re.compile(r"[^\W\d]\w*")


class Evidence:
    """Everything that speaks for a file, of one text in one project.

    Files are numbered in the order of `paths`. Tests are left out, unless the text
    names their path.
    """

    def __init__(self, project: RankedProject, text: IssueText) -> None:
        self.text = text
        self.lexicon = project.lexicon
        self.files = project.files(text)
        self.paths = self.files.paths
        self._commits = project.past

    def signals(self) -> dict[str, Scores]:
        """Return all signals by name."""
        lexical, best = self.lexical, self.files.best
        signals = {
            "words": lexical.words,
            "units": self.files.sum_of_best(lexical.units),
            "title": best(lexical.title_units),
            "path": lexical.path,
            "named": self.named(),
            "frame": self.framed(),
            "defines": self._defining(),
            "recent": self.files.recent,
            "message": self._by_subjects(),
            "imports": self._spread_over_imports(),
            "folder": self.files.mean_of_folder(self._base),
            "aside": self.files.aside,
        }
        return {name: scaled(values) for name, values in signals.items()}

    # ----------------------------------------------------------------------- by words

    @cached_property
    def _terms(self) -> tuple[Counter[str], Counter[str]]:
        """The terms of the title and of the body."""
        return terms_of(self.text.title), terms_of(self.text.body)

    @cached_property
    def lexical(self) -> LexicalScores:
        return score_terms(self.files, term_weights(*self._terms))

    @cached_property
    def _base(self) -> Scores:
        """How well each file matches by its words."""
        whole = scaled(self.lexical.words)
        return scaled(whole + scaled(self.files.best(self.lexical.units)))

    @cached_property
    def _matching(self) -> Scores:
        return np.asarray(self._base**_SHARPNESS)

    # ------------------------------------------------------------- by what is written

    def _written(self, path: str) -> list[int]:
        """Return the files with the longest common end with a path in the text."""
        parts = path.strip("/").split("/")
        best, files = 0, list[int]()
        for number in self.files.by_name.get(parts[-1], ()):
            common = common_end(self.paths[number].split("/"), parts)
            if common > best:
                best, files = common, []
            if common == best:
                files.append(number)
        # Any package has an `__init__.py`: its folder must fit as well.
        is_vague = best == 1 and len(parts) > 1 and parts[-1] == "__init__.py"
        return [] if is_vague or len(files) > _MOST_MATCHES else files

    def named(self) -> Scores:
        """Return which files are written in the text, by their paths."""
        found = self._zeros()
        for path in self.text.paths:
            files = self._written(path)
            found[files] += 1 / max(len(files), 1)
        return np.minimum(found, 1.0)

    def framed(self) -> Scores:
        """Return which files are in quoted tracebacks."""
        found, weight = self._zeros(), 1.0
        for frame in reversed(self.text.frames):
            if files := self._written(frame.path):
                found[files] = np.maximum(found[files], weight / len(files))
                weight *= _OUTER_FRAME
        return found

    def _defining_files(self, name: str) -> list[int]:
        paths = self.lexicon.table.index.find(f"n:{name}")
        return self.files.known(paths)

    @cached_property
    def identifiers(self) -> dict[str, float]:
        """What may be a name in the text, with how much it counts."""
        text = self.text
        weights: dict[str, float] = {}
        sources = (
            (MOST_OF_IDENTIFIER, _WORD.findall(text.title)),
            (MOST_OF_IDENTIFIER, _parts(text.quoted)),
            (1.5, _parts(text.names)),
            (1.0, _WORD.findall(text.code)),
            (1.0, [frame.name for frame in text.frames]),
        )
        for weight, names in sources:
            for name in names:
                if len(name) >= _SHORTEST and len(weights) < _MOST_IDENTIFIERS:
                    weights.setdefault(name, weight)
        return weights

    def _defining(self) -> Scores:
        found = self._zeros()
        for name, weight in self.identifiers.items():
            if files := self._defining_files(name):
                rarity = math.log(len(self.paths) / len(files)) / math.sqrt(len(files))
                found[files] = np.maximum(found[files], weight * max(rarity, 0.0))
        return found

    # -------------------------------------------------------------- by past and edges

    def _by_subjects(self) -> Scores:
        """Return how much subjects of the commits that touched a file are like this."""
        found = self._zeros()
        weights = self._subject_weights()
        for touch in self.files.touches:
            if alike := sum(weights.get(term, 0.0) for term in touch.terms):
                alike /= 1 + 0.15 * touch.term_count
                alike *= 0.5 ** (touch.age / _FADE) / math.sqrt(len(touch.files))
                found[touch.files] = np.maximum(found[touch.files], alike)
        return found

    def _subject_weights(self) -> dict[str, float]:
        """Return how much a term of the text counts in the subject of a commit."""
        title, body = self._terms
        commits, often = len(self._commits.rows), self._commits.often
        weights = {}
        for term in title.keys() | body.keys():
            if term in often:
                count = min(title[term] + body[term], 3)
                weight = 1.5 if term in title else 1.0
                rarity = math.log(1 + commits / often[term])
                weights[term] = weight * rarity * 2 * count / (count + 1)
        return weights

    def _spread_over_imports(self) -> Scores:
        """Give each file a share of the files that match and import it."""
        found = self._zeros()
        best = np.argsort(-self._matching, kind="stable")[:_MOST_SPREADING]
        for number in best.tolist():
            imported = self.files.imports(number)
            found[imported] += self._matching[number] / math.sqrt(1 + len(imported))
        for number in np.flatnonzero(found).tolist():
            found[number] /= math.sqrt(1 + self.files.importer_count(number))
        return found

    def _zeros(self) -> Scores:
        return np.zeros(len(self.paths))


def scaled(scores: Scores) -> Scores:
    """Return scores divided by the best one."""
    top = float(scores.max(initial=0.0))
    return scores / top if top > 0 else scores


def _parts(dotted: Sequence[str]) -> Iterator[str]:
    for name in dotted:
        yield from name.split(".")
