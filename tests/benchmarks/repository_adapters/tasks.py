"""Turn test files into tasks: complete an assertion, an import, a call.

    assertion   `assert f(x) ==` -> ` 3`; `self.assertEqual(f(x),` -> ` 3`;
                `pytest.raises(` -> `BadKey`. The expected value, on one line.
    import      `from box import` -> ` Box`. One name of the repository's own packages.
    call        `client` -> `.fetch_all`. The callee after its receiver.

A task's prompt is the text of its window before the target: the path of the file, and
at most 1,700 characters that begin at a definition. So many tasks of one window are
measured by one forward pass, each exactly as if it were alone, because the model reads
from left to right.

A task is the same task when file, function and the statement's text are (with a number
for repeated statements): a line inserted above does not make it another one.

A task *needs the repository* when its target has an identifier that the repository's
source defines and the prompt lacks. Those identifiers are `needed`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from repobuild.model.bundled.corpus import SourceFile, split_text
from repobuild.model.bundled.tokenizer import FILE_SEP
from tests.benchmarks.repository_adapters.repositories import Repository

LONGEST_TARGET = 80  # characters
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
UNITTEST = re.compile(
    r"assert(Not)?(Equals?|Is|In|IsInstance|AlmostEqual|Greater|Less|ListEqual"
    r"|DictEqual|Regex)$"
)
RAISES = re.compile(r"(assertRaises|assertRaisesRegex|raises)$")


class Kind(Enum):
    """What is to be completed."""

    ASSERTION = "assertion"
    IMPORT = "import"
    CALL = "call"


class Stratum(Enum):
    """What a target is, as far as its form tells."""

    NUMBER = "number"
    STRING = "string"
    CALL = "call"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays when other lines of the file change."""

    path: str
    function: str  # dotted; "" outside functions
    statement: str
    number: int  # of equal statements before it in the function


@dataclass(frozen=True, slots=True)
class Task:
    """A place in a window that is to be completed."""

    kind: Kind
    identity: Identity
    window: int  # index into `Windows.texts`
    start: int  # characters of the window before the target
    target: str
    stratum: Stratum
    needed: tuple[tuple[int, int], ...]  # spans of identifiers in the window's text

    @property
    def needs_repository(self) -> bool:
        return bool(self.needed)


@dataclass(frozen=True, slots=True)
class Windows:
    """The texts of a repository's tests, and the tasks in them."""

    repository: str
    texts: tuple[str, ...]
    begins: tuple[int, ...]  # characters of the file before each text's piece of it
    tasks: tuple[Task, ...]

    def prompt(self, task: Task) -> str:
        """Return what is shown before a task's target."""
        return self.texts[task.window][: task.start]

    def piece_before(self, task: Task) -> str:
        """Return the prompt as it is in the file: without the path above it."""
        return self.prompt(task).partition("\n")[2]


@dataclass(frozen=True, slots=True)
class Place:
    """A target in a file, before it is cut into windows."""

    kind: Kind
    start: int  # characters
    end: int
    function: str
    statement: str
    stratum: Stratum


def repository_windows(repository: Repository) -> Windows:
    """Return the tasks of all of a repository's tests."""
    texts: list[str] = []
    begins: list[int] = []
    tasks: list[Task] = []
    for file in repository.tests:
        places = list(find_places(file, repository.packages))
        begin = 0
        for piece in split_text(file.text):
            end = begin + len(piece)
            inside = [p for p in places if begin <= p[1].start and p[1].end <= end]
            if inside and piece.isascii():
                text = f"{FILE_SEP}{file.path}\n{piece}"
                shift = len(text) - len(piece) - begin
                tasks += [
                    _task(p, identity, len(texts), shift, text, repository.defined)
                    for identity, p in inside
                ]
                texts.append(text)
                begins.append(begin)
            begin = end
    return Windows(repository.name, tuple(texts), tuple(begins), tuple(tasks))


def _task(
    place: Place,
    identity: Identity,
    window: int,
    shift: int,
    text: str,
    defined: frozenset[str],
) -> Task:
    start, end = place.start + shift, place.end + shift
    target = text[start:end]
    spans = tuple(needed_spans(text, start, end, defined))
    return Task(place.kind, identity, window, start, target, place.stratum, spans)


def needed_spans(
    text: str, start: int, end: int, defined: frozenset[str]
) -> Iterator[tuple[int, int]]:
    """Yield the identifiers of a target that are defined, and absent before them."""
    seen = set(IDENTIFIER.findall(text[:start]))
    literal = _string_spans(text[start:end])
    for found in IDENTIFIER.finditer(text[start:end]):
        inside = any(a <= found.start() < b for a, b in literal)
        if found[0] in defined and found[0] not in seen and not inside:
            yield start + found.start(), start + found.end()
        seen.add(found[0])


def _string_spans(target: str) -> list[tuple[int, int]]:
    quoted = re.finditer(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", target)
    return [found.span() for found in quoted]


# ------------------------------------------------------------------ places in a file


def find_places(
    file: SourceFile, packages: frozenset[str]
) -> Iterator[tuple[Identity, Place]]:
    """Yield what can be asked of a test file, from top to bottom."""
    counts: Counter[tuple[Kind, str, str, str]] = Counter()
    found = _Finder(file.text, packages)
    found.visit(file.tree)
    for place in sorted(found.places, key=lambda p: (p.start, p.kind.value)):
        target = file.text[place.start : place.end]
        if not target.strip() or "\n" in target or len(target) > LONGEST_TARGET:
            continue
        key = (place.kind, place.function, place.statement, target)
        yield (
            Identity(file.path, place.function, place.statement, counts[key]),
            place,
        )
        counts[key] += 1


class _Finder(ast.NodeVisitor):
    """Walks a file with the names of the functions around each node."""

    def __init__(self, text: str, packages: frozenset[str]) -> None:
        self.text, self.packages = text, packages
        self.lines = text.split("\n")  # as ast counts them, not as `splitlines`
        self.begins = [0]
        for line in self.lines:
            self.begins.append(self.begins[-1] + len(line) + 1)
        self.around: list[str] = []
        self.statement = ""
        self.places: list[Place] = []

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.around.append(node.name)
            self.generic_visit(node)
            self.around.pop()
            return
        if isinstance(node, ast.stmt):
            first = self.lines[node.lineno - 1].strip()
            self.statement = first
        match node:
            case ast.Assert(test=ast.Compare(comparators=[expected, *_])):
                self.expect(expected)
            case ast.Call(func=ast.Attribute(attr=name) as callee):
                self.call(node, callee, name)
            case ast.ImportFrom():
                self.names(node)
        self.generic_visit(node)

    def call(self, node: ast.Call, callee: ast.Attribute, name: str) -> None:
        if UNITTEST.match(name) and len(node.args) > 1:
            self.expect(node.args[1])
        elif RAISES.match(name) and node.args:
            self.expect(node.args[0])
        else:
            end = self.at(callee.end_lineno, callee.end_col_offset)
            start = end - len(name) - 1
            if self.text[start:end] == f".{name}":
                self.add(Kind.CALL, start, end, Stratum.CALL)

    def names(self, node: ast.ImportFrom) -> None:
        top = (node.module or "").split(".")[0]
        if node.level or top in self.packages:
            for alias in node.names:
                start = self.at(alias.lineno, alias.col_offset)
                end = start + len(alias.name)
                if alias.name != "*":
                    self.add(Kind.IMPORT, self.blank(start), end, Stratum.OTHER)

    def expect(self, node: ast.expr) -> None:
        start = self.at(node.lineno, node.col_offset)
        end = self.at(node.end_lineno, node.end_col_offset)
        self.add(Kind.ASSERTION, self.blank(start), end, stratum_of(node))

    def at(self, line: int | None, column: int | None) -> int:
        """Return the position of a line and a column in bytes, in characters."""
        assert line is not None and column is not None
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode("utf-8", "ignore"))
        return self.begins[line - 1] + column

    def blank(self, start: int) -> int:
        """Return where a target begins: with the blank before it, as tokens do."""
        return start - 1 if self.text[start - 1 : start] == " " else start

    def add(self, kind: Kind, start: int, end: int, stratum: Stratum) -> None:
        function = ".".join(self.around)
        self.places.append(Place(kind, start, end, function, self.statement, stratum))


def stratum_of(node: ast.expr) -> Stratum:
    """Return the form of an expected value."""
    match node:
        case ast.Constant(value=bool() | None):
            return Stratum.OTHER
        case ast.Constant(value=int() | float() | complex()):
            return Stratum.NUMBER
        case ast.UnaryOp(operand=ast.Constant(value=int() | float())):
            return Stratum.NUMBER
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            return Stratum.STRING
        case ast.Call():
            return Stratum.CALL
    return Stratum.OTHER
