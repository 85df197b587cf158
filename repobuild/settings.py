"""Read settings in layers, and check every value before anything runs.

    defaults          settings_schema.py
    preset            a file of configs/presets
    the repository's  `repobuild.toml` in its root folder
    the user's file   $XDG_CONFIG_HOME/repobuild.toml (~/.config without it)
    quick             configs/quick.toml, with `repobuild --quick` only
    environment       REPOBUILD_ADAPTER_RANK=8
    command line      repobuild -c adapter.rank=8

A later layer overrides an earlier one. The last three belong to the user, so they hold
at once; `powers.py` decides which values of the repository's own file do.

Settings are kept flat, by dotted name (`adapter.rank`): that is how rules declare them,
how they enter keys, and how messages name them. A checked value stays as it was
written: an int that is given for a float stays an int, since it enters keys.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError, nearest, system_reason
from repobuild.resources import (
    COMMAND_LINE,
    NO_SETTINGS,
    QUICK,
    SETTING_PREFIX,
    SETTINGS_FILE,
    data_folder,
    is_quick,
    user_settings_file,
)
from repobuild.settings_schema import (
    SECTIONS,
    Setting,
    defaults,
    settings,
    shown,
    toml,
)
from repobuild.toml_document import TomlError, parse_toml, read_bounded

_MOST_DEPTH = 16
# A number of generated questions, or as an array of tables the questions themselves.
_QUESTIONS, _OWN_QUESTIONS = "report.questions", "report.own_questions"
_QUICK_SECTIONS = ("base.", "adapter.", "report.")
_KEPT_IN_QUICK = (_OWN_QUESTIONS, "report.questions_file")
# Settings of earlier versions, and what took their place.
_REPLACED = {
    "adapter.epochs": "adapter.mastery",
    "adapter.max_tokens": "adapter.budget",
    "adapter.rehearsal": "adapter.keep",
    "adapter.replay": "adapter.review",
    "adapter.least_replay": "adapter.review",
    "adapter.continue_rounds": "adapter.mastery",
    "adapter.continue_epochs": "adapter.mastery",
    "adapter.continue_samples": "adapter.budget",
}
_BOUNDS = (
    ("samples.min_code_lines", "samples.max_code_lines"),
    ("samples.min_answer", "samples.max_answer"),
)
_LEARN_MORE = (
    "every setting is in docs/configuration.md, a rule's own in its `settings`"
)

Values = dict[str, Any]
Declared = Callable[[], Collection[str]]


@dataclass(frozen=True)
class SettingLayers:
    """The checked values of every layer that a build reads, flat."""

    root: Path
    repository: Mapping[str, Any]  # of the repository's own file
    user: Mapping[str, Any]  # of the user's file, environment and command line

    @property
    def preset(self) -> str:
        """The preset that holds: the user's, else the repository's, else "tiny"."""
        chosen = {**defaults(), **self.repository, **self.user}["preset"]
        return str(chosen)

    def merged(self, withheld: Collection[str] = ()) -> Values:
        """Return the settings that hold, without the `withheld` of the repository.

        The extra key `root` is the
        repository's folder, from which relative paths start; no rule may let it enter
        a key.
        """
        preset = preset_settings(self.preset)
        if "preset" not in self.user:
            preset = {n: v for n, v in preset.items() if n not in withheld}
        own = {n: v for n, v in self.repository.items() if n not in withheld}
        root = str(self.root.absolute())
        return {**defaults(), **preset, **own, **self.user, "root": root}


def read_layers(root: Path, declared: Declared = tuple) -> SettingLayers:
    """Return the layers of settings of a repository.

    `declared` returns the names of settings that the repository's own rules declare; it
    is called only for a name without a default.

    Raises `UsageError` for a file that cannot be read, an unknown name or preset, or a
    value that the schema does not take.
    """
    check = _Check(declared)
    own = check.file(str(root / SETTINGS_FILE))
    user = {
        **check.file(user_settings_file()),
        **(quick_settings() if is_quick() else {}),
        **check.environment(os.environ),
        **check.command_line(os.environ.get(COMMAND_LINE, "")),
    }
    layers = SettingLayers(root, own, user)
    _check_order(layers.merged())
    return layers


def preset_settings(name: str) -> Values:
    """Return the settings of a preset; raises `UsageError` for an unknown name."""
    problem = settings()["preset"].problem(name)
    if problem:
        raise UsageError(f'"preset" {problem}')
    path = data_folder("configs") / "presets" / f"{name}.toml"
    return _Check(tuple).file(str(path))


def quick_settings() -> Values:
    """Return what a quick build sets: the tiny base, few samples and few questions.

    All of training and asking but what is asked: a learning rate that suits another
    base would teach this one nothing.
    """
    values = {
        name: value
        for name, value in defaults().items()
        if name.startswith(_QUICK_SECTIONS) and name not in _KEPT_IN_QUICK
    }
    path = data_folder("configs") / "quick.toml"
    return {"preset": "tiny", **values, **_Check(tuple).file(str(path))}


@contextmanager
def use_quick() -> Iterator[None]:
    """Let this process, and those that it starts, work on the quick build inside."""
    before = os.environ.get(QUICK)
    os.environ[QUICK] = "1"
    try:
        yield
    finally:
        del os.environ[QUICK]
        if before is not None:
            os.environ[QUICK] = before


@contextmanager
def use_command_line(arguments: Collection[str]) -> Iterator[None]:
    """Let `-c NAME=VALUE` hold inside, for this process and those that it starts.

    They are kept in a variable, as git keeps those of its `-c`, so that the fingerprint
    of a build with nothing to do sees them (noop_cache.py).
    """
    before = os.environ.get(COMMAND_LINE)
    given = [*(json.loads(before) if before else []), *arguments]
    os.environ[COMMAND_LINE] = json.dumps(given)
    try:
        yield
    finally:
        del os.environ[COMMAND_LINE]
        if before is not None:
            os.environ[COMMAND_LINE] = before


# ------------------------------------------------------------------------- checking


class _Check:
    """Reads layers, and raises `UsageError` for what the schema does not take."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def file(self, path: str) -> Values:
        """Return the values of a file; {} where there is none."""
        if not path or not os.path.lexists(path):
            return {}
        try:
            flat = dict(_flatten(parse_toml(read_bounded(path))))
        except OSError as error:
            raise UsageError(
                f'"{path}" cannot be read: {system_reason(error)}\n'
                "settings are read from a file of this name\n"
                "make it one that can be read, or move it away"
            ) from error
        except TomlError as error:
            raise UsageError(
                f'"{path}" cannot be read: {error}\n'
                "it must be TOML; `repobuild init` writes one with comments"
            ) from error
        if isinstance(flat.get(_QUESTIONS), list):  # [[report.questions]]
            flat[_OWN_QUESTIONS] = flat.pop(_QUESTIONS)
        for name, value in flat.items():
            if not (value == {} and self._is_section(name)):
                self._value(name, value, f'in "{path}"')
        return {n: v for n, v in flat.items() if not self._is_section(n)}

    def environment(self, variables: Mapping[str, str]) -> Values:
        """Return the values of `REPOBUILD_SECTION_NAME`."""
        found = {}
        given = [v for v in sorted(variables) if v.startswith(SETTING_PREFIX)]
        known = {variable_of(name): name for name in settings()}
        replaced = {variable_of(name): name for name in _REPLACED}
        for variable in given:
            if variable in NO_SETTINGS:
                continue
            if variable in replaced:
                self._value(replaced[variable], "", f"in the variable {variable}")
            if variable not in known:
                known |= {variable_of(name): name for name in self._declared()}
            if variable in known:
                name, text = known[variable], variables[variable]
                found[name] = self._text(name, text, f"in the variable {variable}")
            elif hint := _near_variable(variable, known):
                raise UsageError(
                    f"unknown setting in the variable {_quoted(variable)}{hint}\n"
                    f"{_LEARN_MORE}"
                )
        return found

    def command_line(self, arguments: str) -> Values:
        """Return the values of `-c NAME=VALUE`, which `use_command_line` keeps."""
        found = {}
        try:
            given = list(map(str, json.loads(arguments))) if arguments else []
        except (ValueError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{COMMAND_LINE} cannot be read: {error}\n"
                "unset it: repobuild sets it itself from `-c NAME=VALUE`"
            ) from error
        for argument in given:
            name, equals, text = argument.partition("=")
            if not (name and equals):
                lacks = "gives no value" if name else "names no setting"
                raise UsageError(
                    f"-c {_quoted(argument)} {lacks}\n"
                    "write -c NAME=VALUE, as in -c adapter.rank=8"
                )
            found[name] = self._text(name, text, "on the command line")
        return found

    def _text(self, name: str, text: str, where: str) -> Any:
        """Return the value that a text stands for: TOML's, where that fits."""
        try:
            document = parse_toml(b"value = " + os.fsencode(text))
        except TomlError:
            document = {}
        value = document["value"] if document.keys() == {"value"} else text
        setting = settings().get(name)
        if setting and setting.problem(value) and not setting.problem(text):
            value = text  # a number where text is wanted: REPOBUILD_SPLIT_SALT=2
        self._value(name, value, where)
        return value

    def _value(self, name: str, value: Any, where: str) -> None:
        """Raise `UsageError` for an unknown name or an unfit value."""
        setting = settings().get(name)
        if setting is None:
            self._own_value(name, value, where)
        elif problem := setting.problem(value):
            raise UsageError(f'"{name}" {where} {problem}\n{_remedy(setting)}')

    def _own_value(self, name: str, value: Any, where: str) -> None:
        """Check a value of a setting that a rule of the repository declares."""
        if new := _REPLACED.get(name):
            raise UsageError(
                f"{_quoted(name)} {where} is no setting any more: {_quoted(new)} "
                f"took its place\n{settings()[new].description}\n{_LEARN_MORE}"
            )
        if any(f"{section}.".startswith(f"{name}.") for section in SECTIONS):
            raise UsageError(
                f"{_quoted(name)} {where} is a table of settings, not a setting\n"
                f"write [{name}] and its settings below it, or {name}.NAME = VALUE"
            )
        declared = self._declared()
        if not any(name == d or name.startswith(f"{d}.") for d in declared):
            hint = nearest(name[:80], [*settings(), *declared])
            raise UsageError(
                f"unknown key {_quoted(name)} {where}{hint}\n{_LEARN_MORE}"
            )
        if not may_enter_a_key(value):
            raise UsageError(
                f"{_quoted(name)} {where} must be text, a finite number of 64 bits, "
                f"true, false or a list, not {type(value).__name__}: {shown(value)}"
            )

    def _is_section(self, name: str) -> bool:
        return name in SECTIONS


def _check_order(values: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a lower bound above its upper one: nothing would fit."""
    for least, most in _BOUNDS:
        if values[least] > values[most]:
            raise UsageError(
                f'"{least}" is {values[least]:,}, more than "{most}" with '
                f"{values[most]:,}\nno sample fits between the two\n"
                "set the first to at most the second"
            )


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return SETTING_PREFIX + name.upper().replace(".", "_")


def may_enter_a_key(value: Any, depth: int = 0) -> bool:
    """Return whether a value can be digested into a cache key.

    TOML's dates cannot, nor can NaN, which is not equal to itself.
    """
    if depth > _MOST_DEPTH:
        return False
    if isinstance(value, dict):
        return all(may_enter_a_key(v, depth + 1) for v in value.values())
    if isinstance(value, list):
        return all(may_enter_a_key(v, depth + 1) for v in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str)


def _flatten(body: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested tables as values by dotted name; an empty table is a value."""
    for name, value in body.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _near_variable(variable: str, known: Collection[str]) -> str:
    """Return a hint for a variable that seems to be meant for a setting, else "".

    Others may use the prefix for something else: `REPOBUILD_VERSION` of a CI job.
    """
    bare = variable.removeprefix(SETTING_PREFIX)
    names = [name.removeprefix(SETTING_PREFIX) for name in known]
    is_of_section = bare.partition("_")[0].lower() in SECTIONS and "_" in bare
    cutoff = 0.6 if is_of_section else 0.85
    near = get_close_matches(bare[:80], names, n=1, cutoff=cutoff)
    if near:
        return f" (did you mean {SETTING_PREFIX}{near[0]}?)"
    return " (it begins like a setting)" if is_of_section else ""


def _quoted(name: str) -> str:
    """Return a name in quotes, short and without what a terminal obeys."""
    text = shown(name)
    return f'"{text[1:-1]}"' if text.endswith(text[0]) else text


def _remedy(setting: Setting) -> str:
    if setting.description:
        description = f"{setting.name}: {setting.description}"
        return f"{description}; by default {toml(setting.default)}"
    return f"by default it is {toml(setting.default)}; see docs/configuration.md"
