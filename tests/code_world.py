"""A repository in memory for the tests of `repobuild.code`: texts in, rows out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import graph
from repobuild.code.scan.language import language_of
from tests.fakes import MemoryView

LANGUAGES = tuple("python markdown javascript typescript java go rust c cpp".split())


class World:
    """Files, their facts and their graph, brought up to date step by step."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.view = MemoryView({"project.name": ""})
        self.put(files or {})

    def put(self, files: Mapping[str, str]) -> World:
        """Make these the repository's files, and build."""
        snapshot, facts = snapshot_of(files)
        self.view.advance(files=snapshot, facts=facts)
        graph(self.view)
        return self

    @property
    def rows(self) -> dict[str, Any]:
        return self.view.own.rows

    def edges(self, kind: str) -> dict[tuple[str, str], float]:
        """Return {(source id, target id): confidence} of one kind."""
        found = {}
        for path, row in self.rows.items():
            for sub, item in row.items():
                parts = sub.split(" ", 2)
                if len(parts) == 3 and parts[1] == kind:
                    found[path + parts[0], parts[2]] = item["confidence"]
        return found

    def calls(self, source: str) -> list[str]:
        """Return what one element calls by a name, sorted: no calls through data."""
        edges = self.edges("calls").items()
        return sorted(
            dst for (src, dst), sure in edges if src == source and sure >= 0.5
        )


def snapshot_of(files: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows of `files` and of `facts`."""
    snapshot, facts = {}, {}
    for path, text in files.items():
        language = language_of(path, LANGUAGES, ())
        snapshot[path] = {"blob": path, "mode": 0o100644, "language": language}
        facts[path] = (
            facts_of(text.encode(), language) if language else {"language": ""}
        )
    return snapshot, facts
