"""The comparison report from given answers, without a model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from repobuild.evaluate import comparison
from repobuild.evaluate.answers import ModelAnswers
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.question_set import HeldOutTrack, QuestionSet
from repobuild.evaluate.questions import HeldOutSample, TestCase
from repobuild.evaluate.scoring.first_scores import ScoredElement

PATHS = [f"pkg/m{n}.py" for n in range(10)]
KNOWN = KnownNames.of(PATHS, [f"f{n}" for n in range(10)])
RIGHT = [f"`f{n}` is defined in `pkg/m{n}.py`." for n in range(10)]
WRONG = [f"`f{n}` is defined in `pkg/m{(n + 1) % 10}.py`." for n in range(10)]


def sample(n: int) -> HeldOutSample:
    task = "code_location" if n % 2 else "relations"
    question = f"Where is `f{n}`?"
    return HeldOutSample(
        f"i{n}", "recall", task, question, RIGHT[n], {"answer": RIGHT[n]}
    )


def question_set() -> QuestionSet:
    samples = [sample(n) for n in range(10)]
    case = TestCase("repo_specific", "Laddr 项目的主要功能是什么？", "overview")
    return QuestionSet(
        project="Laddr",
        cases=[case],
        tracks=[HeldOutTrack("recall", samples, samples)],
        elements=[ScoredElement("f1", "pkg/m1.py")],
        known=KNOWN,
    )


def model_answers(answers: list[str], loss: float, response: str) -> ModelAnswers:
    losses = [(loss * 10, 10)] * 10
    return ModelAnswers([response], {"recall": answers}, {"recall": losses})


def section(**models: ModelAnswers) -> dict[str, Any]:
    asked = question_set()
    return comparison.strict_section(
        asked, models, comparison.mark_answers(asked, models)
    )


BASE = model_answers(WRONG, 3.0, "It is an API.")
PARENT = model_answers(RIGHT[:5] + WRONG[5:], 0.5, "Laddr")
ADAPTER = model_answers(RIGHT, 0.4, "Laddr has a module `f1` in pkg/m1.py.")


def test_every_model_is_scored_by_track_and_by_task() -> None:
    track = section(base=BASE, parent=PARENT, adapter=ADAPTER)["tracks"]["recall"]
    assert (track["n"], track["samples"]) == (10, 10)
    assert track["adapter"]["path_exact"]["value"] == 1
    assert track["adapter"]["exact"]["value"] == 1
    assert track["base"]["path_exact"]["value"] == 0
    assert track["adapter"]["loss"]["value"] == 0.4
    tasks = track["adapter"]["tasks"]
    assert set(tasks) == {"code_location", "relations"}
    assert tasks["relations"]["loss"]["n"] == 5
    assert "path_exact" not in tasks["relations"]


def test_differences_are_this_adapter_minus_the_others() -> None:
    found = section(base=BASE, parent=PARENT, adapter=ADAPTER)["tracks"]["recall"]
    gaps = found["difference"]
    assert set(gaps) == {"base", "parent"}
    assert gaps["base"]["path_exact"]["value"] == 1
    assert gaps["parent"]["loss"]["value"] == -0.1
    assert gaps["parent"]["loss"]["high"] < 0


def test_the_headline_has_the_values_of_every_model() -> None:
    found = comparison.headline(section(base=BASE, adapter=ADAPTER))
    wrong = {"loss": 3.0, "path_exact": 0.0, "facts": 0.0, "right": 0.0}
    right = {"loss": 0.4, "path_exact": 1.0, "facts": 1.0, "right": 1.0}
    for model, values in (("base", wrong), ("adapter", right)):
        assert values.items() <= found["recall"][model].items()
    assert found["recall"]["adapter"]["rouge_l"] == 1.0
    assert found["recall"]["base"]["bleu"] < found["recall"]["adapter"]["bleu"]
    assert found["staleness"] == found["general"] == {}


def test_the_comparison_is_base_against_adapter_in_the_first_form() -> None:
    models = {"base": BASE, "parent": PARENT, "adapter": ADAPTER}
    results = comparison.first_report_results(question_set(), models)
    (result,) = results
    scores = result["scores"]
    assert scores["base_model"]["repo_specific"] == 15
    assert scores["finetuned_model"]["repo_specific"] == 30 + 20 + 5 + 15
    gain = scores["finetuned_model"]["total"] - scores["base_model"]["total"]
    assert result["improvement"] == round(gain, 1)
    report = comparison.comparison_report("Laddr", "2026", results, {"models": []})
    assert report["summary"]["average_improvement"] == result["improvement"]
    assert report["summary"]["repo_specific_improvement"] == 55
    assert report["summary"]["average_scores"]["parent_model"] > 0


def test_reference_files_of_a_question_are_scored() -> None:
    case = TestCase("code_specific", "Where?", "implementation", ("pkg/m.py",))
    models = {"base": BASE, "adapter": ADAPTER}
    asked = replace(question_set(), cases=[case], known=KnownNames.of(["pkg/m.py"], []))
    named = {"base": "Nowhere.", "adapter": "In `pkg/m.py`."}
    answered = {m: replace(a, cases=[named[m]]) for m, a in models.items()}
    results = comparison.first_report_results(asked, answered)
    shares = {"base_model": 0.0, "finetuned_model": 1.0}
    assert results[0]["reference_files_named"] == shares
    report = comparison.comparison_report("Laddr", "2026", results, {"models": []})
    assert report["summary"]["reference_files_named"] == shares


def test_no_test_cases_make_an_empty_summary() -> None:
    summary = comparison.first_report_summary([])
    assert summary["average_scores"] == {}
    assert summary["average_improvement"] == 0
