"""Rule files: one TOML file makes one table.

    description  = "What each source file says by itself"
    kind         = "map"                            source, map, view or task
    from         = ["files"]                        input tables
    run          = "repobuild.code.facts.parse:facts"     module:function
    reads        = ["blob", "language"]             map: the fields that enter the key
    settings     = ["project.max_file_bytes"]       the settings that enter the key
    sees         = ["base.model"]                   seen, but for the key only by what
                                                    the ingredients make of them
    tools        = ["tree-sitter-python"]           their versions enter the key
    ingredients  = "module:function"                further facts that enter the key
    entries      = false                            a row holds several logical rows
    joins        = "samples"                        its rows are more rows of that table
    form         = "module:function"                what is wrong with a row, in words:
                                                    asked of users' rows that join
    stored       = true                             false: keep digests, render again
    chain        = false                            task: a fold over commits
    follows      = "tree"                           source: or "commit", if what led to
                                                    a tree matters, too
    outlook      = "module:function"                task: what it would do (pace.py)
    labels       = "module:function"                a field's name for people
    version      = 1                                raised by hand

A `source` is where rows come from that no table has: git's tree, its commits.

Every view and task that reads a table reads what joins it, too; a map is a function of
one row of one table, and reads that table only.
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


@dataclass(frozen=True)
class Rule:
    """One rule, as its file says."""

    name: str
    description: str
    kind: Kind
    run: str
    version: int
    inputs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    ingredients: str = ""
    outlook: str = ""
    labels: str = ""
    entries: bool = False
    stored: bool = True
    chain: bool = False
    joins: str = ""
    form: str = ""
    follows: Literal["tree", "commit"] = "tree"
    joined: tuple[str, ...] = ()  # those of the inputs that join another of them
    # What a user's rule runs instead of `run`, and the digests of the files it is.
    code: Script | Command | None = None
    files: tuple[tuple[str, str], ...] = ()
    # Settings in place of the current ones, for tables as they were made: past.py.
    fixed: Mapping[str, Any] | None = field(default=None, compare=False)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function that `run` names; imported when first asked for."""
        return self.code.load() if isinstance(self.code, Script) else load(self.run)

    def chosen(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the declared settings; `a` stands for every `a.*`."""
        if self.fixed is not None:
            return dict(self.fixed)
        return _named(settings, self.settings)

    def seen(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the function may see: what enters the key, and `sees`."""
        return {**_named(settings, self.sees), **self.chosen(settings)}

    def manifest(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that the rows depend on beside their inputs."""
        chosen = self.chosen(settings)
        seen = self.seen(settings)
        extra = load(self.ingredients)(seen) if self.ingredients else {}
        more = {"joined": list(self.joined)} if self.joined else {}
        return {
            **more,
            "rule": self.name,
            "version": self.version,
            "settings": chosen,
            "tools": {tool: version(tool) for tool in self.tools},
            "ingredients": {**extra, **dict(self.files)},
        }


def _named(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: value
        for name, value in sorted(settings.items())
        if any(name == s or name.startswith(s + ".") for s in names)
    }


def load(target: str) -> Callable[..., Any]:
    """Return the function that `module:name` names."""
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def manifest_digest(manifest: Mapping[str, Any]) -> bytes:
    return key_digest(manifest)


def read_rules(*folders: Path) -> dict[str, Rule]:
    """Return the rules of all folders by name, inputs before what uses them.

    Raises `UsageError` on an unknown key, kind or input, and on a cycle.
    """
    paths = sorted(p for folder in folders for p in folder.glob("*.toml"))
    return assembled([_read(path) for path in paths])


def assembled(found: Iterable[Rule]) -> dict[str, Rule]:
    """Return rules by name, joined and in building order; raises `UsageError`."""
    rules = {rule.name: rule for rule in found}
    for rule in rules.values():
        _check_inputs(rule, rules)
        _check_join(rule, rules)
    rules = {name: _with_joined(rule, rules) for name, rule in rules.items()}
    return {name: rules[name] for name in _in_order(rules)}


def joined(rules: Mapping[str, Rule], name: str) -> tuple[str, ...]:
    """Return a table and those that join it, which are by name."""
    return name, *sorted(rule.name for rule in rules.values() if rule.joins == name)


def closure(rules: Mapping[str, Rule], goals: list[str]) -> list[str]:
    """Return the tables that the goals need, in building order."""
    wanted = set(goals)
    for name in reversed(list(rules)):
        if name in wanted:
            wanted.update(rules[name].inputs)
    return [name for name in rules if name in wanted]


def _read(path: Path) -> Rule:
    try:
        body = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f'rule file "{path}" cannot be read: {error}') from error
    inner = {"name", "inputs", "joined", "fixed", "code", "files"}
    known = {field.name for field in fields(Rule)} - inner | {"from"}
    check_keys(body, known, {"kind", "run", "version", "description"}, str(path))
    check_kind(body["kind"], KINDS, str(path))
    inputs = body.pop("from", [])
    lists = {n: tuple(v) for n, v in body.items() if isinstance(v, list)}
    return Rule(name=path.stem, inputs=tuple(inputs), **{**body, **lists})


def check_keys(
    body: Mapping[str, Any], known: Set[str], needed: Set[str], path: str
) -> None:
    """Raise `UsageError` for a key of a rule file that nobody reads, or one missing."""
    for name in body:
        if name not in known:
            hint = nearest(name, known)
            raise UsageError(f'unknown key "{name}" in rule file "{path}"{hint}')
    if missing := needed - set(body):
        raise UsageError(f'rule file "{path}" lacks {", ".join(sorted(missing))}')


def check_kind(kind: Any, known: Sequence[str], path: str) -> None:
    if kind not in known:
        hint = nearest(str(kind), known) or f": it must be {' or '.join(known)}"
        raise UsageError(f'unknown kind "{kind}" in rule file "{path}"{hint}')


def _check_inputs(rule: Rule, rules: Mapping[str, Rule]) -> None:
    for name in rule.inputs:
        if name not in rules:
            hint = nearest(name, rules)
            raise UsageError(f'rule "{rule.name}" reads unknown table "{name}"{hint}')
    if rule.kind == "map" and len(rule.inputs) != 1:
        raise UsageError(f'map rule "{rule.name}" must read exactly one table')


def _check_join(rule: Rule, rules: Mapping[str, Rule]) -> None:
    if not rule.joins:
        return
    said = f'rule "{rule.name}" joins "{rule.joins}"'
    other = rules.get(rule.joins)
    if other is None:
        raise UsageError(f"{said}, which is no table{nearest(rule.joins, rules)}")
    if rule.kind not in ("map", "view") or other.kind == "task" or other.joins:
        raise UsageError(f"{said}: only a map or a view can, and no table that joins")
    if rule.entries != other.entries:
        wanted = str(other.entries).lower()
        raise UsageError(f"{said}, so it must say `entries = {wanted}`, too")


def _with_joined(rule: Rule, rules: Mapping[str, Rule]) -> Rule:
    """Append to the inputs what joins them; a user's rows are held against a form."""
    if rule.joins and rule.code:
        rule = replace(rule, form=rules[rule.joins].form)
    if rule.kind == "map":
        return rule
    more = [n for name in rule.inputs for n in joined(rules, name)[1:]]
    added = tuple(n for n in more if n not in (*rule.inputs, rule.name))
    if rule.joins in rule.inputs:  # it reads the table itself, not its peers
        added = tuple(n for n in added if rules[n].joins != rule.joins)
    known = tuple(sorted({*rule.joined, *added}))  # rules may be put together again
    return replace(rule, inputs=(*rule.inputs, *added), joined=known)


def _in_order(rules: Mapping[str, Rule]) -> list[str]:
    order: list[str] = []
    waiting = sorted(rules)
    while waiting:
        ready = [n for n in waiting if set(rules[n].inputs) <= set(order)]
        if not ready:
            raise UsageError(_cycle({name: rules[name] for name in waiting}))
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _cycle(waiting: Mapping[str, Rule]) -> str:
    said = [f"the rules {', '.join(waiting)} wait for each other"]
    said += [
        f'"{name}" joins "{rule.joins}": it may not read what is made of that'
        for name, rule in waiting.items()
        if rule.joins
    ]
    return "\n".join(said)


def version(tool: str) -> str:
    """Return an installed version; `metadata.version` parses all of the README for it,
    which for seven tools costs a build 5 ms."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        text = distribution(tool).read_text("METADATA") or ""
    except PackageNotFoundError:
        return ""
    found = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return found[1] if found else ""
