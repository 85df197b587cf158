"""Name what is served: the base, and one name for the adapter of each commit.

    steps@4f2a91c0de12    the adapter in use at that commit, for as long as it is loaded
    steps@latest          whichever of them is the newest; front.py replaces it by that

A name never changes its weights. Servers cache keys and values of a prompt under the
adapter's name, so one name that is loaded again with other weights continues prompts
with keys and values of the old ones.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import UsageError
from repobuild.resources import program

if TYPE_CHECKING:  # vLLM's process imports this module without the rest
    from repobuild.model.base import Base

KEPT = 2  # adapters: the latest, and the one that open conversations may still ask
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class ServedAdapter:
    """The adapter in use at a commit, where its files are, and its base."""

    project: str
    commit: str
    digest: str
    folder: Path
    base: Base

    @property
    def name(self) -> str:
        """Return the name that clients ask it by."""
        return f"{self.project}@{self.commit[:12]}"

    def require_base(self, digest: str) -> None:
        """Raise `UsageError` when a server has another base in memory."""
        if self.base.digest != digest:
            raise UsageError(
                f"the adapter of {self.commit[:10]} is of another base model\n"
                f"stop `{program()} serve` and start it again"
            )


@dataclass(frozen=True, slots=True)
class ServedNames:
    """The names that a server answers to, as front.py needs them."""

    project: str
    base: str
    adapters: tuple[str, ...] = ()  # the newest first
    fim: tuple[str, ...] = ()  # prefix, suffix and middle token; () for a base without

    @property
    def latest(self) -> str:
        return f"{self.project}@{LATEST}"

    @property
    def all(self) -> list[str]:
        alias = [self.latest] if self.adapters else []
        return [*alias, *self.adapters, self.base]

    def resolve(self, asked: str) -> str:
        """Return the name that a server knows for the one that a client asked."""
        return self.adapters[0] if asked == self.latest and self.adapters else asked

    def with_adapter(self, name: str) -> ServedNames:
        """Return the names after an adapter was loaded; the oldest is given up."""
        others = tuple(other for other in self.adapters if other != name)
        kept = (name, *others)[:KEPT]
        return ServedNames(self.project, self.base, kept, self.fim)

    def write(self, path: Path) -> None:
        """Replace a file that holds the names, for a server in another process."""
        from repobuild.engine.state_files import replace_file

        replace_file(path, json.dumps(asdict(self)).encode())


@dataclass(slots=True)
class NamesFile:
    """Read the names from a file, again whenever it was replaced."""

    path: Path
    _seen: tuple[int, int] = (0, 0)
    _names: ServedNames = field(default_factory=lambda: ServedNames("", ""))

    def read(self) -> ServedNames:
        status = os.stat(self.path)
        if self._seen != (status.st_mtime_ns, status.st_ino):
            self._names = _parse(json.loads(self.path.read_text("utf-8")))
            self._seen = (status.st_mtime_ns, status.st_ino)
        return self._names


def _parse(facts: Mapping[str, Any]) -> ServedNames:
    return ServedNames(
        facts["project"], facts["base"], tuple(facts["adapters"]), tuple(facts["fim"])
    )


def project_word(name: str) -> str:
    """Return a project's name as a part of a model name: letters, digits, `.`, `-`."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.") or "adapter"
