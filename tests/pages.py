"""Make reports for page tests: of any length, with a given text in every field."""

from __future__ import annotations

from random import Random
from typing import Any

MODELS = ("base", "parent", "adapter")
HOSTILE = "<script>alert(1)</script>&\"'</pre><img src=x onerror=y>"
RIGHT_TO_LEFT = "\u202eشفرة المشروع\u202c ملف"
LONG = "a_very_long_folder_name/" * 12 + "module_with_no_break_at_all.py"
_LEVEL = {"base": 0.1, "parent": 0.84, "adapter": 0.9}
_TASKS = ("code_location", "code_explanation", "api_usage", "relations", "own_task")


def interval(value: float, width: float = 0.06, n: int = 60) -> dict[str, float]:
    low, high = max(0.0, value - width), min(1.0, value + width)
    return {"value": value, "low": low, "high": high, "n": n}


def scores(model: str) -> dict[str, Any]:
    level = _LEVEL[model]
    loss = {"value": 3 - 2.6 * level, "low": 2.9 - 2.6 * level, "high": 3.1 - 2 * level}
    return {
        "loss": loss,
        "right": interval(level * 0.9),
        "facts": interval(level * 0.95),
        "path_exact": interval(level),
        "edit": interval(level * 0.8),
        "wrong": interval(1 - level),
        "hallucinated": interval(0.5 * (1 - level)),
    }


def track() -> dict[str, Any]:
    found: dict[str, Any] = {"n": 60, "samples": 200}
    for model in MODELS:
        tasks = {task: scores(model) for task in _TASKS}
        found[model] = {**scores(model), "tasks": tasks}
    gap = {"value": -0.12, "low": -0.2, "high": -0.05, "n": 60}
    return {**found, "difference": {"base": {"loss": gap}, "parent": {"loss": gap}}}


def strict() -> dict[str, Any]:
    kinds = ("all", "moved", "removed", "changed")
    stale = {
        model: {kind: interval(share) for kind in kinds}
        | {"right": interval(1 - share)}
        for model, share in zip(MODELS, (0.05, 0.6, 0.08), strict=True)
    }
    general = {m: {"loss": interval(1.5 + 0.02 * n)} for n, m in enumerate(MODELS)}
    gap = {"value": 0.021, "low": 0.012, "high": 0.03, "n": 60}
    return {
        "models": list(MODELS),
        "tracks": {"recall": track(), "generalise": track()},
        "staleness": {"n": 30, **stale, "difference": {}},
        "general": {"n": 60, **general, "difference": {"base": {"relative": gap}}},
    }


def question(number: int, text: str) -> dict[str, Any]:
    wrong = {"edit": 0.4, "path_exact": 0.0, "facts": 0.0, "right": 0.0}
    good = {"edit": 0.9, "path_exact": 1.0, "facts": 1.0, "right": 1.0}
    mark = good if number % 3 else wrong
    made_up = "pkg/nowhere.py"
    return {
        "id": f"{number:03}",
        "track": "recall" if number % 2 else "staleness",
        "task": _TASKS[number % len(_TASKS)],
        "question": f"In which file is `{text}` defined?\n\n    def {text}(value): ...",
        "expected": f"`{text}` is defined in `pkg/core.py`.",
        "answers": {
            model: f"`{text}` is defined in `{made_up}`, lines 12-34."
            for model in MODELS
        },
        "marks": {
            model: {
                **(mark if model == "adapter" else wrong),
                "hallucinated": [made_up],
                "wrong": [made_up, "12-34"],
                "stale": number == 6,
            }
            for model in MODELS
        },
    }


def link(number: int, text: str) -> dict[str, Any]:
    """Make a link of a chain: most continue, some wait, re-base or are refused."""
    generator = Random(number)
    mode = "first" if not number else "rebase" if number % 20 == 0 else "continue"
    mode = "wait" if number % 7 == 3 else mode
    level = min(0.95, 0.5 + 0.04 * number + 0.05 * generator.random())
    track = {"loss": 1.6 - level, "path_exact": level, "right": level * 0.9}
    tokens = {"continue": 9_000 + 400 * number, "wait": 0}.get(mode, 812_345)
    return {
        "commit": f"{number:07x}" + "c" * 33,
        "object": f"{number:064x}",
        "parent": "",
        "promoted": number % 11 != 5,
        "mode": mode,
        "reason": f"{number} samples changed {text}",
        "scores": {},
        "tokens": tokens,
        "seconds": tokens / 3_000,
        "headline": {
            "recall": {"adapter": track, "base": {"loss": 2.7, "right": 0.08}},
            "generalise": {"adapter": {**track, "right": level * 0.4}},
            "staleness": {"adapter": {"all": 0.3 / (1 + number)}},
            "general": {"adapter": {"loss": 1.5, "relative": 0.002 * number - 0.01}},
        },
    }


def make_report(text: str = "text", commits: int = 2, **changes: Any) -> dict[str, Any]:
    """Make a report with all parts; `text` replaces every foreign name."""
    chain = [link(number, text) for number in range(commits)]
    return {
        "project": text,
        "commit": "c" * 40,
        "test_time": "2026-11-21T08:00:00+00:00",
        "base": {"name": text},
        "adapter": chain[-1] if chain else link(0, text),
        "strict": strict(),
        "history": {
            "train": [[n, 3 * 0.98**n + 0.2] for n in range(1, 120)],
            "held_out": [[n, 3 * 0.98**n + 0.4] for n in range(20, 120, 20)],
        },
        "chain": chain,
        "questions": [question(number, text) for number in range(9)],
        "seed": {
            name: dict.fromkeys(
                ("repo_specific", "code_understanding", "general", "total"), 41.5
            )
            for name in ("base_model", "parent_model", "finetuned_model")
        },
        "comparison": text,
        **changes,
    }
