"""repobuild export: write a table to a folder, in its exchange format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@click.command("export")
@click.argument("table")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; made when it is not there.",
)
def command(table: str, folder: Path) -> int:
    """Write TABLE to a folder: facts, graph, dataset, adapter, merged or report."""
    from repobuild.checkout import find

    if table not in FORMATS:
        raise UsageError(
            f'"{table}" cannot be exported{nearest(table, FORMATS)}\n'
            f"these can: {', '.join(FORMATS)}"
        )
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
    _write(build, table, folder)
    click.echo(f'wrote {FORMATS[table]} to "{folder}"')
    return 0


def _write(build: Build, table: str, folder: Path) -> None:
    if table == "facts":
        from repobuild.code.analysis import repository_analysis
        from repobuild.samples.secret import withheld

        analysis = repository_analysis(build, build.snapshot.blob)
        _write_json(folder / FORMATS[table], withheld(analysis))
    elif table == "graph":
        from repobuild.code.analysis import graph_json

        commit = build.snapshot.commit
        _write_json(folder / FORMATS[table], graph_json(build, commit))
    elif table == "dataset":
        from repobuild.samples.export import export

        export(build, folder)
    else:
        shutil.copytree(_artifact(build, table), folder, dirs_exist_ok=True)


def _artifact(build: Build, table: str) -> Path:
    from repobuild.cli.newest import newest

    _, row = newest(build, "adapter")
    if table != "adapter":
        row = build.table(table).get(row["object"]) or row
    return build.store.path(str(row["object"]))


def _write_json(path: Path, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
