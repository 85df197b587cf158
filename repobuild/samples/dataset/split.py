"""The split of a sample, for life: by a hash of what it is about, never by position.

generalise   Nothing about the element is trained. Drawn by the hash of its family, the
             outermost element that holds it: a class shares the fate of its methods,
             for whoever knows the class knows where they are. Files, documents,
             their sections and the project are never drawn: their samples would take
             much else along. Lists in other elements' answers leave such an element
             out (fact.About.seen), and say that there are others.
recall       The fact is trained, this phrasing of it is not.
train        Everything else.

Held-out samples go to val or test by the hash of their element or, for recall, by their
own; about 80 : 10 : 10 in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from repobuild.engine.contract import Value

_WHOLE = 1 << 32
_DOCUMENTS = (".md", ".markdown", ".rst", ".txt")


@dataclass(frozen=True, slots=True)
class Split:
    """How samples are divided."""

    share: float  # of elements of which nothing is trained
    salt: str

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> Split:
        return cls(settings["split.generalise"], str(settings["split.salt"]))

    def generalised(self, id: str) -> bool:
        """Whether nothing about this element is trained."""
        family = family_of(id)
        return bool(family) and part(family, self.salt) < self.share * _WHOLE

    def row(self, sub_key: str, id: str, held_out: bool) -> dict[str, str]:
        """The dataset row of a sample about `id`."""
        if self.generalised(id):
            half = self._half(family_of(id))
            return {"split": half, "track": "generalise"}
        if held_out:
            return {"split": self._half(sub_key), "track": "recall"}
        return {"split": "train", "track": ""}

    def _half(self, text: str) -> str:
        return "val" if part(text, self.salt + " half") % 2 else "test"


def family_of(id: str) -> str:
    """The outermost element that holds this one; "" where nothing is drawn."""
    path, _, qual = id.partition("::")
    if not qual or path.endswith(_DOCUMENTS):
        return ""
    return f"{path}::{qual.partition('.')[0]}"


@lru_cache(maxsize=1 << 14)
def part(text: str, salt: str) -> int:
    """A number in 0 .. 2^32, the same on every machine."""
    found = blake2b(f"{salt} {text}".encode("utf-8", "replace"), digest_size=4)
    return int.from_bytes(found.digest(), "big")
