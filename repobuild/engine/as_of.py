"""Find the commit and the manifests that a clean build needs to remake each table.

Tables may be built at different commits (`--until`), and with settings that were edited
since. A table without pending rows is as new as its inputs: it has their commit and
manifests. A table with pending rows is as of its own last run, with its inputs as they
were then. Tables that agree are remade in one clean build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from repobuild.engine.context import NO_MANIFEST, BuildContext
from repobuild.engine.explain.reason import Cause, Reason, differences
from repobuild.engine.rule import Rule, closure
from repobuild.engine.storage.run_history import TableRun, runs
from repobuild.errors import StaleError
from repobuild.git.repository import has_object
from repobuild.resources import program


class _Revision(NamedTuple):
    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A table, what it was built from, and the manifests of all tables it needs."""

    table: str
    commit: str
    tree: str
    manifests: Mapping[str, int]


@dataclass
class CleanBuild:
    """Tables that one clean build can remake."""

    commit: str
    manifests: dict[str, int]
    tables: list[str] = field(default_factory=list)

    def agrees_with(self, table: TableVersion) -> bool:
        """Return whether a table has the commit and manifests of this build."""
        return self.commit == table.commit and all(
            self.manifests.get(name, number) == number
            for name, number in table.manifests.items()
        )


class ObstacleKind(Enum):
    WORK_TREE = "work tree"
    COMMIT_GONE = "commit gone"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a table cannot be remade; `reasons` belong to NOT_INSTALLED."""

    kind: ObstacleKind
    commit: str = ""
    reasons: tuple[Reason, ...] = ()


def table_versions(build: BuildContext) -> list[TableVersion]:
    """Return the version of every built table but the tasks', inputs first."""
    versions: dict[str, TableVersion] = {}
    history = {name: runs(build.state, name) for name in build.rules}
    for rule in build.rules.values():
        line = build.state.line(rule.name)
        if rule.kind == "task" or line is None:
            continue
        inputs = [versions[name] for name in rule.inputs if name in versions]
        if line.manifest != NO_MANIFEST and _is_up_to_date(build, rule, inputs):
            merged = {n: m for table in inputs for n, m in table.manifests.items()}
            revision = _Revision(inputs[0].commit, inputs[0].tree)
        else:
            number = _last_agreeing_build(rule, history)
            merged = _manifests_as_of(build, rule, history, number)
            own_revision = _Revision(line.commit, line.tree)
            revision = _build_revision(build, number) or own_revision
        last = next((run.manifest for run in history[rule.name]), NO_MANIFEST)
        manifests = {**merged, rule.name: line.manifest or last}
        versions[rule.name] = TableVersion(rule.name, *revision, manifests)
    return list(versions.values())


def commit_of(build: BuildContext, table: str) -> str:
    """Return the commit from which a clean build makes a built table as it is.

    Raises `StaleError` when it holds files of a work tree: these are not kept.
    """
    version = next(v for v in table_versions(build) if v.table == table)
    if version.tree.startswith("worktree:") or not version.commit:
        raise StaleError(
            f"{table} was built from a work tree, which is not kept\n"
            f"build a commit first: {program()} --until {table}"
        )
    return version.commit


def _is_up_to_date(build: BuildContext, rule: Rule, inputs: list[TableVersion]) -> bool:
    """Return whether no input row is pending and all inputs have one revision."""
    revisions = {(table.commit, table.tree) for table in inputs}
    query = "SELECT 1 FROM pending WHERE consumer = ? LIMIT 1"
    waiting = build.state.database.execute(query, (rule.name,)).fetchone()
    return len(revisions) == 1 and waiting is None


def _last_agreeing_build(rule: Rule, history: Mapping[str, list[TableRun]]) -> int:
    """Return the last build after which no input had changed rows for a table.

    That may be later than the table's last run: an input that was built again with
    equal rows has none.
    """
    last = next((run.build for run in history[rule.name]), 0)
    since = [r for name in rule.inputs for r in history[name] if r.build > last]
    changed = min((run.build for run in since if run.changed), default=last)
    return max([last, *(run.build for run in since if run.build < changed)])


def _manifests_as_of(
    build: BuildContext,
    rule: Rule,
    history: Mapping[str, list[TableRun]],
    number: int,
) -> dict[str, int]:
    """Return the manifests of a table's inputs, direct or not, as of a build."""
    manifests = {}
    for name in closure(build.rules, list(rule.inputs)):
        run = next((run for run in history[name] if run.build <= number), None)
        line = build.state.line(name)
        manifests[name] = (
            run.manifest if run else line.manifest if line else NO_MANIFEST
        )
    return manifests


def _build_revision(build: BuildContext, number: int) -> _Revision | None:
    row = build.state.database.execute(
        'SELECT "commit", tree FROM builds WHERE id = ?', (number,)
    ).fetchone()
    return _Revision(str(row[0]), str(row[1])) if row else None


def group_versions(tables: list[TableVersion]) -> list[CleanBuild]:
    """Return clean builds that remake all tables, joining those that agree."""
    groups: list[CleanBuild] = []
    for table in tables:
        group = next((group for group in groups if group.agrees_with(table)), None)
        if group is None:
            group = CleanBuild(table.commit, {})
            groups.append(group)
        group.manifests.update(table.manifests)
        group.tables.append(table.table)
    return groups


def pinned_rules(build: BuildContext, group: CleanBuild) -> dict[str, Rule]:
    """Return the rules with the settings that the group's tables were built with."""
    rules = dict(build.rules)
    for name in rules.keys() & group.manifests.keys():
        body = build.state.manifest(group.manifests[name])
        rules[name] = replace(
            rules[name], pinned_settings=dict(body.get("settings", {}))
        )
    return rules


def find_obstacle(build: BuildContext, table: TableVersion) -> Obstacle | None:
    """Return why a table cannot be remade as it was; None when it can."""
    if table.tree.startswith("worktree:") or not table.commit:
        return Obstacle(ObstacleKind.WORK_TREE)
    if not has_object(build.snapshot.repository, table.commit):
        return Obstacle(ObstacleKind.COMMIT_GONE, table.commit)
    reasons = tuple(r for name in table.manifests for r in _lacks(build, table, name))
    return Obstacle(ObstacleKind.NOT_INSTALLED, reasons=reasons) if reasons else None


def _lacks(build: BuildContext, table: TableVersion, name: str) -> Iterator[Reason]:
    """Yield what a table was built by that is not installed now; settings are kept."""
    body, rule = build.state.manifest(table.manifests[name]), build.rules[name]
    if not body:
        yield Reason(name, "", Cause.NEVER_BUILT)
        return
    pinned = replace(rule, pinned_settings=dict(body["settings"]))
    yield from differences(name, body, pinned.manifest(build.settings))
