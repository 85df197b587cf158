"""What says no more than a name is no purpose, nor is a text that only leads on."""

from __future__ import annotations

import pytest

from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.text.comment_above import comment_above
from repobuild.samples.text.source_names import public_constants
from repobuild.samples.text.summary.module_purpose import (
    says_little_of_module,
    summarise_module,
)
from repobuild.samples.text.summary.purpose import summarise
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

CODES = '''\
"""Generates a table of codes."""

__all__ = ["codes", "Reader", "OldReader", "LIMIT"]
LIMIT = 3
codes = {}
hidden = 1


class Reader:
    """Reads codes from a stream of bytes, one after another."""

    def emit(self, record):
        """The emit is already locked by the caller."""
        self.stream.write(record)
        self.stream.flush()


class CodeTableError(ValueError):
    """General CodeTable error."""


def unquoted(text):
    """unquoted('a%20b') -> b'a b'."""
    return text.encode().replace(b"%20", b" ")


def reread(stream):
    stream.seek(0)
    return Reader(stream)


class Saved(Reader):
    """A reader to be used in tests of what changes the settings of codes:
    - the limit of codes
    - the order of codes
    """

    def save(self):
        self.saved = {"limit": LIMIT, "codes": dict(codes)}
        return self


def main(arguments):
    """Program entry point."""
    print(Reader(arguments[0]).stream, len(codes))


def ratio(y, a):
    """y是毛利率或期间费用率a=0.5"""
    return y * a + (1 - a) * y.shift(1)


def count(value):
    """count(value) -> count the codes that have this value."""
    return sum(one == value for one in codes)


OldReader = Reader
'''
README = """# Codes

A library that reads codes from streams and writes them again.

## With [`tables`][tables]

Name the table that is to be used, and nothing else has to be done.

## Where to go

In the next section, we will cover how codes are written.

## Examples of use

More of them can be found in `examples/all.py`.

## Reading first

```python
reader = Reader(stream)
```

A full table can be given by a second argument.

[tables]: https://example.org
"""
FILES = {
    "codes.py": CODES,
    "README.md": README,
    "docs/whats_new_in_2.rst": (
        "What is new\n===========\n\nReading\n-------\n\n"
        "Acknowledgments\n---------------\n\nThanks to all who sent codes to us.\n"
    ),
    "docs/whats_new.rst": (
        "Reading\n=======\n\n"
        "``reread()`` had several bugs and returned codes that are hard to use.\n"
    ),
    "tests/conftest.py": '"""Fixtures that the tests of a folder share."""\nA = 1\n',
    "tests/test_codes.py": '"""Unittest for the codes module."""\n\nA = 1\n',
    "tests/test_reading.py": '"""Tests for streams that end too early."""\n\nA = 1\n',
}
codes = sampled_fixture(FILES, **{"samples.min_code_lines": 1})


def test_every_claim_holds(codes: Sampled) -> None:
    assert not codes.audit().wrong


def test_a_module_names_the_values_that_it_exports(codes: Sampled) -> None:
    for kind in ("module", "contents"):
        told = answers(codes, kind)
        shown = {one for one in told if one.startswith("`codes.py`")}
        assert shown
        assert all(
            one.endswith("\n\n**Other public names**: `codes`, `OldReader`")
            for one in shown
        )


def test_a_value_that_is_not_exported_is_noticed(codes: Sampled) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace(": `codes`", ": `hidden`")}
        for key, one in codes.samples.items()
        if "**Other public names**" in one["answer"]
    }
    assert changed
    wrong = codes.audit(changed).wrong
    assert {one.key for one in wrong if one.claim == "other public names"} == {*changed}


def test_what_any_folder_has_is_no_purpose(codes: Sampled) -> None:
    told = {one["element"] for one in of_kind(codes, "module")}
    assert told == {"codes.py", "tests/test_reading.py"}


@pytest.mark.parametrize(
    ("summary", "path", "expected"),
    [
        ("Wrappers around the logging module.", "colorlog/wrappers.py", True),
        ("Unittest for text table.", "tests/texttable_test.py", True),
        ("Gas Station Refueling example", "docs/gas_station_refuel.py", True),
        (
            "Tests for forwarding exceptions to parents.",
            "tests/test_exceptions.py",
            False,
        ),
        ("演示重复。", "tests/test_repeat.py", False),
    ],
)
def test_a_summary_needs_two_words_of_its_own(
    summary: str, path: str, expected: bool
) -> None:
    assert says_little_of_module(summary, path) == expected


def test_a_section_that_only_leads_on_is_not_quoted(codes: Sampled) -> None:
    asked = {one["question"] for one in of_kind(codes, "passage")}
    assert any("With `tables`" in one for one in asked)
    assert not any("next" in one or "Where to go" in one for one in asked)
    assert not any("Examples of use" in one for one in asked)


def test_text_below_its_code_is_not_quoted_above_it(codes: Sampled) -> None:
    assert not any(
        "Reading first" in one["question"] for one in of_kind(codes, "passage")
    )


def test_a_heading_is_told_without_its_link(codes: Sampled) -> None:
    assert any("With `tables`" in one["answer"] for one in of_kind(codes, "sections"))
    assert not any("[tables]" in one["question"] for one in codes.samples.values())


def test_what_a_name_says_in_one_word_is_no_purpose(codes: Sampled) -> None:
    assert not answers(codes, "explain", "codes.py::CodeTableError")


def test_what_is_already_so_is_no_purpose(codes: Sampled) -> None:
    assert not answers(codes, "explain", "codes.py::Reader.emit")


def test_who_asks_for_calls_does_not_ask_for_all_that_code_rests_on() -> None:
    for language, words in (("en", ("depend", "rely")), ("zh", ("依赖", "依靠"))):
        kind = load_phrases(language).kinds["callees"]
        asked = (*kind.questions, kind.held_out)
        assert not any(word in one for one in asked for word in words)


def test_a_docstring_about_one_class_is_no_purpose_of_its_module() -> None:
    told = "Implement this class to create a bucket that works."
    assert summarise_module(told, "bucket.py") == ""
    assert summarise_module("Create buckets that work.", "bucket.py")


@pytest.mark.parametrize(
    "told",
    [
        "As a programming ecosystem grows, so do the chances of variability.",
        "The Python Garbage Collector doesn't get attention, probably because:\n\n - a",
        "When run as a script, it prints all codes.",
    ],
)
def test_how_an_essay_begins_is_no_purpose_of_a_module(told: str) -> None:
    assert summarise_module(told, "gc.py") == ""


@pytest.mark.parametrize(
    "told",
    [
        "@Project ：codes\n@File ：reader.py",
        "输入参数：data:包含资金数据",
        "reader.py\n\nCreated on 4 sept. 2010",
    ],
)
def test_the_fields_of_a_template_are_no_purpose(told: str) -> None:
    assert summarise(told) == ""


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("linked list manipulation methods.", False),
        ("Helpers of the reader itself follow the codes.", True),
    ],
)
def test_the_heading_of_a_group_is_no_comment_of_its_first_member(
    comment: str, expected: bool
) -> None:
    source = f"# {comment}\ndef first(): ...\n"
    assert bool(comment_above(source.encode(), source.index("def"))) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("unquoted", False), ("ratio", False), ("main", False), ("count", True)],
)
def test_an_example_or_an_argument_alone_is_no_purpose(
    codes: Sampled, name: str, expected: bool
) -> None:
    assert bool(answers(codes, "explain", f"codes.py::{name}")) == expected


def test_what_a_document_says_of_the_past_is_no_purpose(codes: Sampled) -> None:
    told = codes.answers("codes.py::reread")
    assert told
    assert not any("had several bugs" in one for one in told)


def test_thanks_are_not_asked_for(codes: Sampled) -> None:
    asked = {one["question"] for one in of_kind(codes, "passage")}
    assert not any("Acknowledgments" in one for one in asked)


def test_a_docstring_that_ends_in_a_list_is_not_said_to_give_no_purpose(
    codes: Sampled,
) -> None:
    told = codes.answers("codes.py::Saved")
    assert told
    assert not any("gives no purpose" in one for one in told)


def test_a_constant_with_a_type_on_several_lines_is_found() -> None:
    wide = b"A: dict[\n    str, tuple[int, dict[str, list[int]]]\n] = {}\n"
    source = wide + b"B: \\\n    int = 1\nC: int\n"
    assert public_constants(source) == []
    assert public_constants(source.replace(b"A:", b"AA:").replace(b"B:", b"BB:")) == [
        "AA",
        "BB",
    ]
