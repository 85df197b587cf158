"""Find what is done for most siblings: decorators, calls, imports, methods that ask.

What each sibling has in its own words is compared without its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import (
    LONGEST_LINE,
    MOST_METHODS,
    Tree,
    is_usual,
)
from repobuild.samples.families.membership import Family, is_aside

_CALL = re.compile(r"([A-Za-z][\w.]*)\((?:.*\))?$")
_MOST_CALLS = 2
# Calls that every module may have, whatever it defines.
_GENERAL_CALL = re.compile(r"(?:print|logging|warnings|sys|os|random|exit)\b")
_KEPT_IN = re.compile(r"\bself\.(\w+)(?:\s*:[^=]+)?\s*=\s*(?:\w+\.)*(\w+)\(")


def shared_decorators(
    family: Family, elements: list[ElementView | None]
) -> list[Value]:
    """Return [decorator, [number, ...]] of those that most classes have."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(elements if family.kind == "subclass" else ()):
        texts = one.row.decorators if one is not None else ()
        for text in dict.fromkeys(text.partition("(")[0] for text in texts):
            found[text.strip().lstrip("@")].append(number)
    return _usual(found, elements)


def module_calls(ids: list[str], alone: set[str], tree: Tree) -> list[Value]:
    """Return [callee, [[number, line], ...]] of calls at the top level of most modules.

    The modules hold one sibling each. A line may be the first of a call.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for number, id in enumerate(ids):
        path, _ = split_id(id)
        if id not in alone or not path.endswith(".py"):
            continue
        text = (tree.read(path) or b"").decode("utf-8", "replace")
        for line in map(str.rstrip, text.split("\n")):
            call = _CALL.match(line)
            if call and len(line) <= LONGEST_LINE and "`" not in line:
                found[call[1]].setdefault(number, line)
    rows: list[Value] = [
        [callee, [[n, line] for n, line in lines.items()]]
        for callee, lines in sorted(found.items())
        if is_usual(len(lines), ids) and not _GENERAL_CALL.match(callee)
    ]
    return rows[:_MOST_CALLS]


def module_imports(
    family: Family, ids: list[str], searched: Iterable[str], tree: Tree
) -> list[Value]:
    """Return [path, [number, ...]] of files that import most siblings' modules whole.

    So their decorators and calls run; who imports a module runs them, too.
    """
    homes = {split_id(id)[0]: number for number, id in enumerate(ids)}
    if family.kind == "modules" or len(homes) < len(ids):
        return []
    found: dict[str, list[int]] = {}
    for path in sorted(searched):
        if is_aside(path) or path in homes:
            continue
        imported = tree.reader.edges(path).outgoing.get(("", "imports"), [])
        by_name = {split_id(id)[0] for id in imported if "::" in id}
        whole = homes.keys() & set(imported) - by_name
        found[path] = sorted(homes[one] for one in whole)
    return _usual(found, ids)[:1]


def asking_methods(sites: list[Value], ids: list[str], tree: Tree) -> list[Value]:
    """Return [path, class, [[method, [number, ...]], ...]] of the class that makes most
    siblings, keeps each in an attribute, and asks them in other methods.
    """
    numbers = {name_of(split_id(id)[1]): number for number, id in enumerate(ids)}
    for kind, path, where, *_ in sites:
        owner, _, name = where.rpartition(".")
        if kind != "function" or not owner:
            continue
        elements = tree.reader.elements(path).values()
        inner = [
            one
            for one in elements
            if one.parent == owner and one.type == "method" and one.runs
        ]
        kept: dict[str, int] = {}
        for one in inner:
            if one.name == name:
                for attribute, made in _KEPT_IN.findall(_code(one, tree)):
                    if made in numbers:
                        kept[attribute] = numbers[made]
        rows = [
            [one.name, asked]
            for one in inner
            if one.name != name and (asked := _asked(_code(one, tree), kept))
        ]
        if is_usual(len(kept), ids) and 0 < len(rows) <= MOST_METHODS:
            return [path, owner, rows]
    return []


def _code(element: ElementView, tree: Tree) -> str:
    return tree.code(element).decode("utf-8", "replace")


def _asked(code: str, kept: dict[str, int]) -> list[int]:
    """Return the siblings whose attributes a method uses."""
    used = set(re.findall(r"\bself\.(\w+)", code))
    return sorted({kept[one] for one in used & kept.keys()})


def _usual(found: dict[str, list[int]], ids: list[Value]) -> list[Value]:
    rows: list[Value] = [
        [key, numbers] for key, numbers in found.items() if is_usual(len(numbers), ids)
    ]
    return sorted(rows, key=lambda row: (-len(row[1]), row[0]))
