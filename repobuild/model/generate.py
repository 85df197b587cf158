"""Let a model answer: batches for the report, a stream for `ask`, losses for the gate.

    with_adapter = Speaker.load(base, adapter_folder)
    with_adapter.answers(["In which file is `f` defined?"], 60)
    with_adapter.losses(samples)             # [(sum of losses, answer tokens), ...]
    with_adapter.text_losses([("a.py", code)])             # of plain text, likewise
    for piece in with_adapter.stream("What is `f`?", 200): ...

The adapter is merged into a float32 copy in memory on a CPU (the answers are the
adapter's own to 1e-5, and generation is twice as fast without the extra products); on a
GPU the base stays in bfloat16 and the adapter beside it. Generation is greedy, with
prompts padded on the left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter.packing import batches, collate
from repobuild.model.base import PLAIN, Base, device, load_model, load_tokenizer
from repobuild.model.conversation import FILE, Conversation, Example
from repobuild.model.decode import greedy

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Question = str | Mapping[str, Any]  # a question, or a whole sample (then fim is known)
LOSS_TOKENS = 8192  # of one batch
BATCH = 32


@dataclass(frozen=True, slots=True)
class TextGenerator:
    """One model, with or without an adapter, and its tokenizer."""

    model: PreTrainedModel
    conversation: Conversation

    @classmethod
    def load(cls, base: Base, adapter: Path | None = None) -> TextGenerator:
        import torch

        place = device()
        dtype = torch.float32 if place == "cpu" else torch.bfloat16
        model: Any = load_model(base, dtype)
        if adapter is not None:
            model = with_adapter(model, adapter, merge=place == "cpu")
        conversation = Conversation(load_tokenizer(base), base.fim)
        return cls(model.to(place).eval(), conversation)

    # ------------------------------------------------------------------- answers

    def answers(
        self,
        questions: Sequence[Question],
        max_new_tokens: int,
        advance: Callable[[int], None] = lambda count: None,
    ) -> list[str]:
        """Greedy answers in the order of the questions."""
        prompts = self.conversation.encode([self._prompt(q) for q in questions])
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        found = [""] * len(prompts)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            texts = self._generate([prompts[i] for i in part], max_new_tokens)
            for number, text in zip(part, texts, strict=True):
                found[number] = text
            advance(len(part))
        return found

    def stream(
        self, question: Question, max_new_tokens: int
    ) -> Generator[str, None, bool]:
        """Pieces of one answer as they come; returns whether it came to its end."""
        import torch

        tokenizer = self.conversation.tokenizer
        (ids,) = self.conversation.encode([self._prompt(question)])
        model: Any = self.model
        window = torch.tensor([ids], device=model.device)
        said: list[int] = []
        shown = ""
        cache: Any = None
        for _ in range(max_new_tokens):
            with torch.inference_mode():
                out = model(window, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            token = int(out.logits[0, -1].argmax())
            if token in self.conversation.ends:
                return True
            said.append(token)
            text = str(tokenizer.decode(said))
            if not text.endswith("\ufffd"):  # half a character: wait for its other half
                yield text[len(shown) :]
                shown = text
            window = torch.tensor([[token]], device=model.device)
        return False

    def _prompt(self, question: Question) -> str:
        sample = {"question": question} if isinstance(question, str) else question
        return self.conversation.prompt(sample)

    def _generate(self, prompts: list[list[int]], max_new_tokens: int) -> list[str]:
        tokenizer = self.conversation.tokenizer
        ends, pad = set(self.conversation.ends), int(tokenizer.pad_token_id)
        said = greedy(self.model, prompts, ends, max_new_tokens, pad)
        texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in said]
        return [str(text).strip() for text in texts]

    # -------------------------------------------------------------------- losses

    def losses(
        self,
        samples: Sequence[tuple[str, Mapping[str, Any]]],
        longest: int = 1 << 20,
    ) -> list[tuple[float, int]]:
        """Sum of losses and answer tokens of each sample; (0, 0) for one left out."""
        kept = self.conversation.examples(samples, longest).kept
        found = dict(zip((e.id for e in kept), self.example_losses(kept), strict=True))
        return [found.get(sample_id, (0.0, 0)) for sample_id, _ in samples]

    def text_losses(self, texts: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        """Sum of losses and tokens of each (path, text), as a file and not as a chat.

        The path stands before the text where the tokenizer has a mark for files, and
        the first token is taken as given where nothing stands before it.
        """
        begin = str(self.conversation.tokenizer.bos_token or "")
        files = self.conversation.files
        heads = [f"{FILE}{path}\n" if files else begin for path, _ in texts]
        heads_ids = self.conversation.encode(heads)
        texts_ids = self.conversation.encode([text for _, text in texts])
        examples = [
            Example(str(number), "", [*head, *ids], max(1, len(head)))
            for number, (head, ids) in enumerate(zip(heads_ids, texts_ids, strict=True))
        ]
        return self.example_losses(examples)

    def knows(self, examples: Sequence[Example]) -> list[bool]:
        """Whether each answer would be said word for word: greedily, to its end.

        Read off one pass over question and answer: were each token the likeliest one
        behind those before it, generation would say just these.
        """
        import torch

        lengths = [len(e.tokens) for e in examples]
        found = [False] * len(examples)
        for batch in batches(lengths, range(len(examples)), LOSS_TOKENS, 0):
            numbers = [row[0] for row in batch]
            part = [examples[i] for i in numbers]
            # In the model's own precision, as it generates: bfloat16 breaks ties.
            logits, labels, counts = self._logits(part, nullcontext())
            said = torch.split(logits.argmax(-1) == labels, counts)
            for number, right in zip(numbers, said, strict=True):
                found[number] = bool(right.all())
        return found

    def example_losses(self, examples: Sequence[Example]) -> list[tuple[float, int]]:
        """Sum of losses and answer tokens of each example, in order."""
        lengths = [len(e.tokens) for e in examples]
        found = [(0.0, 0)] * len(examples)
        for batch in batches(lengths, range(len(examples)), LOSS_TOKENS, 0):
            numbers = [row[0] for row in batch]
            for number, value in zip(
                numbers, self._batch_losses([examples[i] for i in numbers]), strict=True
            ):
                found[number] = value
        return found

    def _batch_losses(self, examples: list[Example]) -> list[tuple[float, int]]:
        import torch
        from torch.nn import functional as F

        logits, labels, counts = self._logits(examples, self._fast())
        losses = F.cross_entropy(logits.float(), labels, reduction="none")
        return [
            (float(part.sum()), count)
            for part, count in zip(torch.split(losses, counts), counts, strict=True)
        ]

    def _logits(
        self, examples: Sequence[Example], precision: AbstractContextManager[Any]
    ) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """Logits (N, V) and ids (N,) of all answer tokens, and how many each has."""
        import torch

        pad = int(self.conversation.tokenizer.pad_token_id)
        place = self.model.device
        tensors = {
            name: tensor.to(place)
            for name, tensor in collate([[e] for e in examples], pad).items()
        }
        labels = tensors.pop("labels")[:, 1:]
        wanted = labels != -100
        with torch.inference_mode(), precision:
            logits = self._answer_logits(tensors, wanted)  # (answer tokens, V)
        return logits, labels[wanted], wanted.sum(1).tolist()

    def _answer_logits(self, tensors: dict[str, Any], wanted: Any) -> torch.Tensor:
        """Of the tokens before the wanted ones, and of no other where that can be."""
        model: Any = self.model
        if str(getattr(model.config, "model_type", "")) in PLAIN:
            causal = getattr(model, "get_base_model", lambda: model)()  # of peft's
            hidden = causal.model(**tensors, use_cache=False).last_hidden_state
            logits: torch.Tensor = causal.lm_head(hidden[:, :-1][wanted])
            return logits
        found: torch.Tensor = model(**tensors, use_cache=False).logits[:, :-1][wanted]
        return found

    def _fast(self) -> torch.autocast:
        import torch

        return torch.autocast(self.model.device.type, torch.bfloat16)


def with_adapter(model: Any, adapter: Path, merge: bool) -> Any:
    """The model with the adapter on it, or merged into it."""
    from peft import PeftModel

    found = PeftModel.from_pretrained(model, str(adapter))
    return found.merge_and_unload() if merge else found
