"""repobuild trust: allow a repository's own rules to run on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, print_message
from repobuild.errors import UsageError, nearest

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.trust_record import TrustRecord
    from repobuild.user_rules import UserRule


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
    """Let the repository's own rules run: all of rules/*.toml, or those named.

    Shows what would be run and asks. Trust is given to exactly these bytes, on this
    machine, for this folder: an edited rule needs to be trusted again.
    """
    from repobuild.checkout import open_checkout

    checkout = open_checkout()
    rules = checkout.user_rules(checkout.snapshot(revision, worktree))
    trust = checkout.trust
    known = {*trust.rules, *(rule.name for rule in rules)}
    for name in names:
        if name not in known:
            raise UsageError(
                f'no rule "{name}" of this repository\'s own{nearest(name, known)}\n'
                "a rule is a file rules/NAME.toml of the commit; see docs/rules.md"
            )
    if revoke and not listed:
        trust.revoke(names or list(trust.rules))
        _save(checkout)
    elif not listed:
        _trust(checkout, [r for r in rules if not names or r.name in names], yes)
    emit(_facts(trust, rules), as_json, text)
    return 0


def _trust(checkout: Checkout, rules: list[UserRule], yes: bool) -> None:
    """Show the rules that are not trusted yet, ask, and trust them."""
    from repobuild.trust_record import TrustState

    trust = checkout.trust
    new = [rule for rule in rules if trust.state_of(rule) is not TrustState.TRUSTED]
    if not new:
        return
    for rule in new:
        is_changed = trust.state_of(rule) is TrustState.CHANGED
        print_message(clean(_description(rule, is_changed)))
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on\n"
            "look at these files, and pass --yes to trust them"
        )
    if not yes and not click.confirm("trust them?", err=True):
        raise UsageError("nothing was trusted")
    for rule in new:
        trust.trust(rule)
    _save(checkout)


def _save(checkout: Checkout) -> None:
    """Write the record and drop the cached answer, which may not hold any more."""
    from repobuild import noop_cache

    checkout.trust.write()
    noop_cache.forget(str(checkout.folder))


def _description(user_rule: UserRule, is_changed: bool) -> str:
    """Return what a rule runs, on which tables and from which files."""
    rule = user_rule.rule
    changed = ", changed since it was trusted" if is_changed else ""
    lines = [f"{user_rule.name}: {user_rule.how_it_runs}{changed}"]
    lines.append(f"  {rule.kind} of {', '.join(rule.inputs)}")
    for path, content in user_rule.files.items():
        lines.append(f"  {path}  {len(content):,} bytes")
    return "\n".join([*lines, f"  digest {user_rule.digest}"])


def clean(text: str) -> str:
    """Replace control characters, with which a name could overwrite the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _facts(trust: TrustRecord, rules: list[UserRule]) -> dict[str, Any]:
    listed = [
        {
            "name": rule.name,
            "standing": trust.state_of(rule).value,
            "digest": rule.digest,
            "how": rule.how_it_runs,
            "files": {path: len(data) for path, data in rule.files.items()},
        }
        for rule in rules
    ]
    return {"version": 1, "record": str(trust.path), "rules": listed}


def text(facts: dict[str, Any]) -> str:
    if not facts["rules"]:
        return "this commit has no rules of its own"
    rules = [f"{r['standing']}: {r['name']}:{r['digest']}" for r in facts["rules"]]
    return clean("\n".join(rules))
