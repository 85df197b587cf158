"""repobuild trust: allow what a repository asks for: its own rules, and powers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, print_message
from repobuild.errors import UsageError, nearest

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.powers import RequestedPowers
    from repobuild.trust_record import TrustRecord
    from repobuild.user_rules import UserRule

    Asked = UserRule | RequestedPowers


@click.command("trust")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "listed", is_flag=True, help="Print what is trusted, and end.")
@click.option("--revoke", is_flag=True, help="Revoke trust in these rules, or in all.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--commit", "revision", metavar="REV", default="HEAD", help="Whose rules [HEAD]."
)
@click.option("--worktree", is_flag=True, help="The rules in the work tree.")
@options.as_json
def command(
    names: tuple[str, ...],
    listed: bool,
    revoke: bool,
    yes: bool,
    revision: str,
    worktree: bool,
    as_json: bool,
) -> int:
    """Allow what the repository asks for: its own rules, and powers of its settings.

    All of rules/*.toml and repobuild.toml, or those named. Shows what would run and
    what it would reach, and asks. Trust is given to exactly these bytes, on this
    machine, for this folder: an edited rule needs to be trusted again.

    \b
    repobuild trust                    shows all, and asks
    repobuild trust repobuild.toml     its settings only
    repobuild trust --list             what is trusted
    """
    from repobuild.checkout import open_checkout

    checkout = open_checkout()
    asked: list[Asked] = []
    if checkout.powers.requested.powers:
        asked.append(checkout.powers.requested)
    asked += checkout.user_rules(checkout.snapshot(revision, worktree))
    trust = checkout.trust
    known = {*trust.rules, *(one.name for one in asked)}
    for name in names:
        if name not in known:
            raise UsageError(
                f'no rule "{name}" of this repository\'s own{nearest(name, known)}\n'
                "a rule is a file rules/NAME.toml of the commit; see docs/rules.md\n"
                '"repobuild.toml" names the powers that the settings ask for, if any'
            )
    if revoke and not listed:
        trust.revoke(names or list(trust.rules))
        _save(checkout)
    elif not listed:
        _trust(checkout, [a for a in asked if not names or a.name in names], yes)
    emit(_facts(trust, asked), as_json, text)
    return 0


def _trust(checkout: Checkout, asked: list[Asked], yes: bool) -> None:
    """Show what is not trusted yet, ask, and trust it."""
    from repobuild.trust_record import TrustState

    trust = checkout.trust
    new = [one for one in asked if trust.state_of(one) is not TrustState.TRUSTED]
    if not new:
        return
    for one in new:
        is_changed = trust.state_of(one) is TrustState.CHANGED
        changed = ", changed since it was trusted" if is_changed else ""
        lines = [f"{one.name}: {one.how_it_runs}{changed}", one.description]
        print_message("\n".join([*lines, f"  digest {one.digest}"]))
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on\n"
            "look at these files, and pass --yes to trust them"
        )
    if not yes and not click.confirm(
        "trust it?" if len(new) == 1 else "trust them?", err=True
    ):
        raise UsageError("nothing was trusted")
    for one in new:
        trust.trust(one)
    _save(checkout)


def _save(checkout: Checkout) -> None:
    """Write the record and drop the cached answer, which may not hold any more."""
    from repobuild import noop_cache

    checkout.trust.write()
    noop_cache.forget(str(checkout.folder))


def _facts(trust: TrustRecord, asked: list[Asked]) -> dict[str, Any]:
    listed = [
        {
            "name": one.name,
            "standing": trust.state_of(one).value,
            "digest": one.digest,
            "how": one.how_it_runs,
            "files": dict(one.sizes),
        }
        for one in asked
    ]
    return {"version": 1, "record": str(trust.path), "rules": listed}


def text(facts: dict[str, Any]) -> str:
    if not facts["rules"]:
        return "this commit has no rules of its own, and its settings ask for nothing"
    rules = [f"{r['standing']}: {r['name']}:{r['digest']}" for r in facts["rules"]]
    return "\n".join(rules)
