"""What files of slow shapes cost, from the blob to `dataset`.

    python -m tests.benchmarks.slow_shapes [LANGUAGE ...] [--bytes 1000000]
        [--limit 300] [--checkout FOLDER]

Each shape of tests/slow_shapes.py is the one file of a repository, built by a process
of its own that is killed at the limit. `--checkout` times another version of repobuild.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import table
from tests.benchmarks.tool import ENVIRONMENT, ROOT, committed
from tests.slow_shapes import EXTENSION, SHAPES

_SETTINGS = """[project]
languages = [{languages}]
max_file_bytes = 10_000_000
"""
_TABLES = ("facts", "graph", "contexts", "samples", "dataset")


class Cost(NamedTuple):
    """What one build cost; `by_table` is empty when it was killed."""

    seconds: float
    by_table: dict[str, float]
    problem: str


def cost_of(language: str, text: str, limit: float, checkout: Path) -> Cost:
    """Build a repository of one file, and return what it cost."""
    names = ", ".join(f'"{name}"' for name in EXTENSION)
    with tempfile.TemporaryDirectory(prefix="repobuild-slow-") as name:
        folder = Path(name)
        (folder / f"a.{EXTENSION[language]}").write_text(text)
        (folder / "repobuild.toml").write_text(_SETTINGS.format(languages=names))
        committed(folder)
        environment = {**ENVIRONMENT, "PYTHONPATH": str(checkout)}
        words = [sys.executable, "-P", "-m", "repobuild", "--until", "dataset"]
        began = time.perf_counter()
        build = subprocess.Popen(
            [*words, "--json"], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            out, errors = build.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(build.pid, signal.SIGKILL)
            build.communicate()
            return Cost(limit, {}, "killed")
        seconds = time.perf_counter() - began
    if build.returncode:
        return Cost(seconds, {}, f"exit code {build.returncode}")
    tables = json.loads(out)["tables"]
    problem = next((line for line in errors.splitlines() if "facts " in line), "")
    by_table = {name: tables[name]["seconds"] for name in _TABLES}
    return Cost(seconds, by_table, problem.rpartition('": ')[2])


def _row(language: str, name: str, cost: Cost, limit: float) -> list[str]:
    shown = f"{cost.seconds:.1f}" if cost.by_table else f"> {limit:.0f}"
    seconds = [f"{cost.by_table[name]:.1f}" for name in _TABLES if cost.by_table]
    return [language, name, shown, *(seconds or [""] * len(_TABLES)), cost.problem]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "languages", nargs="*", default=list(SHAPES), metavar="LANGUAGE"
    )
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--checkout", type=Path, default=ROOT)
    options = parser.parse_args()
    print(table.machine({}), end="\n\n")
    head = ["language", "shape", "seconds", *_TABLES, ""]
    print(table.markdown(head, []), flush=True)
    for language in options.languages:
        for name, shape in SHAPES[language].items():
            text = shape.text(options.bytes)
            cost = cost_of(language, text, options.limit, options.checkout)
            row = _row(language, name, cost, options.limit)
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
