"""repobuild locate: the files and functions that an issue's text is about."""

from __future__ import annotations

import sys
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, print_message, redact_secrets
from repobuild.errors import UsageError
from repobuild.plain_text import escape_line

_TABLES = ("lexicon", "touches")
_MOST = 1_000  # of each list
_LONGEST = 200_000  # characters of a text


@click.command("locate")
@click.argument("text", metavar="TEXT|-")
@click.option(
    "-k",
    "most",
    metavar="N",
    default=10,
    show_default=True,
    type=click.IntRange(1, _MOST),
    help="How many files, and how many functions.",
)
@options.as_json
def command(text: str, most: int, as_json: bool) -> int:
    """Find where in the repository a text is about: an issue, an error, a question.

    \b
    repobuild locate 'Group.command ignores the short help'
    repobuild locate - < issue.md          the first line counts as the title
    repobuild locate -k 3 --json - < traceback.txt

    Ranks files and functions of HEAD by words, names, paths, quoted tracebacks, and
    past commits. No model is asked.
    """
    from repobuild.checkout import open_checkout
    from repobuild.locate.ranking import locate

    text = _read(text)
    checkout = open_checkout(redact=redact_secrets)
    snapshot = checkout.snapshot()
    with checkout.building(snapshot, _quiet(), tell=print_message) as build:
        build.run(list(_TABLES))
        found = locate(build.table("lexicon"), build.table("touches"), text, most)
    files = [{"path": path, "score": score} for path, score in found.files]
    functions = [{"id": id, "score": score} for id, score in found.functions]
    facts = {
        "version": 1,
        "commit": snapshot.commit,
        "files": files,
        "functions": functions,
    }
    emit(facts, as_json, locate_text)
    return 0
