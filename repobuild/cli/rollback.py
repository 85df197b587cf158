"""repobuild rollback: make an earlier adapter the current one, without training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, short

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
    from repobuild.checkout import find
    from repobuild.cli.progress import shown
    from repobuild.model.rollback import carry_out, foresee

    checkout = find()
    snapshot = checkout.snapshot()
    seen = checkout.view(snapshot, checkout.state())
    step = foresee(seen, name)
    if dry_run or not step.changes:
        emit(facts_of(seen, step, done=False), as_json, text)
        return 0

    def tell(said: str) -> None:
        click.echo(said, err=True)

    with checkout.building(snapshot, shown(True), wait=not no_wait, tell=tell) as build:
        step = foresee(build, name)  # again: another build may have come first
        if step.changes:
            carry_out(build, step)
        facts = facts_of(build, step, done=step.changes)
    emit(facts, as_json, text)
    return 0


def facts_of(build: Build, step: Rollback, done: bool) -> dict[str, Any]:
    """Return what is printed; `done` is false when nothing was changed."""
    place = build.snapshot
    return {
        "version": 1,
        "head": place.commit,
        "commit": step.commit,
        "adapter": step.after,
        "trained_at": step.trained_at,
        "subject": place.subject(step.trained_at),
        "before": step.before,
        "changes": step.changes,
        "restores": step.restores,
        "done": done,
        "rebase": step.rebase,
    }


def text(facts: dict[str, Any]) -> str:
    adapter, before = facts["adapter"][:12], facts["before"][:12]
    name = f"adapter {adapter}, trained at {_place(facts)}"
    if not facts["changes"]:
        return f"nothing to do: {name}, is current at {short(facts['commit'])} already"
    verb = "is" if facts["done"] else "would be"
    again = " again" if facts["restores"] else ""
    said = [f"{name}, {verb} current at {short(facts['commit'])}{again}"]
    said.append(
        f"  instead of {before}, kept: `repobuild rollback {before}` takes it again"
    )
    if facts["head"] != facts["commit"]:
        said.append(
            f"  HEAD, {short(facts['head'])}, is not built and will go on from it"
        )
    return "\n".join([*said, f"  {_next(facts)}"])


def _next(facts: dict[str, Any]) -> str:
    if facts["rebase"]:
        return f"the next training starts from the base model: {facts['rebase']}"
    return "the next commit goes on from it, on all that changed since it was trained"


def _place(facts: dict[str, Any]) -> str:
    from repobuild.cli.reason_text import place

    return place(facts["trained_at"], facts["subject"])
