"""Put facts before a question, so that a model reads its answer instead of recalling.

The user's message:

    - FACT
    - FACT

    QUESTION

A fact is the beginning, on one line, of the answer that a sample teaches. The embedded
base model is trained to read this form. The answer is helped to go on as the facts do
(copying.py), in the lines in which they are taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_FACT = 500  # characters: a list of callers with their files
LONGEST_CODE = 300  # characters of a fact that quotes code, which may be cut
LONGEST_PROSE = 300  # characters of a fact of several paragraphs
FENCE = "```"
ANNOUNCING = (":", "：")  # at the end of what a list or code follows


@dataclass(frozen=True, slots=True)
class GroundedQuestion:
    """A question with the facts that were found for it, the best first."""

    question: str
    facts: tuple[str, ...]  # `fact_text` of each
    answered: bool  # whether the first one is about what the question asks for

    @property
    def prompt(self) -> str:
        return with_facts([on_one_line(fact) for fact in self.facts], self.question)


def with_facts(facts: Sequence[str], question: str) -> str:
    """Return the user's message: facts, one a line, and the question below them."""
    if not facts:
        return question
    return "\n".join(f"- {fact}" for fact in facts) + f"\n\n{question}"


def fact_line(answer: str) -> str:
    """Return the fact that an answer tells first, on one line (`fact_text`)."""
    return on_one_line(fact_text(answer))


def fact_text(answer: str) -> str:
    """Return the beginning of an answer that is a fact: its first paragraph.

    Lines of prose after it belong to it, what a function is for, as far as they fit,
    and so does code that the paragraph announces: after a colon, the first line. Long
    code is cut at the end of a line. A call that follows is given whole, if it fits:
    without, "How do I use it?" had the file for an answer.
    """
    first, _, rest = answer.strip().partition("\n\n")
    if first.endswith(ANNOUNCING) and rest.startswith(FENCE):
        return "\n\n".join([first, "\n".join([*rest.split("\n")[:2], FENCE])])
    if FENCE in first:
        return first if len(on_one_line(first)) <= LONGEST_CODE else _cut_code(first)
    if (call := _labelled_code(rest)) and len(first) + len(call) < LONGEST_FACT:
        return f"{first}\n\n{call}"
    text = first
    for paragraph in rest.split("\n\n"):
        longer = f"{text}\n\n{paragraph}"
        if not _is_prose(paragraph) or len(longer) > LONGEST_PROSE:
            break
        text = longer
    return text


def _labelled_code(text: str) -> str:
    """Return the line and the code with which a text begins, "" if it begins so not.

    Without empty lines: after one, a small model begins the next part of an answer.
    """
    label, _, rest = text.partition("\n")
    if not label.endswith(ANNOUNCING) or not rest.startswith(FENCE):
        return ""
    code, closed, _ = rest.partition(f"\n{FENCE}")
    lines = [line for line in code.split("\n") if line.strip()]
    return "\n".join([label, *lines, FENCE]) if closed else ""


def _is_prose(paragraph: str) -> bool:
    """Return whether a paragraph is one line that says something by itself."""
    is_line = paragraph and "\n" not in paragraph and FENCE not in paragraph
    return bool(is_line) and not paragraph.endswith(ANNOUNCING)


def is_fact(line: str) -> bool:
    """Return whether a line says something, and is not too long to be given."""
    return 0 < len(line) <= LONGEST_FACT and not line.endswith(ANNOUNCING)


def _cut_code(paragraph: str) -> str:
    """Return a paragraph with the first lines of its code, at least one."""
    announced, _, fenced = paragraph.partition(FENCE)
    language, _, code = fenced.partition("\n")
    kept: list[str] = []
    for line in code.strip().removesuffix(FENCE).splitlines():
        text = on_one_line(" ".join([*kept, line]))
        if kept and len(announced) + len(text) > LONGEST_CODE:
            break
        kept.append(line)
    code = "\n".join(kept)
    return f"{announced}{FENCE}{language}\n{code}\n{FENCE}"


def on_one_line(text: str) -> str:
    return " ".join(text.split())
