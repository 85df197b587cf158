"""How the page says things: numbers, names, and how an adapter came about.

Text of the repository or of a model comes through `code` or `own`: escaped, and kept
apart from the direction of what stands around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Report = Mapping[str, Any]

MODEL_NAMES = {"base": "base", "parent": "parent", "adapter": "this adapter"}
MODEL_SYMBOLS = {"base": "○", "parent": "◆", "adapter": "●"}
NO_DATA = '<p class="soft">Nothing to show yet.</p>'
TRACKS = {
    "recall": (
        "Recall",
        "Facts the adapter was trained on, asked in words it was never trained on.",
    ),
    "generalise": (
        "Generalise",
        "Elements of which nothing was trained. What is right here was inferred.",
    ),
}
MODES = {
    "first": "trained from the base",
    "continue": "continued",
    "rebase": "re-based",
    "reuse": "taken again",
    "wait": "parent kept",
    "rollback": "rolled back to",
}


def code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def isolated(text: str) -> str:
    """Text that is not ours, in a line of ours."""
    return f"<bdi>{escape(text)}</bdi>"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def signed_percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def describe_origin(adapter: Report) -> str:
    """How the adapter came about, and why so."""
    mode = MODES.get(adapter.get("mode", ""), "trained")
    reason = adapter.get("reason")
    return f"{mode} ({isolated(reason)})" if reason else mode


def legend(models: Sequence[str]) -> str:
    return (
        " ".join(
            f'<span class="{m}-ink"><span aria-hidden="true">{MODEL_SYMBOLS[m]}</span> '
            f"{MODEL_NAMES[m]}</span>"
            for m in models
        )
        + "."
    )


def scrollable(inner: str, label: str) -> str:
    """Something wide: it scrolls by itself, by touch, wheel and keyboard."""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f"{inner}</div>"
    )
