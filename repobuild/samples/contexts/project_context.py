"""Make the `@project` row of `contexts`: what samples may quote of the whole project.

Name, description, style, key modules and counts come from the graph. A key module is a
folder, described by the first sentence of its package's docstring. The row is computed
again by every update: it reads a dozen rows, whatever the size of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.text.docstring_parts import first_sentence, summarise

_NAMELESS = "this project"
_MOST_TECHNOLOGIES = 12  # technologies and dependencies together
_COUNTS = ("files", "classes", "functions", "methods")


def project_row(view: View, reader: GraphReader) -> dict[str, Value]:
    """Return the project's row."""
    known: Mapping[str, Value] = (view.table("graph").get(PROJECT) or {}).get("", {})
    name = project_name(known)
    counts = known.get("statistics", {})
    technologies = [*known.get("main_technologies", ()), *known.get("dependencies", ())]
    # The manifests of examples list the project itself.
    technologies = [one for one in dict.fromkeys(technologies) if one != name]
    return {
        "kind": "project",
        "id": PROJECT,
        "name": name,
        "label": name,
        "project": name,
        "description": summarise(known.get("description", "")),
        "style": known.get("architecture_style", ""),
        "technologies": technologies[:_MOST_TECHNOLOGIES],
        "modules": [
            [folder, _package_sentence(folder, reader)]
            for folder in known.get("key_modules", ())
        ],
        "counts": {count: counts.get(count, 0) for count in _COUNTS},
    }


def project_name(known: Mapping[str, Value]) -> str:
    """Return the project's name; without a manifest, that of its largest top folder."""
    if known.get("project_name"):
        return str(known["project_name"])
    largest = next(iter(known.get("key_modules", ())), "")
    parts = [part for part in largest.split("/") if part not in ("", "src")]
    return parts[0] if parts else _NAMELESS


def _package_sentence(folder: str, reader: GraphReader) -> str:
    """Return the first sentence of a package's docstring."""
    doc = reader.facts(f"{folder}/__init__.py").get("doc", "")
    return first_sentence(summarise(doc))
