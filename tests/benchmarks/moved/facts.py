"""Where the elements of a project are, and where some of them went.

Every element with a name of its own is one fact; it is asked for in four phrasings, and
examined in a fifth that is never trained. `moved` sends elements to other files: away
from their siblings, the hardest kind of change.
"""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2

from repobuild.evaluate.questions import ASKED_KINDS, graph_elements
from repobuild.git.snapshot import at_commit
from repobuild.resources import data_folder
from tests.standard import Standard

if TYPE_CHECKING:
    from repobuild.model.conversation import Conversation, Example

Paths = Mapping[str, str]  # of each element, by its qualified name
PHRASINGS = 4


def paths(repository: Path, state: Path, exclude: Sequence[str]) -> dict[str, str]:
    """The elements of HEAD whose names say which one is meant."""
    git = pygit2.Repository(str(repository))
    standard = Standard(git, state, **{"project.exclude": list(exclude)})
    standard.build("graph", at_commit(git))
    found = [
        e for e in graph_elements(standard.table("graph")) if e.kind in ASKED_KINDS
    ]
    standard.close()
    times = Counter(element.qualified_name for element in found)
    return {
        e.qualified_name: e.path
        for e in found
        if times[e.qualified_name] == 1 and e.path.endswith(".py")
    }


def moved(known: Paths, count: int, seed: int) -> dict[str, str]:
    """New paths of some elements, each that of another file."""
    chance = random.Random(f"moved {seed}")
    files = sorted(set(known.values()))
    names = chance.sample(sorted(known), count)
    return {n: chance.choice([f for f in files if f != known[n]]) for n in names}


class Questions:
    """Samples of facts, as they are trained and as they are examined."""

    def __init__(self, conversation: Conversation, project: str) -> None:
        en = tomllib.loads(
            (data_folder("configs") / "questions/en.toml").read_text("utf-8")
        )
        self._trained: Sequence[str] = en["location"]["questions"][:PHRASINGS]
        self._held_out: Sequence[str] = en["location"]["held_out"][:1]
        self._conversation, self._project = conversation, project

    def trained(self, known: Paths) -> list[Example]:
        return self._examples(known, self._trained)

    def held_out(self, known: Paths) -> list[Example]:
        return self._examples(known, self._held_out)

    def _examples(self, known: Paths, phrasings: Iterable[str]) -> list[Example]:
        rows = [
            (
                f"{name}.{number}",
                {
                    "task": "code_location",
                    "form": "chat",
                    "question": phrasing.format(
                        name=name, project=self._project, kind="function"
                    ),
                    "answer": f"`{name}` is defined in `{path}`.",
                },
            )
            for name, path in known.items()
            for number, phrasing in enumerate(phrasings)
        ]
        return self._conversation.tokenise(rows, 512).kept


def fact_of(example: Example) -> str:
    return example.id.rpartition(".")[0]
