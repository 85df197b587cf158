"""Hold one file's elements, and everything that the rows of all of them share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cached_property
from itertools import accumulate

from repobuild.code.facts.element_row import bindings_of
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    ASSIGNED_NAME,
    IMPORTED_MODULE,
    IMPORTED_NAME,
)
from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.engine.contract import Value
from repobuild.samples.contexts.clues import (
    clues_of,
    heading_clue,
    heading_trails,
    purpose_clue,
    variable_clue,
)
from repobuild.samples.contexts.display_names import NAMED_TYPES, DisplayNames, names_of
from repobuild.samples.contexts.docstring_uses import (
    BARE,
    COPIED,
    NO_PURPOSE,
    adds_little,
    docstring_uses,
)
from repobuild.samples.contexts.element_view import (
    CONSTRUCTORS,
    ElementView,
    strip_counts,
)
from repobuild.samples.contexts.graph_reader import GraphReader, element_id
from repobuild.samples.contexts.usage_reader import UsageReader
from repobuild.samples.text.braces import BracedSource, is_braced
from repobuild.samples.text.conditions import Condition, conditions_of
from repobuild.samples.text.deprecation import is_deprecated_module
from repobuild.samples.text.import_statements import (
    ImportsByName,
    names_imported_inside,
    read_imports,
)
from repobuild.samples.text.quote import Quote, quote_definition, quoted_lines
from repobuild.samples.text.source_names import (
    assigned_names,
    computed_names,
    other_public_names,
    public_constants,
)
from repobuild.samples.text.summary.module_purpose import module_summary, repeats_path
from repobuild.samples.text.summary.next_paragraph import (
    SENTENCE_ENDS,
    paragraphs,
    with_next_paragraph,
)
from repobuild.samples.text.summary.purpose import summarise

_OUTLINE_SIGNATURE = 100  # characters
# A section's heading: `# Title`, or lines above a rule.
_HEADING = re.compile(r"#{1,6}.*|(?:[^\w\s]{3,}\n)?.*\n[^\w\s]+[ \t]*(?=\n|$)")
_TARGET = re.compile(
    r"(?<=\])\([^)\n]*\)|<[^>\n]*>|^\.\. _.*$|^\[[^\]]*\]:.*$", re.MULTILINE
)
_VISITED = ("visit_", "leave_", "depart_")  # what walks a tree calls them
GETATTR = "getattr"
_WORD = re.compile(r"\w+")
_NO_PROSE = re.compile(
    r"<!--.*?-->|^(`{3,}|~{3,}).*?^\1|^(?: {4}|\t)[^\n]*$|^[^\n]*[^\n\\]\|[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>\w*)[^\n]*\n"
    r"(?P<code>.*?)\n(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_MOST_BLOCK_LINES = 20  # of code that is quoted with its section
_NO_TEXT = re.compile(r"[ \t]|\.\. |[:@]\w")  # a block, a directive, a field
_OTHERS = (IMPORTED_NAME, IMPORTED_MODULE, ALTERNATIVE)
_WHOLE = 0.95  # of a section's words


def names_bound_otherwise(facts: Value) -> set[str]:
    """Return the names of a Python module that are imported, or have two definitions of
    which nobody knows the one that exists.
    """
    names = (facts or {}).get("names") or {}
    return {
        name
        for name in names
        if any(one[:1] in _OTHERS for one in bindings_of(names, name))
    }


def names_chosen(facts: Value) -> set[str]:
    """Return the names that a Python module imports from one of several modules.

    `try: from ._fast import f`, and `except ImportError: from ._slow import f`: who
    takes `f` from it may get either.
    """
    names = (facts or {}).get("names") or {}
    return {
        binding.rpartition(":")[2]
        for bindings in names.values()
        if not isinstance(bindings, str)
        if len(imported := {one for one in bindings if one[:1] == IMPORTED_NAME}) > 1
        for binding in imported
    }


def names_by_value(facts: Value, source: bytes) -> dict[str, str]:
    """Return the names that a module gives to what has another name: `b = a` is b: a.

    Where it binds the name to other things as well, or to what `partial` makes of it,
    it is none.
    """
    names = (facts or {}).get("names") or {}
    if (facts or {}).get("language") != "python":
        return {}
    return {
        name: binding[1:]
        for name, binding in names.items()
        if isinstance(binding, str) and binding[:1] == ASSIGNED_NAME
        if name.isidentifier()  # and no element of a container
        if _is_written(name, binding[1:], source)
    }


def _is_written(name: str, value: str, source: bytes) -> bool:
    """Return whether a line of a module is `name = value`."""
    line = rf"^(?:\w+[ \t]*=[ \t]*)*{name}[ \t]*(?::[^=\n]*)?="
    line += rf"[^\n#]*\b{re.escape(value)}[ \t]*(?:#|;|$)"
    return re.search(line.encode(), source, re.MULTILINE) is not None


def is_of_main(facts: Value, element: ElementView) -> bool:
    """Return whether an element is there only when its file is run as a program."""
    first, last, *_ = (facts or {}).get("main") or (0, -1)
    return bool(first <= element.row.start_line <= last)


class FileContext:
    """A file as of this update; `read` returns its source and is called on demand."""

    def __init__(
        self,
        path: str,
        reader: GraphReader,
        names: DisplayNames,
        project: str,
        read: Callable[[], bytes],
        usage: UsageReader,
    ) -> None:
        self.path = path
        self._read = read
        self.reader = reader
        self.usage = usage
        self.names = names
        self.project = project
        self.facts = reader.facts(path)
        self.elements = reader.elements(path)
        self.is_test = is_test(path)
        self.is_tool = is_tool(path)
        summary = module_summary(path, self.facts)
        self.summary = "" if repeats_path(summary, path) else summary
        self.name_counts = names_of(self.facts)
        self.method_counts: Counter[str] = Counter(
            e.name for e in self.elements.values() if e.type == "method"
        )
        self._effective: dict[str, str] = {}  # plain_qual -> qual of its definition
        self._children: dict[str, list[ElementView]] = {}
        self._definitions: Counter[tuple[str, str]] = Counter()  # parent, plain_qual
        for element in self.elements.values():
            plain = element.plain_qual
            if not (element.is_overload or element.is_dead or element.is_for_types):
                self._effective.setdefault(plain, element.qual)
            self._children.setdefault(element.parent, []).append(element)
            self._definitions[element.parent, plain] += 1
        self._named: dict[str, list[ElementView]] = {}
        self._signatures: dict[str, list[tuple[str, str]]] = {}
        self._subclasses: dict[str, list[str]] = {}
        self._quoted_lines: dict[str, list[str]] = {}
        self._computed: dict[str, list[re.Pattern[str]]] = {}

    @cached_property
    def _bound_otherwise(self) -> set[str]:
        return names_bound_otherwise(self.facts)

    @cached_property
    def _names_by_value(self) -> dict[str, str]:
        return names_by_value(self.facts, self.source)

    def other_names(self, element: ElementView) -> list[str]:
        """Return the other names that its module gives a top-level element: `b = a`."""
        given = self._names_by_value.items()
        return sorted(name for name, value in given if value == element.qual)

    @cached_property
    def heading_trails(self) -> dict[str, str]:
        return heading_trails(self.elements)

    @cached_property
    def _clue_counts(self) -> Counter[str]:
        return clues_of(self.elements)

    def shares_purpose(self, element: ElementView) -> bool:
        """Return whether the docstring of another element begins with the same."""
        clue = purpose_clue(element)
        if not clue:
            return False
        return self._clue_counts[clue] > 1 or len(self.names.holders(clue)) > 1

    def is_variable_elsewhere(self, element: ElementView) -> bool:
        """Return whether another module has a variable of a definition's name."""
        if element.type not in ("function", "class"):
            return False
        return any(
            path != self.path
            for path in self.names.holders(variable_clue(element.name))
        )

    def shares_heading(self, section: ElementView) -> bool:
        """Return whether another document has a section of the same title."""
        return len(self.names.holders(heading_clue(section))) > 1

    @cached_property
    def _docstring_uses(self) -> dict[str, str]:
        return docstring_uses(self.elements)

    def is_copied(self, element: ElementView) -> bool:
        """Return whether an element's docstring is that of another definition here."""
        return self._docstring_uses.get(element.qual) == COPIED

    def repeats_name(self, element: ElementView) -> bool:
        """Return whether an element's docstring says only what its name says.

        That of a constructor says what all constructors do.
        """
        is_bare = self._docstring_uses.get(element.qual) == BARE
        return is_bare and element.name not in CONSTRUCTORS

    def purpose(
        self, element: ElementView, summary: str, is_described: bool = False
    ) -> str:
        """Return what an element's docstring says that it is for.

        That is its summary and, where others begin with the same paragraph, the first
        one that only this docstring has. A sentence that only repeats the name may
        introduce what is passed and returned (`is_described`).
        """
        use = self._docstring_uses.get(element.qual)
        introduces = is_described and summary.endswith(SENTENCE_ENDS)
        if use == BARE and summary and not introduces:
            # "has-class function.": what it does is in the next paragraph, if in any.
            return with_next_paragraph(element.doc, summary)
        if use is None and adds_little(element, summary):
            summary = with_next_paragraph(element.doc, summary) or summary
        if use in NO_PURPOSE and use != BARE:
            return ""
        own = self._own_paragraph(element) if summary and "\n" not in summary else ""
        # Two sentences are one where the first has no end.
        joint = " " if summary.endswith(SENTENCE_ENDS) else ". "
        is_told = not own or own in summary
        return summary if is_told else f"{summary}{joint}{own}"

    def _own_paragraph(self, element: ElementView) -> str:
        """Return what tells a docstring from others that begin like it, or ""."""
        first, *rest = paragraphs(element.doc)
        others = {
            paragraph
            for other in self._beginnings[first]
            if other.qual != element.qual
            for paragraph in paragraphs(other.doc)
        }
        if not others:
            return ""
        told = (
            summarise(one)
            for one in rest
            if one not in others and not _NO_TEXT.match(one)
        )
        return next((one for one in told if one.endswith(SENTENCE_ENDS)), "")

    @cached_property
    def _beginnings(self) -> dict[str, list[ElementView]]:
        """The documented elements by the first paragraph of their docstrings."""
        found: dict[str, list[ElementView]] = defaultdict(list)
        for element in self.elements.values():
            if element.doc and element.type in NAMED_TYPES:
                found[paragraphs(element.doc)[0]].append(element)
        return found

    def is_whole(self, section: ElementView, text: str) -> bool:
        """Return whether a text is all that a section says, but for its heading.

        Words of prose are compared: markup, comments, code and tables are not quoted.
        """
        content = _HEADING.sub("", self.code(section).strip(), count=1)
        content = _NO_PROSE.sub("", content)
        words = len(_WORD.findall(_TARGET.sub("", content)))
        return bool(text) and len(_WORD.findall(text)) >= words * _WHOLE

    def section_block(self, section: ElementView) -> list[str]:
        """Return the language and the code of a section's one short block of code."""
        blocks = list(_BLOCK.finditer(self.code(section)))
        if len(blocks) != 1 or not blocks[0]["language"]:
            return []
        code = blocks[0]["code"]
        is_short = code.strip() and code.count("\n") < _MOST_BLOCK_LINES
        # A link, a comment or a fence in it would not be shown as it is.
        is_plain = not any(sign in code for sign in ("](", "<!--", "```"))
        return [blocks[0]["language"], code] if is_short and is_plain else []

    def begins_with_block(self, section: ElementView) -> bool:
        """Return whether code comes first: what is below may be about other code."""
        content = _HEADING.sub("", self.code(section).strip(), count=1)
        return _BLOCK.match(content.lstrip("\n")) is not None

    def is_mostly_shown(self, section: ElementView, text: str, shown: str) -> bool:
        """Return whether a text and a block of code are most of a section."""
        content = _HEADING.sub("", self.code(section).strip(), count=1)
        words = len(_WORD.findall(_TARGET.sub("", content)))
        return 2 * len(_WORD.findall(f"{text} {shown}")) >= words

    @property
    def language(self) -> str:
        return str(self.facts.get("language", ""))

    @cached_property
    def source(self) -> bytes:
        return self._read()

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.source.split(b"\n")

    @cached_property
    def _line_starts(self) -> list[int]:
        return list(accumulate((len(one) + 1 for one in self._lines), initial=0))

    def line_start(self, number: int) -> int:
        """Return the byte at which a line begins, counted from 1."""
        return self._line_starts[number - 1]

    def line(self, number: int) -> str:
        """Return a line of the source, counted from 1, without outer white space."""
        lines = self._lines[number - 1 : number]
        return lines[0].strip().decode("utf-8", "replace") if lines else ""

    @cached_property
    def is_deprecated(self) -> bool:
        """Whether the file says that all of it is deprecated."""
        if self.language != "python":
            return False
        return is_deprecated_module(self.source, str(self.facts.get("doc", "")))

    @cached_property
    def assigned_names(self) -> set[str]:
        """The names that the file's top level assigns to."""
        return assigned_names(self.source)

    @cached_property
    def public_constants(self) -> list[str]:
        """The constants that those who use the file can see (Python only)."""
        return public_constants(self.source) if self.language == "python" else []

    @cached_property
    def other_public_names(self) -> list[str]:
        """The other names that the top level assigns to, but for those that it defines.

        A function under a name of its own may be assigned to that: `f = cached(f)`.
        Where the file says what is public, these are of `__all__`.
        """
        if self.language != "python":
            return []
        known = self.facts.get("names", {}).keys() - self.elements.keys()
        if exported := self.facts.get("all"):
            known &= set(exported)
        return other_public_names(self.source, known)

    @cached_property
    def imports(self) -> ImportsByName:
        targets = self.reader.outgoing(self.path, "imports")
        return read_imports(self.facts, self.source, targets)

    @cached_property
    def inner_imports(self) -> set[str]:
        """The names that the file imports below its top level."""
        return names_imported_inside(self.facts, self.source)

    @cached_property
    def _braced(self) -> BracedSource | None:
        language = self.language
        return BracedSource(language, self.source) if is_braced(language) else None

    def code(self, element: ElementView) -> str:
        """Return an element's source in whole lines, decorators included."""
        return self.own_bytes(element).decode("utf-8", "replace")

    def own_bytes(self, element: ElementView) -> bytes:
        return self.source[element.row.start : element.row.start + element.row.length]

    @cached_property
    def _conditions(self) -> dict[int, Condition]:
        """The conditions of definitions, by their first lines."""
        if self.language != "python":
            return {}
        return conditions_of((e.place for e in self.elements.values()), self.source)

    def condition(self, element: ElementView) -> Condition | None:
        """Return the condition under which a Python file makes a definition."""
        return self._conditions.get(element.row.start_line - element.row.lead)

    def quote(self, element: ElementView) -> Quote | None:
        """Return an element's code in two halves, None when it has no body."""
        start = self.source.rfind(b"\n", 0, element.row.start) + 1
        end = element.row.start + element.row.length
        if self._braced is not None:
            return self._braced.quote(start, end)
        code = self.source[start:end]
        return quote_definition(self.language, code, bool(element.doc))

    def namesakes(self, element: ElementView) -> list[ElementView]:
        """Return the methods of other classes of the file that have the same name."""
        if element.type != "method" or self.method_counts[element.name] < 2:
            return []
        others = self._methods_by_name[element.name]
        return [one for one in others if one.plain_qual != element.plain_qual]

    @cached_property
    def _methods_by_name(self) -> dict[str, list[ElementView]]:
        found: dict[str, list[ElementView]] = defaultdict(list)
        for one in self.elements.values():
            if one.type == "method":
                found[one.name].append(one)
        return found

    def quoted_lines(self, element: ElementView) -> list[str]:
        """Return the lines of an element's code, read once; [] without a body."""
        if element.qual not in self._quoted_lines:
            self._quoted_lines[element.qual] = quoted_lines(self.quote(element))
        return self._quoted_lines[element.qual]

    def nearest_subclasses(self, qual: str) -> list[str]:
        """Return the nearest subclasses of a class of this file, looked up once."""
        if qual not in self._subclasses:
            id = element_id(self.path, qual)
            self._subclasses[qual] = self.reader.nearest_subclasses(id)
        return self._subclasses[qual]

    def children(self, qual: str) -> list[ElementView]:
        """Return the direct children of an element, or with "" the top level."""
        return self._children.get(qual, [])

    def named_children(self, qual: str) -> list[ElementView]:
        """Return the functions, methods and classes that an element contains."""
        if qual not in self._named:
            self._named[qual] = [
                one
                for one in self.children(qual)
                if one.type in NAMED_TYPES and self.is_effective(one)
            ]
        return self._named[qual]

    def outline_signatures(self, qual: str) -> list[tuple[str, str]]:
        """Return (signature, id) of the children that fit into an outline, sorted."""
        if qual not in self._signatures:
            signatures = [
                ("@property\n" * e.is_property + e.signature, e.id)
                for e in self.named_children(qual)
            ]
            self._signatures[qual] = sorted(
                pair for pair in signatures if len(pair[0]) <= _OUTLINE_SIGNATURE
            )
        return self._signatures[qual]

    @cached_property
    def class_count(self) -> int:
        return sum(one.type == "class" for one in self.elements.values())

    def is_location_only(self, element: ElementView) -> bool:
        """Return whether an element's row holds its location and no details.

        That is so for tests, also those that a product's class offers, tools, functions
        within functions, for what stands in where an import fails, and for what is
        there only when the file is run as a program.
        """
        if element.type == "section":
            return False
        if self.is_test or self.is_tool or self._is_substitute(element):
            return True
        if is_of_main(self.facts, element):
            return True
        parent = self.elements.get(element.parent)
        if element.name.startswith("test_") and parent and "Test" in parent.name:
            return True  # for the test classes of those who use the project
        return parent is not None and parent.type != "class"

    def _is_substitute(self, element: ElementView) -> bool:
        """Return whether the file binds another thing to the name instead.

        It imports one, or has one in another branch. What is in a class that stands in
        for another one stands in, too.
        """
        top = strip_counts(element.qual).partition(".")[0]
        return top in self._bound_otherwise

    def is_dispatched(self, element: ElementView) -> bool:
        """Return whether its class may call a method by a name that it computes."""
        if element.type != "method":
            return False
        if element.name.startswith(_VISITED):
            return True
        if element.parent not in self._computed:
            self._computed[element.parent] = [
                pattern
                for one in self.children(element.parent)
                if GETATTR in one.calls()
                for pattern in computed_names(self.code(one))
            ]
        patterns = self._computed[element.parent]
        return any(one.fullmatch(element.name) for one in patterns)

    def has_row(self, element: ElementView) -> bool:
        """Return whether an element has a row.

        One definition of each name has; a dunder method has with a docstring only,
        `__init__` always.
        """
        if not self.is_effective(element):
            return False
        dunder = element.name.startswith("__") and element.name.endswith("__")
        return not dunder or element.name == "__init__" or bool(element.doc)

    def is_repeated(self, element: ElementView) -> bool:
        """Return whether the file defines an element several times."""
        return self._definitions[element.parent, element.plain_qual] > 1

    def setters(self, element: ElementView) -> list[ElementView]:
        """Return the setters of a property."""
        wanted = f"{element.name}.setter"
        named = self.children(element.parent) if element.is_property else []
        return [one for one in named if wanted in one.row.decorators]

    def is_effective(self, element: ElementView) -> bool:
        """Return whether it is the first definition of its name that is to be told.

        That is no overload, and not in a branch that never runs.
        """
        return self._effective.get(element.plain_qual) == element.qual
