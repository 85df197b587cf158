"""repobuild export: write a table to a folder in its exchange format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from repobuild.cli.adapter_lookup import find_adapter
from repobuild.cli.export_target import ExportTarget
from repobuild.cli.output import print_text
from repobuild.cli.shell_words import one_of
from repobuild.errors import StaleError, UsageError, nearest
from repobuild.plain_text import json_text
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build

FORMATS = {
    "facts": "repository_analysis.json",
    "graph": "graph.json",
    "reconstruction": "reconstruction.json and reconstruction.md",
    "dataset": "train.jsonl, val.jsonl, test.jsonl and metadata.json",
    "adapter": "the PEFT folder with its model card",
    "merged": "the full model with its model card",
    "base": "the base model",
    "report": "the report's page and JSON",
}
DATASETS = "data/*.parquet, README.md and metadata.json"
PAGE = "html"
RECONSTRUCTION = "reconstruction"


class BaseOptions(NamedTuple):
    """How an exported adapter refers to its base model."""

    include: bool | None  # write the base too; None: the embedded base only
    hub_id: str  # "" for the base's own name


@click.command("export")
@click.argument(
    "table",
    shell_complete=one_of(FORMATS),
)
@click.option(
    "--format",
    "form",
    metavar="FORM",
    default="",
    help="Of a dataset: seed, openai, sharegpt, datasets, or html, a page of 50 "
    "samples [default: seed].",
)
@click.option(
    "--seed",
    metavar="S",
    default=1,
    type=int,
    help="Of html: which samples are drawn [default: 1].",
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; made when it does not exist.",
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
@click.option(
    "--force",
    is_flag=True,
    help="Replace files in DIR that are not from an earlier export.",
)
def command(
    table: str,
    folder: Path,
    form: str,
    seed: int,
    with_base: bool | None,
    named: str,
    force: bool,
) -> int:
    """Write TABLE to a folder: facts, graph, dataset, adapter, merged, base or report.

    `reconstruction` is the repository in dependency order: skeletons, features, areas.

    \b
    repobuild export dataset -o out --format datasets
    repobuild export adapter -o out
    repobuild export reconstruction -o out
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.powers import BASE_SETTINGS

    _check_format(table, form)
    _check_base_options(table, with_base, named)
    checkout = open_checkout()
    if table == "base" or with_base:
        checkout.powers.require(BASE_SETTINGS)
    target = ExportTarget.of(folder, table, force)
    with progress_for(quiet=False)(f"writing {table}", 0):
        if table == RECONSTRUCTION:
            return _export_reconstruction(checkout, target)
        if table == "base":
            _write_base(checkout.settings, target)
        else:
            base = BaseOptions(with_base, named)
            _write_table(checkout, target, form or "seed", base, seed)
    written = {"datasets": DATASETS, PAGE: "index.html"}.get(form, FORMATS[table])
    print_text(f'wrote {written} to "{folder}"')
    return 0


def _built(checkout: Checkout, table: str) -> Build:
    """Return the build of the commit that a table is of.

    Raises `StaleError` for a table that is not built.
    """
    from repobuild.engine.as_of import commit_of

    state = checkout.state()
    line = state.line(table)
    if line is None:
        raise StaleError(
            f"{table} is not built yet\nrun `{program()} --until {table}` first"
        )
    build = checkout.view(checkout.snapshot(line.commit or "HEAD"), state)
    if table in ("facts", "features"):  # written with the text of the files
        commit_of(build, table)
    return build


def _write_table(
    checkout: Checkout, target: ExportTarget, form: str, base: BaseOptions, seed: int
) -> None:
    """Write a table as it was last built."""
    table = target.table
    build = _built(checkout, table)
    commit = build.snapshot.commit
    with target.writing() as folder:
        if table in ("adapter", "merged"):
            _publish(build, table, folder, base)
        elif table == "facts":
            _write_analysis(folder / FORMATS[table], build)
        elif table == "graph":
            _write_graph(folder / FORMATS[table], build)
        elif form == PAGE:
            from repobuild.samples.export.sample_page import write_page

            write_page(build, folder, commit, seed)
        elif table == "dataset":
            from repobuild.samples.export.dataset_files import export

            export(build, folder, commit, form)
        else:
            shutil.copytree(_report_folder(build), folder, dirs_exist_ok=True)


def _check_format(table: str, form: str) -> None:
    from repobuild.samples.export.dataset_files import DATASET_FORMATS

    if table not in FORMATS:
        raise UsageError(
            f'"{table}" cannot be exported{nearest(table, FORMATS)}\n'
            f"these can: {', '.join(FORMATS)}"
        )
    known = (*DATASET_FORMATS, PAGE)
    if form and form not in known:
        raise UsageError(
            f'unknown format "{form}"{nearest(form, known)}\n'
            f"a dataset is written as: {', '.join(known)}"
        )
    if form and table != "dataset":
        raise UsageError(
            f'"{table}" has one format only\nleave out `--format`, or export `dataset`'
        )


def _check_base_options(table: str, with_base: bool | None, named: str) -> None:
    if table != "adapter" and (with_base is not None or named):
        raise UsageError(
            f'"{table}" names no base model\n'
            "`--with-base`, `--without-base` and `--base-model` are for `adapter`"
        )
    check_base_id(named)


def check_base_id(named: str) -> None:
    """Raise `UsageError` for a name under which no base can be on a hub."""
    from repobuild.model.base import HUB_ID

    if named and not HUB_ID.fullmatch(named):
        raise UsageError(
            f'"{named}" is no hub id (--base-model)\nwrite it as "owner/name"'
        )


def _publish(build: Build, table: str, folder: Path, base: BaseOptions) -> None:
    from repobuild.model.publish.publication import Publication

    publication = Publication(build, *find_adapter(build), base.hub_id)
    if table == "merged":
        publication.write_merged(folder)
    else:
        publication.write_adapter(folder, base.include)


def _write_base(settings: dict[str, Any], target: ExportTarget) -> None:
    from repobuild.model.base import resolve_base
    from repobuild.model.publish.hub import write_model

    base = resolve_base(settings)
    if not Path(base.source).is_dir():
        raise UsageError(
            f'the base model "{base.name}" is on the hub\n'
            f"have it from there: hf download {base.name}"
        )
    with target.writing() as folder:
        write_model(Path(base.source), folder)


def _report_folder(build: Build) -> Path:
    from repobuild.model.publish.publication import artifact_folder

    _, adapter = find_adapter(build)
    row = build.table("report").get(adapter["object"])
    if row is None:
        raise StaleError(
            "there is no report on this adapter\n"
            f"run `{program()} --until report` first"
        )
    return artifact_folder(build, str(row["object"]), "report")


def _write_graph(path: Path, build: Build) -> None:
    from repobuild.code.graph.analysis_export import graph_json
    from repobuild.samples.dataset.secret_detection import find_in_texts, redact_found

    graph = graph_json(build, build.snapshot.commit)
    secrets = find_in_texts(_sources(build))
    path.write_text(json_text(redact_found(graph, secrets), indent=1) + "\n", "utf-8")


def _export_reconstruction(checkout: Checkout, target: ExportTarget) -> int:
    """Write the reconstruction of the commit that `features` are of."""
    from repobuild.cli.reconstruction_export import (
        print_round_trip,
        write_reconstruction,
    )
    from repobuild.samples.dataset.secret_detection import find_in_texts

    build = _built(checkout, "features")
    with target.writing() as folder:
        trip = write_reconstruction(folder, build, find_in_texts(_sources(build)))
    print_text(f'wrote {FORMATS[RECONSTRUCTION]} to "{target.folder}"')
    return print_round_trip(trip)


def _write_analysis(path: Path, build: Build) -> None:
    """Write the analysis element by element, one a line.

    The analysis of Python's standard library (164 MB) takes 2 GB of memory as one text
    and a fifth of that element by element.
    """
    from repobuild.code.graph.analysis_export import analysis_parts
    from repobuild.samples.dataset.secret_detection import (
        find_in_texts,
        redact,
        redact_found,
    )

    secrets = find_in_texts(_sources(build))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        separator = "{"
        for key, part in analysis_parts(build, build.snapshot.blob):
            file.write(f"{separator}\n{json.dumps(key)}: ")
            separator = ","
            if isinstance(part, Iterator):
                _write_list(file, (redact_found(item, secrets) for item in part))
            else:
                if key == "project_context":  # also from files that are not analysed
                    part = redact(part)
                file.write(_line(redact_found(part, secrets)))
        file.write("\n}\n")


def _sources(build: Build) -> Iterator[str]:
    """Yield the path and the text of every analysed file."""
    for path, row in build.table("files").items():
        if row["language"]:
            yield path
            yield build.snapshot.blob(row["blob"]).decode("utf-8", "replace")


def _write_list(file: TextIO, items: Iterator[Any]) -> None:
    separator = "["
    for item in items:
        file.write(f"{separator}\n{_line(item)}")
        separator = ","
    file.write("[]" if separator == "[" else "\n]")


def _line(value: Any) -> str:
    return json_text(value)
