"""Every command of docs/tutorial.md runs, in order, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cases.commands import CODE, program_on_path

PAGE = (CODE / "docs/tutorial.md").read_text("utf-8")
BLOCK = re.compile(r"(<!-- trains -->\n)?```(sh|console)\n(.*?)```", re.DOTALL)
LEFT_OUT = "…"


class Command(NamedTuple):
    """A command of the page, and what it shall print, None for a silent script."""

    text: str
    printed: str | None
    trains: bool


def commands() -> Iterator[Command]:
    for found in BLOCK.finditer(PAGE):
        trains = bool(found[1])
        if found[2] == "sh":
            yield Command(found[3], None, trains)
            continue
        for part in re.split(r"^\$ ", found[3], flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield Command(command, printed, trains)


class Terminal:
    """A shell whose folder lasts from one command to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        people = {f"GIT_{w}_{n}": "me@example.org" for w in ("AUTHOR", "COMMITTER")
                  for n in ("NAME", "EMAIL")}  # fmt: skip
        self.environment = {**program_on_path(folder), **people}

    def run(self, text: str) -> str:
        """Run a command; return what it prints, of stderr only an error."""
        done = subprocess.run(
            ["sh", "-c", f"{text}\npwd > '{self.folder}/where'"],
            cwd=self.where, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        errors = done.stderr[done.stderr.find("error: ") :]
        return done.stdout + (errors if errors.startswith("error: ") else "")

    @property
    def where(self) -> Path:
        note = self.folder / "where"
        return Path(note.read_text().strip()) if note.exists() else self.folder


def shape(line: str) -> str:
    """Return a line without numbers, times, ids, folders and the widths of columns."""
    line = re.sub(r"(?<=[ \"])/\S+/garden/", "/GARDEN/", line)
    line = re.sub(r"\b(?=\w*\d)[0-9a-f]{10,}\b", "ID", line)
    line = re.sub(r"\b[\d.]+ (ms|s|min)\b", "TIME", line)
    return re.sub(r" +", " ", re.sub(r"\d[\d.,]*", "N", line)).strip()


def matches(printed: str, page: str) -> bool:
    """Return whether a text is that of the page, where `…` is any lines."""
    lines = [re.escape(shape(line)) for line in page.splitlines()]
    pattern = "\n".join(r"(?:.*\n)*?" if p == LEFT_OUT else p for p in lines)
    pattern = pattern.replace(r"(?:.*\n)*?" + "\n", r"(?:.*\n)*?")
    pattern = re.sub(r"\n\(\?:\.\*\\n\)\*\?\Z", r"(?:\\n.*)*", pattern)
    text = "\n".join(shape(line) for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


def follow(folder: Path, with_training: bool) -> int:
    """Run the page's commands; return how many."""
    terminal = Terminal(folder)
    count = 0
    for command in commands():
        if command.trains and not with_training:
            continue
        printed = terminal.run(command.text)
        page = command.printed
        assert page is None or matches(printed, page), (command.text, printed)
        count += 1
    return count


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    """All but what trains."""
    assert follow(tmp_path, with_training=False) == 9


@pytest.mark.slow
def test_the_tutorial_can_be_followed_to_its_end(tmp_path: Path) -> None:
    assert follow(tmp_path, with_training=True) == 15


@pytest.mark.parametrize(
    ("printed", "page", "same"),
    [
        ("a 12 ms\nb\n", "a 7 ms\nb\n", True),
        ("a\nb\nc\n", "a\n…\nc\n", True),
        ("a\nc\n", "a\n…\nc\n", True),
        ("a\nb\n", "a\n…\n", True),
        ("a\n", "a\n…\n", True),
        ("b\na\n", "…\na\n", True),
        ("a\nb\n", "a\n", False),
        ("a\n", "…\nb\n", False),
    ],
)
def test_the_comparison_itself(printed: str, page: str, same: bool) -> None:
    assert matches(printed, page) is same
