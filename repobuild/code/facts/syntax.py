"""Reading a syntax tree with a language's query file.

Nothing here knows a language. The tree is never walked: one pass of the query's first
half gives the definitions with their parts, one pass of its second half gives
everything that is attributed by position. Python touches only the nodes that the
queries name.
"""

from __future__ import annotations

import functools
import importlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from tree_sitter import Language as TreeLanguage
from tree_sitter import Node, Parser, Query, QueryCursor

from repobuild.code.facts.body_digest import NormalForm, Span
from repobuild.code.scan.language import Language, known

_SITES = re.compile(r"^; -+ sites$", re.MULTILINE)
_BROKEN_PARTS = 20_000
_LOOKED_AT = 1_000  # nodes; an error that lies deeper is taken as it comes
Parts = dict[str, list[Node]]


@dataclass(slots=True)
class Definition:
    """A definition in the source, and where it is nested."""

    kind: str
    name: str
    node: Node
    parts: Parts
    start: int  # bytes; decorators included
    end: int
    row: int  # of the definition itself, from 0
    first_row: int  # of its first decorator
    last_row: int
    parent: int = -1
    qual: str = ""
    decorators: list[Node] = field(default_factory=list)


class Grammar:
    """A language's parser and its two queries."""

    def __init__(self, language: Language) -> None:
        package = importlib.import_module(language.grammar)
        self.tree_language = TreeLanguage(getattr(package, language.function)())
        text = language.query.read_text("utf-8")
        definitions, _, sites = _SITES.sub("\f", text).partition("\f")
        self._definitions = Query(self.tree_language, definitions)
        self._sites = Query(self.tree_language, sites) if sites.strip() else None
        self._errors = Query(self.tree_language, "[(ERROR) (MISSING)] @error")
        self.kinds = [
            str(self._definitions.pattern_settings(index).get("kind", ""))
            for index in range(self._definitions.pattern_count)
        ]
        self.parser = Parser(self.tree_language)

    def definitions(self, root: Node) -> list[tuple[int, Parts]]:
        return QueryCursor(self._definitions).matches(root)

    def sites(self, root: Node) -> Parts:
        """Return the captures by name, in source order, outer before inner.

        tree-sitter promises no order and changes it from call to call.
        """
        if not self._sites:
            return {}
        found = QueryCursor(self._sites).captures(root)
        for nodes in found.values():
            nodes.sort(key=_place)
        return found

    def first_error(self, root: Node) -> int:
        """Return the line of the first syntax error, or 0."""
        if not root.has_error:
            return 0
        nodes = QueryCursor(self._errors).captures(root).get("error", [])
        return min((node.start_point.row for node in nodes), default=0) + 1


def _place(node: Node) -> Span:
    return node.start_byte, -node.end_byte


class UnparsableError(Exception):
    """A file whose tree would cost more than it can tell."""


def is_hopeless(root: Node) -> bool:
    """Return whether an error holds so many parts that queries would not end.

    Their cost is the square of an error's parts: a megabyte of `[` takes minutes.
    """
    waiting = [root] if root.has_error else []
    for _ in range(_LOOKED_AT):
        if not waiting:
            return False
        node = waiting.pop()
        if node.is_error and node.child_count > _BROKEN_PARTS:
            return True
        waiting += [child for child in node.children if child.has_error]
    return False


@functools.cache
def grammar(name: str) -> Grammar:
    """Return the grammar of a language; a process loads it once."""
    return Grammar(known()[name])


class Outline:
    """The definitions of one file, nested, and its sites."""

    def __init__(self, grammar: Grammar, source: bytes) -> None:
        self.source = source
        self.root = grammar.parser.parse(source).root_node
        if is_hopeless(self.root):
            raise UnparsableError("too broken to be read as this language")
        self.error_line = grammar.first_error(self.root)
        self.others: list[tuple[str, Parts]] = []
        self.definitions: list[Definition] = []
        for index, parts in grammar.definitions(self.root):
            if "definition" in parts and "name" in parts:
                self.definitions.append(self._definition(grammar.kinds[index], parts))
            else:
                self.others.append((grammar.kinds[index], parts))
        self.definitions.sort(key=lambda found: (found.start, -found.end))
        self.sites = grammar.sites(self.root)
        self.comments = spans(self.sites.get("comment", ()))
        self._trim()
        self._decorate(self.sites.get("decorator", ()))
        self._nest()
        self._starts = [found.start for found in self.definitions]
        self._breaks: list[int] = []
        self.normal = NormalForm(
            source, spans(self.sites.get("string", ())), self.comments
        )

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def owner(self, place: int) -> int:
        """Return the innermost definition around a byte, or -1."""
        index = bisect_right(self._starts, place) - 1
        definitions = self.definitions
        while index >= 0 and definitions[index].end <= place:
            index = definitions[index].parent
        return index

    def row(self, place: int) -> int:
        """Return the line of a byte, from 0."""
        if not self._breaks:
            found = re.finditer(b"\n", self.source)
            self._breaks = [match.start() for match in found]
        return bisect_left(self._breaks, place)

    def comments_in(self, start: int, end: int) -> list[Span]:
        """Return the comments that begin between two bytes."""
        low = bisect_left(self.comments, (start, 0))
        return self.comments[low : bisect_left(self.comments, (end, 0))]

    def shape(self, found: Definition) -> bytes:
        return self.normal.shape(
            found.first_row, found.last_row, found.start, found.end
        )

    def _definition(self, kind: str, parts: Parts) -> Definition:
        node = parts["definition"][0]
        start, row = node.start_byte, node.start_point.row
        return Definition(
            kind=kind,
            name=self.text(parts["name"][0]),
            node=node,
            parts=parts,
            start=start,
            end=node.end_byte,
            row=row,
            first_row=row,
            last_row=node.end_point.row,
        )

    def _trim(self) -> None:
        """Take comments off a definition's end: they follow it, as `ast` sees it."""
        before = {end: start for start, end in self.comments}
        for found in self.definitions:
            end = found.end
            while end in before:
                end = len(self.source[found.start : before[end]].rstrip()) + found.start
            if end != found.end:
                found.last_row -= self.source.count(b"\n", end, found.end)
                found.end = end

    def _decorate(self, decorators: Sequence[Node]) -> None:
        """Give each decorator to the definition that follows it."""
        starts = [found.start for found in self.definitions]
        for node in decorators:
            index = bisect_right(starts, node.start_byte)
            if index == len(starts):
                continue  # a decorator without a definition: a syntax error
            found = self.definitions[index]
            if not found.decorators:
                # The capture is the expression; its `@` may stand apart from it.
                found.start = self.source.rfind(b"@", 0, node.start_byte)
                found.first_row = node.start_point.row
            found.decorators.append(node)

    def _nest(self) -> None:
        """Name every definition by what holds it; a name's second one is `name#2`."""
        seen: dict[str, int] = {}
        holders: list[int] = []
        for index, found in enumerate(self.definitions):
            while holders and self.definitions[holders[-1]].end <= found.start:
                holders.pop()
            outer = ""
            if holders:
                found.parent = holders[-1]
                outer = self.definitions[found.parent].qual + "."
            qual = outer + found.name
            count = seen[qual] = seen.get(qual, 0) + 1
            found.qual = f"{qual}#{count}" if count > 1 else qual
            holders.append(index)


def spans(nodes: Sequence[Node]) -> list[Span]:
    return [(node.start_byte, node.end_byte) for node in nodes]
