"""Make the adapter of a commit without training: the strategies of Code2LoRA.

    code2lora-static    from the vectors of HEAD's files
    code2lora-evo       from a state: it starts from the files of one commit, and each
                        commit after it moves it by one step

Everything around is as for a trained adapter: the gate on held-out questions, PEFT
files, the manifest of the samples, lineage and row. So `log`, `why`, `report`, `ask`,
`export` and `rollback` do not know the difference.

    keep      the parent was made of the same vectors, by the same hypernetwork
    state     stored with the adapter, `states.safetensors`, one for each commit that
              was stepped over, so that a branch or a rewritten history continues from
              the newest commit that both have
    reset     with `adapter.reset_state`; after `adapter.rebase_after` commits; and when
              no state is within the commits of the table `commits`

An artifact's states name the commits; the row repeats the names (`generated`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.code.changes.commits import newest_first
from repobuild.errors import BuildError, UsageError
from repobuild.model.adapter.decision import (
    StepDecision,
    StepMode,
    compare_manifests,
    draw_gate,
    earlier_row,
    find_parent_row,
    read_manifest,
)
from repobuild.model.adapter.lineage import Lineage, Manifest, Row, current_digest
from repobuild.model.adapter.promotion import measure_gate, passes_gate
from repobuild.model.adapter.recipe import Recipe, TrainingResult
from repobuild.model.base import Base, load_tokenizer, resolve_base
from repobuild.model.hypernet.chosen import EVO, ChosenHypernet, resolve_hypernet
from repobuild.model.hypernet.vectors import read_files, unpack_vector
from repobuild.model.teaching.curriculum import order_facts
from repobuild.model.teaching.lesson import coverage
from repobuild.model.teaching.teachable import TaughtTexts, read_teachable
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.contract import Task
    from repobuild.model.hypernet.commit_state import State
    from repobuild.model.hypernet.folder import Hypernet
    from repobuild.model.hypernet.lora_weights import LoraWeights
    from repobuild.model.hypernet.repository_input import RepositoryInput

STATES = "states.safetensors"


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """What is known of a step before a hypernetwork is loaded."""

    base: Base
    chosen: ChosenHypernet
    recipe: Recipe
    vectors: str  # digest of the files' vectors
    parent: Row | None  # an adapter of the same strategy, recipe and base

    @property
    def evo(self) -> bool:
        return self.recipe.strategy == EVO


def generate_adapter(task: Task) -> dict[str, Any]:
    """Return the row of this commit's adapter; its files are in `task.folder`."""
    plan = make_plan(task)
    if plan.parent is not None and is_made_of(plan, plan.parent, task):
        kept = StepDecision(StepMode.WAIT, "no source changed", plan.parent)
        task.event("adapter", mode=kept.mode.value, reason=kept.reason)
        return earlier_row(kept)
    if not (task.folder / "repobuild.json").is_file():
        facts = write_generated(task, plan.base, task.folder, plan)
        write_record(task, plan, facts)
    lineage = Lineage.read(task.folder)
    task.event("adapter", mode=lineage.mode, reason=lineage.reason)
    return lineage.to_row(None if lineage.promoted else plan.parent)


def make_plan(task: Task) -> GenerationPlan:
    """Read the settings, the vectors' digest and the parent."""
    settings = task.settings
    base, recipe = resolve_base(settings), Recipe.of(settings)
    chosen = resolve_hypernet(settings, base)
    rows = dict(task.rows("adapter"))
    parent = find_parent_row(rows, task.ancestors(), task.commit)
    is_same = parent is not None and (
        (parent["recipe"], parent["base"]) == (recipe.digest, base.digest)
    )
    if not is_same or read_manifest(task, parent) is None:
        parent = None
    return GenerationPlan(base, chosen, recipe, _digest_of_vectors(task), parent)


def _digest_of_vectors(task: Task) -> str:
    hashed = hashlib.sha256()
    for blob, row in task.table("file_vectors").items():
        hashed.update(f"{blob}\0{row['paths']}\0".encode("utf-8", "replace"))
        hashed.update(row["vector"])
    return hashed.hexdigest()


def is_made_of(plan: GenerationPlan, row: Row, task: Task) -> bool:
    """Return whether an adapter was made of these vectors by this hypernetwork.

    With Evo also of this history: a commit that changed no source moved no file.
    """
    made = row.get("generated") or {}
    wanted = (plan.chosen.digest, plan.vectors)
    if (made.get("hypernet"), made.get("vectors")) != wanted:
        return False
    return not plan.evo or not task.settings["adapter.reset_state"]


# -------------------------------------------------------------------------- generate


def write_generated(
    task: Task, base: Base, folder: Path, plan: GenerationPlan | None = None
) -> dict[str, Any]:
    """Write PEFT files of a generated adapter; return what it was made of.

    Without a plan it is the static adapter, as the start of a trained one.
    """
    from repobuild.model.hypernet.folder import Hypernet
    from repobuild.model.hypernet.lora_weights import write_peft_files
    from repobuild.model.hypernet.repository_input import pool

    chosen = plan.chosen if plan else resolve_hypernet(task.settings, base)
    files = list(read_files(task.table("file_vectors").items()))
    if not files:
        raise BuildError(
            "no source file to generate an adapter from\n"
            f"look at `{program()} show files`; tests are not encoded; or set "
            'adapter.strategy to "lora"'
        )
    check_shape(chosen, base)
    folder.mkdir(parents=True, exist_ok=True)
    with task.progress("generating the adapter", 0):
        network, snapshot = Hypernet.load(chosen.folder), pool(files)
        facts: dict[str, Any] = {"hypernet": chosen.digest, "files": len(files)}
        if plan is not None:
            facts["vectors"] = plan.vectors
        if plan is not None and plan.evo:
            lora, found = _follow_commits(task, plan, network, snapshot, folder)
            facts |= found
        else:
            lora = network(snapshot)
        facts["rank"] = lora.rank
        write_peft_files(folder, chosen.description.shape, lora.detach(), base.name)
    return facts


def check_shape(chosen: ChosenHypernet, base: Base) -> None:
    """Raise `UsageError` when a network's matrices do not fit the base's layers."""
    from repobuild.model.hypernet.shapes import ModelShape

    shape = chosen.description.shape
    names = [target.name for target in shape.targets]
    if shape != ModelShape.read(base.folder(), names):
        raise UsageError(
            f'the hypernetwork in "{chosen.folder}" is for layers of other sizes than '
            f'those of "{base.name}"\nget it anew, or train one for this base'
        )


def _follow_commits(
    task: Task,
    plan: GenerationPlan,
    network: Hypernet,
    snapshot: RepositoryInput,
    folder: Path,
) -> tuple[LoraWeights, dict[str, Any]]:
    """Return the adapter of this commit's state, and what is known of the state."""
    from safetensors.torch import save_file

    rows = dict(task.table("commit_vectors").items())
    order = newest_first(rows)
    found = _find_state(task, plan, order, rows)
    limit = int(task.settings["adapter.rebase_after"])
    if found is not None and found.steps + found.behind <= limit:
        state, steps, start = found.state, found.steps, found.start
        new = order[: found.behind][::-1]
    else:
        state, steps, start, new = network.begin(snapshot), 0, task.commit, []
    states: dict[str, State] = {}
    followed: dict[str, int] = {}  # commit -> steps since the start
    for commit in new:
        state = network.advance(state, unpack_vector(rows[commit]["vector"]))
        steps += 1
        states[commit], followed[commit] = state, steps
    # HEAD need not be among them: commits that cancel each other out are left out.
    for commit in (task.commit, *order[:1]):
        states[commit], followed[commit] = state, steps
    tensors = {
        f"{commit}.{name}": tensor.detach().clone()
        for commit, each in states.items()
        for name, tensor in each.items()
    }
    save_file(tensors, folder / STATES)
    facts = {"states": dict(sorted(followed.items())), "start": start}
    return network.of_state(state), {**facts, "steps": steps, "new": len(new)}


@dataclass(frozen=True, slots=True)
class FoundState:
    """The newest stored state of this history."""

    state: State
    behind: int  # commits since
    steps: int  # commits that it has followed
    start: str  # the commit whose files it started from


def _find_state(
    task: Task,
    plan: GenerationPlan,
    order: Sequence[str],
    vectors: Mapping[str, Mapping[str, Any]],
) -> FoundState | None:
    """Return the newest state among the commits that led here, None without one.

    The oldest commit has no row of its own (the root, or one beyond the table): its
    child names it as parent.
    """
    if task.settings["adapter.reset_state"]:
        return None
    makers = _state_makers(task, plan)
    places = [(0, task.commit)]
    for behind, commit in enumerate(order):
        places += [(behind, commit), (behind + 1, vectors[commit]["parent"])]
    for behind, commit in places:
        row = makers.get(commit)
        state = _read_state(task, row, commit) if row else None
        if row and state is not None:
            made = row["generated"]
            steps = int(made["states"][commit])
            return FoundState(state, behind, steps, str(made["start"]))
    return None


def _state_makers(task: Task, plan: GenerationPlan) -> dict[str, Row]:
    """Return the newest adapter that holds the state of each commit."""
    wanted = (plan.chosen.digest, plan.base.digest)
    makers: dict[str, Row] = {}
    rows = task.rows("adapter").values()
    for row in sorted(rows, key=lambda row: int(row.get("build", 0))):
        made = row.get("generated") or {}
        if (made.get("hypernet"), row["base"]) == wanted:
            makers |= dict.fromkeys(made.get("states", ()), row)
    return makers


def _read_state(task: Task, row: Row, commit: str) -> State | None:
    from safetensors.torch import load_file

    try:
        tensors = load_file(task.object(str(row["object"])) / STATES)
    except (KeyError, OSError):  # collected or damaged
        return None
    prefix = f"{commit}."
    return {
        name.removeprefix(prefix): tensor.clone()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    } or None


# ------------------------------------------------------------------------------ write


def write_record(task: Task, plan: GenerationPlan, facts: Mapping[str, Any]) -> None:
    """Ask the gate, and write tokenizer, manifest and lineage, the lineage last."""
    samples, asked = read_teachable(task)
    ordered = order_facts(samples)
    texts = TaughtTexts.of(task, samples, asked)
    held_out = texts.pairs(draw_gate(asked, ordered))
    scores = measure_gate(task, plan.base, plan.parent, task.folder, held_out)
    manifest = Manifest({i: sample.digest for i, sample in samples.items()})
    before = read_manifest(task, plan.parent) or Manifest({})
    delta = compare_manifests(before, manifest)
    parent, rank = plan.parent, int(facts["rank"])
    targets = tuple(sorted(t.name for t in plan.chosen.description.shape.targets))
    recipe = replace(
        plan.recipe, rank=rank, alpha=rank, targets=targets, rslora=False, dora=False
    )
    lineage = Lineage(
        commit=task.commit,
        tree=task.tree,
        parent=current_digest(parent) if parent else "",
        mode=StepMode.GENERATE.value,
        reason=describe_step(facts),
        base={"name": plan.base.name, "digest": plan.base.digest},
        dataset=manifest.digest,
        recipe=asdict(recipe),
        recipe_digest=plan.recipe.digest,
        chain=int(parent["chain"]) + 1 if parent else 1,
        drift=0.0,
        samples={"current": len(samples), **delta.counts()},
        training=asdict(TrainingResult(0, 0, 0, [], 0, 0.0)),
        scores=scores,
        promoted=parent is None or passes_gate(scores, task.settings),
        coverage=coverage(ordered, {}, plan.recipe.mastery),
        generated=dict(facts),
    )
    load_tokenizer(plan.base).save_pretrained(task.folder)
    manifest.write(task.folder)
    lineage.write(task.folder)


def describe_step(facts: Mapping[str, Any]) -> str:
    """Return what an adapter was made of, for `log` and `why`."""
    files = f"{facts['files']:,} file{'s' * (facts['files'] != 1)}"
    if "states" not in facts:
        return f"from {files}"
    if not facts["steps"]:
        return f"a new state, from {files}"
    new = facts["new"]
    followed = f"{new} commit{'s' * (new != 1)}"
    return f"{followed} further, {facts['steps']} since {facts['start'][:12]}"
