"""Divide files into a few groups, along directories where words and edges allow.

1. Start with the directory that holds all files. While there are fewer units than
   groups, split the largest one into its subdirectories and its own files.
2. A directory without subdirectories that is still too large falls into its files.
3. While there are too many units, or one that is too small, merge the smallest with the
   one that is most alike:

       cosine of their words + 0.5 edges between them + 0.2 if neighbours
       - 0.15 log2(1 + size of the other / even size)

Edges are imports, calls and common commits, scaled to at most 1. Merging the smallest
first gives groups of similar size; the most alike pair first leaves many files alone.
Input is sorted and ties go to the first, so equal trees give equal groups.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Vector = Mapping[str, float]
Edges = Mapping[str, Mapping[str, float]]  # path -> path -> strength
Matrix = npt.NDArray[np.float64]

_DIMENSIONS = 384  # words are hashed to as many
_OF_EDGES, _OF_NEIGHBOURS, _OF_SIZE = 0.5, 0.2, 0.15
_SMALLEST = 1 / 5  # of the even size; a smaller group is merged
_FLAT = 2.0  # even sizes from which a directory of files only is divided
_MOST_UNITS = 900


class _Unit(NamedTuple):
    folder: str  # that it is, or that its files are in
    paths: list[str]
    is_open: bool  # may be split


def divide(
    paths: Sequence[str], groups: int, vectors: Mapping[str, Vector], edges: Edges
) -> list[list[str]]:
    """Return the files in at most `groups` groups, each and all of them sorted."""
    if groups <= 1 or len(paths) <= groups:
        return [sorted(paths)]
    units = _units(sorted(paths), groups)
    if len(units) <= 1:
        return [sorted(paths)]
    merged = _Merging(units, groups, vectors, edges).run()
    found = [sorted(p for n in group for p in units[n].paths) for group in merged]
    return sorted(found)


def _units(paths: Sequence[str], groups: int) -> list[_Unit]:
    """Split directories until there are as many units as groups."""
    even = len(paths) / groups
    units = [_Unit("", list(paths), True)]
    while len(units) < _MOST_UNITS:
        waiting = [unit for unit in units if unit.is_open and len(unit.paths) > 1]
        largest = max(waiting, key=lambda u: (len(u.paths), u.folder), default=None)
        if largest is None:
            break
        size = len(largest.paths)
        if size <= even or (len(units) >= groups and size <= _FLAT * even):
            break
        units.remove(largest)
        units += _split(largest, even)
    return sorted(units, key=lambda unit: unit.paths[0])


def _split(unit: _Unit, even: float) -> list[_Unit]:
    """Return the subdirectories of a unit and its own files, or each of its files."""
    start = len(unit.folder) + 1 if unit.folder else 0
    parts: dict[str, list[str]] = defaultdict(list)
    own = []
    for path in unit.paths:
        end = path.find("/", start)
        if end < 0:
            own.append(path)
        else:
            parts[path[:end]].append(path)
    if len(parts) == 1 and not own:
        folder, paths = next(iter(parts.items()))
        return _split(_Unit(folder, paths, True), even)
    found = [_Unit(folder, paths, True) for folder, paths in parts.items()]
    if not own:
        return found
    if parts and len(own) <= _FLAT * even:
        return [*found, _Unit(unit.folder, own, False)]
    if not parts and len(own) <= even:
        return [unit._replace(is_open=False)]
    return [*found, *(_Unit(unit.folder, [path], False) for path in own)]


class _Merging:
    """Merges the smallest unit into the most alike, until the groups are made."""

    def __init__(
        self,
        units: Sequence[_Unit],
        groups: int,
        vectors: Mapping[str, Vector],
        edges: Edges,
    ) -> None:
        self._groups = groups
        self._members = [[n] for n in range(len(units))]
        self._size = np.array([len(unit.paths) for unit in units], dtype=float)
        self._even = float(self._size.sum()) / groups
        self._words = np.zeros((len(units), _DIMENSIONS))
        self._edges = np.zeros((len(units), len(units)))
        self._alive = np.ones(len(units), dtype=bool)
        parents = [unit.folder.rpartition("/")[0] for unit in units]
        self._parents = np.unique(parents, return_inverse=True)[1]
        number = {path: n for n, unit in enumerate(units) for path in unit.paths}
        for path, index in number.items():
            for word, weight in vectors[path].items():
                self._words[index, _bucket(word)] += weight
            for other, strength in edges.get(path, {}).items():
                if (target := number.get(other, index)) != index:
                    self._edges[index, target] += strength
                    self._edges[target, index] += strength

    def run(self) -> list[list[int]]:
        """Return the numbers of the units in each group."""
        while (count := int(self._alive.sum())) > 1:
            sizes = np.where(self._alive, self._size, np.inf)
            smallest = int(sizes.argmin())
            if count <= self._groups and sizes[smallest] >= _SMALLEST * self._even:
                break
            self._merge(smallest, int(self._likeness(smallest).argmax()))
        return [self._members[n] for n in np.flatnonzero(self._alive)]

    def _likeness(self, n: int) -> Matrix:
        """Return how alike every unit is to one."""
        lengths = np.linalg.norm(self._words, axis=1)
        cosines = self._words @ self._words[n] / np.maximum(lengths * lengths[n], 1e-12)
        links = self._edges[n] / np.sqrt(np.maximum(self._size * self._size[n], 1.0))
        found = cosines + _OF_EDGES * np.minimum(links, 1.0)
        found += _OF_NEIGHBOURS * (self._parents == self._parents[n])
        found -= _OF_SIZE * np.log2(1.0 + self._size / self._even)
        found[~self._alive] = -np.inf
        found[n] = -np.inf
        # The last digits depend on the machine's arithmetic, and must decide nothing.
        rounded: Matrix = np.round(found, 6)
        return rounded

    def _merge(self, gone: int, keep: int) -> None:
        self._members[keep] += self._members[gone]
        self._words[keep] += self._words[gone]
        self._edges[keep] += self._edges[gone]
        self._edges[:, keep] += self._edges[:, gone]
        self._size[keep] += self._size[gone]
        self._alive[gone] = False


def _bucket(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace")) % _DIMENSIONS
