"""One file's elements, with what the contexts of all of them share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property

from repobuild.samples.contexts.display_names import NAMED, DisplayNames, names_of
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.graph_reader import GraphReader, is_test, made_id
from repobuild.samples.text.braces import Braces, is_braced
from repobuild.samples.text.docstring_parts import summary
from repobuild.samples.text.import_statements import Statements, statements
from repobuild.samples.text.quote import Quote, quote

_OUTLINE_SIGNATURE = 100


class FileContext:
    """A file as of now; `read` gives its source, which is asked for when needed."""

    def __init__(
        self,
        path: str,
        around: GraphReader,
        names: DisplayNames,
        project: str,
        read: Callable[[], bytes],
    ) -> None:
        self.path = path
        self._read = read
        self.around = around
        self.names = names
        self.project = project
        self.facts = around.facts(path)
        self.elements = around.elements(path)
        self.test = is_test(path)
        self.summary = summary(self.facts.get("doc", ""))
        self.counts = names_of(self.facts)
        self._effective: dict[str, str] = {}
        for element in self.elements.values():
            if not element.is_overload:
                self._effective.setdefault(element.shown, element.qual)
        self.methods: Counter[str] = Counter(
            e.name for e in self.elements.values() if e.type == "method"
        )

        self._children: dict[str, list[ElementView]] = {}
        for element in self.elements.values():
            self._children.setdefault(element.parent, []).append(element)
        self._heads: dict[str, list[tuple[str, str]]] = {}
        self._heirs: dict[str, list[str]] = {}

    @cached_property
    def source(self) -> bytes:
        return self._read()

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.source.split(b"\n")

    def line(self, number: int) -> str:
        """A line of the source, counted from 1, without the space around it."""
        lines = self._lines[number - 1 : number]
        return lines[0].strip().decode("utf-8", "replace") if lines else ""

    @cached_property
    def imports(self) -> Statements:
        targets = self.around.outgoing(self.path, "imports")
        return statements(self.facts, self.source, targets)

    @cached_property
    def _braces(self) -> Braces | None:
        return Braces(self.fence, self.source) if is_braced(self.fence) else None

    def quote(self, element: ElementView) -> Quote | None:
        start = self.source.rfind(b"\n", 0, element.row.start) + 1
        end = element.row.start + element.row.length
        if self._braces is not None:
            return self._braces.quote(start, end)
        code = self.source[start:end]
        return quote(self.fence, code, bool(element.doc))

    def heirs(self, qual: str) -> list[str]:
        """The subclasses of a class of this file, each class asked for once."""
        if qual not in self._heirs:
            self._heirs[qual] = self.around.heirs(made_id(self.path, qual))
        return self._heirs[qual]

    def children(self, qual: str) -> list[ElementView]:
        """What stands directly in an element, or with "" at the top."""
        return self._children.get(qual, [])

    def heads(self, qual: str) -> list[tuple[str, str]]:
        """(signature, id) of the children that fit into an outline, sorted."""
        if qual not in self._heads:
            named = (
                e
                for e in self.children(qual)
                if e.type in NAMED and self._effective.get(e.shown) == e.qual
            )
            heads = [(e.signature, e.id) for e in named]
            short = [head for head in heads if len(head[0]) <= _OUTLINE_SIGNATURE]
            self._heads[qual] = sorted(short)
        return self._heads[qual]

    @property
    def fence(self) -> str:
        return str(self.facts.get("language", ""))

    def brief(self, element: ElementView) -> bool:
        if element.type == "section":
            return False
        parent = self.elements.get(element.parent)
        return self.test or (parent is not None and parent.type != "class")

    def told(self, element: ElementView) -> bool:
        """One definition of each name has a row, a plain dunder method has none."""
        if self._effective.get(element.shown) != element.qual:
            return False
        dunder = element.name.startswith("__") and element.name.endswith("__")
        return not dunder or element.name == "__init__" or bool(element.doc)
