"""The project as a whole: row `@project` of the graph.

    ""        ProjectContext (seed, section 3.1) and statistics
    "#state"  {"counts": {...}, "readmes": {path: text}, "manifests": {path: project}}

Everything is derived from the state, and the state is kept by adding what a changed
file now contributes and taking away what it contributed before: exact integers, so an
update ends where a full build ends. A count that reaches zero is dropped. Counts, by
prefix:

    type:.py   files by ending         kind:class    elements; kind:file files
    edge:calls edges                   import:numpy  files that import this top module
    folder:a/b elements in a folder, three levels deep at most
    unresolved calls, by element and name, of what is not known, or not of this project
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from repobuild.engine.contract import Change, Value, View

PROJECT = "@project"
_DEPTH = 3
_TECHNOLOGIES = 12
_MOST_IMPORTED = 100
_KEY_MODULES = 8
_OUTSIDE = frozenset("test tests testing docs doc examples benchmarks".split())
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)
_README = ("readme.md", "readme.markdown")

Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """The seed's ProjectContext."""

    project_name: str
    description: str
    main_technologies: list[str]
    architecture_style: str
    key_modules: list[str]
    dependencies: dict[str, str]


def update_project(view: View, rows: Mapping[str, Change], is_external: Known) -> None:
    """Bring `@project` up to date with the files and rows that changed."""
    old = view.own.get(PROJECT)
    state = old["#state"] if old else {"counts": {}, "readmes": {}, "manifests": {}}
    counts = Counter(state["counts"])
    readmes, manifests = dict(state["readmes"]), dict(state["manifests"])
    for path, (was, now) in view.changes("files").items():
        counts.subtract(_of_file(path, was))
        counts.update(_of_file(path, now))
    for path, (was, now) in view.changes("facts").items():
        counts.subtract(_of_facts(path, was))
        counts.update(_of_facts(path, now))
        _keep(readmes, path, _readme(path, now))
        _keep(manifests, path, now.get("project") if now else None)
    for was, now in rows.values():
        counts.subtract(_of_row(was))
        counts.update(_of_row(now))
    kept = {name: count for name, count in sorted(counts.items()) if count}
    state = {
        "counts": kept,
        "readmes": dict(sorted(readmes.items())),
        "manifests": dict(sorted(manifests.items())),
    }
    name = str(view.settings.get("project.name", ""))
    view.own.put(PROJECT, {"": _project(name, state, is_external), "#state": state})


def _keep(found: dict[str, Any], path: str, value: Any) -> None:
    found.pop(path, None)
    if value and path.count("/") < _DEPTH:
        found[path] = value


def _of_file(path: str, row: Value | None) -> dict[str, int]:
    if row is None:
        return {}
    name = path.rpartition("/")[2]
    return {"type:" + (name[name.rfind(".") :] if "." in name[1:] else ""): 1}


def _of_facts(path: str, facts: Value | None) -> dict[str, int]:
    if facts is None or facts.get("language") != "python":
        return {}
    tops = {entry[1].partition(".")[0] for entry in facts.get("imports", ())}
    counts = {f"import:{top}": 1 for top in tops if top}
    folder = "/".join(path.split("/")[:-1][:_DEPTH])
    return counts | {f"folder:{folder}": len(facts.get("elements", ()))}


def _of_row(row: Value | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sub, item in (row or {}).items():
        if "kind" in item:
            counts["kind:" + item["kind"]] += 1
            counts["unresolved"] += item.get("unresolved", 0)
        else:
            counts["edge:" + sub.split(" ", 2)[1]] += 1
    return counts


def _readme(path: str, facts: Value | None) -> str:
    is_readme = path.rpartition("/")[2].lower() in _README
    return str(facts.get("doc", "")) if facts and is_readme else ""


def _project(name: str, state: Mapping[str, Any], is_external: Known) -> dict[str, Any]:
    counts: dict[str, int] = state["counts"]
    manifests = [state["manifests"][path] for path in _by_depth(state["manifests"])]
    readmes = [state["readmes"][path] for path in _by_depth(state["readmes"])]
    said = [str(manifest.get("description", "")) for manifest in manifests]
    context = ProjectContext(
        project_name=name or _first(str(m.get("name", "")) for m in manifests),
        description=_first([*readmes, *said]),
        main_technologies=_technologies(counts, is_external),
        architecture_style=_style(counts),
        key_modules=_key_modules(counts),
        dependencies=_dependencies(manifests),
    )
    return asdict(context) | {"statistics": _statistics(counts)}


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _by_depth(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _with(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    size = len(prefix)
    return {
        name[size:]: count for name, count in counts.items() if name.startswith(prefix)
    }


def _ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def _technologies(counts: Mapping[str, int], is_external: Known) -> list[str]:
    """Return what is imported most and comes from elsewhere.

    Each name is a question to the index; a large project has hundreds of its own.
    """
    found: list[str] = []
    for top in _ranked(_with(counts, "import:"))[:_MOST_IMPORTED]:
        if is_external(top):
            found.append(top)
        if len(found) == _TECHNOLOGIES:
            break
    return found


def _own_folders(counts: Mapping[str, int]) -> dict[str, int]:
    folders = _with(counts, "folder:")
    return {
        folder: count
        for folder, count in folders.items()
        if folder and _OUTSIDE.isdisjoint(folder.split("/"))
    }


def _key_modules(counts: Mapping[str, int]) -> list[str]:
    return _ranked(_own_folders(counts))[:_KEY_MODULES]


def _style(counts: Mapping[str, int]) -> str:
    """Return the architecture that the folders' names show."""
    folders = _own_folders(counts)
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
    found: dict[str, str] = {}
    for manifest in manifests:
        for name, spec in manifest.get("dependencies", {}).items():
            found.setdefault(name, spec)
    return dict(sorted(found.items()))


def _statistics(counts: Mapping[str, int]) -> dict[str, Any]:
    kinds = _with(counts, "kind:")
    code = {kind: kinds.get(kind, 0) for kind in ("function", "class", "method")}
    return {
        "total_elements": sum(code.values()),
        "functions": code["function"],
        "classes": code["class"],
        "methods": code["method"],
        "sections": kinds.get("section", 0),
        "files": kinds.get("file", 0),
        "edges": _with(counts, "edge:"),
        "unresolved_calls": counts.get("unresolved", 0),
        "file_type_counts": _with(counts, "type:"),
    }
