"""Bring the hierarchy of the parent commit up to date with what a commit changed.

    removed    the file leaves; nodes without files are pruned up to the root
    renamed    a new file with the features of a removed one takes its place
    changed    by the drift of its words since it was placed:
                 below 0.3   stays
                 above 0.7   is removed and inserted again
                 between     moves only if another subcategory fits better by 0.15
    added      is routed from the areas down to the child that fits best; a file of a
               directory that is new, and that fits nowhere, founds a subcategory

A file fits a node by the cosine of its words with the node's, plus a third of the share
of its directory's files that are in the node, and a third of the files it depends on.

Ids never change. A label changes only when the share of files that bear it out falls
below half of what it was when the label was given. So a commit that changes a function
renames nothing else.

What this cannot repair is counted (`churn`: files inserted, moved and removed). When a
quarter of the files changed places since the last encode, and at least 20, the
hierarchy is encoded anew, with the old ids and labels where groups overlap.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from repobuild.code.areas.area_map import LEVELS, AreaMap, Bag, PlacedFile
from repobuild.code.areas.encode import PlacingEvidence, add_node
from repobuild.code.areas.file_words import (
    PRODUCT,
    ROLES,
    Weights,
    common_words,
    cosine,
    drift,
)
from repobuild.code.areas.labels import (
    Label,
    OmittedWords,
    label_words,
    labels_of,
    support_of,
)

IN_PLACE, REROUTED = 0.3, 0.7  # drift below and above which nothing is compared
_BETTER = 0.15
_OF_DIRECTORY, _OF_DEPENDENCIES = 1 / 3, 1 / 3
_FITS = 0.2  # below, a file of a new directory founds a subcategory
_MOST_CHURN, _LEAST_CHURN = 0.25, 20


@dataclass
class Evolution:
    """What became of the files of a commit."""

    inserted: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)  # old path -> new
    in_place: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)  # ids


def needs_encode(area_map: AreaMap) -> bool:
    """Return whether too many files changed places since the last encode."""
    most = max(_LEAST_CHURN, _MOST_CHURN * area_map.encoded)
    return area_map.churn > most


def evolve(
    area_map: AreaMap,
    changed: Mapping[str, PlacingEvidence],
    removed: Iterable[str],
    depends_on: Mapping[str, Sequence[str]],
) -> Evolution:
    """Change the hierarchy in place; `depends_on` has the files a changed one uses."""
    done = Evolution()
    gone = {path for path in removed if path in area_map.files}
    fresh = [path for path in sorted(changed) if path not in area_map.files]
    for path, old in _renames(area_map, changed, fresh, gone).items():
        node = area_map.files.pop(old).node
        area_map.files[path] = _placed(changed[path], node)
        done.renamed[old] = path
    touched: set[str] = set()
    for path in sorted(gone - done.renamed.keys()):
        touched.add(area_map.files.pop(path).node)
        done.removed.append(path)
    router = _Router(area_map, depends_on)
    for path in sorted(changed.keys() - set(fresh)):
        before = area_map.files[path].node
        (done.moved if _modify(router, path, changed[path]) else done.in_place).append(
            path
        )
        touched.update((before, area_map.files[path].node))
    for path in fresh:
        if path not in area_map.files:
            router.insert(path, changed[path])
            touched.add(area_map.files[path].node)
            done.inserted.append(path)
    area_map.churn += len(done.inserted) + len(done.removed) + len(done.moved)
    lines = {id for node in touched for id in area_map.line(node)}
    _prune(area_map)
    done.relabelled = _relabel(area_map, lines & area_map.nodes.keys())
    return done


def _renames(
    area_map: AreaMap,
    changed: Mapping[str, PlacingEvidence],
    fresh: Iterable[str],
    gone: set[str],
) -> dict[str, str]:
    """Return new path -> old path of files with equal, or nearly equal, features."""
    by_digest: dict[bytes, list[str]] = defaultdict(list)
    by_name: dict[str, list[str]] = defaultdict(list)
    for old in sorted(gone):
        by_digest[area_map.files[old].digest].append(old)
        by_name[_name(old)].append(old)
    left = set(gone)
    found: dict[str, str] = {}
    for path in fresh:
        file = changed[path]
        equal = (old for old in by_digest[file.digest] if old in left)
        alike = (
            (distance, old)
            for old in by_name[_name(path)]
            if old in left
            and (distance := drift(area_map.files[old].bag, file.bag)) < IN_PLACE
        )
        old = next(equal, "") if file.bag else ""
        old = old or min(alike, default=(0.0, ""))[1]
        if old:
            found[path] = old
            left.discard(old)
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _placed(file: PlacingEvidence, node: str, bag: Bag | None = None) -> PlacedFile:
    return PlacedFile(node, file.digest, file.bag if bag is None else bag)


def _modify(router: _Router, path: str, file: PlacingEvidence) -> bool:
    """Update a file of the hierarchy; return whether it moved."""
    files = router.area_map.files
    old = files[path]
    distance = drift(old.bag, file.bag)
    if distance < IN_PLACE:
        files[path] = _placed(file, old.node, old.bag)
        return False
    router.take(path)
    best = router.best(path, file)
    if distance <= REROUTED:
        own = router.score(path, file, old.node)
        if not best or router.score(path, file, best) < own + _BETTER:
            best = old.node
    if not best:
        router.insert(path, file)
    else:
        router.put(path, _placed(file, best))
    return files[path].node != old.node


class _Router:
    """Finds the subcategory that a file fits best."""

    def __init__(
        self, area_map: AreaMap, depends_on: Mapping[str, Sequence[str]]
    ) -> None:
        self.area_map = area_map
        self._depends_on = depends_on
        self._weights = Weights(area_map.rarity, area_map.encoded)
        self._is_counted = False
        # id -> the sum of its files' vectors; of the nodes that were compared
        self._sums: dict[str, dict[str, float]] = {}
        # id -> its own files by path; of subcategories
        self._placed: dict[str, dict[str, PlacedFile]] = defaultdict(dict)
        # folder -> files in each node, all in ""
        self._folders: dict[str, Counter[str]] = defaultdict(Counter)

    def put(self, path: str, file: PlacedFile) -> None:
        """Place a file."""
        self.area_map.files[path] = file
        if self._is_counted:
            self._placed[file.node][path] = file
            self._count_file(path, file, 1)

    def take(self, path: str) -> PlacedFile:
        """Take a file out, and return it."""
        file = self.area_map.files.pop(path)
        if self._is_counted:
            del self._placed[file.node][path]
            self._count_file(path, file, -1)
        return file

    def best(self, path: str, file: PlacingEvidence) -> str:
        """Return the subcategory where greedy descent ends, "" without an area."""
        children = self.area_map.children()
        at = ""
        for _ in LEVELS:
            below = [id for id in children.get(at, ()) if self._is_open(id, file.role)]
            if not below:
                return ""
            if len(below) == 1:
                at = below[0]
                continue
            at = max(below, key=lambda id: (self.score(path, file, id), id))
        return at

    def insert(self, path: str, file: PlacingEvidence) -> None:
        """Place a new file, in a new subcategory where none fits."""
        best = self.best(path, file)
        if not best or self._founds(path, file, best):
            best = self._found(path, file, best)
        self.put(path, _placed(file, best))

    def score(self, path: str, file: PlacingEvidence, id: str) -> float:
        """Return how well a file fits a node."""
        self._count()
        found = cosine(self._weights.vector(file.bag), self._sum(id))
        near = self._near(path)
        if total := near[""]:
            found += _OF_DIRECTORY * near[id] / total
        used = [
            self.area_map.files[other].node
            for other in self._depends_on.get(path, ())
            if other in self.area_map.files
        ]
        if used:
            inside = sum(id in set(self.area_map.line(node)) for node in used)
            found += _OF_DEPENDENCIES * inside / len(used)
        return round(found, 6)

    def _is_open(self, id: str, role: str) -> bool:
        """Return whether a node's area takes files of a role."""
        node = self.area_map.nodes[id]
        if node.level:
            return True
        own = id if id in ROLES else PRODUCT
        return own == role

    def _near(self, path: str) -> Counter[str]:
        """Return the files in each node of the nearest directory that has any."""
        folder = path.rpartition("/")[0]
        while folder and not self._files_in(folder):
            folder = folder.rpartition("/")[0]
        return self._folders.get(folder, Counter())

    def _files_in(self, folder: str) -> int:
        return self._folders[folder][""] if folder in self._folders else 0

    def _count(self) -> None:
        """Count the files of each folder, when the first file is routed."""
        if not self._is_counted:
            self._is_counted = True
            lines = {id: (*self.area_map.line(id), "") for id in self.area_map.nodes}
            for path, file in self.area_map.files.items():
                self._placed[file.node][path] = file
                folder = self._folders[path.rpartition("/")[0]]
                for id in lines[file.node]:
                    folder[id] += 1

    def _sum(self, id: str) -> dict[str, float]:
        """Return the sum of the vectors of a node's files; none has none.

        It adds up those of the nodes below, so that a descent weighs each file once.
        """
        known = self._sums.get(id)
        if known is None:
            known = self._sums[id] = defaultdict(float)
            for child in self.area_map.children().get(id, ()):
                for word, weight in self._sum(child).items():
                    known[word] += weight
            for file in self._placed[id].values():
                self._add(known, file, 1)
        return known

    def _add(self, sums: dict[str, float], file: PlacedFile, sign: int) -> None:
        for word, weight in self._weights.vector(file.bag).items():
            sums[word] += sign * weight

    def _count_file(self, path: str, file: PlacedFile, sign: int) -> None:
        folder = self._folders[path.rpartition("/")[0]]
        folder[""] += sign
        for id in self.area_map.line(file.node):
            folder[id] += sign
            if id in self._sums:
                self._add(self._sums[id], file, sign)

    def _founds(self, path: str, file: PlacingEvidence, best: str) -> bool:
        """Return whether a file begins a subcategory: its directory is new."""
        self._count()
        folder = path.rpartition("/")[0]
        if not folder or self._files_in(folder):
            return False
        return cosine(self._weights.vector(file.bag), self._sum(best)) < _FITS

    def _found(self, path: str, file: PlacingEvidence, best: str) -> str:
        """Add a subcategory for a file, with what is missing above it; return it."""
        bags = {path: file.bag}
        parent = self.area_map.nodes[best].parent if best else ""
        if not parent and file.role != PRODUCT:
            label = Label(file.role, 1.0)
            parent = file.role
            if parent not in self.area_map.nodes:
                parent = add_node(self.area_map, 0, label, "")
        nodes = self.area_map.nodes
        level = nodes[parent].level + 1 if parent else 0
        for depth in range(level, len(LEVELS)):
            known = _known(self.area_map, parent)
            beside = [one.label for one in nodes.values() if one.parent == parent]
            label = labels_of([[path]], bags, depth, known, beside)[0]
            parent = add_node(self.area_map, depth, label, parent)
        return parent


def _known(area_map: AreaMap, parent: str) -> OmittedWords:
    """Return the words that a label below a node leaves out."""
    labels = (area_map.nodes[id].label for id in area_map.line(parent))
    common = common_words(area_map.rarity, area_map.encoded)
    return OmittedWords(label_words(labels), common)


def _prune(area_map: AreaMap) -> None:
    """Remove the nodes without files."""
    nodes = {file.node for file in area_map.files.values()}
    used = {id for node in nodes for id in area_map.line(node)}
    for id in area_map.nodes.keys() - used:
        del area_map.nodes[id]


def _relabel(area_map: AreaMap, ids: set[str]) -> list[str]:
    """Give those nodes another label whose files no longer bear theirs out."""
    members = area_map.members() if ids else {}
    children = area_map.children() if ids else {}
    changed = []
    for id in sorted(ids):
        node = area_map.nodes[id]
        if node.level == 0 and id in ROLES:
            continue
        bags = {path: area_map.files[path].bag for path in members[id]}
        if support_of(node.label, members[id], bags) >= node.support / 2:
            continue
        siblings = children[node.parent]
        groups = [members[one] for one in siblings]
        bags = {path: area_map.files[path].bag for group in groups for path in group}
        known = _known(area_map, node.parent)
        beside = [area_map.nodes[one].label for one in siblings]
        label = labels_of(groups, bags, node.level, known, beside)[siblings.index(id)]
        if label.text != node.label:
            area_map.nodes[id] = replace(node, label=label.text, support=label.support)
            changed.append(id)
    return changed
