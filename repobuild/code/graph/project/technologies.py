"""Choose the technologies of a project: what its code imports of other projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import islice

from repobuild.code.graph.project.counts import ranked, with_prefix
from repobuild.code.graph.project.introduction import (
    Manifests,
    import_letters,
    letters,
)
from repobuild.code.graph.python_files import import_name, names_of_others

_MAX_TECHNOLOGIES = 12
_MAX_BESIDES = 24  # that are no technologies
_FEWEST_IMPORTS = 2  # modules that need what no manifest declares
_FORGOTTEN = 0.25  # of those that need the most imported declared one
_MAX_CANDIDATES = 100  # top modules that may be technologies
IsExternal = Callable[[str], bool]  # of a top module


def _forgotten(counts: Mapping[str, int], usual: int) -> Iterator[str]:
    """Yield the modules that so many always import that a manifest only forgot them.

    `usual` is how many import what is declared.
    """
    least = max(_FEWEST_IMPORTS, usual * _FORGOTTEN)
    for name, count in with_prefix(counts, "always:").items():
        if count >= least:
            yield name


def technologies(
    counts: Mapping[str, int],
    is_external: IsExternal,
    own_names: set[str],
    required: Set[str] | None,
    chosen: set[str],
) -> list[str]:
    """Return the most imported top modules of other projects.

    Where manifests declare what is needed to run, anything else is an adapter for
    something that users may have, as what they choose by an extra, and no technology,
    unless so many modules need it that the manifest only forgot it; a distribution with
    dots in its name is a module below the top. A folder of
    the repository, a private module and one of Python 2's library never are.
    `is_external` queries the index, and a large project has hundreds of own modules, so
    only the most imported candidates are asked about.
    """
    parts = _names_in_paths(counts)
    others = names_of_others()
    known = None
    if required is not None:
        known = import_letters(required)
    imported = with_prefix(counts, "import:")
    if known is not None:
        imported |= with_prefix(counts, "dotted:")
    names = [
        one
        for one in ranked(imported)
        if one[0] != "_" and one not in others and letters(one) not in own_names
    ]
    if known is not None:
        declared = [one for one in names if letters(one) in known]
        usual = max((imported[one] for one in declared), default=0)
        aside = {*declared, *parts, *(n for n in names if letters(n) in chosen)}
        forgotten = (one for one in _forgotten(counts, usual) if one not in aside)
        found = {*declared, *filter(is_external, forgotten)}
        return [one for one in names if one in found][:_MAX_TECHNOLOGIES]
    candidates = [one for one in names if one not in parts][:_MAX_CANDIDATES]
    return list(islice(filter(is_external, candidates), _MAX_TECHNOLOGIES))


def imports_besides(
    counts: Mapping[str, int],
    is_external: IsExternal,
    own_names: set[str],
    main: Iterable[str],
    dependencies: Iterable[str],
    chosen: set[str],
) -> list[str]:
    """Return what the code imports of other projects that no manifest requires.

    `main` are the technologies that are told already, `dependencies` what is required.
    An extra installs them, or the code does without them where they are not there.
    """
    parts = _names_in_paths(counts)
    told = {one.partition(".")[0] for one in main}
    required = {letters(import_name(one)) for one in dependencies}
    aside = (
        told | names_of_others() | {one for one in parts if letters(one) not in chosen}
    )
    names = [
        one
        for one in ranked(with_prefix(counts, "import:"))
        if one not in aside and letters(one) not in own_names | required
    ]
    return list(islice(filter(is_external, names[:_MAX_CANDIDATES]), _MAX_BESIDES))


def extras_that_install(
    imported: Iterable[str], manifests: Manifests
) -> dict[str, str]:
    """Return the first extra that installs each of the modules, where one does."""
    extras: Mapping[str, list[str]] = manifests.get("extras").value or {}
    installs: dict[str, str] = {}
    # The smallest one is for what it names, "all" for everybody.
    for extra, packages in sorted(extras.items(), key=lambda one: len(one[1])):
        for module in import_letters(one.partition("[")[0] for one in packages):
            installs.setdefault(module, extra)
    known = {name: installs.get(letters(name)) for name in imported}
    return {name: extra for name, extra in known.items() if extra}


def _names_in_paths(counts: Mapping[str, int]) -> set[str]:
    """Return the names of the folders, and of those that they are in."""
    folders = with_prefix(counts, "folder:")
    return {part for folder in folders for part in folder.split("/")}


def chosen_packages(manifests: Manifests) -> set[str]:
    """Return what extras install, or developers need, as it may be imported."""
    extras, developers = manifests.get("extras").value, manifests.get("dev").value
    listed = (one for group in (extras or {}).values() for one in group)
    names = [one.partition("[")[0] for one in listed]
    return import_letters([*names, *(developers or ())])
