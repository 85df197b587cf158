"""repobuild show: one element, sample or adapter with its provenance, or a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_facts import adapter_facts
from repobuild.cli.adapter_text import adapter_text
from repobuild.cli.dataset_counts import dataset_counts, dataset_text
from repobuild.cli.output import columns, emit, number_of, short
from repobuild.cli.shell_words import table_names
from repobuild.errors import StaleError, UsageError
from repobuild.plain_text import escape_line, json_text
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_TEXTS = ("question", "answer", "prefix", "suffix")
_HEAD = re.compile(r"HEAD(?![\w./-])")  # a file may be named HEADERS.py
_COMMIT = re.compile("[0-9a-f]{6,40}")
_SHORTEST_ID = 6  # digits of an abbreviated commit or artifact id
_MOST_LEFT_OUT = 200  # files that are listed with the reason
_ADAPTER = "adapter "  # prefix of an adapter's name among rows named by their table


@click.command("show")
@click.argument("key", metavar="KEY|TABLE", shell_complete=table_names)
@options.as_json
def command(key: str, as_json: bool) -> int:
    """Show a row of any table, or what a table holds in all.

    \b
    repobuild show pkg/mod.py::Class.method    an element, its edges and samples
    repobuild show 'pkg/mod.py::f#code_location.en.1'    a sample, its sources
    repobuild show 4f2a91c         an adapter, a commit or another row by its key
    repobuild show files           which files are left out, and why
    repobuild show dataset         how many samples are where, and why not
    """
    from repobuild.checkout import open_checkout

    key = key.removeprefix("./")
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    facts = {"version": 1, "key": key, **_look_up(build, key)}
    emit(facts, as_json, text)
    return 0


def _look_up(build: Build, key: str) -> dict[str, Any]:
    """Return what a key names: the dataset, a table, an adapter or rows."""
    if key == "dataset":
        return {"dataset": dataset_counts(build)}
    if key in build.rules:
        return {"table": _count_rows(build, key)}
    key = _full_commit_id(build, _resolve_head(build, key))
    rows = {**_adapters(build, key), **_rows(build, key)}
    if not rows:
        _require_adapter(build, key)
        from repobuild.engine.explain.why import unknown_key_error

        raise unknown_key_error(build, key)
    return {"rows": rows}


def _require_adapter(build: Build, key: str) -> None:
    """Raise `StaleError` where a key names a commit that has no adapter."""
    from repobuild.git.snapshot import resolve

    if not _COMMIT.fullmatch(key):
        return
    with suppress(UsageError):
        commit = str(resolve(build.snapshot.repository, key).id)
        step = f"run `{program()}` to build one"
        if commit != build.snapshot.commit:
            step = f"`{program()} log` lists the commits that have one"
        raise StaleError(f"{short(commit)} has no adapter yet\n{step}")


def _resolve_head(build: Build, key: str) -> str:
    """Return the commit that `HEAD`, `HEAD~2` and the like name; else the key."""
    if not _HEAD.match(key) or build.table("files").get(key) is not None:
        return key
    from repobuild.git.snapshot import resolve

    return str(resolve(build.snapshot.repository, key).id)


def _full_commit_id(build: Build, key: str) -> str:
    """Return the commit in the table `commits` whose id begins with the key, or it."""
    if len(key) < _SHORTEST_ID or build.state.line("commits") is None:
        return key
    known = build.table("commits").keys()
    return next((commit for commit in known if commit.startswith(key)), key)


def _count_rows(build: Build, name: str) -> dict[str, Any]:
    """Return how many rows a table has, by kind, split, task or language."""
    line = build.state.line(name)
    facts: dict[str, Any] = {"rows": line.entries if line else 0}
    if build.rules[name].kind == "task":
        return {**facts, "keys": list(build.table(name).keys())}
    counts: Counter[str] = Counter()
    table = build.table(name)
    if name == "files":
        facts["left_out"] = _left_out_files(build)
    rows = table.entries() if build.rules[name].entries else table.items()
    for _, row in rows:
        counts[_category(row)] += 1
    return {**facts, "counts": dict(counts.most_common())}


def _left_out_files(build: Build) -> dict[str, str]:
    """Return why each file is left out: by its path, or as `facts` saw by content."""
    names = [name for name in ("files", "facts") if build.state.line(name)]
    reasons = {
        path: str(row["left_out"])
        for name in names
        for path, row in build.table(name).items()
        if row.get("left_out")
    }
    return dict(sorted(reasons.items(), key=lambda item: (item[1], item[0])))


def _category(row: Any) -> str:
    """Return the heading under which a row is counted."""
    if not isinstance(row, dict):
        return "rows"
    if row.get("dropped"):
        return f"dropped: {row['dropped']}"
    if row.get("left_out"):
        return f"left out: {row['left_out']}"
    if "split" in row:
        return " ".join(filter(None, (row["split"], row.get("track"))))
    for name in ("task", "kind", "language"):
        if row.get(name):
            return str(row[name])
    if "language" in row:
        return "in no known language"
    return "edges" if "confidence" in row else "rows"


def _rows(build: Build, key: str) -> dict[str, Any]:
    """Return the rows of a key by table, with provenance or neighbours."""
    from repobuild.samples.dataset.all_samples import locate
    from repobuild.samples.dataset.summary import whole_licence

    rows: dict[str, Any] = {}
    # A dataset key names a sample by its table and by its key in that table.
    sample_table, sample_key = locate(build, key)
    for rule in build.rules.values():
        if rule.kind == "task" or build.state.line(rule.name) is None:
            continue
        table = build.table(rule.name)
        position = table.find(sample_key if rule.name == sample_table else key)
        if position is None:
            continue
        row, sub = position
        value = table.get(row)
        rows[rule.name] = value[sub] if rule.entries and value else value
    sample = next(
        (rows[n] for n in build.with_extensions("samples") if rows.get(n)), None
    )
    if sample and "question" in sample:
        rows["provenance"] = _provenance(build, sample)
        rows["licence"] = whole_licence(sample, build.table("licences"))
    else:
        rows.update(_neighbours(build, key))
    return rows


def _neighbours(build: Build, key: str) -> dict[str, Any]:
    """Return an element's edges and the keys of its samples."""
    from repobuild.code.graph.graph import callers, incoming, node, outgoing

    graph = build.table("graph")
    if not len(graph):
        return {}
    keys = list(_sample_keys(build, key))
    if node(graph, key) is None:  # removed, but samples may mention that
        return {"sample keys": keys} if keys else {}
    kinds = ("contains", "imports", "calls", "inherits", "uses")
    edges: dict[str, Any] = {kind: outgoing(graph, key, kind) for kind in kinds}
    edges["called by"] = callers(graph, key)
    edges["used by"] = incoming(graph, key, "uses")
    return {
        "edges": {kind: found for kind, found in edges.items() if found},
        "sample keys": keys,
    }


def _sample_keys(build: Build, key: str) -> Iterator[str]:
    """Yield the dataset keys of the samples about an element."""
    from repobuild.samples.dataset.all_samples import dataset_key

    for name in build.with_extensions("samples"):
        for row in (key, f"{key}@lines"):
            for sub in build.table(name).subs(row):
                yield dataset_key(name, row) + sub


def _provenance(build: Build, sample: dict[str, Any]) -> list[Any]:
    from repobuild.samples.export.sample_record import provenance

    sources = sample.get("sources", [])
    return provenance(sources, build.table("graph"), build.table("files"))


def _adapters(build: Build, key: str) -> dict[str, Any]:
    """Return the adapters whose digest or commit begins with the key."""
    from repobuild.engine.override import original_row
    from repobuild.model.adapter.lineage import current_digest
    from repobuild.model.rollback import list_adapters

    if len(key) < _SHORTEST_ID:
        return {}
    rows = dict(build.table("adapter").items())
    digests = [
        digest for digest in list_adapters(build, rows) if digest.startswith(key)
    ]
    for commit, row in rows.items():
        if commit.startswith(key):
            digests += [current_digest(row), row["object"], original_row(row)["object"]]
    return {
        f"{_ADAPTER}{d[:12]}": adapter_facts(build, d) for d in dict.fromkeys(digests)
    }


def text(facts: dict[str, Any]) -> str:
    if "dataset" in facts:
        return dataset_text(facts["dataset"])
    if "table" in facts:
        return _table_text(facts["key"], facts["table"])
    blocks = [escape_line(facts["key"])]
    for name, row in facts["rows"].items():
        is_adapter = name.startswith(_ADAPTER)
        blocks += [f"\n{name}:", adapter_text(row) if is_adapter else _row_text(row)]
    return "\n".join(blocks)


def _table_text(name: str, table: dict[str, Any]) -> str:
    counts = table.get("counts", {})
    rows = [[kind, f"{count:,}"] for kind, count in counts.items()]
    rows = rows or [[key, ""] for key in table.get("keys", [])]
    lines = [
        f"{name}: {number_of(table['rows'], 'row')}",
        columns(rows) if rows else "",
    ]
    if left_out := table.get("left_out"):
        listed = list(left_out.items())[:_MOST_LEFT_OUT]
        lines += ["", "left out:", *(f"  {why:9}  {path}" for path, why in listed)]
        if more := len(left_out) - len(listed):
            lines.append(f"and {more:,} more; --json lists all")
    return "\n".join(lines)


def _row_text(row: Any) -> str:
    if isinstance(row, list):
        return "\n".join(f"  {_plain(item)}" for item in row)
    if not isinstance(row, dict):
        return f"  {_plain(row)}"
    lines = []
    for name, value in row.items():
        if name in _TEXTS and isinstance(value, str):
            block = "\n".join(f"    {line}" for line in value.splitlines())
            lines.append(f"  {name}:\n{block}")
        else:
            lines.append(f"  {name}: {_plain(value)}")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return escape_line(value)
    return json_text(value, default=bytes.hex)
