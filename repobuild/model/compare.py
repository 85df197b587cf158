"""Answer one question with the base model and with the adapter, for `repobuild ask`.

Only one model is in memory, with the adapter beside its weights: while a token of the
base is computed, the adapter is switched off. Two copies of a model of 8 billion
parameters would take 16 GB more, and twice the time until the first word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.model.base import Base, load_model, load_tokenizer
from repobuild.model.conversation import Conversation, Example
from repobuild.model.generate import Question, TextGenerator, attach_adapter
from repobuild.model.load.libraries import pick_device

BASE, ADAPTER = "base", "adapter"


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """The next piece of one answer; the last one has no text."""

    model: str  # BASE or ADAPTER
    text: str
    last: bool = False
    whole: bool = True  # False: cut at the token limit, or going in a circle


@dataclass(frozen=True, slots=True)
class Comparison:
    """One loaded model that answers with or without its adapter."""

    generator: TextGenerator

    @classmethod
    def load(cls, base: Base, adapter: Path) -> Comparison:
        """Load the base model with the adapter beside it, not merged."""
        import torch

        target = pick_device()
        dtype = torch.float32 if target == "cpu" else torch.bfloat16
        model: Any = attach_adapter(load_model(base, dtype), adapter, merge=False)
        conversation = Conversation(load_tokenizer(base), base.fim)
        return cls(TextGenerator(model.to(target).eval(), conversation))

    def answer_both(self, question: Question, limit: int) -> Iterator[AnswerPiece]:
        """Yield pieces of both answers in turn, at most `limit` tokens each."""
        answers = [self.answer_one(name, question, limit) for name in (BASE, ADAPTER)]
        while answers:
            for answer in tuple(answers):
                piece = next(answer)
                if piece.last:
                    answers.remove(answer)
                yield piece

    def recalls(self, question: str, answer: str) -> bool:
        """Return whether the adapter's answer would begin so, word for word.

        One pass over both decides it. The last token is left out: it may hold what
        follows in a longer answer.
        """
        conversation = self.generator.conversation
        prompt = conversation.prompt({"question": question})
        texts = [prompt, conversation.frame.lead + conversation.plain(answer)]
        asked, answered = conversation.encode(texts)
        example = Example("", "", [*asked, *answered[:-1]], len(asked))
        with self._adapter_switched(on=True):
            return self.generator.generates_exactly([example])[0]

    def answer_one(
        self, model: str, question: Question, limit: int
    ) -> Iterator[AnswerPiece]:
        """Yield the pieces of one answer, of at most `limit` tokens."""
        stream = self.generator.stream(question, limit)
        while True:
            try:
                with self._adapter_switched(on=model == ADAPTER):
                    text = next(stream)
            except StopIteration as end:
                yield AnswerPiece(model, "", last=True, whole=bool(end.value))
                return
            yield AnswerPiece(model, text)

    def _adapter_switched(self, on: bool) -> AbstractContextManager[Any]:
        model: Any = self.generator.model
        context: AbstractContextManager[Any] = (
            nullcontext() if on else model.disable_adapter()
        )
        return context
