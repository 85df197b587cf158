"""Which file an import means.

A relative import is exact. An absolute one is looked for, in this order, from

1. the folders above the importing file that are no packages, nearest first (a script's
   own folder, a `src/` folder, the repository's top);
2. the repository's top and its `src` and `lib`, for files that lie elsewhere (tests);
3. any other folder that is no package, when exactly one offers the name and the
   standard library does not (a package within a monorepo).

A folder without `__init__.py` counts as a package only on the way to a module in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from repobuild.code.resolve.python.modules import ModuleFacts, Modules, folder_of, join

_ROOTS = ("", "src", "lib")
Candidates = Callable[[str], Iterable[str]]  # last name -> stems of modules so named


class ImportResolver:
    """Finds modules; every look at the tree is noted through `note`."""

    def __init__(
        self,
        modules: Modules,
        candidates: Candidates,
        standard: frozenset[str],
        note: Callable[[str], None],
    ) -> None:
        self._modules = modules
        self._candidates = candidates
        self._standard = standard
        self._note = note

    def find(self, origin: ModuleFacts, name: str) -> str | None:
        """Return the path of the module that `name` means in `origin`."""
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if level:
            return self._relative(origin, level, bare)
        first, _, rest = bare.partition(".")
        for root in self._roots(origin, first):
            found = self._below(join(root, first), rest)
            if found is not None:
                return found
        return self._namespace(origin, bare) if rest else None

    def submodule(self, package: ModuleFacts, name: str) -> str | None:
        """Return the module `name` of a package."""
        return self._at(join(package.stem, name))

    def _relative(self, origin: ModuleFacts, level: int, name: str) -> str | None:
        folder = origin.package
        for _ in range(level - 1):
            if not folder:
                return None
            folder = folder_of(folder)
        return self._at(join(folder, name.replace(".", "/")))

    def _at(self, stem: str) -> str | None:
        self._note(f"f:{stem}")
        return self._modules.at(stem)

    def _below(self, stem: str, rest: str) -> str | None:
        return self._at(f"{stem}/{rest.replace('.', '/')}" if rest else stem)

    def _is_package(self, folder: str) -> bool:
        self._note(f"p:{folder}")
        path = self._modules.at(folder)
        return path is not None and path.endswith(("/__init__.py", "/__init__.pyi"))

    def _roots(self, origin: ModuleFacts, name: str) -> Iterator[str]:
        """Yield the folders from which the module `name` can be imported."""
        self._note(f"top:{name}")
        offered = {folder_of(stem) for stem in self._candidates(name)}
        if not offered:
            return
        offered = {root for root in offered if not root or not self._is_package(root)}
        for root in self._likely(origin):
            if root in offered:
                yield root
                offered.discard(root)
        if len(offered) == 1 and name not in self._standard:
            yield from offered

    def _likely(self, origin: ModuleFacts) -> Iterator[str]:
        folder = folder_of(origin.path)
        while folder:
            yield folder
            folder = folder_of(folder)
        yield from _ROOTS

    def _namespace(self, origin: ModuleFacts, name: str) -> str | None:
        """Look for a module in folders that have no `__init__.py`."""
        first = name.partition(".")[0]
        if first in self._standard:
            return None
        tail = name.replace(".", "/")
        for root in dict.fromkeys(self._likely(origin)):
            found = self._at(join(root, tail))
            if found is not None:
                return found
        return None
