"""Read a syntax tree with a language's query file, for any language.

The tree is never walked: one pass of the query's first half yields the definitions with
their parts, one pass of its second half yields the captures that are attributed by
position (*sites*). So Python code touches only the nodes that the queries name.
"""

from __future__ import annotations

import functools
import importlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tree_sitter import Language as TreeLanguage
from tree_sitter import Node, Parser, Query, QueryCursor

from repobuild.code.facts.body_digest import NormalForm, Span
from repobuild.code.facts.bounded_parse import (
    UnparsableError,
    blank_comment_lines,
    parse_source,
)
from repobuild.code.scan.language import Language, all_languages

_SITES = re.compile(r"^; -+ sites$", re.MULTILINE)
# Nodes that hold names and no strings that matter.
_NAME_NODES = frozenset(
    "identifier attribute dotted_name list_splat_pattern dictionary_splat_pattern"
    " import_statement import_from_statement future_import_statement".split()
)
_MAX_NESTING = 100  # definitions; names and digests cost the square of the depth
Parts = dict[str, list[Node]]


@dataclass(slots=True)
class Definition:
    """A definition in the source, and the one that encloses it."""

    kind: str
    name: str
    node: Node
    parts: Parts
    start: int  # bytes; decorators included
    end: int
    row: int  # of the definition itself, from 0
    first_row: int  # of its first decorator
    last_row: int
    parent: int = -1  # index of the enclosing definition
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
        self.looks_ahead_of_comments = language.name == "python"

    def definitions(self, root: Node) -> list[tuple[int, Parts]]:
        return QueryCursor(self._definitions).matches(root)

    def sites(self, root: Node) -> Parts:
        """Return the captures by name, in source order, outer before inner.

        They are sorted, because tree-sitter's order changes from call to call.
        """
        if not self._sites:
            return {}
        captures = QueryCursor(self._sites).captures(root)
        for nodes in captures.values():
            nodes.sort(key=_source_order)
        return captures

    def first_error(self, root: Node) -> int:
        """Return the line of the first syntax error, or 0."""
        if not root.has_error:
            return 0
        nodes = QueryCursor(self._errors).captures(root).get("error", [])
        return min((node.start_point.row for node in nodes), default=0) + 1


def _source_order(node: Node) -> Span:
    return node.start_byte, -node.end_byte


@functools.cache
def load_grammar(name: str) -> Grammar:
    """Return the grammar of a language, loaded once a process.

    Raises:
        ModuleNotFoundError: the grammar's package is not installed.
        QueryError: the query file does not fit the installed grammar.
    """
    return Grammar(all_languages()[name])


class Outline:
    """The definitions of one file, nested, and its sites.

    Raises:
        UnparsableError: the file takes too much work to be parsed or queried.
    """

    def __init__(
        self,
        grammar: Grammar,
        source: bytes,
        normal_form: Callable[[str], str] | None = None,  # of the language's names
    ) -> None:
        self.source = source
        self._normal_form_of_names = None if source.isascii() else normal_form
        self.root, hidden_comments = parse_with_grammar(grammar, source)
        self.error_line = grammar.first_error(self.root)
        self.other_matches: list[tuple[str, Parts]] = []  # (kind, captures)
        self.definitions: list[Definition] = []
        for index, parts in grammar.definitions(self.root):
            if "definition" in parts and "name" in parts:
                self.definitions.append(self._definition(grammar.kinds[index], parts))
            else:
                self.other_matches.append((grammar.kinds[index], parts))
        self.definitions.sort(
            key=lambda definition: (definition.start, -definition.end)
        )
        self.sites = grammar.sites(self.root)
        self.comments = sorted(
            [*spans(self.sites.get("comment", ())), *hidden_comments]
        )
        self._newlines: list[int] = []
        self._trim_trailing_comments()
        self._attach_decorators(self.sites.get("decorator", ()))
        self._qualify_names()
        self._starts = [one.start for one in self.definitions]
        self._normal_form = NormalForm(
            source, spans(self.sites.get("string", ())), self.comments
        )

    def text(self, node: Node) -> str:
        """Return a node's text; of a name, what the language takes it for."""
        text = self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if self._normal_form_of_names is None or node.type not in _NAME_NODES:
            return text
        return self._normal_form_of_names(text)

    def owner(self, offset: int) -> int:
        """Return the index of the innermost definition around a byte, or -1."""
        index = bisect_right(self._starts, offset) - 1
        definitions = self.definitions
        while index >= 0 and definitions[index].end <= offset:
            index = definitions[index].parent
        return index

    def is_class(self, index: int) -> bool:
        """Return whether a definition is a class; -1 is the module."""
        return index >= 0 and self.definitions[index].kind == "class"

    def row(self, offset: int) -> int:
        """Return the line of a byte, from 0."""
        if not self._newlines:
            matches = re.finditer(b"\n", self.source)
            self._newlines = [match.start() for match in matches]
        return bisect_left(self._newlines, offset)

    def comments_in(self, start: int, end: int) -> list[Span]:
        """Return the comments that begin between two bytes."""
        low = bisect_left(self.comments, (start, 0))
        return self.comments[low : bisect_left(self.comments, (end, 0))]

    def body_digest(self, definition: Definition) -> bytes:
        return self._normal_form.body_digest(
            definition.first_row,
            definition.last_row,
            definition.start,
            definition.end,
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

    def _trim_trailing_comments(self) -> None:
        """End each definition before its trailing comments, as `ast` does."""
        code_ends: dict[int, int] = {}  # end of a comment -> end of what precedes it
        previous = 0
        for start, comment_end in self.comments:
            end = previous + len(self.source[previous:start].rstrip())
            code_ends[comment_end] = code_ends.get(end, end)
            previous = start
        for definition in self.definitions:
            end = max(code_ends.get(definition.end, definition.end), definition.start)
            if end != definition.end:
                definition.last_row -= self.row(definition.end) - self.row(end)
                definition.end = end

    def _attach_decorators(self, decorators: Sequence[Node]) -> None:
        """Attach each decorator to the definition that follows it."""
        starts = [definition.start for definition in self.definitions]
        for node in decorators:
            index = bisect_right(starts, node.start_byte)
            if index == len(starts):
                continue  # a decorator without a definition: a syntax error
            definition = self.definitions[index]
            if not definition.decorators:
                # The capture is the expression; spaces may separate its `@` from it.
                definition.start = self.source.rfind(b"@", 0, node.start_byte)
                definition.first_row = node.start_point.row
            definition.decorators.append(node)

    def _qualify_names(self) -> None:
        """Set each definition's parent and qualified name; a repeated one is `f#2`."""
        counts: dict[str, int] = {}
        enclosing: list[int] = []
        for index, definition in enumerate(self.definitions):
            while enclosing and self.definitions[enclosing[-1]].end <= definition.start:
                enclosing.pop()
            if (
                enclosing
                and self.definitions[enclosing[-1]].node.id == definition.node.id
            ):
                # A query matches once for every base: nesting.py merges the matches.
                definition.parent = self.definitions[enclosing[-1]].parent
                continue
            if len(enclosing) > _MAX_NESTING:
                raise UnparsableError(f"definitions more than {_MAX_NESTING} deep")
            outer = ""
            if enclosing:
                definition.parent = enclosing[-1]
                outer = self.definitions[definition.parent].qual + "."
            qual = outer + definition.name
            count = counts[qual] = counts.get(qual, 0) + 1
            definition.qual = f"{qual}#{count}" if count > 1 else qual
            enclosing.append(index)


def parse_with_grammar(grammar: Grammar, source: bytes) -> tuple[Node, list[Span]]:
    """Return the tree's root, and the comments that are not in the tree.

    Raises:
        UnparsableError: the source needs more work than its size allows.
    """
    if not grammar.looks_ahead_of_comments:
        return parse_source(grammar.parser, source), []
    text, hidden = blank_comment_lines(source)
    root = parse_source(grammar.parser, text)
    if hidden:
        strings = spans(grammar.sites(root).get("string", ()))
        starts = [start for start, _ in hidden]
        if any(bisect_left(starts, a) < bisect_left(starts, b) for a, b in strings):
            return parse_source(grammar.parser, source), []
    return root, hidden


def spans(nodes: Sequence[Node]) -> list[Span]:
    return [(node.start_byte, node.end_byte) for node in nodes]
