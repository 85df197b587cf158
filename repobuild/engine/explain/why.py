"""Why something was made: a row, a table or an artifact, each told as one object.

    {"table", "key", "what", "build", "commit", "subject", "fields", "reasons", ...}

`what` is changed, new, removed, evicted, unchanged, built or "never built"; `fields`
say from what to what, `reasons` (reason.py) lead back to the file and the commit where
it began. A table also tells its last full run and what would start it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.explain.artifact_reason import explained, matching, newest
from repobuild.engine.explain.cause_trace import CauseTrace
from repobuild.engine.explain.diff import Difference, differing_leaves
from repobuild.engine.explain.reason import Reason, differences
from repobuild.engine.rule import Rule
from repobuild.engine.storage.row_changes import RowChange, of_builds, of_row
from repobuild.engine.storage.run_history import TableRun
from repobuild.engine.storage.table import own_key
from repobuild.errors import UsageError, nearest

_FIELDS = 6
_EXAMPLES = 5
_COUNTED_ROWS = 200  # changed rows of a table whose causes are counted
_MAX_NAMES = 2_000  # keys looked through for a near match

Told = dict[str, Any]


def why(build: Build, key: str) -> list[Told]:
    """Return what is known of a table, a row, or an artifact; the last table first.

    An artifact is named by its digest, its commit (six characters suffice) or a
    revision such as HEAD. Raises `UsageError` when nothing carries that name.
    """
    trail = CauseTrace(build)
    if key in build.rules:
        rule = build.rules[key]
        return [_table(trail, rule), *newest(trail, rule)]
    found = [explained(trail, *place) for place in matching(build, key)]
    for rule in reversed(list(build.rules.values())):
        if rule.kind != "task" and build.state.line(rule.name) is not None:
            found += _rows(trail, rule, key)
    if found:
        return found
    raise unknown(build, key)


# ------------------------------------------------------------------------- a row


def _rows(trail: CauseTrace, rule: Rule, key: str) -> Iterator[Told]:
    key = own_key(rule.name, key)
    place = trail.build.table(rule.name).find(key)
    if place:
        yield _row(trail, rule, *place)
        return
    database = trail.build.state.database
    for row, sub in _split(key, rule.entries):
        gone = [c for c in of_row(database, rule.name, row) if _lost(trail, c, sub)]
        if gone:
            yield {**_told(trail, gone[0], sub), "what": "removed"}
            return


def _split(key: str, entries: bool) -> Iterator[tuple[str, str]]:
    """Yield the ways in which a key may name a row, and an entry in it."""
    yield key, ""
    if entries:
        marks = (n for n in range(len(key) - 1, 0, -1) if key[n] in "#: ")
        yield from ((key[:n], key[n:]) for n in marks)


def _lost(trail: CauseTrace, change: RowChange, sub: str) -> bool:
    """Whether a change removed the row, or the entry of it."""
    if change.is_gone and not sub:
        return True
    old, new = trail.values(change)
    return bool(sub) and sub in (old or {}) and sub not in (new or {})


def _row(trail: CauseTrace, rule: Rule, key: str, sub: str) -> Told:
    """Tell the newest change that touched a row, or the entry `sub` of it."""
    for change in of_row(trail.build.state.database, rule.name, key):
        if rule.entries and not _touched(trail, change, sub):
            continue
        return {**_told(trail, change, sub), **_dropped(trail, rule, key, sub)}
    return {**_unchanged(trail, rule, key + sub), **_dropped(trail, rule, key, sub)}


def _touched(trail: CauseTrace, change: RowChange, sub: str) -> bool:
    if change.is_new:
        return True
    old, new = trail.values(change)
    return old is None or (old or {}).get(sub) != (new or {}).get(sub)


def _dropped(trail: CauseTrace, rule: Rule, key: str, sub: str) -> Told:
    """A row that says of itself why it is left out."""
    value = trail.build.table(rule.name).get(key) if rule.entries else None
    item = value.get(sub) if isinstance(value, Mapping) else None
    reason = item.get("dropped") if isinstance(item, Mapping) else None
    return {"dropped": str(reason)} if reason else {}


def _told(trail: CauseTrace, change: RowChange, sub: str) -> Told:
    commit, subject = trail.commit(change.build)
    fields = _fields(trail, change, sub)
    is_new = change.is_new or _is_new_entry(trail, change, sub)
    return {
        "table": change.table,
        "key": change.key + sub,
        "what": "new" if is_new else "changed",
        "build": change.build,
        "commit": commit,
        "subject": subject,
        "fields": [leaf.plain() for leaf in fields[:_FIELDS]],
        "reasons": [r.plain() for r in trail.reasons(change, fields)],
    }


def _is_new_entry(trail: CauseTrace, change: RowChange, sub: str) -> bool:
    if not trail.build.rules[change.table].entries or change.is_gone:
        return False
    old, _ = trail.values(change)
    return old is not None and sub not in old


def _fields(trail: CauseTrace, change: RowChange, sub: str) -> list[Difference]:
    rule = trail.build.rules[change.table]
    if not rule.entries:
        return trail.fields(change)
    old, new = trail.values(change)
    before, after = (old or {}).get(sub), (new or {}).get(sub)
    return differing_leaves(before, after) if rule.stored and before and after else []


def _unchanged(trail: CauseTrace, rule: Rule, name: str) -> Told:
    """A row without a kept change is as the last run left it that kept no changes."""
    whole = next((r for r in trail.runs(rule.name) if not r.noted), None)
    number = whole.build if whole else 0
    commit, subject = trail.commit(number)
    reasons = tuple(trail.made_anew(whole)) if whole and whole.full else ()
    return {
        "table": rule.name,
        "key": name,
        "what": "unchanged",
        "build": number,
        "commit": commit,
        "subject": subject,
        "fields": [],
        "reasons": [reason.plain() for reason in reasons],
    }


# ------------------------------------------------------------------------- a table


def _table(trail: CauseTrace, rule: Rule) -> Told:
    build, line = trail.build, trail.build.state.line(rule.name)
    told: Told = {"table": rule.name, "key": "", "what": "never built"}
    if line is None:
        return told
    now = differences(
        rule.name, build.state.manifest(line.manifest), build.manifest(rule)
    )
    told |= {"what": "built", "rows": line.entries, "commit": line.commit}
    told |= {"subject": build.snapshot.subject(line.commit)}
    told["would_start_anew"] = [reason.plain() for reason in now]
    known = trail.runs(rule.name)
    told["runs"] = [_run(trail, run) for run in _worth_telling(known)]
    return told


def _worth_telling(known: list[TableRun]) -> list[TableRun]:
    """The newest run that changed rows, and the newest full one; newest first."""
    changed = [run for run in known if run.changed][:1]
    full = [run for run in known if run.full][:1]
    return [run for run in known if run in changed or run in full]


def _run(trail: CauseTrace, run: TableRun) -> Told:
    commit, subject = trail.commit(run.build)
    last = trail.before(run)
    anew = tuple(trail.made_anew(run)) if run.full else ()
    return {
        "build": run.build,
        "commit": commit,
        "subject": subject,
        "full": run.full,
        "looked": run.looked,
        "changed": run.changed,
        "seconds": run.seconds,
        "reasons": [reason.plain() for reason in anew],
        "inputs": [
            {"table": name, "from": last.inputs.get(name, "") if last else "", "to": to}
            for name, to in run.inputs.items()
            if not last or last.inputs.get(name) != to
        ],
        **_causes(trail, run),
    }


def _causes(trail: CauseTrace, run: TableRun) -> Told:
    """Count what the changed rows of a run go back to, and name some of them."""
    database = trail.build.state.database
    rows = of_builds(database, run.table, run.build - 1, run.build, _COUNTED_ROWS)
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for change in rows:
        counted.update({_root(trail.reasons(change)): 1})
    causes = [
        {"rows": n, "table": t, "key": k, "cause": c, "commit": commit}
        for (t, k, c, commit), n in counted.most_common(_EXAMPLES)
    ]
    examples = [change.key for change in rows[:_EXAMPLES]]
    more = len(counted) - len(causes)
    counts = {"counted": len(rows), "more_causes": more}
    return {"causes": causes, **counts, "examples": examples}


def _root(reasons: tuple[Reason, ...]) -> tuple[str, str, str, str]:
    """Return where a row's first reason leads in the end."""
    if not reasons:
        return "", "", "", ""
    reason = reasons[0]
    while reason.because:
        reason = reason.because[0]
    return reason.table, reason.key or reason.name, reason.cause.value, reason.commit


def unknown(build: Build, key: str) -> UsageError:
    """Return the error for a key that nothing carries, with the nearest that is."""
    names = list(build.rules)
    for rule in build.rules.values():
        if rule.kind in ("source", "view") and build.state.line(rule.name):
            names += _like(build, rule.name, key)
    return UsageError(
        f'no table, element, sample or adapter "{key}"{nearest(key, names)}\n'
        "an element is named path::qualified.name, a sample as `repobuild show` lists"
    )


def _like(build: Build, table: str, key: str) -> list[str]:
    """Return keys that begin alike, or else end alike."""
    half, _, name = key[: len(key) // 2], *key.rpartition("::")[1:]
    query = (
        f'SELECT key FROM "rows_{table}" WHERE substr(key, 1, ?) = ? '
        "OR substr(key, -?) = ? LIMIT ?"
    )
    asked = (len(half), half, len(name) // 2, name[-(len(name) // 2) :], _MAX_NAMES)
    return [key for (key,) in build.state.database.execute(query, asked)]
