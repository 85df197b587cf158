"""Find the tests of an element, and those that only use it."""

from __future__ import annotations

import re
from itertools import islice

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_benchmark
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import enclosing_test

_MOST_TESTS = 256  # users in tests that are searched for those of an element
_SHORTEST_NAME = 3  # characters of a name that a test's name can contain
_SPECIAL = re.compile(r"\.__\w+__$")


def tests_of(file: FileContext, element: ElementView) -> list[str]:
    """Return the tests that use an element, those that are named after it first.

    They call or read it or, for a class, a method of it. Where none is named after it,
    nor its file after the element's, they use it by the way: the tests of it may be
    others, which reach it in a way that the graph does not see. The same holds for a
    name that several elements have: those have users in tests, and no tests.
    """
    called = [element.id]
    if element.type == "class":
        # Who calls an object, or compares two, may never have named its class.
        methods = (e for e in file.children(element.qual) if e.type == "method")
        called += [one.id for one in methods if not _SPECIAL.search(f".{one.name}")]
    users = (
        user
        for id in called
        for kind in ("calls", "uses")
        for user in file.reader.incoming(id, kind, tests=True)
    )
    found = dict.fromkeys(enclosing_test(user) for user in islice(users, _MOST_TESTS))
    tests = [one for one in found if one and not is_benchmark(one)]
    tests.sort(
        key=lambda one: (
            not is_named_after(one, element),
            not _is_of_its_module(one, element),
        )
    )
    return tests


def is_named_after(test: str, element: ElementView) -> bool:
    """Return whether a test, or its file, has the name of an element, or of its file.

    A method has to be named itself: its file says nothing about one of its methods.
    """
    qual = split_id(test)[1]
    bare = element.name.replace("_", "").lower()
    if len(bare) >= _SHORTEST_NAME and bare in qual.replace("_", "").lower():
        return True
    return element.type != "method" and _is_of_its_module(test, element)


def _is_of_its_module(test: str, element: ElementView) -> bool:
    """Return whether a file of tests is named after the file of an element."""
    paths = (split_id(test)[0], element.path)
    stems = (one.rpartition("/")[2].partition(".")[0] for one in paths)
    of_test, own = (re.sub(r"^tests?_|tests_of?$|^_+|_+$", "", one) for one in stems)
    return of_test == own
