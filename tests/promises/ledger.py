"""What one build may compute and write, worked out from the rows before and after it.

    source, view   `built` are the rows that are new or differ, `removed` those gone
    map            looked at are the rows whose input changed, all after a change of
                   manifest; of these `built` are those whose memo entry is new
    entries        the logical rows that are new or differ
    no news        no event

News of a table are the changed rows of its inputs since it last ran. The ledger adds
them up by itself, build by build, and `pending` must say the same.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from repobuild.engine.digest import inflate, unpack
from repobuild.engine.rule import Rule, closure
from repobuild.engine.storage.state import TableRecord
from repobuild.git.snapshot import Snapshot
from tests.standard import Row, Standard

News = dict[tuple[str, str], set[str]]  # (consumer, source) -> keys
NOTHING: dict[str, Any] = {
    "built": [], "memo": [], "removed": [], "entries": [], "failed": [],
    "counts": {"built": 0, "memo": 0, "removed": 0},
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """All rows of a state at one moment."""

    rows: dict[str, dict[str, Row]]
    lines: dict[str, TableRecord]
    memo: set[int]
    full: set[str]  # tables that would start anew

    @classmethod
    def of(cls, standard: Standard) -> Page:
        rules = [r for r in standard.rules.values() if r.kind != "task"]
        lines = {line.name: line for line in standard.state.lines()}
        memo = {i for (i,) in standard.state.database.execute("SELECT id FROM memo")}
        full = {rule.name for rule in rules if standard.is_full(rule)}
        return cls({r.name: standard.rows(r.name) for r in rules}, lines, memo, full)


class Ledger:
    """Follows one state through its builds."""

    def __init__(self, standard: Standard) -> None:
        self.standard = standard
        self.news: News = defaultdict(set)
        self._anew: set[str] = set()  # tables that this build itself makes start anew

    def build(
        self, goal: str = "dataset", snapshot: Snapshot | None = None, **options: Any
    ) -> bool:
        """Build and hold what was done against the ledger; False when killed."""
        before = Page.of(self.standard)
        self._anew = set(before.full)
        done = True
        try:
            self.standard.build(goal, snapshot, **options)
        except KeyboardInterrupt:
            done = False
        after = Page.of(self.standard)
        for name in closure(self.standard.rules, [goal]):
            if not done and name == goal:
                break
            self._check(self.standard.rules[name], before, after)
        assert self._pending() == {key: keys for key, keys in self.news.items() if keys}
        return done

    def _check(self, rule: Rule, before: Page, after: Page) -> None:
        full = rule.name in self._anew
        news = {
            source: self.news.pop((rule.name, source), set()) for source in rule.inputs
        }
        event = self.standard.events().get(rule.name)
        if event is not None and rule.kind != "map":  # git lacks nothing here
            assert event["failed"] == [], rule.name
        was, now = before.rows[rule.name], after.rows[rule.name]
        changed = {*_touched(was, now), *(was.keys() - now.keys())}
        if event is not None:
            assert full or any(news.values()) or rule.kind == "source", rule.name
        _check_event(rule, event or NOTHING, was, now)
        if rule.kind == "map":
            source = rule.inputs[0]
            looked = set(after.rows[source]) if full else news[source]
            self._check_map(rule, event, looked, before, now)
        self._pass_on(rule, before, changed, full)

    def _check_map(
        self,
        rule: Rule,
        event: dict[str, Any] | None,
        looked: set[str],
        before: Page,
        now: dict[str, Row],
    ) -> None:
        said = event or NOTHING
        kept = looked & now.keys()
        fresh = {key for key in kept if now[key].memo not in before.memo}
        assert sorted(said["built"]) == sorted(fresh), rule.name
        assert sorted(said["memo"]) == sorted(kept - fresh), rule.name
        if said["failed"]:
            self.news[rule.name, rule.inputs[0]] |= set(said["failed"])

    def _pass_on(self, rule: Rule, before: Page, keys: set[str], full: bool) -> None:
        """Note the changed rows for every table that reads this one and was built."""
        for other in self.standard.rules.values():
            line = before.lines.get(other.name)
            if rule.name not in other.inputs or other.kind == "task" or line is None:
                continue
            if line.manifest and not (full and not rule.stored):
                self.news[other.name, rule.name] |= keys
            else:  # nobody can tell the old values: it reads everything
                self.news.pop((other.name, rule.name), None)
                self._anew.add(other.name)

    def _pending(self) -> dict[tuple[str, str], set[str]]:
        found: News = defaultdict(set)
        query = "SELECT consumer, source, key FROM pending"
        for consumer, source, key in self.standard.state.database.execute(query):
            found[consumer, source].add(key)
        return dict(found)


def _check_event(
    rule: Rule, event: dict[str, Any], was: dict[str, Row], now: dict[str, Row]
) -> None:
    """Hold the event of one table against its rows before and after."""
    new = _differing(rule, was, now)
    lost = _absent(rule, now, was)
    gone = {key for key, _ in lost} - now.keys()
    assert sorted(event["removed"]) == sorted(gone), rule.name
    assert event["counts"]["built"] + event["counts"]["memo"] == len(new), rule.name
    assert event["counts"]["removed"] == len(lost), rule.name
    if rule.entries:
        assert sorted(event["entries"]) == sorted(k + sub for k, sub in new), rule.name
    if rule.kind != "map":
        rows = {key for key, _ in new + lost} & now.keys()
        assert sorted(event["built"]) == sorted(rows), rule.name


def _differing(
    rule: Rule, was: dict[str, Row], now: dict[str, Row]
) -> list[tuple[str, str]]:
    """Return the logical rows of `now` that `was` has not, or has otherwise."""
    return [
        (key, sub)
        for key in _touched(was, now)
        for sub, item in _items(rule, now.get(key)).items()
        if _items(rule, was.get(key)).get(sub) != item
    ]


def _absent(
    rule: Rule, was: dict[str, Row], now: dict[str, Row]
) -> list[tuple[str, str]]:
    """Return the logical rows of `now` that `was` has not."""
    return [
        (key, sub)
        for key in _touched(was, now)
        for sub in _items(rule, now.get(key))
        if sub not in _items(rule, was.get(key))
    ]


def _touched(was: dict[str, Row], now: dict[str, Row]) -> list[str]:
    return [k for k in now if k not in was or was[k].digest != now[k].digest]


def _items(rule: Rule, row: Row | None) -> dict[str, Any]:
    """Return a row's logical rows; one that holds no others is one itself."""
    if row is None:
        return {}
    return dict(unpack(inflate(row.stored))) if rule.entries else {"": row.digest}
