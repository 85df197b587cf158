"""Put what a model said before the features that are weak.

    [phrase, "model", 0.85]    only where the surest feature is less sure, and only for
                               the facts that the model was asked about

Without the table `lifted` the features are as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from repobuild.engine.build import Build
from repobuild.engine.contract import Value
from repobuild.lifting.lifted_phrases import LiftedPhrases

SOURCE, _CONFIDENCE = "model", 0.85


@dataclass
class LiftedFeatures:
    """The rows of `features`, with the phrases beside a hierarchy."""

    build: Build
    areas: str  # the artifact of the hierarchy, "" for none

    @cached_property
    def phrases(self) -> LiftedPhrases:
        if self.build.state.line("lifted") is None:
            return LiftedPhrases()
        row = self.build.table("lifted").get(self.areas) or {}
        try:
            found = self.build.store.checked_path(str(row["object"]))
        except KeyError:
            return LiftedPhrases()
        return LiftedPhrases.read(found)

    def get(self, path: str) -> Value | None:
        """Return a row, None for none."""
        row = self.build.table("features").get(path)
        phrases = self._of_file(path) if row else {}
        if not row or not phrases:
            return row
        return {sub: _first(found, phrases.get(sub, "")) for sub, found in row.items()}

    def items(self) -> Iterator[tuple[str, Value]]:
        """Yield all rows with their keys, sorted by key."""
        for path in self.build.table("features").keys():
            yield path, self.get(path)

    def digests(self) -> Iterator[tuple[str, bytes]]:
        """Yield the keys with what differs when a row does."""
        for path, digest in self.build.table("features").digests():
            told = sorted(self._of_file(path).items())
            yield path, digest + (_digest(told) if told else b"")

    def _of_file(self, path: str) -> Mapping[str, str]:
        if path not in self.phrases.files:
            return {}
        raw = self.build.table("facts").raw(path)
        return self.phrases.of_file(path, raw.digest) if raw else {}


def _first(features: Value, phrase: str) -> Value:
    is_sure = features and float(features[0][2]) >= _CONFIDENCE
    return (
        features
        if is_sure or not phrase
        else [[phrase, SOURCE, _CONFIDENCE], *features]
    )


def _digest(told: list[tuple[str, str]]) -> bytes:
    return blake2b(repr(told).encode(), digest_size=8).digest()
