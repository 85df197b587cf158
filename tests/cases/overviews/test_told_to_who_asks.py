"""Overviews say what parts are for, and lists of users name all who use something."""

from __future__ import annotations

import pytest

from repobuild.samples.tasks.completion import _LEFT_OUT
from repobuild.samples.text.markup import strip_markup
from repobuild.samples.text.summary.module_purpose import repeats_path, summarise_module
from repobuild.samples.text.summary.purpose import summarise
from repobuild.truth.claims.prose_match import is_beginning
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

FAST = '''"""Count days in compiled code."""


def days_in_year(year):
    """Return how many days a year has."""
    return 365 + is_leap(year)


def is_leap(year):
    """Return whether a year has a day more."""
    return year % 4 == 0
'''
SLOW = FAST.replace("in compiled code", "by hand")
CHOOSER = '''"""Give the functions that this machine can run."""

try:
    from almanac._fast import days_in_year
except ImportError:
    from almanac._slow import days_in_year
'''
WEEKS = '''"""Number the weeks of a year."""

from almanac.choose import days_in_year


def last_week(year):
    """Return the number of the last week."""
    return days_in_year(year) // 7
'''
TRAVEL = '''"""Move the clock for who tests a calendar."""

from almanac.weeks import last_week


class Traveller:
    """Travels to another year."""

    def __init__(self, year):
        self.year = year
        self.kind = self.__class__.__name__

    @property
    def __name__(self):
        """Return the year as a name."""
        return str(self.year)

    def jump(self):
        """Go to the end of the year."""
        return last_week(self.year)
'''
LOCALE = '''"""{0} custom locale file."""

translations = {{"ago": "{0}"}}


def months():
    """Return the names of the months."""
    return translations
'''
README = """# almanac

This is a Python version of Ruby's Ephemeris library.

## Films

### Introduction to almanac

[![Introduction to
almanac](https://example.com/0.jpg)](https://www.example.com/watch?v=CN2IVtInapo)

## Tides of a place

The tides of a place follow the moon, and they are computed for each day of a year.
"""
EXAMPLE = "from almanac.weeks import last_week\n\nprint(last_week(2001))\n"
FILES = {
    "README.md": README,
    "pyproject.toml": '[project]\nname = "almanac"\nversion = "1.0"\n'
    'description = "Compute the days, weeks and tides of any year"\n',
    "almanac/__init__.py": '"""Compute calendars."""\n',
    "almanac/_fast.py": FAST,
    "almanac/_slow.py": SLOW,
    "almanac/choose.py": CHOOSER,
    "almanac/weeks.py": WEEKS,
    "almanac/testing/__init__.py": '"""Help those who test calendars."""\n',
    "almanac/testing/travel.py": TRAVEL,
    "almanac/locales/__init__.py": "",
    "almanac/locales/ko/__init__.py": "",
    "almanac/locales/ko/custom.py": LOCALE.format("ko"),
    "almanac/locales/ko/dates.py": '"""Spell the dates of Korea."""\n\nD = "d"\n',
    "examples/weeks.py": EXAMPLE,
    "examples/years.py": EXAMPLE,
}
TESTED = {
    "almanac/testing/test_travel.py": "from almanac.testing.travel import Traveller\n"
    "\n\ndef test_jump():\n    assert Traveller(2001).jump() == 52\n",
}
almanac = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(almanac: Sampled) -> None:
    assert almanac.audit().wrong == []


def test_a_package_whose_parts_have_no_purpose_each_is_asked_for_its_parts_only(
    almanac: Sampled,
) -> None:
    found = of_kind(almanac, "package_parts")
    ko = [one for one in found if one["element"] == "almanac/locales/ko/__init__.py"]
    assert ko and all("custom.py`\n" in one["answer"] for one in ko)
    for one in ko:
        assert "purpose" not in one["question"] and "for?" not in one["question"]


def test_a_docstring_that_repeats_its_path_is_no_purpose() -> None:
    assert repeats_path("ko custom locale file.", "almanac/locales/ko/custom.py")
    assert repeats_path("nn custom locale file.", "almanac/locales/nb/custom.py")
    assert not repeats_path("Korean phrases.", "almanac/locales/ko/custom.py")


def test_a_folder_of_helpers_for_testing_is_the_product(almanac: Sampled) -> None:
    assert not answers(almanac, "test_folders")
    row = almanac.context("almanac/weeks.py::last_week")
    assert "almanac/testing/travel.py::Traveller.jump" in row["callers"]


def test_a_folder_called_testing_with_tests_is_one_of_tests(tmp_path) -> None:
    tested = Sampled(tmp_path, {**FILES, **TESTED}, **ALL_IN_ENGLISH)
    (text,) = answers(tested, "test_folders")
    assert "`almanac/testing`" in text
    assert tested.audit().wrong == []


def test_a_comparison_with_another_project_is_no_introduction(
    almanac: Sampled,
) -> None:
    (text,) = answers(almanac, "tagline")
    assert "Compute the days, weeks and tides" in text
    assert not answers(almanac, "purpose")


def test_examples_that_import_a_file_are_named_apart(almanac: Sampled) -> None:
    row = almanac.context("almanac/weeks.py")
    assert row["importers"] == ["almanac/testing/travel.py"]
    assert row["importers_aside"] == ["examples/weeks.py", "examples/years.py"]
    (text,) = answers(almanac, "importers", "almanac/weeks.py")
    assert text.endswith(
        "**Examples, scripts and documentation that import it**: `examples/weeks.py`,"
        " `examples/years.py`"
    )


def test_who_takes_one_of_two_implementations_is_no_user_of_either(
    almanac: Sampled,
) -> None:
    row = almanac.context("almanac/_slow.py::days_in_year")
    assert not row.get("callers") and "callers" in row["open"]
    told = almanac.answers("almanac/_slow.py::days_in_year")
    assert told and not any("by `last_week`" in text for text in told)
    assert not any("**Used by**" in text for text in told)
    assert "takers" not in almanac.context("almanac/_slow.py")
    row = almanac.context("almanac/weeks.py::last_week")
    assert not row.get("callees") and "callees" in row["open"]
    row = almanac.context("almanac/_slow.py::is_leap")
    assert row["callers"] == ["almanac/_slow.py::days_in_year"]


def test_the_name_of_a_class_is_no_property_of_its_objects(almanac: Sampled) -> None:
    row = almanac.context("almanac/testing/travel.py::Traveller.__init__")
    assert not row.get("property_reads")


def test_the_rest_of_a_linked_image_is_no_passage(almanac: Sampled) -> None:
    told = answers(almanac, "passage")
    assert told and not any("](https" in one for one in told)


@pytest.mark.parametrize(
    "line",
    ['println!("{} days", 31);', 'print("made", year, month)', "assert days > 0, days",
     'console.log("made", year)', "debug_assert!(days > 0);", 'assert(days > 0);',
     'fmt.Println("made", year)'],
)  # fmt: skip
def test_a_line_that_only_prints_or_checks_is_not_asked_for(line: str) -> None:
    assert _LEFT_OUT.match(f"    {line}")


def test_a_line_that_uses_what_it_prints_with_is_asked_for() -> None:
    for line in ("printer = print(page) or None", "asserted = check(days)"):
        assert not _LEFT_OUT.match(line)


def test_a_placeholder_in_code_is_no_target_of_a_link() -> None:
    for text in ("`-T<fmt>`", "`self.<name>`", "`list<int>`"):
        assert strip_markup(text) == text
        assert is_beginning(f"Pass {text}.", f"Pass `{text}`.")
    assert strip_markup("`the days <almanac.days>`") == "`the days`"


def test_a_quote_that_nothing_closes_begins_no_purpose() -> None:
    doc = '"Compute the tides of a year.\n\nOf any sea.'
    assert summarise(doc) == "Compute the tides of a year."
    assert is_beginning("Compute the tides of a year.", doc)
    assert summarise('"Tides" are high and low.').startswith('"Tides"')


def test_a_header_that_says_what_the_package_is_is_no_purpose_of_a_module() -> None:
    doc = "_http.py\nalmanac - Calendars for Python\n\nCopyright 2026 somebody"
    assert summarise_module(doc, "almanac/_http.py") == ""
    doc = "almanac - Calendars for Python"
    assert summarise_module(doc, "almanac/__init__.py") == doc
