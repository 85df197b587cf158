"""Train what generates adapters, and its controls, on the same tasks.

    shared          an ordinary LoRA, the same for every repository
    layer-shared    one pair of matrices for all layers, as the published head makes
    fixed           our head, given one constant instead of a repository
    static          our head, given the repository's vectors; margin of own over other
    static of names the same, given the frequencies of tokens in defined names instead
    gradient        a shared LoRA, plus learned rates of the repository's gradient step;
                    on fewer training repositories, for each gradient takes seconds

All see tasks of the training repositories only, counted at needed identifiers, in the
same order, and begin from the same shared LoRA (but for `layer-shared`, which cannot).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from repobuild.model.hypernet.lora_weights import LoraWeights, concatenate, inject
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead, ResidualSettings
from repobuild.model.hypernet.shapes import ModelShape
from tests.benchmarks.repository_adapters.lora import Bench, Change, Exam, Factors

RANK = 8
SCALE = 2.0  # alpha / rank of ordinary adapters


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """How a generator is trained."""

    steps: int = 150
    windows: int = 2  # of one repository, a step
    rate: float = 2e-3
    clip: float = 1.0
    margin: float = 0.1  # nats that own should be below another repository's
    margin_weight: float = 0.0
    seed: int = 1


class Network(nn.Module):
    """Something that makes an adapter for a repository by its name."""

    def weights(self, name: str) -> LoraWeights:
        raise NotImplementedError


class Shared(Network):
    """A LoRA of every layer, or with `tied` one for all of them."""

    def __init__(self, shape: ModelShape, tied: bool = False) -> None:
        super().__init__()
        self.shape = shape
        count = 1 if tied else shape.layers
        self.a = nn.ParameterDict()
        self.b = nn.ParameterDict()
        for target in shape.targets:
            bound = target.inputs**-0.5
            low = torch.empty(count, RANK, target.inputs).uniform_(-bound, bound)
            self.a[target.name] = nn.Parameter(low)
            self.b[target.name] = nn.Parameter(torch.zeros(count, target.outputs, RANK))

    def weights(self, name: str) -> LoraWeights:
        layers = self.shape.layers
        return LoraWeights(
            {n: p.expand(layers, -1, -1) for n, p in self.a.items()},
            {n: p.expand(layers, -1, -1) for n, p in self.b.items()},
            SCALE,
        )


class Static(Network):
    """Our head, given the vectors of a repository, or a constant."""

    def __init__(
        self,
        shape: ModelShape,
        inputs: dict[str, RepositoryInput],
        training: Sequence[str],
        constant: bool = False,
    ) -> None:
        super().__init__()
        size = next(iter(inputs.values())).files.shape[1]
        settings = ResidualSettings(rank=RANK, bank_rank=4, bases=8, width=128)
        self.head = ResidualHead(shape, size, settings)
        self.head.fit_whitening([inputs[name] for name in training])
        self.inputs = inputs
        # Not zero: the residual of the mean repository is zero whatever is learnt.
        self.constant = _constant(inputs[training[0]]) if constant else None

    def begin_from(self, shared: Shared) -> None:
        """Take a trained shared part."""
        for name, value in shared.a.items():
            self.head.shared_a[name].data.copy_(value.data)
            self.head.shared_b[name].data.copy_(shared.b[name].data)

    def weights(self, name: str) -> LoraWeights:
        made: LoraWeights = self.head(self.constant or self.inputs[name])
        return made

    def of_zero(self) -> LoraWeights:
        """Return the adapter of zero vectors."""
        one = next(iter(self.inputs.values()))
        made: LoraWeights = self.head(
            RepositoryInput(
                torch.zeros_like(one.vector),
                torch.zeros_like(one.files[:1]),
                torch.ones(1),
            )
        )
        return made


def _constant(like: RepositoryInput) -> RepositoryInput:
    rng = torch.Generator().manual_seed(1)
    return RepositoryInput(
        torch.randn(like.vector.shape, generator=rng) * like.vector.std(),
        torch.randn((1, like.files.shape[1]), generator=rng) * like.files.std(),
        torch.ones(1),
    )


def names_input(frequencies: torch.Tensor, size: int) -> RepositoryInput:
    """Return frequencies (V,) as a head reads a repository, by random projections."""
    rng = torch.Generator().manual_seed(1)
    spread = torch.randn(3 * size, len(frequencies), generator=rng)
    parts = spread @ frequencies.sqrt()
    return RepositoryInput(parts[: 2 * size], parts[2 * size :][None], torch.ones(1))


class RatedGradient(Network):
    """A shared LoRA, plus a learned rate of each weight's gradient direction."""

    def __init__(
        self, shape: ModelShape, shared: Shared, gradients: dict[str, LoraWeights]
    ) -> None:
        super().__init__()
        self.shape, self.gradients = shape, gradients
        self.shared = Shared(shape)
        self.shared.load_state_dict(shared.state_dict())
        start = torch.full((shape.layers,), 0.02)
        self.rates = nn.ParameterDict(
            {target.name: nn.Parameter(start.clone()) for target in shape.targets}
        )

    def weights(self, name: str) -> LoraWeights:
        return concatenate(
            [(1.0, self.shared.weights(name)), (1.0, self.residual(name))]
        )

    def residual(self, name: str) -> LoraWeights:
        """Return what the repository adds."""
        found = self.gradients[name]
        rated = {n: found.b[n] * self.rates[n][:, None, None] for n in found.b}
        return LoraWeights(found.a, rated, 1.0)


def as_weights(factors: Factors, shape: ModelShape) -> LoraWeights:
    """Return factors by weight as matrices by target."""
    a, b = {}, {}
    for target in shape.targets:
        keys = [f"model.layers.{n}.{target.path}.weight" for n in range(shape.layers)]
        a[target.name] = torch.stack([factors[f"{key}.A"] for key in keys])
        b[target.name] = torch.stack([factors[f"{key}.B"] for key in keys])
    return LoraWeights(a, b, 1.0)


def as_factors(lora: LoraWeights, shape: ModelShape) -> Factors:
    """Return matrices by target as factors by weight."""
    factors = {}
    for target in shape.targets:
        for n in range(shape.layers):
            key = f"model.layers.{n}.{target.path}.weight"
            factors[f"{key}.A"] = lora.a[target.name][n].detach()
            factors[f"{key}.B"] = lora.scale * lora.b[target.name][n].detach()
    return factors


@torch.no_grad()
def change_of_weights(lora: LoraWeights, shape: ModelShape) -> Change:
    """Return the change of the base's weights that matrices make."""
    return {
        f"model.layers.{n}.{target.path}.weight": lora.scale
        * lora.b[target.name][n]
        @ lora.a[target.name][n]
        for target in shape.targets
        for n in range(shape.layers)
    }


# -------------------------------------------------------------------------- training


@torch.enable_grad()
def train_network(
    bench: Bench,
    network: Network,
    exams: dict[str, Exam],
    recipe: NetworkRecipe,
    log: Callable[[str], None],
) -> None:
    """Train on the exams of training repositories; a step is of one repository."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = _groups(network, recipe.rate)
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=0.0)
    rng = random.Random(recipe.seed)
    strangers = random.Random(recipe.seed)  # apart: with and without, the same order
    names: list[str] = []
    mean = other_mean = 0.0
    for step in range(recipe.steps):
        if not names:
            names = sorted(exams)
            rng.shuffle(names)
        name = names.pop()
        counting = [row for row, at in enumerate(counted_tokens(exams[name])) if at]
        rows = rng.sample(counting, min(recipe.windows, len(counting)))
        share = step / recipe.steps
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min((share + 0.01) / 0.1, 1.0 - share, 1.0)
        loss = own = counted_loss(bench, network.weights(name), exams[name], rows)
        if recipe.margin_weight:
            foreign = strangers.choice([n for n in sorted(exams) if n != name])
            lora = network.weights(foreign)
            other = counted_loss(bench, lora, exams[name], rows)
            behind = F.relu(recipe.margin - (other - own))
            loss = own + recipe.margin_weight * behind
            other_mean = _moving(other_mean, other.item(), step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
        mean = _moving(mean, own.item(), step)
        if step % 50 == 49:
            log(f"step {step + 1}: loss {mean:.3f}, of another {other_mean:.3f}")


def _groups(network: nn.Module, rate: float) -> list[dict[str, Any]]:
    """Give rates of gradients, which are near 0.02, a smaller learning rate."""
    rates = [p for n, p in network.named_parameters() if n.startswith("rates.")]
    known = set(map(id, rates))
    others = [p for p in network.parameters() if id(p) not in known]
    return [
        {"params": others, "peak": rate},
        *([{"params": rates, "peak": rate}] if rates else []),
    ]


def _moving(mean: float, value: float, step: int) -> float:
    return value if not step else 0.95 * mean + 0.05 * value


def counted_loss(
    bench: Bench, lora: LoraWeights, exam: Exam, rows: Sequence[int]
) -> torch.Tensor:
    """Return the mean loss of the counted tokens of some windows."""
    counted = counted_tokens(exam)
    width = max(len(exam.ids[row]) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(exam.ids[row])] = exam.ids[row]
    with inject(bench.model, lora):
        hidden = bench.model.model(input_ids=ids, use_cache=False)[0]
    states, targets = [], []
    for number, row in enumerate(rows):
        at = torch.tensor(counted[row])
        states.append(hidden[number, at - 1])
        targets.append(ids[number, at])
    logits = bench.model.lm_head(torch.cat(states)).float()
    return F.cross_entropy(logits, torch.cat(targets))


def counted_tokens(exam: Exam) -> list[list[int]]:
    """Return the tokens of each window that any of its tasks counts."""
    found: list[set[int]] = [set() for _ in exam.ids]
    for window, tokens in exam.places:
        found[window].update(tokens)
    return [sorted(tokens) for tokens in found]
