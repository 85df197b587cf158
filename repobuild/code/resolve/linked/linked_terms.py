"""Compute the terms by which linked files depend on each other.

While a file is linked, every lookup of another file is recorded as a term; the graph's
index holds the terms under the file's path (as for Python, see python/modules.py). When
a file changes, the terms whose value differs follow from its old and new surface alone:

    has:PATH           the file exists, and which link rules it follows
    i:PATH             what its imports and exports bind
    q:PATH:qual        a definition: its type, return type, bases and fields
    go FOLDER          (who) files of a Go folder
    go FOLDER PKG f    (who) files that define f in a package of it
    java A.B           (who) files that define A.B
    c A.f              (who) files that define `A::f` with external linkage
    c/ a.h             (who) files of this name
    go.mod M, cargo M  (who) manifests of this module or crate

A `who` term asks which files answer it; those files hold the term with `own:` before it
in the index. Each language's link rules define its `who` terms.
"""

from __future__ import annotations

from typing import Any

from repobuild.code.resolve.linked.linked_files import LinkedFile, links_of
from repobuild.code.resolve.linked.rules_by_language import RULES
from repobuild.engine.contract import Value


def linked_surface(path: str, facts: Value | None) -> dict[str, Any]:
    """Return every term that a file can change, with its value."""
    surface: dict[str, Any] = {term: "" for term in answered_terms(path, facts)}
    if not links_of(facts):
        return surface
    file = LinkedFile(path, facts)
    surface[f"has:{path}"] = file.links
    surface[f"i:{path}"] = file.names
    for qual in file.items:
        row = file.row(qual)
        surface.setdefault(f"q:{path}:{qual.partition('#')[0]}", []).append(
            (
                row.type,
                row.bases,
                row.returns,
                row.attrs,
                row.head.startswith("static "),
            )
        )
    return surface


def answered_terms(path: str, facts: Value | None) -> list[str]:
    """Return the `who` terms that a file answers."""
    if not facts:
        return []
    if facts.get("language") == "manifest":
        name = path.rpartition("/")[2]
        project = facts.get("project", {}).get("name")
        return [
            rules.manifest_term(project)
            for rules in RULES.values()
            if project and rules.manifest == name
        ]
    links = links_of(facts)
    return RULES[links].answered_terms(LinkedFile(path, facts)) if links else []
