"""Lists of relations are whole, or say that they may not be."""

from __future__ import annotations

from pathlib import Path

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, sampled_fixture

CHECKS = '''"""Check the parts of an order."""

from .errors import BadOrder, NoStock


def city_ok(city):
    """Tell whether a city is valid."""
    return bool(city)


def name_ok(name):
    """Tell whether a name is valid."""
    return bool(name)


VALIDATORS = {"name": name_ok, "city": city_ok}


def check(order):
    """Check an order by its parts."""
    for part, validator in VALIDATORS.items():
        if not validator(order[part]):
            raise BadOrder(part)
    return Order.of(order)


class Order:
    """An order that was checked."""

    def __init__(self):
        super(Order, self).__init__()

    @classmethod
    def of(cls, parts):
        """Make an order of its parts."""
        return cls()

    def __eq__(self, other):
        return isinstance(other, Order)

    def city_ok_now(self):
        """Tell whether the city of the order is valid."""
        return city_ok(self.city)

    def ship(self):
        """Send the order to the customer."""
        raise NoStock(self)

    def settle(self):
        """Take the money for the order."""
        return _pay(self)


def _pay(order):
    """Take money."""
    return order.sum


def take_money(order):
    """Take the money for an order."""
    return Order.of(order).settle()
'''
FILES = {
    "setup.cfg": "[metadata]\nname = orders\ndescription = Take orders\n",
    "orders/__init__.py": '"""Take orders."""\n\nfrom .api import take\n'
    "from .parts import Part\n",
    "orders/api.py": '"""What users call."""\n\nfrom .checks import Order, check\n'
    "from .parts import Part\n\n\n"
    'def take(order):\n    """Take an order."""\n    return check(order)\n',
    "orders/checks.py": CHECKS,
    "orders/errors.py": '"""What goes wrong."""\n\n\n'
    "class BadOrder(Exception):\n"
    '    """An order that cannot be taken."""\n\n\n'
    'class NoStock(Exception):\n    """Nothing is left."""\n',
    "orders/parts.py": '"""Parts of orders."""\n\nfrom . import errors\n\n\n'
    'class Part:\n    """A part of an order."""\n',
    "orders/shop.py": '"""The shop."""\n\nfrom orders import Part\n\n'
    "from .checks import check\nfrom .errors import BadOrder\n\n\n"
    "class Shop:\n"
    '    """Sells what is ordered."""\n\n'
    "    def __init__(self, orders):\n        self.orders = orders\n\n"
    "    def sell(self, order):\n"
    '        """Sell what is ordered, if that is possible."""\n'
    "        try:\n            return check(order)\n"
    "        except BadOrder:\n            return None\n\n"
    "    def close(self):\n"
    '        """Ship all orders."""\n'
    "        for order in self.orders:\n            order.ship()\n\n"
    "    def open_all(self):\n"
    '        """Open and check all orders."""\n'
    "        for order in self.orders:\n            check(order.unpack())\n\n"
    "    def ship_first(self):\n"
    '        """Ship the first order."""\n'
    "        Order = self.orders\n        return Order[0]\n",
    "orders/desk.py": '"""The desk."""\n\nfrom .checks import Order, check\n'
    "from .parts import Part\n\n\n"
    "def typed(one):\n    return object\n\n\nPartBase = typed(Part)\n\n\n"
    "class Desk(PartBase):\n"
    '    """Takes orders."""\n\n'
    "    def take_orders(self, orders):\n"
    '        """Check and make all orders."""\n\n'
    "        def made(one):\n            return Order.of(one)\n\n"
    "        return [check(one) for one in map(made, orders)]\n",
    "orders/late.py": '"""Late orders."""\n\nfrom .checks import Order\n\n\n'
    'def late(parts):\n    """Ship a late order."""\n'
    "    order = Order()\n    order.ship()\n    return order\n",
}
HOME = "orders/checks.py::"
orders = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(orders: Sampled):
    assert orders.audit().wrong == []


def test_a_table_that_holds_a_function_refers_to_it(orders: Sampled):
    (text,) = answers(orders, "callers", f"{HOME}city_ok")
    assert "is called by `Order.city_ok_now`" in text
    assert "`orders/checks.py` (at its top level)" in text


def test_who_catches_an_exception_or_asks_for_its_class_refers_to_it(orders: Sampled):
    # They are told with who makes it, where any code does.
    assert "Shop.sell" in told_readers(orders, "orders/errors.py::BadOrder")
    found = told_readers(orders, f"{HOME}Order")
    assert {"check", "take_money"} <= found
    assert "Order.__eq__" not in found  # a class names itself
    assert not any("ship_first" in one for one in found)


def told_readers(orders: Sampled, id: str) -> set[str]:
    return {one.partition("::")[2] for one in orders.context(id)["readers"]}


def test_a_call_of_an_unknown_object_leaves_a_list_open(orders: Sampled):
    (text,) = answers(orders, "callers", f"{HOME}Order.ship")
    assert text.endswith(
        "is called by `late` (in `orders/late.py`).\n\n**Calls of `ship` on an object"
        " whose class is not certain**: `orders/shop.py`"
    )
    (text,) = answers(orders, "callers", f"{HOME}Order.settle")
    assert text.endswith("is called by `take_money`.")


def test_a_call_of_an_unknown_object_leaves_the_list_of_callees_open(orders: Sampled):
    row = orders.context("orders/shop.py::Shop.open_all")
    assert row["callees"] == ["orders/checks.py::check"] and "callees" in row["open"]
    assert not answers(orders, "callees", "orders/shop.py::Shop.open_all")


def test_a_class_that_names_itself_for_super_is_not_referred_to(orders: Sampled):
    assert "Order.__init__" not in told_readers(orders, f"{HOME}Order")


def test_nothing_rests_on_a_list_that_may_have_others(orders: Sampled):
    told = orders.answers(f"{HOME}Order.ship")
    assert told
    assert not any("When it changes:" in text for text in told)
    assert not any("Call graph" in text and "→ `ship`" in text for text in told)


def test_a_file_imports_what_its_statements_name(orders: Sampled):
    (text,) = answers(orders, "imports", "orders/__init__.py")
    assert text.endswith("imports `orders/api.py`, `orders/parts.py`.")
    (text,) = answers(orders, "imports", "orders/parts.py")
    assert text.endswith("imports `orders/errors.py`.")


def test_who_takes_names_from_the_package_depends_on_their_module(orders: Sampled):
    (text,) = answers(orders, "importers", "orders/parts.py")
    assert "`orders/__init__.py`, `orders/api.py`, `orders/desk.py`.\n" in text
    assert text.endswith(
        "**Files that import its names through another module**: `orders/shop.py`"
    )
    (text,) = answers(orders, "importers", "orders/errors.py")
    assert "__init__" not in text


def test_a_function_within_a_function_leaves_the_list_of_callees_open(orders: Sampled):
    assert "callees" in orders.context("orders/desk.py::Desk.take_orders")["open"]
    assert not answers(orders, "callees", "orders/desk.py::Desk.take_orders")


def test_a_base_that_a_call_made_is_not_told_as_a_class(orders: Sampled):
    assert not answers(orders, "bases", "orders/desk.py::Desk")


def test_a_main_is_told_with_its_program(tmp_path: Path) -> None:
    code = (
        '"""Draw {n}."""\n\n\ndef draw_{n}():\n    """Draw it."""\n    return {n}\n\n\n'
    )
    code += "def main():\n    draw_{n}()\n"
    files = {f"bin/draw_{n}.py": code.replace("{n}", str(n)) for n in range(4)}
    tree = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    told = [one["answer"] for one in tree.samples.values()]
    calls = [one for one in told if "is called by" in one]
    assert calls and all("`main` (in `bin/draw_" in one for one in calls)
    assert not tree.audit().wrong


def test_what_a_decorator_is_put_on_is_counted_whole(tmp_path: Path) -> None:
    marks = '"""Marks."""\n\n\ndef marked(function):\n    return function\n'
    use = '@marked\ndef part_{n}():\n    """Return part {n}."""\n    return {n}\n'
    code = "from marks import marked\n\n\n" + "\n\n".join(
        use.replace("{n}", str(n)) for n in range(90)
    )
    tree = Sampled(tmp_path, {"marks.py": marks, "parts.py": code}, **ALL_IN_ENGLISH)
    told = "".join(tree.answers("marks.py::marked"))
    assert "90 in all" in told and "64 in all" not in told
    assert not tree.audit().wrong
