"""A base model with an adapter that can be trained, put back and examined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model

from repobuild.model.adapter.packing import bucketed_batches, collate
from repobuild.model.adapter.training_run import rate_at
from repobuild.model.base import load_model, load_tokenizer, resolve_base
from repobuild.model.compute.loss import use_answer_loss
from repobuild.model.conversation import Conversation
from repobuild.settings import read_layers

if TYPE_CHECKING:
    from pathlib import Path

    from repobuild.model.conversation import Example
    from tests.benchmarks.moved.curvature import Curvature

Weights = dict[str, torch.Tensor]
_EXAMINED = 4096  # tokens at a time


class Learner:
    """The embedded model under the default recipe, without the rest of a build."""

    def __init__(self, root: Path, seed: int) -> None:
        settings = read_layers(root).merged()
        base = resolve_base(settings)
        tokenizer = load_tokenizer(base)
        self.batch_tokens = int(settings["adapter.batch_tokens"])
        self.rate = float(settings["adapter.learning_rate"])
        self.pad = int(tokenizer.pad_token_id)
        self.conversation = Conversation(tokenizer, base.fim)
        self.seed = seed
        torch.manual_seed(seed)
        config = LoraConfig(
            r=settings["adapter.rank"],
            lora_alpha=settings["adapter.alpha"],
            lora_dropout=0.0,
            target_modules=settings["adapter.targets"],
            bias="none",
            task_type="CAUSAL_LM",
        )
        self.model = get_peft_model(load_model(base, torch.bfloat16), config).train()
        use_answer_loss(self.model, bf16=True)

    def factors(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """The modules that hold one LoRA weight each, by its name."""
        for name, module in self.model.named_modules():
            if name.endswith(("lora_A.default", "lora_B.default")):
                yield f"{name}.weight", module

    def weights(self) -> dict[str, torch.nn.Parameter]:
        return {n: p for n, p in self.model.named_parameters() if p.requires_grad}

    def kept(self) -> Weights:
        return {name: p.detach().clone() for name, p in self.weights().items()}

    def put(self, kept: Weights) -> None:
        with torch.no_grad():
            for name, parameter in self.weights().items():
                parameter.copy_(kept[name])

    def fit(
        self,
        examples: Sequence[Example],
        epochs: Sequence[Sequence[int]],
        rate: float,
        curved: Curvature | None = None,
    ) -> int:
        """Train these epochs; returns the tokens that were shown."""
        lengths = [len(example.tokens) for example in examples]
        plan = [
            [row[0] for row in batch]
            for number, order in enumerate(epochs)
            for batch in bucketed_batches(lengths, order, self.batch_tokens, number)
        ]
        start, weights = self.kept(), self.weights()
        steps = {n: torch.zeros_like(p, requires_grad=True) for n, p in start.items()}
        optimizer = torch.optim.AdamW(steps.values(), lr=rate, weight_decay=0.0)
        for step, batch in enumerate(plan):
            for group in optimizer.param_groups:
                group["lr"] = rate * rate_at(step / len(plan), 0.05)
            rows = [[examples[number]] for number in batch]
            self.model.zero_grad()
            self.model(**collate(rows, self.pad)).loss.backward()
            for name, moved in steps.items():
                found = weights[name].grad
                assert found is not None
                moved.grad = curved.inward(name, found) if curved else found
            torch.nn.utils.clip_grad_norm_(steps.values(), 1.0)
            optimizer.step()
            with torch.no_grad():
                for name, moved in steps.items():
                    way = curved.outward(name, moved) if curved else moved
                    weights[name].copy_(start[name] + way)
        return sum(lengths[number] for batch in plan for number in batch)

    def logits(self, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, V) of the answer tokens of a batch, and which they are (B, T)."""
        causal: Any = self.model.get_base_model()
        wanted = batch["labels"][:, 1:] != -100
        with torch.autocast("cpu", torch.bfloat16):
            where = {n: batch[n] for n in ("input_ids", "position_ids")}
            hidden = causal.model(**where, use_cache=False).last_hidden_state
            return causal.lm_head(hidden[:, :-1][wanted]).float(), wanted

    def right(self, examples: Sequence[Example]) -> float:
        """Share of answers that greedy decoding would give to the letter."""
        return sum(self.answered(examples)) / max(1, len(examples))

    def answered(self, examples: Sequence[Example]) -> list[bool]:
        """Whether greedy decoding would give each answer to the letter."""
        lengths = [len(example.tokens) for example in examples]
        right = [False] * len(examples)
        with torch.inference_mode():
            for found in bucketed_batches(lengths, range(len(examples)), _EXAMINED, 0):
                batch = collate([[examples[row[0]]] for row in found], self.pad)
                logits, wanted = self.logits(batch)
                hits = logits.argmax(-1) == batch["labels"][:, 1:][wanted]
                answers = torch.split(hits, wanted.sum(1).tolist())
                for (number,), answer in zip(found, answers, strict=True):
                    right[number] = bool(answer.all())
        return right
