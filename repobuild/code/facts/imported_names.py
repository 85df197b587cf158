"""What a file imports, and what its imports and exports make of names.

Returned are `imports` and `names` of a facts row (parse.py, row.py), in one form for
all languages; parts of a module's name are parted by what the language's files are:

    javascript   ./a/b   `import {n as a} from`  [l, "./a/b", "n", "a"]  a: "@./a/b:n"
                         what a module exports under another name: "export a": "=n"
    java         a.b     `import a.b.C;`         [l, "a.b", "C", ""]     C: "@a.b:C"
    rust         a.b     `use a::b::{c as d};`   [l, "a.b", "c", "d"]    d: "@a.b:c"
    go           a/b     `import d "a/b"`        [l, "a/b", "", "d"]     d: "!a/b"
    c            a/b.h   `#include "a/b.h"`      [l, "a/b.h", "", ""]    or "<a/b.h>"

In any other language an import is what the query captured, as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from repobuild.code.facts.element_row import Bindings
from repobuild.code.facts.parameter import flat

Entry = tuple[str, str, str]  # module, name, alias
_LONGEST = 10_000  # characters of one statement that are looked at
_FROM = re.compile(
    r"^(import|export)\s+(?:type\s+|typeof\s+)?(.*?)\s*from\s*['\"]", re.S
)
_ASSIGNED = re.compile(r"^(?:module\.)?exports(?:\.([\w$]+))?\s*=\s*(.*?);?$", re.S)
_WORD = re.compile(r"[\w$]+")
_DEFAULT = re.compile(
    r"^export\s+default\s+(?:(?:abstract\s+)?class\s+|(?:async\s+)?function\s*\*?\s*)?"
    r"([\w$]+)"
)
_STATIC = re.compile(r"^import\s+(?:static\s+)?([\w.]+?)(?:\.(\*|\w+))?\s*;?$")
_VERSION = re.compile(r"^v\d+$")


def read_imports(nodes: list[Node], links: str) -> tuple[list[list[object]], Bindings]:
    """Return the imports in source order, and what names they bind."""
    rows: list[list[object]] = []
    names: Bindings = {}
    read, bind = _READERS.get(links, (_plain, _none))
    for node in nodes:
        for entry in read(node):
            rows.append([node.start_point.row + 1, *entry])
            for name, binding in bind(entry, node):
                _add(names, name, binding)
    return rows, names


def read_exports(nodes: list[Node]) -> Bindings:
    """Return what JavaScript's export statements give another name."""
    names: Bindings = {}
    for node in nodes:
        for name, meaning in _exported(_said(node)):
            names[f"export {name}"] = f"={meaning}"
    return names


def _add(names: Bindings, name: str, binding: str) -> None:
    if not name.endswith("*"):
        names.setdefault(name, binding)
        return
    found = names.setdefault(name, [])
    if isinstance(found, list):
        found.append(binding)


def _said(node: Node | None) -> str:
    return (node.text or b"")[:_LONGEST].decode("utf-8", "replace") if node else ""


def _unquoted(node: Node) -> str:
    return flat(_said(node)).strip("\"'`")


def _plain(node: Node) -> Iterator[Entry]:
    yield _unquoted(node), "", ""


def _none(entry: Entry, node: Node) -> Iterator[tuple[str, str]]:
    yield from ()


def _bound(entry: Entry, node: Node) -> Iterator[tuple[str, str]]:
    """Yield what an entry binds, where a name is imported from a module."""
    module, name, alias = entry
    if name == "*":
        yield "*", module
    elif name and alias != "_":
        yield alias or name, f"@{module}:{name}"


# -- JavaScript and TypeScript


def _javascript(node: Node) -> Iterator[Entry]:
    module = _unquoted(node)
    clause = _FROM.match(_said(node.parent))
    if clause:
        yield from ((module, *pair) for pair in _clause(clause[2]))
        return
    yield from ((module, *pair) for pair in _required(node))


def _clause(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, alias) of `d, * as n, {a as b}`; "" is the module itself."""
    outside, _, rest = text.partition("{")
    for part in outside.split(","):
        words = part.split()
        if words[:1] == ["*"]:
            yield ("", words[2]) if len(words) > 2 else ("*", "")
        elif words:
            yield "default", words[-1]
    yield from _listed(rest.partition("}")[0], " as ")


def _listed(text: str, sign: str) -> Iterator[tuple[str, str]]:
    """Yield (name, alias) of the parts between braces."""
    for part in text.split(","):
        name, _, alias = flat(part).removeprefix("type ").partition(sign)
        name, alias = name.strip(), alias.partition("=")[0].strip()
        if _WORD.fullmatch(name) and (not alias or _WORD.fullmatch(alias)):
            yield name, alias


def _required(node: Node) -> Iterator[tuple[str, str]]:
    """Yield what `const {a: b} = require("m").c` takes; `import m = require("m")`."""
    call = node.parent.parent if node.parent else None
    if node.parent and node.parent.type == "import_require_clause":
        yield "", flat(_said(node.parent)).partition("=")[0].strip()
        return
    outer = call.parent if call else None
    member = ""
    if outer and outer.type == "member_expression":
        member = _said(outer.child_by_field_name("property"))
        outer = outer.parent
    target = None
    if outer and outer.type == "variable_declarator":
        target = flat(_said(outer.child_by_field_name("name")))
    if not target:
        yield "", ""
    elif target.startswith("{") and not member:
        yield from _listed(target[1:-1], ":")
    elif _WORD.fullmatch(target):
        yield member, target


def _bound_javascript(entry: Entry, node: Node) -> Iterator[tuple[str, str]]:
    module, name, alias = entry
    statement = node.parent
    prefix = "export " if statement and statement.type == "export_statement" else ""
    if name == "*":
        yield prefix + "*", module
    elif name:
        yield prefix + (alias or name), f"@{module}:{name}"
    elif alias:
        yield prefix + alias, f"!{module}"


def _exported(text: str) -> Iterator[tuple[str, str]]:
    """Yield (exported name, name in the module)."""
    default = _DEFAULT.match(text)
    if default:
        yield "default", default[1]
        return
    assigned = _ASSIGNED.match(text)
    if assigned is None:
        listed = text.partition("{")[2].partition("}")[0]
        names = _listed(listed, " as ") if text.startswith("export") else ()
        yield from ((alias or name, name) for name, alias in names)
        return
    name, value = assigned[1], assigned[2].strip()
    if value.startswith("{") and not name:
        parts = _listed(value[1:].rpartition("}")[0], ":")
        yield from ((name, alias or name) for name, alias in parts)
    elif _WORD.fullmatch(value):
        yield name or "default", value


# -- the others


def _java(node: Node) -> Iterator[Entry]:
    match = _STATIC.match(flat(_said(node.parent)))
    if match:
        yield match[1], match[2] or "", ""


def _rust(node: Node) -> Iterator[Entry]:
    if node.parent and node.parent.type == "mod_item":
        yield f"self.{_said(node)}", "", ""
    elif node.parent and node.parent.type == "extern_crate_declaration":
        yield _said(node), "", _said(node.parent.child_by_field_name("alias"))
    else:
        yield from _used("", flat(_said(node)))


def _used(before: str, text: str) -> Iterator[Entry]:
    """Yield what a `use` tree brings: `a::{b, c::{d as e}, self}`."""
    head, brace, rest = text.partition("{")
    if brace:
        inner = ".".join(part for part in (before, _dotted(head)) if part)
        for part in _parted(rest.rpartition("}")[0]):
            yield from _used(inner, part)
        return
    path, _, alias = head.partition(" as ")
    whole = ".".join(part for part in (before, _dotted(path)) if part)
    module, _, name = whole.removesuffix(".self").rpartition(".")
    yield (module, name, alias.strip()) if module else (name, "", alias.strip())


def _dotted(text: str) -> str:
    return text.replace("r#", "").replace("::", ".").replace(" ", "").strip(".")


def _parted(text: str) -> Iterator[str]:
    """Yield the parts between commas that lie in no inner braces."""
    depth, last = 0, 0
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            yield text[last:place].strip()
            last = place + 1
    if text[last:].strip():
        yield text[last:].strip()


def _go(node: Node) -> Iterator[Entry]:
    alias = node.parent.child_by_field_name("name") if node.parent else None
    yield _unquoted(node), "", _said(alias)


def _bound_go(entry: Entry, node: Node) -> Iterator[tuple[str, str]]:
    """Yield the package's name: by custom its path's last part, but for a version."""
    module, _, alias = entry
    parts = [part for part in module.split("/") if not _VERSION.match(part)]
    name = alias or (parts[-1] if parts else "").partition(".")[0]
    if name not in ("_", "."):
        yield name, f"!{module}"


def _c(node: Node) -> Iterator[Entry]:
    yield flat(_said(node)).strip('"'), "", ""


Read = Callable[[Node], Iterator[Entry]]
Bind = Callable[[Entry, Node], Iterator[tuple[str, str]]]
_READERS: dict[str, tuple[Read, Bind]] = {
    "javascript": (_javascript, _bound_javascript),
    "java": (_java, _bound),
    "rust": (_rust, _bound),
    "go": (_go, _bound_go),
    "c": (_c, _none),
}
