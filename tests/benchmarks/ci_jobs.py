"""Times and bytes of the jobs of `repobuild ci github`, on machines that start empty.

    python -m tests.benchmarks.ci_jobs REPOSITORY [--budget 60000]

Of the last three commits of a repository two are pushed, and the last one is a pull
request. Jobs are those of the recipe, run step by step (tests/ci/runners.py);
`pip install` is not done, and the remote and the cache are folders of this machine, so
no time is a network's.

    cold     the first commit, without a cache
    again    the same commit, from the filled cache
    warm     the next commit: its delta is trained
    pull     the last commit as a pull request: summed up, not trained
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from repobuild.ci.ci_recipe import recipe
from tests.benchmarks.table import markdown
from tests.cases.commands import git
from tests.ci.runners import Run, Runner, size_of

_STEPS = ("Check out", "Restore the state", "Deepen", "Build", "Save the state", "Gate")


def run_jobs(origin: Path, place: Path, budget: int, depth: int) -> dict[str, Run]:
    """Run the four jobs in turn; raises `SystemExit` with the log of one that fails."""
    settings = {
        "REPOBUILD_ADAPTER_BUDGET": str(budget),
        "REPOBUILD_BUILD_GOALS": '["adapter"]',
    }
    runner = Runner(place, origin, settings)
    text = recipe("github", "main", "repobuild", depth)
    third, second, last = (
        git(origin, "rev-parse", f"HEAD{back}") for back in ("~2", "~1", "")
    )
    runs = {
        "cold": runner.github(text, "adapter", third),
        "again": runner.github(text, "adapter", third),
        "warm": runner.github(text, "adapter", second),
        "pull": runner.github(text, "summary", last, "pull_request"),
    }
    for name, run in runs.items():
        if run.outcome != "success":
            raise SystemExit(f"{name} failed:\n{run.log}")
    return runs


def row(name: str, run: Run) -> list[str]:
    seconds = {step.name: step.seconds for step in run.steps}
    whole = sum(seconds.values())
    cells = [f"{seconds[n]:.1f}" if seconds.get(n) else "" for n in _STEPS]
    summary = f"{seconds['Summarise']:.1f}" if "Summarise" in seconds else ""
    sizes = (size_of(run.folder / ".git/objects"), run.restored, run.saved)
    return [
        name,
        f"{whole:.1f}",
        *cells,
        summary,
        *(f"{size / 1e6:.1f}" for size in sizes),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("repository", type=Path)
    options.add_argument("--budget", type=int, default=60_000, help="tokens")
    options.add_argument("--depth", type=int, default=201, help="commits")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        origin = Path(folder, "origin")
        git(given.repository, "clone", "-q", "--no-local", ".", str(origin))
        git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        runs = run_jobs(origin, Path(folder, "ci"), given.budget, given.depth)
        rows = [row(name, run) for name, run in runs.items()]
        head = ["", "job, s", *(f"{n}, s" for n in (*_STEPS, "Summarise"))]
        print(markdown([*head, "git, MB", "restored, MB", "saved, MB"], rows))
        print(f"\n{runs['warm'].step('Build').output}\n{runs['pull'].summary}")


if __name__ == "__main__":
    main()
