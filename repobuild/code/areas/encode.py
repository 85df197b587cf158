"""Build the hierarchy of a repository from nothing.

    product files -> areas -> categories -> subcategories -> files

Tests, documentation and tooling are areas by themselves. The number of groups grows
with the files: areas sqrt(n) / 2 (3 to 8, one below a dozen files), then sqrt(n) / 1.5
and sqrt(n) / 2 in each group, at most 8.

After a hierarchy there was before, `keep_names` gives a group the id and the label of
the old one with which it shares most files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from repobuild.code.areas.area_map import AreaMap, AreaNode, Bag, PlacedFile
from repobuild.code.areas.clustering import Edges, divide
from repobuild.code.areas.file_words import PRODUCT, Weights, common_words
from repobuild.code.areas.labels import (
    Label,
    OmittedWords,
    label_words,
    labels_of,
    slug,
    support_of,
)

_FEWEST_AREAS, _MOST_GROUPS = 3, 8
_FEW_FILES = 12  # below, the product is one area
_DIVISOR = (2.0, 1.5, 2.0)  # of the root of the number of files, by level
_SMALL = 5  # files that are not divided any further
_OVERLAP = 0.3  # share of common files from which a group is an old one again


@dataclass(frozen=True, slots=True)
class PlacingEvidence:
    """What a file is placed by."""

    digest: bytes
    bag: Bag
    role: str


def encode(files: Mapping[str, PlacingEvidence], edges: Edges) -> AreaMap:
    """Return the hierarchy of these files."""
    bags = {path: file.bag for path, file in files.items()}
    weights = Weights.of(bags.values())
    vectors = {path: weights.vector(bag) for path, bag in bags.items()}
    common = common_words(weights.rarity, len(files))
    roles: dict[str, list[str]] = defaultdict(list)
    for path in sorted(files):
        roles[files[path].role].append(path)
    areas: list[tuple[Label, list[str]]] = []
    if product := roles.pop(PRODUCT, []):
        groups = divide(product, _count_areas(len(product)), vectors, edges)
        areas += zip(
            labels_of(groups, bags, 0, OmittedWords((), common)), groups, strict=True
        )
    areas += [(Label(role, 1.0), paths) for role, paths in sorted(roles.items())]
    area_map = AreaMap(rarity=weights.rarity, encoded=len(files))
    builder = _Builder(area_map, files, bags, common)
    for label, paths in areas:
        area = builder.node(0, label, "")
        for category, inner in builder.divided(1, paths, [label.text], vectors, edges):
            id = builder.node(1, category, area)
            above = [label.text, category.text]
            for last, deep in builder.divided(2, inner, above, vectors, edges):
                builder.place(builder.node(2, last, id), deep)
    return area_map


@dataclass(frozen=True, slots=True)
class _Builder:
    area_map: AreaMap
    files: Mapping[str, PlacingEvidence]
    bags: Mapping[str, Bag]
    common: set[str]  # words that tell no files apart

    def divided(
        self,
        level: int,
        paths: Sequence[str],
        above: Sequence[str],
        vectors: Mapping[str, Mapping[str, float]],
        edges: Edges,
    ) -> Iterator[tuple[Label, list[str]]]:
        """Yield the groups of the next level with their labels."""
        count = round(sqrt(len(paths)) / _DIVISOR[level])
        count = 1 if len(paths) <= _SMALL else max(1, min(count, _MOST_GROUPS))
        groups = divide(paths, count, vectors, edges)
        known = OmittedWords(label_words(above), self.common)
        labels = labels_of(groups, self.bags, level, known)
        yield from zip(labels, groups, strict=True)

    def node(self, level: int, label: Label, parent: str) -> str:
        return add_node(self.area_map, level, label, parent)

    def place(self, id: str, paths: Iterable[str]) -> None:
        for path in paths:
            file = self.files[path]
            self.area_map.files[path] = PlacedFile(id, file.digest, file.bag)


def add_node(area_map: AreaMap, level: int, label: Label, parent: str) -> str:
    """Add a node with an id that no other has, and return it."""
    id = _free_id(label.text, parent, area_map.nodes)
    area_map.nodes[id] = AreaNode(id, level, label.text, parent, label.support)
    return id


def _free_id(label: str, parent: str, taken: Container[str]) -> str:
    """Return the id of a node below `parent`, numbered when it is taken."""
    start = f"{parent}/{slug(label)}" if parent else slug(label)
    id, number = start, 2
    while id in taken:
        id, number = f"{start}-{number}", number + 1
    return id


def _count_areas(files: int) -> int:
    if files < _FEW_FILES:
        return 1
    return max(_FEWEST_AREAS, min(round(sqrt(files) / _DIVISOR[0]), _MOST_GROUPS))


def keep_names(new: AreaMap, old: AreaMap) -> AreaMap:
    """Return the new hierarchy with the old ids and labels where groups overlap."""
    was = {id: set(paths) for id, paths in old.members().items()}
    members = new.members()
    taken = dict(_matches(new, old, members, was))
    ids: dict[str, str] = {}
    used = set(taken.values())
    result = AreaMap(rarity=new.rarity, encoded=new.encoded)
    for node in sorted(new.nodes.values(), key=lambda node: (node.level, node.id)):
        parent = ids.get(node.parent, "")
        if node.id in taken:
            kept = old.nodes[taken[node.id]]
            bags = {path: new.files[path].bag for path in members[node.id]}
            support = support_of(kept.label, members[node.id], bags)
            is_true = support >= kept.support / 2
            label = kept.label if is_true else node.label
            born = kept.support if is_true else node.support
            ids[node.id] = kept.id
            result.nodes[kept.id] = AreaNode(kept.id, node.level, label, parent, born)
        else:
            id = _free_id(node.label, parent, result.nodes.keys() | used)
            ids[node.id] = id
            result.nodes[id] = replace(node, id=id, parent=parent)
    result.files = {
        path: file._replace(node=ids[file.node]) for path, file in new.files.items()
    }
    return result


def _matches(
    new: AreaMap,
    old: AreaMap,
    members: Mapping[str, Sequence[str]],
    was: Mapping[str, set[str]],
) -> Iterator[tuple[str, str]]:
    """Yield (new id, old id) of the nodes of one level that share most files."""
    pairs = []
    for id, paths in members.items():
        level = new.nodes[id].level
        touched = {
            one
            for path in paths
            if path in old.files
            for one in old.line(old.files[path].node)
            if old.nodes[one].level == level
        }
        for one in touched:
            common = len(was[one].intersection(paths))
            share = common / (len(was[one]) + len(paths) - common)
            if share >= _OVERLAP:
                pairs.append((-share, id, one))
    found: set[str] = set()
    for _, id, one in sorted(pairs):
        if id not in found and one not in found:
            found.update((id, one))
            yield id, one
