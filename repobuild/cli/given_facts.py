"""Look up the facts that `repobuild ask` puts before a question, and list them.

A model answers what it does not know as surely as what it knows. So what the adapter
was not taught is looked up, unless the user decides with --ground or --no-ground.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.cli.output import redact_secrets
from repobuild.cli.side_by_side import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repobuild.engine.build import Build
    from repobuild.evaluate.retrieval import FoundFact

NOTHING_FOUND = "nothing in the state is about what the question names; asked without"
GIVEN = "both models are given the facts below; --no-ground asks without them"


class Knowledge(Enum):
    """What an adapter knows of what it is asked."""

    MASTERED = "mastered"
    OPEN = "taught, and not mastered"
    NOT_TAUGHT = "not taught"
    NO_ANSWER = "no fact of the kind that is asked for is known"
    UNREAD = "it cannot be told which kind of fact is asked for"


# What the user is told of it, and what he can do.
_TOLD = {
    Knowledge.OPEN: (
        "the adapter was taught this, and has not mastered it",
        "--ground looks it up",
    ),
    Knowledge.NOT_TAUGHT: ("the adapter was not taught this", "--ground looks it up"),
    Knowledge.NO_ANSWER: (
        "no sample answers this, so the adapter guesses",
        "--ground gives what is known of the name",
    ),
}


class GivenFacts(NamedTuple):
    """A question as it is asked, its facts, and what the user is told of them."""

    question: str
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

    They are needed where the adapter has not mastered the fact that answers it. Facts
    of another kind, where none is known to answer, would be taken for the answer. How
    much the adapter was taught, `coverage` says.
    """
    if build.state.line("dataset") is None:
        return GivenFacts(question, note=NOTHING_FOUND if ground else "")
    from repobuild.evaluate.retrieval import FactFinder

    finder = FactFinder(build)
    question = finder.mark_names(question)
    facts = finder.find(question)
    if ground:
        return GivenFacts(question, facts, note="" if facts else NOTHING_FOUND)
    known = _knowledge(build, adapter, finder.answers(question, facts))
    is_read = known not in (Knowledge.NO_ANSWER, Knowledge.UNREAD)
    taught = known is not Knowledge.NOT_TAUGHT if is_read else None
    told, hint = _TOLD.get(known, ("", ""))
    if known is Knowledge.NOT_TAUGHT and coverage:
        told += f" ({coverage['taught']:,} of {coverage['facts']:,} facts are)"
    needs_none = known in (Knowledge.MASTERED, Knowledge.NO_ANSWER)
    given = () if needs_none or ground is False else facts
    note = "; ".join(filter(None, (told, GIVEN if given else hint)))
    return GivenFacts(question, given, taught, note)


def _knowledge(
    build: Build, adapter: Path, answers: Sequence[FoundFact] | None
) -> Knowledge:
    """Tell what an adapter knows of the facts that answer a question."""
    from repobuild.model.adapter.lineage import Manifest
    from repobuild.model.teaching.curriculum import fact_of

    if answers is None:
        return Knowledge.UNREAD
    if not answers:
        return Knowledge.NO_ANSWER
    known = Manifest.read(adapter).facts
    boxes = [known[id].box for fact in answers if (id := fact_of(fact.id)) in known]
    if not boxes:
        return Knowledge.NOT_TAUGHT
    is_mastered = max(boxes) >= int(build.settings["adapter.mastery"])
    return Knowledge.MASTERED if is_mastered else Knowledge.OPEN


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        lines.append(f"    {printable(fact.id)}")
    return lines
