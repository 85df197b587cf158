"""How something is called: coroutines are awaited, asynchronous generators are not."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cases.sampled import Sampled

APP = '''"""An application that streams."""

from contextlib import asynccontextmanager, contextmanager


@asynccontextmanager
async def lifespan(app: dict):
    """Start what the application needs, and stop it in the end."""
    yield {"app": app}


async def stream(lines: list, limit=10):
    """Give the lines one after the other."""
    for line in lines:
        yield line


async def fetch(address: str):
    """Fetch what lies at an address."""
    return address


async def collect(source: str):
    """Collect what a source gives, by a helper that is a generator."""
    def parts(value):
        yield value
    found = lambda: (yield source)
    return list(parts(source)), found


async def relay(source: str):
    """Give what another source gives, if it gives anything."""
    if source:
        received = yield 1
        return


@contextmanager
def opened(path: str):
    """Open a path for a while."""
    yield path


class Client:
    """Who speaks with a server."""

    async def events(self, topic: str):
        """Listen to what happens in a topic."""
        yield topic

    async def send(self, message: str):
        """Send a message to the server."""
        return message


class And:
    """What holds when both of its sides do."""

    def holds(self, values: list):
        """Tell whether both sides hold for the values."""
        return all(values)


class _2DGrid:
    """Fields in rows and columns."""

    def field(self, row: int):
        """Find the first field in a row."""
        return row


class _:
    """What nobody has named."""

    def keep(self, value: int):
        """Keep a value for a while."""
        return value
'''
FRAME = "async def main():\n    "  # `await` stands in a function
CALLS = {
    "stream": "stream(lines)",
    "fetch": FRAME + "await fetch(address)",
    "collect": FRAME + "await collect(source)",
    "relay": "relay(source)",
    "Client.events": "client.events(topic)",
    "Client.send": FRAME + "await client.send(message)",
    # No instance has a name that Python does not allow.
    "And.holds": "and_.holds(values)",
    "_2DGrid.field": "_2_d_grid.field(row)",
    "_.keep": "_.keep(value)",
}
SHOP = {
    "pyproject.toml": "[project]\nname = 'shop'\ndependencies = ['numpy>=1']\n",
    "shims/numpy.py": '''"""Examples of arrays."""


def array(values):
    """Show what an array is, for the example."""
    return list(values)
''',
    "pkg/core.py": '''"""The core of the shop."""

from shims.numpy import array


def load(address):
    """Load numbers from an address."""
    return array(address)
''',
}


ANNOTATED = {
    "pkg/__init__.py": "",
    "pkg/environment.py": '''"""Where pages are made."""

import typing


class Undefined:
    """What a page has no value for."""

    def __init__(self, hint):
        self.hint = hint


class Visitor(typing.Protocol):
    """What is called with each node."""

    def __call__(self, node):
        """Visit one node of the tree."""
        return node


class Environment:
    """What all pages of a site share."""

    def __init__(self, undefined: typing.Type[Undefined]):
        self.undefined: typing.Type[Undefined] = undefined

    def visitor(self, node) -> "typing.Optional[Visitor]":
        """Return what visits a node, if anything does."""
        return getattr(self, str(node), None)
''',
    "pkg/use.py": '''"""Make the pages."""

from pkg.environment import Environment


def made(environment: Environment):
    """Make what a page has no value for."""
    return environment.undefined("nothing is there")


def visit(environment: Environment, node):
    """Visit one node of the tree by its visitor."""
    found = environment.visitor(node)
    return found(node)
''',
}
FACTORY = {
    "pkg/__init__.py": "",
    "pkg/writer.py": '''"""Writers of pages."""


class Writer:
    """Writes the text of one page."""

    def __init__(self, page):
        self.page = page
''',
    "pkg/environment.py": '''"""Where pages are made."""

from pkg.writer import Writer


class Environment:
    """What all pages of a site share."""

    writer_class: type["Writer"] = Writer
''',
    "pkg/use.py": '''"""Make the pages."""

from pkg.environment import Environment


def build(environment: Environment, page):
    """Make one page of the site with its writer."""
    made = environment.writer_class(page)
    return made
''',
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("usage"), {"app.py": APP})


def _example_calls(sampled: Sampled, id: str) -> set[str]:
    """Return the calls in the `api_usage` answers about an element."""
    found = set()
    for key, sample in sampled.samples.items():
        if key.startswith(id + "#api_usage") and "```python\n" in sample["answer"]:
            code = sample["answer"].partition("```python\n")[2].partition("\n```")[0]
            if code.startswith(FRAME) or not code.startswith(("def ", "async ", "@")):
                found.add(code)
    return found


@pytest.mark.parametrize(("qual", "call"), CALLS.items())
def test_an_example_call_is_valid_and_awaited_only_of_a_coroutine(
    app: Sampled, qual: str, call: str
) -> None:
    assert _example_calls(app, f"app.py::{qual}") == {call}
    ast.parse(call)


@pytest.mark.parametrize("qual", ["lifespan", "opened"])
def test_a_context_is_not_called_for_its_value(app: Sampled, qual: str) -> None:
    """`with` enters it: a call alone would show no use."""
    assert _example_calls(app, f"app.py::{qual}") == set()


def test_a_class_that_an_attribute_is_annotated_with_may_be_replaced(
    tmp_path: Path,
) -> None:
    sampled = Sampled(tmp_path, FACTORY)
    assert "`build`" not in "".join(sampled.answers("pkg/writer.py::Writer"))
    assert sampled.audit().wrong == []


@pytest.mark.parametrize("caller", ["made", "visit"])
def test_what_an_annotation_says_is_called_in_another_file(
    tmp_path: Path, caller: str
) -> None:
    sampled = Sampled(tmp_path, ANNOTATED)
    answers = [one["answer"] for one in sampled.samples.values()]
    assert any(f"`{caller}`" in answer for answer in answers)
    assert sampled.audit().wrong == []


def test_every_claim_about_calls_holds(app: Sampled) -> None:
    assert app.audit().wrong == []


@pytest.mark.parametrize(("qual", "call"), CALLS.items())
def test_a_call_of_the_other_form_is_noticed(
    app: Sampled, qual: str, call: str
) -> None:
    other = call.replace("await ", "") if "await" in call else f"await {call}"
    mutants = {
        key: {**sample, "answer": sample["answer"].replace(f"\n{call}", f"\n{other}")}
        for key, sample in app.samples.items()
        if key.startswith(f"app.py::{qual}#api_usage")
        and f"```python\n{call}" in sample["answer"]
    }
    assert mutants
    wrong = {one.key for one in app.audit(mutants).wrong if "awaited" in one.actual}
    assert wrong == set(mutants)


def test_a_declared_dependency_is_never_the_target_of_a_call(tmp_path: Path) -> None:
    sampled = Sampled(tmp_path, SHOP)
    assert sampled.audit().wrong == []
    read = sampled.tree.read_blob
    # The same claims, as if the file imported the package and not the shim.
    foreign = SHOP["pkg/core.py"].replace("shims.numpy", "numpy").encode()
    edited = {"pkg/core.py": foreign}
    claims = {
        key: sample
        for key, sample in sampled.samples.items()
        if any("numpy.py" in id for id in sample["sources"])
        and any("core.py" in id for id in sample["sources"])
    }
    assert claims
    sampled.tree = replace(
        sampled.tree, read_blob=lambda path: edited.get(path) or read(path)
    )
    wrong = sampled.audit(claims).wrong
    assert {one.claim for one in wrong} >= {"callers", "imports"}
    assert any("declared dependency" in one.actual for one in wrong)
    # Without the declaration nothing shows that it is another's.
    edited["pyproject.toml"] = b"[project]\nname = 'shop'\n"
    assert sampled.audit(claims).wrong == []
