"""Why something was made again: the difference of two manifests, told in words.

why TABLE   settings, tools, versions and inputs, from what to what
why KEY     the row's own change, and behind it the row that it was made of
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.digest import inflate, unpack
from repobuild.engine.errors import UsageError, nearest
from repobuild.engine.rule import Rule
from repobuild.engine.wording import shown

_MAX_LINES = 12
_MAX_NAMES = 2_000  # keys looked through for a near match


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return in words what differs between two manifests."""
    said = []
    if old.get("version") != new.get("version"):
        said.append(f"rule version {old.get('version')} to {new.get('version')}")
    for part in ("settings", "tools", "ingredients"):
        before, after = old.get(part, {}), new.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                was, now = shown(before.get(name)), shown(after.get(name))
                said.append(f"{part.rstrip('s')} {name} {was} to {now}")
    return said


def why(build: Build, key: str) -> list[str]:
    """Return lines that say why a table or a row was last made.

    Raises `UsageError` when there is neither a table nor a row of that name.
    """
    if key in build.rules:
        return _why_table(build, build.rules[key])
    lines: list[str] = []
    for rule, row, sub in _places(build, key):
        lines += _why_row(build, rule, row, sub)
    if lines:
        return lines[:_MAX_LINES]
    raise unknown(build, key)


def _why_table(build: Build, rule: Rule) -> list[str]:
    line = build.state.line(rule.name)
    if line is None:
        return [f"{rule.name} was never built"]
    now = differences(build.state.manifest(line.manifest), build.manifest(rule))
    said = [f"{rule.name}: {line.entries:,} rows, built at {line.commit[:10]}"]
    said += [f"would start anew: {text}" for text in now]
    rows = build.state.database.execute(
        "SELECT build, count(*) FROM changes WHERE tbl = ? GROUP BY build "
        "ORDER BY build DESC LIMIT 1",
        (rule.name,),
    ).fetchone()
    if rows:
        said.append(f"last changed in build {rows[0]}: {rows[1]:,} rows, among them")
        said += [f"  {key}" for key in _changed_keys(build, rule, rows[0])]
    return said


def _changed_keys(build: Build, rule: Rule, number: int) -> list[str]:
    rows = build.state.database.execute(
        "SELECT key FROM changes WHERE tbl = ? AND build = ? ORDER BY key LIMIT ?",
        (rule.name, number, _MAX_LINES),
    )
    return [key for (key,) in rows]


def _places(build: Build, key: str) -> Iterator[tuple[Rule, str, str]]:
    """Yield the tables that hold a key, last table first, with row and sub key."""
    for rule in reversed(list(build.rules.values())):
        if build.state.line(rule.name) is None:
            continue
        found = build.table(rule.name).find(key)
        if found:
            yield rule, *found


def _why_row(build: Build, rule: Rule, key: str, sub: str) -> list[str]:
    name = f"{rule.name} {key}{sub}"
    change = build.state.database.execute(
        "SELECT build, detail FROM changes WHERE tbl = ? AND key = ? "
        "ORDER BY build DESC LIMIT 1",
        (rule.name, key),
    ).fetchone()
    if change is None:
        return [f"{name}: as first built, or unchanged for the last builds"]
    number, detail = change[0], unpack(change[1])
    commit = _commit_of(build, number)
    if not detail["was"]:
        return [f"{name}: new in build {number} ({commit})"]
    reasons = _reasons(build, rule, key, detail)
    return [f"{name}: changed in build {number} ({commit})"] + [
        f"  {reason}" for reason in reasons
    ]


def _reasons(
    build: Build, rule: Rule, key: str, detail: Mapping[str, Any]
) -> list[str]:
    if rule.kind == "map":
        return [f"because {rule.inputs[0]} {key} changed"]
    if detail.get("old"):
        old = unpack(inflate(detail["old"]))
        return _field_changes(old, build.table(rule.name).get(key))
    return []


def _field_changes(old: Any, new: Any) -> list[str]:
    """Return which fields of a row differ, from what to what."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [f"{shown(old)} to {shown(new)}"]
    said = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            label = name.strip() or "the row itself"
            said.append(f"{label}: {shown(old.get(name))} to {shown(new.get(name))}")
    return said[:_MAX_LINES]


def _commit_of(build: Build, number: int) -> str:
    row = build.state.database.execute(
        'SELECT "commit" FROM builds WHERE id = ?', (number,)
    ).fetchone()
    return str(row[0])[:10] if row and row[0] else "the work tree"


def unknown(build: Build, key: str) -> UsageError:
    """Return the error for a key that nothing carries, with the nearest that is."""
    names = list(build.rules)
    for rule in build.rules.values():
        if rule.kind in ("source", "view") and build.state.line(rule.name):
            names += list(build.table(rule.name).keys())[:_MAX_NAMES]
    return UsageError(
        f'no table, element or sample "{key}"{nearest(key, names)}\n'
        "an element is named path::qualified.name, a sample as `repobuild show` lists"
    )
