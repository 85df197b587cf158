"""repobuild clone: clone a repository and build it, or update a clone and build."""

from __future__ import annotations

import os
from pathlib import Path

import click

from repobuild.cli.build import command as build
from repobuild.cli.output import print_message

_DONE = {
    "cloned": "cloned into",
    "updated": "fast-forwarded",
    "current": "nothing new for",
}


@click.command("clone")
@click.argument("url")
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--until", metavar="TABLE", default="", help="Stop after this table.")
@click.pass_context
def command(context: click.Context, url: str, folder: Path | None, until: str) -> int:
    """Clone URL with git, and build it; run again to fetch and bring it up to date.

    Nothing of the clone is run: no hooks, no submodules.

    \b
    repobuild clone https://github.com/pallets/click
    repobuild https://github.com/pallets/click.git      the same, shorter
    """
    from repobuild.cli.progress import progress_for
    from repobuild.git.clone import clone_or_update, forget_other_repository

    place = folder or _default_folder(url)
    with progress_for(quiet=False)("fetching commits", 0):
        done = clone_or_update(url, place)
    print_message(f'{_DONE[done]} "{place}"')
    forget_other_repository()
    os.chdir(place)
    result: int = context.invoke(build, until=until)
    return result


def _default_folder(url: str) -> Path:
    """Return the repository that this is called in if it is a clone, else a new one."""
    from repobuild.git.clone import folder_name, is_clone_of
    from repobuild.git.discovery import locate

    name = folder_name(url)
    found = locate()
    if found and found.work_tree and is_clone_of(url, Path(found.work_tree)):
        return Path(found.work_tree)
    return Path(name)
