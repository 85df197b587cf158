"""Read settings: defaults, overridden by a preset, overridden by `repobuild.toml`.

Settings are kept flat, by dotted name (`adapter.rank`): that is how rules declare them,
how they enter keys, and how messages name them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError, nearest
from repobuild.resources import SETTINGS_FILE, data_folder


def read_settings(
    root: Path, declared: Callable[[], Collection[str]] = tuple
) -> dict[str, Any]:
    """Return the settings of a repository, flat.

    `declared` returns the names of settings that the repository's own rules declare; it
    is called only when the file has a key without a default.

    The extra key `root` holds the repository's folder, from which relative paths start.
    No rule may let it enter a key.

    Raises `UsageError` for an unparsable file, an unknown key or preset, or a value of
    another type than the default's.
    """
    defaults = flatten(_parse(data_folder("configs") / "defaults.toml"))
    path = root / SETTINGS_FILE
    own = flatten(_parse(path)) if path.is_file() else {}
    _check(own, defaults, path, declared)
    preset = preset_settings(str(own.get("preset", defaults["preset"])))
    return {**defaults, **preset, **own, "root": str(root.absolute())}


def preset_settings(name: str) -> dict[str, Any]:
    """Return the settings of a preset; raises `UsageError` for an unknown name."""
    presets = data_folder("configs") / "presets"
    path = presets / f"{name}.toml"
    if not path.is_file():
        known = sorted(p.stem for p in presets.glob("*.toml"))
        raise UsageError(
            f'unknown preset "{name}"{nearest(name, known)}\n'
            f"known presets: {', '.join(known)}\n"
            f"set `preset` in {SETTINGS_FILE} to one of them, or leave it out"
        )
    return flatten(_parse(path))


def flatten(body: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one mapping by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f'"{path}" cannot be read: {error}\n'
            "it must be TOML; `repobuild init` writes one with comments"
        ) from error


def _check(
    own: Mapping[str, Any],
    defaults: Mapping[str, Any],
    path: Path,
    declared: Callable[[], Collection[str]],
) -> None:
    """Raise `UsageError` for an unknown key or a value of a wrong type."""
    without_default = own.keys() - defaults.keys()
    declared_names = declared() if without_default else ()
    for name, value in own.items():
        if name in without_default:
            known = [*defaults, *declared_names]
            if not any(name == d or name.startswith(f"{d}.") for d in declared_names):
                raise UsageError(
                    f'unknown key "{name}" in "{path}"{nearest(name, known)}\n'
                    "every key is in docs/configuration.md, a rule's own in its "
                    "`settings`"
                )
            if not _may_enter_a_key(value):
                raise UsageError(
                    f'"{name}" in "{path}" must be text, number, true, false or a '
                    f"list, not {type(value).__name__}: {value!r}"
                )
        elif not _has_type_of(value, defaults[name]):
            wanted = type(defaults[name]).__name__
            raise UsageError(
                f'"{name}" in "{path}" must be of type {wanted}, not '
                f"{type(value).__name__}: {value!r}"
            )


def _may_enter_a_key(value: Any) -> bool:
    """Return whether a value can be digested into a cache key; TOML's dates cannot."""
    if isinstance(value, dict):
        return all(map(_may_enter_a_key, value.values()))
    if isinstance(value, list):
        return all(map(_may_enter_a_key, value))
    return isinstance(value, str | int | float | bool)


def _has_type_of(value: Any, default: Any) -> bool:
    """Return whether a value has its default's type; an int also fits a float."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
