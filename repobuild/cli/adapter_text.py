"""Describe an adapter as text: a line for `build` and `status`, a block for `show`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.cli.output import seconds, short
from repobuild.cli.training_budget import coverage_line

Facts = dict[str, Any]
Row = Mapping[str, Any]

MODE_WORDS = {
    "first": "first",
    "continue": "continued",
    "rebase": "re-based",
    "reuse": "reused",
    "wait": "kept",
    "rollback": "rolled back",
    "generate": "generated",
}
FACT_COUNTS = ("trained", "reviewed", "open")  # the other counts are of samples
_LISTED_COMMITS = 4


def adapter_line(row: Row) -> str:
    """Return one line on an adapter: name, how it was made, its headline scores."""
    parts = [f"adapter {row['object'][:12]}: {_mode(row)}"]
    if row.get("work"):
        parts.append(f"{row['tokens']:,} tokens in {row['steps']:,} steps")
    recall = row.get("report", {}).get("recall", {})
    if recall.get("adapter") and recall.get("base"):
        parts += _headline(recall["base"], recall["adapter"])
    if row.get("current"):
        parts.append("not promoted: worse than its parent, which stays current")
    return ", ".join(parts)


def _mode(row: Row) -> str:
    """Return the mode; with the reason when nothing was trained."""
    word = MODE_WORDS.get(row.get("mode", ""), "made")
    trained = row.get("work") or not row.get("reason")
    return word if trained else f"{word}, {row['reason']}"


def _headline(base: Row, adapter: Row) -> list[str]:
    parts = [f"recall loss {base['loss']:.2f} to {adapter['loss']:.2f}"]
    if "path_exact" in base and "path_exact" in adapter:
        paths = f"{base['path_exact']:.0%} to {adapter['path_exact']:.0%}"
        parts.append(f"right path {paths}")
    return parts


def adapter_text(facts: Facts) -> str:
    """Return a block of labelled lines; a label without content is left out."""
    lineage = facts["lineage"]
    lines = {"status": _uses(facts), "built": _built(facts)}
    if lineage:
        lines |= _lineage(lineage, facts["seconds"])
    lines["scores"] = _scores(facts["report"])
    lines["report"] = facts["page"]
    lines["files"] = "not stored any more"
    if facts["folder"]:
        lines["files"] = f"{facts['folder']} ({facts['bytes'] / 1e6:,.1f} MB)"
    width = max(map(len, lines))
    return "\n".join(f"  {n.ljust(width)}  {line}" for n, line in lines.items() if line)


def _uses(facts: Facts) -> str:
    """Return at which commits the adapter is current, or why it is not."""
    parts = ["current"] if facts["is_current"] else []
    labels = (("not_promoted", "not promoted"), ("put_aside", "put aside"))
    for name, label in (*labels, ("used", "used")):
        if facts[name]:
            parts.append(f"{label} at {_commits(facts[name])}")
    return ", ".join(parts) or "no commit uses it"


def _commits(commits: list[str]) -> str:
    more = len(commits) - _LISTED_COMMITS
    listed = ", ".join(map(short, commits[:_LISTED_COMMITS]))
    return f"{listed} and {more} more" if more > 0 else listed


def _built(facts: Facts) -> str:
    from repobuild.cli.reason_text import commit_text

    if not facts["commit"]:
        return ""
    lineage = facts["lineage"]
    mode = MODE_WORDS.get(lineage["mode"], lineage["mode"])
    commit = commit_text(facts["commit"], facts["subject"])
    return f"at {commit}, {mode}: {lineage['reason']}"


def _lineage(lineage: Facts, duration: float | None) -> dict[str, str]:
    """Return the content of an adapter's `repobuild.json` by label."""
    base, recipe = lineage["base"], lineage["recipe"]
    parent = lineage["parent"][:12] or "none, it started from the base model"
    settings = (f"{name} {_setting(recipe[name])}" for name in sorted(recipe))
    chain = "starts here"
    if lineage["chain"] > 1:
        chain = (
            f"{lineage['chain']} adapters long; {lineage['drift']:.0%} of the samples "
            "trained since it began"
        )
    return {
        "parent": parent,
        "base": f"{base['name']} {base['digest'][:12]}",
        "chain": chain,
        **_counts(lineage),
        "trained": _training(lineage["training"], duration),
        "gate": _gate(lineage),
        "recipe": f"{lineage['recipe_digest'][:12]}: {', '.join(settings)}",
    }


def _counts(lineage: Facts) -> dict[str, str]:
    """Return the adapter's counts of samples, and those of facts.

    An adapter of an earlier version counted samples only.
    """
    counts = dict(lineage["samples"])
    names = FACT_COUNTS if lineage.get("coverage") else ()
    facts = [f"{counts.pop(name):,} {name}" for name in names if name in counts]
    return {
        "samples": ", ".join(f"{n:,} {name}" for name, n in counts.items()),
        "facts": "; ".join(filter(None, [", ".join(facts), coverage_line(lineage)])),
    }


def _setting(value: Any) -> str:
    return "/".join(value) if isinstance(value, list) else str(value)


def _training(training: Facts, duration: float | None) -> str:
    text = f"{training['tokens']:,} tokens in {training['steps']:,} steps"
    if duration:
        text += f", {seconds(duration)}"
    losses = training.get("losses") or []
    return f"{text}, loss {losses[0][1]:.2f} to {losses[-1][1]:.2f}" if losses else text


def _gate(lineage: Facts) -> str:
    """Return the held-out losses that decided whether the adapter was promoted."""
    scores = lineage["scores"]
    if "loss" not in scores or "parent_loss" not in scores:
        return ""
    verdict = "promoted" if lineage["promoted"] else "not promoted"
    before = "parent's" if lineage["parent"] else "base model's"
    loss, parent_loss = scores["loss"], scores["parent_loss"]
    return f"held-out loss {loss:.3f}, its {before} {parent_loss:.3f}: {verdict}"


def _scores(headline: Facts) -> str:
    tracks = []
    for track, models in headline.items():
        values = models.get("adapter") if isinstance(models, dict) else None
        if isinstance(values, dict):
            numbers = [_score(name, value) for name, value in values.items()]
            tracks.append(f"{track} {', '.join(filter(None, numbers))}")
    return "; ".join(tracks)


def _score(name: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return ""
    label = name.replace("_", " ")
    return f"{label} {value:.3f}" if "loss" in name else f"{label} {value:.0%}"
