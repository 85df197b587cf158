"""Keep of a project what is the same for every text that is asked about.

A server asks many texts of the same tables: owners of units, lengths, folders, imports
and the history are worked out once, as they are needed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repobuild.engine.contract import Value
from repobuild.locate.issue_text import IssueText
from repobuild.locate.lexicon import PATH_UNIT, Lexicon
from repobuild.locate.touches import PastCommits

Scores = NDArray[np.float64]  # one number for each file or unit
Numbers = NDArray[np.int64]

PATH_IN_FILE, NAME_IN_FILE, NAME_IN_UNIT = 40.0, 10.0, 4.0  # of one term in the body
_RECENT = 50  # commits after which a file is half as recent
_BULK = 30  # files; a commit that touches more says nothing of any
_BEST_UNITS = 5
_BEST_OF_FOLDER = 3
_ASIDE = re.compile(
    r"(^|/)(docs?|examples?|bin|release|tools|scripts|benchmarks|asv_bench)/"
    r"|(^|/)(__init__|setup|conftest|noxfile|ez_setup)\.py$|^[^/]*$"
)


class RankedElements(NamedTuple):
    """The functions and classes of a file: ids, bare names, numbers of their units."""

    ids: list[str]
    names: list[str]
    units: list[int]


class PastTouch(NamedTuple):
    """A past commit that touched ranked files, few enough to say something of them."""

    age: int  # newer commits
    files: list[int]
    terms: Mapping[str, Value]
    term_count: int  # with repetitions


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths relative to their mean: BM25 counts a term less in what is long."""

    words: Scores
    path: Scores
    units: Scores
    unit_count: int


class RankedProject:
    """The tables that texts are compared with, and what is kept of them."""

    def __init__(self, lexicon: Lexicon, past: PastCommits) -> None:
        self.lexicon = lexicon
        self.past = past
        self._elements: dict[int, RankedElements] = {}

    @cached_property
    def _products(self) -> RankedFiles:
        return RankedFiles(self, self.lexicon.products)

    def files(self, text: IssueText) -> RankedFiles:
        """Return the files that are no tests, and the tests that a text names."""
        written = (*text.paths, *(frame.path for frame in text.frames))
        tests = {
            number
            for one in written
            for number in self.lexicon.tests.get(one.strip("/").rpartition("/")[2], ())
            if _is_end(self.lexicon.paths[number], one)
        }
        if not tests:
            return self._products
        return RankedFiles(self, sorted({*self.lexicon.products, *tests}))

    def elements(self, number: int) -> RankedElements:
        """Return the functions and classes of a file, by its number in the lexicon."""
        if number not in self._elements:
            path, first = self.lexicon.paths[number], int(self.lexicon.first[number])
            found = RankedElements([], [], [])
            for at, (qual, name) in enumerate(self.lexicon.quals(number)):
                if qual not in ("", PATH_UNIT):
                    found.ids.append(f"{path}::{qual}")
                    found.names.append(name)
                    found.units.append(first + at)
            self._elements[number] = found
        return self._elements[number]


@dataclass(eq=False)
class RankedFiles:
    """The files that are ranked; a file's number is its position among them."""

    project: RankedProject
    lexicon_numbers: Sequence[int]  # of the files, ascending
    _imports: dict[int, list[int]] = field(default_factory=dict)
    _importers: dict[int, int] = field(default_factory=dict)

    @property
    def lexicon(self) -> Lexicon:
        return self.project.lexicon

    @cached_property
    def paths(self) -> list[str]:
        return [self.lexicon.paths[number] for number in self.lexicon_numbers]

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of each path."""
        return {path: n for n, path in enumerate(self.paths)}

    def known(self, paths: Sequence[str]) -> list[int]:
        """Return the numbers of those paths that are ranked."""
        number = self.number
        return [number[path] for path in paths if path in number]

    # -------------------------------------------------------------------------- units

    @cached_property
    def owner(self) -> Numbers:
        """The ranked file of each unit; -1 for units of other files."""
        number = np.full(len(self.lexicon.paths), -1, np.int64)
        number[list(self.lexicon_numbers)] = np.arange(len(self.paths))
        return np.asarray(number[self.lexicon.file_of])

    @cached_property
    def is_path(self) -> NDArray[np.bool_]:
        """Which units are the terms of a path."""
        marks = np.zeros(len(self.owner), np.bool_)
        marks[self.lexicon.first] = True
        return marks

    @cached_property
    def _code(self) -> Numbers:
        """The units of ranked files that are no paths, file by file."""
        return np.flatnonzero((self.owner >= 0) & ~self.is_path)

    @cached_property
    def lengths(self) -> Lengths:
        names, rest = self.lexicon.names, self.lexicon.rest
        everything = np.arange(len(self.owner))
        weight = np.where(self.is_path, PATH_IN_FILE, NAME_IN_FILE)
        unit = NAME_IN_UNIT * names + rest
        count = len(self._code)
        return Lengths(
            _relative(self.sum_by_file(weight * names + rest, everything)),
            _relative(self.sum_by_file(names * self.is_path, everything)),
            unit / max(float(unit[self._code].sum()) / max(count, 1), 1.0),
            count,
        )

    def sum_by_file(self, values: Scores, units: Numbers) -> Scores:
        """Return the sums of some units' values by file."""
        owner = self.owner[units]
        if len(owner) and owner.min() < 0:
            kept = owner >= 0
            owner, values = owner[kept], values[kept]
        total = np.bincount(owner, values, minlength=len(self.paths))
        return np.asarray(total, np.float64)

    def best(self, units: Scores) -> Scores:
        """Return the score of each file's best unit."""
        best = np.zeros(len(self.paths))
        np.maximum.at(best, self.owner[self._code], units[self._code])
        return best

    def sum_of_best(self, units: Scores) -> Scores:
        """Return the sum of each file's best units."""
        scored = self._code[units[self._code] > 0]
        order = scored[np.lexsort((-units[scored], self.owner[scored]))]
        owner = self.owner[order]
        position = np.arange(len(order)) - np.searchsorted(owner, owner)
        kept = order[position < _BEST_UNITS]
        return self.sum_by_file(units[kept], kept)

    def elements(self, file: int) -> RankedElements:
        """Return the functions and classes of a file."""
        return self.project.elements(self.lexicon_numbers[file])

    # ------------------------------------------------------------ paths, edges, history

    @cached_property
    def by_name(self) -> Mapping[str, list[int]]:
        """The files of each last part of a path."""
        files: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(self.paths):
            files[path.rpartition("/")[2]].append(number)
        return dict(files)

    @cached_property
    def aside(self) -> Scores:
        """1 for files that are seldom the place of a fault."""
        return np.array([bool(_ASIDE.search(path)) for path in self.paths], np.float64)

    @cached_property
    def _folder(self) -> Numbers:
        """The number of each file's folder."""
        numbers: dict[str, int] = {}
        folders = (path.rpartition("/")[0] for path in self.paths)
        return np.array([numbers.setdefault(f, len(numbers)) for f in folders], int)

    def mean_of_folder(self, scores: Scores) -> Scores:
        """Return for each file the mean of the best files of its folder."""
        count = np.bincount(self._folder, minlength=1)
        order = np.lexsort((scores, self._folder))
        left = np.cumsum(count)[self._folder[order]] - np.arange(len(order))
        best = order[left <= _BEST_OF_FOLDER]
        total = np.bincount(self._folder[best], scores[best], minlength=len(count))
        return np.asarray((total / np.minimum(count, _BEST_OF_FOLDER))[self._folder])

    def imports(self, file: int) -> list[int]:
        """Return the ranked files that a file imports."""
        if file not in self._imports:
            imported = self.lexicon.imports(self.lexicon_numbers[file])
            self._imports[file] = self.known(imported)
        return self._imports[file]

    def importer_count(self, file: int) -> int:
        """Return how many ranked files import a file."""
        if file not in self._importers:
            importing = self.lexicon.importing(self.paths[file])
            self._importers[file] = len(self.known(importing))
        return self._importers[file]

    @cached_property
    def touches(self) -> list[PastTouch]:
        """The past commits that say something of ranked files, newest first."""
        return list(self._touches())

    @cached_property
    def recent(self) -> Scores:
        """How few commits ago each file was touched: 1 = by the last, 0 = by none."""
        found = np.zeros(len(self.paths))
        for touch in reversed(self.touches):
            found[touch.files] = 1 / (1 + touch.age / _RECENT)
        return found

    def _touches(self) -> Iterator[PastTouch]:
        for age, row in enumerate(self.project.past.rows):
            files = self.known(row["paths"])
            if files and len(files) <= _BULK:
                terms = row["terms"]
                yield PastTouch(age, files, terms, sum(terms.values()))


def _relative(lengths: Scores) -> Scores:
    return lengths / max(float(lengths.mean()) if len(lengths) else 0.0, 1e-9)


def _is_end(path: str, written: str) -> bool:
    """Return whether a path, or its end, is written, with a folder at least."""
    parts = written.strip("/").split("/")
    return common_end(path.split("/"), parts) >= min(2, len(parts))


def common_end(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many parts two paths have in common, from the end."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
