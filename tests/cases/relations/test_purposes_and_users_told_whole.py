"""A purpose or a list of users is told whole, with a hedge, or not at all."""

from __future__ import annotations

from pathlib import Path

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

NODES = '''"""Nodes of a tree."""


def spelled_twice(method):
    """Enter a method under a second spelling, too."""
    ALIASES.add(method.__name__)
    return method


ALIASES: set[str] = set()


def prepare_page(page):
    """Prepare a page before it is shown."""
    page.title = page.title.strip() or "untitled"
    page.is_ready = True


prepare_page.is_shown = False


class Marks:
    """Tell what a sign is."""

    @staticmethod
    def is_blank_sign(sign):
        """Tell whether a sign is a blank."""
        return sign in " \\t"


class Reader:
    """Read signs one by one."""

    def skip(self, test):
        """Skip all signs that pass a test."""
        while self.signs and test(self.signs[0]):
            self.signs.pop(0)

    def skip_blanks(self):
        """Skip all blanks of a line."""
        return self.skip(Marks.is_blank_sign)

    def at_blank(self):
        """Tell whether the next sign is no letter."""
        return Marks.is_blank_sign(self.signs[0])


class Node:
    """A node of a tree."""

    def __init__(self, folder=None):
        self.folder = folder.strip()

    @spelled_twice
    def wrap_node(self, value):
        """A string of HTML that will be created on the fly and wrapped around
        each node:

            >>> node.wrap_node("<b></b>")
        """
        self.around = [value, value.strip(), value.lower()]
        self.name = self.around[0]
        self.size = len(self.around)
        return self

    @spelled_twice
    def value_of(self, value=None):
        """Set the value of a node::

            >>> node.value_of(3)

        Get the value of a node::

            >>> node.value_of()
        """
        if value is None:
            return self.kept
        self.kept = value

    def is_skipped(self, level):
        """When patterns are set, the first check lets parents pass. This one is
        stricter: what no pattern fits is left out."""
        return level in self.kept

    def report(self, level, found):
        """Enter a level into a report."""
        if self.is_skipped(level):
            return
        self.name = level
        found.append(level)
        self.size = len(found)
        self.around = found
'''
SPLICES = '''"""Splices of trees."""

from tree.levels import Link


def splice_leaf(leaf, level):
    """Splice a leaf under a copy of a level."""
    fresh = level.copy()
    fresh.down = leaf
    fresh.link = Link(leaf, level)
    return fresh


if __name__ == "__main__":

    def slow_attempt():
        rows = {one: str(one) for one in range(9)}
        values = [one for one in rows.values() if one]
        return sorted(values, reverse=True)

    slow_attempt()
'''
LEVELS = '''"""Levels of trees."""


class Link:
    """A link between two levels."""

    def __init__(self, above, below):
        self.ends = (above, below)


class Level:
    """A level of a tree."""

    def copy(self):
        """Make another level with the same links."""
        return Level()
'''
TESTS = "from tree.nodes import Node\n" + "".join(
    f"\n\ndef test_node_{number}():\n    assert Node(' {number} ').folder\n"
    for number in range(20)
)
FILES = {
    "setup.cfg": "[metadata]\nname = tree\n",
    "tree/__init__.py": '"""Trees."""\n',
    "tree/levels.py": LEVELS,
    "tree/nodes.py": NODES,
    "tree/splices.py": SPLICES,
    "tests/test_nodes.py": TESTS,
}
NODE = "tree/nodes.py::Node"
tree = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(tree: Sampled) -> None:
    assert tree.audit().wrong == []


def test_what_a_function_decorates_does_not_call_it(tree: Sampled) -> None:
    told = "\n".join(tree.answers("tree/nodes.py::spelled_twice"))
    assert "referred to by `Node.value_of`, `Node.wrap_node`" in told
    assert "called by" not in told and "Used by" not in told


def test_what_an_argument_is_is_no_purpose(tree: Sampled) -> None:
    told = "\n".join(tree.answers(f"{NODE}.wrap_node"))
    assert told and "A string of HTML" not in told


def test_a_method_with_two_uses_is_told_with_both(tree: Sampled) -> None:
    (told,) = answers(tree, "explain", f"{NODE}.value_of")
    assert "Set the value of a node. Get the value of a node." in told


def test_what_holds_under_a_condition_is_told_with_the_rest(tree: Sampled) -> None:
    told = tree.context(f"{NODE}.report")["callee_summaries"]
    assert "lets parents pass. This one is stricter" in told[f"{NODE}.is_skipped"]


def test_defaults_do_not_say_that_nothing_has_to_be_passed(tree: Sampled) -> None:
    told = "\n".join(one["answer"] for one in of_kind(tree, "construct"))
    assert "Everything has a default." in told and "nothing has" not in told


def test_who_calls_a_method_that_is_passed_on_may_not_be_all(tree: Sampled) -> None:
    assert "callers" in tree.context("tree/nodes.py::Marks.is_blank_sign")["open"]
    told = "\n".join(tree.answers("tree/nodes.py::Marks.is_blank_sign"))
    assert "called by `Reader.at_blank`" not in told


def test_a_call_that_may_be_a_method_of_the_project_opens_the_callees(
    tree: Sampled,
) -> None:
    assert "callees" in tree.context("tree/splices.py::splice_leaf")["open"]
    told = "\n".join(tree.answers("tree/splices.py::splice_leaf"))
    assert "calls `Link`" not in told


def test_what_only_a_run_as_a_program_defines_is_not_explained(tree: Sampled) -> None:
    told = "\n".join(tree.answers("tree/splices.py::slow_attempt"))
    assert "sorted(values" not in told


def test_an_attribute_set_on_a_function_is_no_use_of_it(tree: Sampled) -> None:
    assert tree.context("tree/nodes.py::prepare_page")["readers"] == ["tree/nodes.py"]
    assert answers(tree, "readers", "tree/nodes.py::prepare_page") == set()


def test_no_few_of_many_tests_are_told(tree: Sampled) -> None:
    assert "tests" in tree.context(NODE)["more"]
    assert not any(one["element"] == NODE for one in of_kind(tree, "tests"))


DESKS = '''"""Desks of a shop."""


class Counter:
    """Count the guests of a shop."""

    def __init__(self):
        """Begin at none."""
        self.guests = []


class Till(Counter):
    """Count the coins, too."""

    def __init__(self):
        """Begin without a coin."""
        super().__init__()
        self.coins = []


class Bell(Counter):
    """Ring for each guest."""


class Desk(object):
    """Where guests pay."""

    def __init__(self):
        """Put a bell and a till on the desk."""
        super().__init__()
        self.bell = Bell()
        self.till = Till()
'''


def test_the_super_of_a_class_without_a_base_is_no_class_of_the_project(
    tmp_path: Path,
) -> None:
    shop = Sampled(tmp_path, {"shop/desks.py": DESKS}, **ALL_IN_ENGLISH)
    till, desk = (
        shop.context(f"shop/desks.py::{name}.__init__")["callees"]
        for name in ("Till", "Desk")
    )
    assert till == ["shop/desks.py::Counter.__init__"]
    assert desk == ["shop/desks.py::Bell", "shop/desks.py::Till"]
