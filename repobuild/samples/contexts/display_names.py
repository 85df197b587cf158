"""How an element is called in questions: as short as it is unambiguous.

The bare name when no other element of the repository has it, else the qualified name,
else that behind the module's dotted name. The index of `contexts` holds, under a file's
path, `name:x` for every bare and qualified name in it, so an update asks about the
names it touches and about no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from repobuild.code.facts.element_row import name_of
from repobuild.engine.contract import OwnIndex, Value
from repobuild.samples.contexts.element_view import ElementView, kinds, shown

NAMED = frozenset({"function", "method", "class"})


def names_of(facts: Value) -> Counter[str]:
    """How often each bare and qualified name stands in one file."""
    names: Counter[str] = Counter()
    for qual in {shown(qual) for qual, type in kinds(facts) if type in NAMED}:
        name = name_of(qual)
        names[name] += 1
        if name != qual:
            names[qual] += 1
    return names


def module_of(path: str) -> str:
    """The dotted name of a source file: `src/a/b.py` is `a.b`."""
    stem = path.rpartition(".")[0] or path
    return stem.removeprefix("src/").removesuffix("/__init__").replace("/", ".")


class DisplayNames:
    """Which names are unambiguous, as of now."""

    def __init__(self, index: OwnIndex) -> None:
        self._index = index
        self._paths: dict[str, list[str]] = {}

    def record(self, path: str, names: Iterable[str]) -> None:
        self._index.set(path, ["name:" + name for name in names])

    def paths(self, name: str) -> list[str]:
        """The files that hold the name; ask only after all are recorded."""
        if name not in self._paths:
            self._paths[name] = self._index.find("name:" + name)
        return self._paths[name]

    def label(self, element: ElementView, here: Counter[str]) -> tuple[str, bool]:
        """The short name of an element, and whether it is sure to be its alone.

        `here` counts the names of its file.
        """
        for name in (element.name, element.shown):
            if here[name] == 1 and self.paths(name) == [element.path]:
                return name, True
        return f"{module_of(element.path)}.{element.shown}", False

    def flipped(self, touched: Iterable[str], changed: set[str]) -> Iterator[str]:
        """Names that now are, or no more are, ambiguous in one unchanged file.

        `touched` came to or left some changed file. In two or more unchanged files
        such a name was ambiguous before and still is.
        """
        for name in touched:
            if sum(path not in changed for path in self.paths(name)) == 1:
                yield name
