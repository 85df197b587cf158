"""Follow the adapters that led to this one, commit by commit, for the report.

A link is a commit with a row in the table `adapter`; its scores are those of the newest
report of its adapter. Along first parents, every built commit is a link, also one that
trained nothing: then its cost is zero. Where no ancestor has a row, because the adapter
continues one of another branch, the chain follows the parent adapters instead.
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
    """One commit and its row of the table `adapter`."""

    commit: str
    row: Row

    @property
    def object(self) -> str:
        return str(self.row["object"])

    @property
    def parent(self) -> str:
        """The adapter that this one was trained from; empty for a re-based one."""
        return str(self.row.get("parent") or "")

    @property
    def predecessor(self) -> str:
        """The adapter of the commit before, even if this one ignores it."""
        return str(self.row.get("follows") or self.parent)

    def to_dict(self) -> dict[str, Any]:
        """Return the link as plain data.

        `tokens` and `seconds` are the cost of this commit, not of its adapter.
        """
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


def adapter_chain(
    task: Task, link: ChainLink, headline: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the links from the oldest shown to `link`, with their headline scores."""
    reports = task.rows("report")
    chain = []
    for each in reversed(chain_links(task, link)):
        scores = reports.get(each.object, {}).get("headline", {})
        chain.append({**each.to_dict(), "headline": scores})
    chain[-1]["headline"] = headline
    return chain


def chain_links(task: Task, link: ChainLink) -> list[ChainLink]:
    """Return `link` and those before it, nearest first."""
    rows = task.rows("adapter")
    built = [commit for commit in task.ancestors() if commit in rows]
    links = [link, *(ChainLink(commit, rows[commit]) for commit in built[: SHOWN - 1])]
    return [*links, *_follow_adapters(rows, links)][:SHOWN]


def _follow_adapters(rows: Rows, links: list[ChainLink]) -> Iterator[ChainLink]:
    """Yield the predecessors of the oldest link, adapter by adapter."""
    newest_first = sorted(rows.items(), key=lambda pair: -int(pair[1].get("build", 0)))
    # The oldest of several commits with the same adapter counts.
    makers = {
        str(row["object"]): ChainLink(commit, row) for commit, row in newest_first
    }
    for link in links:
        makers.pop(link.object, None)
    oldest = links[-1]
    while oldest.predecessor in makers:
        oldest = makers.pop(oldest.predecessor)
        yield oldest
