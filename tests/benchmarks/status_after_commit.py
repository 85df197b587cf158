"""What `status` costs after a commit, against peers on the same files.

    python -m tests.benchmarks.status_after_commit [--files 10000] [--runs 11]

A synthetic repository is built up to `dataset` by repobuild and brought up to date in
dvc and doit; then one function changes and is committed, and every tool is asked what
is stale. `git status` only says that the work tree is clean.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks import synthetic, table
from tests.benchmarks.edits import Edit, body
from tests.benchmarks.one_commit import Commits
from tests.benchmarks.peers import Peers, gathered
from tests.benchmarks.timing import Command, Spent, race, spent
from tests.benchmarks.tool import ENVIRONMENT, committed

FILES = 10_000
_BAR_SECONDS = 0.300
_DOIT = """import glob
def task_read():
    for n in sorted(glob.glob('src/**/*.py', recursive=True)):
        yield {'name': n, 'actions': [lambda: True], 'file_dep': [n]}
"""


def measure(place: Path, count: int, runs: int, peers: Peers) -> dict[str, Spent]:
    """Return the medians by tool."""
    synthetic.write(place / "src", count)
    commits = Commits(committed(place))
    (place / ".git/info/exclude").write_text("*\n")
    spent(commits.build)
    words = {"git status": ["git", "status", "--short"]} | _peers(place, peers)
    path = "src/" + synthetic.name(count // 2).replace(".", "/") + ".py"
    commits.commit(Edit("body", path, body(synthetic.function(count // 2, 0))))
    status = [commits.script, "status"]
    commands = {"repobuild status": Command(status, place, ENVIRONMENT, codes=(1,))}
    for name, line in words.items():
        commands[name] = Command(line, place, codes=(0, 1))
    return race(commands, runs)


def _peers(place: Path, peers: Peers) -> dict[str, list[str]]:
    found = {}
    if "dvc" in peers:
        program = peers.program("dvc")
        quiet = ["config", "core.analytics", "false"]
        for words in (["init", "-q", "--no-scm"], quiet, ["add", "-q", "src"]):
            subprocess.run(
                [program, *words], cwd=place, check=True, capture_output=True
            )
        found["dvc status"] = [program, "status", "-q"]
    if "doit" in peers:
        (place / "dodo.py").write_text(_DOIT)
        program = peers.program("doit")
        subprocess.run([program, "-v0"], cwd=place, check=True, capture_output=True)
        found["doit list --status"] = [program, "list", "--all", "--status"]
    return found


def shown(found: dict[str, Spent]) -> str:
    mine = found["repobuild status"].wall
    rows = [
        [name, table.milliseconds(cost.wall), table.milliseconds(cost.cpu),
         f"{cost.wall / mine:.1f} x"]
        for name, cost in found.items()
    ]  # fmt: skip
    return table.markdown(["after a commit", "wall", "CPU", "to ours"], rows)


def bars(found: dict[str, Spent], count: int) -> list[table.Bar]:
    mine = found["repobuild status"].wall
    bar = f"at most {_BAR_SECONDS * 1000:g} ms"
    what = f"`status` after a commit, {count:,} files"
    return [table.Bar(what, bar, table.milliseconds(mine), mine <= _BAR_SECONDS)]


def run(count: int, runs: int, peers: Peers) -> dict[str, Spent]:
    with tempfile.TemporaryDirectory(prefix="repobuild-status-") as name:
        return measure(Path(name) / "here", count, runs, peers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--runs", type=int, default=11)
    options = parser.parse_args()
    peers = gathered()
    print(table.machine(peers.versions), end="\n\n")
    found = run(options.files, options.runs, peers)
    print(shown(found), table.bars(bars(found, options.files)), sep="\n\n")


if __name__ == "__main__":
    main()
