"""repobuild trust: let a repository's own rules run on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit
from repobuild.errors import UsageError, nearest

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.trust_record import TrustRecord
    from repobuild.user_rules import UserRule


@click.command("trust")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "listed", is_flag=True, help="Say what is trusted, and end.")
@click.option("--revoke", is_flag=True, help="Trust these rules, or all, no more.")
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
    """Let the repository's own rules run: all of rules/*.toml, or those named.

    Shows what would be run and asks. Trust is given to exactly these bytes, on this
    machine, for this folder: an edited rule is trusted anew.
    """
    from repobuild.checkout import find

    checkout = find()
    own = checkout.own_rules(checkout.snapshot(revision, worktree))
    trust = checkout.trust
    _check_names(names, {*trust.rules, *(rule.name for rule in own)})
    if listed:
        emit(_facts(trust, own), as_json, text)
        return 0
    if revoke:
        trust.take(names or list(trust.rules))
        _keep(checkout, trust)
    else:
        _give(checkout, [r for r in own if not names or r.name in names], yes)
    emit(_facts(trust, own), as_json, text)
    return 0


def _check_names(names: tuple[str, ...], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(
                f'no rule "{name}" of this repository\'s own{nearest(name, known)}\n'
                "a rule is a file rules/NAME.toml of the commit; see docs/rules.md"
            )


def _give(checkout: Checkout, own: list[UserRule], yes: bool) -> None:
    """Show what would be trusted, ask, and keep it."""
    from repobuild.trust_record import TrustState

    trust = checkout.trust
    new = [rule for rule in own if trust.standing(rule) is not TrustState.TRUSTED]
    if not new:
        return
    for rule in new:
        click.echo(
            clean(_told(rule, trust.standing(rule) is TrustState.CHANGED)), err=True
        )
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to ask\nlook at these files, and say --yes to trust them"
        )
    if not yes and not click.confirm("trust them?", err=True):
        raise UsageError("nothing was trusted")
    for rule in new:
        trust.give(rule)
    _keep(checkout, trust)


def _keep(checkout: Checkout, trust: TrustRecord) -> None:
    """Write the record; what the last build answered may hold no more."""
    from repobuild import noop_cache

    trust.write()
    noop_cache.forget(str(checkout.folder))


def _told(own: UserRule, changed: bool) -> str:
    """Return what would run, where from, and on what."""
    rule = own.rule
    lines = [
        f"{own.name}: {own.how}{', changed since it was trusted' if changed else ''}"
    ]
    lines.append(f"  {rule.kind} of {', '.join(rule.inputs)}")
    lines += [f"  {path}  {len(data):,} bytes" for path, data in own.files.items()]
    return "\n".join([*lines, f"  digest {own.digest}"])


def clean(text: str) -> str:
    """Return text that a hostile name cannot use to paint over a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _facts(trust: TrustRecord, own: list[UserRule]) -> dict[str, Any]:
    rules = [
        {
            "name": rule.name,
            "standing": trust.standing(rule).value,
            "digest": rule.digest,
            "how": rule.how,
            "files": {path: len(data) for path, data in rule.files.items()},
        }
        for rule in own
    ]
    return {"version": 1, "record": str(trust.path), "rules": rules}


def text(facts: dict[str, Any]) -> str:
    if not facts["rules"]:
        return "this commit has no rules of its own"
    said = [f"{r['standing']}: {r['name']}:{r['digest']}" for r in facts["rules"]]
    return clean("\n".join(said))
