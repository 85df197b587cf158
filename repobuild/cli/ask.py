"""repobuild ask: put a question to base and adapter, side by side.

Below them, where the things stand that the adapter's answer names: see mentioned.py.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.mention_list import mentioned, mentioned_text
from repobuild.cli.output import emit, short
from repobuild.cli.side_by_side import NARROWEST, SideBySide, printable
from repobuild.errors import BuildError, UsageError

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.model.compare import AnswerPiece, Comparison


@dataclass(frozen=True, slots=True)
class AskedAdapter:
    """The adapter that answers, and where it stands."""

    commit: str
    row: Mapping[str, Any]
    head: str
    behind: int | None  # commits before HEAD; None: no ancestor of it

    @classmethod
    def of(cls, build: Build) -> AskedAdapter:
        from repobuild.cli.newest_artifact import newest
        from repobuild.git.ancestors import distance

        commit, row = newest(build, "adapter")
        head = build.snapshot.commit
        behind = distance(build.snapshot.repository, head, commit)
        return cls(commit, row, head, behind)

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


@dataclass(slots=True)
class Answer:
    """What one voice has said so far."""

    text: str = ""
    whole: bool = True  # False: cut at the limit


@dataclass(slots=True)
class Answers:
    """Both answers, kept while they are shown."""

    base: Answer = field(default_factory=Answer)
    adapter: Answer = field(default_factory=Answer)

    def heard(self, pieces: Iterator[AnswerPiece]) -> Iterator[AnswerPiece]:
        for piece in pieces:
            answer: Answer = getattr(self, piece.voice)
            answer.text += piece.text
            answer.whole &= piece.whole
            yield piece

    @property
    def cut(self) -> list[str]:
        said = {"base": self.base, "adapter": self.adapter}
        return [name for name, answer in said.items() if not answer.whole]


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
    asked = AskedAdapter.of(build)
    duet = _duet(checkout, build, asked)
    answers = Answers()
    if as_json:
        for _ in answers.heard(duet.together(said, max_tokens)):
            pass
        emit(_facts(build, asked, said, answers), True, str)
        return 0
    for note in asked.notes:
        click.echo(f"note: {note}", err=True)
    size = shutil.get_terminal_size()
    is_wide = _is_wide(size.columns)
    show = _beside if is_wide else _below
    show(duet, asked, said, max_tokens, answers)
    found = mentioned(build, said, answers.adapter.text, answers.adapter.whole)
    _tell(mentioned_text(found), is_wide)
    if answers.cut:
        names = " and ".join(answers.cut)
        told = f"note: {names} cut at {max_tokens} tokens; --max-tokens N allows more"
        click.echo(told, err=True)
    return 0


def _duet(checkout: Checkout, build: Build, asked: AskedAdapter) -> Comparison:
    from repobuild.model.adapter.lineage import current
    from repobuild.model.base import resolve
    from repobuild.model.publish.publication import stored

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
    from repobuild.model.compare import Comparison

    return Comparison.load(base, folder)


def _is_wide(columns: int) -> bool:
    simple = os.environ.get("TERM", "dumb") == "dumb"
    return sys.stdout.isatty() and not simple and columns >= NARROWEST


def _beside(
    duet: Comparison, asked: AskedAdapter, question: str, limit: int, answers: Answers
) -> None:
    """Two columns that grow together."""
    size = shutil.get_terminal_size()
    pair = SideBySide(size.columns, size.lines, partial(click.echo, nl=False))
    pair.title("base", asked.title, partial(click.style, bold=True))
    for piece in answers.heard(duet.together(question, limit)):
        pair.add(int(piece.voice != "base"), printable(piece.text), piece.last)


def _below(
    duet: Comparison, asked: AskedAdapter, question: str, limit: int, answers: Answers
) -> None:
    """One after the other, for pipes and narrow terminals."""
    for voice, title in (("base", "base"), ("adapter", asked.title)):
        click.echo(click.style(f"{title}:", bold=True))
        for piece in answers.heard(duet.alone(voice, question, limit)):
            click.echo(printable(piece.text), nl=False)
        click.echo("\n")


def _tell(lines: list[str], is_below_columns: bool) -> None:
    """A title and what it is of; other answers end with an empty line already."""
    if lines and is_below_columns:
        click.echo()
    for number, line in enumerate(lines):
        click.echo(line if number else click.style(line, bold=True))


def _facts(
    build: Build, asked: AskedAdapter, question: str, answers: Answers
) -> dict[str, Any]:
    from repobuild.model.adapter.lineage import current

    answer = answers.adapter
    return {
        "version": 1,
        "question": question,
        "head": asked.head,
        "commit": asked.commit,
        "behind": asked.behind,
        "adapter": current(asked.row),
        "answers": asdict(answers),
        **mentioned(build, question, answer.text, answer.whole),
    }
