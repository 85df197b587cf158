"""Functions that end badly, put in place of a rule's own; manifests do not tell."""

from __future__ import annotations

from typing import Any, NoReturn


def killed_view(view: Any) -> NoReturn:
    """Leave half of the work behind, then die."""
    view.own.put("half", {"": {"kind": "half"}})
    view.own.index.set("half", ["half"])
    raise KeyboardInterrupt


def killed_row(value: Any, scope: Any) -> NoReturn:
    raise KeyboardInterrupt


def failing_row(value: Any, scope: Any) -> NoReturn:
    raise ValueError("it exploded")
