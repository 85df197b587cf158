"""Read rule files: one TOML file defines how one table is built.

    description  = "What each source file contains"
    kind         = "map"                            source, map, view or task
    from         = ["files"]                        input tables
    run          = "repobuild.code.facts.parse:facts"     module:function
    reads        = ["blob", "language"]             map: the input fields that enter
                                                    the memo key
    settings     = ["project.max_file_bytes"]       the settings that enter the key
    untracked_settings = ["base.model"]             settings that the function may read
                                                    but that do not enter the key;
                                                    what matters of them is covered
                                                    by `ingredients`
    tools        = ["tree-sitter-python"]           their versions enter the key
    ingredients  = "module:function"                further facts that enter the key
    ingredients_by = "language"                     map: a field of the row; it depends
                                                    on the ingredients of that name, and
                                                    on those named ""
    entries      = false                            one row holds several logical rows
    extends      = "samples"                        its rows are further rows of that
                                                    table
    schema       = "module:function"                returns what is wrong with a row;
                                                    checks users' rows that extend it
    stored       = true                             false: keep digests only and render
                                                    the values again on demand
    chain        = false                            task: a fold over commits
    follows      = "tree"                           source: or "commit", when the
                                                    history of a tree matters too
    forecast     = "module:function"                task: predicts its work without
                                                    building (explain/forecast.py)
    labels       = "module:function"                a field's name for people
    version      = 1                                raised by hand

A `source` produces rows that no other table holds: git's tree, its commits.

Every view and task that reads a table also reads the tables that extend it. A map is a
function of one row of one table, and reads that table only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from repobuild.engine.digest import key_digest
from repobuild.engine.run.command import Command
from repobuild.engine.run.script import Script
from repobuild.errors import UsageError, nearest

Kind = Literal["source", "map", "view", "task"]
KINDS = ("source", "map", "view", "task")

# Keys of earlier versions. A rule file that uses one is refused with the new name.
RENAMED_KEYS = {
    "sees": "untracked_settings",
    "joins": "extends",
    "form": "schema",
    "outlook": "forecast",
}
_REQUIRED_KEYS = {"kind", "run", "version", "description"}
# Fields of `Rule` that no rule file sets. `from` in a file is `inputs` here.
_COMPUTED_FIELDS = {
    "name", "inputs", "extensions", "pinned_settings", "code", "files",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule; the module docstring explains the fields that a rule file sets."""

    name: str
    description: str
    kind: Kind
    run: str
    version: int
    inputs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    untracked_settings: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    ingredients: str = ""
    ingredients_by: str = ""
    forecast: str = ""
    labels: str = ""
    entries: bool = False
    stored: bool = True
    chain: bool = False
    extends: str = ""
    schema: str = ""
    follows: Literal["tree", "commit"] = "tree"
    extensions: tuple[str, ...] = ()  # the inputs that extend another input
    # What a user's rule runs instead of `run`, and the digests of its files.
    code: Script | Command | None = None
    files: tuple[tuple[str, str], ...] = ()
    # Replaces the current settings when a table is rebuilt as of an earlier build
    # (as_of.py).
    pinned_settings: Mapping[str, Any] | None = field(default=None, compare=False)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function that `run` names, imported on first use."""
        return (
            self.code.load()
            if isinstance(self.code, Script)
            else import_function(self.run)
        )

    def tracked_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that enter the key; `a` declares every `a.*`."""
        if self.pinned_settings is not None:
            return dict(self.pinned_settings)
        return _select(settings, self.settings)

    def visible_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return all settings that the function may read, tracked or not."""
        untracked = _select(settings, self.untracked_settings)
        return {**untracked, **self.tracked_settings(settings)}

    def read_fields(self, value: Any) -> Any:
        """Return the fields of an input row that `reads` names; all without it."""
        return {name: value[name] for name in self.reads} if self.reads else value

    def manifest(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return everything that the rows depend on besides their inputs."""
        tracked = self.tracked_settings(settings)
        ingredients = (
            import_function(self.ingredients)(self.visible_settings(settings))
            if self.ingredients
            else {}
        )
        # The stored key keeps its first name: a new one would rebuild every reader.
        extensions = {"joined": list(self.extensions)} if self.extensions else {}
        return {
            **extensions,
            "rule": self.name,
            "version": self.version,
            "settings": tracked,
            "tools": {tool: installed_version(tool) for tool in self.tools},
            "ingredients": {**ingredients, **dict(self.files)},
        }


def manifest_of_rows(manifest: Mapping[str, Any], choice: str) -> dict[str, Any]:
    """Return what the rows depend on whose field `ingredients_by` is `choice`."""
    known = manifest["ingredients"]
    kept = {name: known[name] for name in ("", choice) if name in known}
    return {**manifest, "ingredients": kept}


def _select(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: value
        for name, value in sorted(settings.items())
        if any(name == s or name.startswith(s + ".") for s in names)
    }


def import_function(target: str) -> Callable[..., Any]:
    """Return the function that `module:name` names."""
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def manifest_digest(manifest: Mapping[str, Any]) -> bytes:
    """Return the digest under which a manifest is stored and enters memo keys."""
    return key_digest(manifest)


def installed_version(tool: str) -> str:
    """Return a package's installed version; "" when it is not installed.

    `metadata.version` parses the whole README for it, which for seven tools costs a
    build 5 ms.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        text = distribution(tool).read_text("METADATA") or ""
    except PackageNotFoundError:
        return ""
    match = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return match[1] if match else ""


# ------------------------------------------------------------------ reading rule files


def read_rules(*folders: Path) -> dict[str, Rule]:
    """Return the rules of all folders by name, inputs before what uses them.

    Raises:
        UsageError: an unknown or renamed key, an unknown kind or input, or a cycle.
    """
    paths = sorted(p for folder in folders for p in folder.glob("*.toml"))
    return assemble_rules([_read(path) for path in paths])


def _read(path: Path) -> Rule:
    try:
        body = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f'rule file "{path}" cannot be read: {error}') from error
    known = {field.name for field in fields(Rule)} - _COMPUTED_FIELDS | {"from"}
    check_keys(body, known, _REQUIRED_KEYS, str(path))
    check_kind(body["kind"], KINDS, str(path))
    inputs = body.pop("from", [])
    lists = {n: tuple(v) for n, v in body.items() if isinstance(v, list)}
    return Rule(name=path.stem, inputs=tuple(inputs), **{**body, **lists})


def check_keys(
    body: Mapping[str, Any], known: Set[str], needed: Set[str], path: str
) -> None:
    """Raise `UsageError` for a renamed, unknown or missing key of a rule file."""
    for name in body:
        if name in known:
            continue
        if new := RENAMED_KEYS.get(name):
            raise UsageError(
                f'rule file "{path}" uses "{name}", which is now "{new}"\n'
                + (
                    f'write "{new}" in its place'
                    if new in known
                    else f'remove it: only the rules of repobuild itself have "{new}"'
                )
            )
        raise UsageError(
            f'unknown key "{name}" in rule file "{path}"{nearest(name, known)}'
        )
    if missing := needed - set(body):
        raise UsageError(f'rule file "{path}" lacks {", ".join(sorted(missing))}')


def check_kind(kind: Any, known: Sequence[str], path: str) -> None:
    """Raise `UsageError` for a kind of rule that is not among the known ones."""
    if kind not in known:
        hint = nearest(str(kind), known) or f": it must be {' or '.join(known)}"
        raise UsageError(f'unknown kind "{kind}" in rule file "{path}"{hint}')


# ------------------------------------------------------------------- the set of rules


def assemble_rules(unordered: Iterable[Rule]) -> dict[str, Rule]:
    """Return rules by name, with their extensions as inputs, in building order.

    Raises:
        UsageError: an unknown input, an extension that cannot be, or a cycle.
    """
    rules = {rule.name: rule for rule in unordered}
    for rule in rules.values():
        _check_inputs(rule, rules)
        _check_extension(rule, rules)
    rules = {name: _with_extension_inputs(rule, rules) for name, rule in rules.items()}
    return {name: rules[name] for name in _in_order(rules)}


def with_extensions(rules: Mapping[str, Rule], name: str) -> tuple[str, ...]:
    """Return a table's name and the names of the tables that extend it, sorted."""
    return name, *sorted(rule.name for rule in rules.values() if rule.extends == name)


def closure(rules: Mapping[str, Rule], goals: list[str]) -> list[str]:
    """Return the tables that the goals need, in building order."""
    wanted = set(goals)
    for name in reversed(list(rules)):
        if name in wanted:
            wanted.update(rules[name].inputs)
    return [name for name in rules if name in wanted]


def _check_inputs(rule: Rule, rules: Mapping[str, Rule]) -> None:
    for name in rule.inputs:
        if name not in rules:
            hint = nearest(name, rules)
            raise UsageError(f'rule "{rule.name}" reads unknown table "{name}"{hint}')
    if rule.kind == "map" and len(rule.inputs) != 1:
        raise UsageError(f'map rule "{rule.name}" must read exactly one table')


def _check_extension(rule: Rule, rules: Mapping[str, Rule]) -> None:
    if not rule.extends:
        return
    text = f'rule "{rule.name}" extends "{rule.extends}"'
    base = rules.get(rule.extends)
    if base is None:
        raise UsageError(f"{text}, which is no table{nearest(rule.extends, rules)}")
    if rule.kind not in ("map", "view") or base.kind == "task" or base.extends:
        raise UsageError(
            f"{text}: only a map or a view can extend a table, "
            "and only one that is no task and extends no other"
        )
    if rule.entries != base.entries:
        wanted = str(base.entries).lower()
        raise UsageError(f"{text}, so it must set `entries = {wanted}` too")


def _with_extension_inputs(rule: Rule, rules: Mapping[str, Rule]) -> Rule:
    """Append to a rule's inputs the tables that extend them.

    A user's rule that extends a table gets the schema of that table.
    """
    if rule.extends and rule.code:
        rule = replace(rule, schema=rules[rule.extends].schema)
    if rule.kind == "map":
        return rule
    more = [n for name in rule.inputs for n in with_extensions(rules, name)[1:]]
    added = tuple(n for n in more if n not in (*rule.inputs, rule.name))
    if rule.extends in rule.inputs:  # it reads the table itself, not its peers
        added = tuple(n for n in added if rules[n].extends != rule.extends)
    # Rules may be assembled a second time: keep the extensions that are there.
    extensions = tuple(sorted({*rule.extensions, *added}))
    return replace(rule, inputs=(*rule.inputs, *added), extensions=extensions)


def _in_order(rules: Mapping[str, Rule]) -> list[str]:
    """Return names so that every rule comes after its inputs, else alphabetically."""
    order: list[str] = []
    waiting = sorted(rules)
    while waiting:
        ready = [n for n in waiting if set(rules[n].inputs) <= set(order)]
        if not ready:
            raise UsageError(_cycle_message({name: rules[name] for name in waiting}))
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _cycle_message(waiting: Mapping[str, Rule]) -> str:
    lines = [f"the rules {', '.join(waiting)} wait for each other"]
    lines += [
        f'"{name}" extends "{rule.extends}": it may not read what is made from it'
        for name, rule in waiting.items()
        if rule.extends
    ]
    return "\n".join(lines)
