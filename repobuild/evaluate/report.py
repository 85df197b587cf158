"""Run the task `report`: score base, parent and this adapter as of one commit.

The steps, in order:

    collect_questions   draw what is asked               question_set.py, questions.py
                        and the facts that are looked up for it           retrieval.py
    open_models         one model at a time, with a cache of answers       answers.py
    ask                 get every model's answers and losses               answers.py
    judge_own_questions let another model compare the answers, if one is set  judge.py
    assemble            mark the answers and make the report  comparison.py, chain.py,
                                                                       taught_facts.py
    write               write the files                                  page/page.py

The files of a report:

    report.json          the whole report, with every answer and its marks
    comparison_report_<Project>_v2.json  the form of the first reports, with `strict`
    index.html           the report as a page for people
    answers.jsonl.gz     the models' answers, a cache for the next report

Models are loaded one after the other, and only when a question is new to them: after a
commit, the base model's answers are cached, and so are the parent's, from the report
in which it was the adapter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from repobuild.engine.contract import Task, Value
from repobuild.evaluate import answers, comparison
from repobuild.evaluate.answers import (
    AnswerCache,
    Ended,
    Model,
    ModelAnswers,
    ModelUnderTest,
    Question,
    SampleRow,
)
from repobuild.evaluate.chain import ChainLink, adapter_chain
from repobuild.evaluate.judge import Judge, judged_section
from repobuild.evaluate.page.page import render_page
from repobuild.evaluate.question_set import QuestionSet, collect_questions
from repobuild.evaluate.report_summary import SUMMARY
from repobuild.evaluate.taught_facts import (
    grounded_section,
    read_taught,
    taught_section,
)
from repobuild.plain_text import json_text
from repobuild.samples.dataset.secret_detection import redact

LINEAGE = "repobuild.json"
_UNSAFE_IN_FILE_NAMES = re.compile(r"[^\w.-]+")


def run(task: Task) -> dict[str, Value]:
    """Write the report into the task's folder; return the row's headline scores."""
    link = ChainLink(task.commit, task.rows("adapter")[task.commit])
    taught = read_taught(task.object(link.object))
    question_set = collect_questions(task, taught)
    used = AnswerCache()
    models = open_models(task, link, used)
    model_answers = {
        name: ask(task, name, model, question_set) for name, model in models.items()
    }
    judged = judge_own_questions(task, question_set, model_answers, models, used)
    used.write(task.folder / answers.FILE)
    report = assemble(task, link, question_set, model_answers, taught)
    report["strict"]["own"] |= judged
    write(task.folder, report)
    computed = {name: model.computed for name, model in models.items()}
    task.event("answered", made=computed)
    kept = ("headline", "seed", *SUMMARY)
    return {name: report[name] for name in kept} | judged


# --------------------------------------------------------------------------- asking


def open_models(
    task: Task, link: ChainLink, used: AnswerCache
) -> dict[str, ModelUnderTest]:
    """Return the base, the parent if there is one, and this adapter, not yet loaded."""
    from repobuild.model.base import resolve_base
    from repobuild.model.generate import TextGenerator

    base = resolve_base(task.settings)
    cache = answers.read_earlier_answers(task)

    def loader(adapter: str) -> Callable[[], Model]:
        return lambda: TextGenerator.load(
            base, task.object(adapter) if adapter else None
        )

    adapters = {"base": "", "parent": link.parent, "adapter": link.object}
    # Without fill-in-the-middle, completions are asked in words: other answers.
    suffix = "" if base.fim else "/chat"
    return {
        name: ModelUnderTest(
            (adapter or base.digest) + suffix, loader(adapter), cache, used
        )
        for name, adapter in adapters.items()
        if adapter or name == "base"
    }


def ask(
    task: Task, name: str, model: ModelUnderTest, question_set: QuestionSet
) -> ModelAnswers:
    """Ask one model everything, in four batched calls."""
    limit = int(task.settings["report.max_new_tokens"])
    prompts: list[Question] = [case.question for case in question_set.cases]
    loss_rows: list[SampleRow] = []
    for track in question_set.tracks:
        prompts += [sample.prompt for sample in track.questions]
        loss_rows += [sample.loss_row for sample in track.loss_samples]
    prompts += [outdated.question for outdated in question_set.outdated]
    prompts += [sample.question for sample in question_set.own]
    texts = [(piece.path, piece.text) for piece in question_set.general.pieces]
    grounded = question_set.grounded if name in comparison.GROUNDED else ()
    total = len(prompts) + len(grounded) + len(loss_rows) + len(texts)
    with task.progress(f"ask {name}", total) as progress:
        generated = model.generate(prompts, limit, progress.advance)
        with_facts = model.generate(grounded, limit, progress.advance)
        losses = iter(model.losses(loss_rows))
        progress.advance(len(loss_rows))
        general = model.text_losses(texts)
        progress.advance(len(texts))
    tracks = question_set.tracks
    answered = (answer.text for answer in generated)
    by_form: dict[bool, list[bool]] = {True: [], False: []}
    for prompt, answer in zip(prompts, generated, strict=True):
        by_form[isinstance(prompt, str)].append(answer.ended)
    return ModelAnswers(
        cases=[next(answered) for _ in question_set.cases],
        answers={t.name: [next(answered) for _ in t.questions] for t in tracks},
        losses={t.name: [next(losses) for _ in t.loss_samples] for t in tracks},
        outdated=[next(answered) for _ in question_set.outdated],
        own=list(answered),
        general=general,
        grounded=[answer.text for answer in with_facts],
        answers_ended=Ended.of(by_form[True]),
        completions_ended=Ended.of(by_form[False]),
    )


def judge_own_questions(
    task: Task,
    question_set: QuestionSet,
    model_answers: Mapping[str, ModelAnswers],
    models: Mapping[str, ModelUnderTest],
    used: AnswerCache,
) -> dict[str, Any]:
    """Return {"judge": what a judge prefers}; {} without a judge or questions."""
    judge = Judge.of(task.settings, models["base"].cache, used)
    if judge is None or not question_set.own:
        return {}
    own = {name: answered.own for name, answered in model_answers.items()}
    with task.progress("judge", 0):
        return {"judge": judged_section(judge, question_set.own, own)}


# -------------------------------------------------------------------------- writing


def assemble(
    task: Task,
    link: ChainLink,
    question_set: QuestionSet,
    model_answers: Mapping[str, ModelAnswers],
    taught: frozenset[str],
) -> dict[str, Any]:
    """Mark the answers, and return the whole report as plain data."""
    questions = comparison.mark_answers(question_set, model_answers)
    strict = comparison.strict_section(question_set, model_answers, questions)
    headline = comparison.headline(strict)
    results = comparison.first_report_results(question_set, model_answers)
    lineage = read_lineage(task.object(link.object))
    training = lineage.get("training") or {}
    return {
        "version": 1,
        "project": question_set.project,
        "commit": task.commit,
        "tree": task.tree,
        "test_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "base": lineage.get("base") or {"name": task.settings["base.model"]},
        "adapter": link.to_dict(),
        "coverage": lineage.get("coverage") or {},
        "taught": taught_section(questions, taught),
        "ended": model_answers["adapter"].answers_ended.share,
        "completions": model_answers["adapter"].completions_ended._asdict(),
        "general": {
            name: headline["general"][name]["loss"]
            for name in comparison.GROUNDED
            if name in headline["general"]
        },
        "grounded": grounded_section(questions),
        "headline": headline,
        "strict": strict,
        "results": results,
        "seed": comparison.first_report_averages(results),
        "comparison": comparison_file_name(question_set.project),
        "history": {  # points [step, loss] of the last training run
            "train": list(training.get("losses") or []),
            "held_out": list(training.get("held_out_losses") or []),
        },
        "chain": adapter_chain(task, link, headline),
        "questions": [question.to_dict() for question in questions],
    }


def read_lineage(folder: Path) -> dict[str, Any]:
    """Read an adapter's lineage; an unreadable one only leaves parts out."""
    try:
        lineage: dict[str, Any] = json.loads((folder / LINEAGE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return lineage


def comparison_file_name(project: str) -> str:
    return f"comparison_report_{_UNSAFE_IN_FILE_NAMES.sub('_', project)}_v2.json"


def write(folder: Path, report: Mapping[str, Any]) -> None:
    """Write the three files for people and programs, without secrets."""
    report = redact(report)
    comparison_report = comparison.comparison_report(
        report["project"], report["test_time"], report["results"], report["strict"]
    )
    _write_json(folder / report["comparison"], comparison_report)
    _write_json(folder / "report.json", report)
    (folder / "index.html").write_text(render_page(report), "utf-8", "replace")


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json_text(value, indent=1) + "\n", "utf-8")
