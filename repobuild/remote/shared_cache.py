"""Read and write entries and objects of the shared cache, checked and bounded.

Whatever does not hold (a signature, a size, a digest, a date) counts as missing and is
counted in `refused`, for one warning at the end. Names of objects that did not hold are
kept in the state, `cache.damaged`, so that the next push writes them again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.engine.state_files import replace_file
from repobuild.errors import UsageError
from repobuild.remote.cache_entry import (
    ENTRY_BYTES,
    EntryName,
    Refused,
    StoredObject,
    check_namespace,
    check_object,
    decode_entry,
)
from repobuild.remote.cache_files import CacheFiles, import_packages, shown_url
from repobuild.remote.circuit_breaker import CircuitBreaker, RemoteDown
from repobuild.remote.signing_keys import SigningKey, TrustedKeys, read_signing_key

_DAMAGED = "cache.damaged"  # a file of the state
_MOST_DAMAGED = 10_000
_MOST_AT_ONCE = 64  # places that are looked at; the first alone, then four, ...


class Wanted(NamedTuple):
    """What an entry is about, in whatever namespace it is found."""

    table: str
    manifest: str
    name: str


class Found(NamedTuple):
    """An entry that holds."""

    wanted: Wanted
    namespace: str
    body: dict[str, Any]


@dataclass
class SharedCache:
    """One remote, as a user's settings describe it."""

    files: CacheFiles
    breaker: CircuitBreaker
    trusted: TrustedKeys
    key: SigningKey | None
    namespaces: tuple[str, ...]  # read in this order; the first is written
    protected: frozenset[str]
    days: int
    state: Path
    clock: Callable[[], float] = time.time
    refused: Counter[str] = field(default_factory=Counter)
    damaged: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, settings: Mapping[str, Any], state: Path) -> SharedCache | None:
        """Return the remote of the settings; None where there is none.

        Raises `UsageError` for settings or keys that cannot be used.
        """
        url = str(settings["cache.remote"])
        if not url:
            return None
        import_packages(url)
        own = check_namespace(settings["cache.namespace"])
        protected = frozenset(map(str, settings["cache.protected"]))
        others = [] if own in protected else settings["cache.read"]
        key = read_signing_key()
        return cls(
            files=CacheFiles(url),
            breaker=CircuitBreaker(float(settings["cache.timeout"])),
            trusted=TrustedKeys.of(settings["cache.trusted_keys"], key),
            key=key,
            namespaces=tuple(dict.fromkeys([own, *map(check_namespace, others)])),
            protected=protected,
            days=int(settings["cache.days"]),
            state=state,
            damaged=_read_damaged(state),
        )

    @property
    def shown(self) -> str:
        """The URL for messages."""
        return shown_url(self.files.url)

    @property
    def now(self) -> int:
        return int(self.clock())

    @property
    def readable(self) -> frozenset[str]:
        return frozenset(self.namespaces)

    # ---------------------------------------------------------------------- reading

    def find(self, wanted: Wanted) -> Found | None:
        """Return the entry of the first namespace that has one that holds."""
        return self.find_first([wanted])

    def find_first(self, wanted: Sequence[Wanted]) -> Found | None:
        """Return the first of these entries that is there; asks for some at once."""
        places = iter([(one, ns) for one in wanted for ns in self.namespaces])
        size = 1
        while batch := list(islice(places, size)):
            size = min(size * 4, _MOST_AT_ONCE)
            found = self._read_entries(batch)
            for place in batch:
                if place in found:
                    return found[place]
        return None

    def find_all(self, wanted: Sequence[Wanted]) -> dict[Wanted, Found]:
        """Return all of these entries that are there."""
        places = [(one, ns) for one in wanted for ns in self.namespaces]
        found = self._read_entries(places)
        first: dict[Wanted, Found] = {}
        for place in places:
            if place in found:
                first.setdefault(place[0], found[place])
        return first

    def _read_entries(
        self, places: Sequence[tuple[Wanted, str]]
    ) -> dict[tuple[Wanted, str], Found]:
        found = {}

        def read(place: tuple[Wanted, str]) -> bytes:
            name = EntryName(place[1], *place[0])
            return self.files.read(name.path, ENTRY_BYTES)

        for answer in self.breaker.each(read, places):
            wanted, namespace = answer.item
            if answer.value is None:
                continue
            name = EntryName(namespace, *wanted)
            try:
                if len(answer.value) > ENTRY_BYTES:
                    raise Refused("is larger than allowed")
                body = decode_entry(answer.value, name, self.trusted, self.now)
            except Refused as error:
                self.refuse("entry", error)
            else:
                found[answer.item] = Found(wanted, namespace, body)
        return found

    def objects(
        self, wanted: Iterable[StoredObject], most: int
    ) -> Iterator[tuple[StoredObject, bytes]]:
        """Yield objects with their bytes, checked, as they come; skip what fails."""
        allowed = []
        for one in dict.fromkeys(wanted):
            if one.size > most:
                self.refuse("object", Refused("is larger than allowed"))
            else:
                allowed.append(one)

        def read(one: StoredObject) -> bytes:
            return self.files.read(one.name, one.size)

        for answer in self.breaker.each(read, allowed, lambda one: one.size):
            if isinstance(answer.error, FileNotFoundError):
                self.lose(answer.item, Refused("is missing"))
            if answer.value is None:
                continue
            try:
                yield answer.item, check_object(answer.value, answer.item)
            except Refused as error:
                self.lose(answer.item, error)

    def refuse(self, kind: str, why: Refused) -> None:
        """Count something that does not hold, for the warning."""
        self.refused[f"{kind} {why}"] += 1

    def lose(self, one: StoredObject, why: Refused) -> None:
        """Count an object that does not hold, and let the next push write it again."""
        self.refuse("object", why)
        self.damaged.add(one.sha256)
        self.write_damaged()

    def write_damaged(self) -> None:
        """Keep the names of the damaged objects for the next push."""
        names = sorted(self.damaged)[:_MOST_DAMAGED]
        replace_file(self.state / _DAMAGED, "".join(f"{n}\n" for n in names).encode())

    # ---------------------------------------------------------------------- writing

    def require_writable(self, environment: Mapping[str, str]) -> SigningKey:
        """Return the key to sign with.

        Raises:
            UsageError: the remote is read only, there is no key, the key is not trusted
                in this namespace, or a pull request's job would write a protected one.
        """
        namespace = self.namespaces[0]
        if not self.files.is_writable:
            raise UsageError(
                f'the shared cache "{self.shown}" is read only: HTTP takes no writes\n'
                "push to the same files by s3://, gs://, sftp:// or a folder"
            )
        if namespace in self.protected and is_pull_request(environment):
            raise UsageError(
                f'the job of a pull request may not write the namespace "{namespace}", '
                "which cache.protected names\n"
                'give it one of its own: REPOBUILD_CACHE_NAMESPACE="pr-12"'
            )
        if self.key is None:
            raise UsageError(
                "there is no key to sign what is pushed\n"
                "make one with `repobuild cache key`, or set REPOBUILD_CACHE_KEY"
            )
        if not self.trusted.may_sign(self.key.public, namespace):
            raise UsageError(
                "cache.trusted_keys does not let this key sign the namespace "
                f'"{namespace}"\n'
                "nobody would read it; set cache.namespace to one of the key's own"
            )
        return self.key

    def warnings(self) -> list[str]:
        """Return lines for the user about what did not hold, and why it was left."""
        lines = [f"{count:,} {what}" for what, count in sorted(self.refused.items())]
        found = []
        if lines:
            found.append(
                f'warning: left out of the shared cache "{self.shown}": '
                f"{'; '.join(lines[:5])}\n"
                "they count as missing; whose keys are trusted: cache.trusted_keys"
            )
        if self.breaker.reason:
            found.append(
                f'warning: the shared cache "{self.shown}" is not used any more: '
                f"{self.breaker.reason}\nthe build goes on without it"
            )
        return found


def is_pull_request(environment: Mapping[str, str]) -> bool:
    """Return whether this is a job of a pull request, on GitHub, GitLab or Jenkins."""
    event = environment.get("GITHUB_EVENT_NAME", "")
    return (
        event.startswith("pull_request")
        or bool(environment.get("CI_MERGE_REQUEST_IID"))
        or bool(environment.get("CHANGE_ID"))
    )


def _read_damaged(state: Path) -> set[str]:
    try:
        return set((state / _DAMAGED).read_text("ascii").split())
    except (OSError, UnicodeDecodeError):
        return set()


__all__ = ["Found", "RemoteDown", "SharedCache", "Wanted", "is_pull_request"]
