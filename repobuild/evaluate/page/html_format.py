"""Format numbers, names and the origin of an adapter as HTML.

Text of the repository or of a model passes through `code` or `isolated`: both escape
it, and keep its writing direction from changing the text around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from repobuild.evaluate.questions import GENERALISE, RECALL

Report = Mapping[str, Any]

MODEL_NAMES = {
    "base": "base",
    "parent": "parent",
    "adapter": "this adapter",
    "base_grounded": "base with facts",
    "adapter_grounded": "this adapter with facts",
}
MODEL_SYMBOLS = {
    "base": "○",
    "parent": "◆",
    "adapter": "●",
    "base_grounded": "□",
    "adapter_grounded": "■",
}
NO_DATA = '<p class="soft">Nothing to show yet.</p>'
TRACKS = {
    RECALL: (
        "Recall",
        "Facts the adapter was trained on, asked in words it was never trained on.",
    ),
    GENERALISE: (
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
    "generate": "generated",
}


def code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def isolated(text: str) -> str:
    """Format foreign text within a line of our own."""
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
    """Describe how the adapter was made, and why in that way."""
    mode = MODES.get(adapter.get("mode", ""), "trained")
    reason = adapter.get("reason")
    return f"{mode} ({isolated(reason)})" if reason else mode


def legend(models: Sequence[str]) -> str:
    entries = (
        f'<span class="{model}-ink"><span aria-hidden="true">{MODEL_SYMBOLS[model]}'
        f"</span> {MODEL_NAMES[model]}</span>"
        for model in models
    )
    return " ".join(entries) + "."


def figure(title: str, content: str, caption: str) -> str:
    return (
        f"<figure><h3>{title}</h3>{content}<figcaption>{caption}</figcaption></figure>"
    )


def scrollable(content: str, label: str) -> str:
    """Wrap wide content, to scroll by touch, wheel and keyboard without the page."""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f"{content}</div>"
    )
