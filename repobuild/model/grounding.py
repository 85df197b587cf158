"""Put facts before a question, so that a model reads its answer instead of recalling.

The user's message:

    - FACT
    - FACT

    QUESTION

A fact is the first paragraph, on one line, of the answer that a sample teaches. The
embedded base model is trained to read this form. The answer is helped to go on as the
facts do (copying.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_FACT = 500  # characters: a list of callers with their files
LONGEST_CODE = 300  # characters of a fact that quotes code, which may be cut
FENCE = "```"


@dataclass(frozen=True, slots=True)
class GroundedQuestion:
    """A question with the facts that were found for it, the best first."""

    question: str
    facts: tuple[str, ...]
    answered: bool  # whether the first one is about what the question asks for

    @property
    def prompt(self) -> str:
        return with_facts(self.facts, self.question)


def with_facts(facts: Sequence[str], question: str) -> str:
    """Return the user's message: facts, one a line, and the question below them."""
    if not facts:
        return question
    return "\n".join(f"- {fact}" for fact in facts) + f"\n\n{question}"


def fact_line(answer: str) -> str:
    """Return the first paragraph of an answer on one line; code in it may be cut.

    Code that the paragraph announces belongs to it: after a colon, the first line.
    """
    first, _, rest = answer.strip().partition("\n\n")
    if first.endswith((":", "：")) and rest.startswith(FENCE):
        first = "\n".join([first, *rest.split("\n")[:2], FENCE])
    line = _one_line(first)
    if len(line) <= LONGEST_CODE or FENCE not in first:
        return line
    return _cut_code(first)


def is_fact(line: str) -> bool:
    """Return whether a line says something, and is not too long to be given."""
    return 0 < len(line) <= LONGEST_FACT and not line.endswith((":", "："))


def _cut_code(paragraph: str) -> str:
    """Return a paragraph with the first lines of its code, at least one."""
    announced, _, fenced = paragraph.partition(FENCE)
    language, _, code = fenced.partition("\n")
    kept = ""
    for line in code.strip().removesuffix(FENCE).splitlines():
        text = _one_line(f"{kept} {line}")
        if kept and len(announced) + len(text) > LONGEST_CODE:
            break
        kept = text
    return _one_line(f"{announced} {FENCE}{language} {kept} {FENCE}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
