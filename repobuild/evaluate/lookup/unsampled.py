"""Answer what no sample tells, from the context of an element or a file.

    found       its location; the tests that use it, of which a sample may be left out
    none        a list that the context has and that is empty: nobody calls it
    not known   anything else

Samples are made of what is certain and worth teaching, so no sample is no answer: the
list itself has to be empty before it is said that nothing was found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.evaluate.lookup.asked import Asked
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.tasks.phrases import Phrases, load_phrases

MOST_LISTED = 6  # tests
# What a context holds of each kind. Where one of these lists has something, or more may
# be there (`open`), not to find a sample says nothing.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "callers": ("callers", "readers", "recursive"),
    "callees": ("callees",),
    "bases": ("bases", "foreign_bases"),
    "subclasses": ("subclasses",),
    "overridden": ("overridden",),
    "tests": ("tests", "users_in_tests"),
    "importers": ("importers", "users_in_tests"),
}


class Unsampled(NamedTuple):
    """An answer, and whether it tells what was asked for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class ContextReader:
    """Reads the context of one element or file."""

    id: str
    context: Mapping[str, Value]
    project: str
    language: str

    def answer(self, kinds: Collection[str]) -> Unsampled | None:
        """Return the answer to a question for some kinds of fact.

        None of a file, of which all that is known is sampled.
        """
        phrases, asked = load_phrases(self.language), Asked.of(self.language)
        path, qual = split_id(self.id)
        name = strip_counts(qual)
        if "location" in kinds and qual:
            return Unsampled(phrases.answer("location", name=name, path=path), True)
        users = self.context.get("users_in_tests", ())
        if "tests" in kinds and users:
            listed = _listed(users, phrases)
            return Unsampled(phrases.answer("tests", name=name, members=listed), True)
        fields = {"name": name, "path": path, "project": self.project}
        for kind in sorted(asked.none.keys() & kinds):
            if self._is_empty(kind):
                return Unsampled(asked.none[kind].format(**fields), False)
        return Unsampled(asked.unknown.format(**fields), False) if qual else None

    def _is_empty(self, kind: str) -> bool:
        """Return whether a context knows that there is nothing of a kind."""
        has_some = any(self.context.get(name) for name in _LISTS[kind])
        return not has_some and not self.context.get("open")


def place_of(id: str, phrases: Phrases) -> str:
    """Return an element with its file, or a file, as answers name them."""
    path, qual = split_id(id)
    if not qual:
        return phrases.part("file", path=path)
    return phrases.part("mention", names=f"`{strip_counts(qual)}`", path=path)


def _listed(ids: list[str], phrases: Phrases) -> str:
    places = [place_of(id, phrases) for id in ids[:MOST_LISTED]]
    return phrases.listed(places, among_others=len(ids) > MOST_LISTED)
