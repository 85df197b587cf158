"""The page: readable with any numbers, and safe with any text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from repobuild.evaluate import plots
from repobuild.evaluate.page import page
from repobuild.evaluate.plots import Bar, Line

VOID = {"meta", "link", "br", "rect", "circle", "path"}
HOSTILE = "<script>alert(1)</script>&\"'</pre><img src=x onerror=y>"


class Balance(HTMLParser):
    """Fails on a tag that is closed wrongly or left open."""

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


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value * 0.9, "high": min(1, value * 1.1), "n": 20}


def model() -> dict[str, Any]:
    scores = {"loss": estimate(0.5), "path_exact": estimate(0.9)}
    return {**scores, "edit": estimate(0.7), "tasks": {"relations": scores}}


def make_report(text: str = "text", **changes: Any) -> dict[str, Any]:
    """The least that a page is drawn from."""
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


def test_text_of_repository_and_models_cannot_become_markup() -> None:
    html = page(make_report(HOSTILE))
    parser = Balance()
    parser.feed(html)
    assert not parser.open
    assert not parser.seen & {"script", "img"}


def test_all_text_of_a_question_is_on_the_page() -> None:
    html = page(make_report("word<er>"))
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
    parser.feed(page(make_report(**changes)))
    assert not parser.open


def test_a_track_without_any_score_still_makes_a_page() -> None:
    empty = {"n": 0, "samples": 0, "base": {"tasks": {}}, "adapter": {"tasks": {}}}
    tracks = {"generalise": {**empty, "difference": {}}}
    html = page(make_report(strict={"models": ["base", "adapter"], "tracks": tracks}))
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
    html = page(make_report(questions=ordered))
    assert html.index("wrong <span") < html.index("wordy <span")
    assert html.index("wordy <span") < html.index("good <span")


def test_the_page_says_when_a_gain_is_not_certain() -> None:
    report = make_report()
    track = report["strict"]["tracks"]["recall"]

    def told(low: float, high: float) -> str:
        gap = {"value": (low + high) / 2, "low": low, "high": high, "n": 9}
        track["difference"] = {"parent": {"loss": gap}}
        return page(report)

    assert "better than the parent" in told(-0.2, -0.1)
    assert "worse than the parent" in told(0.1, 0.2)
    assert "no certain difference" in told(-0.1, 0.1)


def test_every_plot_tells_its_numbers_to_those_who_do_not_see_it() -> None:
    drawn = plots.bars("Scores", {"right file": [Bar("base", 0.25, 0.1, 0.4)]})
    assert 'role="img"' in drawn
    assert 'aria-label="Scores. right file: base 25%"' in drawn


def test_plots_stand_with_one_point_and_with_none() -> None:
    one = plots.lines("t", [Line("a", "adapter", [(0, 0.5)], dots=True)], percent=True)
    assert "nan" not in one
    assert plots.lines("t", []).startswith("<svg")
    assert plots.dumbbells("t", {}).startswith("<svg")


def test_no_point_lies_outside_its_plot() -> None:
    points = [(float(n), 3.7 / (n + 1)) for n in range(50)]
    drawn = plots.lines("t", [Line("a", "adapter", points, dots=True)])
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    assert 0 <= min(heights) and max(heights) <= 270


def test_many_commits_do_not_run_into_each_other() -> None:
    labels = [f"{n:07x}" for n in range(100)]
    points = [(float(n), 0.5) for n in range(100)]
    drawn = plots.lines("t", [Line("a", "adapter", points)], labels=labels)
    assert sum(label in drawn for label in labels) <= 12


def test_a_running_mean_starts_at_its_first_value() -> None:
    assert plots.smoothed([(1, 4.0), (2, 4.0)]) == [(1, 4.0), (2, pytest.approx(4.0))]
