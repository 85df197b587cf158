"""Withhold what a repository's own `repobuild.toml` may not decide for this machine.

A setting that names files, hosts, programs, processes, models or servers is a power
(settings_schema.py). From the user's file, environment or command line it holds at
once. From the repository's own file it holds after `repobuild trust` has shown it and
recorded a digest over all such values and over the files behind them: a DeepSpeed
configuration, a list of hosts, every file of a model's folder.

Before, nothing behind a value is opened. A verb that only reads goes on without the
value; a verb that needs it ends, naming it.

What a preset sets counts as the repository's when its file chose the preset. A user's
"Qwen/Qwen3-8B" is refused where the repository has a folder of that path: the folder
would be loaded in the hub's place. "./Qwen/Qwen3-8B" is meant as a folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.resources import SETTINGS_FILE, program
from repobuild.settings import SettingLayers, preset_settings
from repobuild.settings_schema import defaults, settings, shown
from repobuild.trust_record import TrustRecord, TrustState

BASE_SETTINGS = ("base.model", "base.revision")
_MODEL = BASE_SETTINGS[0]
_HYPERNET = "adapter.hypernet"
_HYPERNET_FILES = ("hypernet.json", "hypernet.safetensors")
_MODEL_MARK = "config.json"  # a folder without it is no model, and nothing is loaded
_MOST_FILES = 1_000  # of a model's folder; an unpacked one has a dozen
_MOST_BYTES = 1 << 20  # of a DeepSpeed file or a host file
_PIECE = 1 << 20
_LARGE = 1 << 24  # bytes; smaller files are read every time


@dataclass(frozen=True)
class Power:
    """One value that reaches the machine, as the repository's file asks for it."""

    setting: str
    value: Any
    reaches: str
    path: Path | None  # the file or folder behind it

    def files(self) -> list[Path]:
        """Return the files behind the value, whose content is part of what is trusted.

        Raises `UsageError` for a file that is too large, and for a folder of more files
        than any model has.
        """
        if self.path is None or not self.path.exists():
            return []
        if self.setting == _MODEL:
            return self._model_files(self.path)
        if self.setting == _HYPERNET:  # a folder of a training run holds more
            found = [self.path / name for name in _HYPERNET_FILES]
            return [path for path in found if path.is_file()]
        if not self.path.is_file():
            return []
        if self.path.stat().st_size > _MOST_BYTES:
            raise UsageError(f'"{self.path}" has more than 1 MB ({self.setting})')
        return [self.path]

    def _model_files(self, model: Path) -> list[Path]:
        if not (model / _MODEL_MARK).is_file():
            return []
        found: list[Path] = []
        # A linked folder is loaded as one of its own; the bound ends a ring of links.
        for count, (folder, _, names) in enumerate(os.walk(model, followlinks=True)):
            found += [Path(folder, name) for name in names]
            if count + len(found) > _MOST_FILES:
                raise UsageError(
                    f'"{model}" has more than {_MOST_FILES:,} files (base.model)\n'
                    "name a folder that holds only the model"
                )
        return sorted(path for path in found if path.is_file())

    @property
    def text(self) -> str:
        return f"{self.setting} = {shown(self.value)}"


@dataclass(frozen=True)
class RequestedPowers:
    """All powers that a repository's file asks for: what trust is given to."""

    powers: tuple[Power, ...]
    root: Path
    known: Mapping[str, list[str]]  # files that were read before (trust_record.py)

    name = SETTINGS_FILE  # in the record of trust

    @property
    def digest(self) -> str:
        """The digest over settings, values and files, as 32 hex digits."""
        asked = [[p.setting, p.value] for p in self.powers]
        hashed = blake2b(json.dumps(asked).encode(), digest_size=16)
        for path, (size, digest, _) in self._contents.items():
            name = os.fsencode(path)
            hashed.update(b"\0%d\0%s%d\0" % (len(name), name, size))
            hashed.update(digest.encode())
        return hashed.hexdigest()

    @property
    def sizes(self) -> Mapping[str, int]:
        """The files behind the values, with their bytes."""
        return {path: size for path, (size, _, _) in self._contents.items()}

    @property
    def large_files(self) -> dict[str, list[str]]:
        return {
            os.path.abspath(self.root / path): [stat, digest]
            for path, (size, digest, stat) in self._contents.items()
            if size >= _LARGE
        }

    @property
    def how_it_runs(self) -> str:
        """A phrase for the user who decides on trust."""
        return "sets " + ", ".join(power.text for power in self.powers)

    @property
    def description(self) -> str:
        """What trust would allow, in lines for the user who decides."""
        lines = []
        for power in self.powers:
            lines.append(f"  {power.text}  {power.reaches}")
            for path in power.files():
                size = self.sizes[self._shown_path(path)]
                lines.append(f"    {self._shown_path(path)}  {size:,} bytes")
        return "\n".join(lines)

    @cached_property
    def _contents(self) -> dict[str, tuple[int, str, str]]:
        """Size, digest and `stat` of each file behind the values, by path from root."""
        paths = {path for power in self.powers for path in power.files()}
        return {
            self._shown_path(p): _read_content(p, self.known) for p in sorted(paths)
        }

    def _shown_path(self, path: Path) -> str:
        return os.path.relpath(path, self.root)


@dataclass(frozen=True)
class Powers:
    """Which powers of the repository's own file hold, and which are withheld."""

    requested: RequestedPowers
    state: TrustState
    withheld: tuple[Power, ...]

    @classmethod
    def of(cls, layers: SettingLayers, trust: TrustRecord) -> Powers:
        """Decide by the record; opens files only when the user once trusted some.

        Raises `UsageError` when a user's hub name is also a folder of the repository.
        """
        _refuse_shadowed_model(layers)
        asked = tuple(_requested(layers))
        requested = RequestedPowers(asked, layers.root, trust.files)
        decided = [p for p in requested.powers if not _is_users(p, layers)]
        if not decided or not trust.knows(SETTINGS_FILE):
            return cls(requested, TrustState.UNTRUSTED, tuple(decided))
        state = trust.state_of(requested)
        withheld = () if state is TrustState.TRUSTED else tuple(decided)
        return cls(requested, state, withheld)

    @property
    def names(self) -> frozenset[str]:
        """The names of the settings that are withheld."""
        return frozenset(power.setting for power in self.withheld)

    @property
    def notice(self) -> str:
        """One line that names what is withheld; "" for nothing."""
        if not self.withheld:
            return ""
        return f"left out: {self._asked}; see `repobuild trust`"

    def require(self, needed: Collection[str]) -> None:
        """Raise `UsageError` when a withheld setting is among those needed."""
        if not (missing := [p for p in self.withheld if p.setting in needed]):
            return
        first = missing[0]
        default = shown(defaults()[first.setting])
        raise UsageError(
            f"{self._asked}\n"
            f"it {first.reaches}: a repository's own file may not decide that\n"
            "look at it with `repobuild trust`, or set it yourself, as in "
            f"`{program()} -c '{first.setting}={default}'`"
        )

    @property
    def _asked(self) -> str:
        """What is withheld and why: never trusted, or changed since."""
        names = ", ".join(power.text for power in self.withheld)
        changed = self.state is TrustState.CHANGED
        why = "changed since it was trusted" if changed else "never trusted"
        return f"{names} in {SETTINGS_FILE}, {why}"


def _requested(layers: SettingLayers) -> Iterator[Power]:
    """Yield the powers that the repository decides, in the order of the schema."""
    own = dict(layers.repository)
    if "preset" in own:
        own = {**preset_settings(own["preset"]), **own}
    for name, setting in settings().items():
        if name in own and setting.is_power(own[name]):
            path = _path_behind(layers.root, name, own[name])
            yield Power(name, own[name], setting.power, path)


def _is_users(power: Power, layers: SettingLayers) -> bool:
    """Return whether a user's layer decides a setting in place of the repository."""
    if power.setting in layers.user:
        return True
    # The user's preset only replaces the repository's, not what its file sets itself.
    return "preset" in layers.user and power.setting not in layers.repository


def _refuse_shadowed_model(layers: SettingLayers) -> None:
    model = layers.merged()[_MODEL]
    is_own = _MODEL in layers.repository and _MODEL not in layers.user
    if is_own or ("preset" in layers.repository and "preset" not in layers.user):
        return
    parts = model.split("/")
    if len(parts) > 2 or {"", ".", "..", "~"} & set(parts):
        return
    if settings()[_MODEL].is_power(model) and (layers.root / model).is_dir():
        raise UsageError(
            f"base.model {shown(model)} may mean a model of a hub, and the repository "
            "has a folder of that path\n"
            f"write {shown('./' + model)} for the folder; else move it away"
        )


def _path_behind(root: Path, name: str, value: Any) -> Path | None:
    """Return the file or folder that a value names, None for one that names none."""
    if name == "adapter.deepspeed" and not is_path(value):
        return None
    if name in (_MODEL, _HYPERNET, "adapter.deepspeed", "adapter.hostfile"):
        return Path(root, Path(os.path.expanduser(value)))
    return None


def is_path(value: str) -> bool:
    """Return whether `adapter.deepspeed` names a file instead of a shipped one."""
    return "/" in value or value.endswith(".json")


def _read_content(path: Path, known: Mapping[str, list[str]]) -> tuple[int, str, str]:
    """Return size, digest and `stat` of a file; an unreadable one counts as empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            stat = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"
            stat += f" {facts.st_dev} {facts.st_ino}"
            before = known.get(os.path.abspath(path), ["", ""])
            if facts.st_size >= _LARGE and before[0] == stat:
                return facts.st_size, before[1], stat
            hashed, size = blake2b(digest_size=16), 0
            while piece := file.read(_PIECE):
                hashed.update(piece)
                size += len(piece)
            return size, hashed.hexdigest(), stat
    except OSError as error:
        return 0, f"unreadable {error.errno}", ""
