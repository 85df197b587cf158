"""Docstrings in the three usual styles, and in none."""

from __future__ import annotations

import pytest

from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.summary.purpose import lead, summarise
from repobuild.samples.text.summary.sentences import SUMMARY, first_sentence, shorten
from repobuild.truth.claims.prose_match import plain

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
    found = parse_docstring(GOOGLE)
    assert found.summary == "Read a file."
    assert found.parameters["path"] == "Where it is."
    assert found.parameters["mode"] == "How to open it, in detail."
    assert found.parameters["rest"] == "Others."
    assert "OSError" not in found.parameters
    assert found.returns == "The bytes."


def test_numpy_parameters_and_returns_are_read() -> None:
    found = parse_docstring(NUMPY)
    assert found.parameters == {"path": "Where it is.", "mode": "How."}
    assert found.returns == "The bytes."


def test_sphinx_parameters_and_returns_are_read() -> None:
    found = parse_docstring(SPHINX)
    assert found.summary == "Read a file."
    assert found.parameters["path"] == "Where it is."
    assert found.parameters["mode"] == "How to open it, in detail."
    assert found.returns == "The bytes."


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    assert summarise("One\nline.\n\nTwo.") == "One line."
    assert summarise("") == ""


def test_a_summary_stops_before_a_section_of_its_own_paragraph() -> None:
    assert summarise("Read it.\n:param a: b") == "Read it."
    assert summarise("Read it.\n>>> read()\n1") == "Read it."


def test_a_long_text_ends_after_a_sentence_or_is_left_out() -> None:
    assert shorten("Aaaa. Bbbb. Cccc.", 12) == "Aaaa. Bbbb."
    assert shorten("one two three four", 12) == "one two three four"
    assert shorten("one two three four five six", 12) == ""
    assert len(summarise("word " * 100)) <= SUMMARY * 2
    assert summarise("word " * 200) == ""


def test_the_first_sentence_is_cut_at_its_end_in_both_languages() -> None:
    assert first_sentence("Read it. Then more.") == "Read it."
    assert first_sentence("读取文件。然后返回。") == "读取文件。"
    assert first_sentence("uses os.path here") == "uses os.path here"


def test_markup_of_documentation_tools_is_stripped() -> None:
    text = (
        "Invoke all ``close`` callbacks registered with\n:meth:`~a.b.Context.on_close`."
    )
    told = "Invoke all `close` callbacks registered with `Context.on_close`."
    assert summarise(text) == told
    assert summarise("See `the pages <https://x.org/y>`_ of |this| one.") == (
        "See the pages of |this| one."
    )
    assert summarise("A :ref:`group of commands <groups>`.") == "A group of commands."


def test_a_title_between_rules_is_the_summary() -> None:
    assert summarise("=========\nUsing it\n=========\n\nMore of it.") == "Using it"
    assert summarise("Using it\n========\nMore of it.") == "Using it"


def test_a_directive_is_no_prose() -> None:
    assert summarise(".. deprecated:: 8.2\n   Use another.") == ""
    assert summarise("Read it.\n.. note:: slowly") == "Read it."


def test_a_sentence_that_announces_a_list_is_left_out_with_the_list() -> None:
    assert summarise("Read it. The modes are:\n\n- r") == "Read it."
    assert summarise("Take, in this order:\n\n- r") == "Take, in this order"


def test_a_first_line_without_a_full_stop_ends_where_it_was_broken() -> None:
    text = "Protect the file\nThis is achieved by keeping a list of small pieces."
    assert summarise(text) == "Protect the file"
    wrapped = "Return a context that is made for the\nPython interpreter that runs it."
    assert summarise(wrapped).endswith("for the Python interpreter that runs it.")


def test_several_returned_values_have_no_description() -> None:
    text = "Load.\n\nReturns\n-------\npool : str\n    Where.\nit : bool\n    If.\n"
    assert parse_docstring(text).returns == ""


def test_a_list_in_the_first_paragraph_keeps_its_lines() -> None:
    items = "  * file, the\n    default\n  * memory"
    doc = f"Choose how it is stored, one of\n{items}\n\nMore."
    summary = parse_docstring(doc).summary
    assert summary == ("Choose how it is stored, one of\n* file, the default\n* memory")
    assert lead(summary) == summarise(doc) == ""
    assert parse_docstring("Return 2 - 1, always.").summary == "Return 2 - 1, always."


def test_a_title_that_is_a_name_is_no_purpose() -> None:
    title = "pkg.tools\n---------\n\nTools for the yard."
    assert parse_docstring(title).summary == "Tools for the yard."
    assert parse_docstring("pkg.tools").summary == ""
    assert parse_docstring("source:\nhttps://example.org/a").summary == ""


def test_a_list_after_a_title_that_is_a_name_keeps_its_lines() -> None:
    doc = "visit\n\nChoose one of\n* file\n* memory\n\nMore."
    assert parse_docstring(doc).summary == "Choose one of\n* file\n* memory"
    announced = "Store it, as one of:\n* file\n* memory"
    assert parse_docstring(f"visit\n\n{announced}").summary == announced


def test_a_link_is_no_purpose() -> None:
    assert parse_docstring("https://example.org/a\nhttps://example.org/b").summary == ""
    linked = "Count the words.\nhttps://example.org/a"
    assert parse_docstring(linked).summary == "Count the words."


def test_a_line_that_begins_with_a_role_is_no_field() -> None:
    doc = "Turn a\n:py:attr:`~pkg.Style.TONE` into a\n:py:attr:`~pkg.Style.PLAIN`."
    assert parse_docstring(doc).summary == "Turn a `Style.TONE` into a `Style.PLAIN`."


def test_the_type_of_a_returned_value_is_no_part_of_its_description() -> None:
    doc = "Ask.\n\nReturns:\n    :class:`Question`: The question, ready to be asked."
    assert parse_docstring(doc).returns == "The question, ready to be asked."
    plain = "Ask.\n\nReturns:\n    The area in that unit: cm."
    assert parse_docstring(plain).returns == "The area in that unit: cm."


def test_a_list_is_told_only_with_the_sentence_that_announces_it() -> None:
    doc = "Similarity of two texts\nThis works as follows:\n1. Find it.\n2. Count it."
    assert parse_docstring(doc).summary == "Similarity of two texts"


def test_chinese_lines_are_joined_as_chinese_is_written() -> None:
    first, second = "用户需要多进程部署时可以自行重写这个函数", "来定义凭证的存储。"
    doc = f"判断凭证是否过期。\n{first}\n{second}"
    assert parse_docstring(doc).summary == f"判断凭证是否过期。{first}{second}"
    short = "接口类\n通过这个类可以方便地完成一系列的操作，比如主动发送消息等"
    assert parse_docstring(short).summary == "接口类"
    assert (
        parse_docstring("返回的内容是\nJSON 数据").summary == "返回的内容是 JSON 数据"
    )


def test_a_sentence_that_goes_on_with_a_word_and_a_colon_is_no_section() -> None:
    text = "Return True if one matches, else\nFalse:\n\n    >>> d.is_('.a')\n"
    assert summarise(text) == "Return True if one matches, else False"
    assert summarise("Return the sum\nArgs:\n    a: one") == "Return the sum"


@pytest.mark.parametrize(
    "doc",
    [
        "which is given by the caller.",
        "so that `dict(model)` works",
        '!!! abstract "Usage Documentation"\n    [Models](../models.md)',
        "... and more of it.",
    ],
)
def test_a_sentence_that_begins_in_the_middle_is_no_summary(doc: str) -> None:
    assert parse_docstring(doc).summary == ""
    assert parse_docstring("Or do this.").summary == "Or do this."


def test_data_is_no_purpose() -> None:
    assert parse_docstring("{'type': 'boolean', 'nullable': True}").summary == ""
    assert parse_docstring("..and so on.").summary == ""
    told = parse_docstring("{class}`Rule` of a field.").summary
    assert told == "`Rule` of a field."


def test_a_role_is_quoted_without_the_prefix_of_its_target() -> None:
    told = parse_docstring("Turn a :class:`python3:str` into :func:`.weigh()`.").summary
    assert told == "Turn a `str` into `weigh()`."


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (":class:`Arrow <arrow.parser.DateTimeParser>`", "`DateTimeParser`"),
        (":class:`Arrow <arrow.arrow.Arrow>`", "Arrow"),
        (":class:`Arrows <arrow.Arrow>`", "Arrows"),
        (":func:`here <arrow.get>`", "here"),
    ],
)
def test_a_role_that_leads_to_another_class_names_that_class(
    role: str, told: str
) -> None:
    text = f"Provide the {role} for users."
    assert parse_docstring(text).summary == f"Provide the {told} for users."
    assert plain(text) == plain(f"Provide the {told} for users.")


@pytest.mark.parametrize(
    ("docstring", "summary"),
    [
        (
            "Strip all spaces (as defined in\nhttps://html.org/).",
            "Strip all spaces",
        ),
        ("Parse a header. The form is told at\nhttps://html.org/", "Parse a header."),
        ("Parse a header\nhttps://html.org/", "Parse a header"),
    ],
)
def test_no_summary_ends_before_a_link_that_would_complete_it(
    docstring: str, summary: str
) -> None:
    assert summarise(docstring) == summary


def test_of_a_list_in_a_description_the_first_item_is_told() -> None:
    text = ":param path:\n    * Where it\n      is.\n    * What it is called\n"
    assert parse_docstring(text).parameters == {"path": "Where it is."}
    text = ":param path: Where it is:\n    * `a` is one\n    * `b` is one\n"
    assert parse_docstring(text).parameters == {}
    text = ":param path: Where it is\n    * `a` is one\n    * `b` is one\n"
    assert parse_docstring(text).parameters == {"path": "Where it is"}


@pytest.mark.parametrize(
    ("docstring", "summary"),
    [
        (
            "获得用于查询的默认日期, 今天的日期\n用于查询的日期格式通常为 20160211",
            "获得用于查询的默认日期, 今天的日期",
        ),
        (
            "获取账户资产信息。\nqmt 官方文档：https://dict.net/api.html?id=7z#%E8",
            "获取账户资产信息。",
        ),
    ],
)
def test_chinese_lines_are_sentences_and_links_none(
    docstring: str, summary: str
) -> None:
    assert summarise(docstring) == summary


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a `.Context` of it", "a `Context` of it"),
        ("as `~.Collection.add` does", "as `Collection.add` does"),
        ("as `~tools.weigh` does", "as `weigh` does"),
        ("a `.py` file", "a `.py` file"),
    ],
)
def test_a_default_role_is_quoted_without_the_prefix_of_its_target(
    written: str, told: str
) -> None:
    assert parse_docstring(f"Make {written}.").summary == f"Make {told}."
    assert plain(f"Make {written}.") == plain(f"Make {told}.")


def test_a_role_without_backticks_is_a_name() -> None:
    assert summarise("Add an error to :attr:tree.") == "Add an error to `tree`."


def test_a_default_role_with_a_target_is_its_text() -> None:
    assert summarise("The `Card <club.cards.Card>` opens.") == "The `Card` opens."


@pytest.mark.parametrize(
    "docstring", ["# pylint: disable=all\nurl = 'http://a.b'", 'url = "http://a.b/c"']
)
def test_code_in_a_docstring_is_no_purpose(docstring: str) -> None:
    assert summarise(docstring) == ""


def test_a_rule_below_the_fields_is_no_part_of_the_last_one() -> None:
    rule = "---------"
    lines = [
        "获取数据",
        rule,
        "@param table:",
        "@param seconds: 秒",
        rule,
        "@result: 1",
    ]
    found = parse_docstring("\n".join(lines))
    assert found.parameters["seconds"] == "秒"
    assert parse_docstring("@params name: 用户\n@params block: 是否等待").summary == ""
