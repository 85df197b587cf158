"""What a project declares of itself: name, description, version, dependencies.

Which kind of manifest a blob is shows in its text, since facts do not know paths: JSON
begins with a brace, a go.mod names its module, TOML and INI have sections, requirements
have none.
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
_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]+)\"?[ \t]*(?://.*)?$", re.MULTILINE)
_NEEDED = re.compile(
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
        return _package_json(json.loads(text))
    module = _MODULE.search(text)
    if module:
        needed = sorted((match[1], match[2]) for match in _NEEDED.finditer(text))
        return {"name": module[1], "dependencies": dict(needed)}
    if not _SECTION.search(text):
        return {"dependencies": requirements(text.splitlines())}
    try:
        return _pyproject(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return _setup_cfg(text)


def requirements(lines: Iterable[Any]) -> dict[str, str]:
    """Return {package: version spec} of requirement lines."""
    found: dict[str, str] = {}
    for line in lines:
        match = _REQUIREMENT.match(str(line).strip())
        if match:
            spec = match[2].strip()
            found.setdefault(match[1], "" if spec.startswith("@") else spec)
    return dict(sorted(found.items()))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pyproject(document: dict[str, Any]) -> dict[str, Any]:
    project = _table(document.get("project"))
    poetry = _table(_table(document.get("tool")).get("poetry"))
    if isinstance(document.get("package"), dict) and not project:
        return _cargo(document)
    found: dict[str, Any] = _named({**poetry, **project})
    found["dependencies"] = requirements(_list(project.get("dependencies"))) or _specs(
        _table(poetry.get("dependencies"))
    )
    return found


def _cargo(document: dict[str, Any]) -> dict[str, Any]:
    dependencies = _specs(_table(document.get("dependencies")))
    return {**_named(document["package"]), "dependencies": dependencies}


def _named(table: dict[str, Any]) -> dict[str, Any]:
    return {key: table[key] for key in _FIELDS if isinstance(table.get(key), str)}


def _specs(table: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, spec in sorted(table.items()):
        version = _table(spec).get("version", "") if isinstance(spec, dict) else spec
        found[str(name)] = version if isinstance(version, str) else ""
    return found


def _package_json(document: Any) -> dict[str, Any]:
    table = _table(document)
    return {**_named(table), "dependencies": _specs(_table(table.get("dependencies")))}


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    wanted = parser.get("options", "install_requires", fallback="")
    return {**_named(metadata), "dependencies": requirements(wanted.splitlines())}
