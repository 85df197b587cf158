"""Plans that misled readers name every place, and no place of the past."""

from __future__ import annotations

import pytest

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind

ERRORS = '''"""What goes wrong."""


class Refused(Exception):
    """What is raised for whatever is refused."""

    def __init__(self, place, reason):
        self.place = place
        super().__init__(reason)


class TooLate(Refused):
    """It came too late."""

    def __init__(self, place):
        super().__init__(place, "late")


class TooLarge(Refused):
    """It is too large."""

    def __init__(self, place):
        super().__init__(place, "large")


class TooShort(Refused):
    """It is too short."""

    def __init__(self, place):
        super().__init__(place, "short")


class Unknown(Exception):
    """What is raised for what nobody knows."""


class UnknownName(Unknown):
    """Nobody knows the name."""


class UnknownPlace(Unknown):
    """Nobody knows the place."""


class UnknownTime(Unknown):
    """Nobody knows the time."""
'''
MIXIN = '''"""Results of parsing."""

from collections import namedtuple


class Result:
    """What results share."""

    def copy(self):
        """Copy a result."""
        raise NotImplementedError


class TextResult(namedtuple("TextResult", ["a", "b"]), Result):
    """A result in text."""

    def copy(self):
        return TextResult(*self)


class DataResult(namedtuple("DataResult", ["a", "b"]), Result):
    """A result in bytes."""

    def copy(self):
        return DataResult(*self)


class FileResult(namedtuple("FileResult", ["a", "b"]), Result):
    """A result in a file."""

    def copy(self):
        return FileResult(*self)
'''
FILES = {
    "setup.cfg": "[metadata]\nname = desk\ndescription = Take letters\n",
    "docs/release-notes/0.4.0.rst": "0.4.0\n=====\n\n``TooLate``, ``TooLarge``,"
    " ``TextResult`` and ``DataResult`` are new,"
    " ``UnknownName`` and ``UnknownPlace`` are, too.\n",
    "docs/releases/two.rst": "Two\n===\n\n``TooLate`` and ``TooLarge`` are new.\n",
    "docs/1.0.rst": "Letters\n=======\n\n``TextResult`` and ``DataResult`` are new.\n",
    "docs/errors.rst": "Errors\n======\n\n"
    "``TooLate`` and ``TooLarge`` refuse letters.\n",
    "desk/__init__.py": '"""Take letters."""\n\nfrom .api import DataResult\n'
    "from .api import FileResult, TextResult\n\n"
    '__all__ = ["DataResult", "FileResult", "TextResult"]\n',
    "desk/api.py": '"""What users call."""\n\nfrom .results import DataResult\n'
    "from .results import FileResult, TextResult\n\n\ndef make(a):\n"
    "    return TextResult(a, a), DataResult(a, a), FileResult(a, a)\n",
    "desk/errors.py": ERRORS,
    "desk/results.py": MIXIN,
    "desk/checks.py": '"""Check letters."""\n\nfrom . import errors\n\n\n'
    "def check_time(letter):\n    if letter.time > 9:\n"
    "        raise errors.TooLate(letter)\n\n\n"
    "def check_size(letter):\n    if letter.size > 9:\n"
    "        raise errors.TooLarge(letter)\n\n\n"
    "def check_text(letter):\n    if letter.size < 1:\n"
    "        raise errors.TooShort(letter)\n",
    "desk/url.py": '"""Work with addresses."""\n\n__all__ = ["clean_url", "join_url",'
    ' "parse_url"]\n\n\n'
    + "\n\n".join(
        f'def {verb}_url(url):\n    """{verb.title()} an address."""\n    return url\n'
        for verb in ("clean", "join", "parse")
    )
    + "\n\nURLS = {'clean': clean_url, 'join': join_url, 'parse': parse_url}\n",
    "tests/test_url.py": "from desk.url import clean_url, join_url, parse_url\n\n\n"
    + "\n\n".join(
        f"def test_{verb}():\n    assert {verb}_url('a') == 'a'\n"
        for verb in ("clean", "join", "parse")
    ),
    "tests/test_errors.py": "from desk import errors\n\n\ndef test_errors():\n"
    "    assert errors.UnknownName() and errors.UnknownPlace()\n"
    "    assert errors.UnknownTime()\n",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("desk"), FILES, **ALL_IN_ENGLISH)


def plans_about(desk: Sampled, name: str) -> list[str]:
    kinds = ("plan", "plan_like", "plan_need", "plan_files")
    every = [one["answer"] for kind in kinds for one in of_kind(desk, kind)]
    return [text for text in every if f"`{name}`" in text]


def test_every_claim_of_these_samples_holds(desk: Sampled):
    assert desk.audit().wrong == []


def test_nothing_is_documented_in_the_notes_of_a_past_release(desk: Sampled):
    told = [*plans_about(desk, "TooLate"), *plans_about(desk, "TextResult")]
    assert told
    for text in told:
        assert "release" not in text and "1.0.rst" not in text
    assert any("Document it in `docs/errors.rst`" in text for text in told)


def test_an_exception_that_several_functions_raise_has_a_step_for_their_file(desk):
    told = plans_about(desk, "TooLate")
    assert told
    for text in told:
        assert "as all 3 siblings are in `desk/checks.py`." in text


def test_no_plan_is_made_for_exceptions_that_are_raised_nowhere(desk: Sampled):
    assert not plans_about(desk, "UnknownName")


def test_a_file_that_tests_all_siblings_is_named_after_none(desk: Sampled):
    told = plans_about(desk, "clean_url")
    assert told
    for text in told:
        assert "tests/test_{name}.py" not in text
        assert "Test it in `tests/test_url.py`, as most siblings are tested." in text


def test_a_name_is_imported_in_every_file_that_passes_it_on(desk: Sampled):
    told = plans_about(desk, "TextResult")
    assert told
    for text in told:
        assert "Import it in `desk/api.py`, which imports all 3 siblings" in text
        assert (
            "Import it in `desk/__init__.py` and list it in its `__all__`, as all"
            in text
        )


def test_a_base_that_is_made_for_one_class_is_no_base_of_another(desk: Sampled):
    told = plans_about(desk, "TextResult")
    assert told
    for text in told:
        assert "Inherit from `Result`." in text or "**Files**" in text
        assert "Inherit from `namedtuple" not in text
