"""Define the records that checks take: a sample's subject, and deferred claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from repobuild.truth.answer_template import AnswerTemplates
from repobuild.truth.tree.python_reader import PythonDefinition, display_name
from repobuild.truth.tree.tree_file import TreeFile
from repobuild.truth.tree.tree_index import TreeIndex

PROJECT = "@project"  # the element id of samples about the whole project
LINES = "@lines"  # ends the key of samples about an element's lines


class CheckedClaim(NamedTuple):
    """A claim, the text that makes it, and what the tree says instead, or ""."""

    claim: str
    claimed: str
    actual: str


@dataclass(frozen=True, slots=True)
class DeferredClaim:
    """A claim that rests on other files, checked when all of them are read."""

    claim: str
    key: str
    id: str  # of the element that the sample is about
    claimed: str
    ids: tuple[str, ...] = ()  # of the elements that the claim names
    has_more: bool = False  # the text says that there are others
    total: int = 0  # how many the text says there are in all, 0 where it does not
    source: str = ""  # the file that the text names as the one that says so
    alternative: DeferredClaim | None = None  # another reading of the same text

    @property
    def language(self) -> str:
        """The language of the sample, which its key names."""
        return self.key.rpartition("#")[2].split(".")[1]


@dataclass
class Subject:
    """The element of one sample, with its file, while the claims are checked."""

    key: str
    sample: Mapping[str, Any]
    kind: str
    templates: AnswerTemplates
    file: TreeFile
    deferred: list[DeferredClaim] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.sample["element"])

    @property
    def path(self) -> str:
        return self.id.partition("::")[0]

    @property
    def qual(self) -> str:
        return self.id.partition("::")[2]

    @property
    def display_name(self) -> str:
        return display_name(self.qual)

    @property
    def name(self) -> str:
        return self.display_name.rpartition(".")[2]

    @property
    def definition(self) -> PythonDefinition | None:
        return self.file.python.definitions.get(self.qual) if self.file.python else None

    @property
    def parent(self) -> PythonDefinition | None:
        """The definition that the subject is nested in."""
        if self.definition is None or self.file.python is None:
            return None
        return self.file.python.definitions.get(self.definition.parent)

    @property
    def constructor(self) -> PythonDefinition | None:
        """What a call of the subject runs: itself, or a class's `__init__`."""
        definition, python = self.definition, self.file.python
        if definition is None or python is None or definition.kind != "class":
            return definition
        return python.definitions.get(f"{self.qual}.__init__")

    def defer(
        self,
        claim: str,
        claimed: str,
        ids: tuple[str, ...] = (),
        has_more: bool = False,
        source: str = "",
    ) -> str:
        """Leave a claim for when all files are read; for now it holds ("")."""
        total = stated_total(claimed, self.templates)
        self.deferred.append(
            DeferredClaim(
                claim, self.key, self.id, claimed, ids, has_more, total, source
            )
        )
        return ""


def stated_total(text: str, templates: AnswerTemplates) -> int:
    """Return how many there are in all by the end of a list, 0 if it does not say."""
    found = re.search(templates.end_of_counted_list, text)
    return int(found[1]) if found else 0


# Both return "" when the claim holds, else what the tree says.
LocalCheck = Callable[[Subject, str], str]
DeferredCheck = Callable[[TreeIndex, DeferredClaim], str]
