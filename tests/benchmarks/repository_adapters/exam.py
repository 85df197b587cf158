"""Choose what is asked of a repository, and the split that a task belongs to.

cross-repo   the adapter's maker never saw the repository: only what is in `source`
within       the adapter may also have seen tasks of the repository's own tests, of
             other functions; a function with all of its tasks is on one side
by date      tasks whose statement first appears after a commit (evolution.py)
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from tests.benchmarks.repository_adapters.tasks import Identity, Kind, Task, Windows

WINDOWS_OF_KIND = 2


def is_asked(repository: str, identity: Identity) -> bool:
    """Return whether a task is for measuring in the within-repository split.

    A window may have functions of both sides: `asked_windows` leaves it out.
    """
    key = f"{repository}\n{identity.path}\n{identity.function.split('.')[0]}"
    return hashlib.sha256(key.encode()).digest()[0] < 128


def asked_windows(windows: Windows) -> tuple[frozenset[int], frozenset[int]]:
    """Return the windows to train on and those to measure; mixed ones are in neither.

    Equal statements of two functions are not told apart by a model, so a window to
    train on has no statement and target of a task that is measured.
    """
    sides: dict[int, set[bool]] = {}
    for task in windows.tasks:
        side = is_asked(windows.repository, task.identity)
        sides.setdefault(task.window, set()).add(side)
    measured = {n for n, found in sides.items() if found == {True}}
    answers = {_text(t) for t in windows.tasks if t.window in measured}
    known = {t.window for t in windows.tasks if _text(t) in answers}
    trained = {n for n, found in sides.items() if found == {False}} - known
    return frozenset(trained), frozenset(measured)


def _text(task: Task) -> tuple[str, str]:
    return task.identity.statement, task.target


def choose_tasks(
    windows: Windows,
    needed: bool = True,
    most: int = WINDOWS_OF_KIND,
    among: frozenset[int] | None = None,
) -> list[Task]:
    """Return the tasks of some windows of each kind, chosen by the repository's name.

    With `needed` only tasks that need the repository. No model decides what is asked.
    """
    rng = random.Random(windows.repository)
    tasks = [
        task
        for task in windows.tasks
        if (task.needs_repository or not needed)
        and (among is None or task.window in among)
    ]
    chosen: set[int] = set()
    for kind in Kind:
        numbers = sorted({task.window for task in tasks if task.kind is kind})
        chosen.update(rng.sample(numbers, min(most, len(numbers))))
    return [task for task in tasks if task.window in chosen]


def by_kind(tasks: Sequence[Task]) -> dict[Kind, list[int]]:
    """Return the numbers of the tasks of each kind."""
    return {kind: [n for n, t in enumerate(tasks) if t.kind is kind] for kind in Kind}
