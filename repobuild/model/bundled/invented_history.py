"""Invent the commits that led to a tree of Python files.

The last commit is the tree as it is. Each earlier one undoes a change to a file that no
other commit touches: a file had another name, a function had another name, was in
another file, was not there yet, or one more was there. So questions about changes have
true answers, and the files are read as text only.
"""

from __future__ import annotations

import ast
import random
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repobuild.model.bundled.invented_names import invent_name

MOST_COMMITS = 24
Files = dict[str, str | None]  # text by path; None removes the file

_FIRST = 1_600_000_000  # seconds; a day between two commits
_DAY = 86_400
_LONGEST_BORROWED = 10_000  # characters of a function that a file may lend


@dataclass(frozen=True, slots=True)
class InventedCommit:
    """A subject, and the files that the commit writes or removes."""

    subject: str
    files: Files


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the files that it touches, before it and after it."""

    subject: str
    before: Files
    after: Files


def invent_history(
    files: Mapping[str, str], rng: random.Random
) -> list[InventedCommit]:
    """Return commits, the first with every file, whose last tree is `files`."""
    code = [path for path in sorted(files) if path.endswith(".py")]
    rng.shuffle(code)
    tree: Files = dict(files)
    later: list[InventedCommit] = []
    while code and len(later) < MOST_COMMITS:
        change = rng.choice(_CHANGES)(files, code, rng)
        if change is None:
            code.pop()
            continue
        code = [path for path in code if path not in change.after]
        later.append(InventedCommit(change.subject, change.after))
        tree.update(change.before)
    first: Files = {path: text for path, text in tree.items() if text is not None}
    return [InventedCommit("Import the sources", first), *reversed(later)]


def _rename_file(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path = code[-1]
    folder, slash, name = path.rpartition("/")
    if name.startswith("__"):
        return None
    old = f"{folder}{slash}{invent_name(rng)}.py"
    subject = rng.choice(
        (f"Rename {old} to {path}", f"Call {old} {name}", "Find a better name")
    )
    text = files[path]
    return Change(subject, {path: None, old: text}, {old: None, path: text})


def _remove_file(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path, borrowed = code[-1], list(_borrow(files, code, rng, 2))
    if not borrowed:
        return None
    gone = f"{path.rpartition('/')[0]}/{invent_name(rng)}.py".lstrip("/")
    text = "\n\n\n".join(text for _, text in borrowed) + "\n"
    subject = rng.choice(
        (f"Remove {gone}", f"Drop {gone}, which nothing imports", "Remove dead code")
    )
    return Change(subject, {gone: text}, {gone: None})


def _remove_function(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path = code[-1]
    for name, text in _borrow(files, code, rng, 1):
        before = f"{files[path].rstrip()}\n\n\n{text}\n"
        subject = rng.choice(
            (f"Remove {name}", f"Drop {name}: nothing calls it", "Remove unused code")
        )
        return Change(subject, {path: before}, {path: files[path]})
    return None


def _add_function(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path = code[-1]
    function = _choose(files[path], rng)
    if function is None:
        return None
    subject = rng.choice((f"Add {function.name}", f"Add {function.name} to {path}"))
    return Change(subject, {path: _without(files[path], function)}, {path: files[path]})


def _move_function(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    if len(code) < 2:
        return None
    path, other = code[-1], code[-2]
    function = _choose(files[path], rng)
    if function is None:
        return None
    moved = f"{files[other].rstrip()}\n\n\n{_text(files[path], function)}\n"
    subject = rng.choice((f"Move {function.name}", f"Move {function.name} to {path}"))
    return Change(
        subject,
        {path: _without(files[path], function), other: moved},
        {path: files[path], other: files[other]},
    )


def _rename_function(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path = code[-1]
    function = _choose(files[path], rng)
    if function is None:
        return None
    old, new = invent_name(rng), function.name
    before = re.sub(rf"\b{re.escape(new)}\b", old, files[path])
    subject = rng.choice((f"Rename {old} to {new}", f"Call {old} {new}", "Rename"))
    return Change(subject, {path: before}, {path: files[path]})


def _change_signature(
    files: Mapping[str, str], code: list[str], rng: random.Random
) -> Change | None:
    path = code[-1]
    ends = list(
        re.finditer(r"(?m)^ *def (\w+)\([^()\n]+(, \w+=[\w.'\"]+)\):$", files[path])
    )
    if not ends:
        return None
    found = rng.choice(ends)
    start, end = found.span(2)
    before = files[path][:start] + files[path][end:]
    option = found[2][2:].partition("=")[0]
    subject = rng.choice(
        (f"Let {found[1]} take {option}", f"Add {option} to {found[1]}")
    )
    return Change(subject, {path: before}, {path: files[path]})


_Invent = Callable[[Mapping[str, str], list[str], random.Random], Change | None]
_CHANGES: Sequence[_Invent] = (
    _rename_file,
    _remove_file,
    _remove_function,
    _remove_function,
    _add_function,
    _move_function,
    _move_function,
    _rename_function,
    _change_signature,
)


# -------------------------------------------------------------------- functions


def _functions(text: str) -> list[ast.FunctionDef]:
    """Return the functions at the top level, without decorated ones."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [node for node in found if not node.decorator_list]


def _choose(text: str, rng: random.Random) -> ast.FunctionDef | None:
    found = _functions(text)
    return rng.choice(found) if found else None


def _borrow(
    files: Mapping[str, str], code: list[str], rng: random.Random, most: int
) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of functions of some files, under invented names."""
    for path in rng.sample(code, min(len(code), 4)):
        if most == 0:
            return
        function = _choose(files[path], rng)
        if function is None:
            continue
        name = invent_name(rng)
        text = _text(files[path], function)
        if len(text) <= _LONGEST_BORROWED:
            most -= 1
            yield name, re.sub(rf"\b{re.escape(function.name)}\b", name, text)


def _text(text: str, function: ast.FunctionDef) -> str:
    return "\n".join(text.split("\n")[function.lineno - 1 : function.end_lineno])


def _without(text: str, function: ast.FunctionDef) -> str:
    lines = text.split("\n")
    del lines[function.lineno - 1 : function.end_lineno]
    return "\n".join(lines)


# --------------------------------------------------------------------------- git


def write_commits(repository: Path, commits: Sequence[InventedCommit]) -> None:
    """Write the commits to the branch `main` of an empty repository."""
    parts: list[bytes] = []
    for number, commit in enumerate(commits):
        when = f"Author <author@example.com> {_FIRST + number * _DAY} +0000\n"
        subject = commit.subject.encode()
        parts.append(b"commit refs/heads/main\ncommitter " + when.encode())
        parts.append(b"data %d\n%b\n" % (len(subject), subject))
        for path, text in commit.files.items():
            if text is None:
                parts.append(b"D " + path.encode() + b"\n")
                continue
            data = text.encode("utf-8", "replace")
            parts.append(b"M 100644 inline " + path.encode() + b"\n")
            parts.append(b"data %d\n%b\n" % (len(data), data))
    command = ["git", "-C", str(repository), "fast-import", "--quiet"]
    subprocess.run(command, input=b"".join(parts), check=True)
