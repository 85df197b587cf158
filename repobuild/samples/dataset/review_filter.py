"""Drop samples that somebody judged bad, with the others of their kind.

The table `reviews` holds one row with all verdicts (review/reviews.py), by the key of
the context. A changed verdict decides its context again, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from repobuild.engine.contract import View
from repobuild.samples.review.verdict_file import REVIEW_FILE, covers

REVIEWED = "reviewed"
_TABLE = "reviews"

Judgements = Mapping[str, Mapping[str, str]]  # key of a context -> covered sub -> why


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """The verdicts of the commit."""

    bad: Judgements

    @classmethod
    def of(cls, view: View) -> ReviewFilter:
        return cls(view.table(_TABLE).get(REVIEW_FILE) or {})

    def judged_bad(self, key: str, subs: Iterable[str]) -> list[str]:
        """Return which samples of a context are judged bad."""
        judged = self.bad.get(key)
        return [sub for sub in subs if covers(judged, sub)] if judged else []

    def changed_contexts(self, view: View) -> set[str]:
        """Return the contexts in the dataset whose verdicts changed."""
        change = view.changes(_TABLE).get(REVIEW_FILE)
        if change is None:
            return set()
        before: Judgements = change[0] or {}
        keys = before.keys() | self.bad.keys()
        changed = {key for key in keys if before.get(key) != self.bad.get(key)}
        return {key for key in changed if view.own.get(key) is not None}
