"""A description is quoted whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.summary.module_purpose import (
    first_sentence_of_module_summary,
    summarise_module,
)
from repobuild.samples.text.summary.next_paragraph import with_next_sentence
from repobuild.samples.text.summary.purpose import summarise, summarise_with_list
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, sampled_fixture
from tests.repository import Repository
from tests.standard import Standard


@pytest.mark.parametrize(
    ("docstring", "told"),
    [
        (
            "Part entries in two, like\n\n    part([1, 2])",
            "Part entries in two",
        ),
        ("For output of a shell, such as:\n\n    >>> 1", "For output of a shell"),
        (
            "Part a list. True entries go in\n\n    two",
            "Part a list. True entries go in",
        ),
        ("Count a word. Return True if::\n\n    a == b", "Count a word."),
        ("Fill a page with the following, taken from a book:\n\n    a", ""),
        ("A point that has two additional values::\n\n    a", ""),
        ("Go to the following line.", "Go to the following line."),
        ("Count the words of the page's", ""),
    ],
)
def test_no_thought_is_cut_in_the_middle(docstring: str, told: str) -> None:
    assert summarise(docstring) == told


def test_a_list_below_the_sentence_that_announces_it_is_told_with_it() -> None:
    text = "A point of a page,\nwith two additional values:"
    docstring = f"{text}\n\n  1. its colour\n  2. a name"
    told = "A point of a page, with two additional values:\n1. its colour\n2. a name"
    assert summarise_with_list(docstring) == told
    assert summarise_with_list(f"{docstring}\n\n     which is long") == ""
    apart = docstring.replace("\n  2.", "\n\n  2.")
    assert summarise_with_list(f"{apart}\n\nIt is small.") == told


def test_statements_of_a_line_each_are_not_joined() -> None:
    doc = "Enforces the type of an index\nRemoves attributes that are not wanted"
    assert summarise(doc) == "Enforces the type of an index"
    doc = "Return the first of all the pages of a book\nWrite it\nClose the file"
    assert summarise(doc) == "Return the first of all the pages of a book"
    doc = "Print one expression to\nJavascript functions of the\nMath object."
    assert summarise(doc) == " ".join(doc.split())
    doc = "Walk.\n\nArgs:\n    day (date): The first day The one in\n        a week.\n"
    assert parse_docstring(doc).parameters == {
        "day": "The first day The one in a week."
    }
    doc = "Walk.\n\nArgs:\n    day: The first day\n        Or none of all the days.\n"
    assert parse_docstring(doc).parameters == {"day": "The first day"}


@pytest.mark.parametrize(
    "docstring",
    [
        "***\nCopyright 2020 X Inc.\n***",
        "*****\n* pages.py\n*****",
        "* `Page`\n* `Book`",
        "- first\n- second",
        "# Pages",
        "-*- coding: utf-8 -*-",
        "#!/usr/bin/env python",
        "vim: set ts=4",
        "Written by Jo",
        "Internal functions.",
        "Private module.",
        "Internal helper functions",
        "Copyright The Page Authors",
        "DO NOT EDIT",
        "Version 1.0",
    ],
)
def test_what_is_no_purpose_of_a_module_is_not_told(docstring: str) -> None:
    assert summarise_module(docstring, "book/pages.py") == ""


def test_the_background_of_a_module_is_told_with_the_module() -> None:
    before = "Python's built-in `functools` module builds utilities."
    whole = f"{before} `pages` adds a few more of them."
    assert first_sentence_of_module_summary(whole, "book/pages.py") == whole
    own = "Tools for pages. This module must not be imported."
    told = first_sentence_of_module_summary(own, "book/pages.py")
    assert told == "Tools for pages."


def test_the_background_of_a_module_alone_is_not_told() -> None:
    background = "A set is of use. It has a rich interface. It has no order."
    for after in ("\n\nThe ``pages`` module adds one.", " The :class:`Page` adds one."):
        names = {"Page": True, "sort": False}
        long = f"{background} It cannot be indexed either. {'It is empty. ' * 20}"
        assert summarise_module(f"{long}{after}", "book/pages.py", names) == ""
        assert summarise_module(long, "book/pages.py", names)
    named = f"{background} It is in `Page`.\n\nThe ``pages`` module adds one."
    assert summarise_module(named, "book/pages.py", {"Page": True})


PAGES = '''class Book:
    def turn(self):
        """Turn the page."""
        return self.close_page(1)

    def close_page(self, number):
        """Close the page. Its words are lost, and so is its number in the book."""
        return number * 2

    def open_page(self, number):
        """Open the page.

        The book is written to the disk before.
        """
        return self.close_page(number) + 3


def read(book: Book, number: int):
    """Read on from one page to the next, and write down all numbers."""
    book = Book()
    first = book.open_page(number)
    return first + book.close_page(number) + book.turn()
'''
book = sampled_fixture({"book/__init__.py": "", "book/page.py": PAGES})


def test_a_sentence_that_says_only_the_name_is_told_with_the_next(
    book: Sampled,
) -> None:
    told = "\n".join(one["answer"] for one in book.samples.values())
    assert "`open_page`: Open the page. The book is written to the disk" in told
    assert "`close_page`: Close the page. Its words are lost, and so is" in told
    assert book.audit().wrong == []


def test_a_docstring_of_half_a_sentence_is_not_said_to_have_no_purpose(
    tmp_path: Path,
) -> None:
    code = (
        'def fill(page):\n    """Fill a page with all the words that a\n\n    is."""\n'
    )
    code += "    for word in page.words:\n        page.add(word + page.end)\n"
    sampled = Sampled(tmp_path, {"book.py": code}, **ALL_IN_ENGLISH)
    told = sampled.answers("book.py::fill")
    assert told and not any("no purpose" in one for one in told)


CLOCK = '"""Provides the :class:`Clock <shop.clock.Clock>` class, which ticks on."""\n'
TICKS = 'class {0}:\n    """What ticks."""\n\n    def tick(self):\n        return 1\n'
FILES = {
    "shop/__init__.py": "",
    "shop/clock.py": f"{CLOCK}\n\n{TICKS.format('Clock')}",
    "shop/watch.py": f"{CLOCK}\n\n{TICKS.format('Watch')}",
}
shop = sampled_fixture(FILES)


def test_a_module_is_not_said_to_provide_a_class_that_it_lacks(shop: Sampled) -> None:
    [told] = answers(shop, "module", "shop/clock.py")
    assert "which ticks on" in told
    assert not any("ticks on" in one for one in shop.answers("shop/watch.py"))
    assert shop.audit().wrong == []


def test_a_module_that_is_said_to_provide_what_it_lacks_is_noticed(
    shop: Sampled,
) -> None:
    key, sample = next(
        (key, one)
        for key, one in shop.samples.items()
        if one["element"] == "shop/clock.py" and "ticks on" in one["answer"]
    )
    moved = {
        name: text.replace("clock.py", "watch.py").replace("`Clock`", "`Watch`")
        if isinstance(text, str)
        else text
        for name, text in sample.items()
    }
    moved_key = key.replace("clock.py", "watch.py")
    wrong = shop.audit({moved_key: moved}).wrong
    assert "the module binds no `Clock`" in [one.actual for one in wrong]


def test_a_class_that_comes_to_a_module_reaches_what_its_elements_say(
    tmp_path: Path,
) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit(FILES)
    updated = Standard(repository.git, tmp_path / "updated", **ALL_IN_ENGLISH)
    updated.build("samples")
    both = f"{FILES['shop/watch.py']}\n\n{TICKS.format('Clock')}"
    repository.commit({"shop/watch.py": both})
    updated.build("samples")
    row = updated.table("contexts").get("shop/watch.py::Watch.tick")
    assert row is not None and "ticks on" in row["module_summary"]
    clean = Standard(repository.git, tmp_path / "clean", **ALL_IN_ENGLISH)
    clean.build("samples")
    assert clean.digests() == updated.digests()
    updated.close()
    clean.close()


def test_what_follows_a_list_that_is_not_told_is_no_next_sentence() -> None:
    text = "Send a command.\nA command is a string, such are:\n    - stop: Ends it.\n\n"
    text += "The command is read by a worker."
    assert with_next_sentence(text, "Send a command.") == "Send a command."
    plain = "Send a command.\n\nThe command is read by a worker."
    assert with_next_sentence(plain, "Send a command.").endswith("by a worker.")
