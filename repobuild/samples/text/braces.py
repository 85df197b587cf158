"""Quote definitions of languages that a query file describes, without Python's rules.

A method by itself does not parse in these grammars, so bodies, comments and strings are
looked up in the whole file. The head ends with the line on which the body begins, its
`{` included. A comment above a definition is not part of its lines, and nothing inside
it counts as a docstring.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property

from repobuild.code.facts.body_digest import Span
from repobuild.code.facts.bounded_parse import UnparsableError
from repobuild.code.facts.c_macros import blank_macros as plain_source
from repobuild.code.facts.nesting import Nesting
from repobuild.code.facts.syntax import Outline, load_grammar, spans
from repobuild.code.scan.language import all_languages
from repobuild.samples.text.quote import Quote, QuotedSource


def is_braced(language: str) -> bool:
    """Return whether a query file alone describes a language's elements."""
    known = all_languages().get(language)
    return known is not None and bool(known.grammar) and not known.refine


class BracedSource:
    """The bodies of one file; `source` is the text that its facts were read from."""

    def __init__(self, language: str, source: bytes) -> None:
        self._language = language
        self._source = source

    def quote(self, start: int, end: int) -> Quote | None:
        """Return the two halves of the definition at these bytes, whole lines.

        Return None without a body, and for a body on one line.
        """
        body = self._bodies.get(start)
        line_end = self._source.find(b"\n", body or 0, end)
        if body is None or body >= end or line_end < 0 or self._outline is None:
            return None
        comments = self._outline.comments_in(start, end)
        low, high = (bisect_left(self._strings, (byte, 0)) for byte in (start, end))
        return QuotedSource(
            self._source[start:end],
            removed=_relative(comments, start),
            strings=_relative(self._strings[low:high], start),
        ).split_at(line_end + 1 - start)

    @cached_property
    def _outline(self) -> Outline | None:
        try:
            links = all_languages()[self._language].links
            return Outline(
                load_grammar(self._language), plain_source(self._source, links)
            )
        except UnparsableError:
            return None

    @cached_property
    def _bodies(self) -> dict[int, int]:
        """First byte of each body, by the first byte of its definition's first line."""
        bodies: dict[int, int] = {}
        for one in Nesting(self._outline).definitions if self._outline else ():
            body = [node.start_byte for node in one.parts.get("body", ())]
            first = self._source.rfind(b"\n", 0, one.start) + 1
            if body and one.name:
                bodies.setdefault(first, min(body))
        return bodies

    @cached_property
    def _strings(self) -> list[Span]:
        sites = self._outline.sites if self._outline else {}
        return sorted(spans(sites.get("string", ())))


def _relative(absolute: list[Span], start: int) -> list[Span]:
    return [(first - start, last - start) for first, last in absolute]
