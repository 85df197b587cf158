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
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from repobuild.engine.contract import Value
from repobuild.locate.issue_text import IssueText
from repobuild.locate.lexical import (
    LexicalScores,
    RankedUnits,
    Scores,
    score_terms,
    term_weights,
)
from repobuild.locate.lexicon import Lexicon
from repobuild.locate.touches import PastCommits
from repobuild.locate.words import terms_of

_SHARPNESS = 4  # of what spreads along edges: only files that match well count
_RECENT = 50  # commits after which a file is half as recent
_FADE = 600  # commits that halve what a commit says
_BULK = 30  # files; a commit that touches more says nothing of any
_MOST_SPREADING = 60  # files whose edges are followed
_MOST_MATCHES = 3  # files that one written path may stand for
_MOST_IDENTIFIERS = 400
_OUTER_FRAME = 0.8  # of the frame that it called
MOST_OF_IDENTIFIER = 2.0  # how much one counts, in the title or in backticks
_SHORTEST = 3  # letters of an identifier that is looked up
_WORD = re.compile(r"[^\W\d]\w*")
_ASIDE = re.compile(
    r"(^|/)(docs?|examples?|bin|release|tools|scripts|benchmarks|asv_bench)/"
    r"|(^|/)(__init__|setup|conftest|noxfile|ez_setup)\.py$|^[^/]*$"
)


class Evidence:
    """Everything that speaks for a file, of one text in one project.

    Files are numbered in the order of `paths`. Tests are left out, unless the text
    names their path.
    """

    def __init__(self, lexicon: Lexicon, past: PastCommits, text: IssueText) -> None:
        self.text = text
        self.lexicon = lexicon
        self._past = past
        written = (*text.paths, *(frame.path for frame in text.frames))
        tests = {
            number
            for one in written
            for number in lexicon.tests.get(one.strip("/").rpartition("/")[2], ())
            if _is_end(lexicon.paths[number], one)
        }
        numbers = sorted({*lexicon.products, *tests}) if tests else lexicon.products
        self.units = RankedUnits(lexicon, numbers)
        self.paths = [lexicon.paths[number] for number in numbers]
        self._number = {path: n for n, path in enumerate(self.paths)}

    def signals(self) -> dict[str, Scores]:
        """Return all signals by name."""
        lexical, best = self.lexical, self.units.best
        signals = {
            "words": lexical.words,
            "units": self.units.sum_of_best(lexical.units),
            "title": best(lexical.title_units),
            "path": lexical.path,
            "named": self.named(),
            "frame": self.framed(),
            "defines": self._defining(),
            **self._historic(),
            "imports": self._spread_over_imports(),
            "folder": self._of_folder(),
            "aside": self._aside(),
        }
        return {name: scaled(values) for name, values in signals.items()}

    # ----------------------------------------------------------------------- by words

    @cached_property
    def _terms(self) -> tuple[Counter[str], Counter[str]]:
        """The terms of the title and of the body."""
        return terms_of(self.text.title), terms_of(self.text.body)

    @cached_property
    def lexical(self) -> LexicalScores:
        return score_terms(self.units, term_weights(*self._terms))

    @cached_property
    def _base(self) -> Scores:
        """How well each file matches by its words."""
        whole = scaled(self.lexical.words)
        return scaled(whole + scaled(self.units.best(self.lexical.units)))

    @cached_property
    def _matching(self) -> Scores:
        return np.asarray(self._base**_SHARPNESS)

    def _of_folder(self) -> Scores:
        folders: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(self.paths):
            folders[path.rpartition("/")[0]].append(number)
        found, base = [0.0] * len(self.paths), self._base.tolist()
        for files in folders.values():
            best = sorted(base[number] for number in files)[-3:]
            mean = sum(best) / len(best)
            for number in files:
                found[number] = mean
        return np.array(found)

    # ------------------------------------------------------------- by what is written

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        files: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(self.paths):
            files[path.rpartition("/")[2]].append(number)
        return files

    def _written(self, path: str) -> list[int]:
        """Return the files with the longest common end with a path in the text."""
        parts = path.strip("/").split("/")
        best, files = 0, list[int]()
        for number in self._by_name.get(parts[-1], ()):
            common = _common_end(self.paths[number].split("/"), parts)
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
        return [self._number[path] for path in paths if path in self._number]

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

    def _historic(self) -> Mapping[str, Scores]:
        """Return what past commits say: `recent` and `message`."""
        history, often = self._past.rows, self._past.often
        title, body = self._terms
        recent, message = self._zeros(), self._zeros()
        for age, row in enumerate(history):
            files = [self._number[p] for p in row["paths"] if p in self._number]
            if not files or len(files) > _BULK:
                continue
            recent[files] = np.maximum(recent[files], 1 / (1 + age / _RECENT))
            alike = _likeness(row["terms"], title, body, often, len(history))
            alike *= 0.5 ** (age / _FADE) / math.sqrt(len(files))
            message[files] = np.maximum(message[files], alike)
        return {"recent": recent, "message": message}

    def _spread_over_imports(self) -> Scores:
        """Give each file a share of the files that match and import it."""
        found = self._zeros()
        for number in np.argsort(-self._matching, kind="stable")[:_MOST_SPREADING]:
            imported = [
                self._number[path]
                for path in self.lexicon.imports(self.units.files[number])
                if path in self._number
            ]
            found[imported] += self._matching[number] / math.sqrt(1 + len(imported))
        for number in np.flatnonzero(found):
            importing = self.lexicon.importing(self.paths[number])
            count = sum(path in self._number for path in importing)
            found[number] /= math.sqrt(1 + count)
        return found

    def _aside(self) -> Scores:
        return np.array([bool(_ASIDE.search(path)) for path in self.paths], np.float64)

    def _zeros(self) -> Scores:
        return np.zeros(len(self.paths))


def scaled(scores: Scores) -> Scores:
    """Return scores divided by the best one."""
    top = float(scores.max(initial=0.0))
    return scores / top if top > 0 else scores


def _parts(dotted: Sequence[str]) -> Iterator[str]:
    for name in dotted:
        yield from name.split(".")


def _is_end(path: str, written: str) -> bool:
    """Return whether a path, or its end, is written, with a folder at least."""
    parts = written.strip("/").split("/")
    return _common_end(path.split("/"), parts) >= min(2, len(parts))


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


def _likeness(
    terms: Mapping[str, Value],
    title: Counter[str],
    body: Counter[str],
    often: Mapping[str, int],
    commits: int,
) -> float:
    """Return how much a commit's subject is like the text."""
    total = 0.0
    for term in terms:
        count = min(title[term] + body[term], 3)
        if count:
            weight = 1.5 if term in title else 1.0
            rarity = math.log(1 + commits / often[term])
            total += weight * rarity * 2 * count / (count + 1)
    return total / (1 + 0.15 * sum(terms.values()))
