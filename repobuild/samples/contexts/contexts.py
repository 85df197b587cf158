"""Keep the `contexts` table: exactly what samples may quote, one row an element.

    id             what samples may quote of an element (context_rows), file or document
                   (file_fields)
    id + @lines    its line numbers and those in it: line_rows. This row changes with
                   every edit above the element, the first one does not
    @project       the whole project: project_context

An update turns a change of facts and graph into changed rows in four steps:

1.  `ChangedFiles` lists the files whose text, facts or graph row changed
    (affected.py). `DisplayNames` indexes the names in them: the shortest unambiguous
    name of an element depends on all files (display_names.py), as does what else a
    question may identify it by (clues.py).
2.  `find_affected` finds the ids whose rows can differ: the changed elements and their
    neighbours in the graph (affected.py), but not the elements of a changed file that
    are the same to the byte (unchanged.py); those get new line numbers only.
3.  `ContextWriter` computes the rows of these ids again, file by file. `FileContext`
    holds what the rows of one file share (file_context.py), `GraphReader` reads facts
    and edges (graph_reader.py), `UsageReader` documents and calls (usage_reader.py),
    `ElementView` is one element (element_view.py). The folder `fields` has the groups
    of fields of a row; the code and prose that they quote is prepared in the folder
    `text`.
4.  Each row is put, or dropped when its element is gone. The engine cuts off rows that
    came out equal.

A full build, and a change of the project's name or of the languages of its documents,
compute all ids in the same way. An update costs as much as the changed files and their
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from repobuild.code.graph.graph import PROJECT, split_id
from repobuild.engine.contract import View
from repobuild.samples.contexts.affected import ChangedFiles, find_affected
from repobuild.samples.contexts.clues import clues_of, variable_clues
from repobuild.samples.contexts.context_rows import element_row
from repobuild.samples.contexts.display_names import NAMED_TYPES, DisplayNames, names_of
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.assertion_fields import assertion_fields
from repobuild.samples.contexts.fields.file_fields import file_row
from repobuild.samples.contexts.fields.row_parts import Row
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader, element_id
from repobuild.samples.contexts.line_rows import LINES, lines_row
from repobuild.samples.contexts.package_parts import part_terms
from repobuild.samples.contexts.project_context import project_row
from repobuild.samples.contexts.unchanged import read_source
from repobuild.samples.contexts.usage_reader import UsageReader
from repobuild.samples.text.quote import Quote

# Raw lines per quoted line: comments and the docstring are removed later.
_RAW_FACTOR = 4


def contexts(view: View) -> None:
    """Bring the contexts up to date with the changed files."""
    reader, names = GraphReader(view), DisplayNames(view.own.index)
    changes = ChangedFiles(view, reader)
    for path in changes.paths:
        recorded = names_of(reader.facts(path))
        clues = [
            *clues_of(reader.elements(path)),
            *variable_clues(path, reader.facts(path)),
        ]
        parts = part_terms(path, reader.facts(path))
        if recorded or clues or parts or not view.full:
            names.record(path, recorded, [*clues, *parts])

    before = view.own.get(PROJECT)
    project = project_row(view, reader)
    view.own.put(PROJECT, project)
    is_renamed = before is not None and any(
        before.get(field) != project.get(field) for field in ("name", "languages")
    )
    writer = ContextWriter(view, reader, names, project)
    if view.full:
        writer.write(_all_ids(view, reader))
        return
    affected = find_affected(changes, reader, names)
    if is_renamed:
        writer.write([*affected.ids, *_all_ids(view, reader)])
        return
    writer.write(affected.ids)
    writer.write_lines(affected.moved)


def _all_ids(view: View, reader: GraphReader) -> Iterator[str]:
    for path in view.table("facts").keys():
        yield path
        for qual in reader.elements(path):
            yield element_id(path, qual)


class ContextWriter:
    """Computes rows, and puts or drops them, file by file."""

    def __init__(
        self, view: View, reader: GraphReader, names: DisplayNames, project: Row
    ) -> None:
        self._view = view
        self._reader = reader
        self._names = names
        self._project = str(project["name"])
        # What every row holds: samples are made of one row.
        languages = project.get("languages")
        self._common: Row = {"languages": languages} if languages else {}
        self._min_lines = view.settings["samples.min_code_lines"]
        self._max_lines = view.settings["samples.max_code_lines"]
        self._usage = UsageReader(view)
        self._max_characters = view.settings["samples.max_code_characters"]

    def write(self, ids: Iterable[str]) -> None:
        """Compute the rows of these ids again."""
        for path, quals in _by_file(ids):
            file = self._file(path)
            for qual in quals:
                if qual:
                    self._write_element(file, qual)
                else:
                    self._put(path, file_row(file))

    def write_lines(self, ids: Iterable[str]) -> None:
        """Compute the `@lines` rows of elements whose own rows stay as they are."""
        for path, quals in _by_file(ids):
            file = self._file(path)
            for qual in quals:
                id = element_id(path, qual)
                row = self._view.own.get(id)
                lines = lines_row(file, file.elements[qual], row) if row else None
                self._put(id + LINES, lines)

    def _file(self, path: str) -> FileContext:
        def read() -> bytes:
            file = self._view.table("files").get(path)
            return read_source(self._view, file) or b""

        return FileContext(
            path, self._reader, self._names, self._project, read, self._usage
        )

    def _write_element(self, file: FileContext, qual: str) -> None:
        """Put both rows of an element, or drop them when it is gone or has none."""
        row = lines = None
        element = file.elements.get(qual)
        if element is not None:
            row = element_row(file, element, self._quote(file, element))
            if row and row.get("brief"):
                row |= assertion_fields(file, element, self._max_characters)
            lines = lines_row(file, element, row) if row else None
        id = element_id(file.path, qual)
        self._put(id, row)
        self._put(id + LINES, lines)

    def _put(self, key: str, row: Row | None) -> None:
        if row is not None:
            self._view.own.put(key, row | self._common)
        elif not self._view.full:
            self._view.own.drop(key)

    def _quote(self, file: FileContext, element: ElementView) -> Quote | None:
        """Return the element's code when its length is within the settings' bounds."""
        if element.type not in NAMED_TYPES or not _is_quotable(file, element):
            return None
        raw_lines = element.row.end_line - element.row.start_line + 1
        if not self._min_lines <= raw_lines <= self._max_lines * _RAW_FACTOR:
            return None
        quoted = file.quote(element)
        if quoted is None or quoted.ends_fence:
            return None
        if not self._min_lines <= quoted.lines <= self._max_lines:
            return None
        characters = len(quoted.head) + len(quoted.body)
        return quoted if characters <= self._max_characters else None


def _by_file(ids: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each path with its qualified names, both sorted."""
    # A path may sort between another file's ids; group by path, not by id.
    pairs = sorted(set(map(split_id, ids)))
    for path, group in groupby(pairs, key=lambda pair: pair[0]):
        yield path, [qual for _, qual in group]


def _is_quotable(file: FileContext, element: ElementView) -> bool:
    """Return whether code is quoted; of classes only those without methods are."""
    if file.is_location_only(element) or not file.has_row(element):
        return False
    if element.is_stub:
        return False
    return element.type != "class" or not file.children(element.qual)
