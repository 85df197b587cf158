"""Small repositories, and the edges that Python's language reference makes right.

A case is in one of the `.txt` files beside this one; the file's name is its group:

    == the case's name
    -- a.py                        a file; its text goes on until the next mark
    def f(): pass
    -> ::g calls ::f               an edge; `::g` is short for `a.py::g`
    -x ::g calls ::h               a trap: an edge that does not exist

Every edge of a case that no `->` names is wrong, whether it is a trap or not. Where the
language leaves a choice, these conventions hold:

- An edge is right when some run of the program makes it. A name that is bound in two
  branches refers to both; `f#2` replaces `f` where both definitions run in turn.
- A call is made by call syntax, by a decorator, or by a `for` or `with` that runs a
  method of the repository. Operators, subscripts, reading a property and creating a
  class are no calls.
- The caller is the innermost element whose text, with decorators and defaults, holds
  the call. The element around a lambda or a comprehension makes the calls in it.
- Calling a class calls the class, and the `__init__` (or `__new__`) of the repository
  that this runs.
- A decorated function is called under its own name, and so is the wrapper of the
  repository that runs in its place. The decorator is called by the element that it
  stands at, and by the code around that, which runs it.
- A function that is passed to a builtin or to functools to be called (`key`, `map`) is
  called by the element that passes it: the builtin is no element of the repository.
- A method of a declared type is that type's own; overrides in subclasses are not
  listed, unless the type itself does not define the method.
- An import refers to a module, and to the element that it names, in the file that
  defines it; packages on the way are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repobuild.samples.contexts.graph_reader import CONFIDENT
from tests.code_world import World

STATED = "of these stated by samples"
KINDS = ("calls", "imports", "inherits")
Edge = tuple[str, str, str]  # source, kind, target


@dataclass
class Case:
    """One case: its files, its right edges and its traps."""

    group: str
    name: str
    files: dict[str, str] = field(default_factory=dict)
    right: set[Edge] = field(default_factory=set)
    traps: set[Edge] = field(default_factory=set)

    def graph_edges(self, at_least: float = 0.0) -> set[Edge]:
        """Return the edges of this confidence that the graph has for these files."""
        world = World(self.files)
        return {
            (source, kind, target)
            for kind in KINDS
            for (source, target), confidence in world.edges(kind).items()
            if confidence >= at_least
        }


@dataclass
class Score:
    """Counts of edges over some cases: found and right, found and wrong, missed."""

    cases: int = 0
    whole: int = 0  # cases without a wrong or a missed edge
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, case: Case, found: set[Edge]) -> None:
        self.cases += 1
        self.whole += found == case.right
        self.right += len(found & case.right)
        self.wrong += len(found - case.right)
        self.missed += len(case.right - found)

    @property
    def precision(self) -> float:
        return self.right / ((self.right + self.wrong) or 1)

    @property
    def recall(self) -> float:
        return self.right / ((self.right + self.missed) or 1)


def cases() -> list[Case]:
    """Return all cases, group by group."""
    folder = Path(__file__).parent
    return [case for path in sorted(folder.glob("*.txt")) for case in _read(path)]


def _read(path: Path) -> Iterator[Case]:
    for text in ("\n" + path.read_text("utf-8")).split("\n== ")[1:]:
        name, _, rest = text.partition("\n")
        case, file = Case(path.stem, name), ""
        for line in rest.splitlines():
            mark, _, text = line.partition(" ")
            if mark == "--":
                file = text
                case.files[file] = ""
            elif mark == "->":
                case.right.add(_edge(text))
            elif mark == "-x":
                case.traps.add(_edge(text))
            else:
                case.files[file] += line + "\n"
        yield case


def _edge(text: str) -> Edge:
    source, kind, target = text.split(" ")
    return _full_id(source), kind, _full_id(target)


def _full_id(id: str) -> str:
    return "a.py" + id if id.startswith("::") else id


def scores() -> dict[str, Score]:
    """Return the score of each group, of `all`, and of the edges that samples state."""
    by_group: dict[str, Score] = {}
    total, stated = Score(), Score()
    for case in cases():
        edges = case.graph_edges()
        by_group.setdefault(case.group, Score()).add(case, edges)
        total.add(case, edges)
        stated.add(case, case.graph_edges(CONFIDENT))
    return by_group | {"all": total, STATED: stated}
