"""Combine the rules that come with repobuild with those that a repository defines.

A user rule that was never trusted is left out, and so are the rules that read its
table. A user rule that was changed since it was trusted is left out too, but then a
build is refused: a hook would otherwise train without its samples, unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass

from repobuild.engine.rule import Rule, assemble_rules
from repobuild.errors import UsageError
from repobuild.trust_record import TrustRecord, TrustState
from repobuild.user_rules import UserRule


@dataclass(frozen=True)
class Rulebook:
    """The rules of one snapshot, by name in building order.

    `untrusted` and `changed` are the user rules that are left out.
    """

    rules: dict[str, Rule]
    untrusted: tuple[str, ...] = ()
    changed: tuple[UserRule, ...] = ()

    @property
    def notice(self) -> str:
        """A line that names the untrusted rules; "" without any."""
        if not self.untrusted:
            return ""
        names = ", ".join(self.untrusted)
        return f"left out, never trusted: {names}; see `repobuild trust`"

    def require_unchanged(self) -> None:
        """Raise `UsageError` when a rule was changed since it was trusted."""
        if not self.changed:
            return
        messages = [
            f'rule "{user_rule.name}" was changed since it was trusted'
            for user_rule in self.changed
        ]
        files = ", ".join(f'"{path}"' for rule in self.changed for path in rule.files)
        raise UsageError(
            "; ".join(messages) + "\n"
            f"look at {files}, then run `repobuild trust`\n"
            f"or build without it: `repobuild trust --revoke {self.changed[0].name}`"
        )


def make_rulebook(
    standard: dict[str, Rule], user_rules: list[UserRule], trust: TrustRecord
) -> Rulebook:
    """Return the rules that may run; raises `UsageError` when they do not fit."""
    if not user_rules:
        return Rulebook(standard)
    assemble_rules(
        [*standard.values(), *(r.rule for r in user_rules)]
    )  # trusted or not
    states = {r.name: trust.state_of(r) for r in user_rules}
    changed = [r for r in user_rules if states[r.name] is TrustState.CHANGED]
    usable = {
        r.name: r.rule for r in user_rules if states[r.name] is TrustState.TRUSTED
    }
    # Removing a rule may leave another without its input, so repeat until none is.
    while without_input := {
        name
        for name, rule in usable.items()
        if not set(rule.inputs) <= {*standard, *usable}
    }:
        usable = {n: rule for n, rule in usable.items() if n not in without_input}
    names = {r.name for r in user_rules}
    untrusted = names - usable.keys() - {r.name for r in changed}
    rules = assemble_rules([*standard.values(), *usable.values()])
    return Rulebook(rules, tuple(sorted(untrusted)), tuple(changed))
