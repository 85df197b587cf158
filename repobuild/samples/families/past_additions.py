"""Read from `additions` what came along when a sibling was added.

A commit is a model when it added one or two siblings: one that added more moved or
began a family. Paths are those of the present: a sibling that moved since has no past.
A file that the commit made and that is named after the sibling stands for its pattern,
`tests/test_{name}.py`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from repobuild.code.changes.commits import newest_first
from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.families.membership import is_aside, words_of

NAME = "{name}"  # in a path, instead of the sibling's name
_FEWEST = 2  # commits that show a habit
_USUAL = 1 / 3  # share of the commits that makes one
_MOST_SIBLINGS = 2  # that a commit adds to be a model
_SHORTEST_NAME = 3  # characters of a name that is looked for in a path


def _is_product(path: str) -> bool:
    return not is_aside(path)


class PastAddition(NamedTuple):
    """One commit that added siblings."""

    commit: str
    subject: str
    added: tuple[str, ...]  # ids
    paths: tuple[str, ...]  # touched besides, those named after a sibling as patterns
    is_new_file: bool  # whether the siblings came in files of their own


class PastAdditions:
    """The rows of `additions`, newest first, by the paths that they touch."""

    def __init__(self, rows: Mapping[str, Value]) -> None:
        self.commits = [
            {**rows[commit], "commit": commit} for commit in newest_first(rows)
        ]
        self._by_path: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(self.commits):
            for path in row["paths"]:
                self._by_path[path].append(number)

    def touching(self, path: str) -> list[Value]:
        """Return the commits that touched a path, newest first."""
        return [self.commits[number] for number in self._by_path.get(path, ())]

    def usual(self, is_wanted: Callable[[str], bool]) -> list[str]:
        """Return the wanted paths, newest first, if new code usually touches some."""
        adding = [row for row in self.commits if any(map(_is_product, row["names"]))]
        touched = [list(filter(is_wanted, row["paths"])) for row in adding]
        count = sum(map(bool, touched))
        if count < max(_FEWEST, _USUAL * len(adding)):
            return []
        return list(dict.fromkeys(path for paths in touched for path in paths))

    def of(self, ids: Iterable[str]) -> list[PastAddition]:
        """Return the commits that added some of these siblings, newest first."""
        added: dict[int, list[str]] = defaultdict(list)
        for id in ids:
            path, qual = split_id(id)
            name = name_of(qual)
            for number in self._by_path.get(path, ()):
                row = self.commits[number]
                if name in row["names"].get(path, ()) or (
                    not qual and path in row["new"]
                ):
                    added[number].append(id)
                    break  # the newest commit that added it
        return [
            _past_addition(self.commits[number], added[number])
            for number in sorted(added)
            if len(added[number]) <= _MOST_SIBLINGS
        ]


def _past_addition(row: Value, ids: list[str]) -> PastAddition:
    own = {split_id(id)[0] for id in ids}
    is_new_file = all(path in row["new"] for path in own)
    names = [form for id in ids for form in forms_of(id, is_new_file)]
    paths = []
    for path in row["paths"]:
        if path in own:
            continue
        paths.append(pattern_of(path, names) if path in row["new"] else path)
    touched = tuple(dict.fromkeys(paths))
    return PastAddition(row["commit"], row["subject"], tuple(ids), touched, is_new_file)


def forms_of(id: str, has_own_file: bool) -> list[str]:
    """Return the forms in which paths name a sibling, the longest first.

    The name of its file is one when the sibling has the file to itself.
    """
    path, qual = split_id(id)
    stem = path.rpartition("/")[2].partition(".")[0] if has_own_file else ""
    name = name_of(qual)
    words = [word.lower() for word in words_of(name)]
    forms = [name, "_".join(words), "-".join(words), "".join(words), stem]
    forms += ["_".join(words[:-1]), "".join(words[:-1]), "_".join(words[1:])]
    forms += [stem.lstrip("_"), stem.replace("_", "-")]
    kept = {form for form in forms if len(form) >= _SHORTEST_NAME}
    return sorted(kept, key=lambda form: (-len(form), form))


def pattern_of(path: str, names: Iterable[str]) -> str:
    """Return a path with the first name that it holds replaced, else the path."""
    lowered = path.lower()
    for name in names:
        if name.lower() not in lowered:
            continue  # compiling a pattern costs a hundred times more
        found = re.search(rf"(?i)(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", path)
        if found:
            head, tail = path[: found.start()], path[found.end() :]
            folder = head + NAME + tail
            # Files of a folder named after a sibling differ in name: the folder counts.
            start, mark, rest = folder.partition(NAME + "/")
            return start + mark if mark else folder
    return path


def counted(past: list[PastAddition]) -> list[tuple[str, int]]:
    """Return the paths that came along, with the number of commits, most first."""
    counts = Counter(path for one in past for path in one.paths)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
