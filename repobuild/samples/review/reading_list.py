"""Choose samples for people to read: by hash, and evenly over the tasks.

The same seed chooses the same samples of one dataset; another commit replaces only
those that changed (bottom-k sampling by hash, as evaluate/questions.py draws).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from hashlib import blake2b
from itertools import islice

from repobuild.errors import StaleError
from repobuild.resources import program
from repobuild.samples.dataset.all_samples import AllSamples, SampleSource
from repobuild.samples.dataset.summary import KeptSample, whole_licence
from repobuild.samples.review.verdict_file import Judged, subject_of


def draw_samples(
    source: SampleSource,
    count: int,
    seed: int = 1,
    task: str = "",
    judged: Container[Judged] = (),
) -> list[KeptSample]:
    """Return `count` samples of the dataset whose kind nobody judged yet.

    One sample of each task in turn, or all of `task`. Two of one kind (the same fact in
    two phrasings) are not drawn together: one verdict covers both.
    """
    by_task: dict[str, list[tuple[bytes, str, str]]] = {}
    for key, rows in source.table("dataset").items():
        for sub, row in rows.items():
            named = sub[1:].partition(".")[0]
            if "dropped" not in row and task in ("", named):
                rank = _rank(seed, key + sub)
                by_task.setdefault(named, []).append((rank, key, sub))
    queues = [iter(sorted(by_task[name])) for name in sorted(by_task)]
    drawn = _unjudged(_alternate(queues), judged)
    return [_read(source, key, sub) for key, sub in islice(drawn, count)]


def _rank(seed: int, sample_id: str) -> bytes:
    text = f"{seed} {sample_id}".encode("utf-8", "replace")
    return blake2b(text, digest_size=8).digest()


def _alternate(
    queues: list[Iterator[tuple[bytes, str, str]]],
) -> Iterator[tuple[str, str]]:
    """Yield one entry of each queue in turn; an empty queue drops out."""
    while queues:
        for queue in tuple(queues):
            entry = next(queue, None)
            if entry is None:
                queues.remove(queue)
            else:
                yield entry[1], entry[2]


def _unjudged(
    entries: Iterator[tuple[str, str]], judged: Container[Judged]
) -> Iterator[tuple[str, str]]:
    seen: set[Judged] = set()
    for key, sub in entries:
        subject = subject_of(key + sub)
        if subject not in seen and subject not in judged:
            seen.add(subject)
            yield key, sub


def _read(source: SampleSource, key: str, sub: str) -> KeptSample:
    sample = (AllSamples.of(source).get(key) or {}).get(sub)
    if sample is None:
        raise StaleError(
            f'the dataset is older than the samples: "{key + sub}" is gone\n'
            f"run `{program()} --until dataset` first"
        )
    row = source.table("dataset").get(key) or {}
    licence = whole_licence(sample, source.table("licences"))
    return KeptSample(key + sub, sample, row[sub], licence)
