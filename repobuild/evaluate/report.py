"""The `report` rule: how well base, parent and this adapter answer, as of this commit.

    report.json          everything below, and every answer with its marks
    comparison_report_<Project>_v2.json  the form of the first reports, with `strict`
    index.html           the same for people
    answers.jsonl.gz     what every model said, for the next report

Models are opened one after the other and only when a question is new to them: after a
commit the base has answered before, and the parent has, as the adapter it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from repobuild.engine.contract import Task, Value
from repobuild.evaluate import answers, comparison, questions
from repobuild.evaluate.answers import AnswerCache, Model, Question, Respondent, Row
from repobuild.evaluate.chain import ChainLink, chain
from repobuild.evaluate.comparison import ModelReplies, QuestionSet, Track
from repobuild.evaluate.page.page import page
from repobuild.evaluate.scoring import staleness
from repobuild.evaluate.scoring.first_scores import ScoredElement
from repobuild.evaluate.scoring.general_loss import GeneralText
from repobuild.evaluate.scoring.mention_parser import KnownNames
from repobuild.samples.dataset.all_samples import AllSamples

LINEAGE = "repobuild.json"
_WORD = re.compile(r"[^\W\d]\w*")
_UNSAFE = re.compile(r"[^\w.-]+")


def run(task: Task) -> dict[str, Value]:
    """Ask, mark, write; returns the headline scores."""
    link = ChainLink(task.commit, task.rows("adapter")[task.commit])
    inquiry = inquire(task)
    used = AnswerCache()
    models = respondents(task, link, used)
    replies = {name: ask(task, name, model, inquiry) for name, model in models.items()}
    used.write(task.folder / answers.FILE)
    report = assemble(task, link, inquiry, replies)
    write(task.folder, report)
    made = {name: model.made for name, model in models.items()}
    task.event("answered", made=made)
    return {"headline": report["headline"], "seed": report["seed"]}


# --------------------------------------------------------------------------- asking


def inquire(task: Task) -> QuestionSet:
    """Everything that is asked at this commit."""
    settings, samples = task.settings, AllSamples.of(task)
    elements = list(questions.elements(task.table("graph")))
    project = project_name(task)
    with_lines = bool(settings["adapter.line_numbers"])
    tracks = [
        Track(
            name,
            questions.questions(name, held, samples, int(settings["report.questions"])),
            questions.even(name, held, samples, int(settings["report.loss_samples"])),
        )
        for name, held in questions.held_out(task.table("dataset"), with_lines).items()
    ]
    count = int(settings["report.seed_questions"])
    return QuestionSet(
        project=project,
        cases=questions.seed_cases(project, elements, count),
        tracks=tracks,
        elements=[
            ScoredElement(e.name, e.path)
            for e in elements
            if e.kind in questions.ASKED_KINDS
        ],
        known=known(task, elements),
        outdated=staleness.drawn(
            task.table("old_answers"),
            task.table("dataset"),
            int(settings["report.stale_questions"]),
        ),
        general=GeneralText.read(int(settings["report.general_pieces"])),
    )


def project_name(task: Task) -> str:
    """As the samples call it."""
    row = task.table("contexts").get("@project") or {}
    return str(row.get("name") or task.settings.get("project.name") or "project")


def known(task: Task, elements: Sequence[questions.GraphElement]) -> KnownNames:
    """Names are lenient: a word that stands anywhere in a context is not made up."""
    paths = [path for path in task.table("graph").keys() if not path.startswith("@")]
    names = {element.qualified_name for element in elements}
    for _, row in task.table("contexts").items():
        names.update(words(row))
    return KnownNames.of(paths, sorted(names))


def words(value: Value) -> Iterator[str]:
    """Every identifier in every text of a row."""
    if isinstance(value, str):
        yield from _WORD.findall(value)
    elif isinstance(value, Mapping):
        for name in value:
            yield from words(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from words(item)


def respondents(
    task: Task, link: ChainLink, used: AnswerCache
) -> dict[str, Respondent]:
    """Base, parent if there is one, and this adapter."""
    from repobuild.model.base import resolve
    from repobuild.model.generate import TextGenerator

    base = resolve(task.settings)
    memory = earlier(task)

    def opening(adapter: str) -> Callable[[], Model]:
        return lambda: TextGenerator.load(
            base, task.object(adapter) if adapter else None
        )

    digests = {"base": "", "parent": link.parent, "adapter": link.object}
    form = "" if base.fim else "/chat"  # how completions are asked
    return {
        name: Respondent(
            (adapter or base.digest) + form, opening(adapter), memory, used
        )
        for name, adapter in digests.items()
        if adapter or name == "base"
    }


def earlier(task: Task) -> AnswerCache:
    """What the latest reports said."""
    rows = sorted(task.rows("report").values(), key=lambda row: -int(row["build"]))
    return answers.earlier(task, [str(row["object"]) for row in rows])


def ask(task: Task, name: str, model: Respondent, inquiry: QuestionSet) -> ModelReplies:
    """Put everything to one model: three calls, however many questions are new."""
    limit = int(task.settings["report.max_new_tokens"])
    asked: list[Question] = [case.question for case in inquiry.cases]
    rows: list[Row] = []
    for track in inquiry.tracks:
        asked += [sample.asked for sample in track.asked]
        rows += [sample.measured for sample in track.measured]
    asked += [outdated.question for outdated in inquiry.outdated]
    texts = [(piece.path, piece.text) for piece in inquiry.general.pieces]
    total = len(asked) + len(rows) + len(texts)
    with task.progress(f"ask {name}", total) as progress:
        said = iter(model.answers(asked, limit, progress.advance))
        lost = iter(model.losses(rows))
        progress.advance(len(rows))
        general = model.text_losses(texts)
        progress.advance(len(texts))
    return ModelReplies(
        cases=[next(said) for _ in inquiry.cases],
        answers={t.name: [next(said) for _ in t.asked] for t in inquiry.tracks},
        losses={t.name: [next(lost) for _ in t.measured] for t in inquiry.tracks},
        outdated=list(said),
        general=general,
    )


# -------------------------------------------------------------------------- writing


def assemble(
    task: Task,
    link: ChainLink,
    inquiry: QuestionSet,
    replies: Mapping[str, ModelReplies],
) -> dict[str, Any]:
    """The whole report as plain data."""
    questions = comparison.marked(inquiry, replies)
    section = comparison.strict_section(inquiry, replies, questions)
    results = comparison.seed_results(inquiry, replies)
    headline = comparison.headline(section)
    lineage = read_lineage(task.object(link.object))
    return {
        "version": 1,
        "project": inquiry.project,
        "commit": task.commit,
        "tree": task.tree,
        "test_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "base": lineage.get("base") or {"name": task.settings["base.model"]},
        "adapter": link.plain(),
        "headline": headline,
        "strict": section,
        "results": results,
        "seed": comparison.seed_averages(results),
        "comparison": comparison_name(inquiry.project),
        "history": history(lineage),
        "chain": chain(task, link, headline),
        "questions": [question.plain() for question in questions],
    }


def read_lineage(folder: Path) -> dict[str, Any]:
    """An adapter without a readable lineage is still reported on."""
    try:
        found: dict[str, Any] = json.loads((folder / LINEAGE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def history(lineage: Mapping[str, Any]) -> dict[str, Any]:
    """Points [step, loss] of the last training run."""
    training = lineage.get("training") or {}
    return {
        "train": list(training.get("losses") or []),
        "held_out": list(training.get("held_out_losses") or []),
    }


def write(folder: Path, report: Mapping[str, Any]) -> None:
    """The three files that people and programs read."""
    form = comparison.comparison_report(
        report["project"], report["test_time"], report["results"], report["strict"]
    )
    _write_json(folder / report["comparison"], form)
    _write_json(folder / "report.json", report)
    (folder / "index.html").write_text(page(report), "utf-8", "replace")


def comparison_name(project: str) -> str:
    """A project's name may hold what a file name may not."""
    return f"comparison_report_{_UNSAFE.sub('_', project)}_v2.json"


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, "utf-8", "replace")
