"""Generate answers with a model, and measure its losses.

    model = TextGenerator.load(base, adapter_folder)
    model.generate(["In which file is `f` defined?"], 60)     # batches, for the report
    for piece in model.stream("What is `f`?", 200): ...       # one answer, for `ask`
    model.losses(samples)              # for the gate: [(sum of losses, answer tokens)]
    model.text_losses([("a.py", code)])                       # the same, of plain text

On a CPU the adapter is merged into a float32 copy in memory: the answers are the
adapter's own to 1e-5, and generation is twice as fast without the extra products. On a
GPU the base stays in bfloat16 with the adapter beside it. Generation is greedy.

Losses take the logits of answer tokens only, under bfloat16 autocast: 64 losses took
1.09 s before and 0.67 s now, at most 0.2 % apart (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.model.adapter.packing import bucketed_batches, collate
from repobuild.model.base import (
    Base,
    load_model,
    load_tokenizer,
)
from repobuild.model.conversation import FILE, Conversation, Example
from repobuild.model.copying import FactCopier
from repobuild.model.decode import goes_in_circle, greedy, help_copying
from repobuild.model.grounding import GroundedQuestion
from repobuild.model.load.libraries import computes_in_bfloat16, pick_device
from repobuild.model.load.pretrained import read_adapter
from repobuild.model.load.weight_check import LLAMA_LIKE
from repobuild.model.teaching.scheduler import Certainty

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

# A question, with facts or without, or a whole sample (may be FIM).
Question = str | GroundedQuestion | Mapping[str, Any]
LOSS_TOKENS = 8192  # tokens of one batch of losses
# Tokens that the key-value cache of one batch of answers may come to hold: room for
# 146 questions of 40 tokens, 3.6 GB with Qwen3-8B. A step of 128 rows takes hardly
# longer than one of 32, and what ends leaves: 192 questions took 1.5 to 2 times as long
# in batches of 32, with the same answers (docs/benchmarks/training.md).
CACHE_TOKENS = 24_576


class GeneratedText(NamedTuple):
    """An answer, and whether the model ended it itself."""

    text: str
    ended: bool


@dataclass(frozen=True, slots=True)
class TextGenerator:
    """One model, with or without an adapter, and its tokenizer."""

    model: PreTrainedModel
    conversation: Conversation

    @classmethod
    def load(cls, base: Base, adapter: Path | None = None) -> TextGenerator:
        """Load the base model, and the adapter if there is one, onto the device."""
        import torch

        target = pick_device()
        dtype = torch.float32 if target == "cpu" else torch.bfloat16
        model: Any = load_model(base, dtype)
        if adapter is not None:
            # Merged into weights of four bits, it would be rounded to four bits.
            merge = target == "cpu" and not base.quantize
            model = attach_adapter(model, adapter, merge)
        conversation = Conversation(load_tokenizer(base), base.fim)
        return cls(model.to(target).eval(), conversation)

    # ------------------------------------------------------------------- answers

    def generate(
        self,
        questions: Sequence[Question],
        max_new_tokens: int,
        advance: Callable[[int], None] = lambda count: None,
    ) -> list[GeneratedText]:
        """Return greedy answers in the order of the questions.

        `advance` gets the number of questions of each finished batch.
        """
        tokenizer = self.conversation.tokenizer
        ends, pad = set(self.conversation.stop_ids), int(tokenizer.pad_token_id)
        prompts = self.conversation.encode([self._prompt(q) for q in questions])
        copiers = [self._copier(question) for question in questions]
        answers = [GeneratedText("", False)] * len(prompts)
        for batch in _answer_batches([len(ids) for ids in prompts], max_new_tokens):
            rows, facts = [prompts[i] for i in batch], [copiers[i] for i in batch]
            outputs = greedy(self.model, rows, ends, max_new_tokens, pad, facts)
            for number, output in zip(batch, outputs, strict=True):
                text = tokenizer.decode(output.tokens, skip_special_tokens=True)
                answers[number] = GeneratedText(str(text).strip(), output.ended)
            advance(len(batch))
        return answers

    def stream(
        self, question: Question, max_new_tokens: int
    ) -> Generator[str, None, bool]:
        """Yield pieces of one answer; return whether the model ended it itself."""
        import torch

        tokenizer = self.conversation.tokenizer
        (ids,) = self.conversation.encode([self._prompt(question)])
        copier = self._copier(question)
        model: Any = self.model
        window = torch.tensor([ids], device=model.device)
        generated: list[int] = []
        shown = ""
        cache: Any = None
        for _ in range(max_new_tokens):
            with torch.inference_mode():
                out = model(window, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            logits = out.logits[0, -1].clone()
            help_copying(logits, copier, generated)
            token = int(logits.argmax())
            if token in self.conversation.stop_ids:
                return True
            generated.append(token)
            text = str(tokenizer.decode(generated))
            if not text.endswith("\ufffd"):  # half a character: wait for its other half
                yield text[len(shown) :]
                shown = text
            if goes_in_circle(generated):
                return False
            window = torch.tensor([[token]], device=model.device)
        return False

    def _prompt(self, question: Question) -> str:
        if isinstance(question, GroundedQuestion):
            question = question.prompt
        sample = {"question": question} if isinstance(question, str) else question
        return self.conversation.prompt(sample)

    def _copier(self, question: Question) -> FactCopier | None:
        if not isinstance(question, GroundedQuestion) or not question.facts:
            return None
        plain, end = self.conversation.plain, self.conversation.frame.end
        facts = self.conversation.encode([plain(text) for text in question.facts])
        return FactCopier([[*fact, *end] for fact in facts], question.answered)

    # -------------------------------------------------------------------- losses

    def losses(
        self,
        samples: Sequence[tuple[str, Mapping[str, Any]]],
        longest: int = 1 << 20,
    ) -> list[tuple[float, int]]:
        """Return (sum of losses, answer tokens) of each sample.

        Samples of more than `longest` tokens or with special tokens get (0, 0).
        """
        kept = self.conversation.tokenise(samples, longest).kept
        by_id = dict(zip((e.id for e in kept), self.example_losses(kept), strict=True))
        return [by_id.get(sample_id, (0.0, 0)) for sample_id, _ in samples]

    def text_losses(self, texts: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        """Return (sum of losses, tokens) of each (path, text), as a file, not a chat.

        The path precedes the text if the tokenizer has a file token. Without any token
        before it, the first token of the text is given and has no loss.
        """
        begin = str(self.conversation.tokenizer.bos_token or "")
        files = self.conversation.has_file_token
        plain = self.conversation.plain
        heads = [f"{FILE}{plain(path)}\n" if files else begin for path, _ in texts]
        heads_ids = self.conversation.encode(heads)
        texts_ids = self.conversation.encode([plain(text) for _, text in texts])
        examples = [
            Example(str(number), "", [*head, *ids], max(1, len(head)))
            for number, (head, ids) in enumerate(zip(heads_ids, texts_ids, strict=True))
        ]
        return self.example_losses(examples)

    def example_losses(self, examples: Sequence[Example]) -> list[tuple[float, int]]:
        """Return (sum of losses, answer tokens) of each example, in order."""
        import torch
        from torch.nn import functional as F

        losses = [(0.0, 0)] * len(examples)
        for numbers in _batch_numbers(examples):
            batch = [examples[i] for i in numbers]
            logits, labels, counts = self._answer_logits(batch, self._half_precision())
            each = F.cross_entropy(logits.float(), labels, reduction="none")
            sums = [float(part.sum()) for part in torch.split(each, counts)]
            for number, total, count in zip(numbers, sums, counts, strict=True):
                losses[number] = (total, count)
        return losses

    def generates_exactly(
        self, examples: Sequence[Example], as_trained: bool = False
    ) -> list[bool]:
        """Return whether greedy generation would give each answer word for word."""
        return [bool(mark) for mark in self.mark_answers(examples, as_trained)]

    def mark_answers(
        self, examples: Sequence[Example], as_trained: bool = False
    ) -> list[Certainty]:
        """Return whether greedy generation would give each answer, and how surely.

        One pass over question and answer decides it: generation gives the answer
        exactly when each of its tokens, the end token too, is the likeliest after those
        before. `as_trained` computes in bfloat16, in half the time: ties may break
        otherwise than in generation.
        """
        import torch

        from repobuild.model.compute.loss import mark_tokens

        marks = [Certainty.WRONG] * len(examples)
        for numbers in _batch_numbers(examples):
            precision = self._half_precision() if as_trained else nullcontext()
            batch = [examples[i] for i in numbers]
            logits, labels, counts = self._answer_logits(batch, precision)
            parts = torch.split(mark_tokens(logits, labels), counts)
            for number, part in zip(numbers, parts, strict=True):
                marks[number] = Certainty(int(part.min()))
        return marks

    def _half_precision(self) -> AbstractContextManager[Any]:
        """Return a context in which products are in bfloat16, where it is fast."""
        import torch

        if not computes_in_bfloat16():
            return nullcontext()
        return torch.autocast(self.model.device.type, torch.bfloat16)

    def _answer_logits(
        self, examples: Sequence[Example], precision: AbstractContextManager[Any]
    ) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """Return logits (N, V) and labels (N,) of all answer tokens, and each's count.

        Families outside `LLAMA_LIKE` compute the logits of every token first.
        """
        import torch

        model: Any = self.model
        pad = int(self.conversation.tokenizer.pad_token_id)
        tensors = {
            name: tensor.to(model.device)
            for name, tensor in collate([[e] for e in examples], pad).items()
        }
        labels = tensors.pop("labels")[:, 1:]  # (B, T - 1)
        is_answer = labels != -100
        with torch.inference_mode(), precision:
            if str(getattr(model.config, "model_type", "")) in LLAMA_LIKE:
                causal = getattr(model, "get_base_model", lambda: model)()  # of peft
                hidden = causal.model(**tensors, use_cache=False).last_hidden_state
                logits = causal.lm_head(hidden[:, :-1][is_answer])
            else:
                logits = model(**tensors, use_cache=False).logits[:, :-1][is_answer]
        return logits, labels[is_answer], is_answer.sum(1).tolist()


def _answer_batches(lengths: Sequence[int], max_new_tokens: int) -> list[list[int]]:
    """Group prompt numbers, shortest first, into batches of CACHE_TOKENS at most."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = lengths[number] + max_new_tokens
        if not batches or longest * (len(batches[-1]) + 1) > CACHE_TOKENS:
            batches.append([])
        batches[-1].append(number)
    return batches


def _batch_numbers(examples: Sequence[Example]) -> list[list[int]]:
    """Group example numbers into batches of similar length and LOSS_TOKENS tokens."""
    lengths = [len(e.tokens) for e in examples]
    return [
        [row[0] for row in batch]
        for batch in bucketed_batches(lengths, range(len(examples)), LOSS_TOKENS, 0)
    ]


def attach_adapter(model: Any, adapter: Path, merge: bool) -> Any:
    """Return the model with the adapter beside its weights, or merged into them."""
    adapted = read_adapter(model, adapter)
    return adapted.merge_and_unload() if merge else adapted
