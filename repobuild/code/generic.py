"""A language that has a query file and nothing else.

What the queries capture becomes facts as it stands: definitions with their nesting, the
text of parameters, return type and bases, the comment right above a definition as its
documentation, call sites, branches and the text of imports. Names are not resolved
across files: that needs a language's own rules, and a wrong edge is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from repobuild.code.row import Row, packed
from repobuild.code.shape import digest
from repobuild.code.syntax import Definition, Outline, grammar

_MARKS = re.compile(r"^[ \t]*(?:/\*+|\*+/|//+[!/]?|#+|--+|;+|\*)[ \t]?|\*+/\s*$", re.M)
_SPACE = re.compile(r"\s+")


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a file in any language with a query file."""
    outline = Outline(grammar(language), source)
    calls, branches = _sites(outline)
    facts: dict[str, Any] = {
        "elements": [
            packed(_element(outline, found, calls[index], branches[index]))
            for index, found in enumerate(outline.definitions)
        ],
        "imports": [
            [node.start_point.row + 1, _flat(outline.text(node)), "", ""]
            for node in outline.sites.get("import", ())
        ],
        "calls": calls[-1],
    }
    if outline.error_line:
        facts["problem"] = f"syntax error in line {outline.error_line}"
    return facts


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _sites(outline: Outline) -> tuple[dict[int, list[list[Any]]], dict[int, int]]:
    """Return calls and the number of branches of each definition."""
    lines: dict[int, dict[str, list[Any]]] = defaultdict(dict)
    for node in outline.sites.get("call", ()):
        name = _flat(outline.text(node))
        found = lines[outline.owner(node.start_byte)].setdefault(name, [name])
        found.append(node.start_point.row + 1)
    branches: dict[int, int] = defaultdict(int)
    for node in outline.sites.get("branch", ()):
        branches[outline.owner(node.start_byte)] += 1
    calls: dict[int, list[list[Any]]] = defaultdict(list)
    for index, names in lines.items():
        calls[index] = list(names.values())
    return calls, branches


def _element(
    outline: Outline, found: Definition, calls: list[list[Any]], branches: int
) -> Row:
    source = outline.source
    parameters = _items(_part(outline, found, "parameters"))
    returns = _part(outline, found, "returns").lstrip(":-> ")
    bases = _items(_part(outline, found, "bases"))
    doc = _comment_above(outline, found)
    said = (found.kind, doc, parameters, returns, bases)
    start = source.rfind(b"\n", 0, found.start) + 1
    end = source.find(b"\n", found.end)
    return Row(
        qual=found.qual,
        type=found.kind,
        start_line=found.row + 1,
        end_line=found.last_row + 1,
        lead=found.row - found.first_row,
        start=start,
        length=(end if end >= 0 else len(source)) - start,
        shape=outline.shape(found),
        face=digest(found.name.encode(), repr(said).encode("utf-8", "replace")),
        complexity=1 + branches,
        doc=doc,
        parameters=parameters,
        returns=returns,
        decorators=[_flat(outline.text(node)) for node in found.decorators],
        bases=bases,
        calls=calls,
    )


def _part(outline: Outline, found: Definition, part: str) -> str:
    nodes = found.parts.get(part)
    return _flat(outline.text(nodes[0])) if nodes else ""


def _items(text: str) -> list[str]:
    """Return comma-separated items; commas within brackets part nothing."""
    items, depth, last = [], 0, 0
    inner = text[1:-1] if text[:1] in "([<" and text[-1:] in ")]>" else text
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


def _comment_above(outline: Outline, found: Definition) -> str:
    """Return the comments that end in the line above, without their marks."""
    place, parts = found.start, []
    for start, end in reversed(outline.comments):
        if end > place:
            continue
        between = outline.source[end:place]
        if between.strip() or between.count(b"\n") > 1:
            break
        parts.append(outline.source[start:end].decode("utf-8", "replace"))
        place = start
    text = _MARKS.sub("", "\n".join(reversed(parts)))
    return "\n".join(line.strip() for line in text.strip().split("\n"))
