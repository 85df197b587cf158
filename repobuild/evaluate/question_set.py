"""Collect everything that every model is asked at one commit.

    cases      the test cases in the form of the first reports       questions.py
    tracks     held-out questions, and held-out samples for the loss  questions.py;
               recall asks as many about facts that the adapter was taught, first
    grounded   the recall questions with facts before them             retrieval.py
    own        the project's own questions                       own_questions.py
    outdated   questions whose answer recent commits changed  scoring/staleness.py
    general    text from outside the repository            scoring/general_loss.py

The set also holds what the marks need to know about the repository: its elements and
its known names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from repobuild.engine.contract import Task, Value
from repobuild.evaluate import questions
from repobuild.evaluate.lookup.retrieval import FactFinder
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.own_questions import collect_own_questions
from repobuild.evaluate.questions import HeldOutRow, HeldOutSample, TestCase
from repobuild.evaluate.scoring import staleness
from repobuild.evaluate.scoring.first_scores import ScoredElement
from repobuild.evaluate.scoring.general_loss import GeneralText
from repobuild.evaluate.scoring.staleness import OutdatedQuestion
from repobuild.model.grounding import GroundedQuestion
from repobuild.model.teaching.curriculum import Teaching, fact_of
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
    grounded: Sequence[GroundedQuestion] = ()


def collect_questions(task: Task, taught: frozenset[str]) -> QuestionSet:
    """Draw the questions of this commit from the tables.

    `taught` are the ids of the facts that the adapter was taught.
    """
    settings = task.settings
    with_lines = bool(settings["adapter.line_numbers"])
    held_out = questions.held_out_rows(task.table("dataset"), with_lines)
    tracks = held_out_tracks(task, taught, held_out)
    elements = list(questions.graph_elements(task.table("graph")))
    project = project_name(task)
    return QuestionSet(
        project=project,
        cases=questions.first_report_cases(
            project,
            elements,
            int(settings["report.seed_questions"]),
            questions.languages_of(chain.from_iterable(held_out.values())),
        ),
        tracks=tracks,
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
        grounded=grounded_questions(task, tracks)
        if settings["report.grounded"]
        else (),
    )


def project_name(task: Task) -> str:
    """Return the project's name as the samples write it."""
    row = task.table("contexts").get("@project") or {}
    return str(row.get("name") or task.settings.get("project.name") or "project")


def held_out_tracks(
    task: Task, taught: frozenset[str], held_out: Mapping[str, Sequence[HeldOutRow]]
) -> list[HeldOutTrack]:
    settings, samples = task.settings, AllSamples.of(task)
    count = int(settings["report.questions"])
    loss_count = int(settings["report.loss_samples"])
    teaching = Teaching.of(settings)
    tracks = []
    for name, rows in held_out.items():
        known = [row for row in rows if fact_of(row.id) in taught]
        others = [row for row in rows if fact_of(row.id) not in taught]
        drawn = questions.draw_questions(name, known, samples, count)
        drawn += questions.draw_questions(name, others, samples, count, drawn)
        losses = questions.draw_evenly(name, rows, samples, loss_count)
        tracks.append(
            HeldOutTrack(
                name,
                [_as_taught(sample, teaching) for sample in drawn],
                [_as_taught(sample, teaching) for sample in losses],
            )
        )
    return tracks


def _as_taught(sample: HeldOutSample, teaching: Teaching) -> HeldOutSample:
    """Return a sample with the answer that is taught, which may be a part of it."""
    row = teaching.shorten(sample.row)
    return replace(sample, answer=str(row["answer"]), row=row) if row else sample


def grounded_questions(
    task: Task, tracks: Sequence[HeldOutTrack]
) -> list[GroundedQuestion]:
    """Return the recall questions with the facts that are found about them."""
    finder = FactFinder(task)
    return [
        finder.ground(sample.question)
        for track in tracks
        if track.name == questions.RECALL
        for sample in track.questions
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
