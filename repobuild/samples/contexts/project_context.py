"""The `@project` row of `contexts`: what may be said of the project as a whole.

Name, description, style, key modules and counts are the graph's. A key module is a
folder; what it is for is the first sentence of its package's docstring. Read anew on
every update: a dozen rows, whatever the repository's size.
"""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.text.docstring_parts import sentence, summary

_NAMELESS = "this project"
_NAMES = 12  # technologies and dependencies that are named
_COUNTS = ("files", "classes", "functions", "methods")


def project_row(view: View, around: GraphReader) -> dict[str, Value]:
    """Return the project's row."""
    known: Mapping[str, Value] = (view.table("graph").get(PROJECT) or {}).get("", {})
    name = name_of(known)
    modules = [[path, _purpose(path, around)] for path in known.get("key_modules", ())]
    counts = known.get("statistics", {})
    technologies = [*known.get("main_technologies", ()), *known.get("dependencies", ())]
    row: dict[str, Value] = {
        "kind": "project",
        "id": PROJECT,
        "name": name,
        "label": name,
        "project": name,
        "description": summary(known.get("description", "")),
        "style": known.get("architecture_style", ""),
        # The manifests of examples name the project itself.
        "technologies": [t for t in dict.fromkeys(technologies) if t != name][:_NAMES],
        "modules": modules,
        "counts": {count: counts.get(count, 0) for count in _COUNTS},
    }
    return row


def name_of(known: Mapping[str, Value]) -> str:
    """The project's name; without a manifest, its largest top folder's."""
    if known.get("project_name"):
        return str(known["project_name"])
    largest = next(iter(known.get("key_modules", ())), "")
    parts = [part for part in largest.split("/") if part not in ("", "src")]
    return parts[0] if parts else _NAMELESS


def _purpose(folder: str, around: GraphReader) -> str:
    """What a package's docstring says first."""
    doc = around.facts(f"{folder}/__init__.py").get("doc", "")
    return sentence(summary(doc))
