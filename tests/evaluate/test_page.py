"""The page: valid with any numbers, and safe with any text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from repobuild.evaluate.page import bar_plots, line_plots
from repobuild.evaluate.page.bar_plots import PlotBar
from repobuild.evaluate.page.line_plots import SHARE, PlotAxis, PlotLine
from repobuild.evaluate.page.page import render_page
from repobuild.evaluate.page.question_list import highlight_wrong
from tests import pages
from tests.pages import HOSTILE

VOID = {"meta", "link", "br", "rect", "circle", "path"}


class Balance(HTMLParser):
    """A parser that fails if a tag is closed wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value * 0.9, "high": min(1, value * 1.1), "n": 20}


def model() -> dict[str, Any]:
    scores = {"loss": interval(0.5), "path_exact": interval(0.9)}
    return {**scores, "edit": interval(0.7), "tasks": {"relations": scores}}


def make_report(text: str = "text", **changes: Any) -> dict[str, Any]:
    """Make a report with the minimal content of a page."""
    mark = {"edit": 0.5, "path_exact": 0.0, "hallucinated": [text]}
    question = {
        "id": "i",
        "track": "recall",
        "task": "code_location",
        "question": f"{text}\n{text}",
        "expected": text,
        "answers": {"base": text, "adapter": text},
        "marks": {"base": mark, "adapter": mark},
    }
    link = {"commit": text, "object": text, "parent": "", "promoted": True}
    headline = {"recall": {"adapter": {"loss": 0.5, "path_exact": 0.9}}}
    track = {"n": 20, "samples": 20, "base": model(), "adapter": model()}
    return {
        "project": text,
        "commit": "c" * 40,
        "test_time": "2026-11-21T08:00:00+00:00",
        "base": {"name": text},
        "adapter": {**link, "mode": "first", "reason": text},
        "strict": {
            "models": ["base", "adapter"],
            "tracks": {"recall": {**track, "difference": {}}},
        },
        "history": {"train": [[1, 2.0], [2, 1.0]], "held_out": []},
        "chain": [{**link, "headline": headline}] * 2,
        "questions": [question],
        "seed": {},
        "comparison": text,
        **changes,
    }


@pytest.mark.parametrize("full", [False, True])
def test_text_of_repository_and_models_cannot_become_markup(full: bool) -> None:
    html = render_page(pages.make_report(HOSTILE, 3) if full else make_report(HOSTILE))
    parser = Balance()
    parser.feed(html)
    assert not parser.open
    assert not parser.seen & {"script", "img"}


def test_all_text_of_a_question_is_on_the_page() -> None:
    html = render_page(make_report("word<er>"))
    assert html.count("word&lt;er&gt;") >= 8


@pytest.mark.parametrize(
    "changes",
    [
        {"questions": []},
        {"chain": []},
        {"history": {"train": [], "held_out": []}},
        {"strict": {"models": ["base", "adapter"], "tracks": {}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_report_that_lacks_a_part_still_makes_a_page(changes: dict[str, Any]) -> None:
    parser = Balance()
    parser.feed(render_page(make_report(**changes)))
    assert not parser.open


def test_a_track_without_any_score_still_makes_a_page() -> None:
    empty = {"n": 0, "samples": 0, "base": {"tasks": {}}, "adapter": {"tasks": {}}}
    tracks = {"generalise": {**empty, "difference": {}}}
    html = render_page(
        make_report(strict={"models": ["base", "adapter"], "tracks": tracks})
    )
    assert "no score to show" in html
    assert "Nothing to show yet" in html


def test_wrong_files_come_before_bad_wording() -> None:
    def question(name: str, path: float | None, edit: float) -> dict[str, Any]:
        mark = {"edit": edit, "path_exact": path, "hallucinated": []}
        (given,) = make_report(name)["questions"]
        return {**given, "id": name, "marks": {"base": mark, "adapter": mark}}

    ordered = [
        question("good", 1.0, 0.9),
        question("wordy", None, 0.2),
        question("wrong", 0.0, 0.8),
    ]
    html = render_page(make_report(questions=ordered))
    assert html.index("<bdi>wrong<") < html.index("<bdi>wordy<")
    assert html.index("<bdi>wordy<") < html.index("<bdi>good<")


def test_the_page_says_when_a_gain_is_not_certain() -> None:
    report = make_report()
    track = report["strict"]["tracks"]["recall"]

    def page_with_gap(low: float, high: float) -> str:
        gap = {"value": (low + high) / 2, "low": low, "high": high, "n": 9}
        track["difference"] = {"parent": {"loss": gap}}
        return render_page(report)

    assert "better than the parent" in page_with_gap(-0.2, -0.1)
    assert "worse than the parent" in page_with_gap(0.1, 0.2)
    assert "no certain difference" in page_with_gap(-0.1, 0.1)


def test_every_plot_has_its_numbers_in_its_label() -> None:
    drawn = bar_plots.bar_plot(
        "Scores", {"right file": [PlotBar("base", 0.25, 0.1, 0.4)]}
    )
    assert 'role="img"' in drawn
    assert 'aria-label="Scores. right file: base 25%"' in drawn


def test_plots_work_with_one_point_and_with_none() -> None:
    one = line_plots.line_plot(
        "t", [PlotLine("a", "adapter", [(0, 0.5)], dots=True)], axis=SHARE
    )
    assert "nan" not in one
    assert line_plots.line_plot("t", []).startswith("<svg")
    assert line_plots.column_plot("t", [], []).startswith("<svg")
    assert bar_plots.dumbbell_plot("t", {}).startswith("<div")


@pytest.mark.parametrize("below", [0.0, 2.0], ids=["positive", "below zero"])
def test_no_point_is_outside_its_plot(below: float) -> None:
    points = [(float(n), 3.7 / (n + 1) - below) for n in range(50)]
    drawn = line_plots.line_plot("t", [PlotLine("a", "adapter", points, dots=True)])
    heights = [float(y) for y in re.findall(r'cy="([\d.-]+)"', drawn)]
    assert 0 <= min(heights) and max(heights) <= line_plots.HEIGHT


def test_a_commit_without_cost_has_no_column() -> None:
    drawn = line_plots.column_plot("t", [1_000_000, 0, 10], ["a", "b", "c"])
    high, none, low = (float(h) for h in re.findall(r'height="([\d.]+)"', drawn))
    assert none == 0 < low < high <= line_plots.HEIGHT


def test_an_axis_begins_at_zero_unless_a_value_is_negative() -> None:
    assert PlotAxis.around([0.3, 0.61]) == PlotAxis(0.0, 0.8)
    assert PlotAxis.around([-0.01, 0.03]) == PlotAxis(-0.04, 0.04)


def test_the_labels_of_many_commits_do_not_overlap() -> None:
    labels = [f"{n:07x}" for n in range(100)]
    points = [(float(n), 0.5) for n in range(100)]
    drawn = line_plots.line_plot("t", [PlotLine("a", "adapter", points)], names=labels)
    assert sum(label in drawn for label in labels) <= line_plots.LABELS


def test_a_running_mean_starts_at_its_first_value() -> None:
    assert line_plots.smoothed([(1, 4.0), (2, 4.0)]) == [
        (1, 4.0),
        (2, pytest.approx(4.0)),
    ]


# --------------------------------------------------------- content of the sections


def test_exactly_the_wrong_parts_of_an_answer_are_highlighted() -> None:
    html = highlight_wrong("in `a.py`, not in `aa.py` or <b>", ["a.py", "<b>"])
    assert html == "in `<mark>a.py</mark>`, not in `aa.py` or <mark>&lt;b&gt;</mark>"
    assert highlight_wrong("a < b", []) == "a &lt; b"


def test_the_checked_answer_comes_first_and_the_base_last() -> None:
    html = render_page(pages.make_report())
    first = html[html.index('<div class="answers"><div class="of-fact">') :]
    order = re.findall(r'<div class="of-(\w+)">', first)[:4]
    assert order == ["fact", "adapter", "parent", "base"]


def test_a_stale_answer_is_listed_as_the_worst() -> None:
    html = render_page(pages.make_report())
    verdicts = re.findall(r'class="verdict-of"><span class="\w+">([^<]*)', html)
    assert verdicts[0] == "✗ old fact"
    assert verdicts == sorted(verdicts, key=["✗ old fact", "✗ facts", "✓ facts"].index)


def test_the_cost_of_continuing_is_compared_with_training_from_the_base() -> None:
    chain = [pages.link(n, "") for n in range(3)]
    html = render_page(pages.make_report(chain=chain))
    assert f"This commit trained {chain[-1]['tokens']:,} tokens" in html
    assert "1.2% of the 812,345 that starting from the base" in html


def test_the_page_says_when_a_commit_trained_nothing() -> None:
    chain = [pages.link(n, "") for n in range(4)]
    assert chain[-1]["mode"] == "wait"
    html = render_page(pages.make_report(chain=chain))
    assert "Nothing was trained at this commit" in html


def test_the_head_names_a_rollback() -> None:
    facts = {"mode": "rollback", "reason": "instead of 1234", "promoted": True}
    html = render_page(pages.make_report(adapter={**pages.link(1, ""), **facts}))
    assert "This commit was rolled back" in html
    assert "rolled back to (<bdi>instead of 1234</bdi>)" in html


def test_a_long_chain_shows_its_newest_commits_and_folds_the_rest() -> None:
    html = render_page(pages.make_report(commits=40))
    assert "<summary>28 commits before</summary>" in html
    assert html.count('<th scope="row"><code>') == 40


def test_the_contents_link_exactly_the_sections_that_exist() -> None:
    html = render_page(pages.make_report())
    links = re.findall(r'<a href="#(\w+)">', html)
    assert links == ["scores", "chain", "tasks", "training", "answers", "seed"]
    assert [f'<h2 id="{name}">' in html for name in links] == [True] * 6
    bare = render_page(make_report(chain=[], history={"train": [], "held_out": []}))
    assert re.findall(r'<a href="#(\w+)">', bare) == [
        "scores",
        "tasks",
        "answers",
        "seed",
    ]
