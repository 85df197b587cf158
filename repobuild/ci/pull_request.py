"""Say what a pull request changes in what is learnt, and what it would cost.

    facts = summarise(checkout, base, head, progress)

The facts are the object that `repobuild ci summary --json` prints (docs/verbs/ci.md).
Base and head are built up to what a training would read, in copies of the state
(two_builds.py), and the rows of both are compared. Lists are cut at `_LISTED`; `count`
is the whole number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pygit2

from repobuild.checkout import Checkout
from repobuild.ci.changed_answers import changed_answers
from repobuild.ci.changed_samples import SampleChange, changed_samples
from repobuild.ci.compare_rows import row_pairs, what_happened
from repobuild.ci.secret_findings import find_new_secrets
from repobuild.ci.training_cost import training_cost
from repobuild.ci.two_builds import BuiltRevision, build_both
from repobuild.code.graph.graph import PROJECT, elements_of
from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import ShowProgress
from repobuild.errors import UsageError
from repobuild.git.snapshot import Snapshot
from repobuild.samples.dataset.licence_filter import is_denied

_LISTED = 1_000

Facts = dict[str, Any]


def base_of(checkout: Checkout, revision: str, head: Snapshot) -> Snapshot:
    """Return the commit from which a pull request starts: where both histories meet.

    Raises `UsageError` when there is no such commit here.
    """
    target = checkout.snapshot(revision)
    try:
        met = checkout.repository.merge_base(target.commit, head.commit)
    except (KeyError, ValueError, pygit2.GitError):  # the edge of a shallow clone
        met = None
    if met is None:
        raise UsageError(
            f"{revision} and HEAD have no commit in common here\n"
            "a shallow clone may lack it: run "
            f"`repobuild ci deepen --base {revision}` first"
        )
    return checkout.snapshot(str(met))


def summarise(
    checkout: Checkout, base: Snapshot, head: Snapshot, progress: ShowProgress
) -> Facts:
    """Return everything that the summary of a pull request says.

    Raises:
        UsageError: what is built needs a setting that is withheld.
        BuildError: a rule failed.
    """
    with build_both(checkout, base, head, progress) as (before, after):
        changes = list(changed_samples(before.build, after.build))
        answers = changed_answers(before.build, after.build, changes)
        licences = _licences(before, after)
        rulebook = checkout.rulebook(head)
        return {
            "version": 1,
            "base": base.commit,
            "head": head.commit,
            "files": _files(before, after),
            "elements": _elements(before, after),
            "samples": _samples(changes),
            "settings": _settings(before, after),
            "cost": training_cost(before, after),
            "answers": _listed(answers),
            "licences": _listed(licences),
            "secrets": _listed(find_new_secrets(before.build, after.build)),
            "untrusted": list(rulebook.untrusted),
            "changed_rules": [rule.name for rule in rulebook.changed],
            "withheld": sorted(after.settings.powers.names),
        }


def _listed(items: list[Facts]) -> Facts:
    return {"count": len(items), "items": items[:_LISTED]}


def _counted(changes: Mapping[str, str]) -> Facts:
    """Return how many keys were added, changed and removed, and the first of them."""
    counts = Counter(changes.values())
    names = [{"name": name, "what": what} for name, what in sorted(changes.items())]
    return {
        **{what: counts[what] for what in ("added", "changed", "removed")},
        "names": names[:_LISTED],
    }


def _files(before: BuiltRevision, after: BuiltRevision) -> Facts:
    """Return the files that differ, also those that are not analysed."""
    pairs = row_pairs(before.build, after.build, "files")
    return _counted({pair.key: pair.what for pair in pairs})


def _elements(before: BuiltRevision, after: BuiltRevision) -> Facts:
    """Return the elements whose code differs; one that only moved does not."""
    changes: dict[str, str] = {}
    for pair in row_pairs(before.build, after.build, "graph"):
        if pair.key == PROJECT:
            continue
        old, new = _code_of(pair.old), _code_of(pair.new)
        for name in old.keys() | new.keys():
            if old.get(name) != new.get(name):
                what = what_happened(old.get(name), new.get(name))
                changes[f"{pair.key}::{name}"] = what
    return _counted(changes)


def _code_of(file: Any) -> dict[str, tuple[Any, Any]]:
    """Return the digests of each element of a row of the graph, wherever it is."""
    return {name: (node["shape"], node["face"]) for name, node in elements_of(file)}


def _samples(changes: list[SampleChange]) -> Facts:
    """Return how many samples that are kept differ, and of which tasks."""
    counted = _counted({change.key: change.what for change in changes})
    tasks = Counter(change.task for change in changes)
    return {**counted, "names": [], "tasks": dict(tasks.most_common())}


def _settings(before: BuiltRevision, after: BuiltRevision) -> list[Facts]:
    """Return the settings that the repository's own file changes, as it asks for."""
    old, new = before.settings.asked, after.settings.asked
    names = sorted(name for name in old.keys() | new.keys() if name != "root")
    return [
        {"name": name, "old": old.get(name), "new": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    ]


def _licences(before: BuiltRevision, after: BuiltRevision) -> list[Facts]:
    """Return files whose licence changed, and new ones under a licence new here.

    `denied`: samples of it are dropped, by `samples.deny_licences`.
    """
    known = {row["licence"] for _, row in before.build.table("licences").items()}
    patterns = after.settings.values["samples.deny_licences"]
    found = []
    for pair in row_pairs(before.build, after.build, "licences"):
        old = pair.old["licence"] if pair.old else ""
        new = pair.new["licence"] if pair.new else ""
        is_news = old != new if old else new not in known | {UNKNOWN}
        if pair.key.endswith("/") or not new or not is_news:
            continue
        denied = bool(patterns) and is_denied(new, patterns)
        found.append({"path": pair.key, "old": old, "new": new, "denied": denied})
    return sorted(found, key=lambda item: (not item["denied"], item["path"]))
