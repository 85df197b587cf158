"""repobuild why: which input, setting, tool or rule version changed, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit

_LINES = 24  # one screen
_WIDTH = 100
_TAKEN = ("reuse", "wait", "rollback")  # modes of an adapter made without training
_RECIPE = ("setting_changed", "ingredient_changed", "rule_version_changed")

Told = Mapping[str, Any]


@click.command("why")
@click.argument("key", metavar="KEY|TABLE")
@options.as_json
def command(key: str, as_json: bool) -> int:
    """Say why a table, a row or an adapter was last made, back to file and commit.

    \b
    repobuild why samples
    repobuild why pkg/mod.py::Class.method
    repobuild why HEAD                  the adapter of a commit, or by its digest
    """
    from repobuild.checkout import find
    from repobuild.engine.explain.why import why
    from repobuild.samples.dataset.secret_detection import withheld

    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    told = withheld([found.plain() for found in why(build, key)])
    emit({"version": 1, "key": key, "told": told}, as_json, text)
    return 0


def text(facts: Told) -> str:
    """Return all that is told in one screen."""
    lines: list[str] = []
    for told in facts["told"]:
        lines += [] if _is_told(told, facts["told"]) else list(_lines(told))
    if len(lines) > _LINES:
        left = len(lines) - _LINES + 1
        lines = [*lines[: _LINES - 1], f"… {left} more lines; --json has all of it"]
    return "\n".join(map(_cut, lines))


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _is_told(told: Told, others: list[Told]) -> bool:
    """Whether a row's change already stands in the chain of a later table's."""
    place = told["table"], told["key"], told.get("build", 0)
    return told["what"] in ("changed", "removed") and any(
        place == (reason["table"], reason["key"], reason["build"])
        for other in others
        if other is not told
        for reason in _all(other["reasons"])
    )


def _all(reasons: list[Told]) -> Iterator[Told]:
    for reason in reasons:
        yield reason
        yield from _all(reason["because"])


def _lines(told: Told) -> Iterator[str]:
    if "runs" in told:
        yield from _table(told)
    elif "object" in told:
        yield from _artifact(told)
    else:
        yield from _row(told)


def _row(told: Told) -> Iterator[str]:
    from repobuild.cli.reason_text import field

    yield _headline(told)
    if told.get("dropped"):
        yield f"  dropped from the dataset: {told['dropped']}"
    for leaf in told["fields"][:4]:
        yield f"  {field(leaf)}"
    if told["what"] != "never built" and not _is_first(told):
        yield from _reasons(told["reasons"])


def _is_first(told: Told) -> bool:
    return told["what"] == "unchanged" and any(
        reason["cause"] == "never_built" for reason in told["reasons"]
    )


def _headline(told: Told) -> str:
    from repobuild.cli.reason_text import place

    name = " ".join(filter(None, (told["table"], told["key"])))
    where = place(told.get("commit", ""), told.get("subject", ""))
    if told["what"] == "never built":
        return f"{name}: never built"
    if told["what"] == "unchanged":
        word = "as first built" if _is_first(told) else "unchanged since it was made"
        return f"{name}: {word} in build {told['build']}, {where}"
    return f"{name}: {told['what']} in build {told['build']}, {where}"


def _reasons(reasons: list[Told], indent: str = "  ") -> Iterator[str]:
    from repobuild.cli.reason_text import sentence

    for reason in reasons:
        yield f"{indent}because {sentence(reason)}"
        yield from _reasons(reason["because"], indent + "  ")


# ------------------------------------------------------------------------ a table


def _table(told: Told) -> Iterator[str]:
    from repobuild.cli.reason_text import place, sentence

    if told["what"] == "never built":
        yield f"{told['table']}: never built"
        return
    where = place(told["commit"], told["subject"])
    yield f"{told['table']}: {told['rows']:,} rows, last made at {where}"
    for reason in told["would_start_anew"]:
        yield f"  would start anew: {sentence(reason)}"
    for run in told["runs"]:
        yield from _run(run)


def _run(run: Told) -> Iterator[str]:
    from repobuild.cli.reason_text import place, shown

    how = "made from all rows" if run["full"] else f"looked at {_rows(run['looked'])}"
    where = place(run["commit"], run["subject"])
    changed = f"{_rows(run['changed'])} changed"
    yield f"  build {run['build']}, {where}: {how}, {changed}"
    yield from _reasons(run["reasons"], "    ")
    for made in run["inputs"]:
        was, now = shown(made["from"] or "nothing"), shown(made["to"])
        yield f"    input {made['table']}: {was} to {now}"
    yield from _causes(run)


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _causes(run: Told) -> Iterator[str]:
    for cause in run["causes"]:
        word = cause["cause"].partition("_")[2] or "changed"
        name = " ".join(filter(None, (cause["table"], cause["key"])))
        where = f" in {cause['commit'][:10]}" if cause["commit"] else ""
        if name:
            yield f"    {_rows(cause['rows'])} because {name} {word}{where}"
    if run["more_causes"]:
        yield f"    and {run['more_causes']:,} more causes of {_rows(run['counted'])}"
    if run["examples"]:
        yield f"    such as {', '.join(run['examples'])}"


# --------------------------------------------------------------------- an artifact


def _artifact(told: Told) -> Iterator[str]:
    row = told["row"]
    mode = f"{told['mode']}: {told['reason']}" if told["mode"] else "made"
    what = "rolled back" if told["mode"] == "rollback" else told["what"]
    yield _headline({**told, "key": told["key"][:10], "what": what})
    yield f"  artifact {told['object'][:12]}, {mode}"
    yield from _lineage(told, row)
    yield from _reasons(told["reasons"])


def _lineage(told: Told, row: Told) -> Iterator[str]:
    """What an adapter says of its parent, its delta and its base."""
    if told["mode"] in _TAKEN:
        return
    if told["follows"]:
        parent = row.get("parent", told["follows"])
        start = f"from its parent {parent[:12]}" if parent else "from the base model"
        yield f"  starts {start}; the adapter before is of {told['before'][:10]}"
    samples = row.get("samples")
    if isinstance(samples, Mapping):
        names = ("added", "changed", "removed", "replayed", "trained", "current")
        counts = [f"{samples[name]:,} {name}" for name in names if name in samples]
        yield f"  samples: {', '.join(counts)}"
    if told["before"] and "base" in row:
        changed = {r["name"] for r in told["reasons"] if r["cause"] in _RECIPE}
        others = ", ".join(sorted(changed - {"base"}))
        yield f"  base model {'changed' if 'base' in changed else 'unchanged'}, " + (
            f"{others} changed" if others else "recipe unchanged"
        )
