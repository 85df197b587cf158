"""The way back from a changed row to the file and the commit where it began.

A map's row was made of the input row of the same key. Which rows a view's row was made
of is not recorded; it is found among the input rows that changed in the same builds, by
what they have in common with it: the same piece of text changed from and to the same,
the same file, a mention of one in the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.digest import inflate, unpack
from repobuild.engine.explain.diff import Difference, differing_leaves
from repobuild.engine.explain.reason import Cause, Reason, differences
from repobuild.engine.explain.similarity import STRONG, Similarity
from repobuild.engine.rule import Rule, load
from repobuild.engine.storage.row_changes import RowChange, of_builds, of_row
from repobuild.engine.storage.run_history import TableRun, runs

_LOOKED_ROWS = 2_000  # changed input rows that are compared with a view's row
_NAMED_ROWS = 2  # of them named
_FIELDS = 6


class CauseTrace:
    """Finds reasons; holds what it read while one question is answered."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._runs: dict[str, list[TableRun]] = {}
        self._found: dict[tuple[str, int, int], list[RowChange]] = {}
        self._leaves: dict[tuple[str, str, int], list[Difference]] = {}
        self._marks: dict[tuple[str, str, int], Similarity] = {}

    def runs(self, table: str) -> list[TableRun]:
        if table not in self._runs:
            self._runs[table] = runs(self.build.state, table)
        return self._runs[table]

    def run(self, table: str, number: int) -> TableRun | None:
        return next((r for r in self.runs(table) if r.build == number), None)

    def before(self, run: TableRun) -> TableRun | None:
        """Return the run of the same table before this one, when it is known."""
        return next((r for r in self.runs(run.table) if r.build < run.build), None)

    def commit(self, number: int) -> tuple[str, str]:
        """Return commit and subject of a build; no commit for a work tree."""
        row = self.build.state.database.execute(
            'SELECT "commit", tree FROM builds WHERE id = ?', (number,)
        ).fetchone()
        if not row or not row[0] or str(row[1]).startswith("worktree:"):
            return "", ""
        return str(row[0]), self.build.snapshot.subject(str(row[0]))

    # ------------------------------------------------------------------ a row

    def values(self, change: RowChange) -> tuple[Any, Any]:
        """Return a row's value before and after a change, as far as they are kept."""
        history = of_row(self.build.state.database, change.table, change.key)
        later = [c for c in history if c.build > change.build]
        if change.is_gone:
            return self._old(change), None
        if later:
            return self._old(change), self._old(later[-1])
        return self._old(change), self._now(change.table, change.key)

    def _old(self, change: RowChange) -> Any:
        stored = change.detail.get("old")
        if stored is None and change.detail.get("memo") is not None:
            found = self.build.state.database.execute(
                "SELECT value FROM memo WHERE id = ?", (change.detail["memo"],)
            ).fetchone()
            stored = found[0] if found else None
        return unpack(inflate(stored)) if stored else None

    def _now(self, name: str, key: str) -> Any:
        """Return a row's value, of an unstored row its entries' digests."""
        table = self.build.table(name)
        row = table.raw(key)
        stored = table.stored(row) if row else None
        return unpack(inflate(stored)) if stored else None

    def fields(self, change: RowChange) -> list[Difference]:
        """Return which fields a change of a row touched."""
        place = (change.table, change.key, change.build)
        if place not in self._leaves:
            stored = self.build.rules[change.table].stored
            known = stored and not (change.is_new or change.is_gone)
            old, new = self.values(change) if known else (None, None)
            found = differing_leaves(old, new) if old is not None else []
            self._leaves[place] = [self._labelled(change.table, leaf) for leaf in found]
        return self._leaves[place]

    def _labelled(self, table: str, leaf: Difference) -> Difference:
        target = self.build.rules[table].labels
        return replace(leaf, name=load(target)(leaf.name)) if target else leaf

    def reasons(
        self, change: RowChange, fields: list[Difference] | None = None
    ) -> tuple[Reason, ...]:
        """Return why a row changed; `fields` narrows it to a part of the row."""
        rule = self.build.rules[change.table]
        run = self.run(change.table, change.build)
        found = list(self.made_anew(run)) if run and run.full else []
        if rule.kind == "source":
            return (*found, *self._in_git(rule, change))
        if rule.kind == "map":
            return (*found, *self._same_row(rule, change, run))
        told = self.fields(change) if fields is None else fields
        return (*self._related(rule, change, run, told), *found)

    def made_anew(self, run: TableRun) -> Iterator[Reason]:
        """Yield why a table was made from all its rows in a run."""
        state, last = self.build.state, self.before(run)
        was = run.was or (last.manifest if last else 0)
        if not was:
            commit, subject = self.commit(run.build)
            yield Reason(
                run.table, "", Cause.NEVER_BUILT,
                build=run.build, commit=commit, subject=subject,
            )  # fmt: skip
            return
        found = differences(
            run.table, state.manifest(was), state.manifest(run.manifest)
        )
        yield from found or self._inputs_anew(run)

    def _inputs_anew(self, run: TableRun) -> Iterator[Reason]:
        """Yield the inputs whose own new start made this table start anew."""
        for name in self.build.rules[run.table].inputs:
            other = self.run(name, run.build)
            if other and other.full:
                because = tuple(self.made_anew(other))
                yield Reason(name, "", Cause.INPUT_CHANGED, because=because)

    # ------------------------------------------------------------- behind a row

    def _in_git(self, rule: Rule, change: RowChange) -> Iterator[Reason]:
        built, said = self.commit(change.build)
        if rule.follows == "commit":
            yield Reason("git", "", Cause.INPUT_CHANGED, commit=built, subject=said)
            return
        if not built:
            yield Reason("git", change.key, Cause.INPUT_CHANGED, name="work tree")
            return
        origin = self.build.snapshot.origin(change.key, built)
        commit, subject = origin or (built, "")
        yield Reason("git", change.key, _cause(change), commit=commit, subject=subject)

    def _same_row(
        self, rule: Rule, change: RowChange, run: TableRun | None
    ) -> list[Reason]:
        for name in rule.inputs:
            for found in of_row(self.build.state.database, name, change.key):
                if self._after(run, change) < found.build <= change.build:
                    return [self.reason(found)]
        return []

    def _related(
        self,
        rule: Rule,
        change: RowChange,
        run: TableRun | None,
        told: list[Difference],
    ) -> list[Reason]:
        after, marks = self._after(run, change), Similarity.of(change.key, told)
        scored = [
            (marks.like(self._marked(found)), found)
            for name in rule.inputs
            for found in self._changed(name, after, change.build)
        ]
        if not scored:
            return []
        best = max(score for score, _ in scored)
        if run and run.full and best < STRONG:
            return []  # what started the table anew explains the row
        if not best:
            return [self._crowd(scored[0][1].table, [found for _, found in scored])]
        # Of a file that changed in several inputs, the input made last leads to all.
        chosen = [found for score, found in scored if score == best]
        last = max(rule.inputs.index(found.table) for found in chosen)
        chosen = [f for f in chosen if rule.inputs.index(f.table) == last]
        return [self.reason(found) for found in chosen[:_NAMED_ROWS]]

    def _crowd(self, table: str, found: list[RowChange]) -> Reason:
        """Nothing tells which of the changed input rows it was."""
        example = self.reason(found[0])
        name = f"one of {len(found)} changed rows"
        return Reason(table, "", Cause.INPUT_CHANGED, name, because=(example,))

    def _after(self, run: TableRun | None, change: RowChange) -> int:
        """Return the build up to which the table had seen its inputs before."""
        last = self.before(run) if run else None
        return last.build if last else change.build - 1

    def _changed(self, table: str, after: int, until: int) -> list[RowChange]:
        place = (table, after, until)
        if place not in self._found:
            self._found[place] = of_builds(
                self.build.state.database, table, after, until, _LOOKED_ROWS
            )
        return self._found[place]

    def _marked(self, change: RowChange) -> Similarity:
        place = (change.table, change.key, change.build)
        if place not in self._marks:
            self._marks[place] = Similarity.of(change.key, self.fields(change))
        return self._marks[place]

    def reason(self, change: RowChange) -> Reason:
        """Return an input row's change as a reason, with what is behind it."""
        commit, subject = self.commit(change.build)
        fields = self.fields(change)
        first = fields[0] if fields else Difference("", None, None)
        return Reason(
            change.table, change.key, _cause(change), first.name, first.old, first.new,
            tuple(fields[:_FIELDS]), change.build, commit, subject,
            self.reasons(change),
        )  # fmt: skip


def _cause(change: RowChange) -> Cause:
    if change.is_gone:
        return Cause.INPUT_REMOVED
    return Cause.INPUT_ADDED if change.is_new else Cause.INPUT_CHANGED
