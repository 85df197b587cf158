"""Plans say what a new one needs for itself, and count siblings of one name apart."""

from __future__ import annotations

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    assert_families_follow,
    of_kind,
)

BASE = '''"""Check values."""

from . import codes

if codes.MODERN:
    from .waits import CallWaits, PairWaits
else:
    class NoWaits:
        pass
    CallWaits = NoWaits
    PairWaits = NoWaits


class Check:
    """Check a value."""

    def run(self, value):
        """Run the check."""
        if hasattr(self, "change"):
            return self.change(value)
        elif hasattr(self, "look"):
            self.look(value)
            return value
        elif hasattr(self, "make"):
            return self.make(value)
        raise NotImplementedError("You must write change, look or make")

    def fail(self, code):
        """Refuse a value."""
        raise ValueError(code)


class Call(Check, CallWaits):
    """Call whatever was given for it."""

    def __init__(self, called):
        self.called = called

    def change(self, value):
        return self.called(value) or self.fail(codes.NOT_CALLED)


class Pair(Check, PairWaits):
    """Check both halves of a pair."""

    def __init__(self, halves):
        self.halves = halves

    def change(self, value):
        return tuple(value) or self.fail(codes.NO_PAIR)


class Lent(Check, LentMixin):
    """Check what somebody has lent."""

    def __init__(self, owner):
        self.owner = owner

    def look(self, value):
        return value or self.fail(codes.NOT_LENT)


class Whole(Check):
    """Check that nothing is missing."""

    def __init__(self, parts):
        self.parts = parts

    def look(self, value):
        return value or self.fail(codes.NOT_WHOLE)


class Text(Check):
    """Make a text of bytes."""

    def __init__(self, encoding):
        self.encoding = encoding

    def make(self, value):
        return str(value) or self.fail(codes.NO_TEXT)


class Day(Check):
    """Make a day of its name."""

    def __init__(self, form):
        self.form = form

    def make(self, value):
        return value or self.fail(codes.NO_DAY)
'''
NUMBERS = '''"""Check numbers."""


class Number:
    """Tests that value is a number or a string that is convertible to one."""

    kind = float

    def check(self, value):
        """Check it."""
        return self.kind(value)


class ToNumber(Number):
    """Checks that value is a number.
    Or converts a string to a number.
    """

    def check(self, value):
        return float(value)


class Bill(Number):
    """Counts the money of a bill. Cents are left out. See the bank."""

    kind = int

    def check(self, value):
        return int(value) * 2


class Toll(Number):
    """Counts what a road costs."""

    kind = int

    def check(self, value):
        return int(value) * 3


KINDS = {"number": ToNumber, "bill": Bill, "toll": Toll}
'''
ERRORS = '''"""What goes wrong."""


class Refused(Exception):
    """What is raised for whatever is refused."""

    def __init__(self, place):
        self.place = place


class TooLate(Refused):
    """A letter that came after the end of the year."""

    def __str__(self):
        return f"late: {self.place}"


class TooLarge(Refused):
    """A letter that is larger than the box."""

    def __str__(self):
        return f"large: {self.place}"


class TooShort(Refused):
    """A letter that has not a single word."""

    def __str__(self):
        return f"short: {self.place}"
'''


def raising(*names: str) -> str:
    """Return a module with a function for each of these errors, which raises it."""
    code = f'"""Refuse letters."""\n\nfrom .errors import {", ".join(names)}\n'
    for name in names:
        code += f"\n\ndef refuse_{name.lower()}(letter):\n    raise {name}(letter)\n"
    return code


SIZES = ("Tall", "Wide", "Deep")
BOXES = '''"""Boxes."""


class Box:
    """What letters are in."""


class Wood:
    """What boxes are made of."""
''' + "".join(
    f"""

class {size}Box({"Box, Wood" if size != "Deep" else "Box"}):
    room = "{size}"
"""
    for size in SIZES
)
SHELVES = '''"""Shelves."""

from .boxes import DeepBox, TallBox, WideBox


class Shelf:
    """Where boxes are."""

    def fill(self, letter):
        raise NotImplementedError
''' + "".join(
    f"""

class {size}Shelf(Shelf):
    box = {size}Box

    def fill(self, letter):
        return {size}Box(), letter
"""
    for size in SIZES
)
CODES = ("MODERN", "NOT_CALLED", "NO_PAIR", "NOT_LENT", "NOT_WHOLE", "NO_TEXT")
FILES = {
    "setup.cfg": "[metadata]\nname = sift\ndescription = Sift letters\n",
    "sift/__init__.py": '"""Sift letters."""\n\n'
    "from .base import Call, Check, Day, Lent, Pair, Text, Whole\n"
    "from .errors import TooLarge, TooLate, TooShort\n"
    "from .numbers import Bill, ToNumber, Toll\n\n"
    '__all__ = ["Call", "Check", "Day", "Lent", "Pair", "Text", "Whole", "TooLarge",'
    ' "TooLate", "TooShort", "Bill", "ToNumber", "Toll"]\n',
    "sift/base.py": BASE.replace(
        "if codes.MODERN", "from .lent import LentMixin\n\nif codes.MODERN"
    ),
    "sift/lent.py": '"""Lend."""\n\n\nclass LentMixin:\n    """Lent."""\n',
    "sift/waits.py": '"""Wait."""\n\n\nclass CallWaits:\n    """Wait for a call."""\n\n'
    '\nclass PairWaits:\n    """Wait for a pair."""\n',
    "sift/codes.py": "".join(f'{one} = "{one.lower()}"\n' for one in CODES)
    + 'NO_DAY = "no_day"\nNO_DATE = "no_date"\n',
    "sift/dates.py": '"""Days by their dates."""\n\nfrom . import codes\n'
    "from .base import Check\n\n\nclass Day(Check):\n"
    '    """Make a day of its date."""\n\n    def __init__(self, zone):\n'
    "        self.zone = zone\n\n    def make(self, value):\n"
    "        return value or self.fail(codes.NO_DATE)\n",
    "sift/numbers.py": NUMBERS,
    "sift/errors.py": ERRORS,
    "sift/boxes.py": BOXES,
    "sift/shelves.py": SHELVES
    + "\n\nSHELVES = {\n"
    + "".join(f'    "{size}": ({size}Shelf, {size}Box),\n' for size in SIZES)
    + "}\n",
    "sift/first.py": raising("TooLarge", "TooLate"),
    "sift/second.py": raising("TooLarge", "TooShort"),
    "sift/third.py": raising("TooLarge"),
}


@pytest.fixture(scope="module")
def sift(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("sift"), FILES, **ALL_IN_ENGLISH)


def plans(sampled: Sampled, kind: str, start: str) -> list[str]:
    """Return the plans of a kind that a text occurs in; there are some."""
    found = [one["answer"] for one in of_kind(sampled, kind)]
    found = [one for one in found if start in one]
    assert found
    return found


def needs(sampled: Sampled) -> str:
    return "\n".join(one["question"] for one in of_kind(sampled, "plan_need"))


def test_every_claim_of_these_samples_holds(sift: Sampled) -> None:
    assert sift.audit().wrong == []


def test_a_list_counts_a_sibling_whose_name_another_one_has(sift: Sampled) -> None:
    for text in plans(sift, "plan", "subclass of `Check`"):
        assert "list it in its `__all__`, as 6 of 7 siblings are" in text


def test_a_plan_names_the_methods_of_which_each_sibling_defines_one(sift) -> None:
    for text in plans(sift, "plan", "subclass of `Check`"):
        assert (
            "Define one of these at least, as each sibling does: `make` (3 of 7),"
            " `change` (2 of 7), `look` (2 of 7)." in text
        )


def test_a_base_from_a_file_that_has_none_is_noticed(sift: Sampled) -> None:
    """The evidence has nothing of this file; the check goes on to the next sample."""
    step, other = "make for it in `sift/waits.py`", "make for it in `sift/codes.py`"
    (key, sample), *_ = (
        (key, one) for key, one in sift.samples.items() if step in one["answer"]
    )
    changed = {**sample, "answer": sample["answer"].replace(step, other)}
    assert [one.claim for one in sift.audit({key: changed}).wrong] == ["plan step"]


def test_a_base_made_for_the_model_is_one_to_make(sift: Sampled) -> None:
    for text in plans(sift, "plan_like", "Take `Call` as the model"):
        assert (
            "Inherit from `Check`, and from a class that you make for it in"
            " `sift/waits.py` and bind in `sift/base.py` wherever `CallWaits` is"
            in text
        )
        assert "(2 of 7 siblings have one)" in text


def test_a_sibling_with_a_mixin_that_nobody_else_has_is_no_model(sift) -> None:
    every = [one["answer"] for one in of_kind(sift, "plan_like")]
    assert every and not [one for one in every if "`LentMixin`" in one]


def test_a_plan_has_the_constants_that_siblings_have_of_their_own(sift) -> None:
    step = "Add constants for it to `sift/codes.py`, as 7 of 7 siblings have some"
    for kind in ("plan", "plan_files"):
        assert all(step in one for one in plans(sift, kind, "subclass of `Check`"))
    for text in plans(sift, "plan_like", "Take `Whole` as the model"):
        assert "`Whole` has `NOT_WHOLE`" in text


def test_a_need_is_quoted_whole(sift: Sampled) -> None:
    assert '"Counts the money of a bill. Cents are left out."' in needs(sift)


def test_what_the_base_meets_is_no_need(sift: Sampled) -> None:
    assert "value is a number" not in needs(sift)


def test_attributes_that_the_model_does_not_set_are_not_asked_for(sift) -> None:
    for text in plans(sift, "plan_like", "Take `ToNumber` as the model"):
        assert "`kind`" not in text


def test_the_files_that_raise_the_model_are_named(sift: Sampled) -> None:
    needed = ("plan_need", "`TooLarge` does just this already")
    for kind, start in (("plan_like", "Take `TooLarge` as the model"), needed):
        for text in plans(sift, kind, start):
            assert (
                "`TooLarge` is raised in `sift/third.py`, `sift/first.py`,"
                " `sift/second.py`; import it there." in text
            )


def test_the_file_of_a_class_that_belongs_to_each_sibling_is_named(sift) -> None:
    for text in plans(sift, "plan_files", "new direct subclass of `Shelf`"):
        assert "`sift/boxes.py`" in text


def test_a_companion_is_told_once(sift: Sampled) -> None:
    """Neither by a second base that some have, nor as a class that siblings make."""
    for kind in ("plan", "plan_like", "plan_files"):
        for text in plans(sift, kind, "new direct subclass of `Shelf`"):
            assert "subclass of `Wood`" not in text
            assert "Write its companion, a subclass of `Box`" not in text


MAKING = """        elif hasattr(self, "make"):
            return self.make(value)
"""


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("sift/codes.py", 'NOT_WHOLE = "not_whole"\n', ""),
        ("sift/third.py", "raise TooLarge", "return TooLarge"),
        ("sift/base.py", MAKING, ""),
        ("sift/dates.py", "class Day", "class Date"),
        ("sift/waits.py", "class PairWaits", "class TwinWaits"),
    ],
)
def test_a_plan_follows_what_it_was_read_from(path, old, new, tmp_path) -> None:
    """An update equals a clean build, also after a change to a file of no sibling."""
    assert old in FILES[path]
    change = {path: FILES[path].replace(old, new)}
    assert_families_follow(tmp_path, FILES, change)
