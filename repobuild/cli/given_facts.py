"""Look up the facts that `repobuild ask` puts before a question, and list them.

A model answers what it does not know as surely as what it knows. So what the adapter
was not taught is looked up, unless the user decides with --ground or --no-ground. What
it has mastered it is asked by itself, if it would answer so in these words, too. Where
no fact answers, it is told so, and what the words of the question are about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.cli.output import redact_secrets
from repobuild.cli.side_by_side import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from repobuild.engine.build import Build
    from repobuild.evaluate.lookup.retrieval import FactFinder, FoundFact
    from repobuild.model.grounding import GroundedQuestion

NOTHING_FOUND = "nothing in the state is about what the question names; asked without"
GIVEN = "both models are given the facts below; --no-ground asks without them"


class Knowledge(Enum):
    """What an adapter knows of what it is asked."""

    MASTERED = "mastered"
    OPEN = "taught, and not mastered"
    NOT_TAUGHT = "not taught"
    NOTHING = "it was looked for, and no such fact or name was found"
    NO_ANSWER = "no fact of the kind that is asked for is known"
    UNREAD = "it cannot be told which kind of fact is asked for"


# What the user is told of it, and what he can do.
_TOLD = {
    Knowledge.OPEN: (
        "the adapter was taught this, and has not mastered it",
        "--ground looks it up",
    ),
    Knowledge.NOT_TAUGHT: ("the adapter was not taught this", "--ground looks it up"),
    Knowledge.NOTHING: (
        "no sample answers this",
        "so the adapter guesses; --ground tells it so",
    ),
    Knowledge.NO_ANSWER: (
        "no sample answers this, so the adapter guesses",
        "--ground gives what is known of the name",
    ),
}
_FORGOTTEN = "the adapter has mastered this, and not in these words"


class GivenFacts(NamedTuple):
    """A question as it is asked, its facts, and what the user is told of them."""

    question: str
    facts: tuple[FoundFact, ...] = ()
    # Whether the adapter was taught what is asked; None: not known, or not looked up.
    taught: bool | None = None
    note: str = ""
    # What it has mastered; they are given if it does not recall the first in the words
    # of the question.
    mastered: tuple[FoundFact, ...] = ()

    @property
    def prompt(self) -> str | GroundedQuestion:
        """What the models are given."""
        from repobuild.evaluate.lookup.retrieval import with_found

        return with_found(self.question, self.facts) if self.facts else self.question

    def checked(self, recalls: Callable[[str, str], bool]) -> GivenFacts:
        """Return it with the facts that are mastered, and not in these words."""
        if not self.mastered or recalls(self.question, self.mastered[0].text):
            return self
        return self._replace(facts=self.mastered, note=f"{_FORGOTTEN}; {GIVEN}")


@dataclass(frozen=True, slots=True)
class FactGiver:
    """Decides which facts a question to one adapter is given."""

    build: Build
    adapter: Path
    coverage: Mapping[str, Any]  # how much the adapter was taught
    # Returns files and elements that a text is about, best first.
    locate: Callable[[str], Sequence[str]]

    def give(self, question: str, ground: bool | None) -> GivenFacts:
        """Return the facts for a question: always, never, or None = where needed.

        They are needed where the adapter has not mastered the fact that answers it.
        Facts of another kind, where none is known to answer, would be taken for the
        answer.
        """
        if self.build.state.line("dataset") is None:
            return GivenFacts(question, note=NOTHING_FOUND if ground else "")
        from repobuild.evaluate.lookup.retrieval import FactFinder

        finder = FactFinder(self.build)
        question = finder.mark_names(question)
        facts = finder.find(question)
        if not facts and ground is not False:
            facts = finder.nearest(question, self.locate(question))
        if ground:
            return GivenFacts(question, facts, note="" if facts else NOTHING_FOUND)
        known = self._knowledge(finder, question, facts)
        if known is Knowledge.MASTERED:
            mastered = facts if ground is None else ()
            return GivenFacts(question, taught=True, mastered=mastered)
        given = facts if ground is None and known is not Knowledge.NO_ANSWER else ()
        is_read = known in (Knowledge.OPEN, Knowledge.NOT_TAUGHT)
        taught = known is Knowledge.OPEN if is_read else None
        return GivenFacts(question, given, taught, self._note(known, bool(given)))

    def _note(self, known: Knowledge, given: bool) -> str:
        told, hint = _TOLD.get(known, ("", ""))
        if known is Knowledge.NOT_TAUGHT and self.coverage:
            taught, facts = self.coverage["taught"], self.coverage["facts"]
            told += f" ({taught:,} of {facts:,} facts are)"
        return "; ".join(filter(None, (told, GIVEN if given else hint)))

    def _knowledge(
        self, finder: FactFinder, question: str, facts: Sequence[FoundFact]
    ) -> Knowledge:
        """Tell what the adapter knows of the facts that answer a question."""
        from repobuild.model.adapter.lineage import Manifest
        from repobuild.model.teaching.curriculum import fact_of

        if facts and not facts[0].found:
            return Knowledge.NOTHING
        answers = finder.answers(question, facts)
        if answers is None:
            return Knowledge.UNREAD
        if not answers:
            return Knowledge.NO_ANSWER
        known = Manifest.read(self.adapter).facts
        boxes = [known[id].box for one in answers if (id := fact_of(one.id)) in known]
        if not boxes:
            return Knowledge.NOT_TAUGHT
        is_mastered = max(boxes) >= int(self.build.settings["adapter.mastery"])
        return Knowledge.MASTERED if is_mastered else Knowledge.OPEN


def fact_lines(facts: Sequence[FoundFact]) -> list[str]:
    """Return a title and two lines a fact: its text and the sample that states it."""
    if not facts:
        return []
    lines = ["from these facts:"]
    for fact in facts:
        lines.append(f"  - {printable(str(redact_secrets(fact.line)))}")
        if fact.id:
            lines.append(f"    {printable(fact.id)}")
    return lines
