"""Find the test files that cover the siblings of a family, and lists of all of them.

A test or a fixture that runs once for each sibling has to run for a new one, too. Such
lists are read in Python only.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_benchmark, is_test
from repobuild.engine.contract import Value
from repobuild.samples.contexts.graph_reader import enclosing_test
from repobuild.samples.families.family_tree import MOST_SIBLINGS, Tree, is_usual
from repobuild.samples.families.membership import Family
from repobuild.samples.families.named_sites import may_name_two, numbers_by_name
from repobuild.samples.families.past_additions import NAME, forms_of, pattern_of

_TEST_AFFIX = re.compile(r"^tests?|tests?$")
_FEWEST_LISTED = 3  # siblings: a list of two may be a pair
_MOST_LISTS = 2  # lists that are named
_LARGEST = 1_000_000  # bytes
_EDGES = ("imports", "calls", "uses")
_PARAMETERS = ("parametrize", "fixture", "parameterized", "expand")


def covering_tests(
    family: Family, ids: list[str], alone: set[str], tree: Tree
) -> list[Value]:
    """Return test files, or patterns of their names, that cover most siblings.

    A test file covers what its tests call, and the one that is named after the file of
    a sibling, where that has the file to itself.
    """
    homes = {split_id(id)[0] for id in ids}
    found: dict[str, list[int]] = defaultdict(list)
    of_sibling: dict[str, set[str]] = {}
    for id in ids:
        path, _ = split_id(id)
        callers = filter(_is_in_test, tree.reader.incoming(id, "calls", True))
        tests = {split_id(source)[0] for source in islice(callers, MOST_SIBLINGS)}
        stem = path.rpartition("/")[2].partition(".")[0].strip("_").lower()
        if id in alone:
            tests.update(tree.find(f"tests:{stem}"))
        of_sibling[id] = {one for one in tests if not is_benchmark(one)}
    # A file that tests several siblings is named after none of them.
    shared = Counter(path for paths in of_sibling.values() for path in paths)
    for number, (id, paths) in enumerate(of_sibling.items()):
        forms = forms_of(id, len(homes) * 2 > len(ids))
        patterns = {
            path if shared[path] > 1 else pattern_of(path, forms) for path in paths
        }
        for one in patterns:
            found[one].append(number)
    kept = [
        [path, numbers]
        for path, numbers in found.items()
        if is_usual(len(numbers), ids)
    ]
    kept.sort(key=lambda item: (-len(item[1]), item[0]))
    # One that is named after another module uses them for its own ends, unless nothing
    # else tests any.
    named = [item for item in kept if _is_named_after(str(item[0]), family, homes)]
    return named[:2] if named or len(found) > 1 else kept


def _is_named_after(test: str, family: Family, homes: set[str]) -> bool:
    """Return whether a test file has the name of a sibling's file, or of their base."""
    if NAME in test:
        return True
    base_path, _, base = family.where.partition("::")
    owners = [*homes, base_path, base.rpartition(".")[2]]
    stem = _TEST_AFFIX.sub("", _stem(test))
    known = (_stem(one) for one in owners if one)
    return bool(stem) and any(one and (stem in one or one in stem) for one in known)


def _stem(path: str) -> str:
    name = path.rpartition("/")[2].partition(".")[0]
    return name.strip("_").lower().replace("_", "")


def _is_in_test(id: str) -> bool:
    """Return whether code is part of a test, and no helper that tests share."""
    path, qual = split_id(id)
    name = path.rpartition("/")[2]
    return bool(enclosing_test(id)) and (bool(qual) or "test" in name.lower())


# ------------------------------------------------------- lists with all siblings


class ListsInTests(NamedTuple):
    """The lists, and the files that were searched for them."""

    lists: list[Value]  # [path, name of the test, fixture or variable, is a variable]
    searched: set[str]


def lists_in_tests(family: Family, ids: list[str], tree: Tree) -> ListsInTests:
    """Return the parameters of tests and the lists in their files with all siblings.

    A list that holds only some of them is for these alone: nothing is said of it.
    """
    names = set(numbers_by_name(ids))
    if family.kind == "modules" or len(ids) < _FEWEST_LISTED or len(names) < len(ids):
        return ListsInTests([], set())
    searched = set(_test_files(ids, tree))
    found: list[Value] = []
    for path in sorted(searched):
        source = tree.read(path) or b""
        if len(source) > _LARGEST or not may_name_two(names, source):
            continue
        if names.issubset(tree.words(path)):
            found += [[path, *one] for one in _lists_of(source, names)]
    return ListsInTests(found[:_MOST_LISTS], searched)


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
