"""Drop samples whose sources are under a licence of `samples.deny_licences`.

Licences are joined by path when a sample is filtered, shown or exported, so a changed
licence header does not remake the sample. A pattern is a glob over SPDX ids, `AGPL-*`,
and over ids with their exception, `GPL-2.0-only WITH *`. `MIT OR GPL-3.0-only` offers a
choice, so it is denied when both sides are; `AND` is denied when one side is.

With an empty list no licence is looked up. Otherwise the index of `dataset` holds,
under a context's key, `l:` and the path of each file that its samples rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from repobuild.code.graph.graph import PROJECT, split_id
from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import Table, View
from repobuild.samples.tasks.facts import Sample


class LicenceFilter:
    """Drops the samples that the deny list forbids."""

    def __init__(self, patterns: Sequence[str], licences: Table) -> None:
        self._patterns = patterns
        self._licences = licences
        self._reasons: dict[str, str] = {}  # by path, "" if allowed

    @classmethod
    def of(cls, view: View) -> LicenceFilter:
        patterns = view.settings.get("samples.deny_licences") or ()
        return cls(patterns, view.table("licences"))

    def reasons(self, samples: Mapping[str, Sample]) -> dict[str, str]:
        """Return {sub: "licence: ID"} of the samples to drop."""
        if not self._patterns:
            return {}
        reasons = {sub: self._reason(sample) for sub, sample in samples.items()}
        return {sub: why for sub, why in reasons.items() if why}

    def terms(self, samples: Mapping[str, Sample]) -> set[str]:
        """Return the index terms of the files that a context's samples rely on."""
        if not self._patterns:
            return set()
        return {f"l:{path}" for s in samples.values() for path in source_paths(s)}

    def changed_contexts(self, view: View) -> set[str]:
        """Return the contexts that rely on files whose licence changed."""
        if not self._patterns:
            return set()
        changed = view.changes("licences")
        return {key for path in changed for key in view.own.index.find(f"l:{path}")}

    def _reason(self, sample: Sample) -> str:
        reasons = map(self._file_reason, source_paths(sample))
        return next(filter(None, reasons), "")

    def _file_reason(self, path: str) -> str:
        if path not in self._reasons:
            row = self._licences.get(path)
            licence = str(row["licence"]) if row else UNKNOWN
            denied = is_denied(licence, self._patterns)
            self._reasons[path] = f"licence: {licence}" if denied else ""
        return self._reasons[path]


def source_paths(sample: Sample) -> list[str]:
    """Return the files that a sample relies on, its element's first."""
    ids = (sample.get("element") or "", *(sample.get("sources") or ()))
    return list(dict.fromkeys(split_id(id)[0] for id in ids if id and id != PROJECT))


def licences_of(sample: Sample, licences: Table) -> list[str]:
    """Return the licences of a sample's files, each once, its element's first."""
    rows = (licences.get(path) for path in source_paths(sample))
    return list(dict.fromkeys(str(row["licence"]) for row in rows if row))


def is_denied(expression: str, patterns: Sequence[str]) -> bool:
    """Return whether patterns forbid every choice of a canonical SPDX expression."""
    tokens = expression.replace("(", " ( ").replace(")", " ) ").split()
    return _or_denied(tokens[::-1], patterns)


def _or_denied(tokens: list[str], patterns: Sequence[str]) -> bool:
    """Parse `A OR B ...` by recursive descent; `tokens` is reversed and consumed."""
    denied = [_and_denied(tokens, patterns)]
    while tokens and tokens[-1] == "OR":
        tokens.pop()
        denied.append(_and_denied(tokens, patterns))
    return all(denied)


def _and_denied(tokens: list[str], patterns: Sequence[str]) -> bool:
    denied = [_term_denied(tokens, patterns)]
    while tokens and tokens[-1] == "AND":
        tokens.pop()
        denied.append(_term_denied(tokens, patterns))
    return any(denied)


def _term_denied(tokens: list[str], patterns: Sequence[str]) -> bool:
    """Parse an id, an id WITH an exception, or a parenthesised expression."""
    if not tokens:
        return False
    id = tokens.pop()
    if id == "(":
        denied = _or_denied(tokens, patterns)
        del tokens[-1:]  # the closing parenthesis
        return denied
    if tokens and tokens[-1] == "WITH":
        tokens.pop()
        id += f" WITH {tokens.pop()}"
    return any(fnmatchcase(id.lower(), pattern.lower()) for pattern in patterns)
