"""Look up the facts that `repobuild ask --ground` gives, and list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repobuild.cli.output import redact_secrets
from repobuild.cli.side_by_side import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repobuild.engine.build import Build
    from repobuild.evaluate.retrieval import FoundFact

NOTHING_FOUND = "nothing in the state is about what the question names; asked without"


def find_facts(build: Build, question: str) -> tuple[FoundFact, ...]:
    """Return the facts that a question is given; () when nothing is found."""
    if build.state.line("dataset") is None:
        return ()
    from repobuild.evaluate.retrieval import FactFinder

    return FactFinder(build).find(question)


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        lines.append(f"    {printable(fact.id)}")
    return lines
