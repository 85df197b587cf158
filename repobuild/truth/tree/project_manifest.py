"""Read what the manifests of a tree declare, for claims about the whole project."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_NAME = re.compile(r"([A-Za-z0-9](?:[\w.-]*\w)?)\s*(?:[\[;@<>=!~(].*|\s--?\w.*)?")
_ARCHIVES = (".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz")
_GO_MODULE = re.compile(r'^module\s+"?([^\s"]+)', re.M)
_GO_PACKAGE = re.compile(r"^(?:require)?[ \t]+(\S+\.\S+)[ \t]+v\S+[ \t]*$", re.M)
_XML_BLOCK = re.compile(
    r"<(?:parent|dependencies|dependencyManagement|build|profiles|modules|licenses"
    r"|developers|scm|properties|reporting|organization)>.*?</(?:parent|dependencies"
    r"|dependencyManagement|build|profiles|modules|licenses|developers|scm|properties"
    r"|reporting|organization)>",
    re.S,
)
_XML_NAME = re.compile(r"<artifactId>\s*([^<\s]+)")
_XML_TEXT = re.compile(r"<description>\s*([^<]+)")
_INDIRECT = re.compile(r"^.*//\s*indirect.*$", re.M)
_SCRIPT_GROUPS = ("console_scripts", "gui_scripts")
_OPTIONAL = re.compile(
    r"(?i)\boptional|\bnot required\b|\bonly (?:for|needed|if|when)\b|可选|非必需|仅"
    r"|^#+\W*(?:for )?(?:dev|test|doc|lint|build|benchmark|release)"
)
_IS_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_GRADLE_TEXT = re.compile(r"^\s*description\s*=?\s*[\"'](.+?)[\"']", re.M)
_GRADLE_PACKAGE = re.compile(r"[\"'][\w.-]+:([\w.-]+)(?::[\w.-]+)?[\"']")


@dataclass
class ProjectManifest:
    """The declarations of one manifest; packages are listed by their names."""

    name: str = ""
    description: str = ""
    licence: str = ""
    python: str = ""
    needs: set[str] = field(default_factory=set)
    is_open: bool = False  # more may be needed than the file lists
    conditional: dict[str, str] = field(default_factory=dict)  # their conditions
    extras: dict[str, set[str]] = field(default_factory=dict)
    dev: set[str] = field(default_factory=set)
    scripts: dict[str, str] = field(default_factory=dict)


def read_project_manifest(path: str, text: str) -> ProjectManifest:
    """Return what a manifest declares, nothing of one that cannot be read."""
    name = path.rpartition("/")[2]
    readers = {
        "pyproject.toml": _pyproject,
        "setup.cfg": _setup_cfg,
        "setup.py": _setup_script,
        "package.json": _package_json,
        "Cargo.toml": _cargo,
        "go.mod": _go_mod,
        "pom.xml": _pom,
    }
    read = readers.get(name, _gradle if name.startswith("build.gradle") else _listed)
    try:
        return read(text)
    except (ValueError, SyntaxError, RecursionError, configparser.Error):
        return ProjectManifest(is_open=True)


def _pyproject(text: str) -> ProjectManifest:
    document = tomllib.loads(text)
    project = _table(document.get("project"))
    tool = _table(document.get("tool"))
    poetry, flit = _table(tool.get("poetry")), _table(tool.get("flit"))
    old = _table(flit.get("metadata"))
    found = ProjectManifest(
        name=str(project.get("name") or poetry.get("name") or old.get("module") or ""),
        description=str(project.get("description") or poetry.get("description") or ""),
        licence=_licence(project.get("license") or poetry.get("license")),
        python=str(project.get("requires-python") or old.get("requires-python") or ""),
        needs=_names(project.get("dependencies") or old.get("requires")),
        is_open=not project or "dependencies" in (project.get("dynamic") or ()),
    )
    found.conditional = _conditional(project.get("dependencies") or old.get("requires"))
    required = _table(poetry.get("dependencies"))
    found.python = found.python or str(required.get("python", ""))
    if not found.needs:
        optional = {n for n, one in required.items() if _table(one).get("optional")}
        found.needs = set(required) - {"python"} - optional
    declared = _table(project.get("optional-dependencies"))
    for extra in declared:
        found.extras[extra] = _with_extras(_spread_extra(extra, declared, found.name))
    for extras in (poetry.get("extras"), old.get("requires-extra")):
        for extra, lines in _table(extras).items():
            found.extras.setdefault(extra, set()).update(_with_extras(lines))
    for lines in _table(document.get("dependency-groups")).values():
        found.dev |= _names(lines)
    found.dev |= set(_table(poetry.get("dev-dependencies")))
    for group in _table(poetry.get("group")).values():
        found.dev |= set(_table(_table(group).get("dependencies")))
    scripts = (project.get("scripts"), project.get("gui-scripts"))
    for table in (*scripts, poetry.get("scripts"), flit.get("scripts")):
        found.scripts.update({k: str(v).strip() for k, v in _table(table).items()})
    return found


def _spread_extra(extra: str, declared: Mapping[str, Any], own: str) -> list[Any]:
    """Return the lines of an extra, with those of the extras that `own[...]` names."""
    wanted, lines = [extra], []
    for one in wanted:  # which grows
        for line in declared.get(one) or ():
            name, bracket, inner = str(line).partition("[")
            if bracket and _folded(name.strip()) == _folded(own):
                more = [part.strip() for part in inner.partition("]")[0].split(",")]
                wanted += [part for part in more if part not in wanted]
            else:
                lines.append(line)
    return lines


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _setup_cfg(text: str) -> ProjectManifest:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)

    def get(section: str, option: str) -> str:
        return parser.get(section, option, fallback="").strip()

    found = ProjectManifest(
        get("metadata", "name"),
        get("metadata", "description"),
        get("metadata", "license"),
        get("options", "python_requires"),
        _names(get("options", "install_requires").splitlines()),
        is_open=True,
    )
    found.conditional = _conditional(get("options", "install_requires").splitlines())
    if parser.has_section("options.extras_require"):
        for extra, lines in parser.items("options.extras_require"):
            found.extras[extra] = _with_extras(lines.splitlines())
    for group in _SCRIPT_GROUPS:
        found.scripts |= _pairs(get("options.entry_points", group).splitlines())
    return found


def _setup_script(text: str) -> ProjectManifest:
    """Evaluate the keywords of `setup(...)` that are literals or name one."""
    tree = ast.parse(text)
    known: dict[str, Any] = {"__doc__": ast.get_docstring(tree)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _evaluated(node.value, known)
    found = ProjectManifest(is_open=True)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        if not ast.unparse(call.func).endswith("setup"):
            continue
        keywords = {one.arg or "": one.value for one in call.keywords}
        values = {k: _evaluated(v, known) for k, v in keywords.items()}
        for table in _spread_tables(call, tree):
            values = {**_table(_evaluated(table, known)), **values}
        found.name = _string(values.get("name"))
        found.description = _string(values.get("description"))
        found.licence = _string(values.get("license"))
        found.python = _string(values.get("python_requires"))
        found.needs = _names(values.get("install_requires"))
        found.conditional = _conditional(values.get("install_requires"))
        found.is_open = "" in keywords or "install_requires" in keywords
        for extra, lines in _table(values.get("extras_require")).items():
            found.extras[str(extra)] = _with_extras(lines)
        entries = values.get("entry_points")
        if isinstance(entries, str):
            entries = _sections(entries)
        for group in _SCRIPT_GROUPS:
            lines = _table(entries).get(group) or []
            lines = lines.splitlines() if isinstance(lines, str) else lines
            found.scripts |= _pairs([one for one in lines if isinstance(one, str)])
        break
    return found


def _spread_tables(call: ast.Call, tree: ast.Module) -> Iterator[ast.Dict]:
    """Yield the tables that a script assigns to the name in `setup(**name)`."""
    spread = {
        one.value.id
        for one in call.keywords
        if one.arg is None and isinstance(one.value, ast.Name)
    }
    for node in ast.walk(tree) if spread else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            if any(isinstance(t, ast.Name) and t.id in spread for t in node.targets):
                yield node.value


def _evaluated(node: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Starred):
        return _evaluated(node.value, known)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        groups = [
            (_evaluated(one, known) or [])
            if isinstance(one, ast.Starred)
            else [_evaluated(one, known)]
            for one in node.elts
        ]
        return [one for group in groups for one in group]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = _evaluated(node.left, known), _evaluated(node.right, known)
        return [*sides[0], *sides[1]] if all(map(_is_list, sides)) else None
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {
            _evaluated(k, known): _evaluated(v, known)
            for k, v in pairs
            if isinstance(k, ast.Constant)
        }
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _sections(text: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif line:
            groups.setdefault(group, []).append(line)
    return groups


def _package_json(text: str) -> ProjectManifest:
    table = _table(json.loads(text))
    name = str(table.get("name", ""))
    commands = table.get("bin")
    if isinstance(commands, str):
        commands = {name.rpartition("/")[2]: commands}
    optional = set(_table(table.get("optionalDependencies")))
    return ProjectManifest(
        name,
        str(table.get("description", "")),
        _licence(table.get("license")),
        needs=set(_table(table.get("dependencies"))),
        extras={"optional": optional} if optional else {},
        dev=set(_table(table.get("devDependencies"))),
        scripts={k: str(v).strip() for k, v in _table(commands).items()},
    )


def _cargo(text: str) -> ProjectManifest:
    document = tomllib.loads(text)
    package = _table(document.get("package"))
    tables: dict[str, Any] = _table(document.get("dependencies"))
    needs: set[str] = set()
    optional: set[str] = set()
    for key, one in tables.items():
        name = str(_table(one).get("package", key))
        (optional if _table(one).get("optional") else needs).add(name)
    dev = {
        str(_table(one).get("package", key))
        for key, one in _table(document.get("dev-dependencies")).items()
    }
    bins = document.get("bin")
    return ProjectManifest(
        _string(package.get("name")),
        _string(package.get("description")),
        _licence(package.get("license")),
        needs=needs,
        extras={"optional": optional} if optional else {},
        dev=dev,
        scripts={
            str(one.get("name")): str(one.get("path"))
            for one in (bins if isinstance(bins, list) else [])
        },
    )


def _go_mod(text: str) -> ProjectManifest:
    module = _GO_MODULE.search(text)
    name = module[1] if module else ""
    needs = set(_GO_PACKAGE.findall(_INDIRECT.sub("", text)))
    parts = [part for part in name.split("/") if not re.fullmatch(r"v\d+", part)]
    return ProjectManifest(name=parts[-1] if parts else "", needs=needs)


def _pom(text: str) -> ProjectManifest:
    own = _XML_BLOCK.sub("", text)
    name, told = _XML_NAME.search(own), _XML_TEXT.search(own)
    blocks = re.findall(r"<dependency>(.*?)</dependency>", text, re.S)
    packages = {
        found[1]: "<scope>test" in re.sub(r"\s", "", block)
        for block in blocks
        if (found := _XML_NAME.search(block))
    }
    return ProjectManifest(
        name[1] if name else "",
        told[1] if told else "",
        needs={one for one, is_test in packages.items() if not is_test},
        is_open=True,
        dev={one for one, is_test in packages.items() if is_test},
    )


def _gradle(text: str) -> ProjectManifest:
    told = _GRADLE_TEXT.search(text)
    needs = set(_GRADLE_PACKAGE.findall(text))
    return ProjectManifest(
        description=told[1] if told else "", needs=needs, is_open=True
    )


def _listed(text: str) -> ProjectManifest:
    lines = list(_needed_lines(re.sub(r"\\[ \t]*\n", " ", text).splitlines()))
    return ProjectManifest(
        needs=_names(lines), is_open=True, conditional=_conditional(lines)
    )


def _needed_lines(lines: list[str]) -> Iterator[str]:
    """Yield the requirements that no comment beside or above calls optional."""
    above = ""
    for line in map(str.strip, lines):
        beside = line.partition(" #")[2]
        if not line or line[0] == "#":
            above = line
        elif not _OPTIONAL.search(above) and not _OPTIONAL.search(beside):
            yield line


def _conditional(lines: Any) -> dict[str, str]:
    """Return the packages that each line names under a condition, with all of these.

    What is needed under a condition and under its opposite is needed always.
    """
    entries = lines if isinstance(lines, Iterable) else ()
    told = [re.sub(r"(?:^|\s)#.*", "", str(entry)) for entry in entries]
    always = {_folded(one) for one in _names([one for one in told if ";" not in one])}
    found: dict[str, list[str]] = {}
    for line in told:
        condition = re.sub(r"\s--\w.*", "", line.partition(";")[2]).strip()
        for name in _names([line]) if condition else ():
            if _folded(name) not in always:
                found.setdefault(name, []).append(condition)
    return {
        name: " or ".join(dict.fromkeys(conditions))
        for name, conditions in found.items()
        if not any(map(_is_opposite, conditions, conditions[1:]))
    }


def _is_opposite(one: str, other: str) -> bool:
    """Return whether two conditions differ in `==` for `!=`, `<` for `>=` alone."""
    turned = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
    swapped = re.sub(r"[<>=!]=?", lambda sign: turned.get(sign[0], ""), one, count=1)
    is_single = not re.search(r"\b(?:and|or)\b", one)
    return is_single and swapped.split() == other.split()


def _names(lines: Any) -> set[str]:
    """Return the packages that requirement lines name."""
    found: set[str] = set()
    for entry in lines if isinstance(lines, Iterable) else ():
        line = re.sub(r"(?:^|\s)#.*", "", str(entry)).strip()
        egg = _IS_EGG.search(str(entry))
        own = line.partition("@ ")[0].rstrip()
        if egg:
            found.add(egg[1])
        elif "://" not in own and not own.endswith(_ARCHIVES):
            found.update(match[1] for match in [_NAME.fullmatch(line)] if match)
    return found


def _with_extras(lines: Any) -> set[str]:
    """Return the packages with the extras that are asked of them: `tablib[pandas]`."""
    found: set[str] = set()
    for entry in lines if isinstance(lines, Iterable) else ():
        bracket = re.match(r"\s*[\w.-]+\s*(\[[^\]]*\])", str(entry))
        asked = "".join(bracket[1].split()) if bracket else ""
        found |= {f"{name}{asked}" for name in _names([entry])}
    return found


def _pairs(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name.strip(): target.strip() for name, target in pairs}


def _licence(value: Any) -> str:
    return _string(value.get("text") if isinstance(value, dict) else value).strip()


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
