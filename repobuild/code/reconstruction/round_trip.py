"""Read skeletons back, and compare their elements with those of the repository.

An element comes back when the analysis finds, in the skeleton of its file, one with its
qualified name, kind and signature. A file comes back when it has a skeleton, or had
nothing to put in one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import row_of
from repobuild.code.facts.parse import reader
from repobuild.engine.contract import Table, Value

ENOUGH = 0.985  # of the elements: what the published method covers of categories
_MOST_EXAMPLES = 20


class Outlined(NamedTuple):
    """What identifies an element."""

    path: str
    qual: str
    kind: str
    signature: str


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """How many of the repository's elements come back."""

    elements: int
    same: int
    added: int  # in the skeletons, not in the repository
    lost: tuple[str, ...]  # ids, the first of them
    by_language: Mapping[str, list[int]]  # [elements, those that come back]

    @property
    def share(self) -> float:
        return self.same / self.elements if self.elements else 1.0

    def facts(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "elements": self.elements,
            "same": self.same,
            "added": self.added,
            "share": round(self.share, 4),
            "by_language": dict(self.by_language),
            "lost": list(self.lost),
        }


def compare(facts: Table, files: Iterable[Mapping[str, Any]]) -> RoundTrip:
    """Return how the skeletons of an export compare with the table of facts."""
    found = {file["path"]: _read(file) for file in files}
    wanted, same, added = Counter[str](), Counter[str](), 0
    lost = []
    for path, row in facts.items():
        own, back = _outline(path, row), found.get(path, set())
        language = str(row.get("language", ""))
        wanted[language] += len(own)
        same[language] += len(own & back)
        added += len(back - own)
        lost += [f"{one.path}::{one.qual}" for one in sorted(own - back)]
    return RoundTrip(
        wanted.total(),
        same.total(),
        added,
        tuple(lost[:_MOST_EXAMPLES]),
        {one: [n, same[one]] for one, n in sorted(wanted.items()) if n},
    )


def _read(file: Mapping[str, Any]) -> set[Outlined]:
    language = str(file["language"])
    row = reader(language)(str(file["skeleton"]).encode(), language)
    return _outline(str(file["path"]), row)


def _outline(path: str, facts: Value) -> set[Outlined]:
    rows = (row_of(item) for item in facts.get("elements", ()))
    return {Outlined(path, row.qual, row.type, signature(row)) for row in rows}
