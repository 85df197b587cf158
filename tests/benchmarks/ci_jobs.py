"""Times and bytes of the jobs of `repobuild ci github`, on machines that start empty.

    python -m tests.benchmarks.ci_jobs REPOSITORY [--revision REV] [--budget 60000]

Of the last three commits up to a revision two are pushed, and the last one is a pull
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
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from repobuild.ci.ci_recipe import recipe
from tests.benchmarks.table import markdown
from tests.cases.commands import git
from tests.ci.runners import Run, Runner, size_of

_STEPS = ("Check out", "Restore the state", "Deepen", "Build", "Save the state", "Gate")


@dataclass(frozen=True, slots=True)
class Job:
    """A job that ran, and the processor time of everything in it, in seconds."""

    run: Run
    cpu: float


def run_jobs(origin: Path, place: Path, budget: int, depth: int) -> dict[str, Job]:
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
    jobs = {
        "cold": ("adapter", third, "push"),
        "again": ("adapter", third, "push"),
        "warm": ("adapter", second, "push"),
        "pull": ("summary", last, "pull_request"),
    }
    done = {}
    for name, job in jobs.items():
        before = os.times()
        run = runner.github(text, *job)
        after = os.times()
        used = after.children_user + after.children_system
        done[name] = Job(run, used - before.children_user - before.children_system)
        failed = [step.name for step in run.steps if step.outcome == "failure"]
        if failed not in ([], ["Gate"]):  # an adapter may be worse than its parent
            raise SystemExit(f"{name} failed:\n{run.log}")
    return done


def row(name: str, job: Job) -> list[str]:
    run = job.run
    seconds = {step.name: step.seconds for step in run.steps}
    whole = sum(seconds.values())
    cells = [f"{seconds[n]:.1f}" if seconds.get(n) else "" for n in _STEPS]
    summary = f"{seconds['Summarise']:.1f}" if "Summarise" in seconds else ""
    sizes = (size_of(run.folder / ".git/objects"), run.restored, run.saved)
    return [
        name,
        f"{whole:.1f}",
        f"{job.cpu:.1f}",
        *cells,
        summary,
        *(f"{size / 1e6:.1f}" for size in sizes),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("repository", type=Path)
    options.add_argument("--revision", default="HEAD", help="the last commit")
    options.add_argument("--budget", type=int, default=60_000, help="tokens")
    options.add_argument("--depth", type=int, default=201, help="commits")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        origin = Path(folder, "origin")
        git(given.repository, "clone", "-q", "--no-local", ".", str(origin))
        git(origin, "checkout", "-q", "-B", "main", given.revision)
        git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        runs = run_jobs(origin, Path(folder, "ci"), given.budget, given.depth)
        rows = [row(name, job) for name, job in runs.items()]
        head = ["", "job, s", "CPU, s", *(f"{n}, s" for n in (*_STEPS, "Summarise"))]
        print(markdown([*head, "git, MB", "restored, MB", "saved, MB"], rows))
        print("\n" + runs["warm"].run.step("Build").output)
        print(runs["warm"].run.step("Gate").output)
        print(runs["pull"].run.summary)


if __name__ == "__main__":
    main()
