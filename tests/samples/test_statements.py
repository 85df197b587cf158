"""Code is shown in whole statements, whatever its language."""

from __future__ import annotations

import pytest

from repobuild.samples.text.statements import is_whole


@pytest.mark.parametrize(
    "code",
    [
        "total = first",
        "f(a,\n  b)",
        "i++",
        "def f(): ...",
        "let a = {\n}",
        "f()  # or,",
        'name = "csv"',
    ],
)
def test_a_statement_is_whole(code: str) -> None:
    assert is_whole(code)


@pytest.mark.parametrize("end", ["+", "-", "=", "&&", "||", ",", "\\", ".", ":", "{"])
def test_code_that_ends_with_an_operator_is_not_whole(end: str) -> None:
    assert not is_whole(f"total = first {end}")


@pytest.mark.parametrize("code", ["f(a", "a[1", 'text = """One'])
def test_code_that_is_cut_within_brackets_or_a_string_is_not_whole(code: str) -> None:
    assert not is_whole(code)
