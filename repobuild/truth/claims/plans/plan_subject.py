"""Hold a plan while its claims are checked, and read the code of its siblings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repobuild.truth.answer_template import AnswerTemplates, Fields
from repobuild.truth.claims.change_claims import FindCommit
from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonFile,
    display_name,
)
from repobuild.truth.tree.site_reader import code_of, words_of
from repobuild.truth.tree.tree_index import Location, TreeIndex

NAME = "{name}"  # in a pattern of paths: the name of a sibling
COUNTED_OTHERWISE = "the evidence counts otherwise"
_LONGEST_SUBJECT = 100  # characters of a commit's subject
_QUOTED = re.compile(r"`([^`]+)`")


@dataclass
class PlanSubject:
    """A plan while its claims are checked."""

    kind: str
    fields: Fields
    sample: Mapping[str, Any]
    templates: AnswerTemplates
    index: TreeIndex
    read: Callable[[str], str | None]  # a file's text
    python: Callable[[str], PythonFile | None]  # the same, parsed
    find_commit: FindCommit

    @property
    def evidence(self) -> Mapping[str, Any]:
        return self.sample.get("evidence") or {}

    @property
    def siblings(self) -> list[str]:
        return list(self.evidence.get("siblings", ()))

    @property
    def base(self) -> Location:
        """What a family of subclasses inherits from; one from elsewhere has no path."""
        path, _, qual = self.evidence["family"][1].rpartition("::")
        return Location(path, qual)

    def definition(self, id: str) -> PythonDefinition | None:
        """Return what an id means in a file of Python, None where there is no such."""
        path, qual = split_id(id)
        file = self.python(path)
        return file.definitions.get(qual) if file else None

    def words_in(self, id: str) -> set[str]:
        """Return the words of a definition of Python."""
        path, qual = split_id(id)
        file = self.python(path)
        return words_of(code_of(file, qual)) if file else set()

    def sibling_named(self, name: str) -> tuple[PythonFile, str] | None:
        """Return the file and the qualified name of the sibling that is named so."""
        for id in self.siblings:
            path, qual = split_id(id)
            file = self.python(path)
            if shown_name(id) == name and file is not None and qual in file.definitions:
                return file, qual
        return None

    def evidence_of(self, name: str, *start: str) -> list[Any] | None:
        """Return the rest of the evidence that begins so, None where there is none."""
        for one in self.evidence.get(name, ()):
            if tuple(one[: len(start)]) == start:
                return list(one[len(start) :])
        return None

    def pairs_of(self, name: str, group: str) -> list[list[str]]:
        """Return [sibling, what it has, ...] of a group of the evidence."""
        found = self.evidence_of(name, group)
        return found[0] if found else []


StepFields = Mapping[str, str]
StepCheck = Callable[[PlanSubject, StepFields], str]  # "" when the step holds


def split_id(id: str) -> Location:
    path, _, qual = id.partition("::")
    return Location(path, qual)


def shown_name(id: str) -> str:
    """Return an element as answers name it: by its qualified name, a file by its path.

    The ordinals of equal names are left out.
    """
    path, qual = split_id(id)
    return display_name(qual) if qual else path


def bare_name(id: str) -> str:
    """Return the last name of an element; of a file its name without its endings."""
    path, qual = split_id(id)
    if qual:
        return display_name(qual).rpartition(".")[2]
    return path.rpartition("/")[2].partition(".")[0]


def quoted_names(text: str) -> list[str]:
    return _QUOTED.findall(text)


def shown_subject(subject: str) -> str:
    """Return a commit's subject as plans quote it."""
    text = subject.replace("`", "'")
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return text[: _LONGEST_SUBJECT - 1].rstrip() + "…"


def is_touched(pattern: str, paths: Iterable[str]) -> bool:
    """Return whether one of the paths is a path, is in a folder, or fits a pattern."""
    expression = re.escape(pattern).replace(re.escape(NAME), "[^/]+")
    end = ".*" if pattern.endswith("/") else ""
    return any(re.fullmatch(expression + end, path) for path in paths)


def check_pairs(
    plan: PlanSubject, pairs: Sequence[Sequence[str]], fields: StepFields
) -> str:
    """Return "" when as many siblings as the step counts have each its own.

    `pairs` begin with the id of a sibling and what it has.
    """
    siblings, own = [one[0] for one in pairs], [one[1] for one in pairs]
    if str(len(siblings)) != fields["count"]:
        return COUNTED_OTHERWISE
    if strange := set(siblings) - set(plan.siblings):
        return f"{min(strange)} is no sibling"
    is_shared = len(set(own)) < len(own) or len(set(siblings)) < len(siblings)
    return "two siblings have the same" if is_shared else ""


def check_example(fields: StepFields, pairs: Iterable[tuple[str, str]]) -> str:
    """Return "" when the step shows a sibling with what it has.

    `pairs` are (id of a sibling, what it has as the step shows it).
    """
    told = (fields["model"], fields["like"])
    shown = ((shown_name(id), like) for id, like in pairs)
    return "" if told in shown else f"{told[0]} has no {told[1]}"
