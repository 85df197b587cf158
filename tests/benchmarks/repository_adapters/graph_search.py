"""Retrieval by the repository's graph: what a search finds, and what that depends on.

    facts -> graph -> search      repobuild's own functions, over tables in memory

The identifiers of a task's prompt are the terms of a search, as in `repobuild graph
search`. The best elements come first, each whole, and then the outlines of what these
call, inherit and read. Classes are outlines always: a class is longer than the budget.
The graph is of the source alone, so no test is found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.facts.parse import facts_of
from repobuild.code.features.features import features
from repobuild.code.graph.graph import graph
from repobuild.model.bundled.tokenizer import FILE_SEP
from repobuild.query.graph_view import EdgeIndex
from repobuild.query.node_facts import CONFIDENT
from repobuild.query.search import SearchIndex
from tests.benchmarks.repository_adapters.outline import Definition
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.tasks import IDENTIFIER, Task, Windows
from tests.fakes import MemoryTable, MemoryView

BEST = 3  # hits
NEIGHBOURS = ("calls", "inherits", "uses")


class GraphContext:
    """The graph of a repository's source, to be searched."""

    def __init__(self, repository: Repository) -> None:
        rows = {f.path: facts_of(f.text.encode(), "python") for f in repository.source}
        files = {
            path: {"blob": path, "mode": 0o100644, "language": "python"}
            for path in rows
        }
        view = MemoryView({"project.name": ""})
        graph(view.advance(files=files, facts=rows))
        phrases = {path: features(row, None) for path, row in rows.items()}
        self.search = SearchIndex()
        self.search.update(view.own, MemoryTable(phrases), AreaMap(), {})
        self.edges = EdgeIndex()
        self.edges.update(view.own)
        self.definitions = {
            f"{file.path}::{qual}": Definition(file, node)
            for file in repository.source
            for qual, node in elements(file.tree)
        }

    def pieces(self, windows: Windows, task: Task) -> list[str]:
        """Return the sources of the best hits, then outlines of their neighbours."""
        prompt = windows.prompt(task).removeprefix(FILE_SEP)
        names = dict.fromkeys(IDENTIFIER.findall(prompt))
        found = (hit.id for hit in self.search.find(list(names)))
        hits = list(islice((id for id in found if id in self.definitions), BEST))
        around = dict.fromkeys(other for id in hits for other in self.neighbours(id))
        outlines = [self.definitions[id].outline() for id in around if id not in hits]
        return [self.shown(id) for id in hits] + outlines

    def shown(self, id: str) -> str:
        """Return the source of a function, the outline of a class."""
        found = self.definitions[id]
        is_class = isinstance(found.node, ast.ClassDef)
        return found.outline() if is_class else found.source()

    def neighbours(self, id: str) -> Iterator[str]:
        """Yield the elements that an element depends on."""
        for edge in self.edges.out(id):
            if edge.kind in NEIGHBOURS and edge.confidence >= CONFIDENT:
                if edge.other in self.definitions:
                    yield edge.other


def elements(
    tree: ast.Module | ast.stmt, outer: str = ""
) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the functions and classes of a file by their qualified names."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield f"{outer}{node.name}", node
                yield from elements(node, f"{outer}{node.name}.")
            case ast.stmt():
                yield from elements(node, outer)
