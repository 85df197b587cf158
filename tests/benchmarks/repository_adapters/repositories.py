"""Read repositories at a commit: product code, tests, and the names that code defines.

A list is lines of `OWNER/NAME COMMIT PART`, with `#` comments; PART is `train` or
`held-out`. MIRRORS holds a clone of each as `OWNER+NAME`, or as `OWNER+NAME/repo`.
Nothing is checked out, imported or run.

What an adapter may be made of is `source`. It never holds a test: `tests` are for the
tasks alone. Tools, documents and examples are in neither.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pygit2

from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.git.snapshot import at_commit
from repobuild.model.bundled.corpus import SourceFile, read_text

LIST = Path(__file__).with_name("repositories.txt")
LARGEST_FILE = 120_000  # bytes
MOST_SOURCE = 400_000  # characters of a repository
MOST_TESTS = 600_000
DOCUMENTS = ("doc", "docs", "examples", "example", "site", "benchmarks", "scripts")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list."""

    name: str
    commit: str
    held_out: bool


@dataclass(frozen=True)
class Repository:
    """The Python files of one commit, in two parts that share no file."""

    name: str
    source: tuple[SourceFile, ...]
    tests: tuple[SourceFile, ...]

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that the source defines: of functions, classes, fields, values."""
        return frozenset(
            name for file in self.source for name in defined_names(file.tree)
        )

    @cached_property
    def packages(self) -> frozenset[str]:
        """The names under which the repository's own code is imported."""
        tops = set()
        for file in self.source:
            parts = file.path.removeprefix("src/").split("/")
            tops.add(parts[0].removesuffix(".py"))
        return frozenset(tops)


def read_list(path: Path = LIST) -> list[Listed]:
    """Return the lines of a list; raises `SystemExit` for a line of another form."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 3 or words[2] not in ("train", "held-out"):
            raise SystemExit(
                f"'{path}' line {number}: expected OWNER/NAME COMMIT train|held-out"
            )
        found.append(Listed(words[0], words[1], words[2] == "held-out"))
    return found


def open_mirror(mirrors: Path, name: str) -> pygit2.Repository:
    """Open the clone of a repository in the folder of mirrors."""
    folder = mirrors / name.replace("/", "+")
    inner = folder / "repo"
    return pygit2.Repository(str(inner if inner.is_dir() else folder))


def read_repository(mirrors: Path, listed: Listed) -> Repository:
    """Return a listed repository's Python files at its commit."""
    return at_revision(open_mirror(mirrors, listed.name), listed.name, listed.commit)


Parsed = dict[tuple[str, str], SourceFile | None]  # by path and blob


def at_revision(
    git: pygit2.Repository, name: str, commit: str, known: Parsed | None = None
) -> Repository:
    """Return the Python files of a commit; large repositories lose some, by a hash.

    What was parsed is kept in `known`, so that of the next commit only what changed is.
    """
    known = {} if known is None else known
    snapshot = at_commit(git, commit)
    source, tests = [], []
    for path, (blob, _) in snapshot.files():
        if not path.endswith(".py") or is_left_out(path):
            continue
        key = (path, blob)
        if key not in known:
            data = snapshot.blob(blob)
            known[key] = read_text(data, path) if len(data) <= LARGEST_FILE else None
        file = known[key]
        if file is not None:
            (tests if is_test_path(path) else source).append(file)
    return Repository(
        name, tuple(_part(source, MOST_SOURCE)), tuple(_part(tests, MOST_TESTS))
    )


def is_test_path(path: str) -> bool:
    """Return whether a file is of tests: by repobuild's rule, or by any of its parts.

    The second is wider than it must be: a file that is wrongly left out of the source
    costs a little knowledge, one wrongly left in would leak answers.
    """
    return is_test(path) or any("test" in part for part in path.lower().split("/"))


def is_left_out(path: str) -> bool:
    """Return whether a file is neither product nor test."""
    return is_tool(path) or path.split("/")[0] in DOCUMENTS or "_vendor/" in path


def _part(files: list[SourceFile], most: int) -> Iterator[SourceFile]:
    """Yield files up to a size, in an order that no name of a folder decides."""
    spent = 0
    for file in sorted(
        files, key=lambda f: hashlib.sha256(f.path.encode()).hexdigest()
    ):
        if spent + len(file.text) <= most:
            spent += len(file.text)
            yield file


def defined_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a file defines, except those of locals and parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    yield node.name
                case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                    yield node.attr
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Module | ast.ClassDef):
            for statement in scope.body:
                match statement:
                    case ast.Assign():
                        targets = statement.targets
                    case ast.AnnAssign():
                        targets = [statement.target]
                    case _:
                        continue
                yield from (t.id for t in targets if isinstance(t, ast.Name))
