"""Make the row `@project` of the graph: the project as a whole.

    ""        `ProjectContext` and statistics
    "#state"  {"counts": {...}, "readmes": {path: {"title", "text"}},
               "manifests": {path: project}}

The name is the setting's, else that of a manifest at the top, else the title of the
README at the top, else that of the only manifest one folder down. Manifests and READMEs
of tests, documentation and examples describe something else, so they are not read.

Everything is derived from the state. An update adds what a changed file now contributes
and subtracts what it contributed before; the counts are exact integers, so an update
and a full build give the same row. A count that reaches zero is dropped. Counts, by
prefix:

    type:.py   files by ending         kind:class    elements; kind:file files
    edge:calls edges                   import:numpy  files that import this top module
    folder:a/b elements in a folder, three levels deep at most
    left:minified files that are left out, by reason
    unresolved called names without an edge: unknown, or of other projects
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from repobuild.code.facts.element_row import row_of
from repobuild.code.graph.nodes import edge_key
from repobuild.engine.contract import Change, Value, View

PROJECT = "@project"
_TOP_LEVEL = 1  # of a document's title; a section's level is in `complexity`
_MAX_DEPTH = 3  # folders
_MAX_TECHNOLOGIES = 12
_MAX_CANDIDATES = 100  # top modules that may be technologies
_MAX_KEY_MODULES = 8
_NOT_PRODUCT = frozenset("test tests testing docs doc examples benchmarks".split())
# Folders whose manifests and READMEs are not the project's.
_NOT_PROJECT = _NOT_PRODUCT | frozenset(
    "fixture fixtures __fixtures__ __tests__ testdata test_data test-data e2e spec"
    " specs example demo demos sample samples template templates tutorial tutorials"
    " benchmark cookiecutter".split()
)
_LONGEST_TITLE = 60  # characters of a README's title that may name a project
_TITLE_MARKUP = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>|:\w+:|[`*]")
_TITLE_LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_NO_NAMES = frozenset(
    "readme introduction overview about documentation installation install usage"
    " contents".split()
) | {"getting started", "table of contents", "quick start"}
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)
_README_NAMES = ("readme.md", "readme.markdown")

IsExternal = Callable[[str], bool]  # of a top module


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
    state = old["#state"] if old else {"counts": {}, "readmes": {}, "manifests": {}}
    counts = Counter(state["counts"])
    readmes, manifests = dict(state["readmes"]), dict(state["manifests"])
    for path, (was, now) in view.changes("files").items():
        counts.subtract(_file_counts(path, was))
        counts.update(_file_counts(path, now))
    for path, (was, now) in view.changes("facts").items():
        counts.subtract(_facts_counts(path, was))
        counts.update(_facts_counts(path, now))
        _replace(readmes, path, _readme(path, now))
        _replace(manifests, path, now.get("project") if now else None)
    for was, now in rows.values():
        counts.subtract(_graph_counts(was))
        counts.update(_graph_counts(now))
    kept = {name: count for name, count in sorted(counts.items()) if count}
    state = {
        "counts": kept,
        "readmes": dict(sorted(readmes.items())),
        "manifests": dict(sorted(manifests.items())),
    }
    name = str(view.settings.get("project.name", ""))
    view.own.put(PROJECT, {"": _project(name, state, is_external), "#state": state})


def _replace(values: dict[str, Any], path: str, value: Any) -> None:
    """Replace a path's value; none is kept if empty, deep, or not the project's."""
    values.pop(path, None)
    folders = path.split("/")[:-1]
    if value and len(folders) < _MAX_DEPTH and _NOT_PROJECT.isdisjoint(folders):
        values[path] = value


def _file_counts(path: str, row: Value | None) -> dict[str, int]:
    if row is None:
        return {}
    name = path.rpartition("/")[2]
    type_ = "type:" + (name[name.rfind(".") :] if "." in name[1:] else "")
    return {type_: 1, **_left_out_counts(row)}


def _left_out_counts(row: Value) -> dict[str, int]:
    """Return a count for a row of `files` or `facts` whose file is left out."""
    return {f"left:{row['left_out']}": 1} if "left_out" in row else {}


def _facts_counts(path: str, facts: Value | None) -> dict[str, int]:
    if facts is None:
        return {}
    if facts.get("language") != "python":
        return _left_out_counts(facts)
    modules = [module for _, module, *_ in facts.get("imports", ())]
    tops = {module.partition(".")[0] for module in modules}
    # `_pytest` and the like are the insides of a package, and nobody's technology.
    counts = {f"import:{top}": 1 for top in tops if top and top[0] != "_"}
    folder = "/".join(path.split("/")[:-1][:_MAX_DEPTH])
    return counts | {f"folder:{folder}": len(facts.get("elements", ()))}


def _graph_counts(row: Value | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sub, item in (row or {}).items():
        if "kind" in item:
            counts["kind:" + item["kind"]] += 1
            counts["unresolved"] += item.get("unresolved", 0)
        elif key := edge_key(sub):
            counts["edge:" + key.kind] += 1
    return counts


def _readme(path: str, facts: Value | None) -> dict[str, str]:
    """Return a README's title and first paragraph; {} for other files."""
    if not facts or path.rpartition("/")[2].lower() not in _README_NAMES:
        return {}
    headings = [row_of(item) for item in facts.get("elements", ())[:1]]
    titles = [row.returns for row in headings if row.complexity == _TOP_LEVEL]
    found = {"title": _title(*titles) if titles else "", "text": facts.get("doc", "")}
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
    manifests = [state["manifests"][path] for path in _by_depth(state["manifests"])]
    context = ProjectContext(
        project_name=name or _project_name(state),
        description=_description(state),
        main_technologies=_technologies(counts, is_external),
        architecture_style=_architecture_style(counts),
        key_modules=_ranked(_product_folders(counts))[:_MAX_KEY_MODULES],
        dependencies=_dependencies(manifests),
    )
    return asdict(context) | {"statistics": _statistics(counts)}


def _project_name(state: Mapping[str, Any]) -> str:
    """Return the name that the top of the tree states; see the module's docstring."""
    manifests = {
        path: str(one.get("name", "")) for path, one in state["manifests"].items()
    }
    titles = {path: one["title"] for path, one in state["readmes"].items()}
    tops = [
        names[path]
        for names in (manifests, titles)
        for path in sorted(names)
        if "/" not in path
    ]
    below = {name for path, name in manifests.items() if path.count("/") == 1 and name}
    return _first(tops) or (below.pop() if len(below) == 1 else "")


def _description(state: Mapping[str, Any]) -> str:
    """Return the first README's text or manifest's description, the topmost first."""
    texts = {path: one["text"] for path, one in state["readmes"].items()}
    for path, one in state["manifests"].items():
        texts[path] = str(one.get("description", ""))
    readmes = state["readmes"]
    return _first(
        texts[path]
        for path in sorted(
            texts, key=lambda path: (path.count("/"), path not in readmes, path)
        )
    )


def _first(texts: Iterable[str]) -> str:
    """Return the first text that is not empty, or ""."""
    return next((text for text in texts if text), "")


def _by_depth(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _with_prefix(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    size = len(prefix)
    return {
        name[size:]: count for name, count in counts.items() if name.startswith(prefix)
    }


def _ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def _technologies(counts: Mapping[str, int], is_external: IsExternal) -> list[str]:
    """Return the most imported top modules of other projects.

    `is_external` queries the index, and a large project has hundreds of own modules, so
    only the most imported candidates are asked about.
    """
    candidates = _ranked(_with_prefix(counts, "import:"))[:_MAX_CANDIDATES]
    return list(islice(filter(is_external, candidates), _MAX_TECHNOLOGIES))


def _product_folders(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the elements of each folder, without tests, docs and examples."""
    folders = _with_prefix(counts, "folder:")
    return {
        folder: count
        for folder, count in folders.items()
        if folder and _NOT_PRODUCT.isdisjoint(folder.split("/"))
    }


def _architecture_style(counts: Mapping[str, int]) -> str:
    """Return the architecture that the folders' names suggest."""
    folders = _product_folders(counts)
    names = {folder.rpartition("/")[2] for folder in folders}
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= 3:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(folders) > 1:
        return "packages"
    return "single package" if folders else "modules"


def _dependencies(manifests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return {package: version specifier}; the topmost manifest wins."""
    specifiers: dict[str, str] = {}
    for manifest in manifests:
        for name, specifier in manifest.get("dependencies", {}).items():
            specifiers.setdefault(name, specifier)
    return dict(sorted(specifiers.items()))


def _statistics(counts: Mapping[str, int]) -> dict[str, Any]:
    kinds = _with_prefix(counts, "kind:")
    code = {kind: kinds.get(kind, 0) for kind in ("function", "class", "method")}
    return {
        "total_elements": sum(code.values()),
        "functions": code["function"],
        "classes": code["class"],
        "methods": code["method"],
        "sections": kinds.get("section", 0),
        "files": kinds.get("file", 0),
        "edges": _with_prefix(counts, "edge:"),
        "left_out": _with_prefix(counts, "left:"),
        "unresolved_calls": counts.get("unresolved", 0),
        "file_type_counts": _with_prefix(counts, "type:"),
    }
