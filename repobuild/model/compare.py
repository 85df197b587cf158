"""Base and adapter answer one question: `ask`.

One model in memory, with the adapter beside its weights: for the base the adapter is
switched off while a token is computed. Two copies of 8 billion parameters would take
16 GB more, and twice the time until the first word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.model.base import Base, device, load_model, load_tokenizer
from repobuild.model.conversation import Conversation
from repobuild.model.generate import TextGenerator, with_adapter

BASE, ADAPTER = "base", "adapter"


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """Some more of one answer; the last one says whether the answer is whole."""

    voice: str
    text: str
    last: bool = False
    whole: bool = True  # False: cut at the limit


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two voices of one model."""

    speaker: TextGenerator

    @classmethod
    def load(cls, base: Base, adapter: Path) -> Comparison:
        import torch

        place = device()
        dtype = torch.float32 if place == "cpu" else torch.bfloat16
        model: Any = with_adapter(load_model(base, dtype), adapter, merge=False)
        conversation = Conversation(load_tokenizer(base), base.fim)
        return cls(TextGenerator(model.to(place).eval(), conversation))

    def together(self, question: str, limit: int) -> Iterator[AnswerPiece]:
        """Both answers at once, a piece of each in turns."""
        voices = [self.alone(name, question, limit) for name in (BASE, ADAPTER)]
        while voices:
            for voice in tuple(voices):
                piece = next(voice)
                if piece.last:
                    voices.remove(voice)
                yield piece

    def alone(self, voice: str, question: str, limit: int) -> Iterator[AnswerPiece]:
        """One answer, to its end."""
        stream = self.speaker.stream(question, limit)
        while True:
            try:
                with self._as(voice):
                    text = next(stream)
            except StopIteration as end:
                yield AnswerPiece(voice, "", last=True, whole=bool(end.value))
                return
            yield AnswerPiece(voice, text)

    def _as(self, voice: str) -> AbstractContextManager[Any]:
        model: Any = self.speaker.model
        found: AbstractContextManager[Any] = (
            nullcontext() if voice == ADAPTER else model.disable_adapter()
        )
        return found
