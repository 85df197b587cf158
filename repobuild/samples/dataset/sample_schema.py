"""What the rows of a table that joins `samples` must look like, for users' rules.

The samples that come with repobuild have tests for it. A user's are looked at as they
are made, so that the rule's author hears of it, and not a table behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from repobuild.engine.contract import Value

_SUB = re.compile(r"#(\w+)\.\w+\..+", re.DOTALL)
_TEXTS = ("task", "language", "form", "question", "answer", "element", "difficulty")
_WORDS = {"form": ("chat", "fim"), "difficulty": ("easy", "medium", "hard")}
_HOLE = ("prefix", "suffix")


def wrong(row: Value) -> str:
    """Return what is wrong with a row of samples, {sub: sample}; "" when nothing is."""
    if not isinstance(row, Mapping):
        return 'a row of samples must be {"#TASK.LANGUAGE.N": sample, ...}'
    for sub, sample in row.items():
        if problem := _of_sample(sub, sample):
            return f'sample "{sub}" {problem}'
    return ""


def _of_sample(sub: Value, sample: Value) -> str:
    found = _SUB.fullmatch(sub) if isinstance(sub, str) else None
    if found is None:
        return "must be named #TASK.LANGUAGE.N"
    if not isinstance(sample, Mapping):
        return f"must be an object, not {type(sample).__name__}"
    lacking = [
        name for name in _needed(sample) if not isinstance(sample.get(name), str)
    ]
    if lacking:
        return f"lacks the text {' and '.join(map(repr, lacking))}"
    for name, known in _WORDS.items():
        if sample[name] not in known:
            return f"has {name} {sample[name]!r}: it must be {' or '.join(known)}"
    if found[1] != sample["task"]:
        return f"is of task {sample['task']!r}, which its name does not say"
    return _of_facts(sample)


def _needed(sample: Mapping[str, Value]) -> tuple[str, ...]:
    return _TEXTS + _HOLE if sample.get("form") == "fim" else _TEXTS


def _of_facts(sample: Mapping[str, Value]) -> str:
    sources = sample.get("sources")
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        return "lacks 'sources', a list of ids"
    if not isinstance(sample.get("held_out"), bool):
        return "lacks 'held_out', true or false"
    return ""
