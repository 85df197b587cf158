"""Clone a repository with git, and bring a clone up to date.

A clone may be hostile. Git runs nothing of it here:

    hooks         none run, even where the user's `core.hooksPath` is a path that leads
                  into the clone; no template is copied
    submodules    are not cloned, whatever `submodule.recurse` says
    filters       git-lfs downloads nothing; repobuild reads pointers as they are
    options       a URL or folder that begins with "-" is refused, and "--" is before it
    protocols     those of git's own `protocol.allow`: "ext::" runs a program, and is
                  refused by default

The program `git` does this, not libgit2: it knows the user's credentials and proxies.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from repobuild.errors import BuildError, UsageError
from repobuild.git.program import REPOSITORY_VARIABLES, run_git
from repobuild.resources import program

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+|[\w.-]+@[\w.-]+:\S+", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Return whether an argument can only be the URL of a repository."""
    return bool(_URL.fullmatch(text))


def folder_name(url: str) -> str:
    """Return the folder that a clone gets by default, as git names it.

    Raises `UsageError` when the URL ends in no name.
    """
    name = re.split(r"[/:\\]", _trimmed(url))[-1]
    if not name.isprintable() or name in ("", ".", "..") or name.startswith("-"):
        raise UsageError(
            "the URL ends in no name for a folder\nname one: repobuild clone URL DIR"
        )
    return name


def clone_or_update(url: str, folder: Path) -> str:
    """Clone into a folder, or bring the clone that is there up to date.

    Returns "cloned", "updated" or "current".

    Raises:
        UsageError: the URL is none, or the folder holds something else.
        BuildError: git cannot clone, fetch or fast-forward.
    """
    if not url or url.startswith("-") or not url.isprintable():
        raise UsageError(
            "this is no URL of a repository\n"
            "write it as git takes it: https://host/owner/name.git"
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        run_git(
            "clone", "--quiet", "--no-recurse-submodules", "--template=", "--",
            url, str(folder),
        )  # fmt: skip
        return "cloned"
    if not is_clone_of(url, folder):
        raise UsageError(
            f'"{folder}" is there already, and no clone of this URL\n'
            "name another folder: repobuild clone URL DIR"
        )
    return _update(folder)


def is_clone_of(url: str, folder: Path) -> bool:
    """Return whether the top folder of a repository has this URL as its origin."""
    if not (folder / ".git").exists():
        return False
    try:
        origin = run_git("config", "--get", "remote.origin.url", folder=folder)
    except BuildError:
        return False
    return _trimmed(origin) == _trimmed(url)


def _update(folder: Path) -> str:
    """Fetch, and fast-forward the branch that is checked out."""
    before = run_git("rev-parse", "HEAD", folder=folder)
    run_git("fetch", "--quiet", "--no-recurse-submodules", "origin", folder=folder)
    try:
        run_git("merge", "--quiet", "--ff-only", "@{upstream}", folder=folder)
    except BuildError as error:
        raise BuildError(
            f"{error}\n"
            f'"{folder}" is not fast-forwarded over commits or edits of your own\n'
            f"bring it up to date with git, then run `{program()}` in it"
        ) from error
    after = run_git("rev-parse", "HEAD", folder=folder)
    return "current" if after == before else "updated"


def forget_other_repository() -> None:
    """Remove the variables that would have this process open another repository."""
    for name in REPOSITORY_VARIABLES:
        os.environ.pop(name, None)


def _trimmed(url: str) -> str:
    return url.rstrip("/").removesuffix("/.git").removesuffix(".git").rstrip("/")
