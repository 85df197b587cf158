"""Receivers and fixtures are followed, and examples are what users would write."""

from __future__ import annotations

from tests.cases.sampled import Sampled, answers, sampled_fixture

BOXES = '''"""Boxes."""


class Label:
    """What is written on a box."""

    def __init__(self, text: str, size: int = 1) -> None:
        self.text = text
        self.size = size


class Box:
    """A box with a label."""

    label_class = Label

    def __init__(__box, *things, **named):
        __box.things = things
        __box.named = named

    def __new__(klass, *things, **named):
        return super().__new__(klass)

    def fill(this, thing, times=1):
        """Put a thing into the box, several times if need be."""
        return [thing] * times

    def write(self, text):
        """Write a label for the box."""
        return self.label_class(text)

    def shut(self, firmly=True):
        """Close the box, and keep it closed."""
        return firmly

    def reopen(self):
        """Open a closed box again."""
        return self.shut(False)

    def weigh(self, unit="kg"):
        """Tell the weight of the box."""
        return unit

    def _shake(self, times):
        """Shake the box a number of times."""
        return times

    def settle(self):
        """Let the things in the box settle."""
        return self._shake(3)


class Parcel:
    """A parcel, as `pack` makes it."""

    def __init__(self, content: str, weight: int = 0) -> None:
        self.content = content


def pack(content):
    """Pack something."""
    return Parcel(content)


class Words:
    """Words and their forms."""

    def plural(self, word):
        """Return the plural of a word.

        >>> words = Words()
        >>> words.plural('horse')
        'horses'

        It is False where the word is a plural.

        >>> words.plural('ox')
        False
        """
        return word

    def split(self, word):
        """Split a word.

        >>> Words().split(1)
        Traceback (most recent call last):
        TypeError: no word
        >>> Words().split('horses')
        ['horse', 's']
        """
        return [word]
'''
FIXTURES = """import pytest

from shop.boxes import Words


@pytest.fixture
def words():
    return Words()
"""
WORD_TESTS = """import pytest

from shop.boxes import Box


@pytest.fixture(name="crate")
def make_crate():
    box = Box(1)
    yield box
    box.reopen()


def test_plural(words):
    assert words.plural("horse") == "horses"


def test_oxen(words):
    assert words.plural("ox") == "oxen"


@pytest.mark.parametrize("words", ["one", "two"])
def test_parametrized(words):
    assert words.split("s") == words


def test_crates(crate):
    assert crate.fill("apple", times=2) == ["apple", "apple"]


def test_boxes():
    box = Box(1)
    assert box.fill("pear", times=2) == ["pear", "pear"]
"""
BOX_TESTS = """import unittest

from shop.boxes import Box


class BoxTests:
    box_class = None

    def test_settle(self):
        assert self.box_class().settle() == 3

    def test_lid(self):
        box = self.box_class(1)
        assert box.shut() is True


class PlainBoxTest(BoxTests, unittest.TestCase):
    box_class = Box

    def setUp(self):
        self.box = Box("a")

    def test_weigh(self):
        assert self.box.weigh("g") == "g"
"""
FILES = {
    "setup.cfg": "[metadata]\nname = shop\n",
    "shop/__init__.py": '"""Shop."""\n',
    "shop/boxes.py": BOXES,
    "tests/conftest.py": FIXTURES,
    "tests/test_words.py": WORD_TESTS,
    "tests/test_boxes.py": BOX_TESTS,
}
HOME = "shop/boxes.py::"
shop = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(shop: Sampled) -> None:
    assert shop.audit().wrong == []


def test_a_receiver_of_another_name_is_no_argument(shop: Sampled) -> None:
    (text,) = answers(shop, "usage", f"{HOME}Box")
    assert "**Parameters**:\n- `*things`\n- `**named`" in text
    (text,) = answers(shop, "usage", f"{HOME}Box.fill")
    assert "**Parameters**:\n- `thing`\n- `times`, default `1`" in text


def test_a_class_attribute_that_subclasses_may_set_names_no_class(shop: Sampled):
    assert answers(shop, "callees", f"{HOME}Box.write") == set()
    assert answers(shop, "callers", f"{HOME}Label") == set()
    assert all("label_class" not in one for one in shop.answers(f"{HOME}Label"))


def test_a_fixture_is_what_it_returns(shop: Sampled) -> None:
    (text,) = answers(shop, "tests", f"{HOME}Words.plural")
    assert "`test_plural`, `test_oxen` (in `tests/test_words.py`)" in text
    (text,) = answers(shop, "usage", f"{HOME}Box.fill")
    assert 'box.fill("pear", times=2)  # == ["pear", "pear"]' in text


def test_a_parameter_that_is_parametrized_is_no_fixture(shop: Sampled) -> None:
    told = "\n".join(shop.answers(f"{HOME}Words.split"))
    assert "test_parametrized" not in told


def test_tests_use_the_class_that_a_subclass_of_theirs_sets(shop: Sampled) -> None:
    (text,) = answers(shop, "tests", f"{HOME}Box")
    for name in ("BoxTests.test_settle", "BoxTests.test_lid"):
        assert f"`{name}`" in text
    (text,) = answers(shop, "tests", f"{HOME}Box.settle")
    assert "BoxTests.test_settle" in text
    (text,) = answers(shop, "tests", f"{HOME}Box.weigh")
    assert "PlainBoxTest.test_weigh" in text


def test_a_list_of_tests_says_which_it_holds(shop: Sampled) -> None:
    (text,) = answers(shop, "tests", f"{HOME}Box")
    assert text.startswith("Tests that use `Box` directly: ")


def test_a_change_is_tested_by_what_calls_it_whatever_its_name(shop: Sampled) -> None:
    assert answers(shop, "tests", f"{HOME}Box.shut") == set()
    (text,) = answers(shop, "change", f"{HOME}Box.shut")
    assert "Run the tests that use it directly: `BoxTests.test_lid` (in" in text


def test_a_call_from_inside_the_own_class_is_no_example(shop: Sampled) -> None:
    """`reopen` is called from outside, `shut` by `reopen` and by a test's class."""
    assert answers(shop, "usage", f"{HOME}Box.reopen")
    assert answers(shop, "usage", f"{HOME}Box.shut") == set()
    assert answers(shop, "usage", f"{HOME}Parcel") == set()


def test_the_first_example_of_a_docstring_is_the_one_to_show(shop: Sampled) -> None:
    (text,) = answers(shop, "usage", f"{HOME}Words.plural")
    assert "words.plural('horse')" in text and "'ox'" not in text


def test_an_example_that_fails_is_not_shown(shop: Sampled) -> None:
    (text,) = answers(shop, "usage", f"{HOME}Words.split")
    assert "Words().split('horses')" in text and "split(1)" not in text
