"""Say what merging a pull request would train: tokens, and time by the measured pace.

The forecast of `repobuild status` knows of what a build would do; how many samples
change it can only estimate. Here they are known. So where the base's own adapter would
be continued, the cost is that of the facts that differ; an adapter that other commits
wait for too, or that starts from the base model, has the forecast's cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from repobuild.ci.compare_rows import row_pairs
from repobuild.ci.two_builds import BuiltRevision
from repobuild.engine.explain.forecast import (
    NO_WORK,
    ExpectedWork,
    Forecast,
    estimate_work,
    forecast_build,
)
from repobuild.engine.rule import closure
from repobuild.engine.storage.run_history import runs
from repobuild.errors import BuildError
from repobuild.model.adapter.adapter_forecast import tokens_of_facts
from repobuild.model.adapter.decision import StepMode
from repobuild.model.teaching.curriculum import fact_of
from repobuild.model.teaching.teachable import TABLE, trained_digests

Facts = dict[str, Any]

_TASK = "adapter"
_STAYS = "the adapter stays as it is"


def training_cost(before: BuiltRevision, after: BuiltRevision) -> Facts:
    """Return tokens and seconds of a build of the head, and what it would do, in words.

    `runs` is the number of past builds that the pace is from.
    """
    build = after.build
    goals = [g for g in after.settings.values["build.goals"] if g in build.rules]
    facts: Facts = {"tokens": None, "seconds": None, "runs": 0, "text": "", "why": ""}
    if withheld := sorted(_read(after, goals) & after.settings.powers.names):
        return {**facts, "why": f"withheld without trust: {', '.join(withheld)}"}
    try:
        forecast = forecast_build(build, goals)
    except BuildError as error:  # such as a base model that is not here
        return {**facts, "why": str(error).splitlines()[0]}
    expected, seconds = forecast.work.get(_TASK), forecast.seconds
    if expected and _continues_the_base(before, expected):
        exact = _exact(after, count_facts(before, after), expected)
        known = runs(build.state, _TASK)
        times = [estimate_work(known, work).seconds for work in (expected, exact)]
        expected, seconds = exact, max(0.0, seconds - times[0] + times[1])
    if expected:
        facts["tokens"] = round(expected.work)
        facts["text"] = _STAYS if expected.text == NO_WORK else expected.text
    return {**facts, **_time(forecast, seconds)}


def count_facts(before: BuiltRevision, after: BuiltRevision) -> int:
    """Return how many facts a training of the head gets: new ones, and changed ones.

    As a build does (`make_plan` in model/adapter/decision.py), but of the rows that
    differ only.
    """
    found: set[str] = set()
    for pair in row_pairs(before.build, after.build, TABLE):
        then, now = trained_digests(pair.old), trained_digests(pair.new)
        changed = (sub for sub in now if now[sub] != then.get(sub))
        found.update(fact_of(pair.key + sub) for sub in changed)
    return len(found)


def _read(after: BuiltRevision, goals: list[str]) -> set[str]:
    """Return the settings that a build of the goals reads."""
    rules, asked = after.build.rules, after.settings.asked
    needed = closure(rules, goals)
    return {name for rule in needed for name in rules[rule].visible_settings(asked)}


def _continues_the_base(before: BuiltRevision, expected: ExpectedWork) -> bool:
    """Return whether the base has an adapter of its own, and a build continues it."""
    commit = before.build.snapshot.commit
    has_one = before.build.table(_TASK).get(commit) is not None
    return has_one and expected.mode == StepMode.CONTINUE.value


def _exact(after: BuiltRevision, facts: int, expected: ExpectedWork) -> ExpectedWork:
    """Return the work of continuing on so many facts."""
    if not facts:
        return replace(expected, text=NO_WORK, work=0.0)
    rows = [row for _, row in after.build.table(_TASK).items()]
    return replace(
        expected,
        text=f"would continue on {facts:,} changed fact{'s' * (facts != 1)}",
        work=tokens_of_facts(facts, after.settings.values, rows),
    )


def _time(forecast: Forecast, seconds: float) -> Facts:
    facts: Facts = {"runs": forecast.runs}
    if forecast.runs or not forecast.unknown:
        facts["seconds"] = round(seconds, 3)
    if forecast.unknown:
        facts["why"] = f"no past build to go by: {', '.join(forecast.unknown)}"
    return facts
