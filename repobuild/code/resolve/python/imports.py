"""Find the file that an import refers to.

A relative import is exact. An absolute one is searched for, in this order, in

1. the folders above the importing file that are not packages and their `src`, nearest
   first (a script's own folder, a `src/` folder, the repository's top);
2. the repository's top and its `src` and `lib`, for files elsewhere (tests);
3. the other distributions of the repository (folders whose manifest names a project,
   and their `src` and `lib`), when exactly one has the module;
4. any other folder that is not a package, when exactly one offers the name; folders of
   tests and examples only to their own files.

A folder without `__init__.py` counts as a package only on the way to a module in it
(a namespace package, which several distributions may share).

The standard library and the declared dependencies are imported from elsewhere, so a
file that happens to have such a name is no module (distributions.py). The one exception
is a standard name directly in the importing file's source root, where Python looks
before it looks into the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from repobuild.code.resolve.lookup import LookupCache
from repobuild.code.resolve.paths import folder_of, join
from repobuild.code.resolve.python.distributions import (
    Distributions,
    is_aside,
    normal_name,
)
from repobuild.code.resolve.python.modules import ModuleFacts, Modules
from repobuild.code.resolve.symbol import Kind, Symbol, module_symbol

_ROOTS = ("", "src", "lib")
_SOURCE_FOLDERS = ("src", "lib")
Candidates = Callable[[str], Iterable[str]]  # last name -> stems of modules so named


class ImportResolver:
    """Finds modules and records every look at the tree as a term."""

    def __init__(
        self,
        modules: Modules,
        candidates: Candidates,
        standard: frozenset[str],
        distributions: Distributions,
        lookups: LookupCache,
    ) -> None:
        self._modules = modules
        self._candidates = candidates
        self._distributions = distributions
        self._standard = standard
        self._look, self._note = lookups.look, lookups.note

    def find_module(self, origin: str, name: str) -> Symbol | None:
        """Return the module that an import of `name` in the file `origin` refers to."""
        module = self._modules.get(origin)
        if module is None:
            return None
        # A relative import means the same in a whole package, an absolute in a folder.
        folder = module.package if name.startswith(".") else folder_of(origin)
        return self._look(
            ("import", folder, "", name), lambda: self._find(module, name)
        )

    def submodule(self, package: ModuleFacts, name: str) -> Symbol | None:
        """Return the module `name` of a package."""
        found = self._at(join(package.stem, name))
        if found is None and package.is_package:
            self._note(f"n:{package.path}:*")
            if package.extends_path:
                return self._find(package, f"{self._dotted_name(package)}.{name}")
        return found

    def namespace(self, path: str, name: str) -> Symbol | None:
        """Return a package without a file, when the file `path` imports from it."""
        module = self._modules.get(path)
        if module is None:
            return None
        self._note(f"n:{path}:!")
        if any(one.startswith(name + ".") for one in module.dotted_imports):
            return Symbol(Kind.NAMESPACE, path, name, 1.0)
        return None

    def _dotted_name(self, package: ModuleFacts) -> str:
        root = package.package
        while root and self._is_package(root):
            root = folder_of(root)
        return package.stem.removeprefix(root).lstrip("/").replace("/", ".")

    def _find(self, origin: ModuleFacts, name: str) -> Symbol | None:
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if level:
            return self._relative(origin, level, bare)
        if bare.partition(".")[0] in self._standard:
            return self._find_standard(origin, bare)
        root = self._find_root(origin, bare)
        if root is None or self._is_dependency(origin, bare, root):
            return None
        self._note(f"space:{bare.partition('.')[0]}")
        return self._at(join(root, bare.replace(".", "/")))

    def _relative(self, origin: ModuleFacts, level: int, name: str) -> Symbol | None:
        folder = origin.package
        for _ in range(level - 1):
            if not folder:
                return None
            folder = folder_of(folder)
        return self._at(join(folder, name.replace(".", "/")))

    def _at(self, stem: str) -> Symbol | None:
        self._note(f"f:{stem}")
        path = self._modules.at(stem)
        return module_symbol(path) if path is not None else None

    def _find_standard(self, origin: ModuleFacts, name: str) -> Symbol | None:
        """Return the module that hides one of the standard library, if there is one."""
        root = folder_of(origin.path)
        if not self._roots_of(name):
            return None
        while root and self._is_package(root):
            root = folder_of(root)
        is_source = root.rpartition("/")[2].lower() in ("", *_SOURCE_FOLDERS)
        if not is_source and not self._is_distribution(root):
            return None
        return self._at(join(root, name.replace(".", "/")))

    def _find_root(self, origin: ModuleFacts, name: str) -> str | None:
        """Return the folder from which a file imports a module of this full name."""
        first = name.partition(".")[0]
        offered = self._roots_of(first)  # have the first package, not a mere folder
        complete = self._roots_of(name) if first != name else offered
        if not complete:
            return None
        usual = list(dict.fromkeys(self._usual_roots(origin)))
        for roots in (offered & complete, complete):
            for root in usual:
                if root in roots:
                    return root
        others = {
            root
            for root in complete.difference(usual)
            if not is_aside(root, origin.path)
        }
        distributions = [root for root in others if self._is_distribution(root)]
        for options in (distributions, list(others & offered)):
            if len(options) == 1:
                return options[0]
        return None

    def _roots_of(self, name: str) -> set[str]:
        """Return the folders, no packages, below which a module has its full name."""
        last = name.rpartition(".")[2]
        self._note(f"top:{last}")
        below = "/" + name.replace(".", "/")
        roots = {
            stem[: -len(below)] if len(stem) > len(below) else ""
            for stem in self._candidates(last)
            if ("/" + stem).endswith(below)
        }
        return {root for root in roots if not root or not self._is_package(root)}

    def _is_package(self, folder: str) -> bool:
        self._note(f"p:{folder}")
        path = self._modules.at(folder)
        return path is not None and path.endswith(("/__init__.py", "/__init__.pyi"))

    def _is_distribution(self, root: str) -> bool:
        """Return whether a folder is where a distribution has its sources."""
        folder, _, last = root.rpartition("/")
        folders = (root, folder) if last in _SOURCE_FOLDERS else (root,)
        return any(self._is_named(one) or self._has_setup(one) for one in folders)

    def _is_named(self, folder: str) -> bool:
        self._note(f"dist:{folder}")
        return self._distributions.is_named(folder)

    def _has_setup(self, folder: str) -> bool:
        return self._at(join(folder, "setup")) is not None

    def _is_dependency(self, origin: ModuleFacts, name: str, root: str) -> bool:
        """Return whether a manifest says that a module found at a root is another's."""
        self._note(f"dep:{normal_name(name.partition('.')[0])}")
        if not self._distributions.is_dependency(origin.path, name):
            return False
        # A setup script alone does not show its project's name: it may be this one.
        folder, _, last = root.rpartition("/")
        home = folder if last in _SOURCE_FOLDERS else root
        return self._is_named(home) or not self._has_setup(home)

    def _usual_roots(self, origin: ModuleFacts) -> Iterator[str]:
        folder = folder_of(origin.path)
        while folder:
            yield folder
            yield f"{folder}/src"
            folder = folder_of(folder)
        yield from _ROOTS
