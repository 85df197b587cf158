"""Documents are read by their structure: what is markup is no text and no title."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.cli.claim_audit import audit_tree
from repobuild.code.facts.element_row import row_of
from repobuild.code.facts.markdown import read
from repobuild.code.graph.graph import PROJECT
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from repobuild.truth.tree.markdown_document import MarkdownDocument
from tests.repository import Repository
from tests.standard import Standard

README = """<!--
 Licensed to Somebody under one or more licence agreements.
 See the NOTICE file for what that means.

   http://example.invalid/LICENSE
-->

<!-- START doc, please keep -->
# Flow

Flow runs tasks in the order that they need.

## Use

<!-- a note
for authors -->
Write a file, and run it.
"""
HUGO = """+++
title = "Guide"
weight = 3
+++

Read this first when you are new.

## Steps

Take one after the other.
"""
PLAIN = """> # Quoted
> A heading within a quotation.

# Code

    make install

Run this to install it.

## Table

a | b
--|--
1 | 2

The table shows both.

[TOC]
"""
TITLES = """# Bindings

How to use the library from other languages than Python.

## C

Link against the static library that the build makes.

## C#

Reference the assembly from your project file.

## F#

Reference the same assembly, and open the namespace.

## Closed ##

This heading is closed by signs that are no part of it.

## Issue \\#

This heading ends in an escaped sign.
"""


def sections_of(text: str) -> dict[str, str]:
    """Return the first paragraph of each section, by title."""
    rows = map(row_of, read(text.encode(), "markdown")["elements"])
    return {row.returns: row.doc for row in rows}


def test_comments_and_front_matter_are_no_text() -> None:
    readme, hugo = (read(text.encode(), "markdown") for text in (README, HUGO))
    assert readme["doc"] == "Flow runs tasks in the order that they need."
    assert hugo["doc"] == "Read this first when you are new."
    assert sections_of(README)["Use"] == "Write a file, and run it."
    assert list(sections_of(HUGO)) == ["Steps"]


def test_code_tables_and_quotations_are_no_text() -> None:
    assert sections_of(PLAIN) == {
        "Quoted": "",
        "Code": "Run this to install it.",
        "Table": "The table shows both.",
    }


def test_a_title_keeps_the_sign_that_does_not_close_it() -> None:
    titles = ["Bindings", "C", "C#", "F#", "Closed", "Issue \\#"]
    assert list(sections_of(TITLES)) == titles


@pytest.mark.parametrize(
    "before",
    [
        '!!! note "Mind"\n    This is aside.\n',
        "??? tip\n\n    This is aside.\n",
        "::: warning\nThis is aside.\n:::\n",
        ":::note\n\nThis is aside.\n\n:::\n",
        "> [!NOTE]\n> This is aside.\n",
        "```{note}\nThis is aside.\n```\n",
        "{% include aside.html %}\n",
        "{{< aside >}}\n",
        "[[_TOC_]]\n",
        "<details>\nThis is aside.\n</details>\n",
        "[![build](a.svg)](b)\n[![cover](c.svg)](d)\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "    indented()\n",
        "[ref]: http://example.invalid\n",
        "***\n",
    ],
)
def test_what_a_site_generator_reads_is_no_text(before: str) -> None:
    text = f"# Title\n\n{before}\nThe text itself.\n"
    assert sections_of(text) == {"Title": "The text itself."}


def test_a_comment_within_a_paragraph_is_cut() -> None:
    text = "# A\n\nOne <!-- hidden\nfrom you --> two.\n"
    assert sections_of(text)["A"].split() == ["One", "two."]


@pytest.mark.parametrize(
    "text",
    [
        README,
        HUGO,
        PLAIN,
        TITLES,
        "<!--\n# no heading\n-->\n\n# One\n",
        "<div>\n# no heading\n</div>\n\n# One\n",
        "> Title\n> =====\n> text\n",
        "- # In a list\n- b\n",
        "```\n# no heading\n```\n\n# One #\n\n#Not one\n\n####### Nor this\n",
        "---\n# no heading\n---\n\nOne\n===\n",
        "#\n\n# Two\n",
    ],
)
def test_both_readers_find_the_same_titles(text: str) -> None:
    """The reader of `verify --samples` reads lines, and not the grammar's tree."""
    rows = [row_of(item) for item in read(text.encode(), "markdown")["elements"]]
    known = MarkdownDocument(text).sections.values()
    assert [(one.qual, one.title) for one in known] == [
        (row.qual, row.returns) for row in rows
    ]


def test_what_is_said_of_documents_holds(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    code = 'def run(x):\n    """Run one task of the flow."""\n    return x\n'
    files = {"README.md": README, "docs/hugo.md": HUGO, "docs/plain.md": PLAIN}
    repository.commit({**files, "docs/titles.md": TITLES, "flow/__init__.py": code})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("samples")
    build = standard.open()
    project = standard.table("graph").get(PROJECT)[""]
    assert project["description"] == "Flow runs tasks in the order that they need."
    samples = dict(AllSamples.of(build).entries())
    assert not any("Licensed" in one["answer"] for one in samples.values())
    assert audit(samples.items(), audit_tree(build)).wrong == []
    standard.close()
