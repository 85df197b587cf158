"""The forecast of a build: what it would do, and how long by recorded times."""

from __future__ import annotations

import time
from typing import Any

import pytest

from repobuild.cli.reason_text import stale_text
from repobuild.engine.explain.forecast import (
    NO_WORK,
    ExpectedWork,
    ForecastInput,
    forecast_build,
)
from repobuild.engine.storage.run_history import runs
from tests.toys import Toy

_HERE = "tests.engine.test_forecast"
_PAGE_SECONDS = 0.002


def slow_book(task: Any) -> dict[str, Any]:
    """A book whose pages take time: all at first, later only as many as changed."""
    pages = dict(task.table("lines").entries())
    (task.folder / "book.txt").write_text("\n".join(f"{k}: {pages[k]}" for k in pages))
    first = not task.rows("book")
    work = len(pages) if first else 4
    time.sleep(work * _PAGE_SECONDS)
    return {"mode": "first" if first else "continue", "work": work}


def slow_forecast(given: ForecastInput) -> ExpectedWork:
    if not given.changed:
        return ExpectedWork("wait", NO_WORK, 0.0)
    mode = "continue" if given.rows else "first"
    return ExpectedWork(mode, f"would {mode}", min(given.changed, given.size))


@pytest.fixture
def toy(repository) -> Toy:
    files = {f"t{n}.txt": " ".join(f"w{n}x{k}" for k in range(5)) for n in range(40)}
    repository.commit(files)
    made = Toy(repository.git)
    made.change("book", run=f"{_HERE}:slow_book", forecast=f"{_HERE}:slow_forecast")
    return made


@pytest.fixture
def built(repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two"})
    made = Toy(repository.git)
    made.build("cover")
    return made


def test_nothing_is_stale_after_a_build(built):
    assert forecast_build(built.open(), ["cover"]).reasons == {}


def test_a_changed_file_makes_all_that_depends_on_it_stale(built, repository):
    repository.commit({"b.txt": "else"})
    forecast = forecast_build(built.open(), ["cover"])
    assert forecast.files == 1
    assert stale_text(forecast.reasons["files"]) == "1 changed path: b.txt"
    assert stale_text(forecast.reasons["lines"]) == "depends on counts"


def test_a_forecast_writes_nothing(built, repository):
    repository.commit({"b.txt": "else"})
    before = built.digests()
    forecast_build(built.open(), ["cover"])
    assert built.digests() == before


def test_before_the_first_build_no_time_is_known(toy):
    forecast = forecast_build(toy.open(), ["cover"])
    assert (forecast.seconds, forecast.runs) == (0.0, 0)
    assert forecast.unknown == list(toy.rules)


def test_one_changed_file_is_forecast_far_below_the_first_build(toy, repository):
    toy.build("cover")
    first = sum(o.counts.seconds for o in toy.last.outcomes.values())
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 other"})
    forecast = forecast_build(toy.open(), ["cover"])
    assert forecast.runs == 1
    assert forecast.tasks == {"book": "would continue"}
    assert 0 < forecast.seconds < first / 4


def test_a_continued_step_costs_what_past_ones_cost(toy, repository):
    toy.build("cover")
    for number in range(3):
        repository.commit({"t1.txt": f"w1x0 w1x1 w1x2 w1x3 other{number}"})
        toy.build("cover")
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 more"})
    forecast = forecast_build(toy.open(), ["cover"])
    past = [r.seconds for r in runs(toy.last.state, "book") if r.mode == "continue"]
    assert len(past) == 3
    assert forecast.runs >= 3
    assert forecast.seconds < 3 * max(past)


def test_a_table_without_changed_rows_is_not_stale(toy, repository):
    toy.build("cover")
    repository.commit({"picture.bin": "no text"})
    toy.build("cover")
    assert forecast_build(toy.open(), ["cover"]).reasons == {}


def test_a_setting_that_rebuilds_a_whole_table_costs_its_full_time(toy):
    toy.build("cover")
    toy.settings["toy.shout"] = True
    forecast = forecast_build(toy.open(), ["lines"])
    assert list(forecast.reasons) == ["lines"]
    assert stale_text(forecast.reasons["lines"]) == "setting toy.shout false to true"
    (run,) = runs(toy.last.state, "lines")
    assert forecast.seconds == pytest.approx(run.seconds)


def test_a_changed_line_of_many_is_forecast_as_few_changed_rows(toy, repository):
    lines = [f"l{n}" for n in range(200)]
    repository.commit({"long.txt": "\n".join(lines)})
    toy.build("cover")
    repository.commit({"long.txt": "\n".join([*lines[:-1], "other"])})
    forecast = forecast_build(toy.open(), ["cover"])
    assert forecast.churn < 0.02
    assert forecast.changed["counts"] <= 2


def test_what_an_ended_build_left_to_train_is_still_forecast(toy, repository):
    toy.build("cover")
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 other"})
    toy.build("lines")
    forecast = forecast_build(toy.open(), ["cover"])
    assert list(forecast.reasons) == ["book", "cover"]
    assert forecast.tasks["book"] == "would continue"
    assert forecast.seconds > 0
    toy.build("cover")
    assert forecast_build(toy.open(), ["cover"]).reasons == {}


def test_the_first_changed_files_are_named(toy, repository):
    toy.build("cover")
    repository.commit({f"t{n}.txt": "other" for n in range(6)})
    reason = forecast_build(toy.open(), ["cover"]).reasons["files"]
    assert stale_text(reason) == "6 changed paths: t0.txt, t1.txt, t2.txt, t3.txt, …"


def test_an_artifact_that_stays_leaves_its_readers_without_work(toy, repository):
    toy.build("cover")
    commit = repository.commit({})
    forecast = forecast_build(toy.open(), ["cover"])
    assert list(forecast.reasons) == ["book", "cover"] and commit
    assert forecast.tasks == {"book": NO_WORK, "cover": NO_WORK}
    assert forecast.seconds == 0
