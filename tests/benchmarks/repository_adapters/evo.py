"""Follow histories: a state that every commit moves, beside Static made anew.

    static      made of each commit's snapshot
    stale       made of the snapshot before the first commit
    evo         the state of that snapshot, moved by the diff of every commit since
    reordered   the same diffs in a random order
    foreign     the same number of diffs of another repository
    shared      the part that is the same for all repositories

At each commit all answer what it newly asks (evolution.py), after they have seen its
source; no test is in a diff or a snapshot. The state is trained on histories of
training repositories, the gradient through 8 commits; the network that made the static
adapters stays as it is, so that a state adds to it or does nothing.

    WORK/evo.jsonl      losses, a line for each history and half of it
    WORK/drift.jsonl    at every tenth commit: what became of the adapters, and the cost
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pygit2
import torch
from safetensors.torch import load_file, save_file

from repobuild.model.hypernet.commit_state import ResidualState, State
from repobuild.model.hypernet.file_encoder import FileEncoder
from repobuild.model.hypernet.lora_weights import LoraWeights, overlap
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead
from repobuild.model.hypernet.sources import diff_text
from tests.benchmarks import table
from tests.benchmarks.repository_adapters import vectors
from tests.benchmarks.repository_adapters.evolution import (
    changed_tests,
    evolution,
    history,
)
from tests.benchmarks.repository_adapters.exam import choose_tasks
from tests.benchmarks.repository_adapters.lora import Exam, make_exam, task_losses
from tests.benchmarks.repository_adapters.main_table import Study
from tests.benchmarks.repository_adapters.networks import (
    Static,
    change_of_weights,
    counted_loss,
)
from tests.benchmarks.repository_adapters.repositories import (
    Parsed,
    Repository,
    at_revision,
    is_left_out,
    is_test_path,
    open_mirror,
)
from tests.benchmarks.repository_adapters.results import (
    Results,
    Row,
    as_losses,
    macro,
    paired_bootstrap,
)
from tests.benchmarks.repository_adapters.world import World

HISTORIES, COMMITS = 5, 100  # that are measured
TRAINED, TRAINED_COMMITS, AMONG = 6, 48, 24  # training histories, of the first so many
WINDOW = 8  # commits of one gradient
EPOCHS = 2
RATE = 1e-3
CONDITIONS = ("shared", "stale", "static", "evo", "reordered", "foreign")
DRIFT_EVERY = 10  # commits


@dataclass(frozen=True, slots=True)
class Step:
    """A commit of a history."""

    diff: torch.Tensor  # (2C,), zero when no source changed
    snapshot: RepositoryInput  # after it
    exam: Exam | None  # what it newly asks
    static_cost: float  # seconds of CPU: encode the changed files, pool
    evo_cost: float  # encode the diff


@dataclass(frozen=True, slots=True)
class History:
    """Commits, oldest first, and the snapshot before them."""

    name: str
    before: RepositoryInput
    steps: tuple[Step, ...]


# ---------------------------------------------------------------------------- reading


def busiest(world: World, names: Sequence[str], count: int, most: int) -> list[str]:
    """Return the repositories whose last commits change tests most often."""

    def commits_with_tests(name: str) -> int:
        git = open_mirror(world.mirrors, name)
        commits = history(git, _commit(world, name), most)
        if len(commits) < most:
            return 0
        return sum(bool(changed_tests(git, commit)) for commit in commits)

    return sorted(names, key=commits_with_tests, reverse=True)[:count]


def _commit(world: World, name: str) -> str:
    return next(one.commit for one in world.listed if one.name == name)


def read_history(world: World, name: str, most: int) -> History:
    """Read and encode the last commits of a repository."""
    git = open_mirror(world.mirrors, name)
    commits = history(git, _commit(world, name), most)
    asked = {found.commit: found for found in evolution(git, name, commits)}
    encoder = FileEncoder(world.bench.model, world.bench.tokenizer, vectors.SETTINGS)
    parsed: Parsed = {}
    known: vectors.Known = {}

    def at(commit: pygit2.Commit) -> Repository:
        return at_revision(git, name, str(commit.id), parsed)

    before = vectors.encode(world.bench, at(commits[0].parents[0]), known)
    steps = []
    for commit in commits:
        repository, text = at(commit), source_diff(git, commit)
        begun = time.process_time()
        diff = encoder.encode_diff(text).vector
        middle = time.process_time()
        after = vectors.encode(world.bench, repository, known)
        end = time.process_time()
        found = asked.get(str(commit.id))
        exam = None
        if found is not None:
            tasks = choose_tasks(found.windows, most=1, of=found.tasks)
            exam = make_exam(world.bench, found.windows, tasks)
        kept = exam if exam is not None and exam.tasks else None
        steps.append(Step(diff, after, kept, end - middle, middle - begun))
    asking = sum(step.exam is not None for step in steps)
    world.log(f"{name}: {len(steps)} commits, {asking} ask something")
    return History(name, before, tuple(steps))


def source_diff(git: pygit2.Repository, commit: pygit2.Commit) -> str:
    """Return a commit's changes of source, as the product shows them to an encoder."""
    changes = []
    for delta in git.diff(commit.parents[0].tree, commit.tree).deltas:
        path = delta.new_file.path
        if path.endswith(".py") and not is_test_path(path) and not is_left_out(path):
            old, new = (
                "" if set(str(file.id)) == {"0"} else str(file.id)
                for file in (delta.old_file, delta.new_file)
            )
            changes.append(("", delta.old_file.path, old, path, new))
    return diff_text(changes, lambda blob: bytes(git[blob].data))


# --------------------------------------------------------------------------- training


def trained_state(study: Study, head: ResidualHead) -> ResidualState:
    """Return a state for the head of the table's static network; train it if need be.

    Only the state is trained: without it, everything is Static.
    """
    world = study.world
    torch.manual_seed(study.seed)
    state = ResidualState(head)
    path = world.work / "networks" / f"evo-{study.seed}.safetensors"
    if path.exists():
        state.load_state_dict(load_file(path))
        return state.eval()
    names = busiest(world, world.training[:AMONG], TRAINED, TRAINED_COMMITS)
    histories = [read_history(world, name, TRAINED_COMMITS) for name in names]
    diffs = [step.diff for found in histories for step in found.steps]
    state.whitening.fit(torch.stack(diffs))
    _train(study, head, state, list(_windows(histories)))
    save_file({n: t.contiguous() for n, t in state.state_dict().items()}, path)
    return state.eval()


def _windows(histories: Sequence[History]) -> Iterator[History]:
    """Cut histories into windows in which something is asked."""
    for found in histories:
        for begin in range(0, len(found.steps) - WINDOW + 1, WINDOW):
            before = found.steps[begin - 1].snapshot if begin else found.before
            steps = found.steps[begin : begin + WINDOW]
            if any(step.exam for step in steps):
                yield History(found.name, before, steps)


@torch.enable_grad()
def _train(
    study: Study, head: ResidualHead, state: ResidualState, windows: list[History]
) -> None:
    head.requires_grad_(False)
    parameters = list(state.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    rng = random.Random(study.seed)
    mean = 0.0
    order = [window for _ in range(EPOCHS) for window in _shuffled(windows, rng)]
    for number, window in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((number + 1) / 10, 1 - number / len(order))
        at = state.begin(window.before)
        losses = []
        for step in window.steps:
            at = state.advance(at, step.diff)
            if step.exam is not None:
                lora = head.generate(state.context(at))
                losses.append(
                    counted_loss(
                        study.world.bench, lora, step.exam, range(len(step.exam.ids))
                    )
                )
        loss = torch.stack(losses).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        mean = loss.item() if not number else 0.95 * mean + 0.05 * loss.item()
        if number % 20 == 19:
            study.world.log(f"evo: step {number + 1} of {len(order)}: loss {mean:.3f}")


def _shuffled(windows: Sequence[History], rng: random.Random) -> list[History]:
    return rng.sample(windows, len(windows))


# -------------------------------------------------------------------------- measuring


def run_evo(study: Study) -> str:
    """Measure all conditions on held-out histories; return the tables."""
    world = study.world
    results = Results(world.work / "evo.jsonl")
    network = study.network("static")
    assert isinstance(network, Static)
    head = network.head
    state = trained_state(study, head)
    names = busiest(world, world.held_out, HISTORIES, COMMITS)
    done = {name for name in names if results.has("foreign/late", name, study.seed)}
    if len(done) < len(names):
        histories = {name: read_history(world, name, COMMITS) for name in names}
        for number, name in enumerate(names):
            other = names[(number + 1) % len(names)]
            if name not in done:
                _measure(study, results, state, head, histories[name], histories[other])
                world.log(f"{name}: history measured")
    return evo_table(world, results)


@torch.no_grad()
def _measure(
    study: Study,
    results: Results,
    state: ResidualState,
    head: ResidualHead,
    found: History,
    other: History,
) -> None:
    diffs = [step.diff for step in found.steps]
    mixed = random.Random(found.name).sample(diffs, len(diffs))
    walks = {
        "evo": diffs,
        "reordered": mixed,
        "foreign": [step.diff for step in other.steps],
    }
    states: dict[str, State] = {kind: state.begin(found.before) for kind in walks}
    losses: dict[str, list[tuple[str, float]]] = {}
    drift = (study.world.work / "drift.jsonl").open("a", encoding="utf-8")
    stale, shared = head(found.before), head.shared()
    for number, step in enumerate(found.steps):
        for kind, walk in walks.items():
            states[kind] = state.advance(states[kind], walk[number])
        made: dict[str, LoraWeights] = {
            kind: head.generate(state.context(at)) for kind, at in states.items()
        }
        made |= {"stale": stale, "static": head(step.snapshot), "shared": shared}
        if number % DRIFT_EVERY == DRIFT_EVERY - 1:
            facts = _drift(found, number + 1, made)
            drift.write(json.dumps(facts) + "\n")
        if step.exam is None:
            continue
        half = "early" if number < len(found.steps) / 2 else "late"
        kinds = [task.kind.value for task in step.exam.tasks]
        for kind, lora in made.items():
            change = change_of_weights(lora, study.shape)
            of = task_losses(study.world.bench, step.exam, change)
            losses.setdefault(f"{kind}/{half}", []).extend(
                zip(kinds, as_losses(of.tasks), strict=True)
            )
    drift.close()
    for condition in sorted(losses, key=lambda c: c.startswith("foreign")):
        of_kinds, values = zip(*losses[condition], strict=True)
        results.add(Row(condition, found.name, of_kinds, values, seed=study.seed))


def _drift(
    found: History, number: int, made: Mapping[str, LoraWeights]
) -> dict[str, Any]:
    """Return how far the adapters are from the one that Static makes now."""
    facts: dict[str, Any] = {"name": found.name, "commit": number}
    now = made["static"]
    for kind in ("stale", "evo", "reordered", "foreign"):
        both = overlap(made[kind], now)
        distance = max(0.0, both.first + both.second - 2 * both.both) ** 0.5
        facts[kind] = round(distance / both.second**0.5, 5)
    facts["static cost"] = round(sum(s.static_cost for s in found.steps[:number]), 3)
    facts["evo cost"] = round(sum(s.evo_cost for s in found.steps[:number]), 3)
    return facts


def evo_table(world: World, results: Results) -> str:
    """Return quality, and then drift and cost."""
    halves = ("early", "late")

    def means(condition: str) -> dict[str, float]:
        parts = [results.means(f"{condition}/{half}") for half in halves]
        names = dict.fromkeys(name for part in parts for name in part)
        return {
            name: float(np.mean([part[name] for part in parts if name in part]))
            for name in names
        }

    static = means("static")
    rows = []
    for condition in CONDITIONS:
        found = means(condition)
        parts = [macro(results.means(f"{condition}/{half}")) for half in halves]
        rows.append(
            [
                condition,
                f"{macro(found):.3f}",
                *(f"{part:.3f}" for part in parts),
                "" if condition == "static" else paired_bootstrap(found, static).text,
            ]
        )
    head = ["", "all", "commits 1-50", "commits 51-100", "− static"]
    lines = (world.work / "drift.jsonl").read_text("utf-8").splitlines()
    facts = [json.loads(line) for line in lines]
    kinds = ["stale", "evo", "reordered", "foreign", "static cost", "evo cost"]
    of_commit = partial(_at_commit, facts, kinds)
    commits = sorted({fact["commit"] for fact in facts})
    return (
        table.markdown(head, rows)
        + "\n\n"
        + table.markdown(["commit", *kinds], [of_commit(n) for n in commits])
    )


def _at_commit(
    facts: Sequence[Mapping[str, Any]], kinds: Sequence[str], number: int
) -> list[str]:
    found = [fact for fact in facts if fact["commit"] == number]
    return [
        str(number),
        *(f"{np.mean([fact[kind] for fact in found]):.3f}" for kind in kinds),
    ]
