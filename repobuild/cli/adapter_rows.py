"""What `log` and `show` tell of adapters: the rows, and what lies beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import seconds, short

if TYPE_CHECKING:
    from repobuild.engine.build import Build

Facts = dict[str, Any]
Row = Mapping[str, Any]

HOW = {
    "first": "first",
    "continue": "continued",
    "rebase": "re-based",
    "reuse": "reused",
    "wait": "kept",
    "rollback": "rolled back",
}


def in_use(build: Build) -> str:
    """Return the commit whose row HEAD uses: its own, or its nearest built parent's."""
    from repobuild.git.ancestors import nearest_ancestor

    rows = set(build.table("adapter").keys())
    return nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)


def scores(build: Build, adapter: str) -> Facts:
    """Return the headline scores of an adapter's newest report; empty without one."""
    found: Facts = (build.table("report").get(adapter) or {}).get("headline", {})
    return found


def portrait(build: Build, adapter: str) -> Facts:
    """Return all that is known of one adapter: where it is used, what it scored, where
    its files lie, and what it says of itself (`repobuild.json`)."""
    from repobuild.engine.storage.garbage_collection import folder_bytes

    folder = build.store.place(adapter)
    lineage = _lineage(folder)
    report = build.table("report").get(adapter)
    page = build.store.place(report["object"]) / "index.html" if report else None
    commit = lineage.get("commit", "")
    return {
        "adapter": adapter,
        "commit": commit,
        "subject": build.snapshot.subject(commit) if commit else "",
        **_uses(build, adapter),
        "folder": str(folder) if folder.is_dir() else "",
        "bytes": folder_bytes(build, adapter),
        "page": str(page) if page and page.is_file() else "",
        "report": scores(build, adapter),
        "lineage": lineage,
    }


def _uses(build: Build, adapter: str) -> Facts:
    """At which commits an adapter is current, was built but not promoted, or was put
    aside by a rollback."""
    from repobuild.engine.override import own
    from repobuild.model.adapter.lineage import current

    rows = dict(build.table("adapter").items())
    head = in_use(build)
    return {
        "is_current": bool(head) and current(rows[head]) == adapter,
        "used": [c for c, row in rows.items() if current(row) == adapter],
        "not_promoted": [
            c for c, row in rows.items() if row["object"] == adapter != current(row)
        ],
        "put_aside": [
            c
            for c, row in rows.items()
            if own(row) is not row and own(row)["object"] == adapter
        ],
        "seconds": next(
            (
                made["seconds"]
                for made in map(own, rows.values())
                if made["object"] == adapter and made.get("work") and "seconds" in made
            ),
            None,
        ),
    }


def _lineage(folder: Any) -> Facts:
    try:
        found: Facts = json.loads((folder / "repobuild.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


# ------------------------------------------------------------------------- in words


def line(row: Row) -> str:
    """Return one line on an adapter: name, how it was made, its headline scores."""
    said = [f"adapter {row['object'][:12]}: {_how(row)}"]
    if row.get("work"):
        said.append(f"{row['tokens']:,} tokens in {row['steps']:,} steps")
        said += _answered(row)
    recall = row.get("report", {}).get("recall", {})
    if recall.get("adapter") and recall.get("base"):
        said += _headline(recall)
    if row.get("current"):
        said.append("not promoted: worse than its parent, which stays current")
    return ", ".join(said)


def _answered(row: Row) -> list[str]:
    """Return how much of what changed is known now; nothing of a first adapter."""
    counts = row.get("samples", {})
    taught = counts.get("added", 0) + counts.get("changed", 0)
    if row.get("mode") != "continue" or "unanswered" not in counts:
        return []
    left_out = sum(n for name, n in counts.items() if name.startswith("left out"))
    known = taught - counts["unanswered"] - left_out
    return [f"{known} of {taught} changed samples answered word for word"]


def _how(row: Row) -> str:
    """Return the mode; of what was not trained here also why."""
    word = HOW.get(row.get("mode", ""), "made")
    trained = row.get("work") or not row.get("reason")
    return word if trained else f"{word}, {row['reason']}"


def _headline(recall: Row) -> list[str]:
    base, adapter = recall["base"], recall["adapter"]
    said = [f"recall loss {base['loss']:.2f} to {adapter['loss']:.2f}"]
    if "path_exact" in base and "path_exact" in adapter:
        paths = f"{base['path_exact']:.0%} to {adapter['path_exact']:.0%}"
        said.append(f"right path {paths}")
    return said


def portrait_text(facts: Facts) -> str:
    """Return a few lines, one for each thing that there is to say."""
    lines = {"standing": _standing(facts), "built": _built(facts)}
    lineage = facts["lineage"]
    if lineage:
        lines |= _told(lineage, facts["seconds"])
    lines["scores"] = _scores(facts["report"])
    lines["report"] = facts["page"]
    size = f" ({facts['bytes'] / 1e6:,.1f} MB)" if facts["folder"] else ""
    lines["files"] = facts["folder"] + size if size else "not stored any more"
    width = max(map(len, lines))
    said = [f"  {name.ljust(width)}  {line}" for name, line in lines.items() if line]
    return "\n".join(said)


def _standing(facts: Facts) -> str:
    said = ["current"] if facts["is_current"] else []
    for name, word in (("not_promoted", "not promoted"), ("put_aside", "put aside")):
        if facts[name]:
            said.append(f"{word} at {_commits(facts[name])}")
    if facts["used"]:
        said.append(f"used at {_commits(facts['used'])}")
    return ", ".join(said) or "no commit uses it"


def _commits(commits: list[str]) -> str:
    more = len(commits) - 4
    named = ", ".join(map(short, commits[:4]))
    return f"{named} and {more} more" if more > 0 else named


def _built(facts: Facts) -> str:
    from repobuild.engine.explain.wording import place

    if not facts["commit"]:
        return ""
    lineage = facts["lineage"]
    at = place(facts["commit"], facts["subject"])
    return f"at {at}, {HOW.get(lineage['mode'], lineage['mode'])}: {lineage['reason']}"


def _told(lineage: Facts, took: float | None) -> dict[str, str]:
    """Return what an adapter's own file says, by heading."""
    base, recipe = lineage["base"], lineage["recipe"]
    parent = lineage["parent"][:12] or "none, it started from the base model"
    settings = ", ".join(f"{name} {_plain(recipe[name])}" for name in sorted(recipe))
    return {
        "parent": parent,
        "base": f"{base['name']} {base['digest'][:12]}",
        "chain": _chain(lineage["chain"], lineage["drift"]),
        "samples": ", ".join(f"{n:,} {name}" for name, n in lineage["samples"].items()),
        "trained": _trained(lineage["training"], took),
        "gate": _gate(lineage),
        "recipe": f"{lineage['recipe_digest'][:12]}: {settings}",
    }


def _chain(length: int, drift: float) -> str:
    if length == 1:
        return "starts here"
    return f"{length} adapters long; {drift:.0%} of the samples trained since it began"


def _plain(value: Any) -> str:
    return "/".join(value) if isinstance(value, list) else str(value)


def _trained(training: Facts, took: float | None) -> str:
    said = f"{training['tokens']:,} tokens in {training['steps']:,} steps"
    if took:
        said += f", {seconds(took)}"
    losses = training.get("losses") or []
    return f"{said}, loss {losses[0][1]:.2f} to {losses[-1][1]:.2f}" if losses else said


def _gate(lineage: Facts) -> str:
    found = lineage["scores"]
    if "loss" not in found or "parent_loss" not in found:
        return ""
    verdict = "promoted" if lineage["promoted"] else "not promoted"
    before = "parent's" if lineage["parent"] else "base model's"
    return (
        f"held-out loss {found['loss']:.3f}, its {before} {found['parent_loss']:.3f}: "
        f"{verdict}"
    )


def _scores(headline: Facts) -> str:
    said = []
    for track, models in headline.items():
        found = models.get("adapter") if isinstance(models, dict) else None
        if isinstance(found, dict):
            numbers = [_score(name, value) for name, value in found.items()]
            said.append(f"{track} {', '.join(filter(None, numbers))}")
    return "; ".join(said)


def _score(name: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return ""
    word = name.replace("_", " ")
    return f"{word} {value:.3f}" if "loss" in name else f"{word} {value:.0%}"
