"""Find the fewest directories that hold a group of files: its artifact scopes.

    pkg/sub/     the directory with all below it
    pkg/sub/*    the files directly in it
    pkg/a.py     one file, where a directory is shared between groups

A directory covers a group when at most a quarter of the files that it would take in
belong to others; of those the highest is taken. So a group that fills a package is
grounded in the package, and one that is spread over the repository is not grounded in
its root. (The published algorithm gives one common ancestor for each top directory.)

A pure function of which files belong to the group, and which files there are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

_WASTE = 0.25


class Grounding:
    """Grounds groups of the files of one tree."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._all: Counter[str] = Counter()
        self._direct: Counter[str] = Counter()
        for path in paths:
            folders = list(_folders(path))
            self._all.update(folders)
            self._direct[folders[-1]] += 1

    def scopes(self, paths: Iterable[str]) -> list[str]:
        """Return the scopes of a group, sorted; [] for an empty one."""
        count: Counter[str] = Counter()
        direct: dict[str, list[str]] = defaultdict(list)
        below: dict[str, set[str]] = defaultdict(set)
        for path in paths:
            folders = list(_folders(path))
            count.update(folders)
            direct[folders[-1]].append(path)
            for parent, child in zip(folders, folders[1:], strict=False):
                below[parent].add(child)
        found: list[str] = []
        waiting = [""] if count else []
        while waiting:
            folder = waiting.pop()
            # The root is taken by a group that has everything only.
            waste = _WASTE if folder else 0.0
            if count[folder] >= (1.0 - waste) * self._all[folder]:
                found.append(f"{folder}/" if folder else "./")
                continue
            own = direct.get(folder, [])
            if own and len(own) >= (1.0 - _WASTE) * self._direct[folder] > 1:
                found.append(f"{folder}/*" if folder else "./*")
            else:
                found += own
            waiting += below.get(folder, ())
        return sorted(found)


def _folders(path: str) -> Iterator[str]:
    """Yield the directories that a file is in, the root "" first."""
    yield ""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
