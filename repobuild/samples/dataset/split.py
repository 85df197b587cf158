"""Assign a sample to a split, for life: by a hash of what it is about, not by position.

generalise   Nothing about the element is trained. Drawn by the hash of its family, the
             outermost element that contains it: a class and its methods share one
             draw, because a model that knows the class can locate its methods. Files,
             documents, their sections and the project are never drawn: too many other
             samples would go with them. Lists in other elements' answers omit such an
             element (`FactScope.without_held_out`) and end with "and others".
recall       The fact is trained, this phrasing of it is not.
train        Everything else.

Held-out samples go to val or test by the hash of their family or, for recall, of their
own key; the splits are about 80 : 10 : 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from repobuild.engine.contract import Value

_HASHES = 1 << 32
_DOCUMENTS = (".md", ".markdown", ".rst", ".txt")


@dataclass(frozen=True, slots=True)
class Split:
    """The settings by which samples are divided."""

    share: float  # 0..1, of the elements that are held out
    salt: str

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> Split:
        return cls(settings["split.generalise"], str(settings["split.salt"]))

    def is_held_out(self, id: str) -> bool:
        """Return whether the element is held out: nothing about it is trained."""
        return _is_drawn(id, self.share, self.salt)

    def assign(self, sub_key: str, id: str, held_out: bool) -> dict[str, str]:
        """Return the split and track of a sample about the element `id`.

        `sub_key` is the sample's full key; `held_out` says that its phrasing is.
        """
        if self.is_held_out(id):
            half = self._val_or_test(family_of(id))
            return {"split": half, "track": "generalise"}
        if held_out:
            return {"split": self._val_or_test(sub_key), "track": "recall"}
        return {"split": "train", "track": ""}

    def _val_or_test(self, text: str) -> str:
        return "val" if hash32(text, self.salt + " half") % 2 else "test"


def family_of(id: str) -> str:
    """Return the outermost element that contains this one; "" if it is never drawn."""
    path, _, qual = id.partition("::")
    if not qual or path.endswith(_DOCUMENTS):
        return ""
    return f"{path}::{qual.partition('.')[0]}"


@lru_cache(maxsize=1 << 14)
def _is_drawn(id: str, share: float, salt: str) -> bool:
    """Return whether a share that is drawn by `salt` holds an element's family.

    Cached: the lists of an element's samples name the same elements again.
    """
    family = family_of(id)
    return bool(family) and hash32(family, salt) < share * _HASHES


@lru_cache(maxsize=1 << 14)
def hash32(text: str, salt: str) -> int:
    """Return a number in 0 .. 2^32 - 1, the same on every machine."""
    hasher = blake2b(f"{salt} {text}".encode("utf-8", "replace"), digest_size=4)
    return int.from_bytes(hasher.digest(), "big")
