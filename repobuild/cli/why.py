"""repobuild why: which input, setting, tool or rule changed, and in which commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_text import FACT_COUNTS
from repobuild.cli.output import emit, number_of
from repobuild.cli.shell_words import table_names
from repobuild.plain_text import escape_line

_MOST_LINES = 24  # one screen
_WIDTH = 100  # columns
_UNTRAINED = ("reuse", "wait", "rollback")  # modes of an adapter made without training
_RECIPE_CAUSES = ("setting_changed", "ingredient_changed", "rule_version_changed")

Explanation = Mapping[str, Any]  # of a row, a table or an artifact, or a reason in one


@click.command("why")
@click.argument("key", metavar="KEY|TABLE", shell_complete=table_names)
@options.as_json
def command(key: str, as_json: bool) -> int:
    """Say why a table, a row or an adapter was last made, back to file and commit.

    \b
    repobuild why samples
    repobuild why pkg/mod.py::Class.method
    repobuild why HEAD                  the adapter of a commit, or by its digest
    """
    from repobuild.checkout import open_checkout
    from repobuild.engine.explain.why import explain

    key = key.removeprefix("./")
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    explanations = [found.plain() for found in explain(build, key)]
    emit({"version": 1, "key": key, "told": explanations}, as_json, text)
    return 0


def text(facts: Explanation) -> str:
    """Return the explanations as at most one screen of lines."""
    explanations = facts["told"]
    lines: list[str] = []
    for explanation in explanations:
        if _is_repeated(explanation, explanations):
            continue
        if "runs" in explanation or not explanation["key"] and _is_unbuilt(explanation):
            lines += _explain_table(explanation)
        elif "object" in explanation:
            lines += _explain_artifact(explanation)
        else:
            lines += _explain_row(explanation)
    if len(lines) > _MOST_LINES:
        left = len(lines) - _MOST_LINES + 1
        lines[_MOST_LINES - 1 :] = [f"… {left} more lines; --json has all of it"]
    return "\n".join(
        line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
        for line in map(escape_line, lines)
    )


def _is_unbuilt(explanation: Explanation) -> bool:
    return bool(explanation["what"] == "never built")


def _is_repeated(explanation: Explanation, others: list[Explanation]) -> bool:
    """Return whether a row's change is among the reasons of another explanation."""
    change = explanation["table"], explanation["key"], explanation.get("build", 0)
    return explanation["what"] in ("changed", "removed") and any(
        change == (reason["table"], reason["key"], reason["build"])
        for other in others
        if other is not explanation
        for reason in _walk_reasons(other["reasons"])
    )


def _walk_reasons(reasons: list[Explanation]) -> Iterator[Explanation]:
    for reason in reasons:
        yield reason
        yield from _walk_reasons(reason["because"])


# -------------------------------------------------------------------------- a row


def _explain_row(row: Explanation) -> Iterator[str]:
    from repobuild.cli.reason_text import field_text

    yield _headline(row)
    if row.get("dropped"):
        yield f"  dropped from the dataset: {row['dropped']}"
    for leaf in row["fields"][:4]:
        yield f"  {field_text(leaf)}"
    if row["what"] != "never built" and not _is_as_first_built(row):
        yield from _reasons(row["reasons"])


def _is_as_first_built(row: Explanation) -> bool:
    return row["what"] == "unchanged" and any(
        reason["cause"] == "never_built" for reason in row["reasons"]
    )


def _headline(row: Explanation) -> str:
    from repobuild.cli.reason_text import commit_text, short_key

    name = " ".join(filter(None, (row["table"], short_key(row["key"]))))
    what = row["what"]
    if what == "never built":
        return f"{name}: never built"
    if _is_as_first_built(row):
        what = "as first built"
    elif what == "unchanged":
        what = "unchanged since it was made"
    commit = commit_text(row.get("commit", ""), row.get("subject", ""))
    return f"{name}: {what} in build {row['build']}, {commit}"


def _reasons(reasons: list[Explanation], indent: str = "  ") -> Iterator[str]:
    from repobuild.cli.reason_text import sentence

    for reason in reasons:
        yield f"{indent}because {sentence(reason)}"
        yield from _reasons(reason["because"], indent + "  ")


# ------------------------------------------------------------------------ a table


def _explain_table(table: Explanation) -> Iterator[str]:
    from repobuild.cli.reason_text import commit_text, sentence

    if _is_unbuilt(table):
        yield f"{table['table']}: never built"
        return
    commit = commit_text(table["commit"], table["subject"])
    rows, unit = _rows(table["rows"]), "row"
    if table["keys"] != table["rows"]:
        unit = "key"
        rows = f"{rows} of {number_of(table['keys'], unit)}"
    yield f"{table['table']}: {rows}, last made at {commit}"
    for reason in table["would_start_anew"]:
        yield f"  would start anew: {sentence(reason)}"
    for run in table["runs"]:
        yield from _explain_run(run, unit)


def _explain_run(run: Explanation, unit: str) -> Iterator[str]:
    """Yield what one build did to a table, and what caused it.

    `unit` is what it counts: rows, or keys of several rows each.
    """
    from repobuild.cli.reason_text import commit_text, short_value

    how = "made from all rows" if run["full"] else f"looked at {_rows(run['looked'])}"
    commit = commit_text(run["commit"], run["subject"])
    changed = f"{number_of(run['changed'], unit)} new or changed"
    yield f"  build {run['build']}, {commit}: {how}, {changed}"
    yield from _reasons(run["reasons"], "    ")
    for change in run["inputs"]:
        was, now = short_value(change["from"] or "nothing"), short_value(change["to"])
        yield f"    input {change['table']}: {was} to {now}"
    for cause in run["causes"]:
        name = " ".join(filter(None, (cause["table"], cause["key"])))
        if name:
            verb = cause["cause"].partition("_")[2] or "changed"
            where = f" in {cause['commit'][:10]}" if cause["commit"] else ""
            rows = number_of(cause["rows"], unit)
            yield f"    {rows} because {name} {verb}{where}"
    if run["more_causes"]:
        counted = number_of(run["counted"], unit)
        yield f"    and {number_of(run['more_causes'], 'more cause')} of {counted}"
    if run["examples"]:
        yield f"    such as {', '.join(run['examples'])}"


def _rows(count: int) -> str:
    return number_of(count, "row")


# --------------------------------------------------------------------- an artifact


def _explain_artifact(artifact: Explanation) -> Iterator[str]:
    mode = artifact["mode"]
    how = ": ".join(filter(None, (mode, artifact["reason"]))) or "made"
    what = "rolled back" if mode == "rollback" else artifact["what"]
    yield _headline({**artifact, "what": what})
    yield f"  artifact {artifact['object'][:12]}, {how}"
    if mode not in _UNTRAINED:
        yield from _training(artifact)
    yield from _reasons(artifact["reasons"])


def _training(artifact: Explanation) -> Iterator[str]:
    """Yield an adapter's parent, its delta of samples and its base model."""
    row = artifact["row"]
    if artifact["follows"]:
        parent = row.get("parent", artifact["follows"])
        start = f"from its parent {parent[:12]}" if parent else "from the base model"
        before = artifact["before"][:10]
        yield f"  starts {start}; the adapter before is of {before}"
    samples = row.get("samples")
    if isinstance(samples, Mapping):
        named: dict[str, tuple[str, ...]]
        named = {"samples": ("added", "changed", "removed", "current")}
        if row.get("coverage"):
            named["facts"] = FACT_COUNTS
        for title, names in named.items():
            counts = [f"{samples[name]:,} {name}" for name in names if name in samples]
            yield f"  {title}: {', '.join(counts)}"
    if artifact["before"] and "base" in row:
        changed = {
            reason["name"]
            for reason in artifact["reasons"]
            if reason["cause"] in _RECIPE_CAUSES
        }
        base = "changed" if "base" in changed else "unchanged"
        others = ", ".join(sorted(changed - {"base"}))
        recipe = f"{others} changed" if others else "recipe unchanged"
        yield f"  base model {base}, {recipe}"
