"""A question has one right answer in the tree, or it is not asked."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.truth.asked_questions import AskedQuestions
from tests.cases.sampled import Sampled

SETTINGS = {"split.generalise": 0.0, "samples.min_answer": 1}
LOG = """# Changes

## 2.1

### Fixed

The parser reads numbers with a sign again.

### Added

A second format is written since then.

## 2.0

### Fixed

The writer closes its file in every case.
"""
GUIDE = """# Guide

## Getting started quickly

Write a file first and then run the program.
"""
CODE = '''"""Accounts of people who log in."""


class Account:
    """One person with a password."""

    def __init__(self, secret):
        self.secret = secret

    def username(self):
        """Return the name that the person logs in with."""
        return self.secret[0]

    def expires(self):
        """Tell the day on which the account is closed for good."""
        return self.secret[1]


def closed(account):
    """Tell the day on which the account is closed for good."""
    return account.expires()


def greeting(username):
    """Return the line that is shown after somebody logged in."""
    return f"Hello {username}"
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    files = {
        "CHANGES.md": LOG,
        "docs/guide.md": GUIDE,
        "docs/more.md": GUIDE.replace("# Guide", "# More").replace("first", "now"),
        "accounts.py": CODE,
    }
    return Sampled(tmp_path_factory.mktemp("one"), files, **SETTINGS)


def asked(made: Sampled, id: str, task: str) -> list[dict[str, Any]]:
    return [
        one
        for one in made.samples.values()
        if one["element"] == id and one["task"] == task and one["language"] == "en"
    ]


def test_a_heading_that_a_document_repeats_is_named_with_those_above_it(
    made: Sampled,
) -> None:
    for version in ("2-1", "2-0"):
        found = asked(made, f"CHANGES.md::changes.{version}.fixed", "code_explanation")
        title = version.replace("-", ".")
        assert found and all(f'"{title} > Fixed"' in one["question"] for one in found)
    added = asked(made, "CHANGES.md::changes.2-1.added", "code_explanation")
    assert added and all('"Added"' in one["question"] for one in added)


def test_a_heading_that_two_documents_have_is_not_searched_for(made: Sampled) -> None:
    id = "docs/guide.md::guide.getting-started-quickly"
    found = asked(made, id, "code_location")
    assert found and all(one["ambiguous"] for one in found)
    assert not any(one.get("ambiguous") for one in asked(made, id, "code_explanation"))


def test_a_purpose_that_two_elements_have_identifies_none(made: Sampled) -> None:
    purpose = "Tell the day on which the account is closed for good."
    found = [one for one in made.samples.values() if purpose in one["question"]]
    found = [one for one in found if "```" not in one["question"]]
    assert found and all(one["ambiguous"] for one in found)


def test_a_method_named_like_a_parameter_is_asked_for_with_its_class(
    made: Sampled,
) -> None:
    located = asked(made, "accounts.py::Account.username", "code_location")
    bare = [one["question"] for one in located if "`username`" in one["question"]]
    assert any("`Account.username`" in one["question"] for one in located)
    assert all("`accounts.py`" in question for question in bare)
    located = asked(made, "accounts.py::Account.expires", "code_location")
    assert any("`Account.expires`" in one["question"] for one in located)


def test_what_is_asked_holds_in_the_tree(made: Sampled) -> None:
    assert made.audit().wrong == []


def test_a_title_that_another_section_has_is_noticed(made: Sampled) -> None:
    changed = {
        key: {**one, "question": one["question"].replace("2.1 > Fixed", "Fixed")}
        for key, one in made.samples.items()
        if "2.1 > Fixed" in one["question"]
    }
    assert changed
    assert {one.key for one in made.audit(changed).wrong} == set(changed)


def test_two_answers_to_one_question_are_noticed(made: Sampled) -> None:
    questions = AskedQuestions()
    known: dict[str, Any] = {}
    for key, one in made.kept.items():
        questions.add(key, one)
        known.setdefault(one["answer"], key)
    assert questions.wrong == [] and questions.count > 20
    first, second = list(known.values())[:2]
    for text in (str.upper, lambda text: text.replace(" ", "  ")):
        pieces = made.kept[first]["question"].split("`")
        pieces[::2] = map(text, pieces[::2])
        mutant = {**made.kept[second], "question": "`".join(pieces)}
        questions.add(second, mutant)
    assert [one.key for one in questions.wrong] == [second, second]
