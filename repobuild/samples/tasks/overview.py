"""Task `project_overview`: what a newcomer asks about the project as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.scan.manifest import normal_package
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_ONE_PACKAGE = ("single package", "single module", "subpackages")
# Words of the paths of tests, and of what says only what the project is.
_NO_PARTS = frozenset({"test", "tests", "testing", "version", "about"})
_READMES = "readme"  # how the name of a README begins, in small letters
_MOST_DISTRIBUTIONS = 12
# What the names of licences have in common; "Tencent" names none.
_NAMES_LICENCE = re.compile(
    r"(?i)licen[sc]e|\b(?:mit|expat|isc|psf\w*|zlib|zpl|bsl|cc0?|eupl|wtfpl|x11|python)\b"
    r"|bsd|gpl|mpl|epl|gnu|apache|mozilla|artistic|eclipse|boost|public domain"
    r"|proprietary|all rights reserved|commercial|0bsd|unlicen[sc]e"
)
_RUN_MODULE = "python -m "  # begins a command that no script is installed for
# Stand-ins for newer versions of the standard library: nothing is built on them.
_BACKPORTS = frozenset(
    "typing_extensions exceptiongroup tomli importlib_metadata importlib_resources"
    " zoneinfo dataclasses enum34 mock six future backports contextlib2 async_timeout"
    " taskgroup typing unittest2 graphlib cached_property".split()
)


def facts(scope: FactScope) -> Iterator[Fact]:
    if scope.get("kind") != "project":
        return
    yield from _purpose(scope)
    items = _module_items(scope)
    # A list that is cut says little without what each is for.
    is_told = _tells_purposes(scope) or not scope.get("more_modules")
    if items.count("\n") > 1 and is_told:
        yield _fact(scope, "modules", items=items + _more_modules(scope))
    names = _foundations(scope, "technologies")
    if len(names) > 1:  # one alone is no foundation, and told as a dependency
        answer = scope.answer("technologies", members=_listed(scope, names))
        answer += _imports_by_extras(scope)
        if besides := _foundations(scope, "imports_besides"):
            members = _listed(scope, besides)
            answer += scope.phrases.part("imports_besides", members=members)
        yield Fact("technologies", answer, (scope.id,))
    yield from _architecture(scope)
    if scope.get("counts"):
        answer = scope.answer("statistics", **_numbers(scope, "counts"))
        for field, part in (("in_tests", "of_tests"), ("in_documents", "of_documents")):
            if numbers := _numbers(scope, field):
                answer += scope.phrases.part(part, **numbers)
        yield Fact("statistics", answer, (scope.id,))
    yield from _installation(scope)
    yield from _commands(scope)
    yield from _dependencies(scope)
    for kind, field in (("test_folders", "tests"), ("doc_folders", "documentation")):
        if folders := scope.get(field):
            yield _fact(scope, kind, members=_listed(scope, folders))
    yield from _licence(scope)
    if found := scope.get("python"):
        value, source = found
        yield _fact(scope, "python_needed", text=value, source=source)
    yield from _distributions(scope)


def _licence(scope: FactScope) -> Iterator[Fact]:
    """What the manifest declares, and the text beside it where that is another's."""
    declared, source = scope.get("licence") or ("", "")
    if not _NAMES_LICENCE.search(declared):  # "Tencent" is a name, but of none
        return
    answer = scope.answer("licence_needed", text=declared, source=source)
    if text := scope.get("licence_text"):
        licence, file = text
        answer += scope.phrases.part("licence_text", licence=licence, source=file)
    yield Fact("licence_needed", answer, (scope.id,))


def _numbers(scope: FactScope, field: str) -> dict[str, str]:
    return {name: str(count) for name, count in (scope.get(field) or {}).items()}


def _imports_by_extras(scope: FactScope) -> str:
    """Say what the code imports that an extra of the manifest installs."""
    names_by_extra: dict[str, list[str]] = {}
    for name, extra in (scope.get("imports_by_extras") or {}).items():
        if name.partition(".")[0] not in _BACKPORTS:
            names_by_extra.setdefault(extra, []).append(name)
    items = "".join(
        scope.phrases.part("extra", extra=extra, members=_listed(scope, names))
        for extra, names in sorted(names_by_extra.items())
    )
    return scope.phrases.part("imports_by_extras", items=items) if items else ""


def _foundations(scope: FactScope, field: str) -> list[str]:
    names = scope.get(field) or ()
    return [name for name in names if name.partition(".")[0] not in _BACKPORTS]


def _fact(scope: FactScope, kind: str, difficulty: str = "easy", **fields: str) -> Fact:
    return Fact(kind, scope.answer(kind, **fields), (scope.id,), difficulty)


def _listed(scope: FactScope, names: list[str]) -> str:
    return answer_parts.list_texts(scope, [f"`{name}`" for name in names])


def _purpose(scope: FactScope) -> Iterator[Fact]:
    """Say what the project is, in the README's words or in those of a manifest."""
    text, source = scope.get("description"), scope.get("described_by")
    if not text:
        return
    if not source or source.lower().startswith(_READMES):
        yield _fact(scope, "purpose", description=text, source=source)
    else:
        yield _fact(scope, "tagline", description=text, source=source)


def _module_items(scope: FactScope) -> str:
    modules = scope.get("modules") or []
    paths = [path for path, _ in modules]
    lines = [
        f"\n- `{path}`"
        + (scope.phrases.part("package_purpose", text=text) if text else "")
        for path, text in modules
        if _NO_PARTS.isdisjoint(re.split(r"[/_.]", path)) and not _is_whole(path, paths)
    ]
    return "".join(lines)


def _is_whole(path: str, paths: list[str]) -> bool:
    """Return whether a package holds all other parts: it is the project itself."""
    others = [one for one in paths if one != path]
    return bool(others) and all(one.startswith(f"{path}/") for one in others)


def _more_modules(scope: FactScope) -> str:
    return scope.phrases.part("more_modules") if scope.get("more_modules") else ""


def _architecture(scope: FactScope) -> Iterator[Fact]:
    """Name the architectural style, and what each key module is for."""
    style = scope.get("style")
    # Of one package there is nothing to describe but what is in it.
    is_one = _module_items(scope).count("\n") < 2
    if not style or (is_one and style in _ONE_PACKAGE):
        return
    if style in _ONE_PACKAGE and not _tells_purposes(scope):
        return  # a list of paths
    label = scope.phrases.words.get("style_" + style.replace(" ", "_"), style)
    answer = scope.answer("architecture", style=label)
    if items := _module_items(scope):
        items += _more_modules(scope)
        answer += scope.phrases.part("modules", items=items)
    yield Fact("architecture", answer, (scope.id,), "hard")


def _tells_purposes(scope: FactScope) -> bool:
    """Return whether at least half of the modules say what they are for."""
    told = [bool(text) for _, text in scope.get("modules") or []]
    return 2 * sum(told) >= len(told)


def _installation(scope: FactScope) -> Iterator[Fact]:
    """Say how a checkout is installed, and apart from that the published package.

    What a document says goes before what a manifest suggests.
    """
    if published := scope.get("install"):
        command, source = published
        yield _fact(scope, "published", command=command, source=source)
    command, source = scope.get("checkout"), scope.get("checkout_by")
    if not command:
        return
    kind = "install_told" if source else "install"
    command, _, further = command.partition("\n")
    answer = scope.answer(kind, command=command, source=source)
    if further:
        answer += scope.phrases.part("install_then", command=further, source=source)
    yield Fact(kind, answer, (scope.id,))


def _commands(scope: FactScope) -> Iterator[Fact]:
    """Say which programs are installed, and which packages can be run besides."""
    items, modules = "", ""
    for command, target, path in scope.get("commands") or []:
        item = scope.phrases.part("command", command=command, target=target)
        item += scope.phrases.part("command_in", path=path) if path else ""
        if command.startswith(_RUN_MODULE):
            modules += item
        else:
            items += item
    if not items:
        return
    answer = scope.answer("commands", items=items)
    answer += scope.phrases.part("run_modules", items=modules) if modules else ""
    yield Fact("commands", answer, (scope.id,))


def _dependencies(scope: FactScope) -> Iterator[Fact]:
    """Say what is needed to run the project, on demand, and to develop it."""
    source = scope.get("needs_by")
    if not source:
        return
    part, sometimes = scope.phrases.part, scope.get("needs_sometimes") or {}
    if names := scope.get("needs"):
        members = _listed(scope, names)
        answer = scope.answer("dependencies", members=members, source=source)
        kind = "dependencies"
    elif source.endswith("setup.py"):
        return  # a program: what it needs may be in setup.cfg, or computed
    else:
        kind = "independent"
        label = "none_always" if sometimes else "none_declared"
        answer = scope.answer(kind) + part(label, source=source)
    if sometimes:
        items = "".join(
            part("needed_if", package=package, condition=condition)
            for package, condition in sometimes.items()
        )
        answer += part("needed_sometimes", items=items, source=source)
    answer += _extras(scope)
    if developers := scope.get("dev"):
        packages, _ = developers
        members = _listed(scope, packages)
        answer += scope.phrases.part("dev_packages", members=members)
    yield Fact(kind, answer, (scope.id,))


def _extras(scope: FactScope) -> str:
    """Return what the extras of the manifest install."""
    extras, _ = scope.get("extras") or ({}, "")
    items = "".join(
        scope.phrases.part("extra", extra=name, members=_listed(scope, packages))
        for name, packages in list(extras.items())[: answer_parts.MAX_NAMES]
        if not _is_itself(scope, packages)
    )
    return scope.phrases.part("extras", items=items) if items else ""


def _is_itself(scope: FactScope, packages: list[str]) -> bool:
    """Return whether an extra gathers others: it needs the project with these."""
    own = normal_package(str(scope.get("project")))
    return own in {normal_package(one.partition("[")[0]) for one in packages}


def _distributions(scope: FactScope) -> Iterator[Fact]:
    rows = scope.get("distributions") or []
    items = ""
    for folder, name, text in rows[:_MOST_DISTRIBUTIONS]:
        items += scope.phrases.part("distribution", path=folder, title=name)
        items += scope.phrases.part("package_purpose", text=text) if text else ""
    if items:
        count = str(len(rows))
        yield _fact(scope, "distributions", "medium", count=count, items=items)
