"""Use the shared cache in a build, and print what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import print_message
from repobuild.errors import BuildError, RemoteError

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.remote.pull import PulledRows
    from repobuild.remote.push import Pushed
    from repobuild.remote.shared_cache import SharedCache

SETTINGS = (
    "cache.remote", "cache.push", "cache.namespace", "cache.read", "cache.protected",
    "cache.trusted_keys",
)  # fmt: skip


@dataclass
class CacheSession:
    """The remote during one build of one commit."""

    build: Build
    cache: SharedCache
    pulled: PulledRows
    goals: Sequence[str]
    base: str = ""  # the commit whose tables the remote holds
    pushed: Pushed | None = field(default=None)

    def begin(self, required: bool) -> None:
        """Bring an empty state to the nearest commit that was pushed.

        Raises:
            RemoteError: the remote is required and does not answer.
        """
        from repobuild.remote.pull import find_base

        is_new = not self.build.state.lines()
        if is_new or required:
            self.base = find_base(self.build, self.cache, self.pulled, self.goals)
        if required:
            self.require_answer()
        if is_new and self.base not in ("", self.build.snapshot.commit):
            with suppress(BuildError):  # what fails there may be right by now
                self.run_at_base(self._rows())

    def pull(self) -> None:
        """Take rows and artifacts of HEAD, or of its nearest ancestor, and build none.

        Tables of an ancestor are taken into an empty state only.

        Raises:
            RemoteError: the remote does not answer.
        """
        from repobuild.engine.rule import closure
        from repobuild.engine.run.task import fetch_row
        from repobuild.remote.pull import find_base

        is_new = not self.build.state.lines()
        self.base = find_base(self.build, self.cache, self.pulled, self.goals)
        self.require_answer()
        if self.base and (is_new or self.base == self.build.snapshot.commit):
            self.run_at_base(self.pulled.tables())
        with self.build.step():
            for name in closure(self.build.rules, list(self.goals)):
                if self.build.rules[name].kind == "task":
                    fetch_row(self.build, self.build.rules[name])
        self.require_answer()

    def run_at_base(self, goals: Sequence[str]) -> None:
        """Build tables at the commit that the remote holds."""
        from repobuild.git.snapshot import at_commit

        snapshot = at_commit(self.build.snapshot.repository, self.base)
        # A build of its own: what it holds of tables and manifests is of that commit.
        at_base = replace(
            self.build, snapshot=snapshot, outcomes={}, problems=[], _tables={},
            _manifests={},
        )  # fmt: skip
        at_base.run(list(goals))

    def _rows(self) -> list[str]:
        from repobuild.remote.pull import shared_tables

        return [rule.name for rule in shared_tables(self.build, self.goals)]

    def require_answer(self) -> None:
        """Raise `RemoteError` when the remote has been given up, or never answered."""
        traffic = self.cache.breaker.traffic
        if traffic.requests and traffic.failed == traffic.requests:
            self.cache.breaker.open("it does not answer")
        if self.cache.breaker.reason:
            raise RemoteError(
                f'the shared cache "{self.cache.shown}" cannot be used: '
                f"{self.cache.breaker.reason}\n"
                "see that it can be reached and read; without --require-remote or "
                "cache.required, a build goes on without it"
            )

    def push(self, required: bool = False) -> bool:
        """Push what is built; return whether all of it arrived.

        Raises:
            RemoteError: the remote is required and failed.
        """
        from repobuild.remote.circuit_breaker import RemoteDown
        from repobuild.remote.push import Push

        key = self.cache.require_writable(os.environ)
        push = Push(self.build, self.cache, key)
        self.pushed = push.pushed
        try:
            push.run(self.goals)
        except RemoteDown as error:
            self.cache.breaker.open(str(error))
            if required:
                self.require_answer()
            return False
        return True

    def facts(self) -> dict[str, Any]:
        """Return what was moved, for `--json`."""
        traffic = self.cache.breaker.traffic
        facts = {
            "url": self.cache.shown,
            "namespace": self.cache.namespaces[0],
            "commit": self.base,
            "rows": self.pulled.rows,
            "artifacts": self.pulled.artifacts,
            "requests": traffic.requests,
            "failed": traffic.failed,
            "bytes": traffic.bytes,
            "seconds": round(traffic.waited, 3),
            "refused": dict(self.cache.refused),
            "down": self.cache.breaker.reason,
        }
        if self.pushed:
            facts["pushed"] = {
                "tables": self.pushed.tables,
                "artifacts": self.pushed.artifacts,
                "objects": self.pushed.objects,
                "bytes": self.pushed.bytes,
                "skipped": self.pushed.skipped,
            }
        return facts

    def warn(self) -> None:
        """Print what did not hold, and that the remote was given up."""
        for line in self.cache.warnings():
            print_message(line)


@contextmanager
def share(
    checkout: Checkout, build: Build, goals: Sequence[str]
) -> Iterator[CacheSession | None]:
    """Let the build inside take what others have built, and push it where it may.

    Raises:
        RemoteError: `cache.required` holds, and there is no remote or it fails.
        UsageError: a setting or a key cannot be used.
    """
    required, push = (
        bool(checkout.settings[f"cache.{name}"]) for name in ("required", "push")
    )
    session = open_session(checkout, build, goals, required)
    if session is None:
        yield None
        return
    if push:
        session.cache.require_writable(os.environ)  # before anything is built
    session.begin(required)
    yield session
    if push:
        session.push(required)
    session.warn()
    build.events.emit("remote", **session.facts())


def open_session(
    checkout: Checkout, build: Build, goals: Sequence[str], required: bool = False
) -> CacheSession | None:
    """Let a build take what others have built; None where no remote is set.

    Raises:
        RemoteError: it is required and there is none.
        UsageError: a setting or a key cannot be used.
    """
    if not checkout.settings["cache.remote"]:
        if required:
            raise RemoteError(
                "a shared cache is required, and cache.remote is not set\n"
                "set it: REPOBUILD_CACHE_REMOTE=URL, or in the user's repobuild.toml"
            )
        return None
    if build.snapshot.copies is not None:  # a work tree has no commit to look up
        return None
    from repobuild.remote.pull import PulledRows
    from repobuild.remote.shared_cache import SharedCache

    cache = SharedCache.of(checkout.settings, checkout.folder)
    if cache is None:
        return None
    pulled = PulledRows(cache, build.events, str(checkout.settings["cache.max_size"]))
    build.shared = pulled
    return CacheSession(build, cache, pulled, goals)
