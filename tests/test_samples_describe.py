"""Docstrings in the three usual styles, and in none."""

from __future__ import annotations

from repobuild.samples.describe import SUMMARY, described, sentence, shortened, summary

GOOGLE = """Read a file.

More about it.

Args:
    path (str): Where it is.
    mode: How to open it,
        in detail.
    *rest: Others.

Returns:
    The bytes.

Raises:
    OSError: when not.
"""
NUMPY = """Read a file.

Parameters
----------
path : str
    Where it is.
mode
    How.

Returns
-------
bytes
    The bytes.
"""
SPHINX = """Read a file.

:param path: Where it is.
:param str mode: How to open it,
    in detail.
:returns: The bytes.
"""


def test_google_parameters_and_returns_are_read() -> None:
    found = described(GOOGLE)
    assert found.summary == "Read a file."
    assert found.parameters["path"] == "Where it is."
    assert found.parameters["mode"] == "How to open it, in detail."
    assert found.parameters["rest"] == "Others."
    assert "OSError" not in found.parameters
    assert found.returns == "The bytes."


def test_numpy_parameters_and_returns_are_read() -> None:
    found = described(NUMPY)
    assert found.parameters == {"path": "Where it is.", "mode": "How."}
    assert found.returns == "bytes The bytes."


def test_sphinx_parameters_and_returns_are_read() -> None:
    found = described(SPHINX)
    assert found.summary == "Read a file."
    assert found.parameters["path"] == "Where it is."
    assert found.parameters["mode"] == "How to open it, in detail."
    assert found.returns == "The bytes."


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    assert summary("One\nline.\n\nTwo.") == "One line."
    assert summary("") == ""


def test_a_summary_stops_before_a_section_of_its_own_paragraph() -> None:
    assert summary("Read it.\n:param a: b") == "Read it."
    assert summary("Read it.\n>>> read()\n1") == "Read it."


def test_a_long_text_ends_after_a_sentence_or_says_that_it_was_cut() -> None:
    assert shortened("Aaaa. Bbbb. Cccc.", 12) == "Aaaa. Bbbb."
    assert shortened("one two three four", 12) == "one two ..."
    assert len(summary("word " * 200)) <= SUMMARY + 4


def test_the_first_sentence_is_cut_at_its_end_in_both_languages() -> None:
    assert sentence("Read it. Then more.") == "Read it."
    assert sentence("读取文件。然后返回。") == "读取文件。"
    assert sentence("uses os.path here") == "uses os.path here"
