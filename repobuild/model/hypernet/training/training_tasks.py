"""Make completion tasks out of a repository, for the training of a hypernetwork.

    assert      in a test, the expected value of an assertion: `assert f(1) == [2, 3]`
    call        in a source, the name of what is called, where the repository defines it
    import      in a source, a name imported from the repository itself

The prompt is what precedes the target in its file, the target ends at its own end and a
line end, so that a completion must stop by itself. A name is a task only when it is not
in the prompt: then nothing but the repository tells it. The identity of a task is its
file, the function around it and the text of its statement: an edit further up makes no
task new.

The sources are parsed, never imported or run.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from repobuild.model.hypernet.sources import Sources

MOST_CHARACTERS = 2_000  # of a prompt
MOST_TARGET = 120  # characters
_LEAST_NAME = 4  # characters of a name that is asked for
_WORD = re.compile(r"\w+")


class CompletionTask(NamedTuple):
    """A text to complete."""

    kind: str
    path: str
    function: str  # "" outside of any
    statement: str
    prompt: str
    target: str  # without the line end

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it the same task in another commit."""
        return self.path, self.function, self.statement, self.target


def make_tasks(sources: Sources) -> list[CompletionTask]:
    """Return the tasks of a repository, in the order of its files."""
    defined = defined_names(sources.encoded)
    found = [
        task
        for path, text in sorted(sources.encoded.items())
        if path.endswith(".py")
        for task in name_tasks(path, text, defined)
    ]
    for path, text in sorted(sources.tests.items()):
        found += assertion_tasks(path, text)
    return list({task.identity: task for task in found}.values())


def defined_names(files: Mapping[str, str]) -> frozenset[str]:
    """Return the functions and classes that Python files define at any depth."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(
        node.name
        for path, text in files.items()
        if path.endswith(".py")
        for node in ast.walk(parse(text))
        if isinstance(node, kinds) and len(node.name) >= _LEAST_NAME
    )


def assertion_tasks(path: str, text: str) -> Iterator[CompletionTask]:
    """Yield the assertions of a test file whose expected value is to be completed."""
    file = _File(path, text)
    for function, node in _nodes(file.tree):
        value: ast.expr | None = None
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            value = node.test.comparators[0]
        elif isinstance(node, ast.Call) and _is_assert_equal(node):
            value = node.args[1]
        if value is not None:
            yield from file.task("assert", function, node, value)


def name_tasks(
    path: str, text: str, defined: frozenset[str]
) -> Iterator[CompletionTask]:
    """Yield the calls and imports of names that the repository defines."""
    file = _File(path, text)
    for function, node in _nodes(file.tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in defined:
                yield from file.name_task("call", function, node, called, name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in defined:
                    yield from file.name_task(
                        "import", function, node, alias, alias.name
                    )


def _is_assert_equal(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", "")
    return name in ("assertEqual", "assertEquals") and len(call.args) >= 2


def parse(text: str) -> ast.Module:
    """Parse a file; one that is no valid Python is an empty module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _nodes(tree: ast.Module) -> Iterable[tuple[str, ast.AST]]:
    """Yield every node with the name of the function around it."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        function, node = waiting.pop()
        yield function, node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = f"{function}.{node.name}".lstrip(".")
        children = list(ast.iter_child_nodes(node))
        waiting += [(function, child) for child in reversed(children)]


class _File:
    """A parsed file; the syntax tree counts columns in bytes."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.tree = path, parse(text)
        self.data = text.encode("utf-8", "replace")
        self.starts = [0]
        for line in self.data.split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)

    def task(
        self, kind: str, function: str, node: ast.AST, value: ast.AST
    ) -> Iterator[CompletionTask]:
        """Yield the task whose target is the text of `value`, unless it is long."""
        begin, end = self._span(value)
        yield from self._task(kind, function, node, begin, end)

    def name_task(
        self, kind: str, function: str, node: ast.AST, inside: ast.AST, name: str
    ) -> Iterator[CompletionTask]:
        """Yield the task whose target is a name, if the prompt does not have it."""
        begin, end = self._span(inside)
        place = self.data.rfind(name.encode(), begin, end)
        if place < 0:
            return
        for task in self._task(kind, function, node, place, place + len(name)):
            if name not in _WORD.findall(task.prompt):
                yield task

    def _task(
        self, kind: str, function: str, node: ast.AST, begin: int, end: int
    ) -> Iterator[CompletionTask]:
        target = self.data[begin:end].decode("utf-8", "replace")
        if not target.strip() or len(target) > MOST_TARGET or "\n" in target:
            return
        first, last = self._span(node)
        statement = self.data[first:last].decode("utf-8", "replace")
        before = self.data[:begin].decode("utf-8", "replace")
        prompt = before[-MOST_CHARACTERS:]
        yield CompletionTask(kind, self.path, function, statement, prompt, target)

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """Return the bytes that a node covers."""
        place: ast.expr = node  # type: ignore[assignment]
        end_line, end_column = place.end_lineno or 1, place.end_col_offset or 0
        return (
            self.starts[place.lineno - 1] + place.col_offset,
            self.starts[end_line - 1] + end_column,
        )
