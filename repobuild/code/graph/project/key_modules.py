"""Rank the modules of a project, and name the style in which they are laid out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from statistics import median_high

from repobuild.code.graph.project.counts import (
    NOT_PRODUCT,
    TOP_PACKAGE,
    ranked,
    with_prefix,
)
from repobuild.code.graph.project.introduction import (
    Manifests,
    letters,
)

_SEVERAL = 3  # modules that import a private one which all rest on
# Modules that others need, and that say little of what a project does.
_HELPERS = frozenset(
    "typing types compat util utils helper helpers common exceptions exception errors"
    " error const constants".split()
)
_FEW_PACKAGES = 4  # that say little of how a project is built
_FEWEST_DISTRIBUTIONS = 2  # below the top, that make a monorepo
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)


def _product_folders(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the elements of each folder, without tests, docs and examples."""
    folders = with_prefix(counts, "folder:")
    return {
        folder: count
        for folder, count in folders.items()
        if folder and NOT_PRODUCT.isdisjoint(folder.split("/"))
    }


def ranked_modules(
    counts: Mapping[str, int], name: str, manifests: Manifests
) -> list[str]:
    """Return the largest packages, top ones first, and modules where these are few.

    Those modules come by what they carry, see `_weight`. Without any package these are
    the largest modules of Python, the distributions of a monorepo, or the largest
    folders and files of code. A tree whose top may be a package has no certain parts.
    """
    if TOP_PACKAGE in counts:
        return []
    folders = _product_folders(counts)
    packages = {
        one: count
        for one, count in with_prefix(counts, "package:").items()
        if "/_" not in one  # private: nobody is to use it
    }
    totals = _totals(folders)
    tops = {one: totals[one] for one in _tops(packages)}
    modules = with_prefix(counts, "module:")
    if tops:
        own = _main_modules(modules, name)
        sizes = {one: folders.get(one, 0) for one in packages if one not in tops}
        inner = {one: size for one, size in sizes.items() if size > 1}  # not data alone
        parts = {
            one: size
            for one, size in _inner_modules(counts).items()
            if one.rpartition("/")[0] in tops
        }
        inner |= _private_packages(counts, sum([*inner.values(), *parts.values()]))
        if len(tops | own) + len(inner) < _FEW_PACKAGES:
            parts |= {one: totals.get(one, size) for one, size in inner.items()}
            weights = {one: _weight(counts, one, size) for one, size in parts.items()}
            found = [*ranked(tops | own), *ranked(weights)]
        else:
            least = min(inner.values(), default=0)
            large = {one: size for one, size in parts.items() if size > least}
            found = [*ranked(tops | own), *ranked(inner | large)]
    else:
        python = {one: n for one, n in modules.items() if one.endswith(".py")}
        projects = manifests.distributions() if is_monorepo(manifests) else {}
        sizes = {one: totals[one] for one in projects if totals[one]}
        options = (python, sizes, folders, modules)
        found = ranked(next((one for one in options if one), {}))
    return found


def _private_packages(counts: Mapping[str, int], public: int) -> dict[str, int]:
    """Return the private folders of code that hold most of it; `public` is the rest."""
    private = with_prefix(counts, "private:")
    return private if sum(private.values()) > public else {}


def _inner_modules(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the public modules, and the private ones that are a core.

    A package may keep its core in a private module, `_url`, and export the names of it:
    one that the package itself imports, that is larger than half of the public ones, or
    needed by several modules and of more weight than half of them.
    """
    public = with_prefix(counts, "inner:")
    weights = [_weight(counts, path, size) for path, size in public.items()]
    usual_size = median_high(public.values()) if public else 1
    usual_weight = median_high(weights) if weights else 1
    hidden = with_prefix(counts, "hidden:")
    return public | {
        path: size
        for path, size in hidden.items()
        if size > usual_size
        or f"public:{path}" in counts
        or counts.get(f"into:{path}", 0) >= _SEVERAL
        and _weight(counts, path, size) > usual_weight
    }


def _weight(counts: Mapping[str, int], path: str, size: int) -> int:
    """Return how much of a project a module carries: its size, by how many need it.

    A small module that everything imports is as much its core as a large one alone.
    Twice as many that import it make it one size more. What a package passes on is what
    the project is used for; types and exceptions are what that needs.
    """
    importing, is_public = counts.get(f"into:{path}", 0), f"public:{path}" in counts
    if not path.endswith(".py"):  # a package: who imports one of its modules
        into, public = (with_prefix(counts, one) for one in ("into:", "public:"))
        importing = sum(n for one, n in into.items() if one.startswith(f"{path}/"))
        is_public = any(one.startswith(f"{path}/") for one in public)
    weight = 2 * size * (1 + importing.bit_length())
    if path.rpartition("/")[2].removesuffix(".py").strip("_") in _HELPERS:
        return weight // 4
    return 2 * weight if is_public else weight


def small_modules(counts: Mapping[str, int]) -> set[str]:
    """Return the modules with code in the packages at the top, whatever their size."""
    tops = _tops(with_prefix(counts, "package:"))
    sizes = _inner_modules(counts).items()
    return {one for one, n in sizes if n > 1 and one.rpartition("/")[0] in tops}


def _main_modules(modules: Mapping[str, int], name: str) -> dict[str, int]:
    """Return the modules at the top that the project is named after."""
    return {
        path: size
        for path, size in modules.items()
        if letters(path.rpartition("/")[2].partition(".")[0]) == letters(name)
    }


def _tops(folders: Iterable[str]) -> list[str]:
    """Return the folders that are in none of the others."""
    known = set(folders)
    return [one for one in sorted(known) if known.isdisjoint(_above(one))]


def _above(folder: str) -> Iterator[str]:
    parts = folder.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _totals(folders: Mapping[str, int]) -> Counter[str]:
    """Return the sizes of folders with all that is in them."""
    totals: Counter[str] = Counter()
    for folder, size in folders.items():
        for one in (folder, *_above(folder)):
            totals[one] += size
    return totals


def is_monorepo(manifests: Manifests) -> bool:
    return len(manifests.distributions()) >= _FEWEST_DISTRIBUTIONS


def architecture_style(
    counts: Mapping[str, int], manifests: Manifests, name: str
) -> str:
    """Return the architecture that manifests and packages show, "" if none does."""
    if TOP_PACKAGE in counts:
        return ""
    if is_monorepo(manifests):
        return "monorepo"
    packages = list(with_prefix(counts, "package:"))
    names = {package.rpartition("/")[2] for package in packages}
    tops = _tops(packages)
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= 3:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(tops) > 1:
        return "packages"
    if tops and name and _main_modules(with_prefix(counts, "module:"), name):
        return "package and module"
    if tops:
        return "subpackages" if len(packages) > 1 else "single package"
    modules = [one for one in with_prefix(counts, "module:") if one.endswith(".py")]
    return ("single module" if len(modules) == 1 else "modules") if modules else ""
