"""repobuild init: write a repobuild.toml that fits the repository and the machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli.output import print_message, print_text
from repobuild.errors import UsageError, nearest
from repobuild.resources import SETTINGS_FILE

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.survey.machine import Machine
    from repobuild.survey.proposal import BuildTime, PresetNeeds, Proposal
    from repobuild.survey.source_survey import SourceSurvey

_BUDGET = "adapter.budget"


@click.command("init")
@click.option(
    "--preset", metavar="NAME", default="", help="What to start from; asks no preset."
)
@click.option("--yes", "-y", is_flag=True, help="Take what is proposed, ask nothing.")
@click.option("--force", "-f", is_flag=True, help="Overwrite the file that is there.")
def command(preset: str, yes: bool, force: bool) -> int:
    """Write repobuild.toml: a preset that fits, and every setting commented out.

    \b
    repobuild init                     asks for a preset and a budget
    repobuild init --yes               takes what is proposed
    repobuild init --preset qwen3-8b   takes this preset
    """
    from repobuild.checkout import open_checkout
    from repobuild.settings import preset_settings
    from repobuild.settings_schema import settings_file

    checkout = open_checkout()
    path = checkout.root / SETTINGS_FILE
    _refuse_existing(path, force)
    values = preset_settings(preset) if preset else {}
    found = _Findings.of(checkout)
    print_text("\n".join(found.lines()))
    asks = not yes and sys.stdin.isatty()
    if not preset:
        preset = _choose_preset(found, asks, yes)
        values = preset_settings(preset)
    chosen = _choose_budget(found, preset, values, asks)
    text = settings_file(preset, values, chosen, found.notes())
    _write(path, text, force)
    asked = checkout.powers.requested
    if asked.powers and not asked.sizes:  # the user chose it just now
        checkout.trust.trust(asked)
        checkout.trust.write()
    print_text(f'wrote "{path}"; uncomment what you want to change')
    print_text(found.next_step())
    return 0


def _refuse_existing(path: Path, force: bool) -> None:
    if path.is_symlink():
        raise UsageError(
            f'"{path}" is there already as a symbolic link\nmove it away first'
        )
    if path.exists() and not (force and path.is_file()):
        raise UsageError(
            f'"{path}" is there already\n'
            "edit it, or overwrite it with `repobuild init --force`"
        )


def _write(path: Path, text: str, force: bool) -> None:
    """Write a new file, or with `force` over another; never through a link."""
    from repobuild.engine.state_files import open_without_links

    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    with open(open_without_links(path, flags), "w", encoding="utf-8") as file:
        file.write(text)


# --------------------------------------------------------------------- what is found


@dataclass(frozen=True)
class _Findings:
    """What init finds before it asks."""

    sources: SourceSurvey
    questions: list[str]  # languages
    machine: Machine
    has_commit: bool

    @classmethod
    def of(cls, checkout: Checkout) -> _Findings:
        from repobuild.settings_schema import defaults
        from repobuild.survey.machine import Machine
        from repobuild.survey.prose_survey import question_languages
        from repobuild.survey.source_survey import survey_snapshot, survey_sources

        machine = Machine.here()
        if checkout.repository.head_is_unborn:
            return cls(survey_sources([], defaults()), ["en"], machine, False)
        snapshot = checkout.snapshot()
        sources = survey_snapshot(snapshot, defaults())
        return cls(sources, question_languages(snapshot), machine, True)

    @property
    def files(self) -> int:
        return sum(self.sources.read.values())

    def lines(self) -> list[str]:
        return [f"{name.ljust(9)}  {text}" for name, text in self._texts().items()]

    def notes(self) -> list[str]:
        """Return the comments at the top of the file."""
        return ["", "When it was written:", *map(": ".join, self._texts().items()), ""]

    def _texts(self) -> dict[str, str]:
        from repobuild.survey.source_survey import counted

        read = counted(self.sources.read, most=8) or "nothing that is read"
        texts = {
            "files": read if self.has_commit else "none: there is no commit yet",
            "questions": ", ".join(self.questions),
            "machine": self.machine.text,
        }
        if self.sources.missing:
            texts["not read"] = f"{counted(self.sources.missing)}: no grammar"
        return texts

    def next_step(self) -> str:
        """Return what to run now."""
        from repobuild.code.scan.language import install_grammars

        if not self.has_commit:
            return "next: commit something, then run `repobuild`"
        if self.sources.missing:
            command = install_grammars(self.sources.missing)
            return f"next: {command}, then run `repobuild`"
        return "next: run `repobuild`"

    def propose(self, needs: PresetNeeds) -> Proposal:
        from repobuild.survey.proposal import propose

        return propose(needs, self.machine, self.files)


# ------------------------------------------------------------------- what is proposed


def _choose_preset(found: _Findings, asks: bool, yes: bool) -> str:
    """Return the preset: asked for, or the proposed one.

    Without a terminal and without --yes nobody agrees to a download, so the embedded
    base is taken and the better one named.
    """
    from repobuild.survey.proposal import PRESETS, fitting_presets

    fitting = fitting_presets(found.machine)
    first = fitting[0]
    if not asks:
        if first.card and not yes:
            print_message(
                f"note: {first.name} fits this machine; to take it: "
                f"repobuild init --preset {first.name}"
            )
            first = PRESETS[0]
        print_text(f"preset     {_proposal_text(found.propose(first))}")
        return first.name
    print_text("presets that fit, the proposed one first:")
    for one in fitting:
        print_text(f"  {_proposal_text(found.propose(one))}")
    return _ask_preset(first.name)


def _ask_preset(proposed: str) -> str:
    from repobuild.settings_schema import settings

    known = settings()["preset"].names
    while True:
        name = str(click.prompt("preset", default=proposed, err=True))
        if name in known:
            return name
        print_message(f'no such preset "{name}"{nearest(name, known)}')


def _choose_budget(
    found: _Findings, preset: str, values: dict[str, Any], asks: bool
) -> dict[str, Any]:
    """Return {"adapter.budget": tokens} where it differs from the preset's, else {}."""
    from repobuild.settings_schema import defaults
    from repobuild.survey.proposal import PRESETS

    needs = next((one for one in PRESETS if one.name == preset), None)
    if needs is None:  # a preset that is not proposed: its own budget
        return {}
    proposal = found.propose(needs)
    budget = proposal.budget
    if asks:
        budget = _ask_budget(proposal, found.machine)
    default = {**defaults(), **values}[_BUDGET]
    return {} if budget == default else {_BUDGET: budget}


def _ask_budget(proposal: Proposal, machine: Machine) -> int:
    """Ask for the most tokens of one build, as tokens or as a time."""
    from repobuild.cli.training_budget import budget_in_tokens
    from repobuild.survey.proposal import cpu_pace

    while True:
        text = click.prompt(
            "train at most (tokens, or a time such as 30m)",
            default=_tokens(proposal.budget),
            err=True,
        )
        try:
            return budget_in_tokens(str(text), cpu_pace(proposal.needs, machine))
        except UsageError as error:
            print_message(str(error))


def _proposal_text(proposal: Proposal) -> str:
    """Return preset, model, budget and time in one line."""
    needs = proposal.needs
    parts = [needs.name]
    if needs.source:
        model = f"{proposal.model}, " if needs.card else ""
        parts.append(f"{model}{needs.source}")
    parts.append(f"at most {_tokens(proposal.budget)} tokens a build")
    if proposal.expected:
        parts.append(_time(proposal.time))
    return "; ".join(parts)


def _time(time: BuildTime) -> str:
    """Return the time of the first build; on a card it is a range, not measured."""
    least, most = (max(1, round(value / 60)) for value in (time.least, time.most))
    if least == most:
        return f"the first takes about {most} min"
    return f"the first takes {least} to {most} min (computed, not measured)"


def _tokens(count: int) -> str:
    """Return a number of tokens as `--budget` reads it: 1.5M, 400k."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:g}M"
    return f"{count / 1000:g}k" if count >= 1000 else str(count)
