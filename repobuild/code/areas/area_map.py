"""Hold the hierarchy of a repository: the artifact of the task `areas`.

One file, `areas.bin`: zlib(msgpack), in this order:

    {"version": 1,
     "nodes": [[id, level, label, parent id, support], ...]    parents first
     "files": [[path, number of its node, digest, bag], ...]   sorted by path
     "words": [word, ...]           of all bags, in the order in which they came
     "rarity": [n, ...]             files with each word, as of the last encode
     "encoded": n, "churn": n}      files then; changed places since

A word keeps its number until the next encode, so that the bags of unchanged files are
written as they were read.

An id is a path of names, `Training/plan-passes/order-facts`, given when a node was
born. It never changes, whatever becomes of the label and of the files. `support` is the
share of the node's files that bore out its label at that time. `digest` are 8 bytes of
the file's row of features. A bag is `word * 16 + count` for each of the words that the
file was placed by.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import ItemsView, Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeGuard

import msgpack

FILE = "areas.bin"
LEVELS = ("area", "category", "subcategory")
_COUNTS = 16
_MOST_BYTES = 256_000_000
_LEVEL = 1  # a tenth more bytes than level 6, in a third of the time

Bag = Mapping[str, int]  # word -> how often, 1 to 15


@dataclass(frozen=True, slots=True)
class AreaNode:
    """An abstract node: an area, a category or a subcategory."""

    id: str
    level: int  # 0 to 2, index of LEVELS
    label: str
    parent: str  # id; "" of an area
    support: float  # share of files that bore out the label when it was given


class StoredBag(Mapping[str, int]):
    """A bag as the artifact has it, decoded when it is looked into.

    A commit looks into a few: to decode and encode those of 1,490 files took half of
    the 48 ms of `areas` in astropy.
    """

    def __init__(self, items: list[int], words: list[str]) -> None:
        self.items_as_stored, self.words = items, words

    @cached_property
    def _counts(self) -> dict[str, int]:
        words = self.words
        return {words[i // _COUNTS]: i % _COUNTS for i in self.items_as_stored}

    def __getitem__(self, word: str) -> int:
        return self._counts[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self.items_as_stored)

    def items(self) -> ItemsView[str, int]:
        return self._counts.items()

    def keys(self) -> KeysView[str]:
        return self._counts.keys()


class PlacedFile(NamedTuple):
    """A file in the hierarchy."""

    node: str  # id of its subcategory
    digest: bytes  # of its features
    bag: Bag  # what it was placed by


@dataclass
class AreaMap:
    """The hierarchy; changed in place by `evolve`."""

    nodes: dict[str, AreaNode] = field(default_factory=dict)
    files: dict[str, PlacedFile] = field(default_factory=dict)
    rarity: dict[str, int] = field(default_factory=dict)
    encoded: int = 0
    churn: int = 0
    words: list[str] = field(default_factory=list)  # by their numbers in the artifact

    def children(self) -> dict[str, list[str]]:
        """Return the ids below each id, sorted; "" is above the areas."""
        found: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes.values():
            found[node.parent].append(node.id)
        return {id: sorted(ids) for id, ids in found.items()}

    def members(self) -> dict[str, list[str]]:
        """Return the paths of the files below every node, sorted."""
        found: dict[str, list[str]] = {id: [] for id in self.nodes}
        lines = {id: [found[one] for one in self.line(id)] for id in self.nodes}
        for path in sorted(self.files):
            for below in lines[self.files[path].node]:
                below.append(path)
        return found

    def line(self, id: str) -> Iterator[str]:
        """Yield a node's id, then those above it up to its area."""
        while id:
            yield id
            id = self.nodes[id].parent

    # ------------------------------------------------------------------- on disk

    def write(self, folder: Path) -> None:
        """Write the artifact's file."""
        bags = (file.bag for file in self.files.values())
        own = (bag for bag in bags if not self._is_stored(bag))
        self.words += sorted(set().union(*own).difference(self.words))
        number = {word: index for index, word in enumerate(self.words)}
        ids = {id: index for index, id in enumerate(self._parents_first())}
        data = {
            "version": 1,
            "nodes": [
                [node.id, node.level, node.label, node.parent, node.support]
                for node in map(self.nodes.__getitem__, ids)
            ],
            "files": [
                [path, ids[file.node], file.digest, self._pack(file.bag, number)]
                for path, file in sorted(self.files.items())
            ],
            "words": self.words,
            "rarity": [self.rarity.get(word, 0) for word in self.words],
            "encoded": self.encoded,
            "churn": self.churn,
        }
        packed = zlib.compress(msgpack.packb(data, use_bin_type=True), _LEVEL)
        (folder / FILE).write_bytes(packed)

    @classmethod
    def read(cls, folder: Path) -> AreaMap:
        """Read an artifact."""
        unzip = zlib.decompressobj()
        packed = unzip.decompress((folder / FILE).read_bytes(), _MOST_BYTES)
        data = msgpack.unpackb(packed, raw=False)
        nodes = [AreaNode(*row) for row in data["nodes"]]
        words = data["words"]
        files = {
            path: PlacedFile(nodes[number].id, digest, StoredBag(bag, words))
            for path, number, digest, bag in data["files"]
        }
        rarity = {w: n for w, n in zip(words, data["rarity"], strict=True) if n}
        by_id = {node.id: node for node in nodes}
        return cls(by_id, files, rarity, data["encoded"], data["churn"], words)

    def _is_stored(self, bag: Bag) -> TypeGuard[StoredBag]:
        return isinstance(bag, StoredBag) and bag.words is self.words

    def _pack(self, bag: Bag, number: Mapping[str, int]) -> list[int]:
        if self._is_stored(bag):
            return bag.items_as_stored
        return sorted([number[word] * _COUNTS + count for word, count in bag.items()])

    def _parents_first(self) -> list[str]:
        return sorted(self.nodes, key=lambda id: (self.nodes[id].level, id))
