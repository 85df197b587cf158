"""Make the row `@project` of the graph: the project as a whole.

    ""        `ProjectContext`, what else the project declares, and statistics
    "#state"  {"counts": {...}, "readmes": {path: {"title", "leads", "install"}},
               "manifests": {path: project}, "guides": {path: commands}}

A guide is a README at the top or a document for those who install or develop it; the
commands are the first ones that install a checkout, see installation.py.

The name is the setting's, else that of a manifest at the top, else the title of the
README at the top, else that of the only manifest one folder down. What the project says
of itself: introduction.py. Manifests of tests, documentation and examples describe
something else, so they are not read.

The counts are in counts.py, what is chosen from them in technologies.py and
key_modules.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from posixpath import commonpath
from typing import Any

from repobuild.code.facts.element_row import row_of
from repobuild.code.graph.project.counts import (
    MAX_DEPTH,
    NOT_PROJECT,
    TEST_FOLDERS,
    TEST_MODULES,
    TOOLS,
    facts_counts,
    file_counts,
    graph_counts,
    ranked,
    with_prefix,
)
from repobuild.code.graph.project.installation import missing_for_setup, setup_command
from repobuild.code.graph.project.introduction import (
    README_NAMES,
    Manifests,
    describe,
    find_install,
    import_letters,
    letters,
    main_readme,
)
from repobuild.code.graph.project.key_modules import (
    architecture_style,
    is_monorepo,
    ranked_modules,
    small_modules,
)
from repobuild.code.graph.project.technologies import (
    IsExternal,
    chosen_packages,
    extras_that_install,
    imports_besides,
    technologies,
)
from repobuild.engine.contract import Change, Value, View

PROJECT = "@project"
_TOP_LEVEL = 1  # of a document's title; a section's level is in `complexity`
_MAX_KEY_MODULES = 12
_MAX_DISTRIBUTIONS = 40
_GO_VERSION = re.compile(r"v\d+")
_LONGEST_TITLE = 60  # characters of a README's title that may name a project
_TITLE_MARKUP = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>|:\w+:|[`*]")
_TITLE_LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_NO_NAMES = frozenset(
    "readme introduction overview about documentation installation install usage"
    " contents summary description features background abstract preface motivation"
    " purpose".split()
) | {"getting started", "table of contents", "quick start"}
_GUIDE = re.compile(
    r"(?i)(?:docs?/)?(?:readme|[\w-]*(?:install|contribut|develop|hacking|setup"
    r"|getting[-_]?started|quick[-_]?start)[\w-]*)(?:\.(?:md|markdown|rst|txt))?$"
)
_NO_STATE: Mapping[str, Any] = {
    "counts": {}, "readmes": {}, "manifests": {}, "guides": {}
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """What the project is, as samples and exports state it."""

    project_name: str
    description: str
    main_technologies: list[str]
    architecture_style: str
    key_modules: list[str]
    dependencies: dict[str, str]


def update_project(
    view: View, rows: Mapping[str, Change], is_external: IsExternal
) -> None:
    """Bring `@project` up to date with the files and rows that changed."""
    old = view.own.get(PROJECT)
    state = old["#state"] if old else _NO_STATE
    counts = Counter(state["counts"])
    readmes, manifests = dict(state["readmes"]), dict(state["manifests"])
    guides = dict(state["guides"])
    for path, (was, now) in view.changes("files").items():
        counts.subtract(file_counts(path, was))
        counts.update(file_counts(path, now))
    for path, (was, now) in view.changes("facts").items():
        counts.subtract(facts_counts(path, was))
        counts.update(facts_counts(path, now))
        if "/" not in path:
            _replace(readmes, path, _readme(path, now))
        _replace(manifests, path, now.get("project") if now else None)
        guides.pop(path, None)
        if now and now.get("setup") and _GUIDE.match(path):
            guides[path] = now["setup"]
    for path, (was, now) in rows.items():
        counts.subtract(graph_counts(path, was, now))
        counts.update(graph_counts(path, now, was))
    kept = {name: count for name, count in sorted(counts.items()) if count}
    state = {
        "counts": kept,
        "readmes": dict(sorted(readmes.items())),
        "manifests": dict(sorted(manifests.items())),
        "guides": dict(sorted(guides.items())),
    }
    name = str(view.settings.get("project.name", ""))
    view.own.put(PROJECT, {"": _project(name, state, is_external), "#state": state})


def _replace(values: dict[str, Any], path: str, value: Any) -> None:
    """Replace a path's value; none is kept if empty, deep, or not the project's."""
    values.pop(path, None)
    folders = path.split("/")[:-1]
    if value and len(folders) < MAX_DEPTH and NOT_PROJECT.isdisjoint(folders):
        values[path] = value


def _readme(path: str, facts: Value | None) -> dict[str, Any]:
    """Return a README's title, leads and commands; {} for other files."""
    if not facts or path.lower() not in README_NAMES:
        return {}
    headings = [row_of(item) for item in facts.get("elements", ())[:1]]
    titles = [row.returns for row in headings if row.complexity == _TOP_LEVEL]
    found = {
        "title": _title(*titles) if titles else "",
        "leads": facts.get("leads", []),
        "install": facts.get("install", []),
    }
    return found if any(found.values()) else {}


def _title(heading: str) -> str:
    """Return a heading without markup, "" when it names no project."""
    text = _TITLE_LINK.sub(r"\1", _TITLE_MARKUP.sub("", heading))
    text = " ".join(text.split())
    is_name = len(text) <= _LONGEST_TITLE and text.lower() not in _NO_NAMES
    return text if is_name else ""


def _project(
    name: str, state: Mapping[str, Any], is_external: IsExternal
) -> dict[str, Any]:
    counts: dict[str, int] = state["counts"]
    manifests = Manifests(state["manifests"])
    name = name or _project_name(state, manifests)
    description = describe(name, state["readmes"], manifests)
    dependencies = manifests.dependencies()
    needs: Mapping[str, str] = dependencies.value or {}
    # What a setup.py computes is not known, nor which imports are for some users only.
    is_known = bool(dependencies.path) or manifests.kind == "python"
    own_names = {letters(str(one.get("name"))) for one in state["manifests"].values()}
    own_names.add(letters(name))
    conditions = {n: v.partition(";")[2].strip() for n, v in needs.items() if ";" in v}
    required = needs.keys() - conditions.keys() if is_known else None
    chosen = chosen_packages(manifests) | import_letters(conditions)
    modules = ranked_modules(counts, name, manifests)
    context = ProjectContext(
        project_name=name,
        description=description.text,
        main_technologies=technologies(
            counts, is_external, own_names, required, chosen
        ),
        architecture_style=architecture_style(counts, manifests, name),
        key_modules=modules[:_MAX_KEY_MODULES],
        dependencies={n: v.partition(";")[0].strip() for n, v in needs.items()},
    )
    own_words = _own_words(state, manifests, name)
    left_out = small_modules(counts) - set(modules)
    own_words["more_modules"] = max(0, len(modules) - _MAX_KEY_MODULES) + len(left_out)
    if dependencies.path:
        told = context.main_technologies, context.dependencies
        besides = imports_besides(counts, is_external, own_names, *told, chosen)
        extras = extras_that_install(besides, manifests)
        own_words["imports_besides"] = [one for one in besides if one not in extras]
        own_words["imports_by_extras"] = extras
    own_words["described_by"] = description.path
    own_words["dependencies_by"] = dependencies.path
    own_words["dependencies_if"] = conditions  # what a package is needed under
    return asdict(context) | own_words | {"statistics": _statistics(counts)}


def _own_words(
    state: Mapping[str, Any], manifests: Manifests, name: str
) -> dict[str, Any]:
    """Return what the project says of itself beside what the specification names.

    Each value of a manifest is a pair with the manifest's path.
    """
    counts, readme = state["counts"], main_readme(state["readmes"])
    commands = state["readmes"].get(readme, {}).get("install", ())
    pairs = ("scripts", "extras", "dev", "licence", "python")
    distributions = [
        [folder, state["manifests"][path]["name"], _line(state["manifests"][path])]
        for folder, path in manifests.distributions().items()
    ]
    has_several = is_monorepo(manifests)
    found = {
        **{field: list(manifests.get(field)) for field in pairs},
        "manifest": [manifests.kind, manifests.folder],
        "install": [find_install(name, commands), readme],
        "setup": setup_command(state["guides"]),
        "setup_needs": _setup_needs(state, name),
        "distributions": distributions[:_MAX_DISTRIBUTIONS] if has_several else [],
        "tests": _test_folders(counts),
        "documentation": _document_folders(counts),
    }
    return {key: value for key, value in found.items() if value and value[0]}


def _setup_needs(state: Mapping[str, Any], name: str) -> list[str]:
    """Return what `setup.py` imports and a clean machine does not have."""
    counts: Mapping[str, int] = state["counts"]
    own = {letters(name)}
    own |= {one.rpartition("/")[2] for one in with_prefix(counts, "package:")}
    return missing_for_setup(
        with_prefix(counts, "setup:"),
        state["manifests"],
        lambda top: top in own or letters(top) in own,
        lambda top: (
            f"{top}.py" in TOOLS
            or f"module:{top}.py" in counts
            or f"folder:{top}" in counts
        ),
    )


def _test_folders(counts: Mapping[str, int]) -> list[str]:
    """Return the folders of tests; without any, those with tests beside the code.

    A single module of tests far below the top tests what lies beside it alone.
    """
    found = ranked(with_prefix(counts, "tests:"))
    named = [one for one in found if one.rpartition("/")[2] in TEST_FOLDERS]
    is_deep = len(found) == 1 and found[0].count("/") > 1
    return [] if is_deep and found[0].endswith(TEST_MODULES) else named or found


def _document_folders(counts: Mapping[str, int]) -> list[str]:
    """Return the folders of documents, each as deep as all documents in it are.

    Beside the folder with the sources may be one with what is made from them.
    """
    by_top: dict[str, dict[str, int]] = {}
    for folder, count in with_prefix(counts, "docs:").items():
        by_top.setdefault(folder.partition("/")[0], {})[folder] = count
    found = {commonpath(one): sum(one.values()) for one in by_top.values()}
    return ranked(found)


def _line(manifest: Mapping[str, Any]) -> str:
    return " ".join(str(manifest.get("description", "")).split())


def _project_name(state: Mapping[str, Any], manifests: Manifests) -> str:
    """Return the name that the top of the tree states; see the module's docstring."""
    own = _own_name(manifests)
    titles = {path: one["title"] for path, one in state["readmes"].items()}
    title = titles.get(main_readme(state["readmes"]), "")
    # Maven's top is often only the parent of the modules: "gson-parent".
    has_own = bool(own) and not manifests.folder and manifests.kind != "maven"
    # The index folds the case of a distribution's name: a title has the project's own.
    is_script = manifests.get("name").path == "setup.py"
    if is_script and own.islower() and letters(title) == letters(own):
        return str(title)
    return own if has_own else title or own


def _own_name(manifests: Manifests) -> str:
    """Return a manifest's name; of a Go module its last part that is no version."""
    name = str(manifests.get("name").value or "")
    if manifests.kind != "go":
        return name
    parts = [part for part in name.split("/") if not _GO_VERSION.fullmatch(part)]
    return parts[-1] if parts else name


def _of_kinds(kinds: Mapping[str, int]) -> dict[str, int]:
    """Return how many functions, classes and methods there are."""
    names = {"functions": "function", "classes": "class", "methods": "method"}
    return {name: kinds.get(kind, 0) for name, kind in names.items()}


def _statistics(counts: Mapping[str, int]) -> dict[str, Any]:
    kinds = with_prefix(counts, "kind:")
    code = _of_kinds(kinds)
    return {
        "total_elements": sum(code.values()),
        **code,
        "sections": kinds.get("section", 0),
        "files": kinds.get("file", 0),
        "in_tests": _of_kinds(with_prefix(counts, "tested:")),
        "in_documents": _of_kinds(with_prefix(counts, "shown:")),
        "edges": with_prefix(counts, "edge:"),
        "left_out": with_prefix(counts, "left:"),
        "languages": with_prefix(counts, "language:"),
        "unresolved_calls": counts.get("unresolved", 0),
        "file_type_counts": with_prefix(counts, "type:"),
    }
