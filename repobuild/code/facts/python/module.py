"""Python, beyond what its query file can say.

Parameters with kinds, docstrings, decorators, bases, imports, call names and bindings.
The rules for what a name may mean are applied later, across files (`names.py`); here is
only noted what the source says, and only of names that a call begins with.

Complexity is that of radon 6 (McCabe's with boolean operators and comprehensions): 1
for a function plus its decision points, closures not included; a class has 1 plus its
own decision points plus the complexity of its methods. Unlike radon, `except*` counts
as `except` does (tests/benchmarks/agreement.py holds the two against each other).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tree_sitter import Node

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import ElementRow, packed
from repobuild.code.facts.python.binding import Binder, imported
from repobuild.code.facts.python.docstring import docstring, literal
from repobuild.code.facts.python.value import Values, call_name
from repobuild.code.facts.syntax import Definition, Outline, grammar

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_PLAIN_PARAMETERS = re.compile(r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*,?\s*)?\)\Z")
_STRING_ITEM = re.compile(r"""'[^'\\\n]*'|"[^"\\\n]*\"""")
_LAYOUT = re.compile(
    r"""(\'\'\'(?:[^\\]|\\.)*?\'\'\'|\"\"\"(?:[^\\]|\\.)*?\"\"\""""
    r"""|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?:\s|\\\n|\#[^\n]*)+""",
    re.DOTALL,
)
_LONGEST_CALL = 4_000  # bytes; f()()()... would cost the square of its length


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a Python module."""
    return PythonModule(Outline(grammar(language), source)).facts()


class PythonModule:
    """One module while it is read."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        found = imported(outline)
        self.values = Values(outline, found.origins)
        self.calls = self._calls()
        self.parameters = [self._parameters(found) for found in outline.definitions]
        self.binder = Binder(outline, self.calls, self.parameters, found, self.values)

    def facts(self) -> dict[str, Any]:
        outline = self.outline
        self.binder.bind()
        complexity = _complexities(outline)
        facts: dict[str, Any] = {
            "doc": docstring(outline.root, outline.source),
            "elements": [
                packed(self._element(index, found, complexity[index]))
                for index, found in enumerate(outline.definitions)
            ],
            "imports": self.binder.imported.entries,
            "names": self.binder.names,
            "calls": _grouped(self.calls.get(-1, ())),
        }
        if outline.error_line:
            facts["problem"] = f"syntax error in line {outline.error_line}"
        exported = self._all()
        if exported is not None:
            facts["all"] = exported
        return facts

    def _element(self, index: int, found: Definition, complexity: int) -> ElementRow:
        outline = self.outline
        source = outline.source
        doc = docstring(found.parts["body"][0], source)
        returns = _first_text(outline, found, "returns")
        parameters = self.parameters[index]
        decorators = [one_line(outline.text(node)) for node in found.decorators]
        bases = self._bases(found)
        flags = "a" if source.startswith(b"async", found.node.start_byte) else ""
        kind = found.kind
        if kind == "function" and self.binder.is_class(found.parent):
            kind = "method"
        start = source.rfind(b"\n", 0, found.start) + 1
        end = source.find(b"\n", found.end)
        return ElementRow(
            qual=found.qual,
            type=kind,
            start_line=found.row + 1,
            end_line=found.last_row + 1,
            lead=found.row - found.first_row,
            start=start,
            length=(end if end >= 0 else len(source)) - start,
            shape=outline.shape(found),
            face=_face(found, kind, flags, doc, returns, parameters, decorators, bases),
            complexity=complexity,
            doc=doc,
            parameters=parameters,
            returns=returns,
            decorators=decorators,
            bases=bases,
            calls=_grouped(self.calls.get(index, ())),
            vars=self.binder.vars.get(index, {}),
            attrs=self.binder.attrs.get(index, {}),
            flags=flags,
        )

    def _parameters(self, found: Definition) -> list[Any]:
        if "parameters" not in found.parts:
            return []
        node = found.parts["parameters"][0]
        text = self.outline.text(node)
        if _PLAIN_PARAMETERS.match(text):
            names = text[1:-1].split(",")
            return [name.strip() for name in names if name.strip()]
        return list(_parameters(self.outline, node))

    def _bases(self, found: Definition) -> list[str]:
        if "bases" not in found.parts:
            return []
        return [
            one_line(self.outline.text(node))
            for node in found.parts["bases"][0].named_children
            if node.type not in ("keyword_argument", "comment", "dictionary_splat")
        ]

    def _calls(self) -> dict[int, list[tuple[str, int]]]:
        """Return the calls of each definition, and of the module under -1."""
        outline = self.outline
        calls: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for node in outline.sites.get("call", ()):
            start, end = node.start_byte, node.end_byte
            name = "?"
            if end - start <= _LONGEST_CALL:
                name = outline.source[start:end].decode("utf-8", "replace")
                if not _DOTTED.match(name):
                    name = call_name(outline, node)
            row, owner = node.start_point.row + 1, outline.owner(start)
            calls[owner].append((name, row))
            if handed := self.values.handed(name, node):
                calls[owner].append((handed, row))
        return calls

    def _all(self) -> list[str] | None:
        """Return `__all__`: every string that is assigned to it."""
        found: list[str] | None = None
        for text in self.binder.exported:
            names = [literal(item) for item in _STRING_ITEM.findall(text)]
            found = (found or []) + [name for name in names if name]
        return found


def _face(found: Definition, *parts: Any) -> bytes:
    """Return the digest of what others see of an element."""
    return digest(found.name.encode(), repr(parts).encode("utf-8", "replace"))


def _first_text(outline: Outline, found: Definition, part: str) -> str:
    nodes = found.parts.get(part)
    return one_line(outline.text(nodes[0])) if nodes else ""


def one_line(text: str) -> str:
    """Return source text without line breaks and comments; strings stay as they are."""
    if "\n" not in text:
        return text
    return _LAYOUT.sub(lambda found: found[1] or " ", text).strip()


def _grouped(calls: Any) -> list[list[Any]]:
    lines: dict[str, list[Any]] = {}
    for name, line in calls:
        if name in lines:
            lines[name].append(line)
        else:
            lines[name] = [name, line]
    return list(lines.values())


def _parameters(outline: Outline, node: Node) -> Iterator[Any]:
    kind = ""
    plain: list[list[str]] = []
    for child in node.named_children:
        shape = child.type
        if shape in ("comment", "line_continuation"):
            continue
        if shape == "positional_separator":
            yield from ([entry[0], "/", *entry[2:]] for entry in plain)
            plain = []
            continue
        if shape == "keyword_separator":
            kind = "k"
            continue
        name, default = outline.text(child), ""
        type_node = child.child_by_field_name("type")
        if shape in ("default_parameter", "typed_default_parameter"):
            named = child.child_by_field_name("name")
            value = child.child_by_field_name("value")
            name = outline.text(named) if named else name
            default = one_line(outline.text(value)) if value else ""
        elif shape == "typed_parameter":
            first = child.named_child(0)
            name = outline.text(first) if first else name
        stars = len(name) - len(name.lstrip("*"))
        annotation = one_line(outline.text(type_node)) if type_node else ""
        entry = [
            name.lstrip("* "),
            "*" * stars or kind,
            annotation,
            default,
        ]
        if stars == 1:
            kind = "k"
        plain.append(entry)
    for entry in plain:
        yield entry if any(entry[1:]) else entry[0]


def _complexities(outline: Outline) -> list[int]:
    definitions = outline.definitions
    bodies = [found.parts["body"][0].start_byte for found in definitions]
    counts = [1] * len(definitions)
    asserted = 0  # end of the last assert: what stands within it is not counted
    ended: set[int] = set()  # matches of which the case for all the rest was seen
    sites = outline.sites
    marks = [(node.start_byte, 0, node) for node in sites.get("branch", ())]
    marks += [(node.start_byte, -1, node) for node in sites.get("assert", ())]
    marks += [(node.start_byte, 1, node) for node in sites.get("case", ())]
    marks.sort(key=lambda mark: mark[:2])
    for place, kind, node in marks:
        if place < asserted or (kind == 1 and _ends(outline, node, ended)):
            continue
        if kind == -1:
            asserted = node.end_byte
        owner = outline.owner(place)
        if owner >= 0 and place >= bodies[owner]:
            counts[owner] += 1
    for index in range(len(definitions) - 1, -1, -1):
        parent = definitions[index].parent
        if parent >= 0 and definitions[parent].kind == "class":
            if definitions[index].kind == "function":
                counts[parent] += counts[index]
    return counts


def _ends(outline: Outline, case: Node, ended: set[int]) -> bool:
    """Return whether a case is the first of its match that is a bare name.

    That is the match's `else`; radon takes it so with a guard, too.
    """
    pattern, block = case.named_child(0), case.parent
    rest = case.child_by_field_name("guard")
    rest = rest or next((child for child in case.children if child.type == ":"), None)
    if pattern is None or block is None or rest is None or block.id in ended:
        return False
    place = slice(pattern.start_byte, rest.start_byte)
    text = outline.source[place].decode("utf-8", "replace").strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if not text.isidentifier() or text in ("None", "True", "False"):
        return False
    ended.add(block.id)
    return True
