"""repobuild ask: ask base model and adapter the same question, side by side.

Where the adapter was not taught what it is asked, both are given facts about what the
question names (given_facts.py); --ground and --no-ground decide otherwise.

Below the answers it lists these facts, and where the symbols and paths are that the
adapter's answer names; see mention_list.py.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from repobuild.cli import options
from repobuild.cli.adapter_lookup import base_of, find_adapter
from repobuild.cli.given_facts import FactGiver, fact_lines
from repobuild.cli.mention_list import mention_facts, mention_lines
from repobuild.cli.output import (
    bold_title,
    emit,
    print_message,
    print_text,
    redact_secrets,
    short,
    write_screen,
)
from repobuild.cli.side_by_side import NARROWEST, SideBySide, printable
from repobuild.errors import LockedError, UsageError
from repobuild.resources import program

if TYPE_CHECKING:
    from pathlib import Path

    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.evaluate.lookup.retrieval import FoundFact
    from repobuild.model.compare import AnswerPiece, Comparison
    from repobuild.model.generate import Question

MOST_LOCATED = 10  # elements that a question without an answer may be about


@dataclass(frozen=True, slots=True)
class AskedAdapter:
    """The adapter that answers, and how far its commit is from HEAD."""

    commit: str
    row: Mapping[str, Any]
    head: str
    behind: int | None  # commits before HEAD; None: not an ancestor of HEAD

    @classmethod
    def of(cls, build: Build) -> AskedAdapter:
        from repobuild.git.ancestors import distance

        commit, row = find_adapter(build)
        head = build.snapshot.commit
        behind = distance(build.snapshot.repository, head, commit)
        return cls(commit, row, head, behind)

    @property
    def title(self) -> str:
        return f"adapter of {short(self.commit)}"

    @property
    def notes(self) -> list[str]:
        """Warnings for the reader of the answers."""
        notes = []
        if self.behind != 0:
            where = (
                f"{self.behind} commit{'s' if self.behind != 1 else ''} before HEAD"
                if self.behind
                else "which HEAD does not follow"
            )
            notes.append(
                f"the adapter is of {short(self.commit)}, {where}; "
                f"`{program()}` brings it up to date"
            )
        if self.row.get("promoted") is False:
            notes.append(
                f"what was trained at {short(self.commit)} was worse than its parent, "
                "which answers"
            )
        return notes


class Prompt(NamedTuple):
    """What both models are given, and how long an answer may become."""

    question: Question
    max_tokens: int


@dataclass(slots=True)
class Answer:
    """The text that one model has generated so far."""

    text: str = ""
    whole: bool = True  # False: cut


@dataclass(slots=True)
class Answers:
    """Both answers, collected while they are shown."""

    base: Answer = field(default_factory=Answer)
    adapter: Answer = field(default_factory=Answer)

    def collect(self, pieces: Iterator[AnswerPiece]) -> Iterator[AnswerPiece]:
        """Yield the pieces unchanged and append each to its answer."""
        for piece in pieces:
            answer: Answer = getattr(self, piece.model)
            answer.text += piece.text
            answer.whole &= piece.whole
            yield piece

    @property
    def cut(self) -> list[str]:
        """Names of the answers that were cut."""
        answers = {"base": self.base, "adapter": self.adapter}
        return [name for name, answer in answers.items() if not answer.whole]


@dataclass(slots=True)
class RedactedText:
    """A text that grows while it is shown, without the secrets in it.

    A word is held back until it is complete, and a line with a quotation until it ends:
    half of a token does not look like one, and `'...' == password` ends in the name.
    """

    _text: str = ""
    _end: int = 0  # of what is settled
    _shown: str = ""

    def add(self, piece: str, last: bool = False) -> str:
        """Append a piece, and return what can be shown in addition."""
        self._text += piece
        self._end = len(self._text) if last else max(self._end, self._settled())
        redacted = redact_secrets(self._text[: self._end])
        same = len(os.path.commonprefix([redacted, self._shown]))
        self._shown = redacted
        return str(redacted[same:])

    def _settled(self) -> int:
        """Return how many characters no more text can make a part of a secret."""
        start = self._text.rfind("\n") + 1
        line = self._text[start:]
        if '"' in line or "'" in line or line.count("`") % 2:
            return start
        return start + line.rfind(" ") + 1


def redacted_pieces(pieces: Iterable[AnswerPiece]) -> Iterator[AnswerPiece]:
    """Yield the pieces as they are shown: without secrets and control characters."""
    texts: dict[str, RedactedText] = {}
    for piece in pieces:
        text = texts.setdefault(piece.model, RedactedText())
        # Without control characters first: they may interrupt a token.
        yield replace(piece, text=text.add(printable(piece.text), piece.last))


@click.command("ask")
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--max-tokens",
    metavar="N",
    default=160,
    type=click.IntRange(1),
    help="Longest answer, in tokens [default: 160].",
)
@click.option(
    "--ground/--no-ground",
    default=None,
    help="Give both models facts about what the question names, or none "
    "[default: where the adapter was not taught the answer].",
)
@options.as_json
def command(
    question: tuple[str, ...], max_tokens: int, ground: bool | None, as_json: bool
) -> int:
    """Ask base model and adapter the same question; answers appear as they come.

    \b
    repobuild ask 'in which file is `Build` defined?'
    repobuild ask --no-ground 'who calls want_bytes?'
    """
    from repobuild.checkout import open_checkout
    from repobuild.model.adapter.lineage import current_digest
    from repobuild.model.publish.publication import artifact_folder
    from repobuild.powers import BASE_SETTINGS

    text = " ".join(question).strip()
    if not text:
        raise UsageError(f"the question is empty\n{program()} ask 'what does `f` do?'")
    checkout = open_checkout()
    checkout.powers.require(BASE_SETTINGS)
    build = checkout.view(checkout.snapshot(), checkout.state())
    asked = AskedAdapter.of(build)
    folder = artifact_folder(build, current_digest(asked.row), "adapter")
    coverage = asked.row.get("coverage") or {}
    giver = FactGiver(build, folder, coverage, partial(near, checkout))
    asking = giver.give(text, ground)
    comparison = _load_comparison(checkout, asked, folder)
    asking = asking.checked(comparison.recalls)
    answers = Answers()
    if as_json:
        for _ in answers.collect(comparison.answer_both(asking.prompt, max_tokens)):
            pass
        found = _facts(build, asked, text, asking.facts, answers)
        emit({**found, "taught": asking.taught}, True, str)
        return 0
    _print_notes(asked, asking.note)
    in_columns = _has_room_for_columns()
    given = Prompt(asking.prompt, max_tokens)
    _show_answers(comparison, answers, given, asked.title, in_columns)
    mentions = mention_facts(build, text, answers.adapter.text, answers.adapter.whole)
    lists = [fact_lines(asking.facts), mention_lines(redact_secrets(mentions))]
    _print_lists([lines for lines in lists if lines], in_columns)
    _print_cut(answers.cut, max_tokens)
    return 0


def near(checkout: Checkout, text: str) -> list[str]:
    """Return the elements and the file that a text is most likely about."""
    from repobuild.cli.locate import locate_in

    try:
        _, found = locate_in(checkout, text, MOST_LOCATED)
    except LockedError:  # another build runs, and nothing was built before
        return []
    return [one.id for one in (*found.functions, *found.files)]


def _load_comparison(
    checkout: Checkout, asked: AskedAdapter, folder: Path
) -> Comparison:
    from repobuild.cli.progress import progress_for

    base = base_of(checkout.settings, asked.commit, asked.row)
    with progress_for(quiet=False)(f"loading {base.name}", 0):
        from repobuild.model.compare import Comparison

        return Comparison.load(base, folder)


def _print_notes(asked: AskedAdapter, about_facts: str) -> None:
    """Print what the reader of the answers has to know before he reads them."""
    for note in filter(None, (*asked.notes, about_facts)):
        print_message(f"note: {note}")


def _print_cut(names: Sequence[str], limit: int) -> None:
    if names:
        print_message(
            f"note: {' and '.join(names)} cut at {limit} tokens, or where the same "
            "began again; --max-tokens N allows more"
        )


def _has_room_for_columns() -> bool:
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    columns = shutil.get_terminal_size().columns
    return sys.stdout.isatty() and not is_dumb and columns >= NARROWEST


def _show_answers(
    comparison: Comparison,
    answers: Answers,
    prompt: Prompt,
    title: str,
    in_columns: bool,
) -> None:
    """Print both answers as they come, beside or below each other."""
    if in_columns:
        _show_in_columns(answers.collect(comparison.answer_both(*prompt)), title)
        return
    for model, name in (("base", "base"), ("adapter", title)):
        _show_below(answers.collect(comparison.answer_one(model, *prompt)), name)


def _show_in_columns(pieces: Iterator[AnswerPiece], title: str) -> None:
    """Print both answers in two columns that grow together."""
    size = shutil.get_terminal_size()
    screen = SideBySide(size.columns, size.lines, write_screen)
    screen.title("base", title, bold_title)
    for piece in redacted_pieces(pieces):
        screen.add(int(piece.model != "base"), piece.text, piece.last)


def _show_below(pieces: Iterator[AnswerPiece], title: str) -> None:
    """Print one answer under its title, for pipes and narrow terminals."""
    print_text(f"{title}:", bold=True)
    for piece in redacted_pieces(pieces):
        print_text(piece.text, end="")
    print_text("\n")


def _print_lists(lists: list[list[str]], in_columns: bool) -> None:
    """Print each list after an empty line, the first of which may be there already."""
    for number, (title, *lines) in enumerate(lists):
        if number or in_columns:
            print_text("")
        print_text(title, bold=True)
        for line in lines:
            print_text(line)


def _facts(
    build: Build,
    asked: AskedAdapter,
    question: str,
    given: Sequence[FoundFact],
    answers: Answers,
) -> dict[str, Any]:
    from repobuild.model.adapter.lineage import current_digest

    answer = answers.adapter
    return {
        "version": 1,
        "question": question,
        "head": asked.head,
        "commit": asked.commit,
        "behind": asked.behind,
        "adapter": current_digest(asked.row),
        "facts": [{"id": f.id, "text": f.line, "score": f.score} for f in given],
        "answers": asdict(answers),
        **mention_facts(build, question, answer.text, answer.whole),
    }
