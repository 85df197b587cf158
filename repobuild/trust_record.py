"""Record which rules of a repository this user allows to run on this machine.

    $XDG_STATE_HOME/repobuild/trust/NAME.json      (~/.local/state without it)

    {"repository": path, "rules": {"bugs": {"3f0c…": {"rules/bugs.py": bytes, …}}}}

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
from typing import Any

from repobuild.errors import UsageError
from repobuild.user_rules import UserRule

VARIABLE = "REPOBUILD_TRUST"
_DIGEST_LENGTH = 32  # hex digits

Sizes = dict[str, int]  # path -> bytes


class TrustState(Enum):
    TRUSTED = "trusted"
    CHANGED = "changed"  # another version of the rule is trusted
    UNTRUSTED = "untrusted"


@dataclass
class TrustRecord:
    """The record of one repository; `write` saves changes."""

    path: Path
    repository: str
    rules: dict[str, dict[str, Sizes]] = field(default_factory=dict)
    from_environment: Mapping[str, frozenset[str]] = field(default_factory=dict)

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
        return cls(path, repository, _read(path), _parse_variable(environment))

    def state_of(self, rule: UserRule) -> TrustState:
        """Return whether exactly this version of a rule is trusted."""
        digests = {
            *self.rules.get(rule.name, ()),
            *self.from_environment.get(rule.name, ()),
        }
        if rule.digest in digests:
            return TrustState.TRUSTED
        return TrustState.CHANGED if digests else TrustState.UNTRUSTED

    def trust(self, rule: UserRule) -> None:
        sizes = {path: len(content) for path, content in rule.files.items()}
        self.rules.setdefault(rule.name, {})[rule.digest] = sizes

    def revoke(self, names: Iterable[str]) -> None:
        for name in names:
            self.rules.pop(name, None)

    def write(self) -> None:
        """Save the record atomically, readable by this user only."""
        body = {"version": 1, "repository": self.repository, "rules": self.rules}
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


def _read(path: Path) -> dict[str, dict[str, Sizes]]:
    try:
        body: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return {
            str(name): {str(digest): dict(sizes) for digest, sizes in versions.items()}
            for name, versions in body["rules"].items()
        }
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f'the record of trusted rules "{path}" cannot be read: {error}\n'
            "remove it, look at the rules, and run `repobuild trust` again"
        ) from error


def _parse_variable(environment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the trusted digests by rule name from `REPOBUILD_TRUST`."""
    found: dict[str, frozenset[str]] = {}
    for word in environment.get(VARIABLE, "").replace(",", " ").split():
        name, _, digest = word.partition(":")
        if len(digest) != _DIGEST_LENGTH or set(digest) - set("0123456789abcdef"):
            raise UsageError(
                f'{VARIABLE} holds "{word}", which is not NAME:DIGEST\n'
                "`repobuild trust --list` prints what to write"
            )
        found[name] = found.get(name, frozenset()) | {digest}
    return found
