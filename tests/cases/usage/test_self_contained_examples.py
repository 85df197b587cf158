"""Whoever copies an example of use finds in it where every name comes from."""

from __future__ import annotations

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.explained_names import NO_NAMES, FileImport, file_names
from tests.cases.sampled import Sampled, sampled_fixture

SHELF = '''"""A shelf of books."""

LIMIT = 3


class Shelf:
    """Hold books by their titles."""

    def __init__(self, books):
        """Put books on a shelf."""
        self.books = books

    def find_book(self, title):
        """Return the book of a title."""
        return next(one for one in self.books if one == title)


def count_words(text, limit=10):
    """Count the words of a text."""
    return len(text.split()[:limit])


def cut_title(title, length):
    """Cut a title after some letters."""
    return title[:length]


def join_titles(titles, sign):
    """Join titles by a sign."""
    return sign.join(titles)


def sort_titles(titles, reverse):
    """Sort titles by their letters."""
    return sorted(titles, reverse=reverse)


def shorten_all(titles):
    """Shorten titles."""
    if titles:
        for title in titles:
            short = cut_title(title, length=LIMIT)
            yield short
'''
FILES = {
    "shelf.py": SHELF,
    "README.md": "# Shelf\n\n```python\nfrom shelf import Shelf\n```\n\nThen:\n\n"
    "```python\nshelf = Shelf(['a'])\nshelf.find_book('a')\n```\n",
    "tests/test_shelf.py": """from shelf import (
    Shelf,
    count_words,
    join_titles,
    sort_titles,
)

TITLES = ["a", "b"]


def made_titles():
    return ["b", "a"]


def test_count_words(tmp_path):
    assert count_words("a b c") == 3
    assert count_words(tmp_path.read_text()) == 3


def test_join_titles():
    assert join_titles(TITLES, sign="-") == "-".join(TITLES)


def test_sort_titles(reverse):
    assert sort_titles(made_titles(), reverse) == ["a", "b"]
""",
}
shelf = sampled_fixture(FILES)


def shown(sampled: Sampled, name: str) -> set[str]:
    """Return the calls that answers about an element quote from other code."""
    return {
        one.partition("**A call from** ")[2]
        .partition("```python\n")[2]
        .partition("\n```")[0]
        for one in sampled.answers(f"shelf.py::{name}")
        if "**A call from** " in one
    }


def test_every_claim_of_these_samples_holds(shelf: Sampled) -> None:
    assert shelf.audit().wrong == []


def test_an_assertion_is_shown_as_the_call_with_the_literal_that_comes_out(
    shelf: Sampled,
) -> None:
    assert shown(shelf, "count_words") == {
        'from shelf import count_words\n\ncount_words("a b c")  # == 3'
    }


def test_a_constant_of_the_file_comes_along_and_no_value_that_is_computed(
    shelf: Sampled,
) -> None:
    assert shown(shelf, "join_titles") == {
        'from shelf import join_titles\n\nTITLES = ["a", "b"]\n'
        'join_titles(TITLES, sign="-")'
    }


def test_what_only_a_test_has_is_in_no_example(shelf: Sampled) -> None:
    assert not shown(shelf, "sort_titles")


def test_the_heads_around_a_call_show_what_binds_its_names(shelf: Sampled) -> None:
    assert shown(shelf, "cut_title") == {
        "LIMIT = 3\ndef shorten_all(titles):\n    if titles:\n"
        "        for title in titles:\n"
        "            short = cut_title(title, length=LIMIT)"
    }


def test_a_document_explains_the_names_of_all_its_blocks(shelf: Sampled) -> None:
    assert shown(shelf, "Shelf.find_book") == {
        "from shelf import Shelf\n\nshelf = Shelf(['a'])\nshelf.find_book('a')"
    }


@pytest.mark.parametrize(
    "lines, row, code",
    [
        (["def lend(book):", "    desk.check(book)"], 1, ""),
        (["def lend(desk, book):", "    desk.check(book)"], 1, "as it is"),
        (["def test_lend(desk, book):", "    desk.check(book)"], 1, ""),
        (["async with a() as desk:", "    pass", "    desk.check(1)"], 2, ""),
        (["with open(1) as desk:", "    desk.check(1)"], 1, "as it is"),
        (["x = [one.check(1) for one in range(3)]"], 0, "as it is"),
        (["x = {n: f.check(n) for n, f in vars().items()}"], 0, "as it is"),
        (["x = (lambda f: f.check(1))(print)"], 0, "as it is"),
        (["x = x.check(1)"], 0, ""),
        (["def f(a=LIMIT):", "    a.check(1)"], 1, ""),
        (["def f(a: Limit):", "    a.check(1)"], 1, "as it is"),
        (["for one in ():", "    one.check(1)"], 1, "as it is"),
        (["(a := print).check(1)"], 0, "as it is"),
    ],
)
def test_a_name_is_known_when_the_quotation_binds_it(
    lines: list[str], row: int, code: str
) -> None:
    found = call_example(lines, row, "check")
    if code:
        assert found is not None and found.code == "\n".join(lines)
    else:
        assert found is None


def test_the_lines_between_a_head_and_a_call_are_marked_as_left_out() -> None:
    lines = [
        "    def lend(desk):",
        "        open()",
        "        desk.check(1)",
    ]
    found = call_example(lines, 2, "check")
    assert found is not None
    assert found.code == "def lend(desk):\n    ...\n    desk.check(1)"


def test_a_call_under_a_condition_is_shown_with_it_or_not_at_all() -> None:
    lines = ["def lend(my, desk):", "    if my.day:", "        desk.check(1)"]
    found = call_example(lines, 2, "check")
    assert found is not None and found.code == "\n".join(lines)
    lines += ["    else:", "        desk.close(2)"]
    assert call_example(lines, 4, "close") is None
    # What needs no head of the function is quoted alone.
    lines = [
        "def lend():",
        "    if day:",
        "        print()",
        "    else:",
        "        f(2)",
    ]
    found = call_example(lines, 4, "f")
    assert found is not None and found.code == "f(2)"


def test_what_a_call_rests_on_is_not_left_out() -> None:
    lines = ["a = list()", "b = 1", "a.sort()", "print(a)", "assert a", "a.count(b)"]
    found = call_example(lines, 5, "count")
    assert found is not None
    assert found.code == "a = list()\nb = 1\na.sort()\n...\na.count(b)"


@pytest.mark.parametrize(
    "between",
    [
        ["for one in range(3):", "    data.append((one, [one]))"],
        ["if print():", "    data.sort()"],
        ["data.extend(", "    [1]", ")"],
        [f"data.append({'1' * 90})"],
    ],
)
def test_a_call_is_no_example_when_what_makes_its_data_is_long(
    between: list[str],
) -> None:
    lines = ["data = []", *between, "train(data)"]
    assert call_example(lines, len(lines) - 1, "train") is None


def test_the_object_that_is_called_comes_along() -> None:
    lines = [
        "class Room:",
        "    def f(self, desk=None):",
        "        self.desk = desk or print()",
        "        self.desk.open()",
        "        x = 1",
        "        self.put(self.desk.lend(2))",
    ]
    found = call_example(lines, 5, "lend")
    assert found is not None
    assert found.code == "\n".join([*lines[:4], "        ...", lines[5]])
    lines[3:4] = ["        if desk:", "            self.desk.open()"]
    assert call_example(lines, 6, "lend") is None


def test_a_call_that_passes_on_what_it_is_given_shows_less_than_another() -> None:
    lines = ["def g(*args):", "    f(*args)", "x = f(1)"]
    passed, real = (call_example(lines, row, "f") for row in (1, 2))
    assert passed and real and passed.score < real.score


@pytest.mark.parametrize(
    "line, code",
    [
        ("assert f(1) is None", ""),
        ("assert [2, -1] == f(1)", "f(1)  # == [2, -1]"),
        ("assert f(1) == g", "f(1)"),
        ("assert f(1) != 2", "f(1)"),
        ("assert f(1), 'no'", "f(1)"),
        ("assert not f(1)", ""),
        ("assert isinstance(f(1), int)", ""),
        ("self.assertEqual(f(1), 'a')", "f(1)  # == 'a'"),
        ("self.assertEqual({'a': 1}, f(1))", "f(1)  # == {'a': 1}"),
        ("self.assertIsNone(f(1))", ""),
        ("self.assertTrue(f(1))", "f(1)"),
        ("self.assertIn(1, f(1))", ""),
        ("assert f(self.a) == 1", ""),
    ],
)
def test_an_assertion_is_no_example_but_what_it_calls(line: str, code: str) -> None:
    found = call_example([line], 0, "f")
    assert (found.code if found else "") == code


def test_a_result_is_not_given_where_lines_before_it_are_left_out() -> None:
    lines = ["x = list()", "x.append(1)", "assert x.count(1) == 1"]
    found = call_example(lines, 2, "count")
    assert found is not None
    assert found.code == "x = list()\nx.append(1)\nx.count(1)  # == 1"
    lines = ["x = list()", "print(x.pop())", "assert x.count(1) == 1"]
    found = call_example(lines, 2, "count")
    assert found is not None and found.code == "x = list()\n...\nx.count(1)"
    lines = ["x = list()", "x.append(1)", "y = x.count(1)  # one of them"]
    found = call_example(lines, 2, "count")
    assert found is not None and found.code.endswith("y = x.count(1)  # one of them")


def test_imports_are_written_with_the_names_that_are_used() -> None:
    known = file_names(
        [
            FileImport("a.b", "C", ""),
            FileImport("a.b", "D", "E"),
            FileImport("os.path", "", ""),
        ],
        [],
    )
    found = call_example(["run(C, E(os.path.sep))"], 0, "run", known)
    assert found is not None
    assert found.code == (
        "import os.path\nfrom a.b import C, D as E\n\nrun(C, E(os.path.sep))"
    )
    assert call_example(["run(F)"], 0, "run", known) is None
    assert call_example(["run(1)"], 0, "run", NO_NAMES) is not None


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("from shelf import count_words", "from shelf import Book", "import"),
        ("# == 3", "# == 4", "is not there"),
        ('"a b c"', "text", "is not there"),
    ],
)
def test_a_wrong_example_is_noticed(
    shelf: Sampled, old: str, new: str, problem: str
) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace(old, new)}
        for key, one in shelf.samples.items()
        if key.startswith("shelf.py::count_words#api_usage") and old in one["answer"]
    }
    assert changed
    wrong = shelf.audit(changed).wrong
    assert {one.key for one in wrong} == set(changed)
    assert any(problem in one.actual for one in wrong)


def test_a_name_that_nothing_explains_is_noticed(shelf: Sampled) -> None:
    line = 'TITLES = ["a", "b"]\n'
    changed = {
        key: {**one, "answer": one["answer"].replace(line, "")}
        for key, one in shelf.samples.items()
        if line in one["answer"]
    }
    assert changed
    wrong = shelf.audit(changed).wrong
    assert any("nothing explains TITLES" in one.actual for one in wrong)
