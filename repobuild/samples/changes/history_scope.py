"""Check changes against graph and contexts, for both tables about commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, node, split_id
from repobuild.engine.contract import Table, View
from repobuild.samples.changes.latest_change import LatestChange
from repobuild.samples.contexts.project_context import project_name
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.registry import languages_of


@dataclass(frozen=True, slots=True)
class HistoryScope:
    """The tables and settings that samples about changes depend on."""

    graph: Table
    contexts: Table
    languages: tuple[str, ...]
    is_held_out: Callable[[str], bool]  # whether nothing about an id is trained
    project: str  # name

    @classmethod
    def of(cls, view: View) -> HistoryScope:
        graph = view.table("graph")
        return cls(
            graph=graph,
            contexts=view.table("contexts"),
            languages=languages_of(
                view.settings, view.table("contexts").get(PROJECT) or {}
            ),
            is_held_out=Split.of(view.settings).is_held_out,
            project=project_name((graph.get(PROJECT) or {}).get("", {})),
        )

    def is_current(self, id: str, change: LatestChange) -> bool:
        """Return whether a change is still true of what is in the graph."""
        element = node(self.graph, id)
        if change.is_gone:
            new_id = change.new_id
            return element is None and (
                not new_id or node(self.graph, new_id) is not None
            )
        if element is None or change.item["what"] != "changed":
            return element is not None
        digest = "face" if element["kind"] == "class" else "shape"
        return bool(element.get(digest) == change.item["shape"])

    def unused_name(self, id: str) -> str:
        """Return the name of an element that is gone, "" when others have it now.

        That is the bare name, else the qualified one.
        """
        qual = split_id(id)[1]
        for name in (name_of(qual), qual):
            if not self.contexts.index.find(f"name:{name}"):
                return name
        return ""
