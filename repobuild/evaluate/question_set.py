"""Collect everything that every model is asked at one commit.

    cases      the test cases in the form of the first reports       questions.py
    tracks     held-out questions, and held-out samples for the loss  questions.py
    own        the project's own questions                       own_questions.py
    outdated   questions whose answer recent commits changed  scoring/staleness.py
    general    text from outside the repository            scoring/general_loss.py

The set also holds what the marks need to know about the repository: its elements and
its known names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repobuild.engine.contract import Task, Value
from repobuild.evaluate import questions
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.own_questions import collect_own_questions
from repobuild.evaluate.questions import HeldOutSample, TestCase
from repobuild.evaluate.scoring import staleness
from repobuild.evaluate.scoring.first_scores import ScoredElement
from repobuild.evaluate.scoring.general_loss import GeneralText
from repobuild.evaluate.scoring.staleness import OutdatedQuestion
from repobuild.samples.dataset.all_samples import AllSamples

NO_TEXT = GeneralText(())
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class HeldOutTrack:
    """The questions of one held-out track, and the samples whose loss is taken."""

    name: str
    questions: Sequence[HeldOutSample]
    loss_samples: Sequence[HeldOutSample]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Everything that every model is asked, and what the answers are marked by."""

    project: str
    cases: Sequence[TestCase]
    tracks: Sequence[HeldOutTrack]
    elements: Sequence[ScoredElement]
    known: KnownNames
    outdated: Sequence[OutdatedQuestion] = ()
    general: GeneralText = NO_TEXT
    own: Sequence[HeldOutSample] = ()


def collect_questions(task: Task) -> QuestionSet:
    """Draw the questions of this commit from the tables."""
    settings = task.settings
    elements = list(questions.graph_elements(task.table("graph")))
    project = project_name(task)
    return QuestionSet(
        project=project,
        cases=questions.first_report_cases(
            project, elements, int(settings["report.seed_questions"])
        ),
        tracks=held_out_tracks(task),
        elements=[
            ScoredElement(e.name, e.path)
            for e in elements
            if e.kind in questions.ASKED_KINDS
        ],
        known=known_names(task, elements),
        outdated=staleness.draw_questions(
            task.table("old_answers"),
            task.table("dataset"),
            int(settings["report.stale_questions"]),
        ),
        general=GeneralText.read(int(settings["report.general_pieces"])),
        own=collect_own_questions(task),
    )


def project_name(task: Task) -> str:
    """Return the project's name as the samples write it."""
    row = task.table("contexts").get("@project") or {}
    return str(row.get("name") or task.settings.get("project.name") or "project")


def held_out_tracks(task: Task) -> list[HeldOutTrack]:
    settings, samples = task.settings, AllSamples.of(task)
    with_lines = bool(settings["adapter.line_numbers"])
    count = int(settings["report.questions"])
    loss_count = int(settings["report.loss_samples"])
    rows = questions.held_out_rows(task.table("dataset"), with_lines)
    return [
        HeldOutTrack(
            name,
            questions.draw_questions(name, held_out, samples, count),
            questions.draw_evenly(name, held_out, samples, loss_count),
        )
        for name, held_out in rows.items()
    ]


def known_names(task: Task, elements: Sequence[questions.GraphElement]) -> KnownNames:
    """Collect the paths and names that exist.

    Names are lenient: a word that occurs anywhere in a context is not invented.
    """
    paths = [path for path in task.table("graph").keys() if not path.startswith("@")]
    names = {element.qualified_name for element in elements}
    for _, row in task.table("contexts").items():
        names.update(identifiers(row))
    return KnownNames.of(paths, sorted(names))


def identifiers(value: Value) -> Iterator[str]:
    """Yield every identifier in every text of a row."""
    if isinstance(value, str):
        yield from _IDENTIFIER.findall(value)
    elif isinstance(value, Mapping):
        for name in value:
            yield from identifiers(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from identifiers(item)
