"""Read which packages the manifests of a tree declare as dependencies.

A file that imports such a package imports its installation, so no element of the tree
is meant. Only what is certain counts: the import has the package's own name, a manifest
in a folder above the file declares it, and nothing in the tree may be that package (a
manifest of that name, or a `setup` script, whose project's name is not read here).
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:[\[;@<>=!~(#].*)?$")
_SEPARATORS = re.compile(r"[-_.]+")
_SETUP_SCRIPT = "setup.py"


class DeclaredPackages:
    """The dependencies of a tree, by the folders whose manifests declare them."""

    def __init__(self, documents: Mapping[str, str], paths: Iterable[str]) -> None:
        self._folders: dict[str, list[str]] = {}  # package -> folders
        self._found: dict[tuple[str, str], str] = {}  # by path and module
        if any(path.rpartition("/")[2] == _SETUP_SCRIPT for path in paths):
            return
        projects: set[str] = set()
        for path, text in documents.items():
            folder, _, name = path.rpartition("/")
            for declared in _read(name, text, projects):
                self._folders.setdefault(_normal(declared), []).append(folder)
        for project in projects:
            self._folders.pop(project, None)

    def imported_by(self, path: str, module: str) -> str:
        """Return the declared package that a file imports a module from, or ""."""
        if not self._folders:
            return ""
        key = path, module
        if key not in self._found:
            self._found[key] = self._search(path, module.split("."))
        return self._found[key]

    def _search(self, path: str, parts: list[str]) -> str:
        for end in range(1, len(parts) + 1):
            name = _normal("_".join(parts[:end]))
            for folder in self._folders.get(name, ()):
                if not folder or path.startswith(folder + "/"):
                    return name
        return ""


def _normal(name: str) -> str:
    return _SEPARATORS.sub("_", name).lower()


def _read(name: str, text: str, projects: set[str]) -> Iterator[str]:
    """Yield what one manifest declares, and add the project's name to `projects`."""
    try:
        if name == "pyproject.toml":
            project = _table(tomllib.loads(text).get("project"))
            projects.add(_normal(str(project.get("name", ""))))
            listed = project.get("dependencies")
            lines = listed if isinstance(listed, list) else []
        elif name == "setup.cfg":
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
            projects.add(_normal(parser.get("metadata", "name", fallback="")))
            required = parser.get("options", "install_requires", fallback="")
            lines = required.splitlines()
        elif name.startswith("requirements") and name.endswith(".txt"):
            lines = text.splitlines()
        else:
            return
    except (ValueError, RecursionError, configparser.Error):
        return
    for line in lines:
        if match := _REQUIREMENT.match(str(line)):
            yield match[1]


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
