"""Samples that misled a reader of unknown projects say what holds, or are not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.usage.call_example import call_example
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

RULES = '''"""
shop.rules
----------

Rules that prices follow.
"""

import typing
from functools import wraps

from shop._compat.typing import Self
from shop.errors import Broken, Late, Missing


def checked(message):
    """Fail with a message of its own."""

    def decorate(rule):
        @wraps(rule)
        def check(note=None):
            return lambda value: rule(value)

        return check

    return decorate


def truth(rule):
    """Turn a predicate into a rule."""

    @wraps(rule)
    def check(value):
        if not rule(value):
            raise Missing(value)
        return value

    return check


@checked("too dear")
def cheap(price):
    """Check that a price is low."""
    if price > 9:
        raise Missing(
            price,
            "nine is the highest",
        )
    return even(price)


@checked("too late")
def early(hour: int):
    """Check that an hour is early."""
    return hour


@truth
def even(price):
    """Check that a price is even."""
    return price % 2 == 0


class Rule:
    """A rule of the shop.

    :returns: what has passed
    """

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def apply(self, price: int) -> typing.Any:
        """Let a price pass, and tell whose it is.

        Returns:
            Any: The price.
        """
        raise Missing(price)


first = Rule(least=1)
'''
STUB = """from typing import Any

def checked(message: str) -> Any: ...
def cheap(price: int = ...) -> int: ...

class Rule:
    def apply(self, price: int) -> Any: ...
"""
FILES = {
    "setup.cfg": "[metadata]\nname = shop\ndescription = Sell things by rules\n\n"
    "[options]\ninstall_requires = requests\n\n"
    "[options.extras_require]\nfast = numpy\n",
    "README.md": "# Contributions only\n\n**Current status:** Shop is stable.\n\n"
    "**Why?** I no longer use the shop myself.\n",
    "docs/start.md": "# First steps\n\nThe shop sells things by rules of its own.\n\n"
    "## More\n\nThere is more.\n",
    "docs/lone.md": "# Alone\n\nThis page has one heading.\n",
    "shop/__init__.py": '"""Shop."""\n',
    "shop/rules.py": RULES,
    "shop/rules.pyi": STUB,
    "shop/net.py": '"""Fetch prices."""\n\nimport numpy\nimport requests\n\n\n'
    "def fetch(url):\n    return numpy.array(requests.get(url).json())\n",
    "shop/errors.py": '"""Errors of the shop."""\n\n\nclass Broken(Exception):\n'
    "    def __init__(self, price=0, note=''):\n        self.price = price\n\n\n"
    "class Missing(Broken):\n    pass\n\n\nclass Late(Broken):\n    pass\n",
    "shop/_compat/__init__.py": "",
    "shop/_compat/typing.py": "Self = object\n",
    "tests/test_rules.py": "import re\n\nfrom shop.rules import Rule, cheap\n\n\n"
    "def test_cheap():\n"
    '    assert re.fullmatch("[A-Z]+", "OK") == expected("OK")\n'
    '    assert cheap(note="n")(3) == "three of them"\n\n\n'
    "def test_rule():\n    assert Rule(least=2).apply(4711) is not missing\n",
}
HOME = "shop/rules.py::"
shop = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(shop: Sampled):
    assert shop.audit().wrong == []


def test_a_stub_beside_its_module_is_no_second_answer(shop: Sampled):
    told = "\n".join(f"{key} {one['answer']}" for key, one in shop.samples.items())
    assert "rules.pyi" not in told
    assert answers(shop, "location", f"{HOME}cheap") == {
        "`cheap` is defined in `shop/rules.py`."
    }


def test_a_call_that_a_decorator_may_have_changed_is_not_told_by_the_signature(shop):
    (text,) = answers(shop, "usage", f"{HOME}cheap")
    assert 'cheap(note="n")(3)' in text
    assert "**Parameters**" not in text
    assert '@checked("too dear")\ndef cheap(price)' in text
    assert answers(shop, "signature", f"{HOME}cheap") == set()
    assert answers(shop, "usage", f"{HOME}early") == set()


def test_a_decorator_is_shown_as_it_is_applied(shop: Sampled):
    (text,) = answers(shop, "usage", f"{HOME}truth")
    assert "```python\n@truth\ndef even(price):\n" in text


def test_a_decorator_is_not_called_by_what_it_decorates(shop: Sampled):
    told = {one["answer"] for one in of_kind(shop, "callees", f"{HOME}cheap")}
    told |= answers(shop, "steps", f"{HOME}cheap")
    assert told and not any("`checked`" in text for text in told)


def test_making_an_object_calls_no_inherited_constructor(shop: Sampled):
    assert answers(shop, "callees", f"{HOME}cheap") == {
        "`cheap` calls `Missing` (in `shop/errors.py`), `even` (in `shop/rules.py`)."
    }


def test_code_needs_the_names_that_it_uses_and_not_the_whole_statement(shop: Sampled):
    assert answers(shop, "needs", f"{HOME}cheap") == {"from shop.errors import Missing"}


def test_a_needed_import_with_a_spare_name_is_noticed(shop: Sampled):
    spare = {
        key: {**one, "answer": one["answer"].replace("Missing", "Late, Missing")}
        for key, one in shop.samples.items()
        if one["task"] == "import_completion" and "import Missing" in one["answer"]
    }
    assert spare and len(shop.audit(spare).wrong) >= len(spare)


def test_the_standard_library_is_not_imported_from_the_project(shop: Sampled):
    told = "\n".join(one["answer"] for one in of_kind(shop, "needs"))
    assert "import typing" not in told


def test_what_a_method_returns_is_not_returned_by_its_class(shop: Sampled):
    (text,) = answers(shop, "explain", f"{HOME}Rule")
    assert "**Returns**" not in text
    assert "- `least` (`int`), default `0`" in text


def test_a_returned_type_is_told_once(shop: Sampled):
    (text,) = answers(shop, "explain", f"{HOME}Rule.apply")
    assert "**Returns**: `typing.Any`, The price." in text


def test_the_name_of_a_module_is_not_its_purpose(shop: Sampled):
    (text,) = answers(shop, "module", "shop/rules.py")
    assert "**Purpose**: Rules that prices follow." in text
    (text,) = answers(shop, "modules")
    assert "Shop." not in text


def test_a_single_heading_is_no_list_of_sections(shop: Sampled):
    assert answers(shop, "sections", "docs/lone.md") == set()
    assert answers(shop, "sections", "docs/start.md") != set()


def test_a_status_is_no_introduction(shop: Sampled):
    (text,) = answers(shop, "tagline")
    assert text == '`setup.cfg` describes shop as follows: "Sell things by rules"'


def test_one_library_is_no_foundation_and_told_as_a_dependency(shop: Sampled):
    assert answers(shop, "technologies") == set()
    assert any("`requests" in text for text in answers(shop, "dependencies"))


def test_one_package_is_told_by_its_modules_and_not_by_private_ones(shop: Sampled):
    (text,) = answers(shop, "modules")
    assert "- `shop/rules.py`: Rules that prices follow." in text
    assert "_compat" not in text


def test_lists_of_users_say_that_tests_are_left_out(shop: Sampled):
    for kind in ("callers", "importers", "subclasses"):
        texts = {one["answer"] for one in of_kind(shop, kind)}
        assert texts and all(text.startswith("Outside of tests, ") for text in texts)


def test_code_outside_of_any_definition_is_told_as_such(shop: Sampled):
    texts = answers(shop, "callers", f"{HOME}Rule")
    end = "is instantiated by `shop/rules.py` (at its top level)."
    assert texts and all(text.endswith(end) for text in texts)


PRICED = '''def {name}(price):
    """Check that a price is {name}."""
    if price > 9:
        raise ValueError(
            price,
            "{name} is nine or less",
        )
    return price
'''
LEVELS = ("cheap", "dear", "even", "fair", "high", "low", "odd", "right")


def test_a_part_of_a_statement_is_no_missing_line(tmp_path: Path):
    code = "\n\n".join(PRICED.format(name=name) for name in LEVELS)
    sampled = Sampled(tmp_path, {"prices.py": code}, **ALL_IN_ENGLISH)
    lines = answers(sampled, "line")
    assert lines and lines <= {"if price > 9:", "return price"}


def test_an_assertion_about_the_standard_library_is_not_asked_for(shop: Sampled):
    hidden = {one["answer"] for one in of_kind(shop, "assertion")}
    assert hidden == {'"three of them"'}


@pytest.mark.parametrize(
    "line", ["machine = Machine(model=m, ...)", 'print comment(p("a"), condition=1)']
)
def test_what_is_no_call_to_copy_is_no_example(line: str):
    name = "Machine" if "Machine" in line else "comment"
    assert call_example([line], 0, name) is None


def test_a_variable_that_the_call_itself_assigns_needs_no_value_from_before():
    lines = ["table = Table(1)", "table = Table(2, wide=True)"]
    found = call_example(lines, 1, "Table")
    assert found and found.code == "table = Table(2, wide=True)"


HANDLERS = '''"""Handlers."""


class Handler:
    """Handle one kind of message."""

    def handle(self, message):
        raise NotImplementedError

'''
HANDLER = '''
class {name}Handler(Handler):
    """Handle the {name} messages.

    {long}
    """

    def __init__(
        self,
        {first}_of_the_messages_that_are_handled="{name}",
        seconds_before_it_gives_up_on_a_message=5,
        number_of_messages_that_are_kept_at_most=99,
    ):
        self.first = {first}_of_the_messages_that_are_handled
        self.rest = (seconds_before_it_gives_up_on_a_message // 2,)
        self.kept = number_of_messages_that_are_kept_at_most
        self.note = "No {name}Handler can be made of it."

    def handle(self, message):
        return self.first + message
'''
NAMES = ("Mail", "News", "Chat")


def test_a_plan_registers_nothing_in_messages_guides_for_upgrades_and_helpers(
    tmp_path: Path,
):
    long = "A message is what somebody wrote to somebody else, word by word. " * 4
    handlers = HANDLERS + "".join(
        HANDLER.format(name=name, first=name.lower(), long=long) for name in NAMES
    )
    mentioned = "".join(f"`{name}Handler` takes a number.\n\n" for name in NAMES)
    made = "".join(f"    {name}Handler()\n" for name in NAMES)
    imports = ", ".join(f"{name}Handler" for name in NAMES)
    files = {
        "setup.cfg": "[metadata]\nname = post\n",
        "post/__init__.py": "",
        "post/handlers.py": handlers,
        "post/errors.py": "NOTES = {\n    1: 'a MailHandler is needed for it',\n"
        "    2: 'a NewsHandler is needed for it',\n"
        "    3: 'a ChatHandler is needed for it',\n}\n",
        "docs/upgrading.md": f"# Upgrading\n\n{mentioned}",
        "docs/handlers.md": f"# Handlers\n\n{mentioned}",
        "tests/base.py": f"from post.handlers import {imports}\n\n\n"
        f"def made():\n{made}",
        "tests/test_handlers.py": f"from post.handlers import {imports}\n\n\n"
        f"def test_handlers():\n{made}",
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    plans = answers(sampled, "plan") | answers(sampled, "plan_like")
    assert plans
    for text in plans:
        assert "docs/handlers.md" in text and "tests/test_handlers.py" in text
        assert "upgrading" not in text and "tests/base.py" not in text
        assert "post/errors.py" not in text and "`first`" not in text
        _, _, code = text.partition("```python\n")
        code = code.removesuffix("\n```")
        assert code.startswith(("class ", "def "))
        assert code.count("(") == code.count(")") and not code.endswith((",", ":"))
