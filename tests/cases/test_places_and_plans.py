"""Where things are, who uses them, what changes with them: nothing partial is told as
the whole.
"""

from __future__ import annotations

import re

import pytest

from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.text.expectation import hide_expectation
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

FILES = {
    "setup.cfg": "[metadata]\nname = baskets\ndescription = Fill baskets\n",
    "baskets/__init__.py": '"""Fill baskets."""\n\nfrom .choice import Packer\n',
    "baskets/basket.py": '''"""What is filled."""


class Basket:
    """A basket of fruit."""

    def fill(self, number):
        """Put a number of apples into the basket."""
        return [0] * int(number)

    def store(self, name):
        """Write the basket to a file."""
        return name


class Crate:
    wide = property(lambda crate: crate.store("wide"))

    def store(self, name):
        """Write the crate to a file."""
        return name.upper()
''',
    "baskets/choice.py": '''"""Pack what is chosen."""

from .basket import Basket, Crate


class Packer:
    """Pack a basket or a crate."""

    def __init__(self, kind):
        if kind == "crate":
            self.holder = Crate()
        else:
            self.holder = Basket()
        self.basket = Basket()

    def keep(self, name):
        """Store what was packed."""
        return self.holder.store(name)

    def load(self, number):
        """Fill the basket of the packer."""
        return self.basket.fill(number)
''',
    "baskets/sizes.py": '"""How large baskets are."""\n\nSMALL = 3\nLARGE = 12\n\n'
    "weigh = {SMALL: 1, LARGE: 5}\n",
    "baskets/scale.py": '''"""Weigh baskets."""

import abc


def weigh(basket):
    """Return the weight of a basket."""
    return net(basket) + 1


def net(basket):
    """Return the weight of the fruit in a basket."""
    return _apples(basket)


def _apples(basket):
    """Count the apples of a basket."""
    return len(basket)


class Scale(abc.ABC):
    """Weigh anything."""

    @abc.abstractmethod
    def read(self):
        """Return what it shows."""


class LegacyScale(Scale):
    """A scale with weights."""

    def read(self):
        return weigh([])


class OldPrinter(Scale):
    """A scale that prints."""

    def read(self):
        return unicode(weigh([]))


class DigitalScale(Scale):
    """A scale with a display."""

    @shown
    def read(self):
        return [weigh([])]

    def delete(self):
        """Forget what was weighed."""


class shown:
    """Show what a function returns."""

    def __init__(self, function):
        self.function = function


try:
    from scales import Balance
except ImportError:

    class Balance:
        """A balance where there is none."""

        def balance_pans(self):
            """Balance the pans."""
            return net([])


SCALES = [LegacyScale, OldPrinter, DigitalScale]
''',
    "docs/example-code/fill.py": "from baskets import Packer\n\n\n"
    "def run_demo(number):\n    return Packer(1).load(number)\n\n\n"
    "print(run_demo(2))\n",
    "tests/test_basket.py": """from unittest import TestCase

from baskets.basket import Basket


class TestBasket(TestCase):
    def test_fill(self):
        basket = Basket()
        self.assertEqual(basket.fill(2), [0, 0])

    def test_fill_no_number(self):
        basket = Basket()
        self.assertRaises(TypeError, basket.fill, None)
""",
}
sampled = sampled_fixture(FILES)


def test_the_callers_of_what_an_attribute_may_hold_have_possibly_others(sampled):
    for owner in ("Basket", "Crate"):
        rows = sampled.context(f"baskets/basket.py::{owner}.store")
        assert "callers" in rows["open"]
    assert "callees" in sampled.context("baskets/choice.py::Packer.keep")["open"]
    assert "open" not in sampled.context("baskets/choice.py::Packer.load")


def test_a_test_that_passes_a_method_on_uses_it(sampled):
    row = sampled.context("baskets/basket.py::Basket.fill")
    assert [one.rpartition(".")[2] for one in row["tests"]] == [
        "test_fill",
        "test_fill_no_number",
    ]


def test_code_of_documents_is_not_the_projects(sampled):
    assert not any("run_demo" in one["question"] for one in sampled.kept.values())


def test_a_function_with_the_name_of_a_variable_elsewhere_is_not_located(sampled):
    kept = [one["question"] for one in sampled.kept.values()]
    assert not any("`weigh`" in one and "file" in one for one in kept)
    assert any("`net`" in one for one in kept)


def test_what_is_kept_for_old_versions_is_no_example(sampled):
    shown = {one["element"].rpartition("::")[2] for one in of_kind(sampled, "example")}
    assert shown == {"DigitalScale@lines"} or shown == {"DigitalScale"}


def test_a_change_is_asked_about_where_more_than_callers_is_known(sampled):
    told = {one["element"].rpartition("::")[2] for one in of_kind(sampled, "change")}
    assert "net" not in told and "_apples" not in told


def test_the_constants_of_a_file_are_its_contents(sampled):
    assert answers(sampled, "contents", "baskets/sizes.py") == {
        "`baskets/sizes.py` defines the constants `SMALL`, `LARGE`.\n\n"
        "**Other public names**: `weigh`"
    }


def test_a_parameter_of_a_lambda_is_no_attribute(sampled):
    row = sampled.context("baskets/basket.py::Crate")
    assert row.get("attributes") == ["wide"]


DIALECT = """

class {name}Query(Query):
    \"\"\"Queries for {name}.\"\"\"

    @classmethod
    def _builder(cls):
        return {name}Builder()


class {name}Builder(Builder):
    \"\"\"Build queries for {name}.\"\"\"

    def __init__(self):
        super().__init__(Dialects.{member})


class {name}Dialect(Dialect):
    \"\"\"The rules of {name}.\"\"\"

    QUOTES = "'"

    def __call__(self):
        return self.QUOTES
"""
NAMES = ("Oracle", "Vertica", "Jira")
QUERIES = {
    "setup.cfg": "[metadata]\nname = queries\ndescription = Make queries\n",
    "README.rst": 'Queries\n=======\n\nUsing\n"""""\n\n``OracleQuery``, '
    "``VerticaQuery`` and ``JiraQuery`` make queries, of a ``Point``.\n",
    "queries/__init__.py": '"""Make queries."""\n\n'
    "from .dialects import JiraQuery, OracleQuery, VerticaQuery\n"
    "from .dialects import JiraDialect, OracleDialect, VerticaDialect\n"
    "from .shapes import Point\n\n"
    '__all__ = ["JiraQuery", "OracleQuery", "Point", "VerticaQuery"]\n',
    "queries/enums.py": '"""Names."""\n\nfrom enum import Enum\n\n\n'
    'class Dialects(Enum):\n    """Name the dialects."""\n\n'
    + "".join(f'    {name.upper()} = "{name}"\n' for name in NAMES),
    "queries/base.py": '"""What all dialects share."""\n\nimport abc\n\n\n'
    'class Query:\n    """Make a query."""\n\n    is_open = None\n\n'
    "    @classmethod\n    def _builder(cls):\n        return Builder(None)\n\n\n"
    'class _Nothing(Query):\n    """No query."""\n\n\n'
    "class Dialect(abc.ABC):\n    @abc.abstractmethod\n    def __call__(self):\n"
    "        raise NotImplementedError\n\n\n"
    'class Builder:\n    """Build a query."""\n\n'
    "    def __init__(self, dialect):\n        self.dialect = dialect\n",
    "queries/shapes.py": '"""Shapes."""\n\n\n'
    'class Point:\n    """A place."""\n\n    x = 1\n',
    "queries/dialects.py": '"""Dialects."""\n\n'
    "from .base import Builder, Dialect, Query\n"
    "from .enums import Dialects\n"
    + "".join(DIALECT.format(name=name, member=name.upper()) for name in NAMES)
    + '\n\nclass Point(Query):\n    """Query a point."""\n\n    is_open = True\n\n'
    "    @classmethod\n    def _builder(cls):\n        return Builder(0)\n",
}
queries = sampled_fixture(QUERIES)


def the_plan(sampled: Sampled, kind: str, base: str) -> str:
    told = {one for one in answers(sampled, kind) if f"subclass of `{base}`" in one}
    assert told
    return min(told)


def test_a_plan_names_the_class_and_the_member_that_each_sibling_has(queries):
    text = the_plan(queries, "plan", "Query")
    assert "Write a subclass of `Builder` (in `queries/base.py`) that belongs" in text
    assert re.search(r"as 3 of 4 siblings make one: `(\w+)Query` makes a `\1Bu", text)
    assert "Add a member for it to `Dialects` in `queries/enums.py`, where 3 of" in text
    like = the_plan(queries, "plan_like", "Query")
    assert re.search(r"belong to it, as `(\w+)Query` makes `\1Builder`", like)


def test_a_plan_counts_what_means_a_sibling_and_not_what_has_its_name(queries):
    text = the_plan(queries, "plan", "Query")
    assert "list it in its `__all__`, as 3 of 4 siblings are" in text
    assert "Document it in `README.rst`, which names at least 3 of 4" in text
    assert "`is_open` (1 of 4)" in text


def test_a_plan_says_that_private_siblings_are_not_counted(queries):
    assert "has 4 public siblings" in the_plan(queries, "plan", "Query")


@pytest.mark.parametrize("number", range(4))
def test_a_requirement_is_no_sentence_that_runs_into_the_next(number: int) -> None:
    question = load_phrases("en").kinds["plan_need"].questions[number]
    assert re.search(r'(\(\\?"\{summary\}"\)|"\{summary\}"$)', question)


def test_a_plan_names_all_that_a_sibling_has_to_define(queries):
    text = the_plan(queries, "plan", "Dialect")
    assert "what the base class leaves open: `__call__` (3 of 3)" in text
    assert "class attributes that most siblings set: `QUOTES` (3 of 3)" in text
    like = the_plan(queries, "plan_like", "Dialect")
    assert "what the base class leaves open: `__call__` (3 of 3)" in like
    assert "Dialect` defines besides: `QUOTES`." in like


def test_an_attribute_that_the_model_sets_is_named_once(queries):
    for text in answers(queries, "plan_like"):
        steps = text.partition("**Example**")[0]
        assert steps.count("`is_open`") <= 1


def test_all_claims_about_plans_hold(queries):
    assert not queries.audit().wrong


def test_what_stands_in_for_another_thing_is_not_told_as_the_projects(sampled):
    assert not any("balance_pans" in one["question"] for one in sampled.kept.values())


def test_what_a_class_decorates_does_not_make_an_object_of_it(sampled):
    row = sampled.context("baskets/scale.py::shown")
    assert "callers" not in row
    assert row["readers"] == ["baskets/scale.py::DigitalScale.read"]


def test_a_method_with_a_usual_name_is_asked_for_with_its_class(sampled):
    assert sampled.context("baskets/scale.py::DigitalScale.delete")["label"]


def test_callees_are_asked_for_where_all_are_known(sampled):
    for one in of_kind(sampled, "callees"):
        assert "callees" not in sampled.context(one["element"]).get("open", ())


def test_what_is_never_compared_is_not_asked():
    code = """def test_it():
    with raises(TypeError):
        assert Basket(1) == "no basket"
"""
    assert hide_expectation(code, 1000, {"Basket"}) is None
    assert hide_expectation(code.replace("raises", "opened"), 1000, {"Basket"})


def test_all_claims_hold(sampled):
    assert not sampled.audit().wrong
