"""Reads what a project's manifest declares: name, description, version, dependencies.

Facts do not know paths, so the kind of manifest shows in its text: JSON begins with a
brace, a go.mod names its module, TOML and INI have sections, requirements have none.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

_SECTION = re.compile(r"^\s*\[[^\]\n]+\]", re.MULTILINE)
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*([^;#]*)")
_GO_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]+)\"?[ \t]*(?://.*)?$", re.MULTILINE)
_GO_REQUIRE = re.compile(
    r"^(?:require)?[ \t]+([\w./~-]+\.[\w./~-]+)[ \t]+(v\S+)", re.MULTILINE
)
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
        return {"dependencies": requirements(text.splitlines())}
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
        match = _REQUIREMENT.match(str(line).strip())
        if match:
            specifier = match[2].strip()
            is_url = specifier.startswith("@")
            specifiers.setdefault(match[1], "" if is_url else specifier)
    return dict(sorted(specifiers.items()))


def _pyproject(document: dict[str, Any]) -> dict[str, Any]:
    project = _table(document.get("project"))
    poetry = _table(_table(document.get("tool")).get("poetry"))
    listed = project.get("dependencies")
    dependencies = requirements(listed if isinstance(listed, list) else [])
    dependencies = dependencies or _versions(_table(poetry.get("dependencies")))
    return {**_named_fields({**poetry, **project}), "dependencies": dependencies}


def _cargo(document: dict[str, Any]) -> dict[str, Any]:
    dependencies = _versions(_table(document.get("dependencies")))
    return {**_named_fields(document["package"]), "dependencies": dependencies}


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    required = parser.get("options", "install_requires", fallback="")
    dependencies = requirements(required.splitlines())
    return {**_named_fields(metadata), "dependencies": dependencies}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _named_fields(table: dict[str, Any]) -> dict[str, Any]:
    return {key: table[key] for key in _FIELDS if isinstance(table.get(key), str)}


def _versions(table: dict[str, Any]) -> dict[str, str]:
    """Return {package: version} where a version is a string or a table's `version`."""
    versions = {}
    for name, spec in sorted(table.items()):
        version = spec.get("version", "") if isinstance(spec, dict) else spec
        versions[str(name)] = version if isinstance(version, str) else ""
    return versions
