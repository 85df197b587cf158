"""Tell whether a checkout can be installed at once, and which document says how.

`pip install .` runs a `setup.py` where nothing of the project is installed yet. One
that imports the package itself, to read its version, imports all that the package
needs with it, and fails before it can declare that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from repobuild.code.graph.project.introduction import (
    README_NAMES,
    import_letters,
    letters,
)

_PYPROJECT = "pyproject.toml"
_SETUPTOOLS = "setuptools"


def missing_for_setup(
    imported: Iterable[str],
    manifests: Mapping[str, Mapping[str, Any]],
    is_own: Callable[[str], bool],
    is_beside: Callable[[str], bool],
) -> list[str]:
    """Return what `setup.py` imports at its top level, and a clean machine lacks.

    `is_own` tells whether a top module is the project's package, `is_beside` whether it
    lies beside `setup.py` and is no part of what is installed.
    """
    declared = manifests.get(_PYPROJECT, {})
    backend = str(declared.get("backend") or _SETUPTOOLS)
    if not backend.startswith(_SETUPTOOLS):
        return []  # nothing runs it
    build = import_letters(declared.get("build", ()))
    return [
        one
        for one in sorted(imported)
        if is_own(one) or not (is_beside(one) or letters(one) in build)
    ]


def setup_command(guides: Mapping[str, str]) -> list[str]:
    """Return what installs a checkout, a command a line, and the document that says so.

    A README speaks before a guide to the installation, and that before any other.
    """
    ranked = sorted(
        guides,
        key=lambda path: (
            path.lower() not in README_NAMES,
            "install" not in path.lower(),
            path,
        ),
    )
    return [guides[ranked[0]], ranked[0]] if ranked else []
