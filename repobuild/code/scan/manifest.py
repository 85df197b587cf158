"""Read what a project's manifest declares: name, description, version, dependencies.

Facts do not know paths, so the kind of manifest shows in its text: JSON begins with a
brace, a go.mod names its module, TOML and INI have sections, requirements have none.

Requirements are parsed by `packaging`; what pip reads besides them (options, paths,
URLs without a name) names no package.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

_SECTION = re.compile(r"^\s*\[[^\]\n]+\]", re.MULTILINE)
_CONTINUED = re.compile(r"\\[ \t]*\n")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")
_OPTIONS = re.compile(r"[ \t]+--?[A-Za-z].*")  # "--hash=..." after a requirement
_EDITABLE = re.compile(r"(?:-e|--editable)[ \t=]+")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_VERSIONS = re.compile(r"[\w.-]+\s*(?:\[[^\]]*\])?\s*([^;@]*)")
_ARCHIVES = (".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz")
_ELSEWHERE = ("file:", "attr:")  # setup.cfg: the value is in another file
_GO_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]+)\"?[ \t]*(?://.*)?$", re.MULTILINE)
_GO_REQUIRE = re.compile(
    r"^(?:require)?[ \t]+([\w./~-]+\.[\w./~-]+)[ \t]+(v\S+)", re.MULTILINE
)
_EXTRAS = "options.extras_require"
_FIELDS = ("name", "description", "version")


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a manifest."""
    text = source.decode("utf-8", "replace")
    try:
        project = _project(text)
    except (ValueError, RecursionError, configparser.Error) as error:
        return {"problem": f"not readable: {str(error).splitlines()[0][:200]}"}
    return {"project": {key: value for key, value in project.items() if value}}


def _project(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        table = _table(json.loads(text))
        dependencies = _versions(_table(table.get("dependencies")))
        return {**_named_fields(table), "dependencies": dependencies}
    module = _GO_MODULE.search(text)
    if module:
        required = sorted((match[1], match[2]) for match in _GO_REQUIRE.finditer(text))
        return {"name": module[1], "dependencies": dict(required)}
    if not _SECTION.search(text):
        joined = _CONTINUED.sub(" ", text)
        return {"dependencies": requirements(joined.splitlines())}
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # also of an integer of 5,000 digits
        return _setup_cfg(text)
    project = _table(document.get("project"))
    if isinstance(document.get("package"), dict) and not project:
        return _cargo(document)
    return _pyproject(document)


def requirements(lines: Iterable[Any]) -> dict[str, str]:
    """Return {package: version specifier} of requirement lines."""
    specifiers: dict[str, str] = {}
    for line in lines:
        if found := _requirement(_COMMENT.sub("", str(line)).strip()):
            specifiers.setdefault(*found)
    return dict(sorted(specifiers.items()))


def _requirement(line: str) -> tuple[str, str] | None:
    """Return the package that a line names with its versions, None when it names none.

    A URL names one only by its `#egg=NAME`.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    if editable := _EDITABLE.match(line):
        line = line[editable.end() :]
    if "://" in line and (egg := _EGG.search(line)) and "@ " not in line:
        return egg[1], ""
    line = _OPTIONS.sub("", line)
    try:
        name = Requirement(line).name
    except InvalidRequirement:
        return None
    if name.endswith(_ARCHIVES):
        return None
    written = _VERSIONS.match(line)  # in the author's order, which packaging sorts
    return name, "".join(written[1].split()).strip("()") if written else ""


def _pyproject(document: dict[str, Any]) -> dict[str, Any]:
    project = _table(document.get("project"))
    poetry = _table(_table(document.get("tool")).get("poetry"))
    listed = project.get("dependencies")
    dependencies = requirements(listed if isinstance(listed, list) else [])
    if not dependencies:
        dependencies = _versions(_table(poetry.get("dependencies")))
        dependencies.pop("python", None)  # Poetry lists the interpreter among them
    fields = {**_named_fields({**poetry, **project}), "dependencies": dependencies}
    return {**fields, "optional": _optional(document, project, poetry)}


def _optional(
    document: dict[str, Any], project: dict[str, Any], poetry: dict[str, Any]
) -> list[str]:
    """Return the packages that extras and groups of dependencies name, sorted."""
    groups = (project.get("optional-dependencies"), document.get("dependency-groups"))
    lists = [lines for group in groups for lines in _table(group).values()]
    names = {one for lines in lists if isinstance(lines, list) for one in _names(lines)}
    names.update(_table(poetry.get("dev-dependencies")))
    for group in _table(poetry.get("group")).values():
        names.update(_table(_table(group).get("dependencies")))
    return sorted(names)


def _names(lines: list[Any]) -> Iterable[str]:
    return requirements(line for line in lines if isinstance(line, str))


def _cargo(document: dict[str, Any]) -> dict[str, Any]:
    dependencies = _versions(_table(document.get("dependencies")))
    return {**_named_fields(document["package"]), "dependencies": dependencies}


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    required = parser.get("options", "install_requires", fallback="")
    if not required.lstrip().startswith(_ELSEWHERE):
        dependencies = requirements(required.splitlines())
    else:
        dependencies = {}
    extras = parser[_EXTRAS] if _EXTRAS in parser else {}
    optional = requirements("\n".join(extras.values()).splitlines())
    fields = {**_named_fields(metadata), "dependencies": dependencies}
    return {**fields, "optional": sorted(optional)}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _named_fields(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: table[key]
        for key in _FIELDS
        if isinstance(table.get(key), str) and not table[key].startswith(_ELSEWHERE)
    }


def _versions(table: dict[str, Any]) -> dict[str, str]:
    """Return {package: version} where a version is a string or a table's `version`.

    A path or a URL in place of the version is none. Cargo's `package` is the name that
    its key renames.
    """
    versions: dict[str, str] = {}
    for name, spec in sorted(table.items()):
        entry = spec if isinstance(spec, dict) else {"version": spec}
        version, package = entry.get("version"), entry.get("package")
        known = isinstance(version, str) and ":" not in version and "/" not in version
        own_name = package if isinstance(package, str) else str(name)
        versions[own_name] = str(version) if known else ""
    return dict(sorted(versions.items()))
