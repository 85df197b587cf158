"""Audit the samples for `verify --samples`: every claim, against git's own tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import columns, short
from repobuild.errors import StaleError
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.engine.contract import ShowProgress, Table
    from repobuild.samples.dataset.all_samples import AllSamples
    from repobuild.truth.asked_questions import AskedQuestions
    from repobuild.truth.audit import Audit, AuditTree

_LISTED = 20  # wrong claims
_LONGEST_CLAIM = 160  # characters


def audit_claims(
    checkout: Checkout, progress: ShowProgress, jobs: int
) -> dict[str, Any]:
    """Check every claim of every sample at the commit that the samples were made from.

    Of the samples that the dataset keeps no two may answer one question differently.
    Raises `StaleError` when there are no samples, or when they come from a work tree.
    """
    from repobuild.engine.as_of import commit_of
    from repobuild.samples.dataset.all_samples import AllSamples
    from repobuild.truth.asked_questions import ONE_ANSWER, AskedQuestions
    from repobuild.truth.audit import audit

    state = checkout.state()
    current = checkout.view(checkout.snapshot(), state)
    for name in AllSamples.of(current).tables:
        if state.line(name) is None:
            raise StaleError(
                f"{name} is not built yet\nrun `{program()} --until dataset` first"
            )
        commit_of(current, name)
    commit = commit_of(current, "samples")
    build = checkout.view(checkout.snapshot(commit), state)
    tables = AllSamples.of(build).tables
    # The audit cannot know what the samples of a user's rule claim.
    unchecked = {name for name in tables if build.rules[name].code}
    samples = AllSamples({n: tables[n] for n in tables if n not in unchecked})
    lines = filter(None, map(state.line, samples.tables))
    asked = AskedQuestions()
    entries = _noting_kept(samples, _dataset_of(current, commit), asked)

    @contextmanager
    def show(label: str, total: int) -> Iterator[Callable[[int], None]]:
        with progress(label, total) as bar:
            yield bar.advance

    expected = sum(one.entries for one in lines)
    result = audit(entries, audit_tree(build), jobs, show, expected)
    result.wrong += asked.wrong
    result.claims[ONE_ANSWER] += asked.count
    return _facts_of(result, commit, unchecked)


def _facts_of(result: Audit, commit: str, unchecked: set[str]) -> dict[str, Any]:
    return {
        "version": 1,
        "commit": commit,
        "samples": result.samples,
        "claims": dict(sorted(result.claims.items())),
        "unread": result.unread,
        "not_checked": sorted(unchecked),
        "true": not result.wrong,
        "wrong": [
            {"key": w.key, "claim": w.claim, "said": w.claimed, "tree": w.actual}
            for w in result.wrong
        ],
    }


def _dataset_of(build: Build, commit: str) -> Table | None:
    """Return the dataset of a commit, None if it is not built or is of another."""
    from repobuild.engine.as_of import commit_of

    if build.state.line("dataset") is None or commit_of(build, "dataset") != commit:
        return None
    return build.table("dataset")


def _noting_kept(
    samples: AllSamples, dataset: Table | None, asked: AskedQuestions
) -> Iterator[tuple[str, Any]]:
    """Yield every sample with its full key, and note the questions that are kept."""
    for key, value in samples.items():
        row = (dataset.get(key) if dataset else None) or {}
        for sub, sample in (value or {}).items():
            if "dropped" not in row.get(sub, {"dropped": ""}):
                asked.add(key + sub, sample)
            yield key + sub, sample


def audit_tree(build: Build) -> AuditTree:
    """Return the tree that samples were made from, read from git and not from a table.

    Only the language of a path, "" for one that is left out, comes from `facts`.
    """
    from repobuild.git.snapshot import is_regular
    from repobuild.truth.audit import AuditTree
    from repobuild.truth.tree.commit_history import CommitHistory

    snapshot, facts = build.snapshot, build.table("facts")
    blobs = {path: id for path, (id, mode) in snapshot.files() if is_regular(mode)}
    languages = {
        path: str((facts.get(path) or {}).get("language", "")) for path in blobs
    }
    return AuditTree(
        languages,
        lambda path: snapshot.blob(blobs[path]),
        str(build.settings["project.name"]),
        CommitHistory(snapshot),
    )


def text(facts: dict[str, Any]) -> str:
    """Return claims by kind, the first wrong ones, and the verdict as lines."""
    wrong: Counter[str] = Counter(w["claim"] for w in facts["wrong"])
    rows = [
        [claim, f"{count:,}", f"{wrong[claim]:,} WRONG" if wrong[claim] else ""]
        for claim, count in facts["claims"].items()
    ]
    lines = [columns(rows)]
    for w in facts["wrong"][:_LISTED]:
        lines.append(f"{w['key']}\n  {w['claim']}: {_cut(w['said'])}\n  {w['tree']}")
    for path, why in facts["unread"].items():
        lines.append(f'"{path}" was checked as text: {why}')
    if facts["not_checked"]:
        names = ", ".join(facts["not_checked"])
        lines.append(f"not checked, as made by rules of the repository's own: {names}")
    total = sum(facts["claims"].values())
    verdict = f"{len(facts['wrong']):,} are wrong" if facts["wrong"] else "all hold"
    lines.append(
        f"{short(facts['commit'])}: {facts['samples']:,} samples, {total:,} claims: "
        f"{verdict}"
    )
    return "\n".join(lines)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CLAIM else line[:_LONGEST_CLAIM] + " ..."
