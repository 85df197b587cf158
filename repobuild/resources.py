"""Where the data that travels with repobuild lies: rules, configs, cache.

In a checkout they are folders beside the package; in a wheel they are packed into
`repobuild/share`. They are no packages, because users' repositories have folders of
these names and `python -m repobuild` runs inside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Name = Literal["rules", "configs", "cache"]


def folder(name: Name) -> Path:
    """Return the folder of that name, the same in a checkout and in an installation."""
    packed = Path(__file__).parent / "share" / name
    return packed if packed.is_dir() else Path(__file__).parents[1] / name
