"""Find the test files that cover the siblings of a family."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import islice

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_benchmark
from repobuild.engine.contract import Value
from repobuild.samples.contexts.graph_reader import enclosing_test
from repobuild.samples.families.family_tree import MOST_SIBLINGS, Tree, is_usual
from repobuild.samples.families.membership import Family
from repobuild.samples.families.past_additions import NAME, forms_of, pattern_of

_TEST_AFFIX = re.compile(r"^tests?|tests?$")


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
