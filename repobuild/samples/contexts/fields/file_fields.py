"""Make the context row of a module or a document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_tool
from repobuild.samples.contexts.fields.import_choices import (
    files_that_choose,
    gets_by_choice,
)
from repobuild.samples.contexts.fields.row_parts import (
    MOST,
    Row,
    cut_lists,
    without_empty,
)
from repobuild.samples.contexts.fields.section_fields import begins_with_sentences
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.contexts.package_parts import package_parts
from repobuild.samples.text.import_statements import imports_for_types

_LARGEST = 3  # members of a file that no list of them lacks
_SETUP = re.compile(r"(?:^|/)setup\.py$")
_MOST_MEMBERS = 24  # of a file
_DOCUMENTS = ("markdown", "restructuredtext")
_HTML_HEADING = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", re.DOTALL | re.MULTILINE)
_MOST_NAMESAKES = 2  # headings of one text in a table of contents


def file_row(file: FileContext) -> Row | None:
    """Return the row of a module or a document, None for any other file."""
    language = file.language
    if language in ("", "manifest"):
        return None
    document = any(e.type == "section" for e in file.elements.values())
    kind = "document" if document or language in _DOCUMENTS else "module"
    is_aside = file.is_test or file.is_tool
    row: Row = {
        "kind": kind,
        "id": file.path,
        "label": file.path,
        "project": file.project,
        "fence": language,
        "summary": file.summary,
        "brief": is_aside,
    }
    if kind == "document" and not begins_with_sentences(file.facts.get("doc", "")):
        row["summary"] = ""
    imports = {} if is_aside else _import_lists(file)
    row.update(cut_lists(MOST, **imports))
    members = cut_lists(_MOST_MEMBERS, members=_top_level(file))
    row.update(members, more=[*row["more"], *members["more"]])
    if not is_aside:
        row["unread"] = file.reader.unread_imports(file.path)
    if kind == "module" and not is_aside:
        row["largest"] = _largest(file)
        row["constants"] = file.public_constants
        row["other_public_names"] = file.other_public_names
        row["parts"] = package_parts(file.path, file.names, file.reader.facts)
    if kind == "document":
        row["titles"] = _titles(file)
    return without_empty(row)


def _top_level(file: FileContext) -> Iterable[str]:
    """Return top-level elements, classes first, then by name; sections in order."""
    elements = [e for e in file.elements.values() if file.has_row(e)]
    if any(e.type == "section" for e in elements):
        return [e.id for e in elements]
    top = [e for e in elements if not e.parent]
    return [e.id for e in sorted(top, key=lambda e: (e.type, e.name))]


def _titles(file: FileContext) -> list[str]:
    """Return the headings of a document in order, [] where they are no table of it.

    Headings in HTML are none of its sections. Of a change log, "Fixed" under each
    version says nothing.
    """
    if _HTML_HEADING.search(_FENCED.sub("", file.source.decode("utf-8", "replace"))):
        return []
    titles = [e.title for e in file.elements.values() if e.type == "section"]
    most = max(Counter(titles).values(), default=0)
    return titles if most <= _MOST_NAMESAKES and len(titles) <= _MOST_MEMBERS else []


def _largest(file: FileContext) -> list[str]:
    """Return the names of the largest functions and classes of a file."""
    top = [e for e in file.children("") if file.has_row(e)]
    top.sort(key=lambda e: (e.row.start_line - e.row.end_line, e.name))
    return [e.qual for e in top[:_LARGEST]]


def _import_lists(file: FileContext) -> dict[str, Iterable[str]]:
    """Return the files that this one imports, and those except tests that import it,
    or what it defines from elsewhere. Examples and the like are apart from the code.
    """
    reader = file.reader
    targets = reader.outgoing(file.path, "imports")
    importing = list(reader.incoming(file.path, "imports", tests=False))
    importers = _paths(importing)
    if importers:  # a script that installs the package breaks as the others do
        scripts = {path for id in importing if _SETUP.search(path := split_id(id)[0])}
        importers = sorted({*importers, *scripts})
    aside = dict.fromkeys(split_id(id)[0] for id in importing) if importers else ()
    # Who takes a name of the file from a package that passes it on.
    takers = {
        path
        for element in file.children("")
        for path in _paths(_taking(element.id, reader))
    }
    imports = sorted({id for id in targets if "::" not in id} - {file.path})
    for_types = imports_for_types(file.path, file.facts, file.source, imports)
    return {
        "imports": [one for one in imports if one not in for_types],
        "imports_for_types": for_types,
        "importers": importers,
        "importers_aside": [one for one in aside if one not in importers],
        "takers": sorted(takers.difference(importers, (file.path,))),
    }


def _taking(id: str, reader: GraphReader) -> list[str]:
    """Return who imports an element except tests, and gets no other of its name."""
    choosing = files_that_choose(id, reader)
    return [
        one
        for one in reader.incoming(id, "imports", tests=False)
        if not gets_by_choice(one, id, choosing - {split_id(one)[0]}, reader)
    ]


def _paths(ids: Iterable[str]) -> list[str]:
    """Return the files of ids, each once, without those that build and document."""
    paths = dict.fromkeys(split_id(id)[0] for id in ids)
    return [path for path in paths if not is_tool(path)]
