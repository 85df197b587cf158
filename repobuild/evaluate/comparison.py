"""Turn the models' answers into the scores of the report.

The functions in the order of use: `mark_answers`, `strict_section`, `headline`, then
`first_report_results` and `comparison_report` for the form of the first reports.

`comparison_report_<Project>_v2.json` has the form of the first comparison reports, with
`base_model` and `finetuned_model`, and an additional section `strict`:

    "strict": {
      "models": ["base", "parent", "adapter"],          parent only when there is one
      "tracks": {"recall": {
          "n": questions, "samples": samples of the loss,
          "base": {"loss": E, "facts": E, "right": E, "wrong": E, "hallucinated": E,
                   "path_exact": E, "path_accuracy": E, "exact": E, "edit": E,
                   "rouge_l": E, "bleu": E, "stopped": E, "tasks": {task: the same}},
          "parent": {...}, "adapter": {...},
          "base_grounded": {"facts": E, "right": E, ...},      recall only, with facts
          "adapter_grounded": {...},                           before the question
          "difference": {"base": {"loss": E, "facts": E, ...}, "parent": {...}}}},
      "staleness": {
          "n": questions,
          "base": {"all": E, "moved": E, "removed": E, "changed": E, "right": E},
          "parent": {...}, "adapter": {...},
          "difference": {"base": {"all": E, ...}, "parent": {...}}},
      "general": {
          "n": pieces of text, "text": digest of them,
          "base": {"loss": E}, "parent": {...}, "adapter": {...},
          "difference": {"base": {"loss": E, "relative": E}, "parent": {...}}},
      "own": {                                    the project's own questions
          "n": questions,
          "base": {"facts": E, "right": E, "files": E, "rouge_l": E, ...}, ...,
          "difference": {...},
          "judge": {...}}}                        judge.py, only with a judge

E is {"value", "low", "high", "n"}: a mean with its 95 % interval from a seeded
bootstrap (scoring/confidence.py). Losses are in nats per token, the other metrics are
shares. A difference is the adapter minus the other model on the same questions: a
negative loss and a positive share are better. A metric that applies to no answer is
left out: without changes, `staleness` is `{"n": 0, "base": {}, ...}`.

The headline, which a report's row keeps for logs, tables and the page, has plain values
by section, model and metric:

    {"recall": {"adapter": {"loss", "path_exact", "facts", "right", "rouge_l", "bleu"},
                "base": ..., "base_grounded": the same without "loss", ...},
     "generalise": the same,
     "staleness": {"adapter": {"all", "moved", "removed", "changed", "right"}, ...},
     "general": {"adapter": {"loss", "relative"}, ...},   relative: to the base's loss
     "own": {"adapter": {"facts", "right", "files", "rouge_l", "bleu"}, ...}}

Questions about recent changes are listed with the others: their track is "staleness",
their task "moved", "removed" or "changed", and their marks have "stale" true or false.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repobuild.evaluate import own_questions
from repobuild.evaluate.answers import Losses, ModelAnswers
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.question_set import HeldOutTrack, QuestionSet
from repobuild.evaluate.questions import RECALL, HeldOutSample, TestCase
from repobuild.evaluate.scoring import (
    first_scores,
    general_loss,
    staleness,
    strict_score,
)
from repobuild.evaluate.scoring.confidence import mean
from repobuild.evaluate.scoring.staleness import StalenessMark
from repobuild.evaluate.scoring.strict_score import StrictMark
from repobuild.samples.changes.old_answers import KINDS

# A model's name with facts before the question; only recall is asked so.
GROUNDED = {"base": "base_grounded", "adapter": "adapter_grounded"}
# Of the headline.
TRACK_METRICS = ("loss", "path_exact", "facts", "right", "rouge_l", "bleu")
OWN_METRICS = ("facts", "right", "files", "rouge_l", "bleu")
STALENESS_METRICS = ("all", *KINDS, "right")
_BASE, _TUNED = "base_model", "finetuned_model"
_FIRST_REPORT_NAMES = {"base": _BASE, "parent": "parent_model", "adapter": _TUNED}

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MarkedQuestion:
    """A strict question with every model's answer and mark, by model.

    `staleness` has marks only if the question is about a recent change.
    """

    sample: HeldOutSample
    answers: Mapping[str, str]
    marks: Mapping[str, StrictMark]
    staleness: Mapping[str, StalenessMark] = field(default_factory=dict)
    files_named: Mapping[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> JsonObject:
        sample = self.sample
        return {
            "id": sample.id,
            "track": sample.track,
            "task": sample.task,
            "question": sample.question,
            "expected": sample.answer,
            "answers": dict(self.answers),
            "marks": {
                model: _mark_to_dict(mark, self.staleness.get(model))
                | {"files": self.files_named.get(model)}
                for model, mark in self.marks.items()
            },
        }


def _mark_to_dict(mark: StrictMark, stale: StalenessMark | None) -> JsonObject:
    """Return a mark as plain data; `right` is the staleness mark's if there is one."""
    return {
        "facts": mark.facts,
        "right": mark.right if stale is None else float(stale.right),
        "wrong": sorted(fact.text for fact in mark.fact_counts.wrong),
        "stale": None if stale is None else stale.stale,
        "exact": mark.exact,
        "edit": mark.edit,
        "rouge_l": mark.rouge_l,
        "bleu": mark.bleu,
        "stopped": mark.stopped,
        "path_exact": mark.path_exact,
        "path_accuracy": mark.path_accuracy,
        "hallucinated": list(mark.hallucinated),
    }


# --------------------------------------------------------------------------- marking


def mark_answers(
    question_set: QuestionSet, model_answers: Mapping[str, ModelAnswers]
) -> list[MarkedQuestion]:
    """Mark every strict question, in the order of the tracks, then of `outdated`."""
    known = question_set.known
    marked = []
    for track in question_set.tracks:
        for n, sample in enumerate(track.questions):
            texts = {m: a.answers[track.name][n] for m, a in model_answers.items()}
            if track.name == RECALL:
                texts |= _grounded_texts(model_answers, n)
            marked.append(_mark_question(sample, texts, known))
    for n, outdated in enumerate(question_set.outdated):
        texts = {m: a.outdated[n] for m, a in model_answers.items()}
        question = _mark_question(outdated.sample, texts, known)
        stale = {m: outdated.mark(text, known) for m, text in texts.items()}
        marked.append(replace(question, staleness=stale))
    for n, sample in enumerate(question_set.own):
        texts = {m: a.own[n] for m, a in model_answers.items()}
        named = {
            model: strict_score.named_files(
                sample.question, text, sample.row["files"], known
            )
            for model, text in texts.items()
        }
        question = _mark_question(sample, texts, known)
        marked.append(replace(question, files_named=named))
    return marked


def _grounded_texts(
    model_answers: Mapping[str, ModelAnswers], number: int
) -> dict[str, str]:
    """Return the answers to a recall question with facts, {} if none was asked so."""
    return {
        GROUNDED[model]: answers.grounded[number]
        for model, answers in model_answers.items()
        if model in GROUNDED and answers.grounded
    }


def _mark_question(
    sample: HeldOutSample, answers: Mapping[str, str], known: KnownNames
) -> MarkedQuestion:
    marks = {
        model: strict_score.mark_answer(sample, answer, known)
        for model, answer in answers.items()
    }
    return MarkedQuestion(sample, answers, marks)


# -------------------------------------------------------------------- strict section


def strict_section(
    question_set: QuestionSet,
    model_answers: Mapping[str, ModelAnswers],
    marked: Sequence[MarkedQuestion],
) -> JsonObject:
    """Return the section `strict`; its form is at the top of this file."""
    tracks = {}
    for track in question_set.tracks:
        of_track = [q for q in marked if q.sample.track == track.name]
        tracks[track.name] = _track_section(track, model_answers, of_track)
    outdated = [q for q in marked if q.sample.track == staleness.TRACK]
    stale_marks = {m: [q.staleness[m] for q in outdated] for m in model_answers}
    general_losses = {m: answers.general for m, answers in model_answers.items()}
    return {
        "models": list(model_answers),
        "tracks": tracks,
        "staleness": staleness.section(question_set.outdated, stale_marks),
        "general": general_loss.section(question_set.general, general_losses),
        "own": _own_section(question_set, model_answers, marked),
    }


def _own_section(
    question_set: QuestionSet,
    model_answers: Mapping[str, ModelAnswers],
    marked: Sequence[MarkedQuestion],
) -> JsonObject:
    """Return the scores of the project's own questions, which have no loss."""
    own = [q for q in marked if q.sample.track == own_questions.TRACK]
    marks = {m: [q.marks[m] for q in own] for m in model_answers}
    section: JsonObject = {"n": len(own)}
    for model in model_answers:
        section[model] = _scores(marks[model], ())
        files = mean([f for q in own if (f := q.files_named[model]) is not None])
        if files:
            section[model]["files"] = files.to_dict()
    section["difference"] = {
        other: _differences((marks["adapter"], marks[other]), ((), ()))
        for other in model_answers
        if other != "adapter"
    }
    return section


def _track_section(
    track: HeldOutTrack,
    model_answers: Mapping[str, ModelAnswers],
    marked: Sequence[MarkedQuestion],
) -> JsonObject:
    losses = {m: answers.losses[track.name] for m, answers in model_answers.items()}
    marks = {m: [q.marks[m] for q in marked] for m in model_answers}
    section: JsonObject = {"n": len(marked), "samples": len(track.loss_samples)}
    for model in model_answers:
        section[model] = _scores(marks[model], losses[model])
        section[model]["tasks"] = _task_scores(track, marks[model], losses[model])
    for grounded in GROUNDED.values():
        if marked and grounded in marked[0].marks:
            section[grounded] = _scores([q.marks[grounded] for q in marked], ())
    section["difference"] = {
        other: _differences(
            (marks["adapter"], marks[other]), (losses["adapter"], losses[other])
        )
        for other in model_answers
        if other != "adapter"
    }
    return section


def _task_scores(
    track: HeldOutTrack, marks: Sequence[StrictMark], losses: Losses
) -> JsonObject:
    """Return one model's scores by task."""
    tasks = {sample.task for sample in (*track.questions, *track.loss_samples)}
    question_tasks = [sample.task for sample in track.questions]
    loss_tasks = [sample.task for sample in track.loss_samples]
    return {
        task: _scores(
            [m for m, of in zip(marks, question_tasks, strict=True) if of == task],
            [loss for loss, of in zip(losses, loss_tasks, strict=True) if of == task],
        )
        for task in sorted(tasks)
    }


def _scores(marks: Sequence[StrictMark], losses: Losses) -> JsonObject:
    loss = strict_score.loss(losses)
    scores: JsonObject = {"loss": loss.to_dict()} if loss else {}
    metrics = strict_score.score_marks(marks)
    return scores | {name: interval.to_dict() for name, interval in metrics.items()}


def _differences(
    marks: tuple[Sequence[StrictMark], Sequence[StrictMark]],
    losses: tuple[Losses, Losses],
) -> JsonObject:
    """Return the adapter's scores minus those of the other model, paired."""
    estimates = {
        metric: strict_score.difference(*marks, metric)
        for metric in strict_score.ANSWER_METRICS
    }
    estimates["loss"] = strict_score.loss(
        [(ours - theirs, n) for (ours, n), (theirs, _) in zip(*losses, strict=True)]
    )
    return {name: e.to_dict() for name, e in estimates.items() if e is not None}


def headline(strict: Mapping[str, Any]) -> JsonObject:
    """Return the headline of the section `strict`; the form is at the top."""
    parts = {
        **{name: (track, TRACK_METRICS) for name, track in strict["tracks"].items()},
        "staleness": (strict["staleness"], STALENESS_METRICS),
        "general": (strict["general"], ("loss",)),
        "own": (strict.get("own") or {}, OWN_METRICS),
    }
    section: JsonObject = {name: {} for name in parts}
    for name, (part, metrics) in parts.items():
        for model in (*strict["models"], *GROUNDED.values()):
            scores = part.get(model, {})
            values = {m: scores[m]["value"] for m in metrics if m in scores}
            if values:
                section[name][model] = values
    for model, scores in section["general"].items():
        if model != "base" and "base" in section["general"]:
            base = section["general"]["base"]["loss"]
            scores["relative"] = round(scores["loss"] / base - 1, 4)
    return section


# -------------------------------------------------------- form of the first reports


def first_report_results(
    question_set: QuestionSet, model_answers: Mapping[str, ModelAnswers]
) -> list[JsonObject]:
    """Return one entry for each test case."""
    return [
        _case_result(
            case, question_set, {m: a.cases[n] for m, a in model_answers.items()}
        )
        for n, case in enumerate(question_set.cases)
    ]


def _case_result(
    case: TestCase, question_set: QuestionSet, responses: Mapping[str, str]
) -> JsonObject:
    project, elements = question_set.project, question_set.elements
    scores = {
        model: first_scores.score_response(text, project, elements)
        for model, text in responses.items()
    }
    names = _FIRST_REPORT_NAMES
    gain = scores["adapter"].total - scores["base"].total
    return {
        "question": case.question,
        "type": case.type,
        "category": case.category,
        "reference_files": list(case.reference_files),
        **{f"{names[model]}_response": text for model, text in responses.items()},
        **_named_references(case, question_set, responses),
        "scores": {names[model]: score.to_dict() for model, score in scores.items()},
        "improvement": round(gain, 1),
    }


def _named_references(
    case: TestCase, question_set: QuestionSet, responses: Mapping[str, str]
) -> JsonObject:
    """Return which share of the case's reference files each response names."""
    shares = {
        _FIRST_REPORT_NAMES[model]: strict_score.named_files(
            case.question, text, case.reference_files, question_set.known
        )
        for model, text in responses.items()
    }
    return {"reference_files_named": shares} if case.reference_files else {}


def first_report_averages(results: Sequence[JsonObject]) -> JsonObject:
    """Return the mean of every score of every model, for the page."""
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


def first_report_summary(results: Sequence[JsonObject]) -> JsonObject:
    """Return the averages over the test cases, by the names of the first reports."""
    rows = [result["scores"] for result in results]
    models = list(rows[0]) if rows else []

    def improvement(part: str) -> float:
        return first_scores.mean([row[_TUNED][part] - row[_BASE][part] for row in rows])

    return {
        "average_scores": {
            m: first_scores.mean([row[m]["total"] for row in rows]) for m in models
        },
        "average_improvement": improvement("total"),
        **{f"{part}_improvement": improvement(part) for part in first_scores.WEIGHTS},
        "reference_files_named": {
            model: round(statistics.fmean(found), 4)
            for model in models
            if (found := _known_shares(results, model))
        },
    }


def _known_shares(results: Sequence[JsonObject], model: str) -> list[float]:
    """Return a model's shares of named reference files, where the question has some."""
    shares = [r.get("reference_files_named", {}).get(model) for r in results]
    return [share for share in shares if share is not None]


def comparison_report(
    project: str, test_time: str, results: Sequence[JsonObject], strict: JsonObject
) -> JsonObject:
    """Return the content of `comparison_report_<Project>_v2.json`."""
    return {
        "test_config": {
            "project_name": project,
            "test_time": test_time,
            "num_test_cases": len(results),
        },
        "results": list(results),
        "summary": {
            **first_report_summary(results),
            "note": "easy to game; see strict",
        },
        "strict": strict,
    }
