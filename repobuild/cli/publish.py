"""repobuild publish: put the adapter of HEAD where it is served from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, short
from repobuild.errors import StaleError, UsageError
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.model.publish.destination import Destination, Published, Release

_SETTING = "publish.to"


@click.command("publish")
@click.argument("target", required=False, default="")
@click.option(
    "--public",
    is_flag=True,
    help="Of a hub repository: let it be a public one.",
)
@click.option(
    "--with-base/--without-base",
    "with_base",
    default=None,
    help="Also publish the base model, as base/ [default: the embedded base only].",
)
@click.option(
    "--base-model",
    "named",
    metavar="ID",
    default="",
    help="The hub id that the base is published under.",
)
@options.as_json
def command(
    target: str, public: bool, with_base: bool | None, named: str, as_json: bool
) -> int:
    """Put HEAD's adapter where it is served from: a folder, a URL or the hub.

    TARGET is a folder, a URL that fsspec knows, or hf://owner/name; by default it is
    the setting `publish.to`. Only a promoted adapter of HEAD is published; exit 1 when
    there is none.

    \b
    repobuild publish /srv/adapters
    repobuild publish s3://models/adapters/shop
    HF_TOKEN=... repobuild publish hf://team/shop-adapter
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.export import check_base_id
    from repobuild.cli.progress import progress_for

    check_base_id(named)
    checkout = open_checkout()
    if target:
        place = destination(target, public, Path.cwd())
    else:
        checkout.powers.require([_SETTING])
        target = str(checkout.settings[_SETTING])
        place = destination(target, public, checkout.root)
    if with_base:
        from repobuild.powers import BASE_SETTINGS

        checkout.powers.require(BASE_SETTINGS)
    progress = progress_for(as_json)
    with tempfile.TemporaryDirectory(prefix="repobuild-publish-") as name:
        with progress("writing the adapter", 0):
            build = checkout.view(checkout.snapshot(), checkout.state())
            release = _write_release(build, Path(name), with_base, named)
        with progress("publishing", 0):
            done = place.publish(release, _ancestry(checkout))
    emit(_facts(release, done), as_json, _text)
    return 0


def _facts(release: Release, done: Published) -> dict[str, Any]:
    return {
        "version": 1,
        "commit": release.commit,
        "adapter": release.adapter,
        "where": done.where,
        "new": done.is_new,
        "latest": done.latest,
    }


def destination(target: str, public: bool, root: Path) -> Destination:
    """Return the place that a target names; a relative folder is below `root`.

    Raises `UsageError` for none, and for `--public` where nothing is private.
    """
    from repobuild.model.base import HUB_ID
    from repobuild.model.publish.folder_destination import FolderDestination
    from repobuild.model.publish.hub_destination import SCHEME, HubDestination
    from repobuild.model.publish.url_destination import UrlDestination

    if not target:
        raise UsageError(
            "there is no place to publish to\n"
            f"name one: {program()} publish TARGET, or set publish.to"
        )
    if target.startswith(SCHEME):
        name = target.removeprefix(SCHEME)
        if not HUB_ID.fullmatch(name):
            raise UsageError(
                f'"{target}" is no repository of a hub\nwrite it as hf://owner/name'
            )
        return HubDestination(name, public)
    if public:
        raise UsageError("`--public` is for a hub repository, hf://owner/name")
    scheme, separator, path = target.partition("://")
    if separator and scheme.lower() not in ("file", "local"):
        return UrlDestination(target)
    return FolderDestination(
        Path(root, Path(path if separator else target).expanduser())
    )


def _write_release(
    build: Build, folder: Path, with_base: bool | None, named: str
) -> Release:
    """Export HEAD's adapter; raises `StaleError` when none was promoted there."""
    from repobuild.ci.gate import gate_facts
    from repobuild.model.publish.destination import RECORD, Release
    from repobuild.model.publish.publication import Publication

    gate = gate_facts(build)
    if not gate["passes"]:
        commit = short(gate["commit"])
        raise StaleError(
            f"there is no adapter of {commit} to publish: {gate['why']}\n"
            f"run `{program()}` first; `{program()} log` lists the adapters"
        )
    row = build.table("adapter").get(gate["commit"])
    assert row is not None
    publication = Publication(build, gate["commit"], row, named)
    publication.write_adapter(folder, with_base)
    release = Release(gate["commit"], gate["adapter"], folder)
    (folder / RECORD).write_bytes(release.record.to_bytes())
    return release


def _ancestry(checkout: Checkout) -> Any:
    """Return a function that says whether a commit is an ancestor of another one."""
    import pygit2

    def is_ancestor(one: str, other: str) -> bool:
        try:
            return bool(checkout.repository.descendant_of(other, one))
        except (KeyError, ValueError, pygit2.GitError):
            return False  # not known here

    return is_ancestor


def _text(facts: dict[str, Any]) -> str:
    lines = [f"published {short(facts['commit'])} to {facts['where']}"]
    if not facts["new"]:
        lines = [f"{short(facts['commit'])} is there already: {facts['where']}"]
    if facts["latest"] != facts["commit"]:
        lines.append(
            f"`latest` stays at {short(facts['latest'])}, which is a newer commit"
        )
    return "\n".join(lines)
