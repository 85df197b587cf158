"""The adapters that led to this one, commit by commit, as the report shows them.

A link is one commit with a row of the table `adapter`; its scores are those that the
newest report of its adapter found. Along first parents every commit that was built is a
link, whether it trained anything or not: what a commit cost may be nothing. Where no
ancestor has a row (another branch's adapter was gone on from), artifacts are followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.engine.contract import Task

SHOWN = 40  # commits

Row = Mapping[str, Any]
Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class ChainLink:
    """The adapter of one commit, as its table row says."""

    commit: str
    row: Row

    @property
    def object(self) -> str:
        return str(self.row["object"])

    @property
    def parent(self) -> str:
        """The adapter that this one went on from; none for a re-based one."""
        return str(self.row.get("parent") or "")

    @property
    def before(self) -> str:
        """The adapter of the commit before, whether this one went on from it or not."""
        return str(self.row.get("follows") or self.parent)

    def plain(self) -> dict[str, Any]:
        """`tokens` and `seconds` are what this commit cost, not its adapter."""
        return {
            "commit": self.commit,
            "object": self.object,
            "parent": self.parent,
            "promoted": bool(self.row.get("promoted", True)),
            "mode": str(self.row.get("mode") or ""),
            "reason": str(self.row.get("reason") or ""),
            "scores": dict(self.row.get("scores") or {}),
            "tokens": int(self.row.get("work") or 0),
            "seconds": self.row.get("seconds"),
        }


def chain(
    task: Task, link: ChainLink, headline: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """From the oldest shown adapter to this one, each with its headline scores."""
    reports = task.rows("report")
    shown = []
    for each in reversed(links(task, link)):
        scores = reports.get(each.object, {}).get("headline", {})
        shown.append({**each.plain(), "headline": scores})
    shown[-1]["headline"] = headline
    return shown


def links(task: Task, link: ChainLink) -> list[ChainLink]:
    """This commit's link and those before it, nearest first."""
    rows = task.rows("adapter")
    built = [name for name in task.ancestors() if name in rows]
    found = [link, *(ChainLink(name, rows[name]) for name in built[: SHOWN - 1])]
    return [*found, *_followed(rows, found)][:SHOWN]


def _followed(rows: Rows, found: list[ChainLink]) -> Iterator[ChainLink]:
    """What the oldest link goes on from, where no ancestor of its was built."""
    newest_first = sorted(rows.items(), key=lambda pair: -int(pair[1].get("build", 0)))
    # Of commits with the same adapter the first counts.
    makers = {
        str(row["object"]): ChainLink(commit, row) for commit, row in newest_first
    }
    for link in found:
        makers.pop(link.object, None)
    last = found[-1]
    while last.before in makers:
        last = makers.pop(last.before)
        yield last
