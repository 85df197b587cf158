"""Look up the facts that `repobuild ask` puts before a question, and list them.

A model answers what it does not know as surely as what it knows. So what the adapter
was not taught is looked up, unless the user decides with --ground or --no-ground.
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
GIVEN = "both models are given the facts below; --no-ground asks without them"


class GivenFacts(NamedTuple):
    """The facts that a question is given, and what the user is told of it."""

    facts: tuple[FoundFact, ...] = ()
    # Whether the adapter was taught what is asked; None: not known, or not looked up.
    taught: bool | None = None
    note: str = ""


def give_facts(
    build: Build,
    adapter: Path,
    coverage: Mapping[str, Any],
    question: str,
    ground: bool | None,
) -> GivenFacts:
    """Return the facts for a question: always, never, or None = where they are needed.

    They are needed where the adapter was not taught the fact that answers it. How much
    it was taught, `coverage` says.
    """
    if build.state.line("dataset") is None:
        return GivenFacts(note=NOTHING_FOUND if ground else "")
    from repobuild.evaluate.retrieval import FactFinder

    finder = FactFinder(build)
    if ground:
        facts = finder.find(question)
        return GivenFacts(facts, note="" if facts else NOTHING_FOUND)
    known = _knowledge_of(finder, adapter, coverage, question)
    facts = () if known.taught or ground is False else finder.find(question)
    if facts:
        return GivenFacts(
            facts, known.taught, "; ".join(filter(None, (known.note, GIVEN)))
        )
    hint = "; --ground looks it up" if known.taught is False else ""
    return known._replace(note=known.note + hint)


def _knowledge_of(
    finder: FactFinder, adapter: Path, coverage: Mapping[str, Any], question: str
) -> GivenFacts:
    """Tell whether an adapter was taught the fact that a question asks for."""
    from repobuild.model.adapter.lineage import Manifest
    from repobuild.model.teaching.curriculum import fact_of

    answers = finder.answers(question)
    if answers is None:
        return GivenFacts()
    if not answers:
        return GivenFacts(note=NOTHING_SAID)
    known = Manifest.read(adapter).facts
    if any(fact_of(fact.id) in known for fact in answers):
        return GivenFacts(taught=True)
    of = (
        f" ({coverage['taught']:,} of {coverage['facts']:,} facts are)"
        if coverage
        else ""
    )
    return GivenFacts(taught=False, note=f"the adapter was not taught this{of}")


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        lines.append(f"    {printable(fact.id)}")
    return lines
