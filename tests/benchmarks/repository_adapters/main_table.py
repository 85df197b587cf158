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
from tests.benchmarks import table
from tests.benchmarks.repository_adapters import identifiers, vectors
from tests.benchmarks.repository_adapters.battery import (
    Made,
    Maker,
    add_row,
    battery_table,
    drawn,
    run_battery,
)
from tests.benchmarks.repository_adapters.ceiling import KINDS
from tests.benchmarks.repository_adapters.completion import complete
from tests.benchmarks.repository_adapters.context import losses_in_context
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
    train_network,
)
from tests.benchmarks.repository_adapters.results import (
    Results,
    Row,
    as_losses,
    macro,
    paired_bootstrap,
)
from tests.benchmarks.repository_adapters.tasks import repository_windows
from tests.benchmarks.repository_adapters.world import World

TRAINING_WINDOWS = 5  # of a kind, of a training repository
COMPLETIONS = 3  # of each kind and repository
GRADIENTS = 24  # training repositories on which rates of gradients are learnt
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
        """Of the held-out repositories, and of those that numbers are tuned on."""
        path = self.world.work / "frequencies.safetensors"
        found = load_file(path) if path.exists() else {}
        for name in [*self.world.training[:TUNED_ON], *self.world.held_out]:
            if name not in found:
                repository = self.world.repository(name)
                found[name] = identifiers.frequencies(self.world.bench, repository)
        save_file(found, path)
        return found

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
            exams = self.training_exams
            if isinstance(network, RatedGradient):
                exams = {n: exam for n, exam in exams.items() if n in network.gradients}
            train_network(
                self.world.bench,
                network,
                exams,
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
            gradients = {
                name: self.gradient(name)
                for name in [*self.world.training[:GRADIENTS], *self.world.held_out]
            }
            return RatedGradient(self.shape, shared, gradients), recipe
        if name == "shared, twice":
            again = Shared(self.shape)
            again.load_state_dict(shared.state_dict())
            return again, recipe
        made = Static(
            self.shape, self.inputs, self.world.training, constant=name == "fixed"
        )
        made.begin_from(shared)
        if name == "static":
            recipe = replace(recipe, margin_weight=0.5)
        return made, recipe

    def change(self, lora: LoraWeights) -> Change:
        return change_of_weights(lora, self.shape)

    def mean_change(self, network: Network) -> Change:
        """Return the mean of what a network makes of the training repositories."""
        names = self.world.training
        if isinstance(network, RatedGradient):
            names = [name for name in names if name in network.gradients]
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
        mean = torch.stack(list(known.values())).mean(0)

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

    def measure_context(self, condition: str, change: Change | None) -> None:
        """Measure retrieval in context, with or without an adapter."""
        world = self.world
        for name in world.held_out:
            if self.results.has(condition, name, self.seed):
                continue
            exam = world.exam(name)
            with Changed(world.bench, change):
                losses = losses_in_context(world.bench, exam, world.repository(name))
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


def main_table(results: Results, conditions: Sequence[str]) -> str:
    """Return a row of each condition: macro, by kind, micro, differences."""
    base, shared = results.means("base"), results.means("shared")
    rows = []
    for condition in conditions:
        found = results.means(condition)
        if not found:
            continue
        rows.append(
            [
                condition,
                *(f"{macro(results.means(condition, kind)):.3f}" for kind in KINDS),
                f"{results.micro(condition):.3f}",
                f"{macro(results.others(condition)):.3f}",
                paired_bootstrap(found, base).text if condition != "base" else "",
                paired_bootstrap(found, shared).text
                if condition not in ("base", "shared")
                else "",
            ]
        )
    head = [
        "",
        *(kind or "all" for kind in KINDS),
        "micro",
        "other",
        "− base",
        "− shared",
    ]
    return table.markdown(head, rows)


def run_table(world: World, recipe: NetworkRecipe, draws: int, seed: int) -> str:
    """Measure everything, and return the tables."""
    study = Study(world, recipe, seed)
    makers = run_untrained(study, min(draws, 4))
    makers += run_networks(study, min(draws, 4))
    run_rest(study)
    study.battery(makers, draws)
    run_completions(study)
    names = [maker.name for maker in makers]
    return tables(study.results, names) + "\n\n" + completion_table(world.work)


def run_untrained(study: Study, draws: int) -> list[Maker]:
    """Measure what is made without training a network on other repositories."""
    world = study.world
    study.measure("base", lambda _: None)
    study.measure("own LoRA", world.change)
    adapters = [name for name in study.names if world.adapter_path(name).exists()]
    study.measure("PCA oracle", study.oracle_maker(adapters))
    makers = [study.step_maker(), study.ridge_maker(adapters), study.bias_maker()]
    study.battery(makers, draws, controls=False)
    return makers


def run_networks(study: Study, draws: int) -> list[Maker]:
    """Measure what is trained on the training repositories."""
    study.measure("shared", lambda _: study.shared)
    makers = [study.network_maker("static")]
    study.battery(makers, draws, controls=False)
    makers += [study.network_maker("gradient"), study.bias_maker(study.shared)]
    study.battery(makers, draws, controls=False)
    return makers


def run_completions(study: Study) -> None:
    """Complete tasks with what matters most, and with the controls of one maker."""
    world, held_out = study.world, study.world.held_out
    step = study.step_maker()
    study.complete("base", lambda _: None)
    study.complete("own LoRA", world.change)
    study.complete("gradient step/own", lambda name: step.make(name, name).change)
    study.complete("gradient step/mean", lambda name: step.mean(name).change)
    study.complete(
        "gradient step/shuffled 0",
        lambda name: step.make(name, drawn(name, held_out, 0)).change,
    )
    study.complete("shared", lambda _: study.shared)
    static = study.network_maker("static")
    study.complete("static/own", lambda name: static.make(name, name).change)


def chosen_numbers(exam: Exam) -> list[int]:
    """Return the tasks that are completed: the first few of each kind."""
    return [n for of in by_kind(exam.tasks).values() for n in of[:COMPLETIONS]]


def completion_table(work: Path) -> str:
    """Return exact match and edit similarity of each condition that was completed."""
    exact, similar = Results(work / "exact.jsonl"), Results(work / "similarity.jsonl")
    rows = []
    for condition in dict.fromkeys(row.condition for row in exact.rows):
        found = exact.means(condition)
        rows.append(
            [
                condition,
                str(sum(len(r.kinds) for r in exact.rows if r.condition == condition)),
                f"{100 * exact.micro(condition):.1f}",
                *(f"{100 * macro(exact.means(condition, kind)):.1f}" for kind in KINDS),
                f"{macro(similar.means(condition)):.3f}",
                ""
                if condition == "base"
                else paired_bootstrap(exact.means("base"), found).text,
            ]
        )
    kinds = [kind or "macro" for kind in KINDS]
    head = ["exact match, %", "tasks", "micro", *kinds, "similarity", "base − it"]
    return table.markdown(head, rows)


def run_rest(study: Study) -> None:
    """Measure the baselines that are left."""
    world, shared = study.world, study.shared
    study.measure_context("BM25 context", None)
    study.measure_context("shared + BM25 context", shared)
    study.measure(
        "shared + own LoRA",
        lambda name: mixture([shared, world.change(name)], [1.0, 1.0]),
    )
    fixed, tied = study.network("fixed"), study.network("layer-shared")
    study.measure("fixed", lambda name: study.change(fixed.weights(name)))
    study.measure("layer-shared", lambda name: study.change(tied.weights(name)))


def tables(results: Results, makers: Sequence[str]) -> str:
    """Return the main table and the battery."""
    conditions = [
        "base", "BM25 context", "own LoRA", "PCA oracle", "shared", "layer-shared",
        "fixed", "shared + BM25 context", "shared + own LoRA",
        *(f"{maker}/own" for maker in makers),
    ]  # fmt: skip
    return main_table(results, conditions) + "\n\n" + battery_table(results, makers)
