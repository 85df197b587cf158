"""Settings: defaults, a preset over them, `repobuild.toml` over both.

They are kept flat, by dotted name (`adapter.rank`), because that is how rules declare
them, how they enter keys, and how messages name them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError, nearest
from repobuild.resources import SETTINGS_FILE, folder


def read_settings(
    root: Path, declared: Callable[[], Collection[str]] = tuple
) -> dict[str, Any]:
    """Return the settings of a repository, flat.

    `declared` names settings of the repository's own rules; asked for when a key is
    none of ours.

    Beside them stands `root`, the repository's folder: what relative paths start from.
    No rule may let it enter a key.

    Raises `UsageError` for an unparsable file, an unknown key or preset, or a value of
    another type than the default's.
    """
    defaults = flatten(_parse(folder("configs") / "defaults.toml"))
    path = root / SETTINGS_FILE
    own = flatten(_parse(path)) if path.is_file() else {}
    _check(own, defaults, path, declared)
    preset = own.get("preset", defaults["preset"])
    here = {"root": str(root.absolute())}
    return {**defaults, **preset_settings(str(preset)), **own, **here}


def preset_settings(name: str) -> dict[str, Any]:
    """Return what a preset says; raises `UsageError` for an unknown name."""
    place = folder("configs") / "presets"
    path = place / f"{name}.toml"
    if not path.is_file():
        known = sorted(p.stem for p in place.glob("*.toml"))
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
    others = own.keys() - defaults.keys()
    theirs = declared() if others else ()
    for name, value in own.items():
        if name in others:
            _check_declared(name, value, theirs, defaults, path)
        elif not _fits(value, defaults[name]):
            wanted = type(defaults[name]).__name__
            raise UsageError(
                f'"{name}" in "{path}" must be of type {wanted}, not '
                f"{type(value).__name__}: {value!r}"
            )


def _check_declared(
    name: str,
    value: Any,
    declared: Collection[str],
    defaults: Mapping[str, Any],
    path: Path,
) -> None:
    """A key that a rule of the repository's own declares may hold any plain value."""
    if not any(name == d or name.startswith(f"{d}.") for d in declared):
        raise UsageError(
            f'unknown key "{name}" in "{path}"'
            f"{nearest(name, [*defaults, *declared])}\n"
            "every key is in docs/configuration.md, a rule's own in its `settings`"
        )
    if not _is_plain(value):
        raise UsageError(
            f'"{name}" in "{path}" must be text, number, true, false or a list, not '
            f"{type(value).__name__}: {value!r}"
        )


def _is_plain(value: Any) -> bool:
    """Whether a value can enter a key: TOML also has dates."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
