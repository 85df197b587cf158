"""Refuse to train a first adapter on a commit that gives almost nothing to learn.

A licence, a manifest or a README of one paragraph give up to three facts about the
project as a whole, and one about a file. Training on these takes a minute, reports "all
mastered" and knows nothing. So facts about the project do not count here, and fewer
than `LEAST_FACTS` others are too few; a single documented function gives four.

Only a first adapter is refused. Where there is one, what has left the repository is
still to be unlearnt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from repobuild.code.graph.graph import PROJECT
from repobuild.code.scan.language import install_grammars, language_names
from repobuild.errors import UsageError
from repobuild.resources import program
from repobuild.survey.source_survey import (
    SourceSurvey,
    counted,
    files_in,
    survey_snapshot,
)

if TYPE_CHECKING:
    from repobuild.engine.context import BuildContext

LEAST_FACTS = 3
_GENERALISE = "generalise"  # the track of what is held out


def require_enough(build: BuildContext) -> None:
    """Raise `UsageError` where a first adapter would have too few facts.

    The dataset is built, no model is loaded. Few rows are read: it ends at the first
    facts that suffice.
    """
    if any(True for _ in build.table("adapter").keys()):
        return
    found = count_facts(build, LEAST_FACTS)
    if found.trained >= LEAST_FACTS:
        return
    survey = survey_snapshot(build.snapshot, build.settings)
    is_held_out = found.held_out >= LEAST_FACTS
    advice = _hold_out_nothing() if is_held_out else _advice(survey)
    raise UsageError(f"too little to train on: {_describe(found, survey)}\n{advice}")


class FactCount(NamedTuple):
    """Numbers of facts that are not about the project as a whole."""

    trained: int
    held_out: int  # of elements of which nothing is trained


def count_facts(build: BuildContext, limit: int) -> FactCount:
    """Count the facts of each split; ends when `limit` of them are trained."""
    from repobuild.model.teaching.curriculum import Teaching, fact_of
    from repobuild.samples.dataset.all_samples import AllSamples

    teaching = Teaching.of(build.settings)
    dataset = build.table("dataset")
    trained: set[str] = set()
    held_out: set[str] = set()
    for key, samples in AllSamples.of(build).items():
        splits = {} if key == PROJECT else dataset.get(key) or {}
        for sub, sample in (samples or {}).items():
            row = splits.get(sub, {})
            if "split" not in row or teaching.shorten(sample) is None:
                continue
            if teaching.rank(key + sub, str(sample["task"])) is None:
                continue
            if row["split"] == "train":
                trained.add(fact_of(key + sub))
            elif row.get("track") == _GENERALISE:
                held_out.add(fact_of(key + sub))
        if len(trained) >= limit:
            break
    return FactCount(len(trained), len(held_out))


def _describe(found: FactCount, survey: SourceSurvey) -> str:
    if not survey.files:
        return "the commit holds no files"
    files = f"{survey.files:,} file{'s' * (survey.files != 1)}"
    if not survey.read:
        return f"no code and no document is read in {files}"
    read = sum(survey.read.values())
    facts = f"{found.trained} fact{'s' * (found.trained != 1)} found in them"
    if found.held_out:
        facts = f"{facts}, {found.held_out} held out"
    return f"{read:,} of {files} read, {facts}, {LEAST_FACTS} needed"


def _hold_out_nothing() -> str:
    """Return what to do where enough is found and the draw holds it out."""
    return (
        "which elements are held out, to measure what was never trained, is drawn by "
        "their names\nwith so few of them, hold out nothing: "
        f"{program()} -c split.generalise=0"
    )


def _advice(survey: SourceSurvey) -> str:
    """Return why there is so little, and the next step, in one or two lines."""
    if survey.missing:
        command = install_grammars(survey.missing)
        return (
            f"not read, as their grammars are not installed: {counted(survey.missing)}"
            f"\nadd them, and run again: {command}"
        )
    if survey.not_chosen:
        return (
            f"project.languages leaves out {files_in(survey.not_chosen)}\n"
            'set it to "auto", or name them there'
        )
    if survey.unknown and not survey.code:
        known = ", ".join(language_names())
        return (
            f"repobuild reads {known}; here: {counted(survey.unknown)}\n"
            "commit sources or documents in one of these; another language is two "
            "files: docs/languages.md"
        )
    if survey.left_out and not survey.read:
        return (
            f"left out: {counted(survey.left_out)}\n"
            "project.only and project.exclude decide that, and project.include brings "
            "files back"
        )
    return (
        "a fact is where something is defined, who uses it, or what its docstring says"
        "\ncommit functions, classes or a README with sections, and run again"
    )
