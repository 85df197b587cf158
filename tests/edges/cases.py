"""Small repositories, and the edges that are right by Python's language reference.

A case lies in one of the `.txt` files beside this one, which is its group:

    == what it is about
    -- a.py                        a file, its text until the next mark
    def f(): pass
    -> ::g calls ::f               an edge; `::g` is short for `a.py::g`
    -x ::g calls ::h               a trap: an edge that is not there

What is not written is not right: every edge of a case that `->` does not name is wrong,
a trap or not. Conventions, where the language leaves a choice:

- An edge is right when some run of the program makes it. So a name that is bound in two
  branches means both, and `f#2` replaces `f` where both are run one after the other.
- A call is a call by call syntax, or by a decorator. Operators, subscripts, `with`,
  `for`, the reading of a property and the making of a class have none.
- Who calls is the innermost element whose text, decorators and defaults included, holds
  the call; what a lambda or a comprehension calls is called by what holds it.
- A class that is called is called, and so is the `__init__` (or `__new__`) of the
  repository that this runs.
- A decorated function is called under its own name. Who decorates, is called, too; the
  wrapper in between is not named.
- What is given to a builtin or to functools to be called (`key`, `map`) is called by
  who gives it: the builtin is no element of the repository.
- A method of a declared type is that type's own; what subclasses make of it is not
  listed, unless it is all that there is.
- An import is of the module that it names, and of the element that it takes, where that
  is defined; packages that are passed on the way are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.code_world import World

KINDS = ("calls", "imports", "inherits")
Edge = tuple[str, str, str]  # source, kind, target


@dataclass
class Case:
    """One case: its files, its right edges, its traps."""

    group: str
    name: str
    files: dict[str, str] = field(default_factory=dict)
    right: set[Edge] = field(default_factory=set)
    traps: set[Edge] = field(default_factory=set)

    def found(self) -> set[Edge]:
        """Return the edges that the graph has."""
        world = World(self.files)
        return {
            (source, kind, target)
            for kind in KINDS
            for source, target in world.edges(kind)
        }


@dataclass
class Score:
    """Edges over some cases: found and right, found and wrong, missed."""

    cases: int = 0
    whole: int = 0  # cases without any fault
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
        case, place = Case(path.stem, name), ""
        for line in rest.splitlines():
            mark, _, said = line.partition(" ")
            if mark == "--":
                place = said
                case.files[place] = ""
            elif mark == "->":
                case.right.add(_edge(said))
            elif mark == "-x":
                case.traps.add(_edge(said))
            else:
                case.files[place] += line + "\n"
        yield case


def _edge(said: str) -> Edge:
    source, kind, target = said.split(" ")
    return _full(source), kind, _full(target)


def _full(id: str) -> str:
    return "a.py" + id if id.startswith("::") else id


def scores() -> dict[str, Score]:
    """Return the score of each group, and of `all`."""
    found: dict[str, Score] = {}
    whole = Score()
    for case in cases():
        edges = case.found()
        found.setdefault(case.group, Score()).add(case, edges)
        whole.add(case, edges)
    return found | {"all": whole}
