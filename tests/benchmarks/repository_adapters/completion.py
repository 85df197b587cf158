"""Complete tasks greedily, stop without knowing the target, and score what came.

The stop rule reads only what was generated and the kind of task:

    import, call   the identifier is over: a character follows that it cannot have
    assertion      the expression is over: outside strings and brackets, at a comma, a
                   comment or a line end, or at a bracket that it did not open

Exact match compares syntax trees where both parse, so that quotes and blanks do not
decide; edit similarity compares texts.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import torch

from tests.benchmarks.repository_adapters.lora import Bench, Change, Changed, Exam
from tests.benchmarks.repository_adapters.tasks import Kind

MOST_NEW = 24  # tokens
PROMPT = 384  # last tokens of a prompt
IDENTIFIER = re.compile(r"\s*\.?\s*[A-Za-z_]\w*(?=\W)")
OPENING, CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote for a task, and how near it is to the target."""

    text: str
    exact: bool
    similarity: float


def stopped(text: str, kind: Kind) -> str | None:
    """Return the completion in a text once it is over, None before."""
    if kind is not Kind.ASSERTION:
        found = IDENTIFIER.match(text)
        if found:
            return found[0]
        # No identifier can come any more.
        return text if re.match(r"\s*\.?\s*[^\w\s.]", text) else None
    return _expression(text)


def _expression(text: str) -> str | None:
    depth = 0
    quote = ""
    at = 0
    while at < len(text):
        sign = text[at]
        if quote:
            if sign == "\\":
                at += 1
            elif text.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif sign in "'\"":
            quote = sign * 3 if text.startswith(sign * 3, at) else sign
            at += len(quote) - 1
        elif sign in OPENING:
            depth += 1
        elif sign in CLOSING:
            if not depth:
                return text[:at]
            depth -= 1
        elif not depth and sign in ",#\n" and text[:at].strip():
            return text[:at]
        at += 1
    return None


def score(text: str, target: str) -> Completion:
    """Compare a completion with its target."""
    one, other = text.strip(), target.strip()
    return Completion(
        text, _same(one, other), SequenceMatcher(None, one, other, False).ratio()
    )


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees = [ast.dump(ast.parse(text, mode="eval")) for text in (one, other)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return trees[0] == trees[1]


@torch.no_grad()
def complete(
    bench: Bench, exam: Exam, numbers: Sequence[int], change: Change | None
) -> list[Completion]:
    """Return the greedy completion of some of the exam's tasks."""
    found = []
    with Changed(bench, change):
        for number in numbers:
            task = exam.tasks[number]
            prompt = bench.tokens(exam.windows.prompt(task))[-PROMPT:]
            text = _greedy(bench, prompt, task.kind)
            found.append(score(text, task.target))
    return found


def _greedy(bench: Bench, prompt: list[int], kind: Kind) -> str:
    ids = torch.tensor([prompt])
    past = None
    written: list[int] = []
    text = ""
    for _ in range(MOST_NEW):
        out = bench.model(
            input_ids=ids, past_key_values=past, use_cache=True, logits_to_keep=1
        )
        past = out.past_key_values
        written.append(int(out.logits[0, -1].argmax()))
        text = bench.tokenizer.decode(written)
        over = stopped(text, kind)
        if over is not None:
            return over
        ids = torch.tensor([[written[-1]]])
    return text
