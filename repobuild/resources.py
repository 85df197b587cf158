"""Paths of the data that ships with repobuild (rules, configs, cache) and of settings.

In a checkout they are folders beside the package; in a wheel they are packed into
`repobuild/share`. They are no packages, because users' repositories have folders of
these names and `python -m repobuild` runs inside them.
"""

from __future__ import annotations

import os

SETTINGS_FILE = "repobuild.toml"  # a repository's own settings, at its root

TYPE_CHECKING = False  # what type checkers read as true; `typing` itself costs 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    Name = Literal["rules", "configs", "cache"]


def path_of(name: Name) -> str:
    """Return `folder` as text: `pathlib` costs 7 ms where there is nothing to do."""
    package = os.path.dirname(os.path.abspath(__file__))
    packed = os.path.join(package, "share", name)
    if os.path.isdir(packed):
        return packed
    return os.path.join(os.path.dirname(package), name)


def folder(name: Name) -> Path:
    """Return the folder of that name, the same in a checkout and in an installation."""
    from pathlib import Path

    return Path(path_of(name))
