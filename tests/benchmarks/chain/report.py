"""The table of the experiment: means over seeds, with 95 % intervals over questions."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from repobuild.evaluate.scoring.confidence import mean
from tests.benchmarks.chain.plot import Dot, Mark, svg
from tests.benchmarks.table import markdown

_EXAM = ": exam"
_COLUMNS = (
    ("new facts later", "new", "right"),
    ("later, reworded", "reworded", "right"),
    ("retained facts", "retained", "right"),
    ("old answer to changed facts", "changed", "stale"),
    ("old path of removed elements", "removed", "stale"),
)


def text(results: Sequence[Mapping[str, Any]]) -> str:
    """One row a strategy: what it costs a commit, and what its adapters know."""
    cost = ["tokens a commit", "of full", "seconds"]
    head = ["", *cost, "new facts at once", *(c[0] for c in _COLUMNS)]
    full = _tokens(results, "full retraining") or _tokens(results, "first") or 1
    rows = [_row(name, results, full) for name in _names(results)]
    return markdown([*head, "general loss", "seeds"], rows)


def plot(results: Sequence[Mapping[str, Any]]) -> str:
    """The same as a picture: cost, and what is known of new and of retained facts."""
    kinds = {
        "new facts right, up to ten commits later": "new",
        "retained facts right": "retained",
    }
    full = _tokens(results, "full retraining") or _tokens(results, "first") or 1
    dots = []
    for name in _names(results):
        exams = [r for r in results if r["strategy"] == name + _EXAM]
        marks = [_mark(_marks(exams, kind, "right")) for kind in kinds.values()]
        dots.append(Dot(name, _tokens(results, name) / full, marks))
    return svg(dots, list(kinds))


def _mark(marks: Sequence[int]) -> Mark | None:
    found = mean([float(mark) for mark in marks])
    return Mark(found.value, found.low, found.high) if found else None


def _names(results: Sequence[Mapping[str, Any]]) -> list[str]:
    names = (r["strategy"].removesuffix(_EXAM) for r in results)
    return [name for name in dict.fromkeys(names) if name != "first"]


def _row(name: str, results: Sequence[Mapping[str, Any]], full: float) -> list[str]:
    exams = [r for r in results if r["strategy"] == name + _EXAM]
    steps = [r for r in results if r["strategy"] == name]
    tokens = _tokens(results, name)
    wall = statistics.median([r["seconds"] for r in steps]) if steps else 0
    cells = [_share(_marks(exams, kind, what)) for _, kind, what in _COLUMNS]
    general = [r["scores"]["general"] for r in exams]
    seeds = len({r["seed"] for r in exams})
    loss = f"{statistics.mean(general):.3f}" if general else ""
    cost = [f"{tokens:,.0f}", f"{tokens / full:.1%}", f"{wall:.0f}"]
    return [name, *cost, _at_once(steps), *cells, loss, str(seeds)]


def _at_once(steps: Iterable[Mapping[str, Any]]) -> str:
    """Of what each commit changed: what the adapter then says word for word."""
    counts = [r["at_once"] for r in steps]
    right, changed = (sum(count[n] for count in counts) for n in (0, 1))
    return f"{right / changed:.1%}" if changed else ""


def _tokens(results: Iterable[Mapping[str, Any]], name: str) -> float:
    """The median commit's trained tokens."""
    found = [r["tokens"] for r in results if r["strategy"] == name]
    return statistics.median(found) if found else 0.0


def _marks(exams: Iterable[Mapping[str, Any]], kind: str, what: str) -> list[int]:
    return [mark for r in exams for mark in r["scores"][kind][what]]


def _share(marks: Sequence[int]) -> str:
    """A share with its bootstrap interval."""
    found = mean([float(mark) for mark in marks])
    if found is None:
        return ""
    return f"{found.value:.1%} ({found.low:.0%} to {found.high:.0%})"
