"""Make replies that fit a budget of tokens.

    {"version": 1, "freshness": {...}, ..., "items": [...], "truncated": bool,
     "next": int}    the first item that was left out; ask again with it

A token is counted as six letters, three digits, or one other sign. In 301 replies about
Django that is 1.24 times what the tokenizer of SmolLM2 counts (49,152 entries) or more,
1.37 at the median. So a reply does not exceed what was asked; the embedded model, whose
tokenizer has 4,096 entries, may count a seventh more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from repobuild.plain_text import json_text

DEFAULT_BUDGET = 2_000
LEAST_BUDGET = 300
MOST_BUDGET = 100_000
_TOKEN = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]|\s+")
_RESERVE = 24  # of `truncated`, `next`, `tokens`
# Fields that an item can do without, the first to go first.
_SPARE = ("code", "changes_with", "features", "signature")

Reply = dict[str, Any]
Item = dict[str, Any]
Redact = Callable[[Any], Any]


class Page(NamedTuple):
    """How much of a reply is wanted: at most so many tokens, from this item on."""

    budget: int = DEFAULT_BUDGET
    start: int = 0

    @classmethod
    def of(cls, budget: int, start: int) -> Page:
        return cls(max(LEAST_BUDGET, min(budget, MOST_BUDGET)), max(0, start))


def count_tokens(value: Any) -> int:
    """Return how many tokens a value takes as JSON, at most."""
    return len(_TOKEN.findall(json_text(value)))


def fit(frame: Mapping[str, Any], items: Iterable[Item], page: Page) -> Reply:
    """Return a reply with as many items as the budget allows.

    An item that is too large by itself loses what it can do without; the first item is
    never left out, so that asking on makes progress.
    """
    reply: Reply = {"version": 1, **frame, "items": []}
    left = page.budget - count_tokens(reply) - _RESERVE
    shown = page.start
    for item in islice(items, page.start, None):
        item, cost = _cut(item, left if shown == page.start else 0)
        if cost > left:
            if shown == page.start:
                return _ended(reply, page.budget, shown + 1, "larger than the budget")
            return _ended(reply, page.budget, shown)
        reply["items"].append(item)
        left -= cost
        shown += 1
    reply["truncated"] = False
    return reply


def _ended(reply: Reply, budget: int, next: int, why: str = "") -> Reply:
    reply["truncated"] = True
    reply["next"] = next
    if why:
        reply["hint"] = f"item {next - 1} is {why}"
    return reply


def _cut(item: Item, left: int) -> tuple[Item, int]:
    """Return an item and its tokens; without what is spare when it has to fit."""
    cost = count_tokens(item) + 2
    for name in _SPARE:
        if not left or cost <= left:
            break
        if name not in item:
            continue
        if name == "code":
            item = _shorter(item, left - (cost - count_tokens(item["code"])))
        else:
            item = {key: value for key, value in item.items() if key != name}
        cost = count_tokens(item) + 2
    return item, cost


def _shorter(item: Item, left: int) -> Item:
    """Return an item with as many lines of its code as fit."""
    lines: list[str] = []
    for line in str(item["code"]).split("\n"):
        left -= len(_TOKEN.findall(line)) + 3  # `\n` is two signs in JSON
        if left < 20:
            break
        lines.append(line)
    rest = {key: value for key, value in item.items() if key != "code"}
    return {**rest, "code": "\n".join(lines), "code_cut": True} if lines else rest
