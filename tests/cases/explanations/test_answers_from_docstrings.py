"""What a docstring says is told where it holds, and no more than what it says."""

from __future__ import annotations

from pathlib import Path

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

LINKS = '''"""Links to pages."""

import warnings

from pages._names import first
from pages._names import second


class Link:
    """A link to a page."""

    def __init__(self, path):
        self.path = path

    def follow(self, path, *, strictly=True, lazily=False):
        """Follow the link to another page.

        :param path: Where to go. See above for the form of it.
        :param bool strictly: Whether the page of the link has to exist, or
        may be made on the way. Defaults to True.
        :param lazily: Whether to read the page at once. Defaults to True.
        """
        before = first(path)
        after = second(path)
        if not before and strictly:
            raise LookupError(path)
        if lazily:
            return None
        return Link(before + after)

    def replace(self, path):
        """`Link` objects are immutable, which means that nothing can be set.

        Give a copy with another path.
        """
        return Link(path)

    def pop(self, key):
        """Drop a key of the link, and return its value."""
        return self.path.pop(key)

    def drop(self, key):
        """Drop a key of the link."""
        return self.pop(key)

    def set_form(self, name: str, value):
        """Set the form in which links are written.

        >>> set_form('short', value=1)
        """
        self.path = (name, value)

    def clear(self):
        """`Link` objects are immutable, which means that nothing can be set."""
        self.path = None

    def decoded(self):
        self.path = self.path.strip()
        return self.path


class NamedLink(Link):
    """A link with a name."""

    def click(self, path):
        """Return a link that wraps the result of :meth:`~pages.Link.click()`."""
        return NamedLink(path)

    def pop(self, key):
        """Drop a key of the link and its name."""
        value = super().pop(key)
        return value


def is_link(value):
    """Tell whether a value is a link.

    >>> is_link("a")
    True
    """
    warnings.warn(
        "This function will be removed in the next release (5.0)! Please migrate.",
        DeprecationWarning,
    )
    return type(value) is Link


def read_link(value, old=None):
    """Read a link from a value."""
    if old is not None:
        warnings.warn("old is not needed", DeprecationWarning)
    return Link(value)


def items_of(link, exclude=()):
    """This can't be easily replaced by dict.items(). Keep it for now."""
    for item in link.path:
        if item not in exclude:
            yield item


def encode_key(text):
    """Encode a single key or a single value."""
    return text.replace("=", "%3D")


def encode_value(text):
    """Encode a single key or a single value."""
    return text.replace("&", "%26")
'''
FILES = {
    "pages/__init__.py": '"""Links and pages for everybody."""\n',
    "pages/_links.py": LINKS,
    "pages/_names.py": '''"""Run "make names" in the folder that this file is in."""


def first(path):
    """Return the first part of a path."""
    return path[:1]


def second(path):
    """Return the second part of a path."""
    return path[1:]
''',
    "pages/strategies.py": '"""Strategies for tests."""\n'
    + "".join(f"\n\ndef links{n}():\n    return []\n" for n in range(3)),
    "tests/test_links.py": '''"""Tests of links."""

from pages._links import Link, read_link

TOTAL_LINK = "a/b"


class OddLink(Link):
    path = "odd"


def test_reading():
    link = read_link(TOTAL_LINK)
    assert link.path == "a/b of the total"


def test_oddity():
    link = OddLink("a")
    assert read_link(link).path == "an odd link"


def test_taking():
    found = read_link(TOTAL_LINK, old="b")
    assert found.path == TOTAL_LINK


def test_dropping():
    link = read_link("a")
    assert link.path == "several of them"
''',
}
LINK = "pages/_links.py::"
pages = sampled_fixture(FILES)


def test_every_claim_holds(pages: Sampled) -> None:
    assert not pages.audit().wrong


def test_parameters_that_are_passed_by_name_say_so(pages: Sampled) -> None:
    (text,) = answers(pages, "usage", f"{LINK}Link.follow")
    assert "- `strictly`, by name only, default `True`: Whether" in text
    assert "- `path`\n" in text


def test_a_description_goes_on_in_the_next_line(pages: Sampled) -> None:
    (text,) = answers(pages, "usage", f"{LINK}Link.follow")
    assert "has to exist, or may be made on the way." in text


def test_a_default_that_the_signature_denies_is_not_told(pages: Sampled) -> None:
    (text,) = answers(pages, "usage", f"{LINK}Link.follow")
    assert "- `lazily`, by name only, default `False`\n" in f"{text}\n"
    assert "See above" not in text


def test_a_call_of_super_is_no_example(pages: Sampled) -> None:
    assert answers(pages, "usage", f"{LINK}Link.pop") == set()


def test_a_bare_name_is_no_call_of_a_method(pages: Sampled) -> None:
    (text,) = answers(pages, "usage", f"{LINK}Link.set_form")
    assert "set_form('short'" not in text
    assert "It belongs to the class `Link`." in text


def test_what_is_deprecated_is_told_so(pages: Sampled) -> None:
    for kind in ("usage", "explain"):
        (text,) = answers(pages, kind, f"{LINK}is_link")
        assert "**It is deprecated.**" in text
        (other,) = answers(pages, kind, f"{LINK}read_link")
        assert "deprecated" not in other


def test_a_note_to_maintainers_is_no_purpose(pages: Sampled) -> None:
    assert answers(pages, "explain", f"{LINK}items_of") == set()


def test_what_a_class_is_tells_nothing_of_its_method(pages: Sampled) -> None:
    for name in ("replace", "clear"):  # two docstrings that begin alike
        assert answers(pages, "explain", f"{LINK}Link.{name}") == set()
    (text,) = answers(pages, "written", f"{LINK}Link.replace")
    assert "A link to a page." not in text


def test_a_method_of_another_class_keeps_its_class(pages: Sampled) -> None:
    (text,) = answers(pages, "explain", f"{LINK}NamedLink.click")
    assert "the result of `Link.click()`" in text


def test_no_remark_is_made_on_a_docstring_that_two_have(pages: Sampled) -> None:
    (text,) = answers(pages, "written", f"{LINK}encode_key")
    assert "ts docstring" not in text and 'return text.replace("=", "%3D")' in text


def test_how_a_file_is_run_is_not_what_it_is_for(pages: Sampled) -> None:
    assert answers(pages, "module", "pages/_names.py") == set()


def test_the_purpose_of_a_package_is_asked_of_the_project(pages: Sampled) -> None:
    assert answers(pages, "module", "pages/__init__.py") == set()


def test_the_core_is_a_key_module_though_it_is_private(pages: Sampled) -> None:
    (text,) = answers(pages, "modules")
    assert text.index("`pages/_links.py`") < text.index("`pages/strategies.py`")
    assert "pages/_names.py" not in text


def test_a_value_that_rests_on_what_is_hidden_is_not_asked(pages: Sampled) -> None:
    asked = {one["element"] for one in of_kind(pages, "assertion")}
    assert asked == {"tests/test_links.py::test_dropping"}


def test_an_example_shows_the_constant_of_a_test_that_it_rests_on(
    pages: Sampled,
) -> None:
    (text,) = answers(pages, "usage", f"{LINK}read_link")
    assert "\nTOTAL_LINK = " in text


def test_imports_keep_the_files_form(pages: Sampled) -> None:
    (text,) = answers(pages, "needs", f"{LINK}Link.follow")
    assert "from pages._names import first\nfrom pages._names import second" in text


def test_a_description_may_follow_a_mark_on_the_line_below_its_name(
    tmp_path: Path,
) -> None:
    text = """Fold a page in two.

    :param page:
        The page to be folded.
    :param side:
        (optional) The side that is folded first.
    """
    code = f'def fold(page, side=None):\n    """{text}"""\n    return page, side\n'
    sampled = Sampled(tmp_path, {"pages/folds.py": code}, **ALL_IN_ENGLISH)
    told = ": The side that is folded first."
    assert any(told in one["answer"] for one in sampled.samples.values())
    assert sampled.audit().wrong == []
