"""A call that is made up runs as it is written, and imports are told as imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.import_statements import imports_for_types
from repobuild.samples.text.refusals import refuses_defaults
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

MILL = '''"""A mill that grinds grain."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, ClassVar, Protocol

from mill.grain import Grain

if TYPE_CHECKING:
    from mill.farm import Farm

COARSE = 4


class Grinder(Protocol):
    """What grinds grain of any kind."""

    def __init__(self, power: int) -> None:
        """Keep the power of a grinder."""

    def grind(self, grain: Grain) -> int:
        """Grind grain of any kind into flour."""
        ...


class Sieve:
    """Sorts flour by its size."""

    _all_sizes: ClassVar[set[int]] = {1, 2, 3}

    def __init__(self, depth: int, sizes: set[int] = _all_sizes, limit: int = 7):
        """Set a sieve up.

        :param depth: how deep it is
        :param sizes: which sizes pass
        """
        self.sizes = sizes

    def shake(self, seconds: int, sizes: set[int] = _all_sizes, limit: int = 7) -> int:
        """Shake it for some seconds."""
        return seconds


class Order:
    """What a baker orders by a code or a number."""

    def __init__(self, code: str = "", number: int = None):
        if not code and number is None:
            raise ValueError("a code or a number is needed")
        self.code = code or str(number)


def find_order(orders: list, code: str = "", number: int = None) -> str:
    """Find an order by its code or its number."""
    if code:
        key = code
    elif number:
        key = str(number)
    else:
        raise ValueError("a code or a number is needed")
    return key


def sell(farm: Farm, grain: Grain) -> None:
    """Sell grain to a farm."""
'''
FILES = {
    "pyproject.toml": '[project]\nname = "mill"\n',
    "mill/__init__.py": '"""A mill."""\n',
    "mill/mill.py": MILL,
    "mill/grain.py": '"""Grain."""\n\n\nclass Grain:\n    """Grain of a field."""\n',
    "mill/farm.py": '"""Farms."""\n\n\nclass Farm:\n    """A farm."""\n',
}
HOME = "mill/mill.py::"
mill = sampled_fixture(FILES)


def test_every_claim_about_the_mill_holds(mill: Sampled) -> None:
    assert mill.audit().wrong == []


def test_a_made_up_call_leaves_defaults_out(mill: Sampled) -> None:
    (answer,) = answers(mill, "usage", HOME + "Sieve.shake")
    assert "\nsieve.shake(seconds)\n" in answer


def test_a_default_that_only_the_class_body_sees_is_not_repeated(
    mill: Sampled,
) -> None:
    told = mill.answers(HOME + "Sieve")
    assert any("\nSieve(depth, limit=7)\n" in answer for answer in told)
    for answer in told:
        assert "sizes=_all_sizes" not in answer
        if "Sieve(depth" in answer:
            assert "- `sizes`" in answer


@pytest.mark.parametrize("name", ["Grinder", "Grinder.grind"])
def test_what_a_protocol_declares_is_not_called(mill: Sampled, name: str) -> None:
    assert of_kind(mill, "explain", HOME + name)
    assert not of_kind(mill, "usage", HOME + name)
    assert not any("is created with" in one for one in mill.answers(HOME + name))


@pytest.mark.parametrize("name", ["Order", "find_order"])
def test_a_call_that_raises_without_its_defaults_is_not_made_up(
    mill: Sampled, name: str
) -> None:
    assert of_kind(mill, "explain", HOME + name)
    for answer in mill.answers(HOME + name):
        assert f"\n{name}(" not in answer


NOT_ALL = (
    "if not (a or b):\n        raise ValueError",
    "if a is None and not b:\n        raise ValueError",
    "if a:\n        pass\n    elif b:\n        q()\n    else:\n        raise OSError",
    '"""Text."""\n    x = 1\n    if not a and not b:\n        raise ValueError',
)
PERHAPS = (
    "if not (a or q):\n        raise ValueError",
    "a = a or 5\n    if not a:\n        raise ValueError",
    "if a == 3:\n        raise ValueError",
    "if a and b:\n        raise ValueError",
    "if not a:\n        return 1\n    raise ValueError",
    "with q:\n        pass\n    raise ValueError",
)


@pytest.mark.parametrize("body", [*NOT_ALL, *PERHAPS])
def test_what_refuses_its_defaults_is_read_from_the_first_conditions(
    body: str,
) -> None:
    code = f"    def f(self, q, a=None, b=''):\n    {body}\n".encode()
    code = code.replace(b"\n    ", b"\n        ")
    found = refuses_defaults(code, [("a", "None"), ("b", "''")])
    assert found == (body in NOT_ALL)


def test_two_descriptions_of_one_parameter_describe_none() -> None:
    text = "Find banks.\n\n:param offset: where to begin\n:param offset: how many\n"
    assert parse_docstring(text).parameters == {}
    assert parse_docstring(f"{text}:param name: of it").parameters == {"name": "of it"}


def test_an_import_for_types_alone_is_told_apart(mill: Sampled) -> None:
    (answer,) = answers(mill, "imports", "mill/mill.py")
    at_run_time, _, for_types = answer.partition("**Imported for type checking alone**")
    assert "`mill/grain.py`" in at_run_time and "`mill/farm.py`" not in at_run_time
    assert "`mill/farm.py`" in for_types


def test_an_import_for_types_that_runs_elsewhere_is_noticed(mill: Sampled) -> None:
    part = "**Imported for type checking alone**: "
    mutants = {
        key: {**one, "answer": one["answer"].replace("farm.py", "grain.py")}
        for key, one in mill.samples.items()
        if part in one["answer"]
    }
    assert {one.key for one in mill.audit(mutants).wrong} == mutants.keys() != set()


def test_what_is_imported_in_an_else_runs() -> None:
    source = (
        b"if TYPE_CHECKING:\n    from . import a\nelse:\n    from . import b\n"
        b"if TYPE_CHECKING:\n    from . import c\n\ndef f():\n    from .c import d\n"
    )
    imports = [[2, ".", "a", ""], [4, ".", "b", ""], [6, ".", "c", ""]]
    facts = {"language": "python", "imports": [*imports, [9, ".c", "d", ""]]}
    targets = ["src/p/a.py", "src/p/b.py", "src/p/c.py"]
    found = imports_for_types("src/p/here.py", facts, source, targets)
    assert found == ["src/p/a.py"]


def test_a_file_named_like_a_module_of_python_is_not_what_that_import_names() -> None:
    source = (
        b"from typing import TYPE_CHECKING\n"
        b"if TYPE_CHECKING:\n    from .typing import Headers\n"
    )
    imports = [[1, "typing", "TYPE_CHECKING", ""], [3, ".typing", "Headers", ""]]
    facts = {"language": "python", "imports": imports}
    found = imports_for_types("src/p/here.py", facts, source, ["src/p/typing.py"])
    assert found == ["src/p/typing.py"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_imports_are_asked_for_as_imports(tmp_path: Path, language: str) -> None:
    """What a file needs in order to work is more than what it imports."""
    sampled = Sampled(
        tmp_path, FILES, **{**ALL_IN_ENGLISH, "samples.languages": [language]}
    )
    asked = {
        one["question"]
        for key, one in sampled.samples.items()
        if key.startswith("mill/mill.py#architecture_understanding")
        and one["answer"].startswith(("`mill/mill.py` imports", "`mill/mill.py` 导入"))
    }
    assert asked
    words = ("need", "depend", "正常工作")
    assert not [one for one in asked if any(word in one for word in words)]


def test_a_class_named_like_its_project_is_made_as_an_object(tmp_path: Path) -> None:
    """`创建 mill 的 `Mill`` would be said by nobody."""
    sampled = Sampled(
        tmp_path, FILES, **{**ALL_IN_ENGLISH, "samples.languages": ["zh"]}
    )
    asked = [one["question"] for one in of_kind(sampled, "construct")]
    assert any("对象" in one for one in asked)
    assert not any("的 `" in one and one.startswith("创建") for one in asked)


CLIENT = '''"""A client that waits for answers."""


class Client:
    """Who speaks with a server."""

    async def execute(self, *words: str) -> str:
        """Send words to a server."""
        return " ".join(words)

    def swap(self, first: int, second: int):
        """Swap two numbers of the server."""
        words = [str(first)]
        if second:
            words.append(str(second))
        return self.execute("SWAP", *words)

    def swap_all(self, first: int):
        """Swap all numbers of the server."""
        return self.rotate(first)

    def rotate(self, first: int):
        """Rotate all numbers of the server."""
        return self.execute("ROTATE", str(first))

    def cached(self, key: str):
        """Find a key here or at the server."""
        if key:
            return key
        return self.execute("GET", key)

    def name(self, number: int) -> str:
        """Name a number of the client."""
        return self.prefix(number)

    def prefix(self, number: int) -> str:
        """Find what comes before a number."""
        return str(number)
'''


def test_what_returns_a_coroutine_is_awaited(tmp_path: Path) -> None:
    """Without `await` nothing is sent. Where only some results are awaited, or far
    ones, no call is made up.
    """
    sampled = Sampled(tmp_path, {"client.py": CLIENT}, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "usage", "client.py::Client.swap")
    assert "\nasync def main():\n    await my_client.swap(first, second)\n" in answer
    (answer,) = answers(sampled, "usage", "client.py::Client.name")
    assert "\nmy_client.name(number)\n" in answer
    for name in ("swap_all", "cached"):
        for text in sampled.answers(f"client.py::Client.{name}"):
            assert f"my_client.{name}(" not in text
    assert sampled.audit().wrong == []
    mutants = {
        key: {**one, "answer": one["answer"].replace("\nmy_", "\nawait my_")}
        for key, one in sampled.samples.items()
        if "\nmy_client.name" in one["answer"]
    }
    assert {one.key for one in sampled.audit(mutants).wrong} == mutants.keys() != set()
