"""A language that has a query file and nothing else.

What the queries capture becomes facts as it stands: definitions with their nesting, the
text of parameters, return type and bases, the comment right above a definition as its
documentation, call sites, branches and imports. What names mean, in this file and in
others, is worked out by linking.py, where a language's rules are known.

Captures of the first half, beside those that `language.py` names: @scope, what holds a
definition that stands elsewhere; @declarator, where a return type ends that is written
in two places. Of the second half: @wrap, @attribute (nesting.py), @local and @field
(local.py), @export (imported.py), @package, the name of what the file is part of, and
@invocation, a call that has no node for what it calls. docs/languages.md shows them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tree_sitter import QueryError

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import Bindings, ElementRow, packed
from repobuild.code.facts.imported_names import read_exports, read_imports
from repobuild.code.facts.local_bindings import binding_of
from repobuild.code.facts.nesting import NestedDefinition, Nesting
from repobuild.code.facts.parameter import flat, read_parameters
from repobuild.code.facts.syntax import Grammar, Outline, grammar
from repobuild.code.scan.language import known

_MARKS = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|//+[!/]?|#+|--+|;+|\*)[ \t]?|\*+/\s*$", re.M
)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_BRACKETS = re.compile(r"\([^()]+\)|\[[^\[\]]+\]|\{[^{}]*\}")
_CHAIN = re.compile(r"[\w$#.:>\-?!()\[\]<, *&~@]+")
_ROOT = re.compile(r"[\w$]+")
_INVOKED = re.compile(r"(\(\)|\[\]| ?\0)$")
_PADDED = re.compile(r"([(\[]) | ([)\]])")
_INLINE = re.compile(r"\{@(?:code|link|linkplain|literal|value)\s+([^{}]*)\}")
# `class EXPORT Name {`: the macro is no part of the language that the grammar reads.
_MACRO = re.compile(
    rb"\b(?:class|struct)\s+([A-Z][A-Z0-9_]{2,})(?=\s+\w+\s*(?:final\s*)?[:{])"
)
# Clang's classic thread safety marks, after a method's parameters or a field's name.
_ANNOTATION = re.compile(
    rb"(?<=[\w)])\s+((?:\w+_LOCKS_REQUIRED|LOCKS_EXCLUDED|\w*LOCK_FUNCTION"
    rb"|(?:PT_)?GUARDED_BY|ASSERT_(?:EXCLUSIVE|SHARED)_LOCK|ACQUIRED_(?:BEFORE|AFTER)"
    rb"|NO_THREAD_SAFETY_ANALYSIS)\b(?:[ ]?\([^()\n]*\))?)(?=\s*[;{=])"
)
_LONGEST_CHAIN = 100
_LONGEST_HEAD = 400
_MISSING = "no grammar: install {0} (pip install {0}) or all (pip install {1})"
_EXTRA = "'repobuild[languages]'"


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a file in any language with a query file."""
    try:
        found = grammar(language)
    except ModuleNotFoundError:
        return {"problem": _MISSING.format(known()[language].distribution, _EXTRA)}
    except (QueryError, ValueError, AttributeError) as error:
        name = known()[language].distribution
        return {"problem": f"{name} does not fit this language's query file: {error}"}
    # tree-sitter-go misses the end of a last line that has no newline.
    whole = source if source.endswith(b"\n") else source + b"\n"
    return _File(found, whole, known()[language].links).facts()


def plain(source: bytes, links: str) -> bytes:
    """Return a source as its grammar is to read it, every byte in its place."""
    if links != "c":
        return source
    for macro in (_MACRO, _ANNOTATION):
        source = macro.sub(_blanked, source)
    return source


def _blanked(match: re.Match[bytes]) -> bytes:
    return match[0].replace(match[1], b" " * len(match[1]))


class _File:
    """One file's outline, nesting and sites."""

    def __init__(self, grammar: Grammar, source: bytes, links: str) -> None:
        self.source = source
        self.links = links
        self.outline = Outline(grammar, plain(source, links))
        self.nesting = Nesting(self.outline)
        self.calls = self._calls()
        self.branches = self._branches()
        self.bases = self._bases_of_impls()
        self.vars = self._bound("local")
        self.attrs = self._bound("field")

    def facts(self) -> dict[str, Any]:
        outline, sites = self.outline, self.outline.sites
        imports, names = read_imports(sites.get("import", []), self.links)
        facts: dict[str, Any] = {
            "elements": [
                packed(self._element(index, found))
                for index, found in self.nesting.elements()
            ],
            "imports": imports,
            "names": read_exports(sites.get("export", []))
            | self.vars.get(-1, {})
            | names,
            "calls": self.calls.get(-1, []),
            "package": "".join(outline.text(node) for node in sites.get("package", [])),
        }
        if outline.error_line:
            facts["problem"] = f"syntax error in line {outline.error_line}"
        return facts

    def _calls(self) -> dict[int, list[list[Any]]]:
        """Return the calls of each definition, a name with all its lines."""
        lines: dict[int, dict[str, list[Any]]] = defaultdict(dict)
        sites = self.outline.sites
        whole = sites.get("invocation", [])
        nodes = [*sites.get("call", []), *whole]
        ids = {node.id for node in whole}
        for node in sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)):
            name = _chain(self.outline.text(node))
            name = _INVOKED.sub("", name) if node.id in ids else name
            found = lines[self.nesting.owner(node.start_byte)].setdefault(name, [name])
            found.append(node.start_point.row + 1)
        return {index: list(names.values()) for index, names in lines.items()}

    def _bound(self, capture: str) -> dict[int, Bindings]:
        """Return what names are bound to; of variables, what some call begins with."""
        known = self.outline.sites.get(capture, [])
        roots = {_root(call[0]) for calls in self.calls.values() for call in calls}
        own = {found.parts["name"][0].id for found in self.nesting.found}
        bound: dict[int, Bindings] = defaultdict(dict)
        for node in known:
            name = self.outline.text(node)
            if node.id in own or (capture == "local" and name not in roots):
                continue
            names, binding = (
                bound[self.nesting.owner(node.start_byte)],
                binding_of(node),
            )
            names[name] = binding if names.get(name, binding) == binding else ""
        return bound

    def _branches(self) -> dict[int, int]:
        branches: dict[int, int] = defaultdict(int)
        for node in self.outline.sites.get("branch", ()):
            branches[self.nesting.owner(node.start_byte)] += 1
        return branches

    def _bases_of_impls(self) -> dict[str, list[str]]:
        """Return the traits that this file implements, by what for."""
        bases: dict[str, list[str]] = defaultdict(list)
        for found in self.nesting.found:
            if found.kind == "impl" and found.name:
                bases[found.qual] += self._bases(found)
        return bases

    def _bases(self, found: NestedDefinition) -> list[str]:
        nodes = found.parts.get("bases", ())
        texts = [flat(self.outline.text(node)) for node in nodes]
        return [item for text in texts for item in _items(text)]

    def _element(self, index: int, found: NestedDefinition) -> ElementRow:
        start = self.source.rfind(b"\n", 0, found.start) + 1
        end = self.source.find(b"\n", found.end)
        first, row = self._row(found.start), self._row(found.said)
        own = self._bases(found)
        more = self.bases.get(found.qual, []) if found.kind == "class" else []
        said = ElementRow(
            qual=found.qual,
            type=found.kind,
            start_line=row + 1,
            end_line=self._row(found.end) + 1,
            lead=row - first,
            start=start,
            length=(end if end >= 0 else len(self.source)) - start,
            shape=self._shape(found),
            face=b"",
            complexity=1 + self.branches.get(index, 0),
            doc=self._doc(found),
            parameters=self._parameters(found),
            returns=self._returns(found),
            decorators=[flat(self._text(*span)) for span in found.attributes],
            bases=list(dict.fromkeys([*own, *more])),
            calls=self.calls.get(index, []),
            vars=self.vars.get(index, {}),
            attrs=self.attrs.get(index, {}) if found.kind == "class" else {},
            head=self._head(found),
        )
        return said._replace(face=_face(said))

    def _row(self, place: int) -> int:
        return self.outline.row(place)

    def _text(self, start: int, end: int) -> str:
        return self.source[start:end].decode("utf-8", "replace")

    def _parameters(self, found: NestedDefinition) -> list[Any]:
        nodes = found.parts.get("parameters", ())
        return read_parameters(nodes[0]) if nodes else []

    def _returns(self, found: NestedDefinition) -> str:
        """Return the type as written; C writes some of it beside the name."""
        nodes = found.parts.get("returns", ())
        if not nodes:
            return ""
        start = min(node.start_byte for node in nodes)
        ends = [node.start_byte for node in found.parts.get("declarator", ())]
        end = ends[0] if ends else nodes[0].end_byte
        return flat(self._text(start, end)).lstrip(":-> ")

    def _head(self, found: NestedDefinition) -> str:
        """Return the signature as written: what stands before the body."""
        bodies = found.parts.get("body", ())
        text = self._text(
            found.said, min(b.start_byte for b in bodies) if bodies else found.end
        )
        for start, end in self.outline.comments_in(found.said, found.end):
            text = text.replace(self._text(start, end), " ")
        if not bodies and found.kind == "class":
            text = text.partition("{")[0]
        head = (
            _PADDED.sub(r"\1\2", flat(text))
            .rstrip("{; ")
            .removesuffix("=>")
            .rstrip("= ")
        )
        return head if len(head) <= _LONGEST_HEAD else head[:_LONGEST_HEAD] + " ..."

    def _doc(self, found: NestedDefinition) -> str:
        """Return the comments right above, without their marks."""
        text = "\n".join(self._text(*span).rstrip() for span in found.comments)
        text = _INLINE.sub(r"`\1`", _MARKS.sub("", text))
        return "\n".join(line.strip() for line in text.strip().split("\n"))

    def _shape(self, found: NestedDefinition) -> bytes:
        """Return the digest of the lines without comments and common indentation."""
        pieces, place = [], found.start
        for start, end in self.outline.comments_in(found.start, found.end):
            if start >= place:
                pieces.append(self.source[place:start])
                place = end
        pieces.append(self.source[place : found.end])
        lines = [line.rstrip() for line in b"".join(pieces).split(b"\n")]
        first = self.source.rfind(b"\n", 0, found.start) + 1
        margin = len(self.source[first : found.start])
        return digest(*(_less(line, margin) for line in lines if line))


def _less(line: bytes, margin: int) -> bytes:
    return line[min(margin, len(line) - len(line.lstrip())) :]


def _face(row: ElementRow) -> bytes:
    said = (row.type, row.head, row.doc, row.parameters, row.returns, row.bases)
    parts = (row.qual.rpartition(".")[2], repr((*said, row.decorators)))
    return digest(*(part.encode("utf-8", "replace") for part in parts))


def _root(chain: str) -> str:
    found = _ROOT.match(chain)
    return found[0] if found else ""


def _chain(text: str) -> str:
    """Return what is called as a chain (row.py): `a.b(x).c` is `a.b().c`."""
    if text.isidentifier():
        return text
    before, text = "", _STRING.sub("''", flat(text))
    while before != text:
        before, text = text, _BRACKETS.sub(_emptied, text)
    if len(text) > _LONGEST_CHAIN or not _CHAIN.fullmatch(text.replace("''", "")):
        return "?"
    return text


def _emptied(match: re.Match[str]) -> str:
    return {"(": "()", "[": "[]", "{": "\0"}[match[0][0]]


def _items(text: str) -> list[str]:
    """Return comma-separated items; commas within brackets part nothing."""
    items, depth, last = [], 0, 0
    inner = text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text
    for place, character in enumerate(inner):
        if character in "([{<":
            depth += 1
        elif character in ")]}>":
            depth -= 1
        elif character == "," and depth <= 0:
            items.append(inner[last:place])
            last = place + 1
    items.append(inner[last:])
    return [item.strip() for item in items if item.strip()]
