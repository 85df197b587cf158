"""repobuild rollback: make an earlier adapter the current one, without training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import (
    emit,
    print_message,
    redact_secrets,
    short,
)
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.build import Build
    from repobuild.model.rollback import Rollback


@click.command("rollback")
@click.argument("name", metavar="[ADAPTER|COMMIT]", default="")
@options.dry_run
@click.option(
    "--no-wait", is_flag=True, help="Exit with 4 when another build holds the lock."
)
@options.as_json
def command(name: str, dry_run: bool, no_wait: bool, as_json: bool) -> int:
    """Make an earlier adapter the current one. Nothing is trained, nothing is lost.

    \b
    repobuild rollback             the adapter that was current before
    repobuild rollback 4f2a91c     the one of a commit, or by its digest
    repobuild rollback HEAD        HEAD's own again: undoes a rollback
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.model.rollback import apply_rollback, plan_rollback

    checkout = open_checkout(redact=redact_secrets)
    snapshot = checkout.snapshot()
    checkout.require_powers(snapshot, ["adapter"])
    view = checkout.view(snapshot, checkout.state())
    step = plan_rollback(view, name)
    if dry_run or not step.changes:
        emit(_facts(view, step, done=False), as_json, text)
        return 0
    progress = progress_for(quiet=True)
    with checkout.building(
        snapshot, progress, wait=not no_wait, tell=print_message
    ) as build:
        step = plan_rollback(build, name)  # again: another build may have come first
        if step.changes:
            apply_rollback(build, step)
        facts = _facts(build, step, done=step.changes)
    emit(facts, as_json, text)
    return 0


def _facts(build: Build, step: Rollback, done: bool) -> dict[str, Any]:
    """Return what is printed; `done` is false when nothing was changed."""
    return {
        "version": 1,
        "head": build.snapshot.commit,
        "commit": step.commit,
        "adapter": step.after,
        "trained_at": step.trained_at,
        "subject": build.snapshot.subject(step.trained_at),
        "before": step.before,
        "changes": step.changes,
        "restores": step.restores,
        "done": done,
        "rebase": step.rebase,
    }


def text(facts: dict[str, Any]) -> str:
    from repobuild.cli.reason_text import commit_text

    adapter, before = facts["adapter"][:12], facts["before"][:12]
    trained_at = commit_text(facts["trained_at"], facts["subject"])
    name = f"adapter {adapter}, trained at {trained_at}"
    if not facts["changes"]:
        return f"nothing to do: {name}, is current at {short(facts['commit'])} already"
    verb = "is" if facts["done"] else "would be"
    again = " again" if facts["restores"] else ""
    lines = [f"{name}, {verb} current at {short(facts['commit'])}{again}"]
    lines.append(
        f"  instead of {before}, kept: `{program()} rollback {before}` takes it again"
    )
    if facts["head"] != facts["commit"]:
        lines.append(
            f"  HEAD, {short(facts['head'])}, is not built and will continue it"
        )
    if facts["rebase"]:
        lines.append(
            f"  the next training starts from the base model: {facts['rebase']}"
        )
    else:
        lines.append(
            "  the next commit continues it, on everything that changed since it was "
            "trained"
        )
    return "\n".join(lines)
