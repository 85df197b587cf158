"""The rules of one snapshot: those that come with repobuild, and the repository's own.

A rule of its own that was never trusted is left out, with what reads its table; so is
one whose trusted version was changed, but then nothing is built: a hook would train
without those samples, and nobody would notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from repobuild.engine.rule import Rule, assembled
from repobuild.errors import UsageError
from repobuild.trust_record import TrustRecord, TrustState
from repobuild.user_rules import UserRule


@dataclass(frozen=True)
class Rulebook:
    """`rules` by name, in building order; `untrusted` and `changed` are left out."""

    rules: dict[str, Rule]
    untrusted: tuple[str, ...] = ()
    changed: tuple[UserRule, ...] = ()

    @property
    def notice(self) -> str:
        """One line on what is left out; "" when nothing is."""
        if not self.untrusted:
            return ""
        names = ", ".join(self.untrusted)
        return f"left out, never trusted: {names}; see `repobuild trust`"

    def must_be_whole(self) -> None:
        """Raise `UsageError` when a trusted rule was changed."""
        if not self.changed:
            return
        said = [
            f'rule "{own.name}" was changed since it was trusted'
            for own in self.changed
        ]
        files = ", ".join(f'"{path}"' for own in self.changed for path in own.files)
        raise UsageError(
            "; ".join(said) + "\n"
            f"look at {files}, then run `repobuild trust`\n"
            f"or build without it: `repobuild trust --revoke {self.changed[0].name}`"
        )


def make_rulebook(
    standard: dict[str, Rule], own: list[UserRule], trust: TrustRecord
) -> Rulebook:
    """Return the rules that may run; raises `UsageError` where they do not fit."""
    if not own:
        return Rulebook(standard)
    every = [*standard.values(), *(rule.rule for rule in own)]
    assembled(every)  # whether trusted or not, they must fit
    standings = {rule.name: trust.standing(rule) for rule in own}
    changed = [r for r in own if standings[r.name] is TrustState.CHANGED]
    known = {r.name: r.rule for r in own if standings[r.name] is TrustState.TRUSTED}
    while lost := {
        n for n, r in known.items() if not set(r.inputs) <= {*standard, *known}
    }:
        known = {name: rule for name, rule in known.items() if name not in lost}
    left = {rule.name for rule in own} - known.keys() - {rule.name for rule in changed}
    rules = assembled([*standard.values(), *known.values()])
    return Rulebook(rules, tuple(sorted(left)), tuple(changed))
