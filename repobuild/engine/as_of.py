"""What each table stands for: the commit and the manifests that a clean build needs.

Tables may stand at different commits (`--until`), and be made with settings that were
edited since. A table that has no news to look at stands where its inputs stand. One
that has stands where it was last made, with its inputs as they were made then.
Tables that agree are built in one go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from repobuild.engine.build import REMADE, Build
from repobuild.engine.explain.reason import Cause, Reason, differences
from repobuild.engine.explain.wording import sentence
from repobuild.engine.rule import Rule, closure
from repobuild.engine.storage.run_history import TableRun, runs


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A table, where it stands, and the manifest of each table that it is made of."""

    table: str
    commit: str
    tree: str
    manifests: Mapping[str, int]


@dataclass
class CleanBuild:
    """Tables that one clean build makes."""

    commit: str
    manifests: dict[str, int]
    tables: list[str] = field(default_factory=list)

    def takes(self, table: TableVersion) -> bool:
        """Whether a table agrees with what is in the group already."""
        return self.commit == table.commit and all(
            self.manifests.get(name, number) == number
            for name, number in table.manifests.items()
        )


def table_versions(build: Build) -> list[TableVersion]:
    """Return where every built table before the tasks stands, inputs first."""
    found: dict[str, TableVersion] = {}
    known = {name: runs(build.state, name) for name in build.rules}
    for rule in build.rules.values():
        line = build.state.line(rule.name)
        if rule.kind == "task" or line is None:
            continue
        inputs = [found[name] for name in rule.inputs if name in found]
        if line.manifest != REMADE and _agrees(build, rule, inputs):
            merged = {n: m for table in inputs for n, m in table.manifests.items()}
            commit, tree = inputs[0].commit, inputs[0].tree
        else:
            then = _last_agreed(rule, known)
            merged = _as_of(build, rule, known, then)
            commit, tree = _place(build, then) or (line.commit, line.tree)
        own = line.manifest or (known[rule.name] or [_NEVER])[0].manifest
        standing = TableVersion(rule.name, commit, tree, {**merged, rule.name: own})
        found[rule.name] = standing
    return list(found.values())


_NEVER = TableRun("", 0, True, 0, 0, {}, 0, 0, False, "", 0.0, 0.0)


def _agrees(build: Build, rule: Rule, inputs: list[TableVersion]) -> bool:
    """Whether a table has seen all of its inputs, and these stand at one commit."""
    places = {(table.commit, table.tree) for table in inputs}
    query = "SELECT 1 FROM pending WHERE consumer = ? LIMIT 1"
    news = build.state.database.execute(query, (rule.name,)).fetchone()
    return len(places) == 1 and news is None


def _last_agreed(rule: Rule, known: Mapping[str, list[TableRun]]) -> int:
    """Return the last build after which no input had news for a table.

    That may be later than the table's last run: an input that was made again with
    equal rows has none.
    """
    last = next((run.build for run in known[rule.name]), 0)
    since = [r for name in rule.inputs for r in known[name] if r.build > last]
    news = min((run.build for run in since if run.changed), default=last)
    return max([last, *(run.build for run in since if run.build < news)])


def _as_of(
    build: Build, rule: Rule, known: Mapping[str, list[TableRun]], then: int
) -> dict[str, int]:
    """Return the manifests of a table's inputs, near and far, as of a build."""
    found = {}
    for name in closure(build.rules, list(rule.inputs)):
        run = next((run for run in known[name] if run.build <= then), None)
        line = build.state.line(name)
        found[name] = run.manifest if run else line.manifest if line else 0
    return found


def _place(build: Build, number: int) -> tuple[str, str] | None:
    """Return commit and tree of a build."""
    row = build.state.database.execute(
        'SELECT "commit", tree FROM builds WHERE id = ?', (number,)
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def grouped(tables: list[TableVersion]) -> list[CleanBuild]:
    """Return as few clean builds as make all tables."""
    groups: list[CleanBuild] = []
    for table in tables:
        group = next((group for group in groups if group.takes(table)), None)
        if group is None:
            group = CleanBuild(table.commit, {})
            groups.append(group)
        group.manifests.update(table.manifests)
        group.tables.append(table.table)
    return groups


def pinned(build: Build, group: CleanBuild) -> dict[str, Rule]:
    """Return the rules with the settings that the group's tables were made with."""
    return {
        name: replace(rule, fixed=_settings(build, group.manifests[name]))
        if name in group.manifests
        else rule
        for name, rule in build.rules.items()
    }


def _settings(build: Build, manifest: int) -> Mapping[str, object]:
    return dict(build.state.manifest(manifest).get("settings", {}))


def obstacle(build: Build, table: TableVersion) -> str:
    """Return why a table cannot be made again as it was made; "" when it can."""
    if table.tree.startswith("worktree:") or not table.commit:
        return "built from a work tree"
    if table.commit not in build.snapshot.repository:
        return f"its commit {table.commit[:10]} is not in this repository any more"
    reasons = [
        f"{reason.table}: {sentence(reason.plain())}"
        for name in table.manifests
        for reason in _lacks(build, table, name)
    ]
    if not reasons:
        return ""
    return f"made by what is not installed now ({'; '.join(reasons)}); build first"


def _lacks(build: Build, table: TableVersion, name: str) -> Iterator[Reason]:
    """Yield what a table was made by that is not installed: settings can be had."""
    body, rule = build.state.manifest(table.manifests[name]), build.rules[name]
    if not body:
        yield Reason(name, "", Cause.NEVER_BUILT)
        return
    now = replace(rule, fixed=dict(body["settings"])).manifest(build.settings)
    yield from differences(name, body, now)
