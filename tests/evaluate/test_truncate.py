"""Truncating completions: by the question, never by the expected code."""

from __future__ import annotations

import ast
import textwrap

import pytest

from repobuild.evaluate.scoring.truncate import truncate_completion
from repobuild.model.teaching.curriculum import kind_of

BODY, LINE = "#code_completion.en.0", "#code_completion.en.10"
ASSERTION, NEEDS = "#assertion_completion.zh.1", "#import_completion.en.2"


def cut(
    sub: str, answer: str, prefix: str = "def f():\n    ", path: str = "m.py"
) -> str:
    return truncate_completion(sub, {"element": f"{path}::f", "prefix": prefix}, answer)


def test_the_kind_of_code_follows_from_the_key_of_a_sample() -> None:
    found = [kind_of(sub) for sub in (BODY, LINE, ASSERTION, NEEDS)]
    assert found == ["body", "line", "assertion", "needs"]
    assert kind_of("#house_rules.en.0") == ""


def test_a_line_ends_with_the_line() -> None:
    for sub in (LINE, ASSERTION):
        assert cut(sub, "return a, b\n    return c\n") == "return a, b"
        assert cut(sub, "\n\nreturn a\n") == "return a"
        assert cut(sub, "") == ""


def test_a_comment_ends_a_line_but_a_hash_sign_in_a_string_does_not() -> None:
    assert cut(LINE, "x = 1  # why") == "x = 1"
    assert cut(LINE, "x = '#1'  # why") == "x = '#1'"
    assert cut(LINE, r"x = 'it\'s #1'") == r"x = 'it\'s #1'"
    assert cut(LINE, "#include <a.h>", path="m.c") == "#include <a.h>"


def test_commas_and_brackets_do_not_end_an_answer() -> None:
    assert cut(ASSERTION, "[1, 2]), (3\n") == "[1, 2]), (3"


def test_a_body_ends_where_a_line_is_indented_less() -> None:
    body = "x = 1\n    if x:\n        return 2\n\n    return 3"
    assert cut(BODY, f"{body}\n\n\ndef g():\n    pass") == body
    assert cut(BODY, f"{body}\nx = f()") == body
    assert cut(BODY, body) == body


def test_a_multi_line_string_may_be_indented_less_than_its_body() -> None:
    body = 'x = """\nat the margin\n"""\n    return x'
    assert cut(BODY, f"{body}\ndef g(): ...") == body


def test_a_body_in_braces_ends_with_its_brace() -> None:
    body = "if (x) {\n    y();\n  }\n}"
    found = cut(BODY, f"{body}\n\nint g() {{\n}}", "int f() {\n  ", "m.c")
    assert found == body


def test_imports_end_at_the_first_other_line() -> None:
    needs = "from a import b\nimport c"
    assert cut(NEEDS, f"{needs}\n\nx = b(c)") == needs
    assert cut(NEEDS, f"You need this:\n{needs}") == needs
    assert cut(NEEDS, "x = 1") == ""


def test_only_the_code_in_a_fence_counts() -> None:
    assert cut(LINE, "```python\nreturn a\n```\nThat is it.") == "return a"


SOURCE = '''
def plain(a):
    return a


def long(text):
    found = """
no margin
"""
    if text:
        return found
    return (
        text,
    )


def last(x):
    if x:
        for y in x:
            yield y
'''


@pytest.mark.parametrize("node", ast.parse(SOURCE).body, ids=lambda n: n.name)
def test_a_body_is_kept_whole_and_without_the_code_after_it(node) -> None:
    lines = SOURCE.splitlines()
    first, end = node.body[0].lineno - 1, node.end_lineno
    body = "\n".join(lines[first:end])
    prefix = "\n".join([*lines[:first], "    "])
    answer = textwrap.dedent(body) if "\n" not in body else body[4:]
    assert cut(BODY, "\n".join([answer, *lines[end:]]), prefix) == answer
