"""Check the rows that a user's rule adds to a table that joins `samples`.

Tests check the samples of repobuild's own rules. A user's rows are checked as they are
made, so that the error names the user's rule and not a later table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from repobuild.engine.contract import Value

_SUB = re.compile(r"#(\w+)\.\w+\..+", re.DOTALL)
_TEXTS = ("task", "language", "form", "question", "answer", "element", "difficulty")
_VALUES = {"form": ("chat", "fim"), "difficulty": ("easy", "medium", "hard")}
_AROUND_MASK = ("prefix", "suffix")  # the code around the masked code of a fim sample


def schema_error(row: Value) -> str:
    """Return what is wrong with a row of samples, {sub: sample}; "" if nothing is."""
    if not isinstance(row, Mapping):
        return 'a row of samples must be {"#TASK.LANGUAGE.N": sample, ...}'
    for sub, sample in row.items():
        if problem := _sample_error(sub, sample):
            return f'sample "{sub}" {problem}'
    return ""


def _sample_error(sub: Value, sample: Value) -> str:
    match = _SUB.fullmatch(sub) if isinstance(sub, str) else None
    if match is None:
        return "must be named #TASK.LANGUAGE.N"
    if not isinstance(sample, Mapping):
        return f"must be an object, not {type(sample).__name__}"
    needed = _TEXTS + _AROUND_MASK if sample.get("form") == "fim" else _TEXTS
    lacking = [name for name in needed if not isinstance(sample.get(name), str)]
    if lacking:
        return f"lacks the text {' and '.join(map(repr, lacking))}"
    for name, known in _VALUES.items():
        if sample[name] not in known:
            return f"has {name} {sample[name]!r}: it must be {' or '.join(known)}"
    if match[1] != sample["task"]:
        return f"is of task {sample['task']!r}, which its name does not say"
    sources = sample.get("sources")
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        return "lacks 'sources', a list of ids"
    if not isinstance(sample.get("held_out"), bool):
        return "lacks 'held_out', true or false"
    return ""
