"""What a build would do, and how long: by the recorded times of real builds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from repobuild.cli.reason_text import stale_text
from repobuild.engine.explain.forecast import (
    NOTHING,
    ExpectedWork,
    ForecastInput,
    foresee,
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


def slow_forecast(prospect: ForecastInput) -> ExpectedWork:
    if not prospect.changed:
        return ExpectedWork("wait", NOTHING, 0.0)
    mode = "continue" if prospect.rows else "first"
    return ExpectedWork(mode, f"would {mode}", min(prospect.changed, prospect.size))


@pytest.fixture
def toy(repository) -> Toy:
    files = {f"t{n}.txt": " ".join(f"w{n}x{k}" for k in range(5)) for n in range(40)}
    repository.commit(files)
    made = Toy(repository.git)
    made.change("book", run=f"{_HERE}:slow_book", forecast=f"{_HERE}:slow_forecast")
    return made


def test_before_the_first_build_there_is_nothing_to_go_by(toy):
    seen = foresee(toy.open(), ["cover"])
    assert (seen.seconds, seen.runs) == (0.0, 0)
    assert seen.unknown == list(toy.rules)


def test_one_changed_file_is_foreseen_far_below_the_first_build(toy, repository):
    toy.build("cover")
    first = sum(o.counts.seconds for o in toy.last.outcomes.values())
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 other"})
    seen = foresee(toy.open(), ["cover"])
    assert seen.runs == 1
    assert seen.tasks == {"book": "would continue"}
    assert 0 < seen.seconds < first / 4


def test_a_continued_step_costs_what_past_ones_cost(toy, repository):
    toy.build("cover")
    for number in range(3):
        repository.commit({"t1.txt": f"w1x0 w1x1 w1x2 w1x3 other{number}"})
        toy.build("cover")
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 more"})
    seen = foresee(toy.open(), ["cover"])
    past = [r.seconds for r in runs(toy.last.state, "book") if r.mode == "continue"]
    assert len(past) == 3
    assert seen.runs >= 3
    assert seen.seconds < 3 * max(past)


def test_looking_again_is_no_work_for_a_table_that_stays(toy, repository):
    toy.build("cover")
    repository.commit({"picture.bin": "no text"})
    toy.build("cover")
    assert foresee(toy.open(), ["cover"]).reasons == {}


def test_a_setting_that_starts_a_table_anew_costs_its_whole_time(toy):
    toy.build("cover")
    toy.settings["toy.shout"] = True
    seen = foresee(toy.open(), ["lines"])
    assert list(seen.reasons) == ["lines"]
    assert stale_text(seen.reasons["lines"]) == "setting toy.shout False to True"
    (run,) = runs(toy.last.state, "lines")
    assert seen.seconds == pytest.approx(run.seconds)


def test_a_changed_line_of_many_is_foreseen_as_few_changed_rows(toy, repository):
    lines = [f"l{n}" for n in range(200)]
    repository.commit({"long.txt": "\n".join(lines)})
    toy.build("cover")
    repository.commit({"long.txt": "\n".join([*lines[:-1], "other"])})
    seen = foresee(toy.open(), ["cover"])
    assert seen.churn < 0.02
    assert seen.changed["counts"] <= 2


def test_what_an_ended_build_left_to_train_is_still_foreseen(toy, repository):
    toy.build("cover")
    repository.commit({"t1.txt": "w1x0 w1x1 w1x2 w1x3 other"})
    toy.build("lines")
    seen = foresee(toy.open(), ["cover"])
    assert list(seen.reasons) == ["book", "cover"]
    assert seen.tasks["book"] == "would continue"
    assert seen.seconds > 0
    toy.build("cover")
    assert foresee(toy.open(), ["cover"]).reasons == {}


def test_the_first_changed_files_are_named(toy, repository):
    toy.build("cover")
    repository.commit({f"t{n}.txt": "other" for n in range(6)})
    reason = foresee(toy.open(), ["cover"]).reasons["files"]
    assert stale_text(reason) == "6 changed paths: t0.txt, t1.txt, t2.txt, t3.txt, …"


def test_an_artifact_that_stays_makes_nothing_behind_it(toy, repository):
    toy.build("cover")
    commit = repository.commit({})
    seen = foresee(toy.open(), ["cover"])
    assert list(seen.reasons) == ["book", "cover"] and commit
    assert seen.tasks == {"book": NOTHING, "cover": NOTHING}
    assert seen.seconds == 0
