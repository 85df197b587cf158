"""Toy rules: the engine is tested on words, so that it cannot know of code or models.

files --map--> words --view--> counts --map--> lines --task--> book --task--> cover
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.rule import Rule
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.state import open_state
from repobuild.engine.storage.table_writer import TableResult
from repobuild.git.repository import common_folder
from repobuild.git.snapshot import Snapshot, at_commit

HERE = "tests.toys"


def files(source: Any) -> None:
    """Git's tree; a path that ends so is a text."""
    changes = source.snapshot.changes(source.last) if source.last else None
    if changes is None:
        changes = {**dict.fromkeys(source.own.keys()), **dict(source.snapshot.files())}
    for path, entry in changes.items():
        if entry is None:
            source.own.drop(path)
            continue
        language = "text" if path.endswith(".txt") else ""
        row = {"blob": entry[0], "mode": entry[1], "language": language}
        source.own.put(path, row)


def words(row: Any, scope: Any) -> Any:
    """One text says which words it holds; case is no part of that."""
    if row["language"] != "text":
        return None
    text = scope.blob(row["blob"]).decode()
    if "explode" in text:
        raise ValueError("it exploded")
    found = sorted({word.lower() for word in text.split()} - {"#"})
    value: dict[str, Any] = {"words": found}
    if "oops" in found:
        value["problem"] = "oops found"
    return value


def counts(view: Any) -> None:
    """word -> texts that hold it, kept up to date from the changed texts alone."""
    touched: set[str] = set()
    for path, (old, new) in view.changes("words").items():
        touched.update(*(v["words"] for v in (old, new) if v))
        view.own.index.set(f"@{path}", new["words"] if new else ())
    for word in sorted(touched):
        holders = [key[1:] for key in view.own.index.find(word)]
        if holders:
            view.own.put(word, {"word": word, "in": holders})
        else:
            view.own.drop(word)


def lines(row: Any, scope: Any) -> Any:
    """Two lines a word; nothing of them is stored."""
    shout = scope.settings.get("toy.shout", False)
    said = row["word"].upper() if shout else row["word"]
    return {"#short": said, "#long": f"{said} is in {', '.join(row['in'])}"}


def book(task: Any) -> dict[str, Any]:
    pages = sorted(f"{key}: {item}" for key, item in task.table("lines").entries())
    (task.folder / "book.txt").write_text("\n".join(pages))
    return {"pages": len(pages)}


def cover(task: Any) -> dict[str, Any]:
    made = task.rows("book")[task.commit]
    text = (task.object(made["object"]) / "book.txt").read_text()
    (task.folder / "cover.txt").write_text(text[:10])
    return {}


RULES = [
    Rule("files", "tree", "source", f"{HERE}:files", 1),
    Rule("words", "map", "map", f"{HERE}:words", 1, ("files",), ("blob", "language")),
    Rule("counts", "view", "view", f"{HERE}:counts", 1, ("words",)),
    Rule(
        "lines",
        "map",
        "map",
        f"{HERE}:lines",
        1,
        ("counts",),
        settings=("toy.shout",),
        entries=True,
        stored=False,
    ),
    Rule("book", "task", "task", f"{HERE}:book", 1, ("lines",), chain=True),
    Rule("cover", "task", "task", f"{HERE}:cover", 1, ("book",)),
]


class Quiet:
    def advance(self, count: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def expect(self, total: int) -> None:
        pass


@contextmanager
def quiet(label: str, total: int) -> Iterator[Quiet]:
    yield Quiet()


class Toy:
    """A repository under toy rules, built again and again in one state."""

    def __init__(self, git: Any) -> None:
        self.git = git
        self.folder = common_folder(git) / "repobuild"
        self.rules = {rule.name: rule for rule in RULES}
        self.settings: dict[str, Any] = {"toy.shout": False}
        self.last: Build | None = None

    def change(self, name: str, **fields: Any) -> None:
        """Change a rule, as an upgrade would."""
        self.rules[name] = replace(self.rules[name], **fields)

    def open(self, snapshot: Snapshot | None = None, **options: Any) -> Build:
        state = open_state(self.folder)
        store = ArtifactStore(self.folder / "objects")
        return Build(
            state, store, self.rules, self.settings, snapshot or at_commit(self.git),
            EventLog(self.folder / "events.jsonl"), quiet, **options,
        )  # fmt: skip

    def build(
        self, goal: str = "lines", snapshot: Snapshot | None = None, **options: Any
    ) -> dict[str, TableResult]:
        self.last = self.open(snapshot, **options)
        return self.last.run([goal])

    def digests(self, goal: str = "lines") -> dict[str, str]:
        assert self.last is not None
        return {
            line.name: line.digest.hex()
            for line in self.last.state.lines()
            if self.rules[line.name].kind != "task"
        }
