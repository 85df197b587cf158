"""What a build would do, without doing it.

What happens behind the first table that changes is known only when it was built: a
comment may end there. So a table behind a stale one is said to depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from repobuild.engine.build import Build
from repobuild.engine.reason import differences
from repobuild.engine.rule import Rule, closure
from repobuild.engine.tasking import is_current
from repobuild.engine.wording import sentence


@dataclass
class Outlook:
    """`reasons` by stale table; `files` changed; `seconds` by past times."""

    reasons: dict[str, str] = field(default_factory=dict)
    files: int = 0
    seconds: float = 0.0


def foresee(build: Build, goals: list[str]) -> Outlook:
    """Return what building the goals would do. Takes no lock and writes nothing."""
    seen = Outlook()
    for name in closure(build.rules, goals):
        rule = build.rules[name]
        reason = _reason(build, rule, seen)
        if reason:
            seen.reasons[name] = reason
            seen.seconds += _past_seconds(build, rule)
    return seen


def _reason(build: Build, rule: Rule, seen: Outlook) -> str:
    line = build.state.line(rule.name)
    if line is None:
        if rule.kind == "source":
            seen.files = sum(1 for _ in build.snapshot.files())
        return "never built"
    if build.is_full(rule):
        known = build.state.manifest(line.manifest)
        found = differences(rule.name, known, build.manifest(rule))
        return "; ".join(sentence(r.plain()) for r in found) or "starts anew"
    if rule.kind == "source":
        return _file_changes(build, line.tree, seen)
    behind = [name for name in rule.inputs if name in seen.reasons]
    if behind:
        return f"depends on {', '.join(behind)}"
    if rule.kind == "task":
        return "" if is_current(build, rule) else "not built for this commit"
    return "news of its inputs are waiting" if build.is_stale(rule) else ""


def _file_changes(build: Build, tree: str, seen: Outlook) -> str:
    if tree == build.tree:
        return ""
    changes = build.snapshot.changes(tree)
    if changes is None:
        return "another tree"
    seen.files = len(changes)
    return f"{len(changes)} changed path{'s' * (len(changes) != 1)}"


def _past_seconds(build: Build, rule: Rule) -> float:
    line = build.state.line(rule.name)
    if line is None:
        return 0.0
    return line.full_seconds if build.is_full(rule) else line.seconds
