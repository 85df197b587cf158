"""repobuild ci: recipes for a CI, and what their steps need beside other verbs."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, print_text, redact_secrets


@click.group("ci")
def command() -> None:
    """Keep an adapter current in continuous integration.

    \b
    repobuild ci github > .github/workflows/repobuild.yml
    repobuild ci gitlab > .gitlab-ci.yml
    repobuild ci summary --base origin/main      what a branch would change
    """


_branch = click.option(
    "--branch",
    default="",
    metavar="NAME",
    help="The branch that trains [default: that of origin].",
)
_package = click.option(
    "--package",
    default="",
    metavar="REQUIREMENT",
    help="What pip installs [default: this version of repobuild].",
)


@command.command("github")
@_branch
@_package
def github_command(branch: str, package: str) -> int:
    """Print a workflow of GitHub Actions.

    A push trains, passes the gate and publishes; a pull request gets a summary.

    \b
    repobuild ci github > .github/workflows/repobuild.yml
    """
    return _print_recipe("github", branch, package)


@command.command("gitlab")
@_package
def gitlab_command(package: str) -> int:
    """Print the jobs of a GitLab pipeline.

    A push to the default branch trains, passes the gate and publishes; a merge request
    gets a summary.

    \b
    repobuild ci gitlab > .gitlab-ci.yml
    """
    return _print_recipe("gitlab", "", package)


def _print_recipe(name: str, branch: str, package: str) -> int:
    from repobuild.checkout import open_checkout
    from repobuild.ci.ci_recipe import PACKAGE, default_branch, recipe
    from repobuild.ci.history_needs import needed_commits

    checkout = open_checkout()
    branch = branch or default_branch(checkout.repository)
    depth = needed_commits(checkout.settings)
    print_text(recipe(name, branch, package or PACKAGE, depth))
    return 0


@command.command("summary")
@click.option(
    "--base",
    metavar="REV",
    required=True,
    help="What the pull request is to be merged into.",
)
@options.as_json
def summary_command(base: str, as_json: bool) -> int:
    """Say what HEAD changes, for a pull request.

    In Markdown, against a base: files, elements and samples that differ, what training
    it would cost, answers that will change, licences and secrets. Trains nothing, and
    writes nothing.

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


@command.command("deepen")
@click.option(
    "--remote", default="origin", metavar="NAME", help="Where from [default: origin]."
)
@click.option(
    "--base",
    default="",
    metavar="REV",
    help="Also as far as where HEAD and this revision meet.",
)
@options.as_json
def deepen_command(remote: str, base: str, as_json: bool) -> int:
    """Fetch what a build needs into a shallow clone.

    The last commits that samples tell of, and the nearest one with an adapter in the
    state. In a whole clone it does nothing. Exit 1 when the remote does not have them.

    \b
    repobuild ci deepen
    repobuild ci deepen --base origin/main
    """
    from repobuild.checkout import open_checkout
    from repobuild.ci.history_needs import fetch_missing
    from repobuild.cli.progress import progress_for

    with progress_for(as_json)("fetching commits", 0):
        fetches, missing = fetch_missing(open_checkout().root, remote, base)
    facts = {
        "version": 1,
        "fetches": fetches,
        "missing": missing.text,
    }
    emit(facts, as_json, _deepen_text)
    return 1 if missing else 0


def _deepen_text(facts: dict[str, Any]) -> str:
    if facts["missing"]:
        return f"still missing: {facts['missing']}"
    fetches = facts["fetches"]
    if not fetches:
        return "nothing to fetch: the commits that a build needs are here"
    return f"fetched older commits in {fetches} step{'s' * (fetches != 1)}"


@command.command("gate")
@options.as_json
def gate_command(as_json: bool) -> int:
    """Exit 0 when HEAD's adapter was promoted.

    Else exit 1: it must not be published. The build promotes an adapter that is not
    worse than its parent on held-out questions (`adapter.margin`).

    \b
    repobuild ci gate && repobuild publish
    """
    from repobuild.checkout import open_checkout
    from repobuild.ci.gate import gate_facts

    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    facts = gate_facts(build)
    emit(facts, as_json, _gate_text)
    return 0 if facts["passes"] else 1


def _gate_text(facts: dict[str, Any]) -> str:
    scores = facts["scores"]
    compared = ""
    if scores:
        before, after = scores["parent_loss"], scores["loss"]
        compared = f" (held-out loss {before:.3f} to {after:.3f})"
    if facts["passes"]:
        return f"passed: adapter {facts['adapter'][:12]} is promoted{compared}"
    return f"not passed: {facts['why']}{compared}"
