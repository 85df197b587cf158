"""All files' faces together: what claims about more than one file are held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from repobuild.truth.claims.list_claims import shown
from repobuild.truth.tree.file_evidence import DefinitionEvidence, FileEvidence

_NAMED = ("function", "method", "class")
_LEVELS = 8


_NOTHING = DefinitionEvidence("")


@dataclass
class TreeIndex:
    """The faces by path, every path of the tree, and the project's own papers."""

    faces: Mapping[str, FileEvidence]
    paths: frozenset[str]
    papers: Mapping[str, str] = field(default_factory=dict)  # READMEs and manifests
    project: str = ""  # as the settings have it
    languages: Mapping[str, str] = field(default_factory=dict)

    def face(self, id: str) -> FileEvidence | None:
        return self.faces.get(id.partition("::")[0])

    def mark(self, id: str) -> DefinitionEvidence | None:
        path, _, qual = id.partition("::")
        face = self.faces.get(path)
        return face.marks.get(qual) if face else None

    def unread(self, id: str) -> bool:
        """Whether nothing here can parse the file, but it holds the name."""
        path, _, qual = id.partition("::")
        face = self.faces.get(path)
        if face is None or face.marks:
            return False
        return shown(qual).rpartition(".")[2] in face.text

    def members(self, id: str) -> list[str]:
        """What stands directly in a class."""
        path, _, qual = id.partition("::")
        face = self.faces.get(path)
        if not qual or face is None or face.marks.get(qual, _NOTHING).kind != "class":
            return []
        inside = [q for q in face.marks if q.startswith(qual + ".")]
        return [f"{path}::{q}" for q in inside if "." not in q[len(qual) + 1 :]]

    def renamed(self, name: str) -> set[str]:
        """Other names that some file gives a name: `b = a`, `from x import a as b`."""
        return self._renamed.get(name, set())

    def returned(self, name: str) -> set[str]:
        """The names in the return types of functions that are called so."""
        return self._returned.get(name, set())

    def named(self, name: str) -> set[tuple[str, str]]:
        """(path, qualified name) of the elements that have a bare or qualified name."""
        return self._names.get(name, set())

    def above(self, path: str, qual: str) -> Iterable[tuple[str, str]]:
        """Classes that can be bases of one, by their names, in whatever file."""
        face = self.faces.get(path)
        mark = face.marks.get(qual) if face else None
        if face is None or mark is None:
            return
        for base in mark.bases:
            for name in (base, *face.aliases.get(base, "").split()):
                yield from self._classes.get(name, ())
                yield from self._renamed_classes.get(name, ())

    def below(self, name: str) -> set[str]:
        """The names of classes that can inherit from one of that name."""
        seen: set[str] = set()
        level = {name}
        for _ in range(_LEVELS):
            level = {b for one in level for b in self._subclasses.get(one, ())} - seen
            seen |= level
        return seen

    def modules(self, names: Sequence[str]) -> set[str]:
        """The files whose dotted name ends with one of these."""
        ends = (name.rpartition(".")[2] for name in names)
        options = {path for end in ends for path in self._stems.get(end, ())}
        wanted = tuple(f".{name}" for name in names)
        return {path for path in options if f".{dotted(path)}".endswith(wanted)}

    def mentions(self, name: str) -> int:
        """In how many definitions a name stands."""
        return self._mentions.get(name, 0)

    @cached_property
    def _names(self) -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for path, face in self.faces.items():
            for qual, mark in face.marks.items():
                if mark.kind in _NAMED:
                    name = shown(qual)
                    found[name].add((path, name))
                    found[name.rpartition(".")[2]].add((path, name))
        return found

    @cached_property
    def _classes(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for path, face in self.faces.items():
            for qual, mark in face.marks.items():
                if mark.kind == "class":
                    found[shown(qual).rpartition(".")[2]].append((path, qual))
        return found

    @cached_property
    def _returned(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for face in self.faces.values():
            for name, types in face.returned.items():
                found[name].update(types.split())
        return found

    @cached_property
    def _renamed(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for face in self.faces.values():
            for name, others in face.renamed.items():
                found[name].update(others.split())
            for one in face.imports:
                if one.name and one.bound != one.name:
                    found[one.name].add(one.bound)
        return found

    @cached_property
    def _renamed_classes(self) -> dict[str, list[tuple[str, str]]]:
        """Classes by the other names that files give them."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, classes in self._classes.items():
            for other in self.renamed(name):
                found[other] += classes
        return found

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path in self.faces:
            found[dotted(path).rpartition(".")[2]].append(path)
        return found

    @cached_property
    def _subclasses(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for face in self.faces.values():
            for qual, mark in face.marks.items():
                for base in mark.bases:
                    below = shown(qual).rpartition(".")[2]
                    found[base].add(below)
                    for name in face.aliases.get(base, "").split():
                        found[name].add(below)
        return found

    @cached_property
    def _mentions(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for face in self.faces.values():
            for mark in face.marks.values():
                for name in {*mark.names.split(), *mark.calls.split(), *mark.bases}:
                    found[name] += 1
        return found


def dotted(path: str) -> str:
    """`a/b/__init__.py` and `a/b.py` as `a.b`."""
    stem = path.rpartition(".")[0].removesuffix("/__init__")
    return stem.replace("/", ".")
