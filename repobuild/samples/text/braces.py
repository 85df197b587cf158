"""Quoting definitions of languages that a query file describes, not Python's rules.

A method by itself is no text that its grammar reads, so bodies, comments and strings
are found in the whole file. The head ends with the line on which the body begins, its
`{` with it; a comment above a definition is not in its lines, and nothing inside is a
docstring.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property

from repobuild.code.facts.body_digest import Span
from repobuild.code.facts.c_macros import blank_macros as plain_source
from repobuild.code.facts.nesting import Nesting
from repobuild.code.facts.syntax import Outline, UnparsableError, grammar, spans
from repobuild.code.scan.language import known
from repobuild.samples.text.quote import Quote, plain


def is_braced(language: str) -> bool:
    """Return whether a language's elements are what its query file says."""
    found = known().get(language)
    return found is not None and bool(found.grammar) and not found.refine


class Braces:
    """One file's bodies; `source` is what facts were read of."""

    def __init__(self, language: str, source: bytes) -> None:
        self._language = language
        self._source = source

    @cached_property
    def _outline(self) -> Outline | None:
        try:
            links = known()[self._language].links
            return Outline(grammar(self._language), plain_source(self._source, links))
        except UnparsableError:
            return None

    @cached_property
    def _bodies(self) -> dict[int, int]:
        """Where the body begins, by where the first line of its definition begins."""
        found: dict[int, int] = {}
        for one in Nesting(self._outline).found if self._outline else ():
            body = [node.start_byte for node in one.parts.get("body", ())]
            first = self._source.rfind(b"\n", 0, one.start) + 1
            if body and one.name:
                found.setdefault(first, min(body))
        return found

    @cached_property
    def _strings(self) -> list[Span]:
        sites = self._outline.sites if self._outline else {}
        return sorted(spans(sites.get("string", ())))

    def quote(self, start: int, end: int) -> Quote | None:
        """Return the two halves of the definition whose lines these are."""
        body = self._bodies.get(start)
        broken = self._source.find(b"\n", body or 0, end)
        if body is None or body >= end or broken < 0 or self._outline is None:
            return None
        drop = [_moved(span, start) for span in self._outline.comments_in(start, end)]
        low, high = (bisect_left(self._strings, (place, 0)) for place in (start, end))
        keep = [_moved(span, start) for span in self._strings[low:high]]
        text, first = self._source[start:end], broken + 1 - start
        margin = len(text) - len(text.lstrip(b" \t"))
        head = plain(text, 0, first, margin, drop, keep)
        return Quote(head, plain(text, first, len(text), margin, drop, keep))


def _moved(span: Span, start: int) -> Span:
    return span[0] - start, span[1] - start
