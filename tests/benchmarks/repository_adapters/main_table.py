"""Fill the main table: everything that adapts the base, on the same tasks.

Of training repositories: vectors, gradients, tasks; on them the networks are trained
(networks.py). Of held-out repositories: all of a maker's conditions (battery.py). What
was computed is in WORK and is not computed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from repobuild.model.hypernet.linear_generator import LinearGenerator
from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.shapes import ModelShape
from tests.benchmarks.repository_adapters import identifiers, vectors
from tests.benchmarks.repository_adapters.battery import (
    Made,
    Maker,
    add_row,
    run_battery,
)
from tests.benchmarks.repository_adapters.completion import complete
from tests.benchmarks.repository_adapters.context import Context, losses_in_context
from tests.benchmarks.repository_adapters.exam import by_kind, choose_tasks
from tests.benchmarks.repository_adapters.gradient import at_rate, gradient_factors
from tests.benchmarks.repository_adapters.lora import (
    OTHER_STEP,
    Change,
    Changed,
    Exam,
    Losses,
    make_exam,
    mixture,
    task_losses,
)
from tests.benchmarks.repository_adapters.networks import (
    Network,
    NetworkRecipe,
    RatedGradient,
    Shared,
    Static,
    as_weights,
    change_of_weights,
    names_input,
    train_network,
)
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.results import (
    Results,
    Row,
    as_losses,
)
from tests.benchmarks.repository_adapters.tasks import repository_windows
from tests.benchmarks.repository_adapters.world import World

TRAINING_WINDOWS = 5  # of a kind, of a training repository
COMPLETIONS = 3  # of each kind and repository
TUNED_ON = 6  # training repositories, for the two numbers of what is not trained
BIASES = (0.125, 0.25, 0.5, 1.0, 2.0)
RATES = (0.0125, 0.025, 0.05, 0.1)
COMPONENTS, RIDGE = 8, 1.0


class Study:
    """The world, and what was made of the training repositories."""

    def __init__(self, world: World, recipe: NetworkRecipe, seed: int = 1) -> None:
        self.world, self.seed = world, seed
        self.recipe = replace(recipe, seed=seed)
        self.shape = ModelShape.read(world.bench.folder)
        self.results = Results(world.work / "table.jsonl")

    # -------------------------------------------------------- what is made of sources

    @property
    def names(self) -> list[str]:
        return [*self.world.training, *self.world.held_out]

    def _path(self, folder: str, name: str) -> Path:
        return self.world.work / folder / f"{name.replace('/', '+')}.safetensors"

    @cached_property
    def inputs(self) -> dict[str, RepositoryInput]:
        found = {}
        for name in self.names:
            path = self._path("vectors", name)
            made = vectors.read_vectors(path)
            if made is None:
                made = vectors.encode(self.world.bench, self.world.repository(name))
                vectors.write_vectors(path, made)
            found[name] = made
        self.world.log("vectors are there")
        return found

    def gradient(self, name: str) -> LoraWeights:
        """Return the leading directions of a repository's gradient."""
        path = self._path("gradients", name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            repository = self.world.repository(name)
            save_file(gradient_factors(self.world.bench, repository), path)
        return as_weights(load_file(path), self.shape)

    @cached_property
    def frequencies(self) -> dict[str, torch.Tensor]:
        """The tokens of the names that each repository defines."""
        path = self.world.work / "frequencies.safetensors"
        found = load_file(path) if path.exists() else {}
        missing = [name for name in self.names if name not in found]
        for name in missing:
            repository = self.world.repository(name)
            found[name] = identifiers.frequencies(self.world.bench, repository)
        if missing:
            save_file(found, path)
        return found

    @cached_property
    def name_inputs(self) -> dict[str, RepositoryInput]:
        """The same as an input for a network: what names there are, no vectors."""
        size = next(iter(self.inputs.values())).files.shape[1]
        return {n: names_input(f, size) for n, f in self.frequencies.items()}

    def nearest(self, name: str) -> str:
        """Return the other held-out repository with the most similar identifiers."""
        return identifiers.nearest(name, self.frequencies, self.world.held_out)

    @cached_property
    def training_exams(self) -> dict[str, Exam]:
        found = {}
        for name in self.world.training:
            windows = repository_windows(self.world.repository(name))
            tasks = choose_tasks(windows, most=TRAINING_WINDOWS)
            exam = make_exam(self.world.bench, windows, tasks)
            if exam.tasks:
                found[name] = exam
        tokens = sum(exam.tokens for exam in found.values())
        self.world.log(f"{len(found)} training repositories, {tokens:,} tokens")
        return found

    # ----------------------------------------------------------------------- networks

    def network(self, name: str) -> Network:
        """Return a trained network; train it if need be."""
        torch.manual_seed(self.seed)
        network, recipe = self._untrained(name)
        path = self.world.work / "networks" / f"{name}-{self.seed}.safetensors"
        if path.exists():
            network.load_state_dict(load_file(path))
        else:
            log: Callable[[str], None] = self.world.log
            train_network(
                self.world.bench,
                network,
                self.training_exams,
                recipe,
                lambda line: log(f"{name}: {line}"),
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            state = {n: t.contiguous() for n, t in network.state_dict().items()}
            save_file(state, path)
        return network.eval()

    def _untrained(self, name: str) -> tuple[Network, NetworkRecipe]:
        recipe = self.recipe
        if name == "shared":
            return Shared(self.shape), recipe
        if name == "layer-shared":  # as many exposures as the two stages of others
            return Shared(self.shape, tied=True), replace(
                recipe, steps=2 * recipe.steps
            )
        shared = self.network("shared")
        assert isinstance(shared, Shared)
        if name == "gradient":
            gradients = {name: self.gradient(name) for name in self.names}
            return RatedGradient(self.shape, shared, gradients), recipe
        if name == "shared, twice":
            again = Shared(self.shape)
            again.load_state_dict(shared.state_dict())
            return again, recipe
        inputs = self.name_inputs if name == "static of names" else self.inputs
        made = Static(self.shape, inputs, self.world.training, constant=name == "fixed")
        made.begin_from(shared)
        if name != "fixed":
            recipe = replace(recipe, margin_weight=0.5)
        return made, recipe

    def change(self, lora: LoraWeights) -> Change:
        return change_of_weights(lora, self.shape)

    def mean_change(self, network: Network) -> Change:
        """Return the mean of what a network makes of the training repositories."""
        names = self.world.training
        total: Change = {}
        with torch.no_grad():
            for name in names:
                for key, value in self.change(network.weights(name)).items():
                    total[key] = total.get(key, 0) + value / len(names)
        return total

    # ------------------------------------------------------------------------- makers

    def network_maker(self, name: str) -> Maker:
        network = self.network(name)
        mean: list[Change] = []

        @torch.no_grad()
        def make(_: str, of: str) -> Made:
            return Made(self.change(network.weights(of)))

        def mean_of(_: str) -> Made:
            if not mean:
                mean.append(self.mean_change(network))
            return Made(mean[0])

        @torch.no_grad()
        def zero(_: str) -> Made:
            if isinstance(network, Static):
                return Made(self.change(network.of_zero()))
            assert isinstance(network, RatedGradient)
            return Made(self.change(network.shared.weights("")))

        return Maker(name, make, mean_of, zero)

    def bias_maker(self, shared: Change | None = None) -> Maker:
        """The bias of identifier frequencies, alone or on top of the shared LoRA."""
        known = self.frequencies
        world = self.world
        # The mean of these few and not of all: the strength was chosen with it.
        means = [*world.training[:TUNED_ON], *world.held_out]
        mean = torch.stack([known[name] for name in means]).mean(0)

        def biased(of: str, strength: float) -> Made:
            return Made(shared, identifiers.logit_bias(known[of], mean, strength))

        strength = self.tuned("bias", BIASES, biased)

        def none(_: str) -> Made:
            return Made(shared)

        name = "logit bias" if shared is None else "shared + logit bias"
        return Maker(name, lambda _, of: biased(of, strength), none, none)

    def step_maker(self) -> Maker:
        """One step of the gradient over the source, at one rate for all weights."""

        def stepped(of: str, rate: float) -> Made:
            return Made(at_rate(self.change(self.gradient(of)), rate))

        rate = self.tuned("step", RATES, stepped)
        names = self.world.held_out
        changes = {name: self.change(self.gradient(name)) for name in names}

        def mean(target: str) -> Made:
            others = [changes[name] for name in names if name != target]
            return Made(mixture(others, [rate / len(others)] * len(others)))

        return Maker(
            "gradient step", lambda _, of: stepped(of, rate), mean, lambda _: Made()
        )

    def _losses(
        self, name: str, make: Callable[[str, float], Made], value: float
    ) -> Losses:
        made = make(name, value)
        exam = self.world.exam(name)
        return task_losses(self.world.bench, exam, made.change, made.bias)

    def tuned(
        self, what: str, values: Sequence[float], make: Callable[[str, float], Made]
    ) -> float:
        """Return the value of the lowest loss of all tokens, on training repositories.

        Of needed identifiers alone, a bias would be chosen that ruins everything else.
        """
        path = self.world.work / "tuned.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        if what not in known:
            losses = {}
            for value in values:
                losses[value] = sum(
                    _loss_of_all(self.world.exam(name), self._losses(name, make, value))
                    for name in self.world.training[:TUNED_ON]
                )
            self.world.log(f"{what}: {losses}")
            known[what] = min(losses, key=lambda value: losses[value])
            path.write_text(json.dumps(known) + "\n")
        return float(known[what])

    def ridge_maker(self, adapters: Sequence[str]) -> Maker:
        """A weighted sum of ordinary adapters of other repositories, by a ridge.

        For each target it is fitted to all adapters but the target's own.
        """
        changes = {name: self.world.change(name) for name in adapters}
        gram = _gram([changes[name] for name in adapters])
        rows = torch.stack(
            [identifiers.features(self.frequencies[name]) for name in adapters]
        )

        def weighted(target: str, asked: torch.Tensor | None) -> Made:
            kept = [n for n, name in enumerate(adapters) if name != target]
            if asked is None:
                weights = [1 / len(kept)] * len(kept)
            else:
                at = torch.tensor(kept)
                fitted = LinearGenerator.fit(
                    rows[at], gram[at][:, at], COMPONENTS, RIDGE
                )
                weights = fitted.weights(asked).tolist()
            return Made(mixture([changes[adapters[n]] for n in kept], weights))

        def make(target: str, of: str) -> Made:
            return weighted(target, identifiers.features(self.frequencies[of]))

        return Maker(
            f"PCA + ridge of {len(adapters) - 1}",
            make,
            lambda target: weighted(target, None),
            lambda target: weighted(target, torch.zeros_like(rows[0])),
        )

    def oracle_maker(self, adapters: Sequence[str]) -> Callable[[str], Change]:
        """The weighted sum of others' adapters that is nearest to the own adapter.

        It is made of the own adapter, so it is no generator: it says how much of an
        adapter a generator could rebuild out of the others'. Nearest is in weights.
        """
        changes = {name: self.world.change(name) for name in adapters}
        gram = _gram([changes[name] for name in adapters])

        def make(target: str) -> Change:
            own = adapters.index(target)
            kept = torch.tensor([n for n in range(len(adapters)) if n != own])
            weights = torch.linalg.solve(gram[kept][:, kept], gram[kept, own])
            parts = [changes[adapters[int(n)]] for n in kept]
            share = float(weights @ gram[kept, own] / gram[own, own])
            self.world.log(f"{target}: {100 * share:.1f} % of its change is in others'")
            return mixture(parts, weights.tolist())

        return make

    # ---------------------------------------------------------------------- baselines

    def measure(self, condition: str, make: Callable[[str], Change | None]) -> None:
        """Measure a way to adapt on all held-out repositories."""
        for name in self.world.held_out:
            if not self.results.has(condition, name, self.seed):
                with torch.no_grad():
                    made = Made(make(name))
                add_row(self.world, self.results, condition, name, made, self.seed)
        self.world.log(f"{condition}: measured")

    def measure_context(
        self,
        condition: str,
        make: Callable[[Repository], Context],
        change: Change | None,
    ) -> None:
        """Measure pieces of the source before prompts, with or without an adapter."""
        world = self.world
        for name in world.held_out:
            if self.results.has(condition, name, self.seed):
                continue
            exam = world.exam(name)
            context = make(world.repository(name))
            with Changed(world.bench, change):
                losses = losses_in_context(world.bench, exam, context)
            kinds = tuple(task.kind.value for task in exam.tasks)
            row = Row(condition, name, kinds, as_losses(losses), seed=self.seed)
            self.results.add(row)
        world.log(f"{condition}: measured")

    def battery(
        self, makers: Sequence[Maker], draws: int, controls: bool = True
    ) -> None:
        """Measure makers under the conditions of the battery."""
        world, results = self.world, self.results
        for maker in makers:
            run_battery(world, results, maker, self.nearest, draws, controls, self.seed)

    def complete(self, condition: str, make: Callable[[str], Change | None]) -> None:
        """Complete some tasks of every held-out repository, and keep the scores."""
        exact = Results(self.world.work / "exact.jsonl")
        similar = Results(self.world.work / "similarity.jsonl")
        for name in self.world.held_out:
            if similar.has(condition, name, self.seed):
                continue
            exam = self.world.exam(name)
            numbers = chosen_numbers(exam)
            with torch.no_grad():
                made = complete(self.world.bench, exam, numbers, make(name))
            kinds = tuple(exam.tasks[n].kind.value for n in numbers)
            scores = (
                tuple(float(c.exact) for c in made),
                tuple(c.similarity for c in made),
            )
            for results, of in zip((exact, similar), scores, strict=True):
                if not results.has(condition, name, self.seed):
                    results.add(Row(condition, name, kinds, of, seed=self.seed))
        self.world.log(f"{condition}: completed")

    @cached_property
    def shared(self) -> Change:
        """The shared LoRA, after as many steps as the networks that began from it."""
        return self.change(self.network("shared, twice").weights(""))


def _loss_of_all(exam: Exam, found: Losses) -> float:
    """Return the mean loss of counted and other tokens, as often as they occur."""
    counted = sum(len(at) for _, at in exam.places)
    other = OTHER_STEP * sum(map(len, exam.others))
    weights = [len(at) / counted for _, at in exam.places]
    mean = float((found.tasks * weights).sum())
    return (counted * mean + other * found.other) / (counted + other)


def _gram(changes: Sequence[Change]) -> torch.Tensor:
    """Return the inner products of changes, float64."""
    flat = torch.stack([_flat(change) for change in changes])
    return (flat @ flat.T).double()


def _flat(change: Change) -> torch.Tensor:
    return torch.cat([change[name].flatten() for name in sorted(change)])


def chosen_numbers(exam: Exam) -> list[int]:
    """Return the tasks that are completed: the first few of each kind."""
    return [n for of in by_kind(exam.tasks).values() for n in of[:COMPLETIONS]]
