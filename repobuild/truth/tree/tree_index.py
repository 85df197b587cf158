"""Index the evidence of all files, for claims that rest on more than one file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from repobuild.truth.tree.declared_packages import DeclaredPackages
from repobuild.truth.tree.file_evidence import DefinitionEvidence, FileEvidence
from repobuild.truth.tree.project_manifest import (
    ProjectManifest,
    read_project_manifest,
)
from repobuild.truth.tree.python_reader import display_name

_CALLABLE_KINDS = ("function", "method", "class")
_LEVELS = 8  # of inheritance


class Location(NamedTuple):
    """A definition's file and its qualified name."""

    path: str
    qual: str


@dataclass
class TreeIndex:
    """The evidence by path, every path of the tree, and the project's own documents."""

    files: Mapping[str, FileEvidence]
    paths: frozenset[str]
    project_documents: Mapping[str, str] = field(default_factory=dict)
    project: str = ""  # the setting `project.name`
    languages: Mapping[str, str] = field(default_factory=dict)
    read_text: Callable[[str], str] = lambda path: ""  # of any path of the tree

    def file(self, id: str) -> FileEvidence | None:
        return self.files.get(id.partition("::")[0])

    def definition(self, id: str) -> DefinitionEvidence | None:
        path, _, qual = id.partition("::")
        file = self.files.get(path)
        return file.definitions.get(qual) if file else None

    def occurs_in_text(self, id: str) -> bool:
        """Return whether a file that could not be parsed holds the element's name."""
        path, _, qual = id.partition("::")
        file = self.files.get(path)
        if file is None or not file.is_text:
            return False
        return display_name(qual).rpartition(".")[2] in file.text

    def members(self, id: str) -> list[str]:
        """Return the ids of what a class defines directly."""
        path, _, qual = id.partition("::")
        definition = self.definition(id)
        if not qual or definition is None or definition.kind != "class":
            return []
        inside = [q for q in self.files[path].definitions if q.startswith(qual + ".")]
        return [f"{path}::{q}" for q in inside if "." not in q[len(qual) + 1 :]]

    def other_names(self, name: str) -> set[str]:
        """Return the names that any file gives a name: `b = a`, `import a as b`."""
        return self._other_names.get(name, set())

    def instance_names(self, name: str) -> set[str]:
        """Return the names of what a call gives, in any file: `b = a()`, `b: a`."""
        return self._instance_names.get(name, set())

    def return_types(self, name: str) -> set[str]:
        """Return the names in the return types of all functions of a name."""
        return self._return_types.get(name, set())

    def named(self, name: str) -> set[Location]:
        """Return the elements that have a bare or qualified name."""
        return self._by_name.get(name, set())

    def possible_bases(self, path: str, qual: str) -> Iterator[Location]:
        """Yield the classes, in any file, that a class's base names can mean."""
        file = self.files.get(path)
        definition = file.definitions.get(qual) if file else None
        if file is None or definition is None:
            return
        for base in definition.bases:
            for name in (base, *file.alias_targets.get(base, "").split()):
                yield from self._classes.get(name, ())
                yield from self._classes_by_other_name.get(name, ())

    def descendants(self, name: str) -> set[str]:
        """Return the names of classes that can inherit from a class of this name."""
        seen: set[str] = set()
        level = {name}
        for _ in range(_LEVELS):
            level = {b for one in level for b in self._subclasses.get(one, ())} - seen
            seen |= level
        return seen

    def modules(self, names: Sequence[str]) -> set[str]:
        """Return the files whose dotted name ends with one of these."""
        ends = (name.rpartition(".")[2] for name in names)
        options = {path for end in ends for path in self._by_stem.get(end, ())}
        wanted = tuple(f".{name}" for name in names)
        return {path for path in options if f".{dotted(path)}".endswith(wanted)}

    @cached_property
    def dotted_paths(self) -> set[str]:
        """The dotted names of all files of Python, whether they are analysed or not."""
        return {dotted(path) for path in self.paths if path.endswith(".py")}

    @cached_property
    def module_names(self) -> set[str]:
        """The parts of the dotted names of all files."""
        return {part for path in self.paths for part in dotted(path).split(".")}

    def is_mentioned(self, name: str) -> bool:
        """Return whether a definition, or a file that no parser reads, has a name."""
        return name in self._users or any(name in text for text in self._texts)

    def users_of(self, names: Set[str]) -> int:
        """Return how many definitions have some names, and places without a parser."""
        users = len(set().union(*(self._users.get(name, ()) for name in names)))
        return users + sum(text.count(name) for text in self._texts for name in names)

    @cached_property
    def _users(self) -> dict[str, list[int]]:
        """The numbers of the definitions that have each name."""
        users: dict[str, list[int]] = defaultdict(list)
        for number, (_, one) in enumerate(self._definitions()):
            for name in {*one.calls.split(), *one.names.split(), *one.bases}:
                users[name].append(number)
        return users

    def _definitions(self) -> Iterator[tuple[Location, DefinitionEvidence]]:
        for path, file in self.files.items():
            for qual, definition in file.definitions.items():
                yield Location(path, qual), definition

    @cached_property
    def declared_packages(self) -> DeclaredPackages:
        return DeclaredPackages(self.project_documents, self.paths)

    @cached_property
    def manifests(self) -> dict[str, ProjectManifest]:
        """Return what each manifest declares; READMEs are none."""
        return {
            path: read_project_manifest(path, text)
            for path, text in self.project_documents.items()
            if not path.rpartition("/")[2].lower().startswith("readme")
        }

    @cached_property
    def _by_name(self) -> dict[str, set[Location]]:
        locations: dict[str, set[Location]] = defaultdict(set)
        for (path, qual), definition in self._definitions():
            if path.endswith(".pyi") and path[:-1] in self.paths:
                continue  # it declares what the module beside it defines
            if definition.kind in _CALLABLE_KINDS:
                name = display_name(qual)
                locations[name].add(Location(path, name))
                locations[name.rpartition(".")[2]].add(Location(path, name))
        return locations

    @cached_property
    def _classes(self) -> dict[str, list[Location]]:
        locations: dict[str, list[Location]] = defaultdict(list)
        for location, definition in self._definitions():
            if definition.kind == "class":
                locations[_bare_name(location.qual)].append(location)
        return locations

    @cached_property
    def _classes_by_other_name(self) -> dict[str, list[Location]]:
        by_name: dict[str, list[Location]] = defaultdict(list)
        for name, classes in self._classes.items():
            for other in self.other_names(name):
                by_name[other] += classes
        return by_name

    @cached_property
    def _return_types(self) -> dict[str, set[str]]:
        return _merged(file.return_types for file in self.files.values())

    @cached_property
    def _instance_names(self) -> dict[str, set[str]]:
        return _merged(file.instance_names for file in self.files.values())

    @cached_property
    def _other_names(self) -> dict[str, set[str]]:
        names = _merged(file.other_names for file in self.files.values())
        for file in self.files.values():
            for one in file.imports:
                if one.name and one.bound != one.name:
                    names[one.name].add(one.bound)
        return names

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        by_name: dict[str, list[str]] = defaultdict(list)
        for path in self.files:
            by_name[dotted(path).rpartition(".")[2]].append(path)
        return by_name

    @cached_property
    def _subclasses(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = defaultdict(set)
        for (path, qual), definition in self._definitions():
            targets = self.files[path].alias_targets
            for base in definition.bases:
                for name in (base, *targets.get(base, "").split()):
                    names[name].add(_bare_name(qual))
        return names

    @cached_property
    def _texts(self) -> list[str]:
        return [file.text for file in self.files.values() if file.is_text]


def dotted(path: str) -> str:
    """Return `a.b` for `a/b/__init__.py` and for `a/b.py`."""
    stem = path.rpartition(".")[0].removesuffix("/__init__")
    return stem.replace("/", ".")


def _bare_name(qual: str) -> str:
    return display_name(qual).rpartition(".")[2]


def _merged(tables: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    """Unite tables of packed names."""
    merged: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for name, packed in table.items():
            merged[name].update(packed.split())
    return merged
