"""Divide files into a few groups, along directories where words and edges allow.

The units that are grouped are directories, split from the top until there are enough of
them and none is too large; files directly in a split directory are units of their own.
Then the two most alike units are merged until the wanted number is left:

    alike = cosine of their words + 0.5 edges between them + 0.2 if neighbours

Edges are imports, calls and common commits, scaled to at most 1. A merge that would
make a group of more than twice the even size waits until no other is left. Input is
sorted and ties go to the first, so equal trees give equal groups.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Vector = Mapping[str, float]
Edges = Mapping[str, Mapping[str, float]]  # path -> path -> strength, both ways
_DIMENSIONS = 384  # words are hashed to as many
_OF_EDGES, _OF_NEIGHBOURS = 0.5, 0.2
_OVERSIZE = 2.0
_MOST_UNITS = 900
_UNLIKE = -10.0


class _Unit(NamedTuple):
    folder: str  # that it is in, or that it is
    paths: list[str]


def divide(
    paths: Sequence[str], groups: int, vectors: Mapping[str, Vector], edges: Edges
) -> list[list[str]]:
    """Return the files in at most `groups` groups, each and all of them sorted."""
    if groups <= 1 or len(paths) <= groups:
        return [sorted(paths)]
    units = _units(sorted(paths), groups)
    if len(units) <= 1:
        return [sorted(paths)]
    alike = _likeness(units, vectors, edges)
    merged = _merge(alike, [len(unit.paths) for unit in units], groups)
    found = [sorted(p for n in group for p in units[n].paths) for group in merged]
    return sorted(found)


def _units(paths: Sequence[str], groups: int) -> list[_Unit]:
    """Split directories until there are at least twice as many units as groups."""
    even = len(paths) / groups
    units = [_Unit("", list(paths))]
    finished: list[_Unit] = []
    while units and len(units) + len(finished) < _MOST_UNITS:
        units.sort(key=lambda unit: (len(unit.paths), unit.folder))
        unit = units[-1]
        enough = len(units) + len(finished) >= 2 * groups
        if enough and len(unit.paths) <= even:
            break
        units.pop()
        parts = _split(unit)
        units += [part for part in parts if len(part.paths) > 1]
        finished += [part for part in parts if len(part.paths) == 1]
    return sorted([*units, *finished], key=lambda unit: unit.paths[0])


def _split(unit: _Unit) -> list[_Unit]:
    """Return the next level of directories of a unit, and single files."""
    start = len(unit.folder) + 1 if unit.folder else 0
    parts: dict[str, list[str]] = defaultdict(list)
    singles = []
    for path in unit.paths:
        end = path.find("/", start)
        if end < 0:
            singles.append(_Unit(unit.folder, [path]))
        else:
            parts[path[:end]].append(path)
    if len(parts) == 1 and not singles:
        folder, paths = next(iter(parts.items()))
        return _split(_Unit(folder, paths))
    return [*(_Unit(folder, paths) for folder, paths in parts.items()), *singles]


def _likeness(
    units: Sequence[_Unit], vectors: Mapping[str, Vector], edges: Edges
) -> _Likeness:
    rows = np.zeros((len(units), _DIMENSIONS))
    number: dict[str, int] = {}
    for index, unit in enumerate(units):
        for path in unit.paths:
            number[path] = index
            for word, weight in vectors[path].items():
                rows[index, _bucket(word)] += weight
    between = np.zeros((len(units), len(units)))
    for path, index in number.items():
        for other, strength in edges.get(path, {}).items():
            if (target := number.get(other, index)) != index:
                between[index, target] += strength
    neighbours = _same([unit.folder for unit in units])
    return _Likeness(rows, between + between.T, neighbours)


class _Likeness(NamedTuple):
    words: npt.NDArray[np.float64]  # sums of vectors, one row a unit
    edges: npt.NDArray[np.float64]  # sums of strengths, symmetric
    neighbours: npt.NDArray[np.float64]  # 1 where two units are in one directory


def _bucket(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace")) % _DIMENSIONS


def _same(folders: Sequence[str]) -> npt.NDArray[np.float64]:
    parents = [folder.rpartition("/")[0] for folder in folders]
    ids = {parent: n for n, parent in enumerate(dict.fromkeys(parents))}
    column = np.array([ids[parent] for parent in parents])
    same: npt.NDArray[np.float64] = (column[:, None] == column[None, :]).astype(float)
    return same


def _merge(alike: _Likeness, sizes: Iterable[int], groups: int) -> list[list[int]]:
    """Merge the most alike units until `groups` are left; return their numbers."""
    words, edges = alike.words.copy(), alike.edges.copy()
    size = np.array(list(sizes), dtype=float)
    members = [[n] for n in range(len(size))]
    largest = _OVERSIZE * size.sum() / groups
    alive = np.ones(len(size), dtype=bool)

    def row(n: int) -> npt.NDArray[np.float64]:
        lengths = np.linalg.norm(words, axis=1)
        cosines = words @ words[n] / np.maximum(lengths * lengths[n], 1e-12)
        links = edges[n] / np.sqrt(np.maximum(size * size[n], 1.0))
        found = cosines + _OF_EDGES * np.minimum(links, 1.0)
        found = found + _OF_NEIGHBOURS * alike.neighbours[n]
        found = np.where(size + size[n] > largest, found + _UNLIKE / 2, found)
        found[~alive] = 3 * _UNLIKE
        found[n] = 3 * _UNLIKE
        rounded: npt.NDArray[np.float64] = np.round(found, 6)
        return rounded

    table = np.stack([row(n) for n in range(len(size))])
    best = table.max(axis=1)
    while int(alive.sum()) > groups:
        one = int(best.argmax())
        other = int(table[one].argmax())
        keep, gone = min(one, other), max(one, other)
        members[keep] += members[gone]
        words[keep] += words[gone]
        edges[keep] += edges[gone]
        edges[:, keep] += edges[:, gone]
        size[keep] += size[gone]
        alive[gone] = False
        table[gone] = table[:, gone] = best[gone] = 3 * _UNLIKE
        table[keep] = table[:, keep] = row(keep)
        best = table.max(axis=1)
    return [members[n] for n in range(len(size)) if alive[n]]
