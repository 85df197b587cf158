"""Ask why a network does not tell repositories apart: optimisation, or generalisation.

The static network is trained for long on tasks of a few training repositories, of some
test functions, and measured three times, each time with its own adapters and with
those that it makes of the others:

    seen        the windows that it was trained on
    new tasks   windows of other test functions of the same repositories (exam.py)
    new         the held-out repositories

If own is not below other even for seen tasks, training cannot separate repositories. If
it is there and for new tasks, and not for new repositories, then what it learnt is by
heart: an adapter for each vector, and no rule from vectors to adapters. The control
`random` has a random vector for each repository, which says who it is and nothing else:
what it reaches needs no knowledge of the repository.

The shared LoRA that all begin with may know some of the new tasks: it was trained on
tests of all training repositories. So own and other are compared, not either with base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from safetensors.torch import load_file, save_file

from repobuild.model.hypernet.repository_input import RepositoryInput
from tests.benchmarks import table
from tests.benchmarks.repository_adapters.exam import asked_windows, choose_tasks
from tests.benchmarks.repository_adapters.lora import (
    Change,
    Exam,
    make_exam,
    task_losses,
)
from tests.benchmarks.repository_adapters.main_table import Study
from tests.benchmarks.repository_adapters.networks import (
    Shared,
    Static,
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

REPOSITORIES = 8
STEPS = 200  # 25 of each repository
OTHERS = 2  # whose adapters each repository is measured with
INPUTS = ("vectors", "random")
PLACES = ("seen", "new tasks", "new")


def run_within(study: Study, inputs: Sequence[str] = INPUTS) -> Results:
    """Train and measure, continuing what is there."""
    results = Results(study.world.work / "within.jsonl")
    seen, new_tasks = _split(study)
    exams = {"seen": seen, "new tasks": new_tasks}
    for name in inputs:
        network = _network(study, name, seen)
        for place in PLACES:
            if place == "new" and name == "random":
                continue  # of a new repository it has no vector
            if place == "new" and place not in exams:
                held_out = study.world.held_out
                exams[place] = {name: study.world.exam(name) for name in held_out}
            _measure(study, results, f"{name}/{place}", exams[place], network)
            study.world.log(f"{name}: {place} measured")
    return results


def _split(study: Study) -> tuple[dict[str, Exam], dict[str, Exam]]:
    """Return what the first repositories train on, and what else is asked of them."""
    world = study.world
    seen, new_tasks = {}, {}
    for name in world.training:
        windows = repository_windows(world.repository(name))
        trained, measured = asked_windows(windows)
        pair = []
        for among in (trained, measured):
            tasks = choose_tasks(windows, among=among)
            pair.append(make_exam(world.bench, windows, tasks))
        if all(len(exam.ids) >= 3 for exam in pair):
            seen[name], new_tasks[name] = pair
        if len(seen) == REPOSITORIES:
            break
    return seen, new_tasks


def _network(study: Study, name: str, exams: dict[str, Exam]) -> Static:
    """Return the network of an input, trained on the seen tasks."""
    world = study.world
    torch.manual_seed(study.seed)
    inputs = _random(study) if name == "random" else study.inputs
    network = Static(study.shape, inputs, world.training)
    shared = study.network("shared")
    assert isinstance(shared, Shared)
    network.begin_from(shared)
    path = world.work / "networks" / f"within {name}-{study.seed}.safetensors"
    if path.exists():
        network.load_state_dict(load_file(path))
    else:
        recipe = replace(study.recipe, steps=STEPS, margin_weight=0.5)

        def log(line: str) -> None:
            world.log(f"within, {name}: {line}")

        train_network(world.bench, network, exams, recipe, log)
        save_file({n: t.contiguous() for n, t in network.state_dict().items()}, path)
    return network.eval()


def _random(study: Study) -> dict[str, RepositoryInput]:
    """Return a random input for each repository, of the size of its vectors."""
    rng = torch.Generator().manual_seed(1)
    size = next(iter(study.inputs.values())).files.shape[1]
    return {
        name: RepositoryInput(
            torch.randn(2 * size, generator=rng),
            torch.randn(1, size, generator=rng),
            torch.ones(1),
        )
        for name in study.names
    }


def _measure(
    study: Study,
    results: Results,
    condition: str,
    exams: Mapping[str, Exam],
    network: Static,
) -> None:
    """Measure base, own, and the adapters of the repositories that come next."""
    names = sorted(exams)
    for at, (name, exam) in enumerate(sorted(exams.items())):
        others = [names[(at + n) % len(names)] for n in range(1, OTHERS + 1)]
        made = [("base", ""), ("own", name)]
        made += [(f"other {n}", other) for n, other in enumerate(others, 1)]
        for kind, of in made:
            full = f"{condition}/{kind}"
            if results.has(full, name, study.seed):
                continue
            change: Change | None = None
            if of:
                with torch.no_grad():
                    change = change_of_weights(network.weights(of), study.shape)
            found = task_losses(study.world.bench, exam, change)
            kinds = tuple(task.kind.value for task in exam.tasks)
            losses = as_losses(found.tasks)
            results.add(Row(full, name, kinds, losses, found.other, study.seed))


def within_table(results: Results) -> str:
    """Return a row of each input and place."""
    rows = []
    for condition in dict.fromkeys(
        row.condition.rpartition("/")[0] for row in results.rows
    ):
        base, own = (results.means(f"{condition}/{kind}") for kind in ("base", "own"))
        of_others = [results.means(f"{condition}/other {n + 1}") for n in range(OTHERS)]
        whole = [name for name in own if all(name in of for of in of_others)]
        other = {name: sum(of[name] for of in of_others) / OTHERS for name in whole}
        network, place = condition.split("/")
        difference = paired_bootstrap(own, other).text
        losses = [f"{macro(of):.3f}" for of in (base, own, other)]
        rows.append([network, place, *losses, difference])
    head = ["input", "tasks", "base", "own", "other", "own − other"]
    return table.markdown(head, rows)
