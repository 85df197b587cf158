"""Rehearse the base model's own texts beside the facts, so that it keeps its abilities.

An adapter that learns nothing but facts forgets the rest: after a build on click the
loss on other people's code rose from 2.10 to 4.34 nats a token, and by another 12 % in
ten commits. With a twelfth of the tokens from texts of the base model it rose to 2.93
and stayed there, with as many facts known. Texts from the base's training data did no
better, and the training data of a model from a hub are not available.

The base model samples the texts at temperature 1. They begin, in turn, like a file (if
the tokenizer has a token for that) and like a question. An adapter's folder holds

    rehearsal.bin    zlib(msgpack {"version": 1, "texts": [[given, [token, ...]], ...]})

where the first `given` tokens of a text are its prompt. The first adapter of a chain
generates as many texts as it trains, and the next ones copy them. An adapter whose
parent has none trains without rehearsal.

Source: pseudo-rehearsal (Robins 1995, "Catastrophic forgetting, rehearsal and
pseudorehearsal").
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from repobuild.errors import BuildError
from repobuild.model.conversation import END_OF_TEXT, FILE, Conversation, Example

if TYPE_CHECKING:
    from repobuild.model.base import Base

NAME = "rehearsal.bin"
VERSION = 1
MAX_TEXTS = 160  # a long run trains each of them several times
MAX_TOKENS = 256  # of a text
BATCH = 32  # texts that are generated together

Text = tuple[int, list[int]]  # length of the prompt, and all tokens


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Texts of the base model."""

    texts: list[Text]

    @classmethod
    def generate(
        cls,
        base: Base,
        conversation: Conversation,
        tokens: float,
        longest: int,
        seed: int,
    ) -> Rehearsal:
        """Sample about `tokens` tokens from the base, each text at most `longest`.

        The texts are equal for equal seeds on one machine; torch's own random state is
        left as it was.
        """
        import torch

        from repobuild.model.base import load_model, pick_device

        length = min(MAX_TOKENS, longest)
        count = min(MAX_TEXTS, ceil(tokens / length))
        if count < 1:
            return cls([])
        on = pick_device()
        dtype = torch.float32 if on == "cpu" else torch.bfloat16
        model: Any = load_model(base, dtype)
        model = model.to(on)
        texts: list[Text] = []
        with torch.random.fork_rng(devices=[model.device] if on == "cuda" else []):
            torch.manual_seed(seed)
            for prompts in _batched_prompts(conversation, count):
                texts += _sample(model, prompts, length, conversation)
        return cls(texts)

    @classmethod
    def read(cls, folder: Path) -> Rehearsal:
        """Read an adapter's texts, if it has any; raises `BuildError` when damaged."""
        path = folder / NAME
        if not path.is_file():
            return cls([])
        try:
            body = msgpack.unpackb(zlib.decompress(path.read_bytes()))
            texts = body["texts"] if body["version"] == VERSION else []
            return cls([(given, tokens) for given, tokens in texts])
        except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
            raise BuildError(f'"{path}" cannot be read: {error}') from error

    def write(self, folder: Path) -> None:
        if self.texts:
            packed = msgpack.packb({"version": VERSION, "texts": self.texts})
            (folder / NAME).write_bytes(zlib.compress(packed, 6))

    def mix_into(
        self,
        examples: Sequence[Example],
        epochs: Sequence[Sequence[int]],
        share: float,
        seed: str,
    ) -> tuple[list[Example], list[list[int]]]:
        """Return examples and epochs with texts added as `share` of the tokens.

        The texts follow the given examples and have no id. Their loss is over what the
        base model generated, not over the prompt.
        """
        if not self.texts or share <= 0:
            return list(examples), [list(order) for order in epochs]
        chance = random.Random(f"{seed}.rehearsal")
        turns = cycle(chance.sample(range(len(self.texts)), len(self.texts)))
        text, tokens_due = next(turns), 0.0
        mixed_epochs = []
        for order in epochs:
            tokens = sum(len(examples[n].tokens) for n in order)
            tokens_due += share / (1 - share) * tokens
            mixed = list(order)
            while tokens_due >= len(self.texts[text][1]):
                tokens_due -= len(self.texts[text][1])
                mixed.append(len(examples) + text)
                text = next(turns)
            chance.shuffle(mixed)
            mixed_epochs.append(mixed)
        rehearsed = [Example("", "", tokens, given) for given, tokens in self.texts]
        return [*examples, *rehearsed], mixed_epochs


def _batched_prompts(conversation: Conversation, count: int) -> list[list[list[int]]]:
    """Return the tokens of `count` prompts, in batches of one kind of prompt."""
    frame, tokenizer = conversation.frame, conversation.tokenizer
    kinds = [FILE] if conversation.has_file_token else []
    kinds.append(frame.before or str(tokenizer.bos_token or END_OF_TEXT))
    prompts = []
    for number, ids in enumerate(conversation.encode(kinds)):
        of_kind = len(range(number, count, len(kinds)))
        prompts += [[ids] * min(BATCH, of_kind - n) for n in range(0, of_kind, BATCH)]
    return prompts


def _sample(
    model: Any, prompts: list[list[int]], length: int, conversation: Conversation
) -> list[Text]:
    """Continue prompts of one length to `length` tokens or to the end of the text."""
    import torch

    end = conversation.tokenizer.get_vocab().get(END_OF_TEXT)
    window = torch.tensor(prompts, device=model.device)  # (B, T), then (B, 1)
    texts = [list(ids) for ids in prompts]
    given = len(prompts[0])
    cache: Any = None
    with torch.inference_mode():
        for _ in range(length - given):
            out = model(window, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = out.past_key_values
            chances = torch.softmax(out.logits[:, -1].float(), -1)  # (B, V)
            window = torch.multinomial(chances, 1)
            for text, (token,) in zip(texts, window.tolist(), strict=True):
                text.append(token)
    cut = [_cut_at(text, end, given) for text in texts]
    return [(given, text) for text in cut if len(text) > given]


def _cut_at(text: list[int], end: int | None, given: int) -> list[int]:
    """Cut a text at the first end token after its prompt."""
    ends = [n for n, token in enumerate(text) if token == end and n >= given]
    return text[: ends[0]] if ends else text
