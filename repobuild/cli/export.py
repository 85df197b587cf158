"""repobuild export: write a table to a folder, in its exchange format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from repobuild.errors import StaleError, UsageError, nearest

if TYPE_CHECKING:
    from repobuild.engine.build import Build

FORMATS = {
    "facts": "repository_analysis.json",
    "graph": "graph.json",
    "dataset": "train.jsonl, val.jsonl, test.jsonl and metadata.json",
    "adapter": "the PEFT folder with its model card",
    "merged": "the full model with its model card",
    "base": "the base model",
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
@click.option(
    "--with-base/--without-base",
    "with_base",
    default=None,
    help="Of an adapter: also write its base model, into DIR/base "
    "[default: the embedded base only].",
)
@click.option(
    "--base-model",
    "named",
    metavar="ID",
    default="",
    help="Of an adapter: the hub id that its base is published under.",
)
def command(
    table: str, folder: Path, form: str, with_base: bool | None, named: str
) -> int:
    """Write TABLE to a folder: facts, graph, dataset, adapter, merged, base or report.

    \b
    repobuild export dataset -o out --format datasets
    repobuild export adapter -o out
    """
    from repobuild.checkout import find

    _check(table, form)
    _check_base(table, with_base, named)
    checkout = find()
    if table == "base":
        _write_base(checkout.settings, folder)
        return _said(table, folder)
    state = checkout.state()
    line = state.line(table)
    if line is None:
        raise StaleError(
            f"{table} is not built yet\nrun `repobuild --until {table}` first"
        )
    revision = line.commit or "HEAD"
    build = checkout.view(checkout.snapshot(revision), state)
    folder.mkdir(parents=True, exist_ok=True)
    if table in ("adapter", "merged"):
        _publish(build, table, folder, with_base, named)
    else:
        _write(build, table, folder, form or "seed")
    return _said(table, folder, form)


def _said(table: str, folder: Path, form: str = "") -> int:
    written = DATASETS if form == "datasets" else FORMATS[table]
    click.echo(f'wrote {written} to "{folder}"')
    return 0


def _check(table: str, form: str) -> None:
    from repobuild.samples.export.dataset_files import FORMS

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


def _check_base(table: str, with_base: bool | None, named: str) -> None:
    from repobuild.model.base import HUB_ID

    if table != "adapter" and (with_base is not None or named):
        raise UsageError(
            f'"{table}" names no base model\n'
            "`--with-base`, `--without-base` and `--base-model` are for `adapter`"
        )
    if named and not HUB_ID.fullmatch(named):
        raise UsageError(
            f'"{named}" is no hub id (--base-model)\nwrite it as "owner/name"'
        )


def _publish(
    build: Build, table: str, folder: Path, with_base: bool | None, named: str
) -> None:
    from repobuild.cli.newest_artifact import newest
    from repobuild.model.publish.publication import Publication

    found = Publication(build, *newest(build, "adapter"), named)
    if table == "merged":
        found.write_merged(folder)
    else:
        found.write_adapter(folder, with_base)


def _write_base(settings: dict[str, Any], folder: Path) -> None:
    from repobuild.model.base import resolve
    from repobuild.model.publish.hub import write_model

    base = resolve(settings)
    if not Path(base.source).is_dir():
        raise UsageError(
            f'the base model "{base.name}" is on the hub\n'
            f"have it from there: hf download {base.name}"
        )
    write_model(Path(base.source), folder)


def _write(build: Build, table: str, folder: Path, form: str) -> None:
    if table == "facts":
        _write_analysis(folder / FORMATS[table], build)
    elif table == "graph":
        from repobuild.code.graph.analysis_export import graph_json

        commit = build.snapshot.commit
        _write_json(folder / FORMATS[table], graph_json(build, commit))
    elif table == "dataset":
        from repobuild.samples.export.dataset_files import export

        export(build, folder, build.snapshot.commit, form)
    else:
        shutil.copytree(_report(build), folder, dirs_exist_ok=True)


def _report(build: Build) -> Path:
    from repobuild.cli.newest_artifact import newest
    from repobuild.model.publish.publication import stored

    _, adapter = newest(build, "adapter")
    row = build.table("report").get(adapter["object"])
    if row is None:
        raise StaleError(
            "there is no report on this adapter\nrun `repobuild --until report` first"
        )
    return stored(build, str(row["object"]), "report")


def _write_analysis(path: Path, build: Build) -> None:
    """Write the analysis as it is read, a line an element: 164 MB of the standard
    library take 2 GB as one text, and a fifth of it so."""
    from repobuild.code.graph.analysis_export import analysis_parts
    from repobuild.samples.dataset.secret_detection import found_in, without

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
