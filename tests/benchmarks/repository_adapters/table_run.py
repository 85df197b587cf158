"""Run the main table, and write it.

networks    shared, static, of names, of gradients: own, mean, some draws
the rest    baselines on the same tasks
battery     zero, nearest, all draws
untrained   what needs no training repository, and completions: with the first seed
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.repository_adapters.battery import (
    Made,
    Maker,
    battery_table,
    drawn,
    shuffled_means,
)
from tests.benchmarks.repository_adapters.bm25 import Bm25Context
from tests.benchmarks.repository_adapters.ceiling import KINDS
from tests.benchmarks.repository_adapters.context import Context
from tests.benchmarks.repository_adapters.dependencies import DependencyContext
from tests.benchmarks.repository_adapters.graph_search import GraphContext
from tests.benchmarks.repository_adapters.lora import mixture, spread
from tests.benchmarks.repository_adapters.main_table import Study
from tests.benchmarks.repository_adapters.networks import NetworkRecipe
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.results import (
    Results,
    macro,
    paired_bootstrap,
    shown,
)
from tests.benchmarks.repository_adapters.world import World

FIRST_SEED = 1
CONTEXTS: dict[str, Callable[[Repository], Context]] = {
    "BM25 context": Bm25Context,
    "dependency context": DependencyContext,
    "graph context": GraphContext,
}
SEEDED = ("static", "static of names", "gradient")  # networks that read a repository


def run_table(world: World, recipe: NetworkRecipe, draws: int, seed: int) -> str:
    """Measure everything, and return the tables.

    A seed is of the networks and their steps: what has none is measured with the first.
    """
    study = Study(world, recipe, seed)
    first = seed == FIRST_SEED
    makers = run_networks(study, min(draws, 4), first)
    run_rest(study, first)
    study.battery(makers, draws)
    if first:
        untrained = run_untrained(study, draws)
        run_completions(study)
        makers += untrained
    return "\n\n".join(
        (
            tables(study.results, [maker.name for maker in makers]),
            seed_table(study.results, SEEDED),
            spread_table(study, makers),
            completion_table(world.work),
        )
    )


def seed_table(results: Results, makers: Sequence[str]) -> str:
    """Return own against its controls, of each seed alone."""
    rows = []
    for maker in makers:
        for seed in sorted({row.seed for row in results.rows}):
            alone = results.of_seed(seed)
            own = alone.means(f"{maker}/own")
            controls = (
                alone.means("shared"),
                alone.means(f"{maker}/mean"),
                shuffled_means(alone, maker),
            )
            if own:
                differences = [paired_bootstrap(own, other).text for other in controls]
                rows.append([maker, str(seed), f"{macro(own):.3f}", *differences])
    head = ["maker", "seed", "own", "own − shared", "own − mean", "own − shuffled"]
    return table.markdown(head, rows)


def spread_table(study: Study, makers: Sequence[Maker]) -> str:
    """Return how much what is made of the held-out repositories differs."""
    names = study.world.held_out
    made = {"own LoRA": [study.world.change(name) for name in names]}
    for maker in makers:
        changes = [maker.make(name, name).change for name in names]
        if maker.name in (*SEEDED, "gradient step"):
            made[maker.name] = [change for change in changes if change is not None]
    rows = []
    for maker_name, of in made.items():
        found = spread(of)
        rows.append([maker_name, f"{found.cosine:.3f}", f"{found.residual:.3f}"])
    return table.markdown(["adapters", "cosine", "own − mean, of own"], rows)


def run_untrained(study: Study, draws: int) -> list[Maker]:
    """Measure what is made without training a network on other repositories."""
    world = study.world
    study.measure("base", lambda _: None)
    study.measure("own LoRA", world.change)
    adapters = [name for name in study.names if world.adapter_path(name).exists()]
    study.measure("PCA oracle", study.oracle_maker(adapters))
    makers = [study.step_maker(), study.ridge_maker(adapters), study.bias_maker()]
    study.battery(makers, draws)
    return makers


def run_networks(study: Study, draws: int, first: bool) -> list[Maker]:
    """Measure what is trained on the training repositories."""
    if first:
        study.measure("base", lambda _: None)
    study.measure("shared", lambda _: study.shared)
    makers = []
    for name in SEEDED:
        makers.append(study.network_maker(name))
        study.battery(makers[-1:], draws, controls=False)
    makers.append(study.bias_maker(study.shared))
    study.battery(makers[-1:], draws, controls=False)
    return makers


def run_completions(study: Study) -> None:
    """Complete tasks with what matters most, and with controls."""
    world, held_out = study.world, study.world.held_out
    study.complete("base", lambda _: None)
    study.complete("own LoRA", world.change)
    study.complete("shared", lambda _: study.shared)
    for kind, zero in (("static", True), ("gradient", False)):
        maker = study.network_maker(kind)
        conditions: dict[str, Callable[[str], Made]] = {
            "own": lambda name, maker=maker: maker.make(name, name),
            "shuffled 0": lambda name, maker=maker: maker.make(
                name, drawn(name, held_out, 0)
            ),
        }
        if zero:
            conditions["zero"] = maker.zero
        for condition, make in conditions.items():
            study.complete(
                f"{kind}/{condition}", lambda name, make=make: make(name).change
            )


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


def run_rest(study: Study, first: bool) -> None:
    """Measure the baselines that are left."""
    world, shared = study.world, study.shared
    fixed, tied = study.network("fixed"), study.network("layer-shared")
    study.measure("fixed", lambda name: study.change(fixed.weights(name)))
    study.measure("layer-shared", lambda name: study.change(tied.weights(name)))
    study.measure(
        "shared + own LoRA",
        lambda name: mixture([shared, world.change(name)], [1.0, 1.0]),
    )
    if first:
        for name, make in CONTEXTS.items():
            study.measure_context(name, make, None)
            study.measure_context(f"shared + {name}", make, shared)


def tables(results: Results, makers: Sequence[str]) -> str:
    """Return the main table and the battery."""
    conditions = [
        "base", *CONTEXTS, "own LoRA", "PCA oracle", "shared", "layer-shared",
        "fixed", *(f"shared + {name}" for name in CONTEXTS), "shared + own LoRA",
        *(f"{maker}/own" for maker in makers),
    ]  # fmt: skip
    return main_table(results, conditions) + "\n\n" + battery_table(results, makers)


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
                shown(results.others(condition)),
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
