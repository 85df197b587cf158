"""Read import and export statements, and the names that they bind.

The result is `imports` and `names` of a facts row (parse.py, element_row.py), in one
form for all languages. A module's name is written like the paths it is resolved by:

    javascript   ./a/b   `import {n as a} from`  [l, "./a/b", "n", "a"]  a: "@./a/b:n"
                         a renaming export: "export a": "=n"
    java         a.b     `import a.b.C;`         [l, "a.b", "C", ""]     C: "@a.b:C"
    rust         a.b     `use a::b::{c as d};`   [l, "a.b", "c", "d"]    d: "@a.b:c"
    go           a/b     `import d "a/b"`        [l, "a/b", "", "d"]     d: "!a/b"
    c            a/b.h   `#include "a/b.h"`      [l, "a/b.h", "", ""]    or "<a/b.h>"

In any other language an import is the text that the query captured. `_LANGUAGES` at the
end of the file maps a language's `links` setting to its two functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tree_sitter import Node

from repobuild.code.facts.element_row import Bindings
from repobuild.code.facts.parameter import on_one_line

_MAX_STATEMENT = 10_000  # bytes of one statement that are read
_FROM = re.compile(
    r"^(import|export)\s+(?:type\s+|typeof\s+)?(.*?)\s*from\s*['\"]", re.S
)
_ASSIGNED = re.compile(r"^(?:module\.)?exports(?:\.([\w$]+))?\s*=\s*(.*?);?$", re.S)
_WORD = re.compile(r"[\w$]+")
_DEFAULT = re.compile(
    r"^export\s+default\s+(?:(?:abstract\s+)?class\s+|(?:async\s+)?function\s*\*?\s*)?"
    r"([\w$]+)"
)
_JAVA_IMPORT = re.compile(r"^import\s+(?:static\s+)?([\w.]+?)(?:\.(\*|\w+))?\s*;?$")
_VERSION = re.compile(r"^v\d+$")


class Import(NamedTuple):
    """One imported name; "" for `name` is the module itself."""

    module: str
    name: str = ""
    alias: str = ""


Read = Callable[[Node], Iterator[Import]]
Bind = Callable[[Import, Node], Iterator[tuple[str, str]]]  # yields (name, binding)


def read_imports(nodes: list[Node], links: str) -> tuple[list[list[object]], Bindings]:
    """Return the imports in source order, and the names that they bind."""
    rows: list[list[object]] = []
    names: Bindings = {}
    read, bind = _LANGUAGES.get(links, (_read_as_written, _bind_nothing))
    for node in nodes:
        for one in read(node):
            rows.append([node.start_point.row + 1, *one])
            for name, binding in bind(one, node):
                _add(names, name, binding)
    return rows, names


def read_exports(nodes: list[Node]) -> Bindings:
    """Return the names that JavaScript exports under another name."""
    return {
        f"export {exported}": f"={name}"
        for node in nodes
        for exported, name in _exported(_text(node))
    }


def _add(names: Bindings, name: str, binding: str) -> None:
    """Add a binding: the first of a name counts, star imports are collected."""
    if not name.endswith("*"):
        names.setdefault(name, binding)
        return
    stars = names.setdefault(name, [])
    if isinstance(stars, list):
        stars.append(binding)


def _text(node: Node | None) -> str:
    if node is None:
        return ""
    return (node.text or b"")[:_MAX_STATEMENT].decode("utf-8", "replace")


def _unquoted(node: Node) -> str:
    return on_one_line(_text(node)).strip("\"'`")


def _read_as_written(node: Node) -> Iterator[Import]:
    yield Import(_unquoted(node))


def _bind_nothing(one: Import, node: Node) -> Iterator[tuple[str, str]]:
    yield from ()


def _bind_names(one: Import, node: Node) -> Iterator[tuple[str, str]]:
    """Yield the binding of a name that is imported from a module."""
    if one.name == "*":
        yield "*", one.module
    elif one.name and one.alias != "_":
        yield one.alias or one.name, f"@{one.module}:{one.name}"


# -- JavaScript and TypeScript


def _read_javascript(node: Node) -> Iterator[Import]:
    module = _unquoted(node)
    clause = _FROM.match(_text(node.parent))
    names = _import_clause(clause[2]) if clause else _required_names(node)
    yield from (Import(module, name, alias) for name, alias in names)


def _import_clause(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, alias) of `d, * as n, {a as b}`; "" is the module itself."""
    outside, _, rest = text.partition("{")
    for part in outside.split(","):
        words = part.split()
        if words[:1] == ["*"]:
            yield ("", words[2]) if len(words) > 2 else ("*", "")
        elif words:
            yield "default", words[-1]
    yield from _name_list(rest.partition("}")[0], " as ")


def _name_list(text: str, sign: str) -> Iterator[tuple[str, str]]:
    """Yield (name, alias) of the parts between braces."""
    for part in text.split(","):
        name, _, alias = on_one_line(part).removeprefix("type ").partition(sign)
        name, alias = name.strip(), alias.partition("=")[0].strip()
        if _WORD.fullmatch(name) and (not alias or _WORD.fullmatch(alias)):
            yield name, alias


def _required_names(node: Node) -> Iterator[tuple[str, str]]:
    """Yield (name, alias) of `const {a: b} = require("m").c`, `import m = require`."""
    call = node.parent.parent if node.parent else None
    if node.parent and node.parent.type == "import_require_clause":
        yield "", on_one_line(_text(node.parent)).partition("=")[0].strip()
        return
    outer = call.parent if call else None
    member = ""
    if outer and outer.type == "member_expression":
        member = _text(outer.child_by_field_name("property"))
        outer = outer.parent
    target = None
    if outer and outer.type == "variable_declarator":
        target = on_one_line(_text(outer.child_by_field_name("name")))
    if not target:
        yield "", ""
    elif target.startswith("{") and not member:
        yield from _name_list(target[1:-1], ":")
    elif _WORD.fullmatch(target):
        yield member, target


def _bind_javascript(one: Import, node: Node) -> Iterator[tuple[str, str]]:
    statement = node.parent
    prefix = "export " if statement and statement.type == "export_statement" else ""
    if one.name == "*":
        yield prefix + "*", one.module
    elif one.name:
        yield prefix + (one.alias or one.name), f"@{one.module}:{one.name}"
    elif one.alias:
        yield prefix + one.alias, f"!{one.module}"


def _exported(text: str) -> Iterator[tuple[str, str]]:
    """Yield (exported name, name in the module)."""
    default = _DEFAULT.match(text)
    if default:
        yield "default", default[1]
        return
    assigned = _ASSIGNED.match(text)
    if assigned is None:
        braced = text.partition("{")[2].partition("}")[0]
        names = _name_list(braced, " as ") if text.startswith("export") else ()
        yield from ((alias or name, name) for name, alias in names)
        return
    name, value = assigned[1], assigned[2].strip()
    if value.startswith("{") and not name:
        parts = _name_list(value[1:].rpartition("}")[0], ":")
        yield from ((name, alias or name) for name, alias in parts)
    elif _WORD.fullmatch(value):
        yield name or "default", value


# -- Java


def _read_java(node: Node) -> Iterator[Import]:
    match = _JAVA_IMPORT.match(on_one_line(_text(node.parent)))
    if match:
        yield Import(match[1], match[2] or "")


# -- Rust


def _read_rust(node: Node) -> Iterator[Import]:
    if node.parent and node.parent.type == "mod_item":
        yield Import(f"self.{_text(node)}")
    elif node.parent and node.parent.type == "extern_crate_declaration":
        alias = _text(node.parent.child_by_field_name("alias"))
        yield Import(_text(node), alias=alias)
    else:
        yield from _use_tree("", on_one_line(_text(node)))


def _use_tree(before: str, text: str) -> Iterator[Import]:
    """Yield the imports of a `use` tree: `a::{b, c::{d as e}, self}`."""
    head, brace, rest = text.partition("{")
    if brace:
        inner = ".".join(part for part in (before, _dotted(head)) if part)
        for part in _split_braced(rest.rpartition("}")[0]):
            yield from _use_tree(inner, part)
        return
    path, _, alias = head.partition(" as ")
    whole = ".".join(part for part in (before, _dotted(path)) if part)
    module, _, name = whole.removesuffix(".self").rpartition(".")
    yield Import(module or name, name if module else "", alias.strip())


def _dotted(text: str) -> str:
    return text.replace("r#", "").replace("::", ".").replace(" ", "").strip(".")


def _split_braced(text: str) -> Iterator[str]:
    """Yield the parts between commas that are in no inner braces."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            yield text[start:index].strip()
            start = index + 1
    if text[start:].strip():
        yield text[start:].strip()


# -- Go


def _read_go(node: Node) -> Iterator[Import]:
    alias = node.parent.child_by_field_name("name") if node.parent else None
    yield Import(_unquoted(node), alias=_text(alias))


def _bind_go(one: Import, node: Node) -> Iterator[tuple[str, str]]:
    """Yield the package's name: by custom its path's last part but for a version."""
    parts = [part for part in one.module.split("/") if not _VERSION.match(part)]
    name = one.alias or (parts[-1] if parts else "").partition(".")[0]
    if name not in ("_", "."):
        yield name, f"!{one.module}"


# -- C and C++


def _read_c(node: Node) -> Iterator[Import]:
    yield Import(on_one_line(_text(node)).strip('"'))


_LANGUAGES: dict[str, tuple[Read, Bind]] = {
    "javascript": (_read_javascript, _bind_javascript),
    "java": (_read_java, _bind_names),
    "rust": (_read_rust, _bind_names),
    "go": (_read_go, _bind_go),
    "c": (_read_c, _bind_nothing),
}
