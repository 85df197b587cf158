"""An example is a call that its reader can copy, and not one from the inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.explained_names import FileNames, file_names, written_imports
from repobuild.samples.text.deprecation import is_deprecated
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

DESKS = '''"""Desks of a library."""

import json

_DAYS = 14
_RULES = {"a": 1}


class DeskError(Exception):
    """A desk is closed."""


class Closed(DeskError):
    """It opens on another day."""

    def __init__(self, day):
        self.day = day


class Desk:
    """A desk that lends books."""

    def __init__(self, name="main", days=_DAYS):
        self.name = name
        self.days = days

    def update(self, books, day=0):
        """Take books back."""
        self._check(books)
        return len(books)

    def _check(self, books):
        return books

    def refuse(self, day):
        raise Closed(day)


class Loan:
    """Books that are lent."""

    def __init__(self, desk):
        self.desk = desk

    def close(self, books):
        desk = Desk("inner", 3)
        return desk.update(books)

    def update(self, books):
        """Change what is lent."""
        return self.desk.update(books)


def dump(books, rules=frozenset({"a", "b", "c", "d", "e", "f", "g", "h", "i"})):
    """Write books as a text."""
    return json.dumps(list(books))


async def send(books, day: int):
    """Send books to their readers."""
    return books


print(json.dumps(dump(["a"])))
'''
FILES = {
    "pyproject.toml": '[project]\nname = "desks"\n',
    "desks/__init__.py": '"""Desks."""\n',
    "desks/desk.py": DESKS,
    "docs/pages.js": "/** Set the pages of a site up. */\n"
    "export function setUp(app) {\n  app.pages = [];\n  return app;\n}\n",
    "web/use.js": "import { setUp } from '../docs/pages.js';\n\nsetUp('a');\n",
    "README.md": "# Desks\n\nDesks of a library.\n\n```python\n"
    'from desks.desk import Desk\n\ndesk = Desk("east")\ndesk.update(["b"], day=2)\n'
    "```\n",
    "tests/test_desks.py": "from desks.desk import Closed\n\n\n"
    'def test_closed():\n    error = Closed("today")\n    assert error.day\n',
}
HOME = "desks/desk.py::"
desks = sampled_fixture(FILES)


def test_every_claim_about_desks_holds(desks: Sampled) -> None:
    assert desks.audit().wrong == []


def test_a_variable_made_of_the_class_tells_whose_method_is_called(
    desks: Sampled,
) -> None:
    """`update` is a method of two classes, and of `dict`."""
    (answer,) = answers(desks, "usage", f"{HOME}Desk.update")
    assert "**A call from** `README.md`" in answer
    assert 'desk.update(["b"], day=2)' in answer
    assert answers(desks, "usage", f"{HOME}Loan.update") == set()


def test_a_default_that_is_not_told_is_told_to_be_one(desks: Sampled) -> None:
    (answer,) = answers(desks, "usage", f"{HOME}dump")
    assert "- `rules`, optional (it has a default)" in answer
    (answer,) = answers(desks, "usage", f"{HOME}Desk")
    assert "- `days`, optional (it has a default)" in answer and "_DAYS" not in answer


def test_a_call_of_its_own_file_is_shown_with_an_import(desks: Sampled) -> None:
    (answer,) = answers(desks, "usage", f"{HOME}dump")
    assert "import json\nfrom desks.desk import dump\n\nprint(" in answer


def test_a_wrong_import_of_the_element_is_noticed(desks: Sampled) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace("from desks.desk", "from desks")}
        for key, one in desks.samples.items()
        if "from desks.desk import dump" in one["answer"]
    }
    assert changed and {one.key for one in desks.audit(changed).wrong} == {*changed}


def test_an_exception_of_any_name_is_not_used_by_a_call(desks: Sampled) -> None:
    assert of_kind(desks, "explain", f"{HOME}Closed")
    assert answers(desks, "usage", f"{HOME}Closed") == set()


def test_scripts_of_documents_are_not_used(desks: Sampled) -> None:
    asked = {one["task"] for one in desks.samples.values() if "setUp" in one["element"]}
    assert asked and "api_usage" not in asked


def test_what_is_awaited_is_shown_in_a_function(desks: Sampled) -> None:
    (answer,) = answers(desks, "usage", f"{HOME}send")
    assert "```python\nasync def main():\n    await send(books, day)\n```" in answer


def example(code: str, name: str, is_test: bool = True) -> str | None:
    """Return the example of the last line of a file."""
    lines = code.split("\n")
    known: FileNames = file_names(written_imports(code), lines, (), is_test)
    found = call_example(lines, len(lines) - 1, name, known)
    return found and found.code


def test_a_method_is_not_quoted_without_its_class() -> None:
    assert example("def lend(self, desk):\n    desk.open(1)", "open", False) is None
    code = "class A:\n    def lend(self, desk):\n        desk.open(1)"
    assert example(code, "open", False) == code


def test_a_decorated_method_is_not_quoted_without_its_class() -> None:
    code = "from a import locked\n\n    @locked\n    def close(self):\n        print()"
    lines = code.split("\n")
    known = file_names(written_imports(code), lines)
    assert call_example(lines, 2, "locked", known) is None
    lines.insert(2, "class A:")
    found = call_example(lines, 3, "locked", known)
    assert found is not None and "class A:\n    @locked" in found.code


def test_a_method_that_passes_its_own_call_on_is_no_example() -> None:
    head = "from a import A\n\nclass B(A):\n    def {}(self, day):\n"
    head += "        A.step(self, day)"
    assert example(head.format("step"), "step", False) is None
    assert example(head.format("walk"), "step", False) is not None


def test_an_import_whose_name_gets_another_value_explains_nothing() -> None:
    code = (
        "from desks import lookup\n\ndef test_it():\n    lookup = (\n        1\n    )\n"
    )
    assert example(code + '    lookup.find("a")', "find") is None
    code = "from desks import lookup\n\ndef test_it(lookup):\n"
    assert example(code + '    lookup.find("a")', "find") is None
    code = "from desks import lookup\n\ndef test_it():\n"
    assert example(code + '    lookup.find("a")', "find") is not None


@pytest.mark.parametrize("module", [".helpers", "tests.helpers", "desks.tests.help"])
def test_a_helper_of_tests_is_in_no_example(module: str) -> None:
    code = f"from {module} import book\nfrom desks import f\n\nf(book)"
    assert example(code, "f") is None


def test_what_asserts_a_call_is_no_example() -> None:
    code = 'from desks import f, eq_\n\neq_(f("a"), "b")'
    assert example(code, "f") is None


def test_what_returns_is_quoted_with_its_function() -> None:
    code = "from desks import f\n\ndef g():\n    return f(1)"
    assert example(code, "f", False) == code
    assert example(code, "f") is None  # of a test nobody sees what it is given


def test_a_call_that_rests_on_a_statement_left_out_is_no_example() -> None:
    code = 'import log\n\nlog.add_level(5, "TRACE")\n'
    assert example(code + 'x = f({"TRACE": "red"})', "f") is None
    assert example(code + 'x = f({"DEBUG": "red"})', "f") is not None


def test_a_call_after_many_others_of_its_object_is_no_example() -> None:
    code = "log = get()\n" + "log.a(1)\n" * 4 + "log.send(2)"
    assert example("from a import get\n" + code, "send") is None
    assert example("from a import get\nlog = get()\nlog.a(1)\nlog.send(2)", "send")


def test_a_method_that_is_called_comes_before_another_use() -> None:
    code = "from copy import copy\nfrom a import Store\n\nstore = Store(1)"
    lines = [*code.split("\n"), "copy(store)", "store.put(2)"]
    known = file_names(written_imports(code), lines, (), is_test=True)
    found = call_example(lines, 3, "Store", known)
    assert found is not None and found.code.endswith("store.put(2)")


@pytest.mark.parametrize(("word", "count"), [("", 1), ("await ", 0)])
def test_what_is_not_awaited_by_the_project_is_not_shown_awaited(
    tmp_path: Path, word: str, count: int
) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/log.py": 'class Log:\n    """A log."""\n\n'
        "    def tell(self, text: str):\n"
        '        """Tell a text."""\n        print(text)\n',
        "README.md": "# Shop\n\nA shop of logs.\n\n```python\n"
        f'from shop.log import Log\n\nlog = Log()\n{word}log.tell("a")\n```\n',
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    told = answers(sampled, "usage", "shop/log.py::Log.tell")
    assert len(told) == count
    assert all('\nlog.tell("a")' in one for one in told)


def test_a_name_alone_is_no_use_of_an_object() -> None:
    lines = ["store = Store(1)", "store", "store.put(2)"]
    found = call_example(lines, 0, "Store")
    assert found is not None and found.code == "store = Store(1)\n...\nstore.put(2)"
    found = call_example(lines[:2], 0, "Store")
    assert found is not None and found.code == "store = Store(1)"


def test_a_long_block_is_quoted_with_its_first_statement() -> None:
    lines = ["with open_desk(1) as desk:", *(f"    desk.lend({n})" for n in range(6))]
    found = call_example(lines, 0, "open_desk")
    assert found is not None
    assert found.code == "\n".join([*lines[:2], "    ..."])
    assert call_example([lines[0], "    pass"], 0, "open_desk") is None


def test_a_call_in_an_endless_loop_is_no_example() -> None:
    code = "from a import desks\n\ndef work(queue):\n    while True:\n"
    assert example(code + "        queue.put(1)", "put", False) is None


def test_an_object_that_is_only_made_shows_no_way_to_use_it(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/till.py": "import base\n\n\nclass Till(base.Till):\n"
        '    """A till for money."""\n\n'
        "    def __init__(self, name: str):\n        self.name = name\n",
        "README.md": "# Shop\n\nA shop.\n\n```python\n"
        'from shop.till import Till\n\ntill = Till("a")\n```\n',
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    asked = [one["question"] for one in of_kind(sampled, "usage", "shop/till.py::Till")]
    assert asked and not any("How do I use" in one for one in asked)


def test_an_example_that_needs_another_package_comes_last(tmp_path: Path) -> None:
    files = {
        "texts.py": 'def parse(text, parser=None):\n    """Parse a text.\n\n'
        "        >>> import fastparser\n"
        '        >>> parse("<a>", parser=fastparser)\n    """\n    return text\n',
        "README.md": "# Texts\n\nTexts.\n\n```python\nfrom texts import parse\n\n"
        'parse("<b>")\n```\n',
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "usage", "texts.py::parse")
    assert "README.md" in answer and "fastparser" not in answer


def test_an_argument_that_is_deprecated_does_not_make_its_class_so() -> None:
    args = "Format.\n\nArgs:\n    one: A text.\n    two: A text.\n\n"
    assert not is_deprecated("", f"{args}.. deprecated:: 2.0\n   *one* for *two*.", ())
    assert is_deprecated("", f"{args}.. deprecated:: 2.0\n   Use another.", ())
    assert is_deprecated("", f"{args}.. deprecated:: 2.0\n   `Format` is old.", ())


def test_a_class_in_a_class_is_made_by_its_whole_name(tmp_path: Path) -> None:
    inner = (
        "    class {}:\n"
        "        def __init__(self, size: int):\n            self.size = size\n\n"
    )
    names = ["Drawer", "Lamp", "Shelf", "Leg"]  # some are drawn
    code = "class Desk:\n" + "".join(map(inner.format, names))
    code += "\ndef make():\n" + "".join(map(inner.format, names)) + "    return Leg\n"
    files = {"desk.py": code, "nightly-tests/desk.py": code, "bench/desk.py": code}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    made = answers(sampled, "construct", "")
    assert made and all("\nDesk." in one for one in made)
    asked = {
        one["element"].partition("::")[0]
        for one in sampled.samples.values()
        if one["task"] == "api_usage"
    }
    assert asked == {"desk.py"}


def test_arguments_that_go_to_another_constructor_may_be_needed(
    tmp_path: Path,
) -> None:
    inner = "class {}({}):\n    def __init__(self, {}):\n        self.size = size\n\n\n"
    names = [f"Desk{one}" for one in "ABCDEF"]  # some are drawn
    parameters = {"shut.py": "*args, size=1", "open.py": "size=1, **kwargs"}
    files = {
        path: "".join(inner.format(one, "Base", given) for one in names)
        for path, given in parameters.items()
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    made = [one["element"] for one in of_kind(sampled, "construct")]
    assert made and all(one.startswith("open.py") for one in made)
