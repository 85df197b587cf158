"""What a repository of very many files costs, up to `dataset`.

    python -m tests.benchmarks.scale --files 20000 [--keep FOLDER] [--runs 3]

The repository is synthetic (synthetic.py) and is made by `git fast-import`, without a
work tree: writing and adding 200,000 files would take longer than building them. Each
commit comes by fast-import, too. Measured are whole processes: a clean build, a build
with nothing to do, `status`, and single commits. For each of these the state itself
says how long every table took and how many input rows it looked at. Memory is that of
the largest process, the builder: to sum it over all, as timing.py can, takes as long as
a build at this size.

With `--keep`, repository and state stay there, and a second call continues with what is
built. Progress goes to standard error, the Markdown for docs/scale.md to standard
output.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import synthetic, table
from tests.benchmarks.edits import Change, body, comment, docstring, signature
from tests.benchmarks.timing import Command, Spent, median, spent
from tests.benchmarks.tool import ENVIRONMENT, entries, installed

_WHO = b"committer A Developer <dev@example.org> 1700000000 +0000\n"
_SHOWN_TABLES = 4  # the dearest of a build


@dataclass(frozen=True, slots=True)
class TableCost:
    """What one table cost in one build."""

    name: str
    seconds: float
    looked: int  # rows of its inputs that it read


@dataclass(frozen=True, slots=True)
class Step:
    """One measured call, and the tables that it built."""

    what: str
    cost: Spent
    tables: Sequence[TableCost] = ()

    @property
    def looked(self) -> int:
        return max((one.looked for one in self.tables), default=0)


@dataclass
class Scale:
    """A synthetic repository of `files` modules below `folder`."""

    folder: Path
    files: int
    goal: str = "dataset"

    @property
    def until(self) -> list[str]:
        return ["--until", self.goal, "-q"]

    @property
    def place(self) -> Path:
        return self.folder / "repository"

    @property
    def state(self) -> Path:
        return self.place / ".git" / "repobuild"

    def __post_init__(self) -> None:
        self.script = installed(self.folder / "bin")
        self.number = 0
        if not self.place.is_dir():
            self.place.mkdir(parents=True)
            _git(self.place, "init", "-q", "-b", "main")
            self._import(_all_files(self.files))

    def command(self, *words: str, codes: tuple[int, ...] = (0,)) -> Command:
        return Command([self.script, *words], self.place, ENVIRONMENT, codes=codes)

    def build(self, what: str) -> Step:
        """Build up to the goal; return what it cost."""
        cost = spent(self.command(*self.until))
        return Step(what, cost, self._table_costs())

    def commit(self, path: str, change: Change) -> None:
        """Commit one edited file."""
        self.number += 1
        known = _git(self.place, "ls-tree", "HEAD", path)
        text = _git(self.place, "show", f"HEAD:{path}") if known else ""
        self._import([(path, change(text, self.number))], parent="main")

    def _import(self, files: Iterator[tuple[str, str]] | list[tuple[str, str]],
                parent: str = "") -> None:  # fmt: skip
        """Commit these files with `git fast-import`."""
        done = subprocess.Popen(
            ["git", "-C", str(self.place), "fast-import", "--quiet"],
            stdin=subprocess.PIPE,
        )
        assert done.stdin is not None
        start = b"from refs/heads/main^0\n" if parent else b""
        done.stdin.write(b"commit refs/heads/main\n" + _WHO + b"data 4\nstep" + start)
        for path, text in files:
            data = text.encode()
            head = f"M 100644 inline {path}\ndata {len(data)}\n".encode()
            done.stdin.write(head + data + b"\n")
        done.stdin.close()
        if done.wait():
            raise RuntimeError("git fast-import failed")

    def _table_costs(self) -> list[TableCost]:
        """Return the tables of the last build, the dearest first."""
        query = (
            "SELECT tbl, seconds, looked FROM runs "
            "WHERE build = (SELECT max(id) FROM builds) ORDER BY seconds DESC"
        )
        with closing(sqlite3.connect(self.state / "build.db")) as database:
            return [TableCost(*row) for row in database.execute(query)]


def _all_files(count: int) -> Iterator[tuple[str, str]]:
    folders = set()
    for number in range(count):
        path = synthetic.name(number).replace(".", "/") + ".py"
        folder = path.rpartition("/")[0]
        if folder not in folders:
            folders.add(folder)
            yield f"{folder}/__init__.py", ""
        yield path, synthetic.module(number, seed=1)


def _git(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(place), *arguments],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def edits(count: int) -> list[tuple[str, str, Change]]:
    """Return what is committed: (what, path, change)."""
    number = count // 2
    path = synthetic.name(number).replace(".", "/") + ".py"
    first, last = (synthetic.function(number, place) for place in (0, 4))
    core = synthetic.function(1, 0)
    return [
        ("body of a function that none calls", path, body(last)),
        ("body of a function that others call", path, body(first)),
        ("docstring", path, docstring(first)),
        ("signature", path, signature(first)),
        ("comment", path, comment(first)),
        ("a new file", "pkg0/added{}.py", lambda text, number: _new_module(number)),
        ("body of a `core` function", "core/base1.py", body(core)),
        ("signature of a `core` function", "core/base1.py", signature(core)),
    ]


def _new_module(number: int) -> str:
    return (
        f'"""A module that was added, number {number}."""\n\n\n'
        f"def added_{number}(value: int) -> int:\n"
        f'    """Return the value and {number}."""\n    return value + {number}\n'
    )


def measure(scale: Scale, runs: int) -> Iterator[Step]:
    """Yield every step as it is measured."""
    if not (scale.state / "current").exists():
        yield scale.build("clean build")
    spent(scale.command(*scale.until))
    idle = [spent(scale.command(*scale.until)) for _ in range(max(5, runs))]
    yield Step("nothing to do", median(idle))
    for what, path, change in edits(scale.files):
        steps = []
        for _ in range(runs):
            scale.commit(path.format(scale.number), change)
            steps.append(scale.build(what))
        # The first one writes what a clean build leaves for later; medians hide it.
        yield Step(what, median([s.cost for s in steps]), steps[-1].tables)
    scale.commit(
        edits(scale.files)[0][1], body(synthetic.function(scale.files // 2, 4))
    )
    status = [spent(scale.command("status", codes=(0, 1))) for _ in range(3)]
    yield Step("`status` after a commit", median(status))


def shown(step: Step) -> list[str]:
    """Return a step's row."""
    dearest = ", ".join(
        f"{t.name} {_seconds(t.seconds)}" for t in step.tables[:_SHOWN_TABLES]
    )
    return [
        step.what,
        _seconds(step.cost.wall),
        _seconds(step.cost.cpu),
        f"{step.cost.largest / 2**20:,.0f}" if step.cost.largest else "",
        f"{step.looked:,}" if step.tables else "",
        dearest,
    ]


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:,.0f} ms"
    return f"{value:,.1f} s" if value < 600 else f"{value / 60:,.1f} min"


def sizes(scale: Scale) -> list[list[str]]:
    """Return rows of what lies on disk, and of what the tables hold."""
    database = (scale.state / "build.db").stat().st_size
    packs = sum(
        p.stat().st_size for p in (scale.place / ".git/objects").rglob("*.pack")
    )
    rows = [
        [
            "git's pack",
            f"{packs / 2**20:,.0f} MiB",
            f"{packs / scale.files:,.0f} bytes",
        ],
        [
            "build.db",
            f"{database / 2**20:,.0f} MiB",
            f"{database / scale.files:,.0f} bytes",
        ],
    ]
    for name, count in entries(scale.place).items():
        rows.append([f"`{name}`", f"{count:,} rows", f"{count / scale.files:.2f} rows"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--until", default="dataset", help="the last table")
    parser.add_argument("--keep", type=Path, help="folder that stays")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repobuild-scale-") as name:
        scale = Scale(options.keep or Path(name), options.files, options.until)
        print(table.machine({}), end="\n\n", flush=True)
        head = ["step", "wall", "CPU", "peak MiB", "most rows read", "dearest tables"]
        rows = []
        for step in measure(scale, options.runs):
            rows.append(shown(step))
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
        print(table.markdown(head, rows), end="\n\n")
        print(table.markdown(["", "in all", "a file"], sizes(scale)))


if __name__ == "__main__":
    main()
