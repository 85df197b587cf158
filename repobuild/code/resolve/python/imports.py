"""Find the file that an import refers to.

A relative import is exact. An absolute one is searched for, in this order, in

1. the folders above the importing file that are not packages, nearest first (a script's
   own folder, a `src/` folder, the repository's top);
2. the repository's top and its `src` and `lib`, for files elsewhere (tests);
3. any other folder that is not a package, when exactly one offers the name and the
   standard library does not (a package within a monorepo).

A folder without `__init__.py` counts as a package only on the way to a module in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from repobuild.code.resolve.lookup import LookupCache
from repobuild.code.resolve.paths import folder_of, join
from repobuild.code.resolve.python.modules import ModuleFacts, Modules
from repobuild.code.resolve.symbol import Symbol, module_symbol

_ROOTS = ("", "src", "lib")
Candidates = Callable[[str], Iterable[str]]  # last name -> stems of modules so named


class ImportResolver:
    """Finds modules and records every look at the tree as a term."""

    def __init__(
        self,
        modules: Modules,
        candidates: Candidates,
        standard: frozenset[str],
        lookups: LookupCache,
    ) -> None:
        self._modules = modules
        self._candidates = candidates
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
        return self._at(join(package.stem, name))

    def _find(self, origin: ModuleFacts, name: str) -> Symbol | None:
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if level:
            return self._relative(origin, level, bare)
        first, _, rest = bare.partition(".")
        for root in self._roots(origin, first):
            stem = join(root, first)
            module = self._at(f"{stem}/{rest.replace('.', '/')}" if rest else stem)
            if module is not None:
                return module
        return self._namespace(origin, bare) if rest else None

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

    def _roots(self, origin: ModuleFacts, name: str) -> Iterator[str]:
        """Yield the folders from which the module `name` can be imported."""
        self._note(f"top:{name}")
        offered = {folder_of(stem) for stem in self._candidates(name)}
        if not offered:
            return
        offered = {root for root in offered if not root or not self._is_package(root)}
        for root in self._usual_roots(origin):
            if root in offered:
                yield root
                offered.discard(root)
        if len(offered) == 1 and name not in self._standard:
            yield from offered

    def _is_package(self, folder: str) -> bool:
        self._note(f"p:{folder}")
        path = self._modules.at(folder)
        return path is not None and path.endswith(("/__init__.py", "/__init__.pyi"))

    def _usual_roots(self, origin: ModuleFacts) -> Iterator[str]:
        folder = folder_of(origin.path)
        while folder:
            yield folder
            folder = folder_of(folder)
        yield from _ROOTS

    def _namespace(self, origin: ModuleFacts, name: str) -> Symbol | None:
        """Return a module in a folder without `__init__.py` (a namespace package)."""
        if name.partition(".")[0] in self._standard:
            return None
        stem = name.replace(".", "/")
        for root in dict.fromkeys(self._usual_roots(origin)):
            module = self._at(join(root, stem))
            if module is not None:
                return module
        return None
