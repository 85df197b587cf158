"""Detect renames: pair removed elements with added ones, as git does for files.

    moved     the same name elsewhere, and the same body digest or nearly the same code
    renamed   another name in the same file and container, and nearly the same code but
              for the name

Only unambiguous pairs count: when two functions `main` are removed and two are added,
they are paired only if their digests decide it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz import fuzz

from repobuild.code.changes.revision import ElementVersion
from repobuild.code.facts.element_row import parent_of

_MIN_SIMILARITY_MOVED = 80.0  # percent of the text
_MIN_SIMILARITY_RENAMED = 90.0
_MIN_LENGTH_MOVED = 40  # characters; shorter texts are similar by chance
_MIN_LINES_RENAMED = 3
_MAX_PAIRS = 2_500


class Rename(NamedTuple):
    """An element under its old and its new id."""

    old: ElementVersion
    new: ElementVersion


class _Candidate(NamedTuple):
    """A possible rename; the most similar one sorts first, ties by id."""

    negated_similarity: float
    old_id: str
    new_id: str
    rename: Rename

    @property
    def sides(self) -> tuple[str, str]:
        """Both ids, distinct even when they are equal."""
        return f"-{self.old_id}", f"+{self.new_id}"


def detect_renames(
    removed: list[ElementVersion], added: list[ElementVersion]
) -> list[Rename]:
    """Return moved and renamed elements by old id; of nested ones the outermost."""
    exact = _same_digest(removed, added)
    old_ids = {rename.old.id for rename in exact}
    new_ids = {rename.new.id for rename in exact}
    rest_removed = [one for one in removed if one.id not in old_ids]
    rest_added = [one for one in added if one.id not in new_ids]
    renames = [*exact, *_similar(rest_removed, rest_added)]
    pairs = {(old.id, new.id) for old, new in renames}
    outermost = [
        rename
        for rename in renames
        if (_container(rename.old), _container(rename.new)) not in pairs
    ]
    return sorted(outermost, key=lambda rename: rename.old.id)


def with_nested(
    renames: list[Rename], removed: list[ElementVersion], added: list[ElementVersion]
) -> list[Rename]:
    """Return the renames, followed by those of the elements nested in them."""
    added_by_id = {one.id: one for one in added}
    new_ids = {old.id: new.id for old, new in renames}
    nested: list[Rename] = []
    for one in sorted(removed, key=lambda one: one.row.qual.count(".")):
        name = one.row.qual.rpartition(".")[2]
        new = added_by_id.get(f"{new_ids.get(_container(one))}.{name}")
        if new is not None and one.id not in new_ids:
            new_ids[one.id] = new.id
            nested.append(Rename(one, new))
    return [*renames, *nested]


def _container(one: ElementVersion) -> str:
    """Return the id of the enclosing element."""
    return f"{one.revision.path}::{parent_of(one.row.qual)}"


def _same_digest(
    removed: list[ElementVersion], added: list[ElementVersion]
) -> list[Rename]:
    """Pair elements of one name and digest that occur once on each side."""
    before, after = _by_digest(removed), _by_digest(added)
    return [
        Rename(olds[0], news[0])
        for key, olds in before.items()
        if len(olds) == len(news := after.get(key, [])) == 1
    ]


def _by_digest(
    elements: Iterable[ElementVersion],
) -> dict[tuple[bytes, str], list[ElementVersion]]:
    groups: dict[tuple[bytes, str], list[ElementVersion]] = defaultdict(list)
    for one in elements:
        groups[one.row.body_digest, one.name].append(one)
    return groups


def _similar(
    removed: list[ElementVersion], added: list[ElementVersion]
) -> list[Rename]:
    """Pair nearly equal elements, most similar first, each at most once.

    An element with two equally similar partners stays unpaired.
    """
    if len(removed) * len(added) > _MAX_PAIRS:
        return []
    candidates = [
        _Candidate(-similarity, old.id, new.id, Rename(old, new))
        for old in removed
        for new in added
        if (similarity := _similarity(old, new))
    ]
    ties = Counter((c.negated_similarity, side) for c in candidates for side in c.sides)
    renames: list[Rename] = []
    used: set[str] = set()
    for candidate in sorted(candidates, key=lambda candidate: candidate[:3]):
        sides = candidate.sides
        is_unique = all(ties[candidate.negated_similarity, side] == 1 for side in sides)
        if is_unique and used.isdisjoint(sides):
            renames.append(candidate.rename)
        used.update(sides)
    return renames


def _similarity(old: ElementVersion, new: ElementVersion) -> float:
    """Return how similar two texts are, in percent; 0.0 for no rename."""
    if (old.row.type == "class") != (new.row.type == "class"):
        return 0.0
    if old.name == new.name:
        if len(old.text) < _MIN_LENGTH_MOVED:
            return 0.0
        return fuzz.ratio(old.text, new.text, score_cutoff=_MIN_SIMILARITY_MOVED)
    lines = old.text.count("\n") + 1
    if _container(old) != _container(new) or lines < _MIN_LINES_RENAMED:
        return 0.0
    text = re.sub(rf"\b{re.escape(old.name)}\b", lambda _: new.name, old.text)
    return fuzz.ratio(text, new.text, score_cutoff=_MIN_SIMILARITY_RENAMED)
