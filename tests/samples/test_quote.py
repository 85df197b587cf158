"""Quoted code does not depend on comments and layout; its lines are the source's."""

from __future__ import annotations

import pytest

from repobuild.samples.text.quote import quote_definition

PLAIN = b'''\
    @cached
    def read(self, path: str) -> bytes:
        """Read it."""
        with open(path) as file:
            text = file.read()
        return text
'''
COMMENTED = b'''\
    @cached
    # which file
    def read(self, path: str) -> bytes:  # noqa
        """Read it, carefully."""

        # open it
        with open(path) as file:  # closes it

            text = file.read()
        return text  # done
        # end
'''


def test_comments_blank_lines_and_docstrings_do_not_change_a_quotation() -> None:
    assert quote_definition("python", PLAIN, True) == quote_definition(
        "python", COMMENTED, True
    )


def test_head_and_body_are_dedented_lines_of_the_source() -> None:
    found = quote_definition("python", PLAIN, True)
    assert found is not None
    assert found.head == "@cached\ndef read(self, path: str) -> bytes:"
    assert found.body.startswith("    with open(path) as file:\n        text")
    assert found.lines == 5


@pytest.mark.parametrize(
    "line",
    ["x = 'a # b'", 'x = f"{a}# {b}"', "x = '''a\n\n  # no comment\n'''", "x = 1 // 2"],
)
def test_text_in_a_string_is_not_changed(line: str) -> None:
    found = quote_definition(
        "python", f"def f():\n    {line}\n    return x\n".encode(), False
    )
    assert found is not None
    assert line in found.body


def test_a_definition_on_one_line_is_not_quoted() -> None:
    assert quote_definition("python", b"def f(): return 1", False) is None


def test_quoting_broken_code_never_raises() -> None:
    for end in range(len(COMMENTED)):
        quote_definition("python", COMMENTED[:end], True)


def test_a_removed_docstring_leaves_no_blank_line() -> None:
    source = b'def f():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    found = quote_definition("python", source, True)
    assert found is not None
    assert found.body == "    return 1"


def test_a_body_of_a_docstring_alone_is_empty() -> None:
    found = quote_definition("python", b'class A(B):\n    """It is one."""\n', True)
    assert found is not None
    assert found.body == ""
