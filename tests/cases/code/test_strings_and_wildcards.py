"""Quotes in strings, wildcards and methods with two names are read as what they are."""

from __future__ import annotations

import time

import pytest

from repobuild.samples.text.source_names import public_constants
from tests.cases.sampled import Sampled, answers, sampled_fixture

QUOTES = '''"""Find quotes."""

import re
from functools import singledispatch

SINGLE = re.compile("\'\'\'")
DOUBLE = re.compile("\\"\\"\\"")
MARK = re.compile("(\\"|\')")
LAST = "\'\'\'"


@singledispatch
def name_of(node):
    """Name a node."""
    return str(node)


@name_of.register(int)
def _(node):
    """Name a number."""
    return "a number"


def kind_of(node):
    """Tell the kind of a node."""
    match node:
        case [_, *_]:
            return "list"
        case _ if SINGLE.match(node):
            return "text"
        case _:
            return name_of(node)
'''
RULE = '''"""What all rules have."""

from abc import ABC, abstractmethod


class Rule(ABC):
    """Check a tree."""

    @abstractmethod
    def visit(self, node):
        """Look at a node."""
'''
ALIAS = "    visit_later = visit\n"
METHOD = '''    def visit_later(self, node):
        """Look at a node, later."""
        return str(node)
'''
RULES = '"""The rules."""\n\nfrom lint.rule import Rule\n' + "".join(
    f'\n\nclass {name}Rule(Rule):\n    """Check {name.lower()}s."""\n\n'
    f'    def visit(self, node):\n        """Look at it."""\n'
    f"        return node == {number}\n\n" + (METHOD if name == "Name" else ALIAS)
    for number, name in enumerate(["Class", "Name", "Loop", "Branch"])
)
TABLE = "\n\nRULES = [ClassRule, NameRule, LoopRule, BranchRule]\n"
FILES = {
    "setup.cfg": "[metadata]\nname = lint\n",
    "lint/__init__.py": '"""Lint."""\n',
    "lint/quotes.py": QUOTES,
    "lint/rule.py": RULE,
    "lint/rules.py": RULES + TABLE,
}
lint = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(lint: Sampled) -> None:
    assert lint.audit().wrong == []


def test_quotes_in_a_string_begin_no_other(lint: Sampled) -> None:
    (text,) = answers(lint, "contents", "lint/quotes.py")
    assert text.endswith("**Public constants**: `SINGLE`, `DOUBLE`, `MARK`, `LAST`")


def test_lines_of_a_long_string_assign_nothing() -> None:
    source = b'ONE = 1\nTEXT = """\nTWO = 2  # \'\nTHREE = """  # "\nFOUR = 4\n'
    assert public_constants(source) == ["ONE", "TEXT", "FOUR"]


@pytest.mark.parametrize("part", ['"\\', "'\\", '"""\\"', "'''\\'", '"""'])
def test_strings_that_are_not_closed_take_linear_time(part: str) -> None:
    source = "A_NAME = " + part * 50_000
    began = time.process_time()
    assert public_constants(source.encode()) == ["A_NAME"]
    assert time.process_time() - began < 2  # quadratic: 35 s


def test_a_wildcard_of_a_pattern_reads_no_function(lint: Sampled) -> None:
    assert not answers(lint, "readers", "lint/quotes.py::_")


def test_an_attribute_is_counted_where_it_is_assigned(lint: Sampled) -> None:
    wanted = "class attributes that most siblings set: `visit_later` (3 of 4)"
    told = {key: one for key, one in lint.samples.items() if wanted in one["answer"]}
    assert told
    changed = {
        key: {**one, "answer": one["answer"].replace("(3 of 4)", "(4 of 4)")}
        for key, one in told.items()
    }
    assert {one.key for one in lint.audit(changed).wrong} == set(changed)
