"""Read the listed repositories and make their exams, once; train their adapters, once.

    WORK/adapters/OWNER+NAME.safetensors    the factors of an ordinary adapter
    WORK/*.jsonl                            results

Reading a repository takes a second or two, training its adapter 12 seconds of CPU.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from safetensors.torch import load_file, save_file

from tests.benchmarks.repository_adapters.exam import choose_tasks
from tests.benchmarks.repository_adapters.lora import (
    Bench,
    Change,
    Exam,
    LoraRecipe,
    change_of,
    make_exam,
    source_documents,
    train_lora,
)
from tests.benchmarks.repository_adapters.repositories import (
    Listed,
    Repository,
    read_repository,
)
from tests.benchmarks.repository_adapters.tasks import repository_windows


@dataclass
class World:
    """The base, the repositories, and what was made of them."""

    bench: Bench
    mirrors: Path
    work: Path
    listed: list[Listed]
    recipe: LoraRecipe = LoraRecipe()
    _repositories: dict[str, Repository] = field(default_factory=dict)
    _exams: dict[str, Exam] = field(default_factory=dict)
    _changes: dict[str, Change] = field(default_factory=dict)

    @property
    def held_out(self) -> list[str]:
        return [one.name for one in self.listed if one.held_out]

    @property
    def training(self) -> list[str]:
        return [one.name for one in self.listed if not one.held_out]

    def repository(self, name: str) -> Repository:
        if name not in self._repositories:
            line = next(one for one in self.listed if one.name == name)
            self._repositories[name] = read_repository(self.mirrors, line)
        return self._repositories[name]

    def exam(self, name: str) -> Exam:
        """Return the tasks that need the repository, counted at needed identifiers."""
        if name not in self._exams:
            windows = repository_windows(self.repository(name))
            self._exams[name] = make_exam(self.bench, windows, choose_tasks(windows))
        return self._exams[name]

    def adapter_path(self, name: str) -> Path:
        return self.work / "adapters" / f"{name.replace('/', '+')}.safetensors"

    def change(self, name: str) -> Change:
        """Return the change of a repository's ordinary adapter; train it if need be."""
        if name not in self._changes:
            path = self.adapter_path(name)
            if not path.exists():
                self._train(name, path)
            self._changes[name] = change_of(load_file(path))
        return self._changes[name]

    def _train(self, name: str, path: Path) -> None:
        begun = time.process_time()
        texts = source_documents(self.repository(name))
        factors = train_lora(self.bench, texts, self.recipe)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        save_file(factors, new)
        new.rename(path)
        self.log(f"{name}: trained in {time.process_time() - begun:.0f} s of CPU")

    def log(self, line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
