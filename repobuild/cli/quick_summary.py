"""Say what a quick build left out: its scores are not those of the real adapter."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import number_of
from repobuild.settings_schema import defaults

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_SHOWN = ("adapter.budget", "history.commits", "report.questions")


def quick_summary(build: Build) -> dict[str, Any]:
    """Return what was trained and asked, and the settings that made it less."""
    counts: Counter[str] = Counter()
    if build.state.line("dataset") is not None:
        for _, row in build.table("dataset").entries():
            counts[row.get("split") or row["dropped"]] += 1
    usual = defaults()
    return {
        "folder": str(build.state.folder),
        "trained": counts["train"],
        "over_budget": counts["over budget"],
        "settings": {name: [build.settings[name], usual[name]] for name in _SHOWN},
    }


def quick_text(facts: dict[str, Any]) -> str:
    """Return the summary as lines below those of a build."""
    beyond = facts["over_budget"]
    every = facts["trained"] + beyond
    budget, commits, questions = (facts["settings"][name] for name in _SHOWN)
    left_out = [
        *([number_of(beyond, "sample")] if beyond else []),
        f"changes before the last {commits[0]} commits",
        f"{questions[1] - questions[0]} of {questions[1]} questions of each track",
        "the merged model",
    ]
    return "\n".join(
        [
            f"quick: {facts['trained']:,} of {every:,} samples, at most {budget[0]:,} "
            "tokens of training",
            f"left out: {', '.join(left_out)}",
            f'kept apart in "{facts["folder"]}": no other build continues it',
            "ask it: repobuild --quick ask QUESTION; the whole adapter: repobuild",
        ]
    )
