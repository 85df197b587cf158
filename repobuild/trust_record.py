"""Which of a repository's own rules this user lets run on this machine.

    $XDG_STATE_HOME/repobuild/trust/NAME.json      (~/.local/state without it)

    {"repository": path, "rules": {"bugs": {"3f0c…": {"rules/bugs.py": bytes, …}}}}

NAME is a digest of the path of git's common folder, which all worktrees share. The
record lies outside of the repository, as those of direnv and mise do: a folder that was
unpacked, copied or restored from a cache must not bring its own trust along. It names
digests, not paths, so that an edit is trusted anew; several a rule, so that branches
may differ.

A machine that starts empty has `REPOBUILD_TRUST="bugs:3f0c… other:77aa…"` instead, set
where a pull request cannot set it.
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
_DIGITS = 32

Sizes = dict[str, int]  # path -> bytes


class TrustState(Enum):
    TRUSTED = "trusted"
    CHANGED = "changed"  # another version of it is trusted
    UNTRUSTED = "untrusted"


@dataclass
class TrustRecord:
    """The record of one repository; `write` keeps it."""

    path: Path
    repository: str
    rules: dict[str, dict[str, Sizes]] = field(default_factory=dict)
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by environment

    @classmethod
    def of(
        cls, common: Path, environment: Mapping[str, str] = os.environ
    ) -> TrustRecord:
        """Read the record; raises `UsageError` when it, or the variable, is garbled."""
        home = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        repository = str(common.resolve())
        name = blake2b(os.fsencode(repository), digest_size=16).hexdigest()
        path = Path(home) / "repobuild" / "trust" / f"{name}.json"
        return cls(path, repository, _read(path), _given(environment))

    def standing(self, own: UserRule) -> TrustState:
        known = {*self.rules.get(own.name, ()), *self.given.get(own.name, ())}
        if own.digest in known:
            return TrustState.TRUSTED
        return TrustState.CHANGED if known else TrustState.UNTRUSTED

    def give(self, own: UserRule) -> None:
        sizes = {path: len(content) for path, content in own.files.items()}
        self.rules.setdefault(own.name, {})[own.digest] = sizes

    def take(self, names: Iterable[str]) -> None:
        for name in names:
            self.rules.pop(name, None)

    def write(self) -> None:
        """Keep the record, in one step, for this user alone."""
        body = {"version": 1, "repository": self.repository, "rules": self.rules}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.path)


def _read(path: Path) -> dict[str, dict[str, Sizes]]:
    try:
        body: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return {
            str(name): {str(digest): dict(files) for digest, files in known.items()}
            for name, known in body["rules"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f'the record of trusted rules "{path}" cannot be read: {error}\n'
            "remove it, look at the rules, and run `repobuild trust` again"
        ) from error


def _given(environment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return digests by rule as the environment names them."""
    found: dict[str, frozenset[str]] = {}
    for word in environment.get(VARIABLE, "").replace(",", " ").split():
        name, _, digest = word.partition(":")
        if len(digest) != _DIGITS or set(digest) - set("0123456789abcdef"):
            raise UsageError(
                f'{VARIABLE} holds "{word}", which is not NAME:DIGEST\n'
                "`repobuild trust --list` prints what to write"
            )
        found[name] = found.get(name, frozenset()) | {digest}
    return found
