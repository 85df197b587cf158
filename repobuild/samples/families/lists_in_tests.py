"""Find the lists in tests that hold every sibling of a family (Python only).

A test or a fixture that runs once for each sibling has to run for a new one, too. A
list that holds only some of them is for these alone: nothing is said of it.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Value
from repobuild.samples.families.family_tree import MOST_SIBLINGS, Tree
from repobuild.samples.families.membership import Family
from repobuild.samples.families.named_sites import may_name_two, numbers_by_name

_FEWEST = 3  # siblings: a list of two may be a pair
_MOST = 2  # lists that are named
_LARGEST = 1_000_000  # bytes
_EDGES = ("imports", "calls", "uses")
_PARAMETERS = ("parametrize", "fixture", "parameterized", "expand")


class ListsInTests(NamedTuple):
    """The lists, and the files that were searched for them."""

    lists: list[Value]  # [path, name of the test, fixture or variable, is a variable]
    searched: set[str]


def lists_in_tests(family: Family, ids: list[str], tree: Tree) -> ListsInTests:
    """Return the parameters of tests and the lists in their files with all siblings."""
    names = set(numbers_by_name(ids))
    if family.kind == "modules" or len(ids) < _FEWEST or len(names) < len(ids):
        return ListsInTests([], set())
    searched = set(_test_files(ids, tree))
    found: list[Value] = []
    for path in sorted(searched):
        source = tree.read(path) or b""
        if len(source) > _LARGEST or not may_name_two(names, source):
            continue
        if names.issubset(tree.words(path)):
            found += [[path, *one] for one in _lists_of(source, names)]
    return ListsInTests(found[:_MOST], searched)


def _test_files(ids: list[str], tree: Tree) -> Iterator[str]:
    """Yield the files of Python with tests that use siblings or import their files."""
    targets = dict.fromkeys([*ids, *(split_id(id)[0] for id in ids)])
    for target in targets:
        found: set[str] = set()
        for kind in _EDGES:
            for source in tree.reader.incoming(target, kind, True):
                path, _ = split_id(source)
                if is_test(path) and path.endswith(".py"):
                    found.add(path)
                if len(found) >= MOST_SIBLINGS:
                    break
        yield from sorted(found)


def _lists_of(source: bytes, names: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield (name, whether it is a variable) of each list with all of the names."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in strings
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and _holds(node.value, names):
                yield target.id, True
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                yield from _parameters_of(inner, f"{node.name}.", names)
        else:
            yield from _parameters_of(node, "", names)


def _parameters_of(
    node: ast.stmt, owner: str, names: set[str]
) -> Iterator[tuple[str, bool]]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for one in node.decorator_list:
        if not isinstance(one, ast.Call) or _last_name(one.func) not in _PARAMETERS:
            continue
        if any(_holds(value, names) for value in _arguments(one)):
            yield f"{owner}{node.name}", False
            return


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def _holds(node: ast.expr, names: set[str]) -> bool:
    """Return whether a list, or what is written like one, has all of the names."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return False
    return names.issubset(map(_last_name, ast.walk(node)))


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
