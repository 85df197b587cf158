"""repobuild hypernet: train a network that generates adapters, or show one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, number_of, print_message

if TYPE_CHECKING:
    from repobuild.model.hypernet.training.hypernet_training import (
        HypernetJob,
        HypernetStep,
    )

_REPORTED = 20  # lines of a run


@click.group("hypernet")
def command() -> None:
    """Generate adapters instead of training them.

    A hypernetwork reads a repository and writes its LoRA matrices in one pass. It
    belongs to one base model, and is trained on many repositories.

    \b
    repobuild hypernet train repositories.txt --out hypernet
    repobuild hypernet show hypernet
    """


@command.command("train")
@click.argument("file", metavar="LIST", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out", metavar="DIR", default="hypernet",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the hypernetwork [default: hypernet].",
)  # fmt: skip
@click.option("--evo", is_flag=True, help="Train it to follow commits, too.")
@click.option(
    "--kind", type=click.Choice(["residual", "paper"]), default="residual",
    help="Our head, or the published one [default: residual].",
)  # fmt: skip
@click.option(
    "--steps", metavar="N", default=2000, type=click.IntRange(1, 10**7),
    help="Steps; each shows one repository [default: 2000].",
)  # fmt: skip
@click.option(
    "--encoder", metavar="MODEL", default="",
    help='A folder, a hub id or "qwen3-embedding" [default: the base model].',
)  # fmt: skip
@click.option("--prepare", is_flag=True, help="Encode the repositories, do not train.")
@options.as_json
def train(
    file: Path, out: Path, evo: bool, kind: str, steps: int, encoder: str,
    prepare: bool, as_json: bool,
) -> int:  # fmt: skip
    """Train a hypernetwork for base.model on the repositories of LIST.

    A line of LIST is a git repository or a folder of sources; after a tab, a file of
    tasks as JSON lines: {"prompt", "answer"} or {"question", "answer"}. Without one,
    tasks are made of its Python: assertions of its tests, calls and imports of its own
    names. Run it again to continue. A share of the repositories is held out; the result
    says whether its own adapter serves a repository better than the mean one and than
    another repository's. If not, the network has not learnt to read repositories.

    \b
    repobuild hypernet train repositories.txt --out hypernet
    repobuild hypernet train repositories.txt --evo --steps 5000
    repobuild -c base.model=./qwen hypernet train repositories.txt --prepare
    """
    from repobuild.model.hypernet.training.hypernet_training import (
        prepare_job,
        train_hypernet,
    )

    job = _make_job(file, out, evo, kind, steps, encoder)
    job.write()
    facts: dict[str, Any] = {"version": 1, "folder": str(out), "kind": kind, "evo": evo}
    if prepare:
        ready = prepare_job(job, print_message)
        facts["repositories"] = len(ready)
        emit(facts, as_json, _prepared_text)
        return 0
    scores = train_hypernet(job, _report, print_message)
    facts |= {"steps": steps, "held_out": scores._asdict() if scores else {}}
    emit(facts, as_json, _trained_text)
    return 0


@command.command("show")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@options.as_json
def show(folder: Path, as_json: bool) -> int:
    """Show what a hypernetwork is for, how it was trained, and what it scored.

    \b
    repobuild hypernet show hypernet
    """
    from repobuild.model.hypernet.description import HypernetDescription

    description = HypernetDescription.read(folder)
    emit({"version": 1, **description.plain()}, as_json, _shown_text)
    return 0


def _make_job(
    file: Path, out: Path, evo: bool, kind: str, steps: int, encoder: str
) -> HypernetJob:
    """Return the job by the user's settings; no repository decides it."""
    from dataclasses import replace

    from repobuild.model.base import resolve_base
    from repobuild.model.compute.deepspeed_config import read_config
    from repobuild.model.hypernet.file_encoder import EncoderSettings
    from repobuild.model.hypernet.training.hypernet_training import (
        HypernetJob,
        HypernetRecipe,
    )
    from repobuild.model.hypernet.training.training_set import SetSettings, read_list
    from repobuild.settings import read_layers

    settings = replace(read_layers(Path.cwd()), repository={}).merged()
    recipe = HypernetRecipe(
        kind=kind,
        evo=evo,
        steps=steps,
        learning_rate=1e-3 if kind == "residual" else 1e-4,
        bf16=bool(settings["adapter.bf16"]),
        seed=int(settings["adapter.seed"]),
    )
    return HypernetJob(
        base=resolve_base(settings),
        recipe=recipe,
        encoder=EncoderSettings(encoder),
        data=SetSettings(evo=evo, seed=recipe.seed),
        listed=read_list(file),
        out=out.absolute(),
        deepspeed=read_config(settings["adapter.deepspeed"], str(Path.cwd())),
    )


def _report(step: HypernetStep) -> None:
    """Print a step now and then: its loss, and those of own and other adapter."""
    every = max(1, step.steps // _REPORTED)
    if step.step % every == 0 or step.step == step.steps:
        print_message(
            f"step {step.step:,} of {step.steps:,}: loss {step.loss:.3f}, own "
            f"{step.own:.3f}, another's {step.other:.3f}"
        )


# ------------------------------------------------------------------------------- text


def _prepared_text(facts: dict[str, Any]) -> str:
    return (
        f"encoded {number_of(facts['repositories'], 'repository')}: {facts['folder']}"
    )


def _trained_text(facts: dict[str, Any]) -> str:
    strategy = "code2lora-evo" if facts["evo"] else "code2lora-static"
    return (
        f"trained {facts['steps']:,} steps: {facts['folder']}\n"
        f"{_scores_text(facts['held_out'])}\n"
        f"use it: repobuild -c adapter.hypernet={facts['folder']} "
        f"-c adapter.strategy={strategy}"
    )


def _scores_text(scores: dict[str, Any]) -> str:
    """Return the held-out losses, and what they show."""
    if not scores:
        return "too few repositories to hold some out: nothing is known of its quality"
    names = ("base", "mean", "shuffled", "own")
    losses = ", ".join(f"{name} {scores[name]:.3f}" for name in names)
    best = scores["own"] < min(scores["mean"], scores["shuffled"])
    verdict = (
        "own is the lowest: it may read repositories; test it on more"
        if best
        else "own is not below mean and shuffled: it does not read repositories"
    )
    return (
        f"held-out loss on {scores['repositories']} repositories: {losses}\n{verdict}"
    )


def _shown_text(facts: dict[str, Any]) -> str:
    training = facts["training"]
    follows = ", follows commits" if facts["evo"] else ""
    lines = [
        f"kind     {facts['kind']}{follows}",
        f"base     {facts['base']['name']} {facts['base']['digest'][:12]}",
        f"encoder  {facts['encoder']['model'] or 'the base model'}",
    ]
    if training:
        steps = training["recipe"]["steps"]
        lines.append(
            f"trained  {steps:,} steps, {training['repositories']} repositories"
        )
        lines.append(_scores_text(training["held_out"]))
    return "\n".join(lines)
