"""What a class body binds is the class's: imported functions are methods, `b = a` an
alias. Both are told as what they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

FILES = {
    "pyproject.toml": '[project]\nname = "payment"\n',
    "payment/__init__.py": '''"""Payment by cards."""


class CardPay:
    """Pays by a card."""

    def __init__(self, number: int):
        self._number = number

    def pay(self, amount: int) -> int:
        """Pay an amount of money."""
        return amount

    spend = settle = pay

    from payment.bills import close_bill, find_bill, read_bill
    from payment.bills import void_bill as cancel_bill


class AsyncCardPay:
    """Pays by a card and waits for it."""

    from payment.waiting import await_bill
''',
    "payment/bills.py": '''"""Bills."""


def read_bill(self, day: str, kind: str = "ALL") -> str:
    """Read the bill of a day."""
    return self._read(day, kind)


def close_bill(self, day: str) -> str:
    """Close the bill of a day."""
    return read_bill(self, day)


def find_bill(self, amount: int = 0) -> str:
    """Find a bill by its amount."""
    return self._find(amount)


def void_bill(self, day: str) -> str:
    """Void the bill of a day."""
    return self._void(day)


def print_bill(self, day: str) -> str:
    """Print the bill of a day."""
    return self._print(day)
''',
    "payment/waiting.py": '''"""Bills that are waited for."""


async def await_bill(self, day: str) -> str:
    """Wait for the bill of a day."""
    return await self._wait(day)
''',
}
BILLS = "payment/bills.py::"
payment = sampled_fixture(FILES)


def test_every_claim_about_payment_holds(payment: Sampled) -> None:
    assert payment.audit().wrong == []


@pytest.mark.parametrize(
    ("id", "call", "owner"),
    [
        (BILLS + "close_bill", "card_pay.close_bill(day)", "CardPay"),
        (
            "payment/waiting.py::await_bill",
            "async def main():\n    await async_card_pay.await_bill(day)",
            "AsyncCardPay",
        ),
    ],
)
def test_a_function_that_a_class_body_imports_is_called_on_its_object(
    payment: Sampled, id: str, call: str, owner: str
) -> None:
    (answer,) = answers(payment, "usage", id)
    assert f"\n{call}\n" in answer
    assert f"It is a method of `{owner}` (in `payment/__init__.py`)" in answer
    assert "- `day` (`str`)" in answer and "- `self`" not in answer


def test_a_call_from_its_own_module_shows_no_method(payment: Sampled) -> None:
    """`read_bill(self, day)` is written where `self` is at hand."""
    for one in of_kind(payment, "usage"):
        assert "read_bill(self" not in one["answer"]


def test_explanations_call_it_a_method_of_the_class(payment: Sampled) -> None:
    (answer,) = answers(payment, "explain", BILLS + "read_bill")
    assert "It is a method of `CardPay`" in answer


@pytest.mark.parametrize("name", ["print_bill", "void_bill"])
def test_a_function_with_self_that_no_class_binds_is_not_called(
    payment: Sampled, name: str
) -> None:
    """Nor is one that a class binds under another name."""
    assert of_kind(payment, "explain", BILLS + name)
    assert not of_kind(payment, "usage", BILLS + name)


def test_a_class_body_uses_what_it_imports(payment: Sampled) -> None:
    assert payment.context(BILLS + "read_bill")["readers"] == [
        "payment/__init__.py::CardPay"
    ]


def test_a_class_that_binds_functions_has_more_methods_than_it_defines(
    payment: Sampled,
) -> None:
    """`What methods does it have` would be answered with a part of them."""
    assert not of_kind(payment, "members", "payment/__init__.py::CardPay")


def test_another_name_of_a_method_is_told_with_the_methods(tmp_path: Path) -> None:
    """`settle = pay` in the body makes `settle` a method as well."""
    package = FILES["payment/__init__.py"]
    lines = [line for line in package.split("\n") if " import " not in line]
    sampled = Sampled(
        tmp_path, {"payment/__init__.py": "\n".join(lines)}, **ALL_IN_ENGLISH
    )
    (answer,) = answers(sampled, "members", "payment/__init__.py::CardPay")
    assert "`settle` for `pay`, `spend` for `pay`" in answer
    assert sampled.audit().wrong == []
    mutants = {
        key: {**one, "answer": one["answer"].replace("`settle`", "`repay`")}
        for key, one in sampled.samples.items()
        if "`settle`" in one["answer"]
    }
    assert {one.key for one in sampled.audit(mutants).wrong} == mutants.keys()


def test_a_method_with_an_argument_of_its_own_is_no_other_name(tmp_path: Path) -> None:
    code = '''"""Mocks."""

from functools import partialmethod


class Mock:
    """Stands in for a server, and keeps what it is asked."""

    def add(self, verb: str, url: str) -> None:
        """Add an answer to a verb and an address."""
        self.added = (verb, url)

    def remove(self, url: str) -> None:
        """Remove the answers to an address."""
        self.removed = url

    get = partialmethod(add, "GET")
    insert = add
'''
    sampled = Sampled(tmp_path, {"mocks.py": code}, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "members", "mocks.py::Mock")
    assert "**Other names of its methods**: `insert` for `add`" in answer
    assert "`get`" not in answer
    assert sampled.audit().wrong == []


def test_another_name_of_a_function_is_told_where_it_changes(tmp_path: Path) -> None:
    """Whoever uses `merge_threads` is not found by a search for `merge_all`."""
    code = '''"""Strands."""


def merge_all(first: list, second: list) -> list:
    """Merge two lists of threads."""
    return [*first, *second]


merge_threads = merge_all
'''
    files = {
        "strands.py": code,
        "weaver.py": "from strands import merge_all\n\n\n"
        "def weave(rows):\n    return merge_all(rows, rows)\n",
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "change", "strands.py::merge_all")
    assert "its module also offers it as `merge_threads`" in answer
    assert sampled.audit().wrong == []
    mutants = {
        key: {**one, "answer": one["answer"].replace("`merge_threads`", "`split`")}
        for key, one in sampled.samples.items()
        if "`merge_threads`" in one["answer"]
    }
    assert {one.key for one in sampled.audit(mutants).wrong} == mutants.keys()


def test_what_only_type_checkers_read_is_told_as_no_method(tmp_path: Path) -> None:
    code = '''"""Stores."""

from typing import TYPE_CHECKING


def make(kind):
    """Make a method of a kind."""
    return kind


class Store:
    """A store of things."""

    if TYPE_CHECKING:

        def get(self, kind: int) -> int:
            """Get a thing of a kind."""
            return kind

    else:
        get = make(int)

    def put(self, thing: int) -> None:
        """Put a thing into the store."""
        self.thing = thing


class BigStore(Store):
    """A store that is big."""

    if TYPE_CHECKING:

        def get(self, kind: int) -> int:
            """Get a thing of a kind."""
            return kind

    else:
        get = make(int)
'''
    sampled = Sampled(tmp_path, {"store.py": code}, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    told = sampled.answers("store.py::Store")
    assert "The class `Store` in `store.py` defines `put`." in told
    assert not any("`get`" in one for one in told)
