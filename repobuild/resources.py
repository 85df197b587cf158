"""Locate the data that ships with repobuild (rules, configs, cache).

In a checkout they are folders beside the package; in a wheel they are packed into
`repobuild/share`. They are not packages, because users' repositories have folders of
these names and `python -m repobuild` runs inside them.
"""

from __future__ import annotations

import os

SETTINGS_FILE = "repobuild.toml"  # the settings of a repository, in its root folder

TYPE_CHECKING = False  # type checkers read it as true; importing `typing` costs 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    Name = Literal["rules", "configs", "cache"]


def path_of(name: Name) -> str:
    """Return `folder(name)` as a string, without importing `pathlib` (7 ms)."""
    package = os.path.dirname(os.path.abspath(__file__))
    packed = os.path.join(package, "share", name)
    if os.path.isdir(packed):
        return packed
    return os.path.join(os.path.dirname(package), name)


def data_folder(name: Name) -> Path:
    """Return the data folder of that name, in a checkout or an installation."""
    from pathlib import Path

    return Path(path_of(name))
