"""Choose the name of an element in questions: as short as it is unambiguous.

That is the bare name when no other element of the repository has it, else the qualified
name, else the qualified name after the module's dotted name. Other languages than
Python have no such module: there it comes after the path, `src/a.c::run`. A method
whose bare name is a parameter or an attribute, too, or nothing but a word (`start`), is
qualified. The index of `contexts` holds, under a file's path, `name:x` for every bare
and qualified name in it and its clues (clues.py), so that an update looks up only what
it touches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from repobuild.code.facts.element_row import name_of
from repobuild.code.scan.file_roles import is_test
from repobuild.code.scan.python_table import builtin_members, builtin_names
from repobuild.engine.contract import OwnIndex, Value
from repobuild.samples.contexts.clues import plain_clue
from repobuild.samples.contexts.element_view import (
    PYTHON_SUFFIXES,
    ElementView,
    strip_counts,
    types_of,
)
from repobuild.samples.text.import_statements import module_of

_HTTP_METHODS = frozenset("post put patch head delete options trace connect".split())
NAMED_TYPES = frozenset({"function", "method", "class"})


def names_of(facts: Value) -> Counter[str]:
    """Count each bare and qualified name of one file."""
    names: Counter[str] = Counter()
    for qual in {
        strip_counts(qual) for qual, type in types_of(facts) if type in NAMED_TYPES
    }:
        name = name_of(qual)
        names[name] += 1
        if name != qual:
            names[qual] += 1
    return names


@cache
def _usual_names() -> frozenset[str]:
    """Return the names that alone say nothing of a project."""
    return builtin_names() | builtin_members() | _HTTP_METHODS


def _is_word(name: str) -> bool:
    """Return whether a name is one word, which many classes could use for a method."""
    bare = name.strip("_")
    return bare.islower() and "_" not in bare


class DisplayNames:
    """The names of the whole repository, as of this update."""

    def __init__(self, index: OwnIndex) -> None:
        self._index = index
        self._paths: dict[str, list[str]] = {}
        self._path_sets: dict[str, frozenset[str]] = {}

    def record(
        self, path: str, names: Iterable[str], clues: Iterable[str] = ()
    ) -> None:
        """Replace the names and clues of one file in the index."""
        self._index.set(path, [*("name:" + name for name in names), *clues])

    def holders(self, clue: str) -> list[str]:
        """Return the files that hold a clue; call only after all are recorded."""
        if clue not in self._paths:
            self._paths[clue] = self._index.find(clue)
        return self._paths[clue]

    def paths(self, name: str) -> list[str]:
        """Return the files that hold the name; call only after all are recorded."""
        return self.holders("name:" + name)

    def has_name(self, path: str, name: str) -> bool:
        """Return whether a file holds a name, which many files may hold."""
        if name not in self._path_sets:
            self._path_sets[name] = frozenset(self.paths(name))
        return path in self._path_sets[name]

    def is_of_product(self, name: str) -> bool:
        """Return whether a file other than a test holds the name."""
        return not all(map(is_test, self.paths(name)))

    def label(self, element: ElementView, counts: Counter[str]) -> tuple[str, bool]:
        """Return the short name of an element, and whether no other can have it.

        `counts` are the names of its file.
        """
        is_word = element.type == "method" and _is_word(element.name)
        if not is_word and self.has_own_name(element, counts):
            return element.name, True
        qual = element.plain_qual
        if qual != element.name and self._is_alone(element, qual, counts):
            return qual, True
        if element.path.endswith(PYTHON_SUFFIXES):
            return f"{module_of(element.path)}.{qual}", False
        return f"{element.path}::{qual}", False

    def has_own_name(self, element: ElementView, counts: Counter[str]) -> bool:
        """Return whether nothing but an element can be meant by its bare name."""
        name = element.name
        if not self._is_alone(element, name, counts):
            return False
        if element.type != "method":
            return True
        # `set` is a builtin, `post` anything.
        return name not in _usual_names() and not self.holders(plain_clue(name))

    def _is_alone(self, element: ElementView, name: str, counts: Counter[str]) -> bool:
        return counts[name] == 1 and self.paths(name) == [element.path]

    def with_one_unchanged_file(
        self, touched: Iterable[str], changed: set[str]
    ) -> Iterator[str]:
        """Yield the names that exactly one unchanged file holds.

        Only such a name can become, or cease to be, ambiguous for an unchanged file
        when `touched` names come to or leave the `changed` files: with two or more
        unchanged files it was ambiguous before and still is.
        """
        for name in touched:
            if sum(path not in changed for path in self.paths(name)) == 1:
                yield name

    def with_clue(self, touched: Iterable[str], changed: set[str]) -> Iterator[str]:
        """Yield the unchanged files whose elements are asked for otherwise now.

        A purpose or a heading changes only for the one unchanged file that has it. A
        plain name changes for methods when it is new, or gone, in the unchanged files.
        """
        for clue in touched:
            kind, _, name = clue.partition(":")
            unchanged = [path for path in self.holders(clue) if path not in changed]
            if kind not in ("plain", "variable"):
                yield from unchanged if len(unchanged) == 1 else ()
            elif kind == "variable" or not unchanged:
                yield from (path for path in self.paths(name) if path not in changed)
