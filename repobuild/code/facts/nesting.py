"""What holds what in a file that only a query file describes.

A definition is named by what stands around it, and by what it names itself as its
holder: a Go method by its receiver (@scope), a C++ method by `A::f`. Two kinds hold
definitions and are no elements: a `namespace`, and an `impl`, whose functions are the
methods of the type that it names.

A definition is all of the node that wraps it (@wrap: `export`, `template <...>`, the
declaration of a constant that is a function), and begins with its attributes
(@attribute), inside it or right above.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from repobuild.code.facts.body_digest import Span
from repobuild.code.facts.syntax import Definition, Outline, Parts, spans

SCOPES = ("namespace", "impl")
_ARGUMENTS = re.compile(r"<[^<>]*>")
_CAST = re.compile(r"\boperator\s+([A-Za-z][\w:]*).*", re.S)
# A name; Ruby's may end in a mark, and a C++ operator is all marks.
_NAME = re.compile(r"(?:[\w$~]+\.)*(?:operator[^\w\s.]+|[\w$~]+[?!=]?)")
_TYPE = re.compile(r"[\w.]+$")


@dataclass(slots=True)
class NestedDefinition:
    """A definition with its place among the others."""

    kind: str
    name: str  # "" when it has none that can be told
    parts: Parts
    start: int  # bytes; attributes included
    end: int
    said: int  # byte where it begins to say what it is: after its attributes
    attributes: list[Span] = field(default_factory=list)
    comments: list[Span] = field(default_factory=list)  # right above it
    qual: str = ""
    holder: int = -1  # what holds it by position, scopes included


class Nesting:
    """The definitions of an outline, in source order, each with its qualified name."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._source = outline.source
        self._attributes = spans(outline.sites.get("attribute", ()))
        self._marks = sorted({*self._attributes, *outline.comments})
        self._wraps = {
            child.id: node
            for node in outline.sites.get("wrap", ())
            for child in node.named_children
        }
        self.found = [self._nested(one) for one in _merged(outline)]
        self.found.sort(key=lambda found: (found.start, -found.end))
        self._starts = [found.start for found in self.found]
        self._name()

    def elements(self) -> Iterator[tuple[int, NestedDefinition]]:
        """Yield what is an element, with its number."""
        for index, found in enumerate(self.found):
            if found.name and found.kind not in SCOPES:
                yield index, found

    def owner(self, place: int) -> int:
        """Return the number of the innermost element around a byte, or -1."""
        index = bisect_right(self._starts, place) - 1
        while index >= 0:
            found = self.found[index]
            if found.end > place and found.name and found.kind not in SCOPES:
                return index
            index = found.holder
        return -1

    def _nested(self, one: Definition) -> NestedDefinition:
        node, end = one.node, one.end
        while wrap := self._wraps.get(node.id):
            node, end = wrap, max(end, wrap.end_byte)
        found = NestedDefinition(
            one.kind, "", one.parts, node.start_byte, end, node.start_byte
        )
        found.name = self._name_of(one)
        low = bisect_left(self._attributes, (found.start, 0))
        high = bisect_left(self._attributes, (one.parts["name"][0].start_byte, 0))
        found.attributes = self._attributes[low:high]
        if found.attributes:
            after = found.attributes[-1][1]
            text = self._source[after:end]
            found.said = after + len(text) - len(text.lstrip())
        self._look_above(found)
        return found

    def _name_of(self, one: Definition) -> str:
        name = plain_name(one.name, one.kind)
        for scope in one.parts.get("scope", ())[:1]:
            holder = plain_name(self._outline.text(scope), "impl")
            return f"{holder}.{name}" if holder and name else name
        return name

    def _look_above(self, found: NestedDefinition) -> None:
        """Collect the comments and attributes that end right above a definition."""
        place = found.start
        index = bisect_left(self._marks, (place, 0))
        attributes = set(self._attributes) if self._attributes else ()
        while index > 0:
            index -= 1
            span = self._marks[index]
            between = self._source[self._end(span) : place]
            if between.strip() or between.count(b"\n") > 1 or not self._alone(span):
                return
            place = span[0]
            if span in attributes:
                found.attributes.insert(0, span)
                found.start = place
            else:
                found.comments.insert(0, span)

    def _end(self, span: Span) -> int:
        """Return where a mark ends; Rust's comments hold their newline."""
        return span[0] + len(self._source[slice(*span)].rstrip())

    def _alone(self, span: Span) -> bool:
        """Return whether nothing but another mark stands before it on its line."""
        line = self._source.rfind(b"\n", 0, span[0]) + 1
        before = self._source[line : span[0]].strip()
        return not before or before.startswith((b"@", b"#[", b"/*"))

    def _name(self) -> None:
        """Name every definition by what holds it; a name's second one is `name#2`."""
        seen: dict[str, int] = {}
        holders: list[int] = []
        for index, found in enumerate(self.found):
            while holders and self.found[holders[-1]].end <= found.start:
                holders.pop()
            found.holder = holders[-1] if holders else -1
            self._qualify(found, seen)
            holders.append(index)

    def _qualify(self, found: NestedDefinition, seen: dict[str, int]) -> None:
        holder = self.found[found.holder] if found.holder >= 0 else None
        outer = holder.qual if holder else ""
        found.qual = ".".join(part for part in (outer, found.name) if part)
        if found.kind in SCOPES or not found.name:
            return
        if found.kind == "function" and _is_method(found, holder):
            found.kind = "method"
        count = seen[found.qual] = seen.get(found.qual, 0) + 1
        if count > 1:
            found.qual += f"#{count}"


def _is_method(found: NestedDefinition, holder: NestedDefinition | None) -> bool:
    inside = holder is not None and holder.kind in ("class", "impl")
    return inside or "." in found.name


def _merged(outline: Outline) -> list[Definition]:
    """Return one definition a node: a query matches once for every base."""
    found: dict[int, Definition] = {}
    for one in outline.definitions:
        known = found.setdefault(one.node.id, one)
        if known is one:
            continue
        for name, nodes in one.parts.items():
            have = known.parts.setdefault(name, [])
            ids = {node.id for node in have}
            have += [node for node in nodes if node.id not in ids]
    return list(found.values())


def plain_name(text: str, kind: str) -> str:
    """Return a name as it goes into a qualified name, "" when it is none.

    `A<T>::f` is `A.f`, `operator bool() const` is `operator_bool`, and what an `impl`
    names is a type's last part: `&'a mut io::Error` is `io.Error`.
    """
    head, operator, marks = text.partition("operator")
    while head != (bare := _ARGUMENTS.sub("", head)):
        head = bare
    head = head.replace("::", ".").replace(":", ".").lstrip("#")
    if kind == "impl":
        last = _TYPE.search(head.strip())
        return last[0].strip(".") if last else ""
    name = _CAST.sub(r"operator_\1", head + operator + marks)
    name = "".join(name.split())
    return name if _NAME.fullmatch(name) else ""
