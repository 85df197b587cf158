"""Say which commits a build of HEAD needs that a shallow clone does not have.

    samples about changes    the last `history.commits` commits along first parents, and
                             the parent of the last; for plans `history.plan_commits`
    an adapter to continue   the nearest ancestor whose adapter is in the state; without
                             it the whole repository is taught from the base model
    a pull request           where it and its base meet

A build in a clone that lacks them ends well, but with fewer samples, or at a higher
cost. So it says what it lacks, and `repobuild ci deepen` fetches it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2

from repobuild.checkout import Checkout, open_checkout
from repobuild.errors import DamagedError, UsageError
from repobuild.git.ancestors import MAX_ANCESTORS, first_parents, nearest_ancestor
from repobuild.git.shallow import commits_here, deepen, edge


@dataclass(frozen=True, slots=True)
class Missing:
    """What a shallow clone lacks: nothing where all fields are empty."""

    commits: int = 0  # that are here, of those that are needed; 0 = enough
    needed: int = 0
    adapter: bool = False  # no ancestor that is here has an adapter
    base: str = ""  # a revision without a commit in common

    def __bool__(self) -> bool:
        return bool(self.commits or self.adapter or self.base)

    @property
    def text(self) -> str:
        """What is missing, in one line."""
        parts = []
        if self.commits:
            parts.append(f"{self.commits:,} of the {self.needed:,} commits to read")
        if self.adapter:
            parts.append("no ancestor with an adapter to continue")
        if self.base:
            parts.append(f"no commit in common with {self.base}")
        return ", ".join(parts)


def needed_commits(settings: dict[str, Any]) -> int:
    """Return how many commits along first parents a build reads.

    One more than samples tell of: a commit is compared with its parent.
    """
    told = settings["history.commits"], settings["history.plan_commits"]
    return int(max(told)) + 1


def find_missing(checkout: Checkout, base: str = "") -> Missing:
    """Return what HEAD lacks here; in a whole clone that can only be the base."""
    repository = checkout.repository
    if not edge(repository):
        return Missing(base=_unmet(checkout, base))
    commit = checkout.snapshot().commit
    needed = needed_commits(checkout.settings)
    here = commits_here(repository, commit, needed) or 0
    without = _lacks_adapter(checkout, commit)
    return Missing(here, needed, without, _unmet(checkout, base))


def fetch_missing(folder: Path, remote: str, base: str) -> tuple[int, Missing]:
    """Fetch what HEAD lacks; return the fetches, and what is missing still.

    Raises:
        UsageError: the remote's name is none.
        BuildError: git cannot fetch, with its reason.
    """
    if remote.startswith("-") or not remote.isprintable() or not remote:
        raise UsageError(f'"{remote}" is no name of a remote (--remote)')
    checkout = open_checkout(folder)
    commit = checkout.snapshot().commit

    def is_enough() -> bool:
        return not find_missing(open_checkout(folder), base)

    wanted = [commit]
    with suppress(UsageError):
        wanted += [checkout.snapshot(base).commit] if base else []
    fetches = deepen(checkout.root, wanted, remote, is_enough)
    return fetches, find_missing(open_checkout(folder), base)


def _lacks_adapter(checkout: Checkout, commit: str) -> bool:
    """Return whether there are adapters, but none of an ancestor that is here."""
    try:
        state = checkout.state()
    except DamagedError:  # the next build replaces it
        return False
    try:
        if state.line("adapter") is None:
            return False
        build = checkout.view(checkout.snapshot(), state)
        rows = set(build.table("adapter").keys())
    finally:
        state.close()
    if not rows or nearest_ancestor(checkout.repository, commit, rows):
        return False
    known = first_parents(checkout.repository, commit)
    return sum(1 for _ in known) < MAX_ANCESTORS


def _unmet(checkout: Checkout, base: str) -> str:
    if not base:
        return ""
    try:
        other = checkout.snapshot(base).commit
        met = checkout.repository.merge_base(other, checkout.snapshot().commit)
    except (UsageError, KeyError, ValueError, pygit2.GitError):
        return base
    return "" if met else base
