"""Fill in the recipe of a CI: a file of configs/ci, with what fits this repository.

    @BRANCH_GLOB@    the branch that trains, as a pattern of GitHub that only it matches
    @DEPTH@          commits to check out: as many as the settings let a build read
    @PACKAGE@        what pip installs
    @VERSION@        of this repobuild

Every value is written as a JSON string, which is a YAML string too: the name of a
branch may hold quotes, `#`, `$` and `${{ }}`. In the recipes nothing of a repository,
an event or an input stands in a shell script; it gets there through a variable.
"""

from __future__ import annotations

import re

import pygit2

from repobuild import __version__
from repobuild.plain_text import json_text
from repobuild.resources import data_folder

CIS = ("github", "gitlab")
PACKAGE = f"repobuild=={__version__}"
_PATTERN_SIGN = re.compile(r"[*?+\[\]!\\]")
_FIELD = re.compile(r"@([A-Z_]+)@")


def recipe(name: str, branch: str, package: str, depth: int) -> str:
    """Return the recipe of a CI as YAML, filled in."""
    text = (data_folder("configs") / "ci" / f"{name}.yml").read_text("utf-8")
    glob = _PATTERN_SIGN.sub(lambda sign: f"\\{sign[0]}", branch)
    fields = {
        "BRANCH_GLOB": json_text(glob),
        "DEPTH": str(depth),
        "PACKAGE": json_text(package),
        "VERSION": __version__,
    }
    return _FIELD.sub(lambda field: fields[field[1]], text).rstrip("\n")


def default_branch(repository: pygit2.Repository) -> str:
    """Return the default branch of `origin`, else the one that is checked out."""
    for name, prefix in (
        ("refs/remotes/origin/HEAD", "refs/remotes/origin/"),
        ("HEAD", "refs/heads/"),
    ):
        try:
            target = repository.lookup_reference(name).target
        except (KeyError, ValueError, pygit2.GitError):
            continue
        if isinstance(target, str) and target.startswith(prefix):
            return target.removeprefix(prefix)
    return "main"
