"""What the base model says by itself, trained beside the facts so that it stays able.

An adapter that learns nothing but facts unlearns the rest: after a build on click the
loss on other people's code rose from 2.10 to 4.34 nats a token, and by another 12 % in
ten commits. With a twelfth of the tokens for texts of the base's own it rose to 2.93
and stayed there, at the same facts known. Texts from the training data of the base did
no better, and nobody has those of a model from a hub.

Sampled at temperature 1, by turns from where a file begins (if the tokenizer has a mark
for that) and from where a question begins. A folder of an adapter holds them in

    rehearsal.bin    zlib(msgpack {"version": 1, "texts": [[given, [token, ...]], ...]})

whose first `given` tokens are what it was begun with. The first adapter of a chain
makes as many as it has use for, the others take them along. One that has none is gone
on from without.

Method: pseudo-rehearsal (Robins 1995, "Catastrophic forgetting, rehearsal and
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
TEXTS = 160  # at most; a long run has them several times
LENGTH = 256  # tokens
BATCH = 32

Text = tuple[int, list[int]]  # tokens that were given, and all


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Texts of the base model."""

    texts: list[Text]

    @classmethod
    def of(
        cls,
        base: Base,
        conversation: Conversation,
        tokens: float,
        longest: int,
        seed: int,
    ) -> Rehearsal:
        """Let the base say so much; equal for equal seeds on one machine."""
        import torch

        from repobuild.model.base import device, load_model

        length = min(LENGTH, longest)
        count = min(TEXTS, ceil(tokens / length))
        if count < 1:
            return cls([])
        place = device()
        dtype = torch.float32 if place == "cpu" else torch.bfloat16
        model: Any = load_model(base, dtype)
        model = model.to(place)
        texts: list[Text] = []
        with torch.random.fork_rng(devices=[model.device] if place == "cuda" else []):
            torch.manual_seed(seed)
            for begun in _beginnings(conversation, count):
                texts += _said(model, begun, length, conversation)
        return cls(texts)

    @classmethod
    def read(cls, folder: Path) -> Rehearsal:
        """Those of an adapter; none if it has none. Raises `BuildError`."""
        path = folder / NAME
        if not path.is_file():
            return cls([])
        try:
            body = msgpack.unpackb(zlib.decompress(path.read_bytes()))
            known = body["texts"] if body["version"] == VERSION else []
            return cls([(given, tokens) for given, tokens in known])
        except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
            raise BuildError(f'"{path}" cannot be read: {error}') from error

    def write(self, folder: Path) -> None:
        if self.texts:
            packed = msgpack.packb({"version": VERSION, "texts": self.texts})
            (folder / NAME).write_bytes(zlib.compress(packed, 6))

    def within(
        self,
        examples: Sequence[Example],
        epochs: Sequence[Sequence[int]],
        share: float,
        seed: str,
    ) -> tuple[list[Example], list[list[int]]]:
        """Examples and epochs, so large a share of whose tokens are texts."""
        if not self.texts or share <= 0:
            return list(examples), [list(order) for order in epochs]
        chance = random.Random(f"{seed}.rehearsal")
        turns = cycle(chance.sample(range(len(self.texts)), len(self.texts)))
        place, due, found = next(turns), 0.0, []
        for order in epochs:
            due += share / (1 - share) * sum(len(examples[n].tokens) for n in order)
            mixed = list(order)
            while due >= len(self.texts[place][1]):
                due -= len(self.texts[place][1])
                mixed.append(len(examples) + place)
                place = next(turns)
            chance.shuffle(mixed)
            found.append(mixed)
        spoken = [Example("", "", tokens, given) for given, tokens in self.texts]
        return [*examples, *spoken], found


def _beginnings(conversation: Conversation, count: int) -> list[list[list[int]]]:
    """The tokens that texts begin with, in batches of one kind."""
    frame, tokenizer = conversation.frame, conversation.tokenizer
    starts = [FILE] if conversation.files else []
    starts.append(frame.before or str(tokenizer.bos_token or END_OF_TEXT))
    found = []
    for number, ids in enumerate(conversation.encode(starts)):
        mine = len(range(number, count, len(starts)))
        found += [[ids] * min(BATCH, mine - n) for n in range(0, mine, BATCH)]
    return found


def _said(
    model: Any, begun: list[list[int]], length: int, conversation: Conversation
) -> list[Text]:
    """Beginnings with what follows, up to the end of the text."""
    import torch

    end = conversation.tokenizer.get_vocab().get(END_OF_TEXT)
    window = torch.tensor(begun, device=model.device)
    said = [list(ids) for ids in begun]
    cache: Any = None
    with torch.inference_mode():
        for _ in range(length - len(begun[0])):
            out = model(window, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = out.past_key_values
            chances = torch.softmax(out.logits[:, -1].float(), -1)
            window = torch.multinomial(chances, 1)
            for text, (token,) in zip(said, window.tolist(), strict=True):
                text.append(token)
    given = len(begun[0])
    cut = [_up_to(text, end, given) for text in said]
    return [(given, text) for text in cut if len(text) > given]


def _up_to(text: list[int], end: int | None, given: int) -> list[int]:
    places = [n for n, token in enumerate(text) if token == end and n >= given]
    return text[: places[0]] if places else text
