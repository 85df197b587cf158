"""Where the text of a sample comes from: path, blob and lines of every source.

Joined from `graph` and `files` when a sample is shown or exported, never stored in it:
a sample is not remade because its file changed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from repobuild.code.graph.graph import PROJECT, node, split_id
from repobuild.engine.contract import Table, Value


def provenance(sources: Iterable[str], graph: Table, files: Table) -> list[Value]:
    """Return one entry a source that exists; the project's has no path."""
    return [found for id in sources if (found := _entry(id, graph, files))]


def _entry(id: str, graph: Table, files: Table) -> Value | None:
    if id == PROJECT:
        return {"id": id}
    path, _ = split_id(id)
    file, where = files.get(path), node(graph, id)
    if file is None or where is None:
        return None
    return {
        "id": id,
        "path": path,
        "blob": file["blob"],
        "start_line": where["start_line"],
        "end_line": where["end_line"],
    }
