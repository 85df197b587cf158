"""Which part of a test is hidden; an edit does not change the choice."""

from __future__ import annotations

import pytest

from repobuild.samples.text.expectation import hide_expectation

MOST = 400
CALLED = "total found name size order done count rows ready read reply".split()


def hidden(*lines: str) -> str:
    """Return the hidden part of a test that consists of these lines."""
    code = "def test_it(self):\n    " + "\n    ".join(lines)
    found = hide_expectation(code, MOST, CALLED)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("assert total(rows) == [4200]", "[4200]"),
        ('self.assertEqual(name(row), "first")', '"first")'),
        ("self.assertRaises(ValueError, total, None)", ""),
        ('self.assertRaises(ValueError, lambda: total("a b"))', ""),
        ('self.assertEqual("first", name(row))', ""),
        ("self.assertTrue(size(rows) == 10 * len(rows))", "10 * len(rows))"),
        ("assert order(rows) == list(map(str, [1, 2]))", "list(map(str, [1, 2]))"),
    ],
)
def test_the_hidden_part_ends_where_the_statement_ends(line: str, answer: str) -> None:
    assert hidden(line) == answer


@pytest.mark.parametrize(
    "line",
    [
        "assert total(rows) == expected",
        # A name that the test does not show may mean anything.
        "self.assertTrue(size(rows) == 10 * KILO)",
        "assert order(rows) in (FIRST, LAST)",
        'assert name(rows) == build(rows, "first")',
        "assert repr(total(rows)) == repr(rows)",
        'assert total(rows) != "spam"',
        'self.assertNotEqual(name(row), "first")',
        "assert done(rows) is True",
        "assert count(rows) == 12",
        "assert reply.status_code == 200",
        "self.assertEqual(total(rows), -4200.5)",
        "assert total(rows) == 0x1F00",
        "assert rows",
        'assert total(rows) == 4200, "a message"',
        "self.assertTrue(ready(rows))",
        "assert size(rows) == len(set(rows))",
        # What fails is told, and not what is expected.
        'self.assertTrue(ready(rows), "%r is ready" % rows)',
        'self.assertFalse(total(rows) != total(read), "%r == %r" % (rows, read))',
        'self.assertEqual(name(row), "first", "it is the first")',
        # Other classes and limits hold as well.
        "assert isinstance(found, Row)",
        "self.assertIsInstance(found(rows), Row)",
        "self.assertTrue(size(rows) > 10 * KILO)",
        'self.assertRegex(name(rows), "[a-z]+1")',
        "self.check(total(rows), 4200)",
        "assert total(\n        rows\n    ) == 4200",
    ],
)
def test_values_that_can_be_guessed_or_have_several_lines_are_left_out(
    line: str,
) -> None:
    assert hidden(line) == ""


def test_text_that_the_test_already_shows_is_not_hidden() -> None:
    assert hidden('x = "value"', 'assert read(x) == "value"') == ""


def test_nothing_after_the_cut_is_shown() -> None:
    code = "def test_it():\n    assert size(a) == [4711]\n    assert b == late\n"
    assert hide_expectation(code, MOST, CALLED) == (
        "def test_it():\n    assert size(a) == ",
        "[4711]",
    )


def test_an_assertion_is_found_in_a_branch_and_not_in_an_inner_function() -> None:
    assert (
        hidden("with opened() as file:", "    assert size(file) == [4711]") == "[4711]"
    )
    assert hidden("def inner():", "    assert size(1) == [4711]") == ""


def test_an_edit_elsewhere_in_the_test_keeps_the_assertion() -> None:
    lines = [f"assert size({n}) == {1000 + n}" for n in range(6)]
    chosen = hidden(*lines)
    others = [line for line in lines if not line.endswith(chosen)]
    for line in others:
        left = [one for one in lines if one != line]
        assert hidden(*left) == hidden("prepare()", *lines) == chosen


def test_an_assertion_after_too_much_code_is_left_out() -> None:
    code = "def test_it():\n    " + "step()\n    " * 99 + "assert size(1) == [4711]\n"
    assert hide_expectation(code, MOST, CALLED) is None


def test_what_is_expected_before_the_project_is_called_teaches_nothing() -> None:
    lines = ['assert re.fullmatch("[A-Z]+", "OK_1")', "assert clean(1) == [4711]"]
    code = "def test_it():\n    " + "\n    ".join(lines)
    found = hide_expectation(code, MOST, ["clean"])
    assert found and found.hidden == "[4711]"
    assert hide_expectation(code, MOST, ["other"]) is None


@pytest.mark.parametrize(
    "line",
    [
        'assert total(rows) is rows["first"]',
        "assert message == found.value.args[0]",
        'self.assertEqual(total(rows), rows[6]["table"])',
        "assert order(rows) == rows[1:]",
        "assert message in [found, 1]",
        'assert total(rows) == self.text + "first"',
    ],
)
def test_what_many_expressions_give_is_not_asked(line: str) -> None:
    shown = ('message = "first"', "found = total(rows)", line)
    assert hidden(*shown) == ""


def test_an_assertion_that_another_ends_otherwise_is_not_asked() -> None:
    first, second = (
        "assert total(rows) == [rows, 1]",
        "assert total(rows) == [*rows, 2]",
    )
    assert hidden("rows = read()", first) == "[rows, 1]"
    assert hidden("rows = read()", first, second) == ""
    asked = hidden("rows = read()", first, second, 'assert name(rows) == "first"')
    assert asked == '"first"'


def test_a_value_that_changes_between_two_assertions_is_asked() -> None:
    code = (
        'assert total(rows) == "first"',
        "rows.add()",
        'assert total(rows) == "two"',
    )
    assert hidden(*code) == '"first"'


def test_a_constant_of_a_class_is_asked() -> None:
    assert hidden("rows = Row.NEW", "assert total(rows) == Row.OLD") == "Row.OLD"


def test_a_call_that_gives_what_a_variable_holds_is_not_asked() -> None:
    plain = 'assert rows == read("one, two")'
    method = 'self.assertEqual(rows, read("one, two"))'
    for line in (plain, method):
        assert hidden("first = read()", "rows = [1, 2]", line) == ""
        kept = hidden("first = read()", "rows = total()", line)
        assert kept and kept in line
    assert hidden("rows = []", "read(rows)", "assert rows == [100]") == "[100]"
