"""The `contexts` table: exactly what samples may quote, one row an element.

    id             what an element, file or document says; see portrait.py
    id + @lines    where it stands and what stands where in it, see places.py; changes
                   with every edit above it, the first does not
    @project       the project; see project.py

A full build and an update go through the same rows in the same way; an update takes
only the ids that `affected` names. The cost of one changed function is that of its file
and of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import View
from repobuild.samples.contexts.affected import ChangedFiles, affected
from repobuild.samples.contexts.assertion_row import expected_row
from repobuild.samples.contexts.context_rows import (
    Row,
    element_row,
    file_row,
)
from repobuild.samples.contexts.display_names import NAMED, DisplayNames, names_of
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader, made_id, parted
from repobuild.samples.contexts.line_rows import LINES, lines_row
from repobuild.samples.contexts.project_context import project_row
from repobuild.samples.contexts.unchanged import source
from repobuild.samples.text.quote import Quote

# Raw lines that a quotable definition may have: comments and docstring go later.
_RAW_FACTOR = 4


def contexts(view: View) -> None:
    """Bring the contexts up to date with the changed files."""
    around, names = GraphReader(view), DisplayNames(view.own.index)
    changes = ChangedFiles(view, around)
    for path in changes.paths:
        found = names_of(around.facts(path))
        if found or not view.full:
            names.record(path, found)
    before = view.own.get(PROJECT)
    project = project_row(view, around)
    view.own.put(PROJECT, project)
    renamed = before is not None and before["name"] != project["name"]
    writer = ContextWriter(view, around, names, project["name"])
    if view.full or renamed:
        gone = affected(changes, around, names).ids if not view.full else ()
        writer.write([*gone, *_all_ids(view, around)])
        return
    concerned = affected(changes, around, names)
    writer.write(concerned.ids)
    writer.move(concerned.moved)


def _all_ids(view: View, around: GraphReader) -> Iterator[str]:
    for path in view.table("facts").keys():
        yield path
        for qual in around.elements(path):
            yield made_id(path, qual)


class ContextWriter:
    """Puts and drops rows, file by file."""

    def __init__(
        self, view: View, around: GraphReader, names: DisplayNames, project: str
    ) -> None:
        self._view = view
        self._around = around
        self._names = names
        self._project = project
        self._shortest = view.settings["samples.min_code_lines"]
        self._longest = view.settings["samples.max_code_lines"]
        self._most = view.settings["samples.max_code_characters"]

    def write(self, ids: Iterable[str]) -> None:
        for path, quals in _by_file(ids):
            self._write_file(path, quals)

    def move(self, ids: Iterable[str]) -> None:
        """Put the lines of elements that say what they said."""
        for path, quals in _by_file(ids):
            file = self._file(path)
            for qual in quals:
                id = made_id(path, qual)
                row = self._view.own.get(id)
                lines = lines_row(file, file.elements[qual], row) if row else None
                self._put(id + LINES, lines)

    def _write_file(self, path: str, quals: list[str]) -> None:
        file = self._file(path)
        for qual in quals:
            if not qual:
                self._put(path, file_row(file))
                continue
            element = file.elements.get(qual)
            self._write_element(file, made_id(path, qual), element)

    def _file(self, path: str) -> FileContext:
        def read() -> bytes:
            return source(self._view, self._view.table("files").get(path)) or b""

        return FileContext(path, self._around, self._names, self._project, read)

    def _write_element(
        self, file: FileContext, id: str, element: ElementView | None
    ) -> None:
        row = lines = None
        if element is not None:
            row = element_row(file, element, self._quoted(file, element))
            if row and row.get("brief"):
                row |= expected_row(file, element, self._most)
            lines = lines_row(file, element, row) if row else None
        self._put(id, row)
        self._put(id + LINES, lines)

    def _put(self, key: str, row: Row | None) -> None:
        if row is not None:
            self._view.own.put(key, row)
        elif not self._view.full:
            self._view.own.drop(key)

    def _quoted(self, file: FileContext, element: ElementView) -> Quote | None:
        """The element's code, when its length is within the bounds."""
        lines = element.row.end_line - element.row.start_line + 1
        small, large = lines < self._shortest, lines > self._longest * _RAW_FACTOR
        if element.type not in NAMED or small or large or not _quotable(file, element):
            return None
        found = file.quote(element)
        if found is None or not self._shortest <= found.lines <= self._longest:
            return None
        return found if len(found.head) + len(found.body) <= self._most else None


def _by_file(ids: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    # A path may sort between another file's ids; group by path, not by id.
    pairs = sorted(set(map(parted, ids)))
    for path, group in groupby(pairs, key=lambda pair: pair[0]):
        yield path, [qual for _, qual in group]


def _quotable(file: FileContext, element: ElementView) -> bool:
    """A class is quoted only when it is data: its methods are quoted by themselves."""
    if file.brief(element) or not file.told(element):
        return False
    return element.type != "class" or not file.children(element.qual)
