"""Say which modules are Python's own."""

from __future__ import annotations

import sys
import tomllib
from functools import cache

from repobuild.resources import data_folder


@cache
def standard_modules() -> frozenset[str]:
    """Return the modules of the standard library, also those of Python 2 alone."""
    path = data_folder("configs") / "languages" / "python.toml"
    table = tomllib.loads(path.read_text("utf-8"))
    return frozenset([*sys.stdlib_module_names, *table["python2_library"]])
