"""Define why something was built: a cause, and what changed from what to what.

The text that `why` prints and its `--json` come from the same records:

    reason        {"table", "key", "cause", "name", "from", "to", "fields", "build",
                   "commit", "subject", "because": [...]}
    row           {"table", "key", "what", "build", "commit", "subject", "fields",
                   "reasons"}, of a dropped sample also "dropped"
    table         {"table", "key": "", "what", "rows", "commit", "subject",
                   "would_start_anew": [reason], "runs": [run]}
    artifact      as a row, with facts of the task's row ("object", "mode", ...)

In a reason, `table` and `key` name what changed: an input's row, a table, or (table
"git") a file in a commit. `name` is the setting, tool, ingredient or field; `because`
leads on towards the file and the commit where the change began. `what` of a row is
changed, new, removed or unchanged, of others built, evicted or "never built".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from repobuild.engine.explain.diff import Difference


class Cause(Enum):
    """What kind of change made a table, a row or an artifact."""

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
    because: tuple[Reason, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
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


@dataclass(frozen=True, slots=True)
class RowExplanation:
    """Why a row has its value; also describes an artifact that is not stored."""

    table: str
    key: str
    what: str
    build: int
    commit: str
    subject: str
    fields: tuple[Difference, ...]
    reasons: tuple[Reason, ...]
    dropped: str = ""  # why the dataset leaves a sample out

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "table": self.table,
            "key": self.key,
            "what": self.what,
            "build": self.build,
            "commit": self.commit,
            "subject": self.subject,
            "fields": [leaf.plain() for leaf in self.fields],
            "reasons": [reason.plain() for reason in self.reasons],
            **({"dropped": self.dropped} if self.dropped else {}),
        }


@dataclass(frozen=True, slots=True)
class ArtifactExplanation:
    """Why an artifact was made. `before` is the row key it is compared with."""

    table: str
    key: str
    build: int
    commit: str
    subject: str
    before: str
    row: Mapping[str, Any]
    reasons: tuple[Reason, ...]

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        facts = ("object", "mode", "reason", "follows")
        return {
            "table": self.table,
            "key": self.key,
            "what": "built",
            "build": self.build,
            "commit": self.commit,
            "subject": self.subject,
            "fields": [],
            **{name: self.row.get(name, "") for name in facts},
            "before": self.before,
            "row": dict(self.row),
            "reasons": [reason.plain() for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class CauseCount:
    """How many changed rows lead back to one cause."""

    rows: int
    table: str
    key: str
    cause: str  # a value of `Cause`; "" = unknown
    commit: str

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "rows": self.rows,
            "table": self.table,
            "key": self.key,
            "cause": self.cause,
            "commit": self.commit,
        }


@dataclass(frozen=True, slots=True)
class InputChange:
    """An input table's digest in the run before and in this one."""

    table: str
    old: str
    new: str

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"table": self.table, "from": self.old, "to": self.new}


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """Why a run of a table did what it did."""

    build: int
    commit: str
    subject: str
    full: bool
    looked: int
    changed: int
    seconds: float
    reasons: tuple[Reason, ...]
    inputs: tuple[InputChange, ...]
    causes: tuple[CauseCount, ...]
    counted: int  # changed rows whose causes were counted
    more_causes: int
    examples: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "build": self.build,
            "commit": self.commit,
            "subject": self.subject,
            "full": self.full,
            "looked": self.looked,
            "changed": self.changed,
            "seconds": self.seconds,
            "reasons": [reason.plain() for reason in self.reasons],
            "inputs": [change.plain() for change in self.inputs],
            "causes": [cause.plain() for cause in self.causes],
            "counted": self.counted,
            "more_causes": self.more_causes,
            "examples": list(self.examples),
        }


@dataclass(frozen=True, slots=True)
class TableExplanation:
    """How a table was last built, and what would rebuild all of it now."""

    table: str
    rows: int  # entries, where a row has several
    keys: int  # rows, each with one or more entries
    commit: str
    subject: str
    would_start_anew: tuple[Reason, ...]
    runs: tuple[RunExplanation, ...]

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "table": self.table,
            "key": "",
            "what": "built",
            "rows": self.rows,
            "keys": self.keys,
            "commit": self.commit,
            "subject": self.subject,
            "would_start_anew": [reason.plain() for reason in self.would_start_anew],
            "runs": [run.plain() for run in self.runs],
        }


@dataclass(frozen=True, slots=True)
class UnbuiltTable:
    """A table that was never built."""

    table: str

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"table": self.table, "key": "", "what": "never built"}


Explanation = RowExplanation | TableExplanation | UnbuiltTable | ArtifactExplanation

_MANIFEST_PARTS = {
    "settings": Cause.SETTING_CHANGED,
    "tools": Cause.TOOL_CHANGED,
    "ingredients": Cause.INGREDIENT_CHANGED,
}


def _by_name(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a manifest without the groups of `ingredients_by`."""
    found: dict[str, Any] = {}
    for name, value in part.items():
        found |= value if isinstance(value, Mapping) else {name: value}
    return found


def differences(
    table: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Reason]:
    """Return what differs between two manifests of a table."""
    reasons = []
    before, after = old.get("version"), new.get("version")
    if before != after:
        reasons.append(
            Reason(table, "", Cause.RULE_VERSION_CHANGED, "version", before, after)
        )
    for part, cause in _MANIFEST_PARTS.items():
        was, now = _by_name(old.get(part, {})), _by_name(new.get(part, {}))
        reasons += [
            Reason(table, "", cause, name, was.get(name), now.get(name))
            for name in sorted(was.keys() | now.keys())
            if was.get(name) != now.get(name)
        ]
    # Tables that began or ceased to extend an input; "joined" is the stored key.
    had, has = {*old.get("joined", ())}, {*new.get("joined", ())}
    reasons += [Reason(name, "", Cause.INPUT_ADDED) for name in sorted(has - had)]
    reasons += [Reason(name, "", Cause.INPUT_REMOVED) for name in sorted(had - has)]
    return reasons
