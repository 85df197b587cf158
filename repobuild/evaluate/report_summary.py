"""Put into words what an adapter was taught, and how much of that it knows.

The parts of a report, and of its row, that are summed up:

    coverage   {"facts", "taught", "mastered", "share", "weighted"} of its lineage: how
               much of the repository it was taught, plain and by importance
    taught     {"asked", "right", "share"} of the recall questions about facts that its
               manifest lists: all exact facts right, in a phrasing never trained; the
               same for each of `PARTS`
    ended      share of its answers to questions that end by themselves
    completions {"asked", "ended"}: the same of holes in code that it is to fill
    general    {"base", "adapter"}: nats per token of text from elsewhere
    grounded   {"base", "adapter"}: share of the recall questions right with facts
               before the question (retrieval.py); `beats` says that the base with facts
               is certainly better than the adapter without. {} when not asked so
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUMMARY = ("coverage", "taught", "ended", "completions", "general", "grounded")
PARTS = {"places": "code_location", "relations": "relations"}  # name -> task


def summary_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return one plain sentence on each part that a report or its row has."""
    lines = [
        _coverage(facts.get("coverage") or {}),
        _taught(facts.get("taught") or {}),
        _ended(facts.get("ended")),
        _completions(facts.get("completions") or {}),
        _general(facts.get("general") or {}),
        *_grounded(facts.get("grounded") or {}),
    ]
    return [line for line in lines if line]


def _coverage(coverage: Mapping[str, Any]) -> str:
    if not coverage.get("facts"):
        return ""
    facts = f"{coverage['taught']:,} of {coverage['facts']:,} facts were taught"
    weighted = f"{coverage['weighted']:.0%} by how much they are used"
    return f"{facts} ({coverage['share']:.0%}; {weighted})."


def _taught(taught: Mapping[str, Any]) -> str:
    if not taught.get("asked"):
        return ""
    parts = [
        f"{part['right']} of {part['asked']} {name}"
        for name in PARTS
        if (part := taught.get(name) or {}).get("asked")
    ]
    return (
        "Asked about what it was taught, in words it was never trained on, it is right "
        f"in {taught['right']} of {taught['asked']} ({taught['share']:.0%})"
        f"{': ' if parts else ''}{', '.join(parts)}."
    )


def _ended(ended: float | None) -> str:
    return "" if ended is None else f"{ended:.0%} of its answers end by themselves."


def _completions(completions: Mapping[str, int]) -> str:
    if not completions.get("asked"):
        return ""
    ended, asked = completions["ended"], completions["asked"]
    return f"{ended} of {asked} completions of code end by themselves."


def _general(general: Mapping[str, float]) -> str:
    if not general.get("base") or not general.get("adapter"):
        return ""
    base, adapter = general["base"], general["adapter"]
    return (
        f"On text from elsewhere its loss is {adapter:.2f}, its base's {base:.2f} "
        f"({adapter / base - 1:+.1%})."
    )


def _grounded(grounded: Mapping[str, Any]) -> list[str]:
    if not grounded or grounded["base"] is None or grounded["adapter"] is None:
        return []
    lines = [
        "With facts looked up before the question, the base is right in "
        f"{grounded['base']:.0%}, this adapter in {grounded['adapter']:.0%}."
    ]
    if grounded.get("beats"):
        lines.append("Looking it up beats the adapter.")
    return lines
