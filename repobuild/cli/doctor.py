"""repobuild doctor: what is not well here, and the next step."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit
from repobuild.plain_text import escape_line

_WIDTH = 80
_INDENT = " " * 18  # of what follows a check's name


@click.command("doctor")
@options.as_json
def command(as_json: bool) -> int:
    """Check versions, git, settings, grammars, accelerator, base model and cache.

    Writes nothing and asks no server. Exit 0 when all is well, else 1.

    \b
    repobuild doctor
    repobuild doctor --json
    """
    from repobuild.cli.progress import progress_for

    with progress_for(as_json)("checking", 0):
        checks = _run_checks()
    is_well = all(check["well"] for check in checks)
    emit({"version": 1, "well": is_well, "checks": checks}, as_json, text)
    return 0 if is_well else 1


def _run_checks() -> list[dict[str, Any]]:
    from repobuild.checkout import open_checkout
    from repobuild.ci.history_needs import find_missing
    from repobuild.errors import UsageError
    from repobuild.survey.health import (
        HealthCheck,
        check_checkout,
        check_installation,
    )

    found = list(check_installation())
    try:
        checkout = open_checkout()
    except UsageError as error:
        found.append(HealthCheck.of_error("git", error, "see `git status`"))
    else:
        found += check_checkout(checkout, lambda one: find_missing(one).text)
    return [
        {"name": one.name, "well": one.is_well, "text": one.text, "next": one.next}
        for one in found
    ]


def text(facts: dict[str, Any]) -> str:
    """Return a line for each check, and below one that is not well the next step."""
    lines = []
    for check in facts["checks"]:
        mark = "ok " if check["well"] else "bad"
        lines += _wrap(f"{mark}  {check['name'].ljust(11)}  ", check["text"])
        if not check["well"]:
            lines += _wrap(_INDENT, f"next: {check['next']}")
    bad = sum(not check["well"] for check in facts["checks"])
    summary = f"{bad} of {len(facts['checks'])} not well" if bad else "all is well"
    return "\n".join([*lines, summary])


def _wrap(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        escape_line(text),
        _WIDTH,
        initial_indent=head,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
