"""What the rows of families are made from, and how many siblings are most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from zlib import crc32

from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.families.past_additions import PastAdditions

HALF = 0.5
NEARLY_ALL = 0.75
MOST_SIBLINGS = 40  # that are looked at
MOST_LISTED = 6
LONGEST_LINE = 90  # characters of quoted code
MOST_METHODS = 8  # of a list; a family with more required methods is left out


class Tree(NamedTuple):
    """What a row is made from."""

    reader: GraphReader
    past: PastAdditions
    read: Callable[[str], bytes | None]  # source of a path; None where there is none
    words: Callable[[str], frozenset[str]]  # in the source of a path
    users: Callable[[str], frozenset[str]]  # files not aside that import or call an id
    exists: Callable[[str], bool]
    find: Callable[[str], list[str]]  # paths by a term of the index (families.py)
    project: str
    changelog: str  # path of the change log when new code is usually entered in it
    root_changelog: str  # path of the one at the root, "" where there is none

    def code(self, element: ElementView) -> bytes:
        """Return an element's source, without its decorators."""
        source = self.read(element.path) or b""
        return source[element.row.start : element.row.start + element.row.length]


def is_usual(count: int, ids: Sequence[object]) -> bool:
    return count >= 2 and count > HALF * len(ids)


def sampled(ids: list[str]) -> list[str]:
    """Return at most `MOST_SIBLINGS` ids, the same ones when others come and go."""
    chosen = sorted(ids, key=lambda id: (crc32(id.encode()), id))[:MOST_SIBLINGS]
    return sorted(chosen)
