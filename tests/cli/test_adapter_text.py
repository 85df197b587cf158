"""How an adapter is described: what it was taught, beside what it cost."""

from __future__ import annotations

from typing import Any

from repobuild.cli.adapter_text import adapter_line, adapter_text

COVERAGE = {"facts": 1600, "taught": 1200, "mastered": 1150, "share": 0.75}
COUNTS = {"current": 2300, "added": 0, "changed": 4, "removed": 0,
          "trained": 52, "reviewed": 50, "shown": 310, "open": 1}  # fmt: skip
ROW: dict[str, Any] = {
    "object": "a" * 64, "mode": "continue", "reason": "4 samples changed", "work": 9000,
    "tokens": 9000, "steps": 30, "coverage": COVERAGE, "samples": COUNTS,
    "promoted": True,
}  # fmt: skip
LINEAGE = {
    "mode": "continue", "reason": "4 samples changed", "parent": "b" * 64, "chain": 2,
    "drift": 0.01, "base": {"name": "tiny", "digest": "c" * 64}, "recipe": {},
    "recipe_digest": "d" * 64, "samples": COUNTS, "coverage": COVERAGE, "scores": {},
    "training": {"tokens": 9000, "steps": 30}, "promoted": True,
}  # fmt: skip
EARLIER = {"current": 313, "changed": 4, "trained": 42, "replayed": 309}


def shown(lineage: dict[str, Any]) -> str:
    return adapter_text(
        {
            "lineage": lineage, "is_current": True, "not_promoted": [], "put_aside": [],
            "used": [], "commit": "", "report": {}, "page": "", "folder": "",
            "seconds": None,
        }
    )  # fmt: skip


def test_an_adapter_of_an_earlier_version_has_no_facts() -> None:
    earlier = {**ROW, "samples": EARLIER}
    del earlier["coverage"]
    assert "fact" not in adapter_line(earlier)
    lines = shown({**LINEAGE, "samples": EARLIER, "coverage": {}})
    assert "313 current, 4 changed, 42 trained, 309 replayed" in lines
    assert "facts" not in lines


def test_show_counts_facts_apart_from_samples() -> None:
    lines = [line.strip() for line in shown(LINEAGE).splitlines()]
    samples, facts = (
        next(line for line in lines if line.startswith(name))
        for name in ("samples", "facts")
    )
    assert "2,300 current, 0 added, 4 changed, 0 removed" in samples
    assert facts.endswith(
        "52 trained, 50 reviewed, 1 open; taught 1,200 of 1,600 facts, the most used "
        "first, 1,150 mastered"
    )
