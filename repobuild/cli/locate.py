"""repobuild locate: the files and functions that an issue's text is about."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, print_message, redact_secrets, short
from repobuild.errors import LockedError, UsageError

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.git.snapshot import Snapshot
    from repobuild.locate.ranking import Located

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

    text = _read(text)
    commit, found = locate_in(open_checkout(redact=redact_secrets), text, most)
    facts = {
        "version": 1,
        "commit": commit,
        "files": [{"path": path, "score": score} for path, score in found.files],
        "functions": [{"id": id, "score": score} for id, score in found.functions],
    }
    emit(facts, as_json, locate_text)
    return 0


def locate_in(checkout: Checkout, text: str, most: int) -> tuple[str, Located]:
    """Return the commit of the tables, and what a text is about in a checkout."""
    from repobuild.locate.lexicon import Lexicon
    from repobuild.locate.ranked_files import RankedProject
    from repobuild.locate.ranking import locate
    from repobuild.locate.touches import PastCommits

    snapshot = checkout.snapshot()
    commit = _bring_up_to_date(checkout, snapshot)
    build = checkout.view(snapshot, checkout.state())
    past = PastCommits.of(build.table("touches"))
    project = RankedProject(Lexicon(build.table("lexicon")), past)
    return commit, locate(project, text, most)


def locate_text(facts: dict[str, Any]) -> str:
    """Return the files and functions in two columns, best first."""
    lines = []
    for title, name in (("files", "path"), ("functions", "id")):
        rows = [[row[name], f"{row['score']:.2f}"] for row in facts[title]]
        if rows:
            lines += [f"{title}, as of {short(facts['commit'])}:", columns(rows)]
    return "\n".join(lines) or "the repository has no code that could be ranked"


def _read(text: str) -> str:
    """Return the text, or standard input for "-"."""
    if text == "-":
        text = sys.stdin.buffer.read(_LONGEST).decode("utf-8", "replace")
    if not text.strip():
        raise UsageError(
            "there is no text to locate\n"
            "give it as an argument, or `-` to read it from standard input"
        )
    return text[:_LONGEST]


def _bring_up_to_date(checkout: Checkout, snapshot: Snapshot) -> str:
    """Build the tables that are read, unless they are current; return their commit.

    While another build runs, its last complete tables answer.
    """
    from repobuild.cli.progress import progress_for
    from repobuild.engine.rule import closure

    state = checkout.state()
    view = checkout.view(snapshot, state)
    needed = closure(view.rules, list(_TABLES))
    stale = any(view.is_stale(view.rules[name]) for name in needed)
    built = {name: state.line(name) for name in _TABLES}
    state.close()
    if not stale:
        return snapshot.commit
    try:
        progress = progress_for(False)
        with checkout.building(snapshot, progress, wait=False) as build:
            build.run(list(_TABLES))
    except LockedError:
        line = built["lexicon"]
        if line is None or built["touches"] is None:
            raise
        print_message(f"note: another build runs; this is of {short(line.commit)}")
        return str(line.commit)
    return snapshot.commit
