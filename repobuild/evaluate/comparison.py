"""What the models' answers amount to: the comparison report.

`comparison_report_<Project>_v2.json` has the form of the first comparison reports, with
`base_model` and `finetuned_model`, and beside it a section `strict`:

    "strict": {
      "models": ["base", "parent", "adapter"],          parent only when there is one
      "tracks": {"recall": {
          "n": questions, "samples": samples of the loss,
          "base": {"loss": E, "facts": E, "right": E, "wrong": E, "hallucinated": E,
                   "path_exact": E, "path_accuracy": E, "exact": E, "edit": E,
                   "stopped": E, "tasks": {task: the same}},
          "parent": {...}, "adapter": {...},
          "difference": {"base": {"loss": E, "facts": E, ...}, "parent": {...}}}},
      "staleness": {
          "n": questions,
          "base": {"all": E, "moved": E, "removed": E, "changed": E, "right": E},
          "parent": {...}, "adapter": {...},
          "difference": {"base": {"all": E, ...}, "parent": {...}}},
      "general": {
          "n": pieces of text, "text": digest of them,
          "base": {"loss": E}, "parent": {...}, "adapter": {...},
          "difference": {"base": {"loss": E, "relative": E}, "parent": {...}}}}

E is {"value", "low", "high", "n"}: a 95 % interval from a seeded bootstrap.  The
differences are adapter minus the other model on the same questions: a negative loss and
a positive share are better.  A metric that applies to no answer is not there: without
changes there is no staleness but `{"n": 0, "base": {}, ...}`.

The headline, which a report's row keeps for logs, tables and the page, has plain values
by section, model and metric:

    {"recall": {"adapter": {"loss", "path_exact", "facts", "right"}, "base": ...},
     "generalise": the same,
     "staleness": {"adapter": {"all", "moved", "removed", "changed", "right"}, ...},
     "general": {"adapter": {"loss", "relative"}, ...}}   relative: to the base's loss

Questions about what changed stand among the others with the track "staleness" and as
task "moved", "removed" or "changed"; their marks have "stale" true or false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repobuild.evaluate.questions import HeldOutSample, TestCase
from repobuild.evaluate.scoring import (
    first_scores,
    general_loss,
    staleness,
    strict_score,
)
from repobuild.evaluate.scoring.first_scores import ScoredElement
from repobuild.evaluate.scoring.general_loss import GeneralText
from repobuild.evaluate.scoring.mention_parser import KnownNames
from repobuild.evaluate.scoring.staleness import OutdatedQuestion, StaleBelief
from repobuild.evaluate.scoring.strict_score import StrictMark
from repobuild.samples.changes.old_answers import KINDS

TRACK_METRICS = ("loss", "path_exact", "facts", "right")  # of the headline
STALENESS_METRICS = ("all", *KINDS, "right")
_TUNED = "finetuned_model"
_SEED_NAMES = {"base": "base_model", "parent": "parent_model", "adapter": _TUNED}

NO_TEXT = GeneralText(())

Plain = dict[str, Any]
Losses = Sequence[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Track:
    """What is asked of one held-out track."""

    name: str
    asked: Sequence[HeldOutSample]
    measured: Sequence[HeldOutSample]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Everything that is put to every model, and what is true."""

    project: str
    cases: Sequence[TestCase]
    tracks: Sequence[Track]
    elements: Sequence[ScoredElement]
    known: KnownNames
    outdated: Sequence[OutdatedQuestion] = ()
    general: GeneralText = NO_TEXT


@dataclass(frozen=True, slots=True)
class ModelReplies:
    """What one model answered, by position; the tracks by name."""

    cases: Sequence[str]
    answers: Mapping[str, Sequence[str]]
    losses: Mapping[str, Losses]
    outdated: Sequence[str] = ()
    general: Losses = ()


@dataclass(frozen=True, slots=True)
class StrictQuestion:
    """One strict question with the answer and mark of every model.

    `beliefs` are there where it is asked whether an old fact is still believed.
    """

    sample: HeldOutSample
    answers: Mapping[str, str]
    marks: Mapping[str, StrictMark]
    beliefs: Mapping[str, StaleBelief] = field(default_factory=dict)

    def plain(self) -> Plain:
        sample = self.sample
        return {
            "id": sample.id,
            "track": sample.track,
            "task": sample.task,
            "question": sample.question,
            "expected": sample.answer,
            "answers": dict(self.answers),
            "marks": {
                model: _plain_mark(mark, self.beliefs.get(model))
                for model, mark in self.marks.items()
            },
        }


def _plain_mark(mark: StrictMark, belief: StaleBelief | None) -> Plain:
    """Of an outdated question it is the belief that says what is right."""
    verdict = mark.verdict
    return {
        "facts": mark.facts,
        "right": mark.right if belief is None else float(belief.right),
        "wrong": sorted(fact.text for fact in verdict.wrong),
        "stale": None if belief is None else belief.stale,
        "exact": mark.exact,
        "edit": mark.edit,
        "stopped": mark.stopped,
        "path_exact": mark.path_exact,
        "path_accuracy": mark.path_accuracy,
        "hallucinated": list(mark.hallucinated),
    }


# -------------------------------------------------------------------------- strict


def marked(
    inquiry: QuestionSet, replies: Mapping[str, ModelReplies]
) -> list[StrictQuestion]:
    """Every strict question with its marks, in the order of the tracks."""
    questions = []
    for track in inquiry.tracks:
        for place, sample in enumerate(track.asked):
            said = {m: reply.answers[track.name][place] for m, reply in replies.items()}
            questions.append(_question(sample, said, inquiry.known))
    for place, outdated in enumerate(inquiry.outdated):
        said = {m: reply.outdated[place] for m, reply in replies.items()}
        plain = _question(outdated.sample, said, inquiry.known)
        beliefs = {m: outdated.belief(text, inquiry.known) for m, text in said.items()}
        questions.append(replace(plain, beliefs=beliefs))
    return questions


def _question(
    sample: HeldOutSample, answers: Mapping[str, str], known: KnownNames
) -> StrictQuestion:
    marks = {
        m: strict_score.mark(sample, answer, known) for m, answer in answers.items()
    }
    return StrictQuestion(sample, answers, marks)


def strict_section(
    inquiry: QuestionSet,
    replies: Mapping[str, ModelReplies],
    questions: Sequence[StrictQuestion],
) -> Plain:
    tracks = {}
    for track in inquiry.tracks:
        own = [q for q in questions if q.sample.track == track.name]
        tracks[track.name] = _track_section(track, replies, own)
    believing = [q for q in questions if q.sample.track == staleness.TRACK]
    beliefs = {m: [q.beliefs[m] for q in believing] for m in replies}
    losses = {m: reply.general for m, reply in replies.items()}
    return {
        "models": list(replies),
        "tracks": tracks,
        "staleness": staleness.section(inquiry.outdated, beliefs),
        "general": general_loss.section(inquiry.general, losses),
    }


def _track_section(
    track: Track,
    replies: Mapping[str, ModelReplies],
    questions: Sequence[StrictQuestion],
) -> Plain:
    section: Plain = {"n": len(questions), "samples": len(track.measured)}
    for model, reply in replies.items():
        section[model] = _model_section(model, track, reply, questions)
    section["difference"] = {
        other: _differences(other, track, replies, questions)
        for other in replies
        if other != "adapter"
    }
    return section


def _model_section(
    model: str, track: Track, reply: ModelReplies, questions: Sequence[StrictQuestion]
) -> Plain:
    losses = reply.losses[track.name]
    section = _scores([q.marks[model] for q in questions], losses)
    tasks = {sample.task for sample in (*track.asked, *track.measured)}
    section["tasks"] = {
        task: _scores(
            [q.marks[model] for q in questions if q.sample.task == task],
            _of_task(task, track.measured, losses),
        )
        for task in sorted(tasks)
    }
    return section


def _of_task(task: str, samples: Sequence[HeldOutSample], losses: Losses) -> Losses:
    pairs = zip(samples, losses, strict=True)
    return [lost for sample, lost in pairs if sample.task == task]


def _scores(marks: Sequence[StrictMark], losses: Losses) -> Plain:
    lost = strict_score.loss(losses)
    found: Plain = {"loss": lost.plain()} if lost else {}
    return found | {name: e.plain() for name, e in strict_score.score(marks).items()}


def _differences(
    other: str,
    track: Track,
    replies: Mapping[str, ModelReplies],
    questions: Sequence[StrictQuestion],
) -> Plain:
    ours = [q.marks["adapter"] for q in questions]
    theirs = [q.marks[other] for q in questions]
    found = {
        metric: strict_score.difference(ours, theirs, metric)
        for metric in strict_score.ANSWER_METRICS
    }
    pairs = zip(
        replies["adapter"].losses[track.name],
        replies[other].losses[track.name],
        strict=True,
    )
    found["loss"] = strict_score.loss([(a[0] - b[0], a[1]) for a, b in pairs])
    return {name: e.plain() for name, e in found.items() if e is not None}


def headline(section: Mapping[str, Any]) -> Plain:
    """Values by section, model and metric, for logs, tables and the page."""
    parts = {
        **{name: (track, TRACK_METRICS) for name, track in section["tracks"].items()},
        "staleness": (section["staleness"], STALENESS_METRICS),
        "general": (section["general"], ("loss",)),
    }
    found = {
        name: {
            model: values
            for model in section["models"]
            if (values := _values(part.get(model, {}), metrics))
        }
        for name, (part, metrics) in parts.items()
    }
    for model, scores in found["general"].items():
        if model != "base" and "base" in found["general"]:
            base = found["general"]["base"]["loss"]
            scores["relative"] = round(scores["loss"] / base - 1, 4)
    return found


def _values(part: Mapping[str, Any], metrics: Sequence[str]) -> Plain:
    return {metric: part[metric]["value"] for metric in metrics if metric in part}


# ------------------------------------------------------------- the seed's report


def seed_results(
    inquiry: QuestionSet, replies: Mapping[str, ModelReplies]
) -> list[Plain]:
    """One entry for each test case, in the form of the first reports."""
    return [
        _result(case, inquiry, {m: reply.cases[n] for m, reply in replies.items()})
        for n, case in enumerate(inquiry.cases)
    ]


def _result(
    case: TestCase, inquiry: QuestionSet, responses: Mapping[str, str]
) -> Plain:
    found = {
        model: first_scores.scores(text, inquiry.project, inquiry.elements)
        for model, text in responses.items()
    }
    result: Plain = {
        "question": case.question,
        "type": case.type,
        "category": case.category,
        "reference_files": list(case.reference_files),
    }
    for model, text in responses.items():
        result[f"{_SEED_NAMES[model]}_response"] = text
    result["scores"] = {_SEED_NAMES[model]: s.plain() for model, s in found.items()}
    gain = found["adapter"].total - found["base"].total
    return {**result, "improvement": round(gain, 1)}


def seed_summary(results: Iterable[Plain]) -> Plain:
    """Averages over the test cases, with the seed's names."""
    rows = [result["scores"] for result in results]
    models = list(rows[0]) if rows else []
    average = {m: first_scores.mean([row[m]["total"] for row in rows]) for m in models}
    summary: Plain = {
        "average_scores": average,
        "average_improvement": _gain(rows, "total"),
    }
    for part in first_scores.WEIGHTS:
        summary[f"{part}_improvement"] = _gain(rows, part)
    return summary


def seed_averages(results: Sequence[Plain]) -> Plain:
    """Mean of every score of every model, for the page."""
    models = list(results[0]["scores"]) if results else []
    return {
        model: {
            part: first_scores.mean(
                [result["scores"][model][part] for result in results]
            )
            for part in (*first_scores.WEIGHTS, "total")
        }
        for model in models
    }


def _gain(rows: Sequence[Mapping[str, Any]], part: str) -> float:
    return first_scores.mean(
        [row[_TUNED][part] - row["base_model"][part] for row in rows]
    )


def comparison_report(
    project: str, test_time: str, results: Sequence[Plain], strict_part: Plain
) -> Plain:
    return {
        "test_config": {
            "project_name": project,
            "test_time": test_time,
            "num_test_cases": len(results),
        },
        "results": list(results),
        "summary": {**seed_summary(results), "note": "easy to game; see strict"},
        "strict": strict_part,
    }
