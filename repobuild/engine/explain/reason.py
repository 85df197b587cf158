"""Why something was made: an enum of causes with what changed, from what to what.

The text that `why` prints and its `--json` come from the same reasons:

    {"table", "key", "cause", "name", "from", "to", "fields", "build", "commit",
     "subject", "because": [...]}

`table` and `key` say what changed: an input's row, a table, or (table "git") a file in
a commit. `name` is the setting, tool, ingredient or field; `because` leads on towards
the file and the commit where it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from repobuild.engine.explain.diff import Difference


class Cause(Enum):
    INPUT_CHANGED = "input_changed"
    INPUT_ADDED = "input_added"
    INPUT_REMOVED = "input_removed"
    SETTING_CHANGED = "setting_changed"
    TOOL_CHANGED = "tool_changed"
    INGREDIENT_CHANGED = "ingredient_changed"
    RULE_VERSION_CHANGED = "rule_version_changed"
    PARENT_CHANGED = "parent_changed"
    NEVER_BUILT = "never_built"
    EVICTED = "evicted"


_PARTS = {
    "settings": Cause.SETTING_CHANGED,
    "tools": Cause.TOOL_CHANGED,
    "ingredients": Cause.INGREDIENT_CHANGED,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause with its arguments; empty ones do not apply."""

    table: str
    key: str
    cause: Cause
    name: str = ""
    old: Any = None
    new: Any = None
    fields: tuple[Difference, ...] = ()
    build: int = 0
    commit: str = ""
    subject: str = ""
    because: tuple[Reason, ...] = field(default=())

    def plain(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "key": self.key,
            "cause": self.cause.value,
            "name": self.name,
            "from": self.old,
            "to": self.new,
            "fields": [leaf.plain() for leaf in self.fields],
            "build": self.build,
            "commit": self.commit,
            "subject": self.subject,
            "because": [reason.plain() for reason in self.because],
        }


def differences(
    table: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Reason]:
    """Return what differs between two manifests of a table."""
    found = []
    before, after = old.get("version"), new.get("version")
    if before != after:
        found.append(
            Reason(table, "", Cause.RULE_VERSION_CHANGED, "version", before, after)
        )
    for part, cause in _PARTS.items():
        was, now = old.get(part, {}), new.get(part, {})
        found += [
            Reason(table, "", cause, name, was.get(name), now.get(name))
            for name in sorted(was.keys() | now.keys())
            if was.get(name) != now.get(name)
        ]
    return [*found, *_joins(old.get("joined", ()), new.get("joined", ()))]


def _joins(old: Iterable[str], new: Iterable[str]) -> list[Reason]:
    """The tables that came to join an input, or do so no more."""
    came, went = sorted({*new} - {*old}), sorted({*old} - {*new})
    return [
        *(Reason(name, "", Cause.INPUT_ADDED) for name in came),
        *(Reason(name, "", Cause.INPUT_REMOVED) for name in went),
    ]
