"""Record what of a repository this user allows on this machine: rules and powers.

    $XDG_STATE_HOME/repobuild/trust/NAME.json      (~/.local/state without it)

    {"repository": path, "rules": {"bugs": {"3f0c…": {"rules/bugs.py": bytes, …}}},
     "files": {path: [stat, digest]}}

The name "repobuild.toml" stands for the powers that the repository's own settings ask
for (powers.py); no rule can have it.

NAME is a digest of the path of git's common folder, which all worktrees share. The
record is kept outside of the repository, as direnv and mise keep theirs: a folder that
was unpacked, copied or restored from a cache must not bring its own trust along. It
holds digests, not paths, so an edited rule must be trusted again; and several digests
per rule, so that branches may differ.

A machine that starts empty, such as a CI runner, sets
`REPOBUILD_TRUST="bugs:3f0c… other:77aa…"` instead, where a pull request cannot set it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from repobuild.errors import UsageError

VARIABLE = "REPOBUILD_TRUST"
_DIGEST_LENGTH = 32  # hex digits

Sizes = dict[str, int]  # path -> bytes
# Absolute path -> digest of a large file and what `stat` said of it: reading a model of
# 16 GB again takes 20 s. A change of a file changes its ctime, which nobody can set.
KnownFiles = dict[str, list[str]]


class Trustable(Protocol):
    """What trust is given to: one version of a rule, or of the requested powers."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """The digest over everything that is trusted, as 32 hex digits."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file in it, by path."""

    @property
    def large_files(self) -> KnownFiles:
        """What need not be read again as long as `stat` says the same of it."""


class TrustState(Enum):
    TRUSTED = "trusted"
    CHANGED = "changed"  # another version is trusted
    UNTRUSTED = "untrusted"


@dataclass
class TrustRecord:
    """The record of one repository; `write` saves changes."""

    path: Path
    repository: str
    rules: dict[str, dict[str, Sizes]] = field(default_factory=dict)
    from_environment: Mapping[str, frozenset[str]] = field(default_factory=dict)
    files: KnownFiles = field(default_factory=dict)

    @classmethod
    def of(
        cls, common: Path, environment: Mapping[str, str] = os.environ
    ) -> TrustRecord:
        """Read the record of the repository whose common git folder is `common`.

        Raises `UsageError` when the record or the variable cannot be parsed.
        """
        home = environment.get("XDG_STATE_HOME") or _state_home()
        repository = str(common.resolve())
        name = blake2b(os.fsencode(repository), digest_size=16).hexdigest()
        path = Path(home) / "repobuild" / "trust" / f"{name}.json"
        rules, files = _read(path)
        return cls(path, repository, rules, _parse_variable(environment), files)

    def knows(self, name: str) -> bool:
        """Return whether any version of that name is trusted."""
        return bool(self.rules.get(name) or self.from_environment.get(name))

    def state_of(self, asked: Trustable) -> TrustState:
        """Return whether exactly this version is trusted."""
        digests = {
            *self.rules.get(asked.name, ()),
            *self.from_environment.get(asked.name, ()),
        }
        if asked.digest in digests:
            return TrustState.TRUSTED
        return TrustState.CHANGED if digests else TrustState.UNTRUSTED

    def trust(self, asked: Trustable) -> None:
        versions = self.rules.setdefault(asked.name, {})
        versions[asked.digest] = dict(asked.sizes)
        self.files.update(asked.large_files)

    def revoke(self, names: Iterable[str]) -> None:
        for name in names:
            self.rules.pop(name, None)

    def write(self) -> None:
        """Save the record atomically, readable by this user only."""
        body: dict[str, Any] = {"version": 1, "repository": self.repository}
        body |= {"rules": self.rules, "files": self.files}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.path)


def _state_home() -> Path:
    """Return `~/.local/state`; a folder that nobody has for a user without a home."""
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:
        return Path(os.devnull) / "no home"


def _read(path: Path) -> tuple[dict[str, dict[str, Sizes]], KnownFiles]:
    """Return the trusted versions by name, and the known files, of a record."""
    try:
        body: dict[str, Any] = json.loads(path.read_text("utf-8"))
        rules = {
            str(name): {str(digest): dict(sizes) for digest, sizes in versions.items()}
            for name, versions in body["rules"].items()
        }
        files = {str(p): [str(w) for w in f] for p, f in body.get("files", {}).items()}
        return rules, files
    except (FileNotFoundError, NotADirectoryError):
        return {}, {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f'the record of trusted rules "{path}" cannot be read: {error}\n'
            "remove it, look at the rules, and run `repobuild trust` again"
        ) from error


def _parse_variable(environment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the trusted digests by rule name from `REPOBUILD_TRUST`."""
    trusted: dict[str, frozenset[str]] = {}
    for word in environment.get(VARIABLE, "").replace(",", " ").split():
        name, _, digest = word.partition(":")
        if len(digest) != _DIGEST_LENGTH or set(digest) - set("0123456789abcdef"):
            raise UsageError(
                f'{VARIABLE} holds "{word}", which is not NAME:DIGEST\n'
                "`repobuild trust --list` prints what to write"
            )
        trusted[name] = trusted.get(name, frozenset()) | {digest}
    return trusted
