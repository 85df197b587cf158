"""One strategy on one seed: a clone, and an adapter commit after commit.

Everything goes through the tool as its users call it. The first adapter is trained once
a seed; each strategy starts from a copy of that clone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.chain.strategy import Strategy
from tests.benchmarks.tool import ENVIRONMENT, installed

THREADS = {"OMP_NUM_THREADS": "2"}


def history(repository: Path, count: int) -> list[str]:
    """The last first-parent commits that touch Python, oldest first."""
    words = ["rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD"]
    return _git(repository, *words, "--", "*.py").split()[::-1]


def _git(place: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=place, check=True, capture_output=True, text=True
    )
    return done.stdout


@dataclass(frozen=True, slots=True)
class Walk:
    """A clone that is built at one commit after another."""

    place: Path
    script: str

    @classmethod
    def begin(cls, repository: Path, place: Path, config: str) -> Walk:
        if not place.exists():
            _git(
                repository, "clone", "-q", "--no-checkout", str(repository), str(place)
            )
        (place / "repobuild.toml").write_text(config, "utf-8")
        return cls(place, installed(place.parent / "bin"))

    def copy(self, place: Path, config: str) -> Walk:
        if not place.exists():
            shutil.copytree(self.place, place, symlinks=True)
        (place / "repobuild.toml").write_text(config, "utf-8")
        return Walk(place, installed(place.parent / "bin"))

    def build(self, commit: str, until: str) -> dict[str, Any]:
        """Build up to a table; returns the build's facts with its wall time."""
        began = time.perf_counter()
        said = self._call("build", "--commit", commit, "--until", until, "--json")
        return {**json.loads(said), "wall": time.perf_counter() - began}

    def export(self, table: str, folder: Path) -> Path:
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            self._call("export", table, "-o", str(folder))
            (folder / "done").touch()
        return folder

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [self.script, *words],
            cwd=self.place, env=ENVIRONMENT | THREADS, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} in {self.place}:\n{done.stderr}")
        return done.stdout


def is_due(strategy: Strategy, number: int) -> bool:
    """Whether the strategy builds an adapter at the commit of this number."""
    return bool(strategy.every) and number % strategy.every == 0
