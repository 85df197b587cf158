"""Look up the facts that `repobuild ask` gives with --ground, and list them.

Without --ground, tell whether the adapter was taught what a question asks for: a model
answers what it does not know as surely as what it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.cli.output import redact_secrets
from repobuild.cli.side_by_side import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repobuild.engine.build import Build
    from repobuild.evaluate.retrieval import FactFinder, FoundFact

NOTHING_FOUND = "nothing in the state is about what the question names; asked without"
NOTHING_SAID = "no sample answers this, so the adapter guesses"


class Knowledge(NamedTuple):
    """Whether an adapter was taught what it is asked, and what the user is told."""

    taught: bool | None  # None: no fact is known that answers it
    note: str = ""


def find_facts(build: Build, question: str) -> tuple[FoundFact, ...]:
    """Return the facts that a question is given; () when nothing is found."""
    finder = _finder(build)
    return finder.find(question) if finder else ()


def knowledge_of(
    build: Build, adapter: Path, coverage: Mapping[str, Any], question: str
) -> Knowledge:
    """Return whether an adapter was taught the fact that a question asks for."""
    from repobuild.model.adapter.lineage import Manifest
    from repobuild.model.teaching.curriculum import fact_of

    finder = _finder(build)
    answers = finder.answers(question) if finder else None
    if answers is None:
        return Knowledge(None)
    if not answers:
        return Knowledge(None, NOTHING_SAID)
    known = Manifest.read(adapter).facts
    if any(fact_of(fact.id) in known for fact in answers):
        return Knowledge(True)
    of = (
        f" ({coverage['taught']:,} of {coverage['facts']:,} facts are)"
        if coverage
        else ""
    )
    note = f"the adapter was not taught this{of}; --ground looks it up"
    return Knowledge(False, note)


def _finder(build: Build) -> FactFinder | None:
    if build.state.line("dataset") is None:
        return None
    from repobuild.evaluate.retrieval import FactFinder

    return FactFinder(build)


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        lines.append(f"    {printable(fact.id)}")
    return lines
