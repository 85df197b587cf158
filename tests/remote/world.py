"""A repository under toy rules, its clones, and a remote that all of them share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pygit2

from repobuild.remote.cache_files import CacheFiles
from repobuild.remote.circuit_breaker import CircuitBreaker
from repobuild.remote.pull import PulledRows
from repobuild.remote.push import Push, Pushed
from repobuild.remote.shared_cache import SharedCache
from repobuild.remote.signing_keys import SigningKey, TrustedKeys
from tests.toys import Toy

MAIN = SigningKey.of(b"m" * 32)
PULL_REQUEST = SigningKey.of(b"p" * 32)
STRANGER = SigningKey.of(b"s" * 32)
GOAL = "book"


def shared(
    url: str | Path,
    state: Path,
    key: SigningKey | None = MAIN,
    namespaces: tuple[str, ...] = ("main",),
    trusted: tuple[SigningKey, ...] = (MAIN,),
    timeout: float = 60.0,  # of a busy machine; tests of faults have a shorter one
    **changes: Any,
) -> SharedCache:
    """Return a remote as these settings would describe it."""
    state.mkdir(parents=True, exist_ok=True)
    cache = SharedCache(
        files=CacheFiles(str(url)),
        breaker=CircuitBreaker(timeout),
        trusted=TrustedKeys({one.public: ("*",) for one in trusted}),
        key=key,
        namespaces=namespaces,
        protected=frozenset({"main"}),
        days=90,
        state=state,
    )
    return replace(cache, **changes)


class Clone:
    """A clone with an empty state, and what it does with the remote."""

    def __init__(self, path: Path, source: Path | None = None) -> None:
        if source:
            subprocess.run(["git", "clone", "-q", source, path], check=True)
        self.path = path
        self.toy = Toy(pygit2.Repository(str(path)))

    def build(self, cache: SharedCache | None = None, goal: str = GOAL) -> Pulled:
        with self.opened(cache) as (build, pulled):
            build.run([goal])
            return Pulled(
                built={n: o.built for n, o in build.outcomes.items() if o.built},
                digests={
                    line.name: line.digest.hex()
                    for line in build.state.lines()
                    if self.toy.rules[line.name].kind != "task"
                },
                fetched=pulled.artifacts if pulled else [],
                row=dict(build.table("book").items()).get(build.snapshot.commit, {}),
            )

    def push(self, cache: SharedCache, goal: str = GOAL) -> Pushed:
        assert cache.key is not None
        with self.opened() as (build, _):
            return Push(build, cache, cache.key).run([goal])

    @contextmanager
    def opened(self, cache: SharedCache | None = None) -> Iterator[Any]:
        build = self.toy.open()
        pulled = None
        if cache:
            pulled = PulledRows(cache, build.events)
            build.shared = pulled
        try:
            yield build, pulled
        finally:
            build.state.close()


class Pulled:
    """What one build did."""

    def __init__(
        self,
        built: dict[str, list[str]],
        digests: dict[str, str],
        fetched: list[str],
        row: dict[str, Any],
    ) -> None:
        self.built = built
        self.digests = digests
        self.fetched = fetched
        self.row = row


TEXTS = {f"texts/t{n}.txt": f"word{n} common word{n % 7}" for n in range(40)}
NOTHING = {"files"}  # what a clone computes that takes all from the remote: its sources
