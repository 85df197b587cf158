"""Read the facts of a language that has a query file and no module of its own.

The captures become facts as written: definitions with their nesting, the text of
parameters, return type and bases, the comment right above a definition as its
documentation, call sites, branches and imports. What names mean, in this file and in
others, is resolved later by the language's rules (resolve/linked).

Captures of the first half beyond those that scan/language.py lists: @scope, the type
that a definition elsewhere belongs to; @declarator, where a return type ends that
C writes partly beside the name. Of the second half: @wrap, @attribute (nesting.py),
@local and @field (local_bindings.py), @export (imported_names.py), @package, the name
of the package that the file belongs to, and @invocation, a call that has no node for
its callee. docs/languages.md shows them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tree_sitter import QueryError

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.c_macros import blank_macros
from repobuild.code.facts.element_row import Bindings, ElementRow, pack_row
from repobuild.code.facts.imported_names import read_exports, read_imports
from repobuild.code.facts.local_bindings import binding_of
from repobuild.code.facts.nesting import NestedDefinition, Nesting
from repobuild.code.facts.parameter import on_one_line, read_parameters
from repobuild.code.facts.syntax import Grammar, Outline, load_grammar
from repobuild.code.scan.language import all_languages, without_grammar

_COMMENT_MARKS = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|//+[!/]?|#+|--+|;+|\*)[ \t]?|\*+/\s*$", re.M
)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_BRACKETS = re.compile(r"\([^()]+\)|\[[^\[\]]+\]|\{[^{}]*\}")
_CHAIN = re.compile(r"[\w$#.:>\-?!()\[\]<, *&~@]+")
_ROOT = re.compile(r"[\w$]+")
_INVOCATION_END = re.compile(r"(\(\)|\[\]| ?\0)$")
_PADDED_BRACKET = re.compile(r"([(\[]) | ([)\]])")
_JAVADOC_TAG = re.compile(r"\{@(?:code|link|linkplain|literal|value)\s+([^{}]*)\}")
# What a group of functions is called, above the first of them:
#     __init__, destructor and __next__       pool_take(), pool_give(): both count
# "Opens, reads and closes" is none: among words must be a name, with `_` or `()`.
_NAME = r"[\w$]+(?:\(\))?"
_NAMES = re.compile(rf"{_NAME}(?:(?:, and |, | and | & ){_NAME})+")
_NO_WORD = re.compile(r"\w_|_\w|\(\)")
_END = re.compile(r"(?: (?:functions|methods|slots|callbacks))?(?:[.:](?= |$)|$)")
_SPECIAL_FIRST = re.compile(r"__\w+__(?:\(\))?(?:,| and )")
_LONGEST_HEADING = 400
_LONGEST_CHAIN = 100
_LONGEST_HEAD = 400


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a file in any language with a query file."""
    entry = all_languages()[language]
    try:
        loaded = load_grammar(language)
    except ModuleNotFoundError:
        return {"problem": without_grammar(language)}
    except (QueryError, ValueError, AttributeError) as error:
        name = entry.distribution
        return {"problem": f"{name} does not fit this language's query file: {error}"}
    # tree-sitter-go misses the end of a last line that has no newline.
    whole = source if source.endswith(b"\n") else source + b"\n"
    return _File(loaded, whole, entry.links).facts()


class _File:
    """One file's outline, nesting and sites; definitions are named by their index."""

    def __init__(self, grammar: Grammar, source: bytes, links: str) -> None:
        self.source = source
        self.links = links
        self.outline = Outline(grammar, blank_macros(source, links))
        self.nesting = Nesting(self.outline)
        self.calls = self._calls()
        self.branches: dict[int, int] = defaultdict(int)
        for node in self.outline.sites.get("branch", ()):
            self.branches[self.nesting.owner(node.start_byte)] += 1
        self.impl_bases = self._impl_bases()
        self.vars = self._bindings("local")
        self.attrs = self._bindings("field")

    def facts(self) -> dict[str, Any]:
        outline, sites = self.outline, self.outline.sites
        imports, imported_names = read_imports(sites.get("import", []), self.links)
        exported_names = read_exports(sites.get("export", []))
        facts: dict[str, Any] = {
            "elements": [
                pack_row(self._element(index, definition))
                for index, definition in self.nesting.elements()
            ],
            "imports": imports,
            "names": exported_names | self.vars.get(-1, {}) | imported_names,
            "calls": self.calls.get(-1, []),
            "package": "".join(outline.text(node) for node in sites.get("package", [])),
        }
        if outline.error_line:
            facts["problem"] = f"syntax error in line {outline.error_line}"
        return facts

    def _calls(self) -> dict[int, list[list[Any]]]:
        """Return the calls of each definition, each name with all its lines."""
        calls: dict[int, dict[str, list[Any]]] = defaultdict(dict)
        sites = self.outline.sites
        invocations = sites.get("invocation", [])
        nodes = [*sites.get("call", []), *invocations]
        invocation_ids = {node.id for node in invocations}
        for node in sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)):
            name = _chain(self.outline.text(node))
            if node.id in invocation_ids:
                name = _INVOCATION_END.sub("", name)
            owner = self.nesting.owner(node.start_byte)
            calls[owner].setdefault(name, [name]).append(node.start_point.row + 1)
        return {index: list(by_name.values()) for index, by_name in calls.items()}

    def _bindings(self, capture: str) -> dict[int, Bindings]:
        """Return each definition's bindings; of locals only those that a call uses."""
        sites = self.outline.sites.get(capture, [])
        called = {_root(name) for calls in self.calls.values() for name, *_ in calls}
        definition_names = {one.parts["name"][0].id for one in self.nesting.definitions}
        bindings: dict[int, Bindings] = defaultdict(dict)
        for node in sites:
            name = self.outline.text(node)
            if node.id in definition_names or (
                capture == "local" and name not in called
            ):
                continue
            names = bindings[self.nesting.owner(node.start_byte)]
            binding = binding_of(node)
            names[name] = binding if names.get(name, binding) == binding else ""
        return bindings

    def _impl_bases(self) -> dict[str, list[str]]:
        """Return the traits that this file's `impl` blocks name, by type."""
        bases: dict[str, list[str]] = defaultdict(list)
        for definition in self.nesting.definitions:
            if definition.kind == "impl" and definition.name:
                bases[definition.qual] += self._bases(definition)
        return bases

    def _bases(self, definition: NestedDefinition) -> list[str]:
        nodes = definition.parts.get("bases", ())
        texts = [on_one_line(self.outline.text(node)) for node in nodes]
        return [item for text in texts for item in _split_items(text)]

    def _element(self, index: int, definition: NestedDefinition) -> ElementRow:
        outline, is_class = self.outline, definition.kind == "class"
        start = self.source.rfind(b"\n", 0, definition.start) + 1
        end = self.source.find(b"\n", definition.end)
        first_row = outline.row(definition.start)
        row = outline.row(definition.head_start)
        bases = self._bases(definition)
        if is_class:
            bases += self.impl_bases.get(definition.qual, [])
        attributes = [self._text(*span) for span in definition.attributes]
        nodes = definition.parts.get("parameters", ())
        element = ElementRow(
            qual=definition.qual,
            type=definition.kind,
            start_line=row + 1,
            end_line=outline.row(definition.end) + 1,
            lead=row - first_row,
            start=start,
            length=(end if end >= 0 else len(self.source)) - start,
            body_digest=self._body_digest(definition),
            interface_digest=b"",
            complexity=1 + self.branches.get(index, 0),
            doc=self._doc(definition),
            parameters=read_parameters(nodes[0]) if nodes else [],
            returns=self._returns(definition),
            decorators=[on_one_line(text) for text in attributes],
            bases=list(dict.fromkeys(bases)),
            calls=self.calls.get(index, []),
            vars=self.vars.get(index, {}),
            attrs=self.attrs.get(index, {}) if is_class else {},
            head=self._head(definition),
        )
        return element._replace(interface_digest=_interface_digest(element))

    def _text(self, start: int, end: int) -> str:
        return self.source[start:end].decode("utf-8", "replace")

    def _returns(self, definition: NestedDefinition) -> str:
        """Return the type as written; C writes some of it beside the name."""
        nodes = definition.parts.get("returns", ())
        if not nodes:
            return ""
        start = min(node.start_byte for node in nodes)
        ends = [node.start_byte for node in definition.parts.get("declarator", ())]
        end = ends[0] if ends else nodes[0].end_byte
        return on_one_line(self._text(start, end)).lstrip(":-> ")

    def _head(self, definition: NestedDefinition) -> str:
        """Return the signature as written: the text before the body."""
        start, end = definition.head_start, definition.end
        bodies = [node.start_byte for node in definition.parts.get("body", ())]
        text = self._text(start, min(bodies) if bodies else end)
        for comment in self.outline.comments_in(start, end):
            text = text.replace(self._text(*comment), " ")
        if not bodies and definition.kind == "class":
            text = text.partition("{")[0]
        head = _PADDED_BRACKET.sub(r"\1\2", on_one_line(text))
        head = head.rstrip("{; ").removesuffix("=>").rstrip("= ")
        return head if len(head) <= _LONGEST_HEAD else head[:_LONGEST_HEAD] + " ..."

    def _doc(self, definition: NestedDefinition) -> str:
        """Return the comments right above, without their marks, "" for a heading."""
        text = "\n".join(self._text(*span).rstrip() for span in definition.comments)
        text = _JAVADOC_TAG.sub(r"`\1`", _COMMENT_MARKS.sub("", text))
        doc = "\n".join(line.strip() for line in text.strip().split("\n"))
        return "" if is_group_heading(doc) else doc

    def _body_digest(self, definition: NestedDefinition) -> bytes:
        """Return the digest of the lines without comments and common indentation."""
        pieces, copied = [], definition.start
        for start, end in self.outline.comments_in(definition.start, definition.end):
            if start >= copied:
                pieces.append(self.source[copied:start])
                copied = end
        pieces.append(self.source[copied : definition.end])
        lines = [line.rstrip() for line in b"".join(pieces).split(b"\n")]
        first = self.source.rfind(b"\n", 0, definition.start) + 1
        margin = len(self.source[first : definition.start])
        return digest(*(_dedent(line, margin) for line in lines if line))


def is_group_heading(comment: str) -> bool:
    """Return whether a comment begins by naming several functions."""
    text = " ".join(comment[:_LONGEST_HEADING].split())
    if _SPECIAL_FIRST.match(text):
        return True
    names = _NAMES.match(text)
    if names is None or not _NO_WORD.search(names[0]):
        return False
    return bool(_END.match(text, names.end()))


def _dedent(line: bytes, margin: int) -> bytes:
    return line[min(margin, len(line) - len(line.lstrip())) :]


def _interface_digest(row: ElementRow) -> bytes:
    visible = (row.type, row.head, row.doc, row.parameters, row.returns, row.bases)
    parts = (row.qual.rpartition(".")[2], repr((*visible, row.decorators)))
    return digest(*(part.encode("utf-8", "replace") for part in parts))


def _root(chain: str) -> str:
    match = _ROOT.match(chain)
    return match[0] if match else ""


def _chain(text: str) -> str:
    """Return a callee as a chain (element_row.py): `a.b(x).c` is `a.b().c`."""
    if text.isidentifier():
        return text
    before, text = "", _STRING.sub("''", on_one_line(text))
    while before != text:
        before, text = text, _BRACKETS.sub(_empty_brackets, text)
    if len(text) > _LONGEST_CHAIN or not _CHAIN.fullmatch(text.replace("''", "")):
        return "?"
    return text


def _empty_brackets(match: re.Match[str]) -> str:
    return {"(": "()", "[": "[]", "{": "\0"}[match[0][0]]


def _split_items(text: str) -> list[str]:
    """Return comma-separated items; commas within brackets do not separate."""
    items, depth, start = [], 0, 0
    inner = text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text
    for index, character in enumerate(inner):
        if character in "([{<":
            depth += 1
        elif character in ")]}>":
            depth -= 1
        elif character == "," and depth <= 0:
            items.append(inner[start:index])
            start = index + 1
    items.append(inner[start:])
    return [item.strip() for item in items if item.strip()]
