"""Samples whose sources stand under a licence of `samples.deny_licences` are not used.

The licences are joined by path, when a sample is judged, shown or exported; what a
sample says is not made again because a header changed. A pattern is a glob over SPDX
ids, `AGPL-*`, and over ids with their exception, `GPL-2.0-only WITH *`. Of `MIT OR
GPL-3.0-only` one may choose, so it is denied when both sides are; `AND` when one is.

With an empty list nothing is looked up. Else the index of `dataset` holds, under a
context's key, `l:` and the path of each file that its samples rely on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from repobuild.code.graph.graph import PROJECT, split_id
from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import Table, View
from repobuild.samples.tasks.facts import Sample


class LicenceFilter:
    """What the deny list takes out of the dataset."""

    def __init__(self, patterns: Sequence[str], licences: Table) -> None:
        self._patterns = patterns
        self._licences = licences
        self._judged: dict[str, str] = {}

    @classmethod
    def of(cls, view: View) -> LicenceFilter:
        patterns = view.settings.get("samples.deny_licences") or ()
        return cls(patterns, view.table("licences"))

    def reasons(self, samples: Mapping[str, Sample]) -> dict[str, str]:
        """Return {sub: "licence: ID"} of the samples that may not be used."""
        if not self._patterns:
            return {}
        found = {sub: self._reason(sample) for sub, sample in samples.items()}
        return {sub: why for sub, why in found.items() if why}

    def terms(self, samples: Mapping[str, Sample]) -> set[str]:
        """Return the index terms of the files that a context's samples rely on."""
        if not self._patterns:
            return set()
        return {f"l:{path}" for s in samples.values() for path in paths(s)}

    def moved(self, view: View) -> set[str]:
        """Return the contexts that rely on files whose licence changed."""
        if not self._patterns or view.full:
            return set()
        changed = view.changes("licences")
        return {key for path in changed for key in view.own.index.find(f"l:{path}")}

    def _reason(self, sample: Sample) -> str:
        return next((why for path in paths(sample) if (why := self._file(path))), "")

    def _file(self, path: str) -> str:
        if path not in self._judged:
            licence = licence_of(path, self._licences)
            denied = is_denied(licence, self._patterns)
            self._judged[path] = f"licence: {licence}" if denied else ""
        return self._judged[path]


def paths(sample: Sample) -> list[str]:
    """Return the files that a sample relies on, its element's first."""
    ids = (sample.get("element") or "", *(sample.get("sources") or ()))
    return list(dict.fromkeys(split_id(id)[0] for id in ids if id and id != PROJECT))


def licence_of(path: str, licences: Table) -> str:
    """Return the licence of a file; UNKNOWN when nothing says it."""
    row = licences.get(path)
    return str(row["licence"]) if row else UNKNOWN


def licences_of(sample: Sample, licences: Table) -> list[str]:
    """Return the licences of all that a sample relies on, its element's first."""
    found = (licences.get(path) for path in paths(sample))
    return list(dict.fromkeys(str(row["licence"]) for row in found if row))


def is_denied(expression: str, patterns: Sequence[str]) -> bool:
    """Whether patterns leave no way to obey a canonical SPDX expression."""
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    return _any_of(words[::-1], patterns)


def _any_of(words: list[str], patterns: Sequence[str]) -> bool:
    """`words` is the rest, backwards; each of these takes its part off the end."""
    denied = [_all_of(words, patterns)]
    while words and words[-1] == "OR":
        words.pop()
        denied.append(_all_of(words, patterns))
    return all(denied)


def _all_of(words: list[str], patterns: Sequence[str]) -> bool:
    denied = [_one(words, patterns)]
    while words and words[-1] == "AND":
        words.pop()
        denied.append(_one(words, patterns))
    return any(denied)


def _one(words: list[str], patterns: Sequence[str]) -> bool:
    if not words:
        return False
    word = words.pop()
    if word == "(":
        denied = _any_of(words, patterns)
        del words[-1:]  # the closing parenthesis
        return denied
    if words and words[-1] == "WITH":
        words.pop()
        word += f" WITH {words.pop()}"
    return _matches(word, patterns)


def _matches(id: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(id.lower(), pattern.lower()) for pattern in patterns)
