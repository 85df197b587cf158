"""A log says within two seconds what is done, and how long it will still take.

Paces are those of real runs: tokens trained by the seconds, on two shared cores.
"""

from __future__ import annotations

from random import Random

import pytest

from repobuild.cli import progress
from repobuild.cli.progress import ProgressLog, TimeLeft, duration
from repobuild.model.teaching.scheduler import Pace, Scheduler, TaughtFact

# A first build of 13 files by `repobuild --quick`: seconds, tokens trained by then.
QUICK = [
    (0.0, 3026), (5.2, 6720), (10.6, 9889), (15.8, 16142), (22.7, 23650),
    (28.3, 29754), (33.5, 33811), (38.7, 39226), (43.7, 41776), (48.9, 45426),
    (54.1, 49628), (59.6, 52649), (64.8, 55741), (70.3, 59010), (75.6, 62862),
    (81.0, 68567), (86.1, 74111), (91.4, 78990), (96.9, 84387), (102.7, 89812),
    (107.9, 94481), (113.2, 99824), (118.3, 103531), (123.6, 108343), (129.2, 112019),
    (134.5, 114656), (139.7, 118751), (141.2, 119983),
]  # fmt: skip
# The same, killed at 70 s and resumed: the first update counts what was done before.
RESUMED = [(0.0, 55800), *((t - 70.3 + 1.0, n) for t, n in QUICK if t >= 70.3)]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lines: list[tuple[float, str]] = []
        self.log = ProgressLog(self.tell, lambda: self.now)

    def tell(self, text: str) -> None:
        self.lines.append((self.now, text))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass as the thread sees it; return the lines that were written."""
        before = len(self.lines)
        for _ in range(round(seconds / 0.5)):
            self.now += 0.5
            self.log.tick()
        return [text for _, text in self.lines[before:]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(progress, "NAMED_AFTER", 1.0)  # conftest.py raises them
    monkeypatch.setattr(progress, "SILENT", 1.5)
    return Clock()


def test_a_step_that_counts_nothing_is_named_within_two_seconds(clock: Clock) -> None:
    with clock.log.step("build", 0), clock.log.step("loading the base", 0):
        assert clock.wait(2) == ["loading the base: 1 s so far"]
        assert clock.wait(5)[-1] == "loading the base: 6 s so far"


def test_what_is_short_writes_nothing(clock: Clock) -> None:
    for _ in range(9):
        with clock.log.step("facts", 10) as step:
            step.advance(10)
            assert clock.wait(0.5) == []


def test_short_steps_one_after_the_other_are_not_silent(clock: Clock) -> None:
    with clock.log.step("build", 0):
        for name in ("files", "facts", "graph", "contexts", "samples", "dataset"):
            with clock.log.step(name, 0):
                clock.wait(0.5)
    assert [text for _, text in clock.lines] == [
        "graph: 1 s so far",
        "dataset: 1 s so far",
    ]


def test_a_step_within_a_step_is_named_and_then_the_outer_one_again(
    clock: Clock,
) -> None:
    with clock.log.step("adapter", 0):
        assert clock.wait(2) == ["adapter: 1 s so far"]
        with clock.log.step("gate", 2) as gate:
            gate.advance()
            assert clock.wait(2) == ["gate: 1 of 2"]
        assert clock.wait(2) == ["adapter: 4 s so far"]


def test_no_line_is_written_when_nothing_is_done(clock: Clock) -> None:
    with clock.log.step("facts", 0):
        pass
    assert clock.wait(60) == []


@pytest.mark.parametrize("pace", [QUICK, RESUMED], ids=["a run", "a resumed run"])
def test_the_time_left_is_right_within_a_factor_of_two(
    pace: list[tuple[float, int]],
) -> None:
    now, end = 0.0, pace[-1][0]
    left = TimeLeft(120_000, lambda: now)
    for number, (at, tokens) in enumerate(pace, 1):
        now = at
        left.advance(tokens - left.done)
        if number < 3:
            assert left.seconds is None
        elif end - now > 3:  # below, two seconds may be one
            assert left.seconds is not None
            assert (end - now) / 2 <= left.seconds <= (end - now) * 2, (now, left)


def test_a_pace_that_changes_is_noticed() -> None:
    now = 0.0
    left = TimeLeft(2_000, lambda: now)
    for second in range(300):
        now = float(second)
        left.advance(10 if second < 100 else 1)
    # 1,200 are done, and 800 left at one a second; a mean of all would say 200 s.
    assert left.seconds is not None and 400 < left.seconds < 1000


def test_what_a_resumed_run_had_done_before_took_no_time(clock: Clock) -> None:
    """It said "about 1 s left" at step 1,323 of 1,644."""
    with clock.log.step("training from step 1,322", 1_644) as step:
        step.advance(1_323)
        for _ in range(5):
            clock.now += 2
            step.advance(1)
        assert clock.lines[-1][1].startswith("training from step 1,322: 1,32")
        assert "about 11 min left" in step.line(clock.now)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89, "89 s"), (200, "3 min"), (5400, "1.5 h"), (90_000, "25.0 h")],
)
def test_a_duration_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def run_of(facts: int, budget: int, shows: int) -> list[tuple[int, int]]:
    """Return (tokens so far, tokens expected in all) at each pass of a run.

    A fact is answered right, nearly always, from its show number `shows` on.
    """
    chance = Random(facts * shows)
    sizes = [chance.randint(20, 60) for _ in range(facts)]
    taught = [TaughtFact((n,)) for n in range(facts)]
    scheduler = Scheduler(taught, sizes, Pace(budget, 2_000, 2, 0.0))
    points = []
    while shown := scheduler.next_pass():
        points.append((scheduler.spent, scheduler.spent + scheduler.expected_tokens))
        scheduler.record(
            {
                one.fact: scheduler.states[one.fact].shown >= shows
                and chance.random() < 0.97
                for one in shown
            }
        )
    return points


@pytest.mark.parametrize(
    ("facts", "budget", "shows"),
    [
        (3_000, 200_000, 4),  # more than the budget teaches
        (600, 1_500_000, 5),  # all are mastered long before the budget is spent
        (400, 1_500_000, 6),
        (600, 1_500_000, 9),
    ],
)
def test_the_tokens_left_are_right_within_a_factor_of_two(
    facts: int, budget: int, shows: int
) -> None:
    """While a tenth is left: the last few facts may take one pass or five."""
    points = run_of(facts, budget, shows)
    end = points[-1][0]
    for spent, expected in points[2:]:
        if (left := end - spent) > end / 10:
            assert left / 2 <= expected - spent <= left * 2, (spent, expected, end)


def test_what_is_expected_changes_nothing_of_a_run() -> None:
    """It is not in a checkpoint, so a resumed run may begin without it."""
    assert not {"goal_share", "expected"} & set(
        Scheduler([], [], Pace(1, 1, 1, 0)).dump()
    )


def test_updates_that_come_at_once_are_one() -> None:
    """Workers hand in what they did since: it said "about 33 min left" of one."""
    now = 0.0
    left = TimeLeft(20_000, lambda: now)
    for burst in range(1, 6):
        now = 10.0 * burst
        for _ in range(16):
            left.advance(125)
        now += 9.0
        if burst < 3:
            assert left.seconds is None
        else:
            rest = (20_000 - left.done) / 2_000 * 10
            assert left.seconds is not None and rest / 2 <= left.seconds <= rest * 2
