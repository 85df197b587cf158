"""Read the words by which names and docstrings become phrases."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from repobuild.engine.contract import Value
from repobuild.resources import data_folder

_FILE = "features.toml"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Verbs, and what names abbreviate."""

    verbs: frozenset[str]
    vague: Mapping[str, str]  # a word that says too little -> the one in its stead
    short: Mapping[str, str]  # an abbreviation -> the words
    dunder: Mapping[str, str]  # `iter` -> "iterate {}"
    role: Mapping[str, str]  # the last word of a class's name -> "build {}"


@cache
def vocabulary() -> Vocabulary:
    """Return the words of `configs/features.toml`."""
    data = tomllib.loads(_bytes().decode("utf-8"))
    verbs = frozenset(data["verbs"].split()) | data["vague"].keys()
    return Vocabulary(verbs, data["vague"], data["short"], data["dunder"], data["role"])


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return the digest of the words: features depend on each of them."""
    return {"words": hashlib.sha256(_bytes()).hexdigest()}


def _bytes() -> bytes:
    return (data_folder("configs") / _FILE).read_bytes()
