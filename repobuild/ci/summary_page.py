"""Write the summary of a pull request as Markdown, for a person who reviews it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from repobuild.ci.markdown_text import code, differing
from repobuild.settings_schema import shown

Facts = dict[str, Any]

_ANSWERS = 20
_NAMES = 10


def summary_page(facts: Facts) -> str:
    """Return the page; everything that comes from the repository is a code span."""
    base, head = facts["base"][:10], facts["head"][:10]
    parts = [
        f"### What this changes in what is learnt\n\n{_headline(facts)}\n\n"
        f"{code(base)} to {code(head)}",
        _warnings(facts),
        _counts(facts),
        _answers(facts["answers"]),
        _elements(facts["elements"]),
        _settings(facts["settings"]),
    ]
    return "\n\n".join(filter(None, parts))


def _headline(facts: Facts) -> str:
    parts = [_cost(facts["cost"])]
    if answers := facts["answers"]["count"]:
        parts.append(f"{answers:,} answer{'s' * (answers != 1)} will change.")
    if secrets := facts["secrets"]["count"]:
        parts.append(f"**{secrets:,} secret{'s' * (secrets != 1)} found.**")
    if any(item["denied"] for item in facts["licences"]["items"]):
        parts.append("**A licence is denied.**")
    return " ".join(parts)


def _cost(cost: Facts) -> str:
    """Return one or two sentences on what merging it would train."""
    parts = []
    if cost["text"]:
        parts.append(f"Once merged, {_after(cost['text'])}.")
    if cost["tokens"]:
        tokens = f"About {cost['tokens']:,} tokens"
        if cost["seconds"] is not None and cost["runs"]:
            runs = f"{cost['runs']} past build{'s' * (cost['runs'] != 1)}"
            tokens += f", {duration(cost['seconds'])} by the pace of {runs}"
        parts.append(f"{tokens}.")
    if cost["why"]:
        parts.append(f"The time is not known ({code(cost['why'])}).")
    return " ".join(parts) or "Nothing would be trained."


def duration(seconds: float) -> str:
    """Return a duration with a unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _after(text: str) -> str:
    """Return a forecast's words as the end of a sentence."""
    return text if text.startswith("the ") else f"a build {text}"


def _warnings(facts: Facts) -> str:
    """Return what a reviewer must not miss: secrets, licences, what was left out."""
    lines = _lines(
        facts["secrets"],
        _NAMES,
        lambda f: f"secret ({code(f['kind'])}) in {code(f['path'])}, line {f['line']}",
    )
    lines += _lines(facts["licences"], _NAMES, _licence)
    if facts["changed_rules"]:
        names = ", ".join(map(code, facts["changed_rules"]))
        lines.append(
            f"- rules that were changed since they were trusted, left out here: {names}"
        )
    if facts["untrusted"]:
        names = ", ".join(map(code, facts["untrusted"]))
        lines.append(f"- rules that were never trusted, left out here: {names}")
    if facts["withheld"]:
        names = ", ".join(map(code, facts["withheld"]))
        lines.append(f"- settings that need trust, left out here: {names}")
    return "\n".join(["#### Look at", "", *lines]) if lines else ""


def _licence(item: Facts) -> str:
    new = code(item["new"])
    denied = ", **which is denied**" if item["denied"] else ""
    if not item["old"]:
        return f"{code(item['path'])} comes under {new}, new here{denied}"
    return f"the licence of {code(item['path'])}: {code(item['old'])} to {new}{denied}"


def _counts(facts: Facts) -> str:
    rows = ["| | added | changed | removed |", "|---|---:|---:|---:|"]
    for name in ("files", "elements", "samples"):
        counts = (facts[name][what] for what in ("added", "changed", "removed"))
        rows.append(f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |")
    return "\n".join(rows)


def _answers(answers: Facts) -> str:
    """Return the questions with both answers, the most important first."""

    def shown_answer(item: Facts) -> str:
        old, new = differing(item["old"], item["new"])
        return f"{code(item['question'])}\n  - was: {old}\n  - will be: {new}"

    lines = _lines(answers, _ANSWERS, shown_answer)
    return "\n".join(["#### Answers that will change", "", *lines]) if lines else ""


def _elements(elements: Facts) -> str:
    total = sum(elements[what] for what in ("added", "changed", "removed"))
    listed = {"count": total, "items": elements["names"]}
    lines = _lines(listed, _NAMES, lambda f: f"{f['what']}: {code(f['name'])}")
    return "\n".join(["#### Elements", "", *lines]) if lines else ""


def _settings(changed: list[Facts]) -> str:
    listed = {"count": len(changed), "items": changed}
    lines = _lines(listed, _NAMES, _setting)
    return "\n".join(["#### Settings", "", *lines]) if lines else ""


def _setting(item: Facts) -> str:
    return f"{code(item['name'])}: {code(shown(item['old']))} to " + code(
        shown(item["new"])
    )


def _lines(listed: Facts, most: int, line: Callable[[Facts], str]) -> list[str]:
    """Return the first items as a list, with "and N more" for the rest."""
    lines = [f"- {line(item)}" for item in listed["items"][:most]]
    more = listed["count"] - len(lines)
    return lines + [f"- and {more:,} more"] * (more > 0)
