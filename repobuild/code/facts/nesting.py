"""Find what encloses what in a file of a language that has only a query file.

A definition is qualified by what encloses it, and by the type that it names itself: a
Go method by its receiver (@scope), a C++ method by `A::f`. Two kinds enclose
definitions and are no elements: a `namespace`, and an `impl`, whose functions are the
methods of the type that it names.

A definition covers the whole node that wraps it (@wrap: `export`, `template <...>`, the
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
# A name; Ruby's may end in a mark, JavaScript's private ones begin with `#`, and a C++
# operator is all marks.
_NAME = re.compile(r"(?:[\w$~]+\.)*(?:operator[^\w\s.]+|#?[\w$~]+[?!=]?)")
_TYPE = re.compile(r"[\w$.]+$")


@dataclass(slots=True)
class NestedDefinition:
    """A definition with its parent and qualified name; offsets are bytes."""

    kind: str
    name: str  # "" when the definition has no name that can be read
    parts: Parts
    start: int  # attributes included
    end: int
    head_start: int  # of the definition itself, after its attributes
    attributes: list[Span] = field(default_factory=list)
    comments: list[Span] = field(default_factory=list)  # right above it
    qual: str = ""
    parent: int = -1  # index of the enclosing definition, scopes included

    @property
    def is_element(self) -> bool:
        return bool(self.name) and self.kind not in SCOPES


class Nesting:
    """The definitions of an outline, in source order, each with its qualified name."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._source = outline.source
        self._attributes = spans(outline.sites.get("attribute", ()))
        self._attributes_and_comments = sorted({*self._attributes, *outline.comments})
        self._wrappers = {
            child.id: node
            for node in outline.sites.get("wrap", ())
            for child in node.named_children
        }
        self.definitions = [self._nested(one) for one in _merge_matches(outline)]
        self.definitions.sort(
            key=lambda definition: (definition.start, -definition.end)
        )
        self._starts = [definition.start for definition in self.definitions]
        self._qualify_names()

    def elements(self) -> Iterator[tuple[int, NestedDefinition]]:
        """Yield the definitions that are elements, with their index."""
        for index, definition in enumerate(self.definitions):
            if definition.is_element:
                yield index, definition

    def owner(self, offset: int) -> int:
        """Return the index of the innermost element around a byte, or -1."""
        index = bisect_right(self._starts, offset) - 1
        while index >= 0:
            definition = self.definitions[index]
            if definition.end > offset and definition.is_element:
                return index
            index = definition.parent
        return -1

    def _nested(self, one: Definition) -> NestedDefinition:
        node, end = one.node, one.end
        while wrapper := self._wrappers.get(node.id):
            node, end = wrapper, max(end, wrapper.end_byte)
        start = node.start_byte
        low = bisect_left(self._attributes, (start, 0))
        high = bisect_left(self._attributes, (one.parts["name"][0].start_byte, 0))
        nested = NestedDefinition(
            kind=one.kind,
            name=self._name_of(one),
            parts=one.parts,
            start=start,
            end=end,
            head_start=start,
            attributes=self._attributes[low:high],
        )
        if nested.attributes:
            after = nested.attributes[-1][1]
            text = self._source[after:end]
            nested.head_start = after + len(text) - len(text.lstrip())
        self._attach_lines_above(nested)
        return nested

    def _name_of(self, one: Definition) -> str:
        name = normalize_name(one.name, one.kind)
        for scope in one.parts.get("scope", ())[:1]:
            outer = normalize_name(self._outline.text(scope), "impl")
            return f"{outer}.{name}" if outer and name else name
        return name

    def _attach_lines_above(self, nested: NestedDefinition) -> None:
        """Add the comments and attributes that end right above a definition."""
        start = nested.start
        marks = self._attributes_and_comments
        index = bisect_left(marks, (start, 0))
        attributes = set(self._attributes) if self._attributes else ()
        while index > 0:
            index -= 1
            span = marks[index]
            # Rust's comment nodes include their newline.
            end = span[0] + len(self._source[slice(*span)].rstrip())
            between = self._source[end:start]
            if between.strip() or between.count(b"\n") > 1:
                return
            if not self._begins_line(span):
                return
            start = span[0]
            if span in attributes:
                nested.attributes.insert(0, span)
                nested.start = start
            elif not self._is_about_attribute(span):
                nested.comments.insert(0, span)

    def _begins_line(self, span: Span) -> bool:
        """Return whether nothing but another comment or attribute precedes it."""
        line = self._source.rfind(b"\n", 0, span[0]) + 1
        before = self._source[line : span[0]].strip()
        return not before or before.startswith((b"@", b"#[", b"/*"))

    def _is_about_attribute(self, span: Span) -> bool:
        """Return whether it is a note to the attribute before it: `@a // why`."""
        line = self._source.rfind(b"\n", 0, span[0]) + 1
        before = self._source[line : span[0]].strip()
        is_note = self._source.startswith(b"//", span[0])
        return is_note and before.startswith((b"@", b"#["))

    def _qualify_names(self) -> None:
        """Set each definition's parent and qualified name; a repeated one is `f#2`."""
        counts: dict[str, int] = {}
        enclosing: list[int] = []
        for index, definition in enumerate(self.definitions):
            while enclosing and self.definitions[enclosing[-1]].end <= definition.start:
                enclosing.pop()
            definition.parent = enclosing[-1] if enclosing else -1
            self._qualify(definition, counts)
            enclosing.append(index)

    def _qualify(self, one: NestedDefinition, counts: dict[str, int]) -> None:
        parent = self.definitions[one.parent] if one.parent >= 0 else None
        outer = parent.qual if parent else ""
        one.qual = ".".join(part for part in (outer, one.name) if part)
        if not one.is_element:
            return
        in_type = parent is not None and parent.kind in ("class", "impl")
        if one.kind == "function" and (in_type or "." in one.name):
            one.kind = "method"
        count = counts[one.qual] = counts.get(one.qual, 0) + 1
        if count > 1:
            one.qual += f"#{count}"


def _merge_matches(outline: Outline) -> list[Definition]:
    """Return one definition a node: a query matches once for every base."""
    by_node: dict[int, Definition] = {}
    known: set[tuple[int, str, int]] = set()  # definition, part, node
    for one in outline.definitions:
        merged = by_node.setdefault(one.node.id, one)
        for name, nodes in one.parts.items():
            keys = [(one.node.id, name, node.id) for node in nodes]
            if merged is not one:
                merged.parts.setdefault(name, []).extend(
                    node
                    for node, key in zip(nodes, keys, strict=True)
                    if key not in known
                )
            known.update(keys)
    return list(by_node.values())


def normalize_name(text: str, kind: str) -> str:
    """Return a name in the form of qualified names, "" when the text is no name.

    `A<T>::f` is `A.f`, `operator bool() const` is `operator_bool`, and an `impl` is
    named by the last part of its type: `&'a mut io::Error` is `io.Error`.
    """
    head, operator, marks = text.partition("operator")
    while head != (bare := _ARGUMENTS.sub("", head)):
        head = bare
    head = head.replace("::", ".").replace(":", ".")
    if kind == "impl":
        last = _TYPE.search(head.strip())
        return last[0].strip(".") if last else ""
    name = _CAST.sub(r"operator_\1", head + operator + marks)
    name = "".join(name.split())
    return name if _NAME.fullmatch(name) else ""
