"""What exists only under a condition is explained with the condition."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

LOGS = '''\
"""Formatters of logs."""

import logging
import os
import sys


class Formatter(logging.Formatter):
    """A formatter with colours."""

    def colour(self, record):
        """Return the colour that fits a record's level."""
        return self.colours[record.levelno]

    if sys.version_info >= (3, 13):

        def trace(self, error):
            """Return what went wrong, line by line and coloured."""
            return self.colour(error) + str(error)


if os.name == "nt":

    def enable():
        mode = kernel.mode()
        kernel.set(mode | 7)
        return mode

else:

    def silence():
        """Let nothing of the standard output reach the terminal."""
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)


try:
    import yaml

    def dump(value):
        """Return a value as a document of YAML."""
        return yaml.dump(value)

except ImportError:
    pass
'''
NEW = "This definition is made only under `if sys.version_info >= (3, 13):`."
logs = sampled_fixture({"logs.py": LOGS}, **{"samples.min_code_lines": 1})


def test_every_claim_holds(logs: Sampled) -> None:
    assert not logs.audit().wrong


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Formatter.trace", NEW),
        ("silence", """only in the `else` of `if os.name == "nt":`."""),
        ("enable", """made only under `if os.name == "nt":`."""),
        ("dump", "made only where `import yaml` works."),
    ],
)
def test_an_explanation_tells_the_condition(
    logs: Sampled, name: str, told: str
) -> None:
    of = ("explain", "sketch", "written", "code", "describe", "steps")
    found = [one for kind in of for one in of_kind(logs, kind)]
    own = [one["answer"] for one in found if one["element"] == f"logs.py::{name}"]
    assert own
    assert all(told in answer for answer in own)


def test_what_is_made_in_any_case_has_no_condition(logs: Sampled) -> None:
    told = logs.answers("logs.py::Formatter.colour")
    assert told and not any("is made only" in one for one in told)


def test_a_list_of_methods_tells_which_have_a_condition(logs: Sampled) -> None:
    told = answers(logs, "members", "logs.py::Formatter")
    assert told
    assert all(f"**Only under a condition**:\n- `trace`: {NEW}" in one for one in told)


def test_another_condition_is_noticed(logs: Sampled) -> None:
    for old, new in (
        ("3, 13", "3, 12"),
        ('"nt"', '"posix"'),
        ("import yaml", "import y"),
    ):
        changed = {
            key: {**one, "answer": "\n\n".join(
                part.replace(old, new) if "is made only" in part else part
                for part in one["answer"].split("\n\n")
            )}
            for key, one in logs.samples.items()
            if "is made only" in one["answer"] and old in one["answer"]
        }  # fmt: skip
        assert changed
        assert {one.key for one in logs.audit(changed).wrong} == {*changed}


def test_another_name_under_a_condition_is_not_told_as_one(tmp_path: Path) -> None:
    code = (
        "import sys\n\n\nclass Door:\n"
        '    """A way in."""\n\n'
        '    def open(self):\n        """Let somebody in."""\n        return self\n\n'
        "    unlock = open\n\n"
        '    if sys.platform != "win32":\n        unbar = open\n'
    )
    tree = Sampled(tmp_path, {"door.py": code}, **ALL_IN_ENGLISH)
    told = "".join(tree.answers("door.py::Door"))
    assert "`unlock` for `open`" in told and "unbar" not in told
    assert not tree.audit().wrong
