"""repobuild ci: recipes for a CI, and what their steps need beside other verbs."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, print_message, print_text, redact_secrets


@click.group("ci")
def command() -> None:
    """Keep an adapter current in continuous integration.

    \b
    repobuild ci github > .github/workflows/repobuild.yml
    repobuild ci gitlab > .gitlab-ci.yml
    repobuild ci summary --base origin/main      what a branch would change
    """


@command.command("summary")
@click.option(
    "--base",
    metavar="REV",
    required=True,
    help="What the pull request is to be merged into.",
)
@options.as_json
def summary_command(base: str, as_json: bool) -> int:
    """Say in Markdown what HEAD changes in what is learnt, against a base.

    Files, elements and samples that differ, what training it would cost, answers that
    will change, licences and secrets. Trains nothing, and writes nothing.

    \b
    repobuild ci summary --base origin/main
    repobuild ci summary --base HEAD^1 >> "$GITHUB_STEP_SUMMARY"
    """
    from repobuild.checkout import open_checkout
    from repobuild.ci.pull_request import base_of, summarise
    from repobuild.ci.summary_page import summary_page
    from repobuild.cli.progress import progress_for

    checkout = open_checkout(redact=redact_secrets)
    head = checkout.snapshot()
    start = base_of(checkout, base, head)
    facts = summarise(checkout, start, head, progress_for(quiet=as_json))
    emit(facts, as_json, summary_page)
    return 0
