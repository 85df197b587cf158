"""repobuild ask: put a question to base and adapter, side by side."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, short
from repobuild.cli.pair import NARROWEST, Pair, plain
from repobuild.engine.errors import BuildError, UsageError

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.model.duet import Duet

_MOST_ANCESTORS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """The adapter that answers, and where it stands."""

    commit: str
    row: Mapping[str, Any]
    head: str
    behind: int | None  # commits before HEAD; None: no ancestor of it

    @classmethod
    def of(cls, build: Build) -> Asked:
        from repobuild.cli.newest import newest

        commit, row = newest(build, "adapter")
        place = build.snapshot
        line = [place.commit, *place.ancestors(_MOST_ANCESTORS)]
        behind = line.index(commit) if commit in line else None
        return cls(commit, row, place.commit, behind)

    @property
    def title(self) -> str:
        return f"adapter of {short(self.commit)}"

    @property
    def notes(self) -> list[str]:
        """What a reader of the answers should know."""
        said = []
        if self.behind != 0:
            where = (
                f"{self.behind} commit{'s' if self.behind != 1 else ''} before HEAD"
                if self.behind
                else "which HEAD does not follow"
            )
            said.append(
                f"the adapter is of {short(self.commit)}, {where}; "
                "`repobuild` brings it up to date"
            )
        if self.row.get("promoted") is False:
            said.append(
                f"what was trained at {short(self.commit)} was worse than its parent, "
                "which answers"
            )
        return said


@click.command("ask")
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--max-tokens",
    metavar="N",
    default=160,
    type=click.IntRange(1),
    help="Longest answer, in tokens [default: 160].",
)
@options.as_json
def command(question: tuple[str, ...], max_tokens: int, as_json: bool) -> int:
    """Ask base model and adapter the same question; answers appear as they come.

    \b
    repobuild ask 'in which file is `Build` defined?'
    """
    from repobuild.checkout import find

    said = " ".join(question).strip()
    if not said:
        raise UsageError("the question is empty\nrepobuild ask 'what does `f` do?'")
    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    asked = Asked.of(build)
    duet = _duet(checkout, build, asked)
    if as_json:
        emit(_facts(duet, asked, said, max_tokens), True, str)
        return 0
    for note in asked.notes:
        click.echo(f"note: {note}", err=True)
    size = shutil.get_terminal_size()
    show = _beside if _is_wide(size.columns) else _below
    cut = show(duet, asked, said, max_tokens)
    if cut:
        names = " and ".join(cut)
        told = f"note: {names} cut at {max_tokens} tokens; --max-tokens N allows more"
        click.echo(told, err=True)
    return 0


def _duet(checkout: Checkout, build: Build, asked: Asked) -> Duet:
    from repobuild.model.base import resolve
    from repobuild.model.lineage import current
    from repobuild.model.publication import stored

    base = resolve(checkout.settings)
    if asked.row["base"] != base.digest:
        raise BuildError(
            f"the adapter of {short(asked.commit)} was trained on another base model "
            f'than "{base.name}"\nrun `repobuild` to make a new one, or set base.model '
            "back"
        )
    folder = stored(build, current(asked.row), "adapter")
    if sys.stderr.isatty():
        click.echo(f"loading {base.name} ...", err=True)
    from repobuild.model.duet import Duet

    return Duet.load(base, folder)


def _is_wide(columns: int) -> bool:
    simple = os.environ.get("TERM", "dumb") == "dumb"
    return sys.stdout.isatty() and not simple and columns >= NARROWEST


def _beside(duet: Duet, asked: Asked, question: str, limit: int) -> list[str]:
    """Two columns that grow together; returns what was cut."""
    size = shutil.get_terminal_size()
    pair = Pair(size.columns, size.lines, partial(click.echo, nl=False))
    pair.title("base", asked.title, partial(click.style, bold=True))
    cut = []
    for piece in duet.together(question, limit):
        pair.add(int(piece.voice != "base"), plain(piece.text), piece.last)
        cut += [] if piece.whole else [piece.voice]
    return sorted(cut, reverse=True)


def _below(duet: Duet, asked: Asked, question: str, limit: int) -> list[str]:
    """One after the other, for pipes and narrow terminals; returns what was cut."""
    cut = []
    for voice, title in (("base", "base"), ("adapter", asked.title)):
        click.echo(click.style(f"{title}:", bold=True))
        for piece in duet.alone(voice, question, limit):
            click.echo(plain(piece.text), nl=False)
            cut += [] if piece.whole else [voice]
        click.echo("\n")
    return cut


def _facts(duet: Duet, asked: Asked, question: str, limit: int) -> dict[str, Any]:
    from repobuild.model.lineage import current

    answers = {voice: {"text": "", "whole": True} for voice in ("base", "adapter")}
    for piece in duet.together(question, limit):
        answer = answers[piece.voice]
        answer["text"] = f"{answer['text']}{piece.text}"
        answer["whole"] = answer["whole"] and piece.whole
    return {
        "version": 1,
        "question": question,
        "head": asked.head,
        "commit": asked.commit,
        "behind": asked.behind,
        "adapter": current(asked.row),
        "answers": answers,
    }
