"""A section is quoted when it says something in prose."""

from __future__ import annotations

import pytest

from repobuild.code.facts.markdown import read
from repobuild.samples.contexts.fields.section_fields import first_passage


def passage(text: str) -> str:
    facts = read(f"# Guide\n\n{text}\n".encode(), "markdown")
    return first_passage(facts["doc"])


@pytest.mark.parametrize(
    "text",
    [
        "* one\n* two\n* three",
        "It has these parts:\n\n* one",
        "它有以下特点：\n\n* 甲",
        "(guide)=",
    ],
)
def test_lists_announcements_and_targets_are_no_passages(text: str) -> None:
    assert passage(text) == ""


def test_prose_before_a_list_is_quoted() -> None:
    text = "It reads files. It has these parts:\n\n* one"
    assert passage(text) == "It reads files."
    assert passage("(guide)=\n\nIt reads files.") == "It reads files."
