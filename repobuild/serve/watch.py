"""Notice that a build has ended, or that HEAD has moved, and hand on its adapter.

A thread looks at two small files twice a second: the seal of the database, which a
build writes when it has ended, and git's HEAD. Nothing of the state is opened before
one of them changed, and nothing while a build writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from repobuild.engine.storage.integrity import read_seal
from repobuild.errors import BuildError
from repobuild.serve.served import ServedAdapter

SECONDS = 0.5


@dataclass
class AdapterWatch:
    """Load each new adapter; `tell` prints a line for the user."""

    database: Path
    repository: pygit2.Repository
    find: Callable[[], ServedAdapter]
    load: Callable[[ServedAdapter], None]
    tell: Callable[[str], None]
    _seen: tuple[str, str] = ("", "")
    _problem: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to look. A build may have ended while the server was starting."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            self.step()

    def step(self) -> None:
        """Look once; what goes wrong is said once, and the old adapter answers on."""
        seen = self._look()
        if seen == self._seen or not seen[0]:  # no seal: a build is writing
            return
        try:
            self.load(self.find())
        except (BuildError, OSError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self.tell(f"warning: {error}\nthe adapter before answers on")
        else:
            self._problem = ""
        self._seen = seen

    def _look(self) -> tuple[str, str]:
        head = self.repository
        commit = "" if head.head_is_unborn else str(head.head.target)
        return read_seal(self.database), commit
