"""Read the rules that a repository defines: `rules/NAME.toml` of the built commit.

    kind      = "map"                       map or view
    from      = ["commits"]
    run       = "rules/bugs.py:samples"     a function in a file of the repository
    command   = ["python3", "rules/b.py"]   or a program (engine/run/command.py); a map
    extends   = "samples"
    settings  = ["bugs.words"]              the repository's own table, or known ones
    description, reads, tools, entries, stored, version       as in engine/rule.py

A repository may keep other files in `rules/`. A file without `kind` and one of `run` or
`command` is ignored, and so is a copy of a rule that comes with repobuild, whose `run`
names a module of the package.

A rule's digest covers its name, its file and the files that it runs. Their digests are
ingredients of its table, so an edit rebuilds the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pygit2

from repobuild.engine.rule import Rule, check_keys, check_kind
from repobuild.engine.run.command import Command
from repobuild.engine.run.script import Script
from repobuild.errors import UsageError, nearest
from repobuild.git.snapshot import Snapshot, is_regular, quote
from repobuild.toml_document import TomlError, parse_toml

RULES_FOLDER = "rules"
MOST_RULES = 100
_KINDS = ("map", "view")
_KEYS = frozenset(
    "description kind from run command reads settings tools entries stored extends "
    "version".split()
)
_LISTS = ("from", "command", "reads", "settings", "tools")
_TYPES = {
    "description": str,
    "run": str,
    "extends": str,
    "entries": bool,
    "stored": bool,
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MOST_BYTES = 1 << 20  # of a file that a rule runs
_PACKAGE = "repobuild."

Files = dict[str, bytes]


@dataclass(frozen=True)
class UserRule:
    """A rule of the analysed repository; none of its code runs before it is trusted."""

    rule: Rule
    files: Mapping[str, bytes]  # path -> content: the rule file first

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def digest(self) -> str:
        """The version that trust is given to, as 32 hex digits."""
        hashed = blake2b(self.name.encode(), digest_size=16)
        for path, content in self.files.items():
            hashed.update(b"\0%s\0%d\0" % (path.encode(), len(content)) + content)
        return hashed.hexdigest()

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file, by path."""
        return {path: len(content) for path, content in self.files.items()}

    @property
    def large_files(self) -> dict[str, list[str]]:
        return {}  # they come from git, and are small

    @property
    def description(self) -> str:
        """What would run, on which tables and from which files, in lines."""
        lines = [f"  {self.rule.kind} of {', '.join(self.rule.inputs)}"]
        lines += [f"  {path}  {size:,} bytes" for path, size in self.sizes.items()]
        return "\n".join(lines)

    @property
    def how_it_runs(self) -> str:
        """A phrase for the user who decides on trust."""
        if isinstance(self.rule.code, Command):
            return f"runs `{' '.join(self.rule.code.arguments)}`"
        return f"runs {self.rule.run} in repobuild's own process"


def user_rules(snapshot: Snapshot, standard: Mapping[str, Rule]) -> list[UserRule]:
    """Return the rules that a snapshot defines, by name.

    Raises `UsageError` for a rule file that cannot be read or is not a valid rule.
    """
    read = _file_reader(snapshot)
    rules = []
    for path, content in sorted(rule_files(snapshot).items()):
        body = _parse(path, content)
        if body is not None:
            name = _table_name(path, standard)
            rules.append(_make_user_rule(name, path, content, body, read))
        if len(rules) > MOST_RULES:
            raise UsageError(
                f'"{RULES_FOLDER}" holds more than {MOST_RULES} rules\n'
                "every verb reads and orders all of them\n"
                "join rules that do the same to different files into one"
            )
    return rules


def declared_settings(files: Mapping[str, bytes]) -> set[str]:
    """Return the settings that rule files declare in their own table, by dotted name.

    Files that cannot be read declare nothing: settings are read before rules are.
    """
    declared: set[str] = set()
    for path, content in files.items():
        with suppress(TomlError):
            names = parse_toml(content).get("settings")
            listed = map(str, names) if isinstance(names, list) else ()
            declared.update(n for n in listed if _is_in_table_of(Path(path).stem, n))
    return declared


def _is_in_table_of(rule: str, setting: str) -> bool:
    return setting.partition(".")[0] == rule


# ---------------------------------------------------------------------- one rule


def _parse(path: str, content: bytes) -> dict[str, Any] | None:
    """Return a rule file's keys; None for a file that is not a user rule."""
    try:
        body = parse_toml(content)
    except TomlError as error:
        if re.search(rb"^kind\s*=", content, re.M):
            raise UsageError(f'rule file "{path}" cannot be read: {error}') from error
        return None
    if "kind" not in body or not {"run", "command"} & body.keys():
        return None
    if str(body.get("run", "")).startswith(_PACKAGE):
        return None
    return body


def _table_name(path: str, standard: Mapping[str, Rule]) -> str:
    """Return the table that a rule file names; raises `UsageError` for a bad name."""
    name = Path(path).stem
    if name in standard:
        raise UsageError(
            f'rule file "{path}" has the name of a rule that comes with repobuild\n'
            f'give it another name: the table "{name}" cannot be replaced'
        )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f'rule file "{path}" cannot name a table\n'
            "a name has small letters, digits and _, and begins with a letter"
        )
    return name


def _make_user_rule(
    name: str,
    path: str,
    content: bytes,
    body: dict[str, Any],
    read: Callable[[str], bytes | None],
) -> UserRule:
    _check_types(body, path)
    _check_code(body, path)
    code: Script | Command
    if "command" in body:
        arguments = tuple(body["command"])
        used = {a: data for a in arguments if (data := read(a)) is not None}
        code = Command(arguments, tuple(used.items()))
    else:
        file, _, function = body["run"].rpartition(":")
        data = read(file)
        if data is None:
            raise UsageError(
                f'rule file "{path}" runs "{file}", which is no file of this commit\n'
                "commit it, or write its path from the root of the repository"
            )
        used = {file: data}
        code = Script(file, function, data)
    for used_path, data in used.items():
        if {"", ".", ".."} & set(used_path.split("/")):  # possible in a hostile tree
            raise UsageError(
                f'rule file "{path}" names "{used_path}", which is no path'
            )
        if len(data) > _MOST_BYTES:
            raise UsageError(f'"{used_path}" of rule file "{path}" is above 1 MB')
    files = {path: content, **used}
    return UserRule(_make_rule(name, body, code, files), files)


def _make_rule(
    name: str, body: Mapping[str, Any], code: Script | Command, files: Files
) -> Rule:
    lists = {key: tuple(body.get(key, ())) for key in _LISTS}
    return Rule(
        name=name,
        description=body.get("description", ""),
        kind=body["kind"],
        run=body.get("run", ""),
        version=body.get("version", 1),
        inputs=lists["from"],
        reads=lists["reads"],
        settings=lists["settings"],
        tools=lists["tools"],
        entries=body.get("entries", False),
        stored=body.get("stored", True),
        extends=body.get("extends", ""),
        code=code,
        files=tuple(
            (path, blake2b(data, digest_size=16).hexdigest())
            for path, data in files.items()
        ),
    )


def _check_types(body: Mapping[str, Any], path: str) -> None:
    check_keys(body, _KEYS, {"from"}, path)
    check_kind(body["kind"], _KINDS, path)
    for name in _LISTS:
        value = body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise UsageError(f'"{name}" in rule file "{path}" must be a list of texts')
    for name, kind in _TYPES.items():
        if name in body and not isinstance(body[name], kind):
            wanted = {str: "a text", bool: "true or false"}[kind]
            raise UsageError(f'"{name}" in rule file "{path}" must be {wanted}')
    if not body["from"]:
        raise UsageError(f'rule file "{path}" must name in `from` what it reads')


def _check_code(body: Mapping[str, Any], path: str) -> None:
    if "command" in body:
        stored_map = body["kind"] == "map" and body.get("stored", True)
        if not body["command"] or "run" in body or not stored_map:
            raise UsageError(
                f'rule file "{path}": a `command` names a program, comes without `run`'
                "\nand makes a map whose rows are stored"
            )
    elif not re.fullmatch(r"[^:]+\.py:[^\W\d]\w*", body["run"]):
        raise UsageError(
            f'"run" in rule file "{path}" is "{body["run"]}"\n'
            'write FILE:FUNCTION, as in "rules/bugs.py:samples"'
        )


# -------------------------------------------------------- files of the snapshot


def rule_files(snapshot: Snapshot) -> Files:
    """Return the TOML files directly in `rules/`, by path."""
    names = set(_committed_names(snapshot))
    for key in snapshot.overlay:
        folder, _, name = key.rpartition("/")
        if folder == RULES_FOLDER:
            names.add(name)
    paths = [f"{RULES_FOLDER}/{name}" for name in names if name.endswith(".toml")]
    read = _file_reader(snapshot)
    contents = {path: read(path) for path in paths}
    return {path: data for path, data in contents.items() if data is not None}


def _committed_names(snapshot: Snapshot) -> Iterator[str]:
    """Yield the names of the entries of the committed `rules/`."""
    with suppress(KeyError, pygit2.GitError):
        folder = snapshot.repository[snapshot.tree].peel(pygit2.Tree) / RULES_FOLDER
        if snapshot.tree and isinstance(folder, pygit2.Tree):
            yield from (quote(bytes(entry.raw_name or b"")) for entry in folder)


def _file_reader(snapshot: Snapshot) -> Callable[[str], bytes | None]:
    """Return a function that reads a regular file of a snapshot by its path."""

    def read(path: str) -> bytes | None:
        entry = snapshot.current_entry(path)
        if entry is None or not is_regular(entry[1]):
            return None
        return snapshot.blob(entry[0])

    return read


# ----------------------------------------------------------------------- settings


def check_settings(user_rule: UserRule, known: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a setting that is neither known nor the rule's own."""
    for name in user_rule.rule.settings:
        if _is_in_table_of(user_rule.name, name):
            continue
        if not any(k == name or k.startswith(f"{name}.") for k in known):
            raise UsageError(
                f'rule "{user_rule.name}" declares an unknown setting "{name}"'
                f"{nearest(name, known)}\n"
                "its own settings go into a table of its name: "
                f"{user_rule.name}.NAME"
            )
