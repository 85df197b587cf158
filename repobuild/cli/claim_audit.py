"""repobuild verify --samples: every claim of every sample, against the tree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import columns, short
from repobuild.errors import StaleError

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build, ShowProgress
    from repobuild.truth.audit import AuditTree

_SHOWN = 20
_LONGEST = 160  # characters of what is said


def audit_claims(
    checkout: Checkout, progress: ShowProgress, jobs: int
) -> dict[str, Any]:
    """Return the facts of an audit. Raises `StaleError` when there are no samples."""
    from repobuild.samples.dataset.all_samples import AllSamples
    from repobuild.samples.dataset.secret import withheld
    from repobuild.truth.audit import audit

    state = checkout.state()
    line = state.line("samples")
    if line is None:
        raise StaleError(
            "samples is not built yet\nrun `repobuild --until samples` first"
        )
    if not line.commit:
        raise StaleError(
            "samples was built from a work tree, which is not kept\n"
            "build a commit first: repobuild --until samples"
        )
    build = checkout.view(checkout.snapshot(line.commit), state)
    every = AllSamples.of(build).tables
    own = {name for name in every if build.rules[name].code}  # nobody else knows them
    pool = AllSamples({name: table for name, table in every.items() if name not in own})
    with progress("claims", line.entries) as bar:
        found = audit(pool.entries(), audit_tree(build), jobs, advance=bar.advance)
    return {
        "version": 1,
        "commit": line.commit,
        "samples": found.samples,
        "claims": dict(sorted(found.claims.items())),
        "unread": found.unread,
        "not_checked": sorted(own),
        "true": not found.wrong,
        "wrong": withheld(
            [
                {"key": w.key, "claim": w.claim, "said": w.said, "tree": w.tree}
                for w in found.wrong
            ]
        ),
    }


def audit_tree(build: Build) -> AuditTree:
    """Return the tree that samples were made from: git's own, not a table's.

    Which language a path is read as, and that it is left out, the `facts` table says.
    """
    from repobuild.git.snapshot import REGULAR
    from repobuild.truth.audit import AuditTree
    from repobuild.truth.tree.commit_history import CommitHistory

    snapshot, facts = build.snapshot, build.table("facts")
    blobs = {path: id for path, (id, mode) in snapshot.files() if mode in REGULAR}

    def language(path: str) -> str:
        return str((facts.get(path) or {}).get("language", ""))

    return AuditTree(
        {path: language(path) for path in blobs},
        lambda path: snapshot.blob(blobs[path]),
        str(build.settings["project.name"]),
        CommitHistory(snapshot),
    )


def text(facts: dict[str, Any]) -> str:
    """The facts as lines: claims by kind, the first that are wrong, the verdict."""
    wrong: Counter[str] = Counter(w["claim"] for w in facts["wrong"])
    rows = [
        [claim, f"{count:,}", f"{wrong[claim]:,} WRONG" if wrong[claim] else ""]
        for claim, count in facts["claims"].items()
    ]
    said = [columns(rows)]
    for w in facts["wrong"][:_SHOWN]:
        said.append(f"{w['key']}\n  {w['claim']}: {_cut(w['said'])}\n  {w['tree']}")
    for path, why in facts["unread"].items():
        said.append(f'"{path}" was checked as text: {why}')
    if facts["not_checked"]:
        names = ", ".join(facts["not_checked"])
        said.append(f"not checked, as made by rules of the repository's own: {names}")
    total = sum(facts["claims"].values())
    verdict = f"{len(facts['wrong']):,} are wrong" if facts["wrong"] else "all hold"
    end = f"{facts['samples']:,} samples, {total:,} claims: {verdict}"
    return "\n".join([*said, f"{short(facts['commit'])}: {end}"])


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " ..."
