"""Which names a file of a language reaches outside of itself, language by language.

An import that leads out of the repository, and a name that none of these rules finds,
mean nothing here: the call stays in the facts, as it is written, and gives no edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from repobuild.code.facts.element_row import bound, name_of
from repobuild.code.resolve.python.modules import folder_of, join
from repobuild.code.resolve.symbol import Entity, at_most

if TYPE_CHECKING:
    from repobuild.code.resolve.linked.name_resolver import LinkedResolver

Found = list[Entity]


class LinkRules:
    """What languages have in common; `meaning` looks names up within files."""

    receivers: frozenset[str] = frozenset({"this"})
    above: frozenset[str] = frozenset({"super"})
    bare_members = False  # whether `f()` may call a method of the class around it
    makes = True  # whether calling a type makes one of it

    def __init__(self, meaning: LinkedResolver) -> None:
        self.meaning = meaning
        self.files = meaning.files

    def constructor(self, qual: str) -> str:
        """Return the name of what making one of a class runs, "" when nothing."""
        return ""

    def outside(self, path: str, scope: str, name: str) -> Found:
        """Return what a name means that the file neither defines nor imports."""
        return []

    def imported(self, path: str, module: str, name: str) -> Found:
        """Return what `name` is in a module that a file imports."""
        return [
            found
            for target in self.module(path, module)
            for found in self.exported(target[1], target[2], name)
        ]

    def module(self, path: str, module: str) -> Found:
        """Return the module that an import in a file means."""
        return []

    def exported(self, path: str, qual: str, name: str) -> Found:
        """Return a member of a module."""
        return self.meaning.definitions(path, f"{qual}.{name}" if qual else name)

    def members(self, path: str, qual: str, name: str) -> Found:
        """Return what a class itself has, without its bases."""
        return self.meaning.definitions(path, f"{qual}.{name}")


class JavaScript(LinkRules):
    """Relative imports are exact; a package's name leads out of the repository."""

    endings = (".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts")

    def constructor(self, qual: str) -> str:
        return "constructor"

    def module(self, path: str, module: str) -> Found:
        if not module.startswith("."):
            return []
        place = _joined(folder_of(path), module)
        for found in self._forms(place) if place is not None else ():
            if self.files.has(found):
                return [("m", found, "", 1.0)]
        return []

    def _forms(self, place: str) -> Iterator[str]:
        yield place
        stem, dot, ending = place.rpartition(".")
        if dot and ending in (
            "js",
            "jsx",
            "mjs",
            "cjs",
        ):  # TypeScript names what it makes
            for other in (
                ("ts", "tsx") if ending in ("js", "jsx") else (f"{ending[0]}ts",)
            ):
                yield f"{stem}.{other}"
        for ending in self.endings:
            yield place + ending
        for ending in self.endings:
            yield join(place, "index") + ending

    def exported(self, path: str, qual: str, name: str) -> Found:
        names = self.files.names(path)
        for binding in bound(names, f"export {name}"):
            return self.meaning.binding(path, binding)
        found = self.meaning.definitions(path, name) if name != "default" else []
        if found or name == "default":
            return found
        if "export default" in names:  # module.exports = Foo; m.f is Foo.f
            made = self.meaning.binding(path, bound(names, "export default")[0])
            if len(made) == 1 and made[0][1:3] != (path, ""):
                found = self.meaning.members(made[0], name)
        for star in () if found else bound(names, "export *"):
            for target in self.module(path, star):
                found = found or self._starred(target, name)
        return found

    def _starred(self, target: Entity, name: str) -> Found:
        return self.meaning.members(target, name) if name != "default" else []


class Java(LinkRules):
    """A class is found by import, in its package, or through a star import."""

    bare_members = True

    def constructor(self, qual: str) -> str:
        return name_of(qual)

    def outside(self, path: str, scope: str, name: str) -> Found:
        file = self.files.get(path)
        package = file.package if file else ""
        found = self._class(f"{package}.{name}")
        for star in () if found else bound(self.files.names(path), "*"):
            found = found or self._class(f"{star}.{name}")
            for holder in () if found else self._class(star):
                found = self.meaning.members(holder, name)
        return found

    def imported(self, path: str, module: str, name: str) -> Found:
        found = self._class(f"{module}.{name}")
        for holder in () if found else self._class(module):
            found = self.meaning.members(holder, name)
        return found

    def _class(self, name: str) -> Found:
        """Return a class by its package and name; two of one name are none."""
        paths = self.files.who(f"java {name}")
        if len(paths) != 1:
            return []
        file = self.files.get(paths[0])
        qual = name.removeprefix(f"{file.package}.") if file else ""
        return self.meaning.definitions(paths[0], qual)


class Go(LinkRules):
    """A package is a folder; another is found through a go.mod of the repository."""

    receivers = frozenset()
    above = frozenset()
    makes = False  # T(x) converts

    def outside(self, path: str, scope: str, name: str) -> Found:
        file = self.files.get(path)
        return self.members(file.place, "", name) if file else []

    def module(self, path: str, module: str) -> Found:
        folder = self._folder(module)
        packages = set()
        for found in self.files.who(f"go {folder}") if folder is not None else ():
            file = self.files.get(found)
            if file and not found.endswith("_test.go"):
                packages.add(file.package)
        if len(packages) != 1:
            return []
        return [("p", f"go {folder} {packages.pop()}", "", 1.0)]

    def _folder(self, module: str) -> str | None:
        """Return the folder of an import path, by the module that it begins with."""
        parts = module.split("/")
        for size in range(len(parts), 0, -1):
            manifests = self.files.who("go.mod " + "/".join(parts[:size]))
            if manifests:
                rest = "/".join(parts[size:])
                return (
                    join(folder_of(manifests[0]), rest) if len(manifests) == 1 else None
                )
        return None

    def members(self, path: str, qual: str, name: str) -> Found:
        """Return what any file of the package defines: methods may stand in each."""
        file = self.files.get(path)
        place = path if file is None else file.place
        whole = f"{qual}.{name}" if qual else name
        paths = self.files.who(f"{place} {whole}")
        return self.meaning.several([(found, whole) for found in paths])


class Rust(LinkRules):
    """Modules are files below the folder of `lib.rs` or `main.rs`, or stand in one."""

    receivers = frozenset({"self", "Self"})
    above = frozenset()

    def outside(self, path: str, scope: str, name: str) -> Found:
        macro = name.removesuffix("!")
        if macro != name:
            return [
                found
                for found in self.meaning.in_file(path, macro)
                if self._is_macro(found)
            ]
        head, dot, rest = name.partition(".")
        inline = self._inline(path, scope)
        if dot and inline and head in ("self", "super"):
            parts = inline[:-1] if head == "super" else inline
            return self.meaning.definitions(path, ".".join([*parts, rest]))
        if dot and head in ("crate", "self", "super"):
            module, _, last = name.rpartition(".")
            return self.imported(path, module, last)
        for star in bound(self.files.names(path), "*"):
            found = self.imported(path, star, name) if star != "super" else []
            if found:
                return [at_most(one, 0.95) for one in found]
        return []

    def _inline(self, path: str, scope: str) -> list[str]:
        """Return the `mod name { }` that a scope is in, outermost first."""
        file = self.files.get(path)
        parts = scope.split(".")[:-1]
        while file and parts and ".".join(parts) in file.items:
            parts.pop()
        return parts

    def _is_macro(self, found: Entity) -> bool:
        row = self.files.row(found[1], found[2])
        return row is not None and row.head.startswith("macro_rules!")

    def imported(self, path: str, module: str, name: str) -> Found:
        if module in ("crate", "self", "super") or not name:
            whole = self.module(path, f"{module}.{name}" if name else module)
            if whole:
                return whole
        for found in self.module(path, module):
            if found[0] != "m":
                return self.meaning.members(found, name)
            inner = self.exported(found[1], found[2], name)
            return inner or self.module(path, f"{module}.{name}")
        return []

    def module(self, path: str, module: str) -> Found:
        first, *rest = module.split(".")
        if first == "crate":
            return self._below(*self._crate(path), rest)
        folder, parts = self._place(path)
        if first == "self":
            return self._below(folder, path, [*parts, *rest], len(parts))
        if first == "super":
            return self._below(*self._crate(path), [*parts[:-1], *rest])
        for crate in self._named(first):
            return self._below(*crate, rest)
        return self._below(folder, path, [*parts, first, *rest], len(parts))

    def exported(self, path: str, qual: str, name: str) -> Found:
        return super().exported(path, qual, name) or (
            self.meaning.in_file(path, name) if not qual else []
        )

    def _named(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the source folder and the root of a crate of this repository."""
        manifests = self.files.who(f"cargo {name}")
        if len(manifests) == 1:
            folder = join(folder_of(manifests[0]), "src")
            if self.files.has(join(folder, "lib.rs")):
                yield folder, join(folder, "lib.rs")

    def _crate(self, path: str) -> tuple[str, str]:
        """Return the folder of the crate that a file belongs to, and its root."""
        folder = folder_of(path)
        while True:
            for name in ("lib.rs", "main.rs"):
                if self.files.has(join(folder, name)):
                    return folder, join(folder, name)
            if not folder:
                return folder_of(path), path
            folder = folder_of(folder)

    def _place(self, path: str) -> tuple[str, list[str]]:
        """Return a file's crate folder and the module that it is in it."""
        folder, root = self._crate(path)
        if path == root:
            return folder, []
        stem = path.removesuffix(".rs").removesuffix("/mod")
        return folder, stem.removeprefix(folder).strip("/").split("/")

    def _below(self, folder: str, root: str, parts: list[str], least: int = 0) -> Found:
        """Return a module: the longest file, and in it what stands below."""
        for size in range(len(parts), least, -1):
            stem = join(folder, "/".join(parts[:size]))
            for found in (f"{stem}.rs", f"{stem}/mod.rs"):
                if self.files.has(found):
                    return self._inside(found, parts[size:])
        return self._inside(root, parts[least:])

    def _inside(self, path: str, parts: list[str]) -> Found:
        if not parts:
            return [("m", path, "", 1.0)]
        qual = ".".join(parts)
        file = self.files.get(path)
        found = self.meaning.definitions(path, qual)
        if found or file is None:
            return found
        named = self.meaning.in_file(path, parts[0])
        for part in parts[1:]:
            named = self.meaning.members(named[0], part) if len(named) == 1 else []
        return named or [("m", path, qual, 1.0)]


class C(LinkRules):
    """What is included, or else the only definition that the linker sees."""

    bare_members = True
    above = frozenset()

    def constructor(self, qual: str) -> str:
        return name_of(qual)

    def outside(self, path: str, scope: str, name: str) -> Found:
        for outer in _outward(scope):
            found = self._defined(path, f"{outer}.{name}" if outer else name)
            if found:
                return found
        return []

    def _defined(self, path: str, qual: str) -> Found:
        near = self._near(path)
        for place in near:
            found = self.meaning.definitions(place, qual)
            if found and (place.endswith(_HEADERS) or self._is_seen(found)):
                return [at_most(one, 0.95) for one in found]
        paths = self.files.who(f"c {qual}")
        if len(paths) != 1:
            return []
        return [at_most(one, 0.7) for one in self.meaning.definitions(paths[0], qual)]

    def _is_seen(self, found: Found) -> bool:
        rows = [self.files.row(one[1], one[2]) for one in found]
        return all(
            row is not None and not row.head.startswith("static ") for row in rows
        )

    def _near(self, path: str) -> list[str]:
        """Return what a file includes, and the sources beside those headers."""
        found = []
        file = self.files.get(path)
        for entry in file.facts.get("imports", ()) if file else ():
            for _, header, _, _ in self.module(path, entry[1]):
                found.append(header)
                stem = header.rpartition(".")[0]
                found += [stem + e for e in _SOURCES if self.files.has(stem + e)]
        return found

    def module(self, path: str, module: str) -> Found:
        """Return the header: beside the file, or the only one whose path ends so."""
        name = module.strip("<>")
        beside = _joined(folder_of(path), name)
        if beside and not module.startswith("<") and self.files.has(beside):
            return [("m", beside, "", 1.0)]
        paths = self.files.who(f"c/ {name.rpartition('/')[2]}")
        ending = "/" + name.lstrip("./")
        fitting = [found for found in paths if f"/{found}".endswith(ending)]
        return [("m", fitting[0], "", 0.9)] if len(fitting) == 1 else []

    def members(self, path: str, qual: str, name: str) -> Found:
        found = self.meaning.definitions(path, f"{qual}.{name}")
        return found or self._defined(path, f"{qual}.{name}")


_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++", ".ipp")
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++")
_REACHES: dict[str, type[LinkRules]] = {
    "javascript": JavaScript,
    "java": Java,
    "go": Go,
    "rust": Rust,
    "c": C,
}


def link_rules_of(links: str) -> type[LinkRules]:
    return _REACHES[links]


def _outward(scope: str) -> Iterator[str]:
    while scope:
        yield scope
        scope = scope.rpartition(".")[0]
    yield ""


def _joined(folder: str, path: str) -> str | None:
    """Return a path from a folder, None when it leads out of the repository."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)
