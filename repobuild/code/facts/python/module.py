"""Read the facts of a Python module that a query file cannot express.

These are parameters with kinds, docstrings, decorators, bases, imports, call names and
bindings. What a name means is resolved later, across files (resolve/python); here only
the source's own statements are recorded, and only for names that a call begins with.

Complexity is that of radon 6 (cyclomatic complexity after McCabe 1976, with boolean
operators and comprehensions): 1 for a function plus its decision points, closures not
included; a class has 1 plus its own decision points plus the complexity of its methods.
Unlike in radon, `except*` counts like `except` (tests/benchmarks/agreement.py compares
the two).
"""

from __future__ import annotations

import enum
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tree_sitter import Node

from repobuild.code.facts.body_digest import Span, digest
from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    ElementRow,
    normal_form,
    pack_row,
)
from repobuild.code.facts.python.binding import Binder
from repobuild.code.facts.python.branches import main_span
from repobuild.code.facts.python.contents import Contents
from repobuild.code.facts.python.docstring import docstring
from repobuild.code.facts.python.exports import read_exports
from repobuild.code.facts.python.flow import FlowReader
from repobuild.code.facts.python.import_bindings import read_imports
from repobuild.code.facts.python.looked_up import looked_up_names
from repobuild.code.facts.python.value import Values, call_name
from repobuild.code.facts.syntax import Definition, Outline, load_grammar, spans
from repobuild.code.scan.manifest import declared_project
from repobuild.code.scan.python_table import standard_library
from repobuild.code.scan.setup_script import read_setup_script

_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_PLAIN_PARAMETERS = re.compile(r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*,?\s*)?\)\Z")
_LAYOUT = re.compile(
    r"""(\'\'\'(?:[^\\]|\\.)*?\'\'\'|\"\"\"(?:[^\\]|\\.)*?\"\"\""""
    r"""|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?:\s|\\\n|\#[^\n]*)+""",
    re.DOTALL,
)
# A name of ASCII signs that follows no dot: the part of an attribute is none.
_WORD = re.compile(rb"[A-Za-z_](?<![\w.\x80-\xff].)\w*(?![\x80-\xff])")
_BOUND = re.compile(rb"\s*=(?!=)")
_BASE_CALL = re.compile(rb"\.__\w+__\(")  # `Base.__init__(self)`
_LONGEST_READ = 80  # bytes
_LONGEST_CALL = 4_000  # bytes; f()()()... would cost the square of its length
_MAIN = -2  # owner of what is read only below `if __name__ == "__main__":`


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a Python module, with what a setup.py declares."""
    outline = Outline(load_grammar(language), source, normal_form)
    project = declared_project(read_setup_script(source))
    return PythonModule(outline).facts() | ({"project": project} if project else {})


class PythonModule:
    """One module while it is read; definitions are named by their index."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        imports = read_imports(outline)
        self.values = Values(outline, imports.origins)
        self.calls = self._calls()
        self.parameters = [
            self._parameters(definition) for definition in outline.definitions
        ]
        self._main = main_span(outline)
        self.reads = self._reads(imports.origins)
        for owner, name in self._bare_reads(imports.origins):
            self.reads[owner].add(name)
        self.main_reads = self.reads.pop(_MAIN, set()) - self.reads[-1]
        self.reads[-1] |= self.main_reads
        named = {
            owner: [*self.calls.get(owner, ()), *((one, 0) for one in reads)]
            for owner, reads in self.reads.items()
        }
        used = {**self.calls, **named}
        contents = Contents(outline, self.values)
        self.flow = FlowReader(outline, self.values, contents, imports.origins)
        for owner, roots in self.flow.roots.items():
            used[owner] = [*used.get(owner, ()), *roots]
        for definition in outline.definitions:
            found = [(outline.text(node), 0) for node in definition.decorators]
            if found:
                used[definition.parent] = [*used.get(definition.parent, ()), *found]
        self.binder = Binder(
            outline, used, self.parameters, imports, self.values, contents, self.flow
        )

    def facts(self) -> dict[str, Any]:
        outline = self.outline
        self.binder.bind()
        complexity = _complexities(outline)
        facts: dict[str, Any] = {
            "doc": docstring(outline.root, outline.source),
            "elements": [
                pack_row(
                    self._element(index, definition, complexity[index])._replace(
                        flow=self.flow.flow.get(index, [])
                    )
                )
                for index, definition in enumerate(outline.definitions)
            ],
            "imports": self.binder.imports.entries,
            "names": self.binder.names,
            "calls": _group_lines(self.calls.get(-1, ())),
        }
        if reads := self.reads.get(-1):
            facts["reads"] = sorted(reads)
        if self._main is not None:
            lines = [outline.source.count(b"\n", 0, one) + 1 for one in self._main]
            facts["main"] = [*lines, *sorted(self.main_reads)]
        if flow := self.flow.flow.get(-1):
            facts["flow"] = flow
        if outline.error_line:
            facts["problem"] = f"syntax error in line {outline.error_line}"
        exports = read_exports(outline, self.binder.exports)
        if exports is not None:
            facts["all"] = exports
        if looked_up := looked_up_names(outline.source, exports or []):
            facts["strings"] = looked_up
        return facts

    def _element(
        self, index: int, definition: Definition, complexity: int
    ) -> ElementRow:
        outline = self.outline
        source = outline.source
        doc = docstring(definition.parts["body"][0], source)
        returned = definition.parts.get("returns")
        returns = one_line(outline.text(returned[0])) if returned else ""
        generic = definition.node.child_by_field_name("type_parameters")
        generics = one_line(outline.text(generic)) if generic else ""
        parameters = self.parameters[index]
        decorators = [one_line(outline.text(node)) for node in definition.decorators]
        bases = self._bases(definition)
        flags = self._flags(index, definition)
        in_class = outline.is_class(definition.parent)
        is_method = definition.kind == "function" and in_class
        kind = "method" if is_method else definition.kind
        seen = flags.rstrip("ts")  # the rest tells nothing of a call
        visible = (kind, seen, doc, returns, parameters, decorators, bases)
        interface = (repr(visible) + generics).encode("utf-8", "replace")
        start = source.rfind(b"\n", 0, definition.start) + 1
        end = source.find(b"\n", definition.end)
        row = ElementRow(
            qual=definition.qual,
            type=kind,
            start_line=definition.row + 1,
            end_line=definition.last_row + 1,
            lead=definition.row - definition.first_row,
            start=start,
            length=(end if end >= 0 else len(source)) - start,
            body_digest=outline.body_digest(definition),
            interface_digest=digest(definition.name.encode(), interface),
            complexity=complexity,
            doc=doc,
            parameters=parameters,
            returns=returns,
            decorators=decorators,
            bases=bases,
            calls=_group_lines(self.calls.get(index, ())),
            vars=self.binder.vars.get(index, {}),
            attrs=self.binder.attrs.get(index, {}),
            flags=flags,
            reads=self._element_reads(index),
        )
        return row._replace(head=signature(row, generics)) if generics else row

    def _flags(self, index: int, definition: Definition) -> str:
        """Return what `ElementRow.flags` explains."""
        source, start = self.outline.source, definition.node.start_byte
        flags = "a" if source.startswith(b"async", start) else ""
        if flags and index in self.binder.generators:
            flags = "ag"
        if index in self.binder.dead:
            flags += "d"
        if index in self.binder.for_types:
            flags += "t"
        return flags + "s" if _is_stub(definition.parts["body"][0]) else flags

    def _parameters(self, definition: Definition) -> list[Any]:
        if "parameters" not in definition.parts:
            return []
        node = definition.parts["parameters"][0]
        text = self.outline.text(node)
        if _PLAIN_PARAMETERS.match(text):
            names = normal_form(text)[1:-1].split(",")
            return [name.strip() for name in names if name.strip()]
        return list(_parameters(self.outline, node))

    def _bases(self, definition: Definition) -> list[str]:
        if "bases" not in definition.parts:
            return []
        return [
            one_line(self.outline.text(node))
            for node in definition.parts["bases"][0].named_children
            if node.type not in ("keyword_argument", "comment", "dictionary_splat")
        ]

    def _reads(self, imported: Mapping[str, str]) -> dict[int, set[str]]:
        """Return the chains that each definition reads and does not call or assign."""
        outline = self.outline
        roots = {"self", "cls", *imported, *(one.name for one in outline.definitions)}
        made = self._made_objects(imported)
        other = {
            (node.start_byte, node.end_byte) for node in outline.sites.get("call", ())
        }
        for kind, parts in outline.other_matches:
            if kind == "assignment":
                node = parts["left"][0]
                other.add((node.start_byte, node.end_byte))
        reads: dict[int, set[str]] = defaultdict(set)
        for node in outline.sites.get("attribute", ()):
            start, end = node.start_byte, node.end_byte
            if end - start > _LONGEST_READ or (start, end) in other:
                continue
            text = outline.text(node)
            owner, root = self._reader(start), text.partition(".")[0]
            if (root in roots or (max(owner, -1), root) in made) and _DOTTED.match(
                text
            ):
                reads[owner].add(text)
        return reads

    def _made_objects(self, imported: Mapping[str, str]) -> set[tuple[int, str]]:
        """Return (function, variable) of what a name of the project was called for.

        `assertRaises(TypeError, basket.fill, 42)` calls a method without a call.
        """
        outline, known = self.outline, self._names_of_elements(imported)
        made: set[tuple[int, str]] = set()
        for kind, parts in outline.other_matches:
            if kind != "assignment" or "right" not in parts:
                continue
            left, right = parts["left"][0], parts["right"][0]
            owner = outline.owner(left.start_byte)
            if owner < 0 or left.type != "identifier" or right.type != "call":
                continue
            function = right.child_by_field_name("function")
            root = outline.text(function).partition(".")[0] if function else ""
            if root.encode() in known:
                made.add((owner, outline.text(left)))
        return made

    def _bare_reads(self, imported: Mapping[str, str]) -> Iterator[tuple[int, str]]:
        """Yield (definition, name) of functions and classes that are named uncalled.

        That is in a table, as an argument, in an annotation or after `except`, or
        before a dot: `Order.of()` uses `Order`. Names from the standard library are
        left out.
        """
        outline = self.outline
        names = self._names_of_elements(imported)
        if not names:
            return
        sites = outline.sites
        calls = set(spans(sites.get("call", ())))
        no_reads = {one.parts["name"][0].start_byte for one in outline.definitions}
        no_reads.update(one.start_byte for one in sites.get("wildcard", ()))
        strings, imports = (spans(sites.get(one, ())) for one in ("string", "import"))
        starts, ends = _merged([*strings, *imports, *outline.comments])
        for match in _WORD.finditer(outline.source):
            if match[0] not in names:
                continue
            start, end = match.span()
            if start in no_reads or (start, end) in calls:
                continue
            around = bisect_right(starts, start) - 1
            if around >= 0 and start < ends[around]:
                continue
            if _BOUND.match(outline.source, end):
                line = outline.source.rfind(b"\n", 0, start) + 1
                before = outline.source[line:start].rstrip()
                if not before or before.endswith((b"(", b",", b";")):
                    continue  # a keyword, or what is assigned to
            if outline.source.endswith(b"super(", 0, start):
                continue  # its own class
            if _BASE_CALL.match(outline.source, end):
                continue  # a base, of which it runs its own version
            yield self._reader(start), match[0].decode()

    def _reader(self, offset: int) -> int:
        """Return the definition that code belongs to, -1 the module, or `_MAIN`."""
        owner = self.outline.owner(offset)
        is_main = self._main and self._main[0] <= offset < self._main[1]
        return _MAIN if owner < 0 and is_main else owner

    def _names_of_elements(self, imported: Mapping[str, str]) -> set[bytes]:
        """Return the names in a file that may mean an element of the repository."""
        standard = standard_library()
        names = {
            name.encode()
            for name, origin in imported.items()
            if origin.startswith(".") or origin.partition(".")[0] not in standard
        }
        names.update(
            one.name.encode()
            for one in self.outline.definitions
            if not self.outline.is_class(one.parent)
        )
        return names

    def _element_reads(self, index: int) -> list[str]:
        """Return the reads of one definition that may mean an element, sorted."""
        reads = self.reads.get(index)
        if not reads:
            return []
        owner = index
        while owner >= 0 and not self.outline.is_class(owner):
            owner = self.outline.definitions[owner].parent
        assigned = self.binder.attrs.get(owner, {}) if owner >= 0 else {}
        return sorted(
            one
            for one in reads
            if one[:5] != "self." or one.split(".", 2)[1] not in assigned
        )

    def _calls(self) -> dict[int, list[tuple[str, int]]]:
        """Return the calls of each definition, and of the module under -1."""
        outline = self.outline
        calls: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for node in outline.sites.get("call", ()):
            start, end = node.start_byte, node.end_byte
            name = "?"
            if end - start <= _LONGEST_CALL:
                name = outline.text(node)
                if not _DOTTED.match(name):
                    name = call_name(outline, node)
            row, owner = node.start_point.row + 1, outline.owner(start)
            calls[owner].append((name, row))
            for other in self.values.also_called(name, node):
                calls[owner].append((other, row))
        return calls


def _merged(found: list[Span]) -> tuple[list[int], list[int]]:
    """Return where spans that may lie in each other start and end, without these."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(found):
        if ends and start < ends[-1]:
            ends[-1] = max(end, ends[-1])
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def one_line(text: str) -> str:
    """Return source text without line breaks and comments; strings stay unchanged."""
    if "\n" not in text:
        return text
    return _LAYOUT.sub(lambda match: match[1] or _gap(match), text).strip()


def _gap(match: re.Match[str]) -> str:
    """Return what stands for a line break: nothing just inside of brackets."""
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return "" if before in tuple("([{") or after in tuple(")]}") else " "


def _group_lines(calls: Iterable[tuple[str, int]]) -> list[list[Any]]:
    """Return `[name, line, line, ...]` for each name, in order of appearance."""
    lines: dict[str, list[Any]] = {}
    for name, line in calls:
        if name in lines:
            lines[name].append(line)
        else:
            lines[name] = [name, line]
    return list(lines.values())


def _parameters(outline: Outline, node: Node) -> Iterator[Any]:
    """Yield the parameters below a node in their stored form (element_row.py)."""
    kind = ""
    pending: list[list[str]] = []  # positional-only if a `/` follows
    for child in node.named_children:
        node_type = child.type
        if node_type in ("comment", "line_continuation"):
            continue
        if node_type == "positional_separator":
            for name, _, annotation, default in pending:
                yield [name, "/", annotation, default]
            pending = []
            continue
        if node_type == "keyword_separator":
            kind = "k"
            continue
        name, default = outline.text(child), ""
        type_node = child.child_by_field_name("type")
        if node_type in ("default_parameter", "typed_default_parameter"):
            named = child.child_by_field_name("name")
            value = child.child_by_field_name("value")
            name = outline.text(named) if named else name
            default = one_line(outline.text(value)) if value else ""
        elif node_type == "typed_parameter":
            first = child.named_child(0)
            name = outline.text(first) if first else name
        stars = len(name) - len(name.lstrip("*"))
        annotation = one_line(outline.text(type_node)) if type_node else ""
        entry = [
            name.lstrip("*").lstrip(),
            "*" * stars or kind,
            annotation,
            default,
        ]
        if stars == 1:
            kind = "k"
        pending.append(entry)
    for entry in pending:
        yield entry if any(entry[1:]) else entry[0]


def _is_stub(body: Node) -> bool:
    """Return whether a body is `...`, with or without a docstring before it."""
    *before, last = [n for n in body.named_children if n.type != "comment"] or [body]
    if len(before) > 1 or (before and not _is_text(before[0])):
        return False
    inner = last.named_children[0] if last.named_child_count == 1 else last
    return inner.type == "ellipsis"


def _is_text(statement: Node) -> bool:
    return [inner.type for inner in statement.named_children] == ["string"]


class _Mark(enum.IntEnum):
    """A node that counts; at one byte an assert comes first."""

    ASSERT = -1
    BRANCH = 0
    CASE = 1


def _complexities(outline: Outline) -> list[int]:
    """Return the cyclomatic complexity of each definition."""
    definitions = outline.definitions
    bodies = [definition.parts["body"][0].start_byte for definition in definitions]
    counts = [1] * len(definitions)
    assert_end = 0  # of the last assert; branches within it are not counted
    seen_else: set[int] = set()  # `match` blocks whose catch-all case was seen
    sites = outline.sites
    marks = [(node.start_byte, _Mark.BRANCH, node) for node in sites.get("branch", ())]
    marks += [(node.start_byte, _Mark.ASSERT, node) for node in sites.get("assert", ())]
    marks += [(node.start_byte, _Mark.CASE, node) for node in sites.get("case", ())]
    marks.sort(key=lambda mark: mark[:2])
    for offset, mark, node in marks:
        if offset < assert_end:
            continue
        if mark is _Mark.CASE and _is_match_else(outline, node, seen_else):
            continue
        if mark is _Mark.ASSERT:
            assert_end = node.end_byte
        owner = outline.owner(offset)
        if owner >= 0 and offset >= bodies[owner]:
            counts[owner] += 1
    for index in range(len(definitions) - 1, -1, -1):
        parent = definitions[index].parent
        if parent >= 0 and definitions[parent].kind == "class":
            if definitions[index].kind == "function":
                counts[parent] += counts[index]
    return counts


def _is_match_else(outline: Outline, case: Node, seen_else: set[int]) -> bool:
    """Return whether a case is the first of its match that is a bare name.

    It is the match's `else`; radon treats it so even with a guard.
    """
    pattern, block = case.named_child(0), case.parent
    end = case.child_by_field_name("guard")
    end = end or next((child for child in case.children if child.type == ":"), None)
    if pattern is None or block is None or end is None or block.id in seen_else:
        return False
    span = slice(pattern.start_byte, end.start_byte)
    text = outline.source[span].decode("utf-8", "replace").strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if not text.isidentifier() or text in ("None", "True", "False"):
        return False
    seen_else.add(block.id)
    return True
