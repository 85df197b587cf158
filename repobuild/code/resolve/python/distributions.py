"""What the manifests of the repository say about imports.

A distribution is a folder whose manifest names a project. A package that a manifest
declares as a dependency is imported from its installation, whatever files of the
repository have its name, unless the repository itself is the project of that name.
Terms (see modules.py):

    dep:a     which manifests declare or provide a package that `import a` can mean
    dist:DIR  whether a manifest in DIR names a project
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from repobuild.code.resolve.paths import folder_of

_MANIFEST = re.compile(r"(?:.*/)?(?:pyproject\.toml|setup\.cfg|requirements[^/]*\.txt)")
_SEPARATORS = re.compile(r"[-_.]+")
# Folders with files that nothing outside of them imports.
_ASIDE = frozenset(
    "test tests testing doc docs example examples sample samples demo demos benchmark"
    " benchmarks fixtures".split()
)


class PythonManifest(NamedTuple):
    """What one Python manifest declares; names are normal forms of `import` names."""

    folder: str  # the importing files below it are its own
    provides: str  # its project's name, or ""
    requires: frozenset[str]


class Distributions:
    """The Python manifests of the repository, in their current state."""

    def __init__(
        self, manifests: Iterable[tuple[str, Any]], import_names: Mapping[str, str]
    ) -> None:
        self._import_names = import_names
        self._named: set[str] = set()
        self._providers: dict[str, set[str]] = {}  # package -> folders
        self._dependents: dict[str, set[str]] = {}  # package -> folders
        for path, facts in manifests:
            manifest = self.manifest(path, facts)
            if manifest is None:
                continue
            if manifest.provides:
                self._named.add(manifest.folder)
                folders = self._providers.setdefault(manifest.provides, set())
                folders.add(manifest.folder)
            for name in manifest.requires:
                self._dependents.setdefault(name, set()).add(manifest.folder)

    def manifest(self, path: str, facts: Any) -> PythonManifest | None:
        """Return a file's declarations, None when it is no Python manifest."""
        if not facts or "project" not in facts or not _MANIFEST.fullmatch(path):
            return None
        project = facts["project"]
        folder = folder_of(path)
        if folder.rpartition("/")[2] == "requirements":
            folder = folder_of(folder)
        required = {*project.get("dependencies", ()), *project.get("optional", ())}
        names = set(map(normal_name, required))
        names |= {self._import_names[one] for one in names if one in self._import_names}
        provides = normal_name(str(project.get("name", "")))
        return PythonManifest(folder, provides, frozenset(names))

    def surface(self, path: str, facts: Any) -> dict[str, set[str]]:
        """Return every term that a manifest can change, with its part of the value."""
        manifest = self.manifest(path, facts)
        if manifest is None:
            return {}
        found = {f"dist:{manifest.folder}": {"named"}} if manifest.provides else {}
        marked = {f"requires {name}" for name in manifest.requires}
        if manifest.provides:
            marked.add(f"provides {manifest.provides}")
        for mark in marked:
            parts = mark.partition(" ")[2].split("_")
            for end in range(1, len(parts) + 1):
                found.setdefault(f"dep:{'_'.join(parts[:end])}", set()).add(mark)
        return found

    def is_named(self, folder: str) -> bool:
        """Return whether a manifest in a folder names a project."""
        return folder in self._named

    def is_declared(self, name: str) -> bool:
        """Return whether any manifest depends on a package that is no own project."""
        name = normal_name(name)
        return name in self._dependents and not self._provides("", name)

    def is_dependency(self, origin: str, module: str) -> bool:
        """Return whether a file imports a dependency by a module's dotted name."""
        return any(
            self._requires(origin, name) and not self._provides(origin, name)
            for name in _packages(module)
        )

    def _requires(self, origin: str, name: str) -> bool:
        folders = self._dependents.get(name, ())
        return any(is_within(origin, folder) for folder in folders)

    def _provides(self, origin: str, name: str) -> bool:
        folders = self._providers.get(name, ())
        return any(not is_aside(folder, origin) for folder in folders)


def normal_name(name: str) -> str:
    """Return a package's name with its separators as in import names."""
    return _SEPARATORS.sub("_", name).lower()


def is_within(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def is_aside(folder: str, origin: str) -> bool:
    """Return whether a folder is of tests or examples that a file is no part of."""
    parts = folder.split("/")
    for count, part in enumerate(parts, 1):
        if part in _ASIDE:
            return not is_within(origin, "/".join(parts[:count]))
    return False


def _packages(module: str) -> Iterator[str]:
    """Yield the packages that may provide a module: `a`, `a_b` for `a.b`."""
    parts = module.lower().split(".")
    return (normal_name("_".join(parts[:end])) for end in range(1, len(parts) + 1))
