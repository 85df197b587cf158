"""Compute a map's rows on a worker of a cluster, as `worker.py` does on this machine.

The worker needs an installation of repobuild of its own, and nothing of the analysed
repository but blobs, which it reads from the builder's git folder (one machine, or a
shared file system), or fetches by their ids from a URL (git/blob_cache.py). What of it
is code, a user's rule, is never sent to a worker.

A worker whose rule, tools or grammars are of another version would write other rows
under the builder's keys. So it makes the manifest of the rule by itself first, and
computes nothing when it is not the builder's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

from repobuild.engine.digest import unpack
from repobuild.engine.rule import Rule
from repobuild.engine.run.worker import MapResult, MapWork, Payload, compute_rows
from repobuild.errors import BuildError
from repobuild.git.blob_cache import BlobCache, blob_cache

# Parsers and caches are those of the process; a worker may run batches in threads.
_ONE_BATCH = Lock()
_MOST_REFUSALS = 3  # in a row; then the server is taken for absent
_BLOB_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class ClusterWork:
    """What a worker on any machine needs to compute rows of one rule."""

    work: MapWork
    rule: Rule
    settings: Mapping[str, Any]  # all that the rule's manifest is made from
    manifest: Mapping[str, Any]  # the builder's
    url: str  # where blobs are fetched; "" = the folder `work.repository`


class ClusterResults(NamedTuple):
    """The rows of one batch; `unread` are those whose blobs the worker cannot get."""

    rows: list[MapResult]
    unread: list[Payload]
    reason: str  # why they could not be read


@dataclass(slots=True)
class FetchingScope:
    """See `contract.Scope`. Remembers why a blob could not be fetched."""

    settings: Mapping[str, Any]
    blobs: BlobCache
    refusal: str = ""

    def blob(self, blob_id: str) -> bytes:
        try:
            return self.blobs.read(blob_id)
        except BuildError as error:
            self.refusal = str(error)
            raise


def compute_on_worker(task: ClusterWork, payloads: Sequence[Payload]) -> ClusterResults:
    """Compute rows on a worker.

    Raises `BuildError` when the worker would make other rows than the builder.
    """
    with _ONE_BATCH:
        if difference := _difference(task):
            raise BuildError(difference)
        if not task.url:
            return ClusterResults(compute_rows(task.work, payloads), [], "")
        return _compute_with_fetched_blobs(task, payloads)


def _compute_with_fetched_blobs(
    task: ClusterWork, payloads: Sequence[Payload]
) -> ClusterResults:
    """Compute rows; blobs that the rows name are fetched before, in one call of git."""
    scope = FetchingScope(task.work.settings, blob_cache(task.url))
    try:
        scope.blobs.fetch({id for p in payloads for id in _blob_ids(unpack(p.packed))})
    except BuildError:
        pass  # one of them is no blob: each is fetched when it is read
    rows: list[MapResult] = []
    unread: list[Payload] = []
    reason, refusals = "", 0  # in a row
    for number, payload in enumerate(payloads):
        if refusals == _MOST_REFUSALS:
            unread += payloads[number:]
            break
        scope.refusal = ""
        found = compute_rows(task.work, [payload], scope)
        refusals = refusals + 1 if scope.refusal else 0
        if scope.refusal:
            unread.append(payload)
            reason = scope.refusal
        else:
            rows += found
    return ClusterResults(rows, unread, reason)


def _difference(task: ClusterWork) -> str:
    """Return how this worker's manifest of the rule differs; "" if it does not."""
    own = task.rule.manifest(task.settings)
    if own == task.manifest:
        return ""
    here, there = dict(_flat(own)), dict(_flat(task.manifest))
    name = next(n for n in sorted({*here, *there}) if here.get(n) != there.get(n))
    return (
        f'a worker would make other rows of "{task.rule.name}": its {name} is '
        f"{here.get(name, 'missing')!r}, the builder's {there.get(name, 'missing')!r}\n"
        "rows must not depend on the machine that computes them\n"
        "install the same versions of repobuild and its grammars on all workers"
    )


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _blob_ids(value: Any) -> Iterator[str]:
    """Yield what looks like the id of an object in an input row."""
    if isinstance(value, str):
        if _BLOB_ID.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _blob_ids(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _blob_ids(part)
