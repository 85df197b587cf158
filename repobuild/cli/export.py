"""repobuild export: write a table to a folder, in its exchange format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from repobuild.engine.errors import StaleError, UsageError, nearest

if TYPE_CHECKING:
    from repobuild.engine.build import Build

FORMATS = {
    "facts": "repository_analysis.json",
    "graph": "graph.json",
    "dataset": "train.jsonl, val.jsonl, test.jsonl and metadata.json",
    "adapter": "the PEFT folder",
    "merged": "the full model",
    "report": "the report's page and JSON",
}
DATASETS = "data/*.parquet, README.md and metadata.json"


@click.command("export")
@click.argument("table")
@click.option(
    "--format",
    "form",
    metavar="FORM",
    default="",
    help="Of a dataset: seed, openai, sharegpt or datasets [default: seed].",
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; made when it is not there.",
)
def command(table: str, folder: Path, form: str) -> int:
    """Write TABLE to a folder: facts, graph, dataset, adapter, merged or report.

    \b
    repobuild export dataset -o out --format datasets
    """
    from repobuild.checkout import find

    _check(table, form)
    checkout = find()
    state = checkout.state()
    line = state.line(table)
    if line is None:
        raise StaleError(
            f"{table} is not built yet\nrun `repobuild --until {table}` first"
        )
    revision = line.commit or "HEAD"
    build = checkout.view(checkout.snapshot(revision), state)
    folder.mkdir(parents=True, exist_ok=True)
    _write(build, table, folder, form or "seed")
    written = DATASETS if form == "datasets" else FORMATS[table]
    click.echo(f'wrote {written} to "{folder}"')
    return 0


def _check(table: str, form: str) -> None:
    from repobuild.samples.export import FORMS

    if table not in FORMATS:
        raise UsageError(
            f'"{table}" cannot be exported{nearest(table, FORMATS)}\n'
            f"these can: {', '.join(FORMATS)}"
        )
    if form and form not in FORMS:
        raise UsageError(
            f'unknown format "{form}"{nearest(form, FORMS)}\n'
            f"a dataset is written as: {', '.join(FORMS)}"
        )
    if form and table != "dataset":
        raise UsageError(
            f'"{table}" has one format only\nleave out `--format`, or export `dataset`'
        )


def _write(build: Build, table: str, folder: Path, form: str) -> None:
    if table == "facts":
        _write_analysis(folder / FORMATS[table], build)
    elif table == "graph":
        from repobuild.code.analysis import graph_json

        commit = build.snapshot.commit
        _write_json(folder / FORMATS[table], graph_json(build, commit))
    elif table == "dataset":
        from repobuild.samples.export import export

        export(build, folder, build.snapshot.commit, form)
    else:
        shutil.copytree(_artifact(build, table), folder, dirs_exist_ok=True)


def _artifact(build: Build, table: str) -> Path:
    from repobuild.cli.newest import newest

    _, row = newest(build, "adapter")
    if table != "adapter":
        row = build.table(table).get(row["object"]) or row
    return build.store.path(str(row["object"]))


def _write_analysis(path: Path, build: Build) -> None:
    """Write the analysis as it is read, a line an element: 164 MB of the standard
    library take 2 GB as one text, and a fifth of it so."""
    from repobuild.code.analysis import analysis_parts
    from repobuild.samples.secret import found_in, without

    found = found_in(_sources(build))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        mark = "{"
        for key, part in analysis_parts(build, build.snapshot.blob):
            file.write(f"{mark}\n{json.dumps(key)}: ")
            mark = ","
            if isinstance(part, Iterator):
                _write_list(file, (without(item, found) for item in part))
            else:
                file.write(_line(without(part, found)))
        file.write("\n}\n")


def _sources(build: Build) -> Iterator[str]:
    for _, row in build.table("files").items():
        if row["language"]:
            yield build.snapshot.blob(row["blob"]).decode("utf-8", "replace")


def _write_list(file: TextIO, items: Iterator[Any]) -> None:
    mark = "["
    for item in items:
        file.write(f"{mark}\n{_line(item)}")
        mark = ","
    file.write("[]" if mark == "[" else "\n]")


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_json(path: Path, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
