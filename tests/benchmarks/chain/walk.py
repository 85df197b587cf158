"""One strategy on one seed: an adapter commit after commit, in this process.

The build is the tool's own, up to `adapter`; only the start of a process is saved. The
first adapter is trained once a seed; each strategy starts from a copy of its state.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2

from repobuild.git.snapshot import at_commit
from repobuild.model.adapter.decision import compare_manifests
from repobuild.model.adapter.lineage import Manifest
from repobuild.model.teaching.curriculum import Teaching, fact_of
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import AllSamples
from tests.benchmarks.chain.exam import HISTORY, Row
from tests.benchmarks.chain.strategy import Strategy
from tests.standard import Standard


def history(repository: Path, count: int) -> list[str]:
    """The last first-parent commits that touch the package, oldest first."""
    words = ["rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD"]
    done = subprocess.run(
        ["git", *words, "--", "*.py", ":!tests", ":!docs"],
        cwd=repository, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()[::-1]


def right_at_once(before: Path, after: Path) -> tuple[int, int]:
    """Of the facts that a commit changed: how many the adapter said word for word when
    they were shown last, and all."""
    old, new = Manifest.read(before), Manifest.read(after)
    facts = {fact_of(id) for id in compare_manifests(old, new).to_train}
    right = [fact for fact in facts if fact in new.facts and new.facts[fact].box > 0]
    return len(right), len(facts)


@dataclass(frozen=True, slots=True)
class Walk:
    """A state that is built at one commit after another."""

    repository: Path
    place: Path
    settings: Mapping[str, Any]

    def copy(self, place: Path, settings: Mapping[str, Any]) -> Walk:
        """Go on from here under other settings; once."""
        if not place.exists():
            shutil.copytree(self.place, place, symlinks=True)
        return Walk(self.repository, place, settings)

    def build(self, commit: str) -> dict[str, Any]:
        """Bring the adapter to a commit; returns its row, its folder, its seconds."""
        began = time.perf_counter()
        standard = self._at(commit, "adapter")
        row = standard.table("adapter").get(commit) or {}
        folder = standard.open().store.checked_path(row.get("current") or row["object"])
        standard.close()
        return {**row, "folder": folder, "seconds": time.perf_counter() - began}

    def rows(self, commit: str) -> dict[str, Row]:
        """Every sample of the dataset at a commit that is taught and can be marked, and
        those that tell of changes."""
        standard = self._at(commit, "dataset")
        build, teaching = standard.open(), Teaching.of(standard.settings)
        places = dict(build.table("dataset").entries())
        found = {
            id: Row.of(id, sample, places[id], teaching)
            for id, sample in AllSamples.of(build).entries()
            if places.get(id, {}).get("split") and not quotes_lines(id)
        }
        standard.close()
        return {id: r for id, r in found.items() if r.is_marked or HISTORY in id}

    def _at(self, commit: str, goal: str) -> Standard:
        git = pygit2.Repository(str(self.repository))
        standard = Standard(git, self.place, **self.settings)
        standard.build(goal, at_commit(git, commit))
        return standard


def is_due(strategy: Strategy, number: int) -> bool:
    """Whether the strategy builds an adapter at the commit of this number."""
    return bool(strategy.every) and number % strategy.every == 0
