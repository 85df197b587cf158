"""What a report says in plain words of what an adapter was taught and knows."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.evaluate.report_summary import summary_lines

WHOLE: dict[str, Any] = {
    "coverage": {"facts": 8579, "taught": 3100, "share": 0.3613, "weighted": 0.71},
    "taught": {
        "asked": 68,
        "right": 61,
        "share": 0.8971,
        "places": {"asked": 42, "right": 40, "share": 0.9524},
        "relations": {"asked": 15, "right": 11, "share": 0.7333},
    },
    "ended": 0.98,
    "completions": {"asked": 10, "ended": 1},
    "general": {"base": 2.0, "adapter": 2.1},
    "grounded": {"base": 0.8, "adapter": 0.92, "beats": False},
}


def test_each_part_has_one_plain_line() -> None:
    assert summary_lines(WHOLE) == [
        "3,100 of 8,579 facts were taught (36%; 71% by how much they are used).",
        "Asked about what it was taught, in words it was never trained on, it is right "
        "in 61 of 68 (90%): 40 of 42 places, 11 of 15 relations.",
        "98% of its answers end by themselves.",
        "1 of 10 completions of code end by themselves.",
        "On text from elsewhere its loss is 2.10, its base's 2.00 (+5.0%).",
        "With facts looked up before the question, the base is right in 80%, "
        "this adapter in 92%.",
    ]


def test_when_looking_up_wins_it_says_so() -> None:
    beaten = {**WHOLE, "grounded": {"base": 0.8, "adapter": 0.9, "beats": True}}
    assert summary_lines(beaten)[-1] == "Looking it up beats the adapter."


@pytest.mark.parametrize("part", WHOLE)
def test_a_part_that_a_report_lacks_is_left_out(part: str) -> None:
    lines = summary_lines({name: WHOLE[name] for name in WHOLE if name != part})
    assert len(lines) == len(WHOLE) - 1
    assert summary_lines({}) == summary_lines(dict.fromkeys(WHOLE)) == []
