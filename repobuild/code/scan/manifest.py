"""Read what a project's manifest declares of it, as the fields of `project`:

    name, description, version, licence, python    strings
    kind           python, npm, cargo, go or maven; requirements have none
    dependencies   {package: version specifier} that it needs to run
    complete       true where a manifest without dependencies needs none
    extras         {extra: packages} that are installed when asked for
    dev            packages that only its developers need
    optional       the packages of `extras` and `dev` together
    scripts        {command: what it runs, as the manifest writes it}

Facts do not know paths, so the kind of manifest shows in its text: JSON begins with a
brace, XML with a tag, a go.mod names its module, TOML and INI have sections, a Gradle
file has plugins, requirements have none of these. setup.py: setup_script.py.

Requirements are parsed by `packaging`; what pip reads besides them (options, paths,
URLs without a name) names no package.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

_SECTION = re.compile(r"^\s*\[[^\]\n]+\]", re.MULTILINE)
_CONTINUED = re.compile(r"\\[ \t]*\n")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")
# What says that a package is not needed to run the project.
_ASIDE_COMMENT = re.compile(
    r"(?i)\boptional|\bnot required\b|\bonly (?:for|needed|if|when)\b|可选|非必需|仅"
    r"|^\s*#+\W*(?:for )?(?:dev|test|doc|lint|build|benchmark|release)"
)
_OPTIONS = re.compile(r"[ \t]+--?[A-Za-z].*")  # "--hash=..." after a requirement
_EDITABLE = re.compile(r"(?:-e|--editable)[ \t=]+")
_OWN_EXTRAS = re.compile(r"([\w.-]+)[ \t]*\[([^\]]*)\]")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_VERSIONS = re.compile(r"[\w.-]+\s*(?:\[[^\]]*\])?\s*([^;@]*)")
_COMPARISON = re.compile(r"([\w.]+) ?([<>=!]=?) ?(\"[^\"]*\"|'[^']*')")
_OPPOSITES = ({"==", "!="}, {"<", ">="}, {">", "<="})
_ARCHIVES = (".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz")
_ELSEWHERE = ("file:", "attr:")  # setup.cfg: the value is in another file
_GO_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]+)\"?[ \t]*(?://.*)?$", re.MULTILINE)
_GO_REQUIRE = re.compile(
    r"^(?:require)?[ \t]+([\w./~-]+\.[\w./~-]+)[ \t]+(v\S+)", re.MULTILINE
)
_INDIRECT = re.compile(r"^.*//[ \t]*indirect\b.*$", re.MULTILINE)
_EXTRAS = "options.extras_require"
_SCRIPTS = "options.entry_points"
_FIELDS = ("name", "description", "version")
_MAX_SCRIPTS = 100
# What a pom.xml may hold that a parser of XML expands or fetches.
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_GRADLE = re.compile(
    r"^\s*(?:plugins|buildscript|allprojects)\s*\{|^apply plugin", re.M
)
_GRADLE_DESCRIPTION = re.compile(r"^\s*description\s*=?\s*([\"'])(.+?)\1", re.MULTILINE)
_GRADLE_DEPENDENCY = re.compile(
    r"^\s*(?:api|implementation|compile)\b[\s(]*[\"'][\w.-]+:([\w.-]+)(?::([\w.-]+))?[\"']",
    re.MULTILINE,
)


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a manifest."""
    text = source.decode("utf-8", "replace")
    try:
        project = _project(text)
    except (ValueError, RecursionError, ParseError, configparser.Error) as error:
        return {"problem": f"not readable: {str(error).splitlines()[0][:200]}"}
    return {"project": declared_project(project)}


def declared_project(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {key: value for key, value in fields.items() if value}


def _project(text: str) -> dict[str, Any]:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return _package_json(_table(json.loads(start)))
    if start.startswith("<"):
        return _pom(start)
    module = _GO_MODULE.search(text)
    if module:
        direct = _INDIRECT.sub("", text)
        required = sorted((m[1], m[2]) for m in _GO_REQUIRE.finditer(direct))
        fields = {"name": module[1], "kind": "go", "complete": True}
        return {**fields, "dependencies": dict(required)}
    if _GRADLE.search(text):
        found = _GRADLE_DESCRIPTION.search(text)
        used = sorted((m[1], m[2] or "") for m in _GRADLE_DEPENDENCY.finditer(text))
        description = found[2] if found else ""
        return {"description": description, "kind": "maven", "dependencies": dict(used)}
    if not _SECTION.search(text):
        joined = _CONTINUED.sub(" ", text)
        return _listed_requirements(joined)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # also of an integer of 5,000 digits
        return _setup_cfg(text)
    project = _table(document.get("project"))
    if isinstance(document.get("package"), dict) and not project:
        return _cargo(document)
    return _pyproject(document)


def _package_json(table: dict[str, Any]) -> dict[str, Any]:
    name = str(table.get("name", "")).rpartition("/")[2]
    commands = table.get("bin")
    scripts = {name: commands} if isinstance(commands, str) else _table(commands)
    extras = list(_versions(_table(table.get("optionalDependencies"))))
    dev = list(_versions(_table(table.get("devDependencies"))))
    return {
        **_named_fields(table),
        "kind": "npm",
        "complete": True,
        "licence": _text(table.get("license")),
        "dependencies": _versions(_table(table.get("dependencies"))),
        "extras": {"optional": extras} if extras else {},
        "dev": dev,
        "optional": sorted({*extras, *dev}),
        "scripts": _scripts(scripts),
    }


def _pom(text: str) -> dict[str, Any]:
    """Return what Maven's own elements say; a variable (`${x}`) says nothing."""
    if _DECLARATION.search(text):
        return {}
    root = fromstring(text)
    tag = root.tag.rpartition("project")[0]  # "{namespace}" or ""

    def value(node: Element, name: str) -> str:
        found = " ".join((node.findtext(tag + name) or "").split())
        return "" if "${" in found else found

    used, dev = {}, []
    for node in root.iterfind(f"{tag}dependencies/{tag}dependency"):
        name = value(node, "artifactId")
        if value(node, "scope") == "test":
            dev.append(name)
        elif name:
            used[name] = value(node, "version")
    return {
        "name": value(root, "artifactId"),
        "description": value(root, "description"),
        "kind": "maven",
        "dependencies": used,
        "dev": sorted(filter(None, dev)),
        "optional": sorted(filter(None, dev)),
    }


def _listed_requirements(text: str) -> dict[str, Any]:
    """Return what a file of requirements needs, and what its comments call optional.

    A comment on a line of its own is about the lines up to the next empty line.
    """
    needed, optional = [], []
    is_aside = False
    for line in text.splitlines():
        if not line.strip():
            is_aside = False
        elif line.lstrip().startswith("#"):
            is_aside = bool(_ASIDE_COMMENT.search(line))
        elif is_aside or _ASIDE_COMMENT.search(line.partition(" #")[2]):
            optional.append(line)
        else:
            needed.append(line)
    return {
        "dependencies": requirements(needed),
        "optional": sorted(requirements(optional)),
    }


def requirements(lines: Iterable[Any]) -> dict[str, str]:
    """Return {package: version specifier} of requirement lines.

    A condition follows the specifier: `>=4.0; python_version < "3.12"`. Of several
    lines the first one without a condition counts: the others narrow it. Where all have
    one, the package is needed under any of them, with the versions of the first line.
    """
    told: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        if found := _requirement(_COMMENT.sub("", str(line)).strip()):
            name, specifier = found
            versions, _, condition = specifier.partition("; ")
            told.setdefault(name, []).append((versions, condition))
    return {name: _joined(found) for name, found in sorted(told.items())}


def _joined(lines: Sequence[tuple[str, str]]) -> str:
    """Return the specifier of a package that several lines name."""
    for versions, condition in lines:
        if not condition:
            return versions
    conditions = list(dict.fromkeys(condition for _, condition in lines))
    versions = lines[0][0]
    if any(_are_opposite(*pair) for pair in combinations(conditions, 2)):
        return versions
    return f"{versions}; {' or '.join(conditions)}"


def _are_opposite(one: str, other: str) -> bool:
    """Return whether one condition holds where the other does not: `==` and `!=`."""
    first, second = _COMPARISON.fullmatch(one), _COMPARISON.fullmatch(other)
    if not first or not second or first.group(1, 3) != second.group(1, 3):
        return False
    return {first[2], second[2]} in _OPPOSITES


def packages_of_extra(lines: Iterable[Any]) -> list[str]:
    """Return what an extra installs; `tablib[pandas]` is more than `tablib`."""
    found = [(_COMMENT.sub("", str(line)).strip(), line) for line in lines]
    names = []
    for text, line in found:
        inner = _OWN_EXTRAS.match(text)
        bracket = f"[{''.join(inner[2].split())}]" if inner else ""
        names += [f"{name}{bracket}" for name in requirements([line])]
    return sorted(set(names))


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
        required = Requirement(line)
    except InvalidRequirement:
        return None
    name = required.name
    if name.endswith(_ARCHIVES):
        return None
    written = _VERSIONS.match(line)  # in the author's order, which packaging sorts
    versions = "".join(written[1].split()).strip("()") if written else ""
    return name, f"{versions}; {required.marker}" if required.marker else versions


def _pyproject(document: dict[str, Any]) -> dict[str, Any]:
    project = _table(document.get("project"))
    tools = _table(document.get("tool"))
    poetry = _table(tools.get("poetry"))
    flit = _table(_table(tools.get("flit")).get("metadata"))
    listed = project.get("dependencies", flit.get("requires"))
    dependencies = requirements(listed if isinstance(listed, list) else [])
    if not dependencies:
        dependencies = _versions(_required(_table(poetry.get("dependencies"))))
        dependencies.pop("python", None)  # Poetry lists the interpreter among them
    fields = _named_fields({"name": flit.get("module"), **poetry, **project})
    python = project.get("requires-python") or flit.get("requires-python")
    poetry_python = _table(poetry.get("dependencies")).get("python")
    extras, dev = _extras(document, project, poetry)
    extras |= {
        name: packages_of_extra(_lines(lines))
        for name, lines in _table(flit.get("requires-extra")).items()
    }
    commands = [project.get("scripts"), project.get("gui-scripts")]
    commands += [poetry.get("scripts"), _table(tools.get("flit")).get("scripts")]
    dynamic = project.get("dynamic")
    system = _table(document.get("build-system"))
    is_project = bool(project or poetry or flit)
    return {
        **fields,
        "kind": "python" if is_project else "",
        "complete": bool(project) and "dependencies" not in _lines(dynamic),
        "backend": _text(system.get("build-backend")),
        "build": sorted(requirements(_lines(system.get("requires")))),
        "licence": _text(project.get("license") or poetry.get("license")),
        "python": _text(python or poetry_python),
        "dependencies": dependencies,
        "extras": {name: names for name, names in extras.items() if names},
        "dev": dev,
        "optional": _united(extras, dev),
        "scripts": _scripts({k: v for one in commands for k, v in _table(one).items()}),
    }


def _extras(
    document: dict[str, Any], project: dict[str, Any], poetry: dict[str, Any]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return {extra: packages}, and the packages of groups for developers."""
    declared = {
        name: _lines(lines)
        for name, lines in _table(project.get("optional-dependencies")).items()
    }
    own = str(project.get("name", ""))
    extras = {
        name: packages_of_extra(_gathered(name, declared, own)) for name in declared
    }
    for name, packages in _table(poetry.get("extras")).items():
        extras.setdefault(name, sorted(_lines(packages)))
    groups = _table(document.get("dependency-groups")).values()
    dev = {one for lines in groups for one in requirements(_lines(lines))}
    dev.update(_table(poetry.get("dev-dependencies")))
    for group in _table(poetry.get("group")).values():
        dev.update(_table(_table(group).get("dependencies")))
    return extras, sorted(dev)


def _gathered(
    name: str, declared: dict[str, list[str]], own: str, outer: tuple[str, ...] = ()
) -> list[str]:
    """Return the lines of an extra; `own[a,b]` stands for those of extras a and b."""
    lines: list[str] = []
    for line in declared.get(name, ()):
        found = _OWN_EXTRAS.match(line)
        if found is None or normal_package(found[1]) != normal_package(own):
            lines.append(line)
            continue
        for inner in map(str.strip, found[2].split(",")):
            if inner not in (name, *outer):
                lines += _gathered(inner, declared, own, (name, *outer))
    return lines


def normal_package(name: str) -> str:
    """Return a package's name as an index compares it: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _united(extras: dict[str, list[str]], dev: list[str]) -> list[str]:
    return sorted({*dev, *(one for names in extras.values() for one in names)})


def _lines(value: Any) -> list[str]:
    items = value if isinstance(value, list) else []
    return [one for one in items if isinstance(one, str)]


def _text(value: Any) -> str:
    """Return a short text on one line; of a table its `text`, else ""."""
    text = value.get("text") if isinstance(value, dict) else value
    is_short = isinstance(text, str) and "\n" not in text.strip() and len(text) < 80
    return str(text).strip() if is_short else ""


def _required(table: dict[str, Any]) -> dict[str, Any]:
    """Return the entries that are not installed only on demand."""
    return {k: v for k, v in table.items() if not _table(v).get("optional")}


def _scripts(table: dict[str, Any]) -> dict[str, str]:
    pairs = [(str(k), v) for k, v in sorted(table.items()) if isinstance(v, str)]
    return {name: one.strip() for name, one in pairs[:_MAX_SCRIPTS] if name and one}


def _cargo(document: dict[str, Any]) -> dict[str, Any]:
    package = document["package"]
    listed = _table(document.get("dependencies"))
    on_demand = set(_versions(listed)) - set(_versions(_required(listed)))
    dev = list(_versions(_table(document.get("dev-dependencies"))))
    bins = document.get("bin")
    binaries = [_table(one) for one in bins] if isinstance(bins, list) else []
    return {
        **_named_fields(package),
        "kind": "cargo",
        "complete": True,
        "licence": _text(package.get("license")),
        "dependencies": _versions(_required(listed)),
        "extras": {"optional": sorted(on_demand)} if on_demand else {},
        "dev": dev,
        "optional": sorted({*on_demand, *dev}),
        "scripts": _scripts({one.get("name", ""): one.get("path") for one in binaries}),
    }


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # case matters
    parser.read_string(text)
    metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    required = parser.get("options", "install_requires", fallback="")
    if not required.lstrip().startswith(_ELSEWHERE):
        dependencies = requirements(required.splitlines())
    else:
        dependencies = {}
    listed = dict(parser[_EXTRAS]) if _EXTRAS in parser else {}
    extras = {
        name: packages_of_extra(lines.splitlines())
        for name, lines in listed.items()
        if not lines.lstrip().startswith(_ELSEWHERE)
    }
    entry_points = dict(parser[_SCRIPTS]) if _SCRIPTS in parser else {}
    return {
        **_named_fields(metadata),
        "kind": "python" if metadata or parser.has_section("options") else "",
        "licence": _text(metadata.get("license")),
        "python": _text(parser.get("options", "python_requires", fallback="")),
        "dependencies": dependencies,
        "extras": {name: names for name, names in extras.items() if names},
        "optional": _united(extras, []),
        "scripts": console_scripts(entry_points),
    }


def console_scripts(entry_points: dict[str, Any]) -> dict[str, str]:
    """Return the commands among entry points: lines of `command = module:function`."""
    lines: list[str] = []
    for group in ("console_scripts", "gui_scripts"):
        value = entry_points.get(group, ())
        lines += value.splitlines() if isinstance(value, str) else _lines(value)
    pairs = [line.partition("=") for line in lines if "=" in line]
    return _scripts({name.strip(): target for name, _, target in pairs})


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
