"""Count what an adapter has right of what it was taught, and with facts looked up.

report_summary.py defines the form of both sections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from repobuild.evaluate.comparison import GROUNDED, MarkedQuestion
from repobuild.evaluate.questions import RECALL
from repobuild.evaluate.report_summary import PARTS
from repobuild.evaluate.scoring.strict_score import difference
from repobuild.model.adapter.lineage import Manifest
from repobuild.model.teaching.curriculum import fact_of

JsonObject = dict[str, Any]


def read_taught(folder: Path) -> frozenset[str]:
    """Return the ids of the facts that an adapter was taught."""
    if not (folder / "manifest.bin").is_file():
        return frozenset()
    return frozenset(Manifest.read(folder).facts)


def taught_section(
    marked: Iterable[MarkedQuestion], taught: frozenset[str]
) -> JsonObject:
    """Return how many questions about taught facts are right, in all and by part."""
    asked = [
        (q.sample.task, right)
        for q in marked
        if q.sample.track == RECALL and fact_of(q.sample.id) in taught
        if (right := q.marks["adapter"].right) is not None
    ]
    parts = {
        name: _count([right for of, right in asked if of == task])
        for name, task in PARTS.items()
    }
    return {**_count([right for _, right in asked]), **parts}


def _count(right: Sequence[float]) -> JsonObject:
    share = round(sum(right) / len(right), 4) if right else None
    return {"asked": len(right), "right": int(sum(right)), "share": share}


def grounded_section(marked: Iterable[MarkedQuestion]) -> JsonObject:
    """Return the shares right with facts before the question; {} if none was asked."""
    asked = [q for q in marked if GROUNDED["base"] in q.marks]
    if not asked:
        return {}
    section: JsonObject = {}
    for model, grounded in GROUNDED.items():
        marks = [q.marks[grounded].right for q in asked]
        section[model] = _count([right for right in marks if right is not None])[
            "share"
        ]
    gain = difference(
        [q.marks[GROUNDED["base"]] for q in asked],
        [q.marks["adapter"] for q in asked],
        "right",
    )
    return {**section, "beats": gain is not None and gain.low > 0}
