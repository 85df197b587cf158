"""Look up the facts that `repobuild ask` gives with --ground, and list them.

Without --ground, tell whether the adapter was taught what a question asks for: a model
answers what it does not know as surely as what it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repobuild.cli.output import redact_secrets
from repobuild.cli.side_by_side import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repobuild.engine.build import Build
    from repobuild.evaluate.retrieval import FoundFact

NOTHING_FOUND = "nothing in the state is about what the question names; asked without"


def find_facts(build: Build, question: str) -> tuple[FoundFact, ...]:
    """Return the facts that a question is given; () when nothing is found."""
    if build.state.line("dataset") is None:
        return ()
    from repobuild.evaluate.retrieval import FactFinder

    return FactFinder(build).find(question)


def was_taught(build: Build, adapter: Path, question: str) -> bool | None:
    """Return whether an adapter was taught the fact that a question asks for.

    None if no fact is known that answers it.
    """
    from repobuild.evaluate.retrieval import LIKELY
    from repobuild.model.adapter.lineage import Manifest
    from repobuild.model.teaching.curriculum import fact_of

    facts = find_facts(build, question)
    best = facts[0].score if facts else 0.0
    if best < LIKELY:
        return None
    known = Manifest.read(adapter).facts
    return any(fact_of(fact.id) in known for fact in facts if fact.score == best)


def not_taught(coverage: Mapping[str, Any]) -> str:
    """Return a note for an answer that the adapter has to guess."""
    of = (
        f" ({coverage['taught']:,} of {coverage['facts']:,} facts are)"
        if coverage
        else ""
    )
    return f"the adapter was not taught this{of}; --ground looks it up"


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        lines.append(f"    {printable(fact.id)}")
    return lines
