"""repobuild review: show samples one by one, and keep what people say of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli.output import (
    number_of,
    print_message,
    print_text,
    redact_secrets,
)
from repobuild.errors import StaleError, UsageError, nearest, system_reason
from repobuild.plain_text import escape_line
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.samples.dataset.summary import KeptSample
    from repobuild.samples.review.verdict_file import Judged, Verdict

_ANSWERS = {"g": "good", "b": "bad", "s": "skip", "q": "quit"}
_PROMPT = "[g]ood  [b]ad  [s]kip  [q]uit: "
_SHEETS = (".jsonl", ".md")


@click.command("review")
@click.option("--task", metavar="T", default="", help="Only samples of this task.")
@click.option(
    "-n",
    "count",
    metavar="N",
    default=20,
    type=click.IntRange(1, 100_000),
    help="How many samples [default: 20].",
)
@click.option(
    "--seed", metavar="S", default=1, type=int, help="Another choice [default: 1]."
)
@click.option(
    "--export",
    "sheet",
    metavar="FILE",
    default=None,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the samples to a .jsonl or .md file, to be read elsewhere.",
)
@click.option(
    "--import",
    "filled",
    metavar="FILE",
    default=None,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the verdicts in such a file back.",
)
def command(
    task: str, count: int, seed: int, sheet: Path | None, filled: Path | None
) -> int:
    """Read samples of the dataset, and say which are good or bad.

    Verdicts are lines of .repobuild-review.jsonl. Commit it: the next build leaves out
    what is bad, with the same question about the same element, in every clone.

    \b
    repobuild review --task code_explanation
    repobuild review -n 100 --export samples.md
    repobuild review --import samples.md
    """
    from repobuild.checkout import open_checkout

    if sheet and filled:
        raise UsageError("give one of `--export` and `--import`")
    checkout = open_checkout()
    build = _built_dataset(checkout)
    _check_task(build, task)
    if filled:
        return _import(checkout, build, filled)
    samples = _draw(checkout, build, count, seed, task)
    if sheet:
        return _export(build, samples, sheet)
    return _review(checkout, build, samples)


def _built_dataset(checkout: Checkout) -> Build:
    state = checkout.state()
    line = state.line("dataset")
    if line is None:
        raise StaleError(
            f"dataset is not built yet\nrun `{program()} --until dataset` first"
        )
    return checkout.view(checkout.snapshot(line.commit or "HEAD"), state)


def _check_task(build: Build, task: str) -> None:
    from repobuild.samples.changes.change_samples import TASK
    from repobuild.samples.tasks.registry import TASKS

    known = {*TASKS, TASK}
    # A user's rule may have tasks of its own.
    has_own = any(build.rules[name].code for name in build.with_extensions("samples"))
    if task and task not in known and not has_own:
        raise UsageError(
            f'unknown task "{task}"{nearest(task, known)}\n'
            f"known: {', '.join(sorted(known))}"
        )


def _draw(
    checkout: Checkout, build: Build, count: int, seed: int, task: str
) -> list[KeptSample]:
    from repobuild.samples.review.reading_list import draw_samples
    from repobuild.samples.review.verdict_file import read_verdicts

    known = read_verdicts(_root(checkout))
    for problem in known.problems:
        print_message(f"warning: {problem}")
    samples = draw_samples(build, count, seed, task, known.by_subject)
    if not samples:
        raise UsageError(
            "there is no sample left to judge\n"
            "all are judged already, or the dataset has none of this task"
        )
    return samples


def _root(checkout: Checkout) -> Path:
    if checkout.repository.is_bare:
        raise UsageError(
            "a bare repository has no folder for verdicts\nreview in a clone with files"
        )
    return checkout.root


# ---------------------------------------------------------------------- one by one


def _review(checkout: Checkout, build: Build, samples: list[KeptSample]) -> int:
    """Show each sample, and save each verdict at once: Ctrl-C loses none."""
    from repobuild.samples.review.verdict_file import (
        REVIEW_FILE,
        Verdict,
        save_verdicts,
        subject_of,
    )

    counts = {"good": 0, "bad": 0}
    for number, kept in enumerate(samples, 1):
        print_text(_sample_text(build, kept, f"{number} of {len(samples)}"))
        answer = _ask()
        if answer == "quit":
            break
        if answer in counts:
            why = _read_line("why is it bad? ") or "" if answer == "bad" else ""
            verdict = Verdict("bad" if answer == "bad" else "good", why)
            save_verdicts(_root(checkout), {subject_of(kept.id): verdict})
            counts[answer] += 1
    hint = f"; commit {REVIEW_FILE} and run `{program()}`"
    judged = f"{counts['good']} good, {counts['bad']} bad"
    print_text(judged + hint if any(counts.values()) else judged)
    return 0


def _ask() -> str:
    """Return "good", "bad", "skip" or "quit"; the end of the input quits."""
    while True:
        line = _read_line(_PROMPT)
        if line is None:
            return "quit"
        word = line.strip().lower()
        for letter, answer in _ANSWERS.items():
            if word and word in (letter, answer):
                return answer
        print_message(f"type one of {', '.join(_ANSWERS)}")


def _read_line(prompt: str) -> str | None:
    """Return a line of stdin without control characters; None at its end."""
    print_text(prompt, end="")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not sys.stdin.isatty():
        print_text("")
    return escape_line(line.rstrip("\n")).strip() if line else None


def _sample_text(build: Build, kept: KeptSample, position: str) -> str:
    from repobuild.samples.review.review_sheet import provenance_lines
    from repobuild.samples.review.verdict_file import subject_of

    record = _record(build, kept)
    head = [
        f"--- {position}: {record['task_type']}, {subject_of(kept.id).frame}, "
        f"{record['language']}, {record['split']} {record['track']}".rstrip(),
        f"element: {record['element']}",
        *(f"from: {line}" for line in provenance_lines(record)),
    ]
    lines = [escape_line(line) for line in head]
    for name in ("question", "prefix", "suffix", "answer"):
        if record.get(name):
            block = (f"    {line}" for line in record[name].split("\n"))
            lines += [f"{name}:", *block]
    return "\n".join([*lines, ""])


def _record(build: Build, kept: KeptSample) -> dict[str, Any]:
    from repobuild.samples.export.sample_record import make_record

    record: dict[str, Any] = make_record(
        kept, build.table("graph"), build.table("files")
    )
    return record


# ----------------------------------------------------------------------- elsewhere


def _export(build: Build, samples: list[KeptSample], path: Path) -> int:
    from repobuild.samples.review.review_sheet import sheet

    text = sheet((_record(build, kept) for kept in samples), _suffix(path))
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f'"{path}" is there already\nit may hold verdicts: move it away first'
        ) from None
    except OSError as error:
        raise UsageError(
            f'"{path}" cannot be written: {system_reason(error)}\n'
            f"name another file: {program()} review --export FILE"
        ) from error
    print_text(f'wrote {number_of(len(samples), "sample")} to "{path}"')
    return 0


def _import(checkout: Checkout, build: Build, path: Path) -> int:
    from repobuild.samples.review.review_sheet import MOST_BYTES, read_sheet
    from repobuild.samples.review.verdict_file import save_verdicts, subject_of

    suffix = _suffix(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f'"{path}" cannot be read: {system_reason(error)}\n'
            f"name a file that `{program()} review --export` wrote"
        ) from error
    if len(data) > MOST_BYTES:
        raise UsageError(f'"{path}" has more than {MOST_BYTES >> 20} MB')
    given, problems = read_sheet(data.decode("utf-8-sig", "replace"), suffix)
    new: dict[Judged, Verdict] = {}
    for sample_id, verdict in given.items():
        if not _is_sample(build, sample_id):
            problems.append(f'"{sample_id[:200]}" is no sample of this dataset')
            continue
        subject = subject_of(sample_id)
        if subject not in new or verdict.choice == "bad":
            new[subject] = verdict
    for problem in problems:
        print_message(f"warning: {redact_secrets(escape_line(problem))}")
    if not new:
        raise UsageError(f'"{path}" holds no verdict\nfill in "good" or "bad" there')
    saved = save_verdicts(_root(checkout), new)
    bad = sum(verdict.choice == "bad" for verdict in new.values())
    print_text(f'{len(new) - bad} good, {bad} bad; commit "{saved.name}"')
    return 0


def _is_sample(build: Build, sample_id: str) -> bool:
    from repobuild.samples.dataset.all_samples import AllSamples

    key, mark, end = sample_id.rpartition("#")
    try:
        return mark + end in (AllSamples.of(build).get(key) or {})
    except StaleError:
        return False


def _suffix(path: Path) -> str:
    if path.suffix not in _SHEETS:
        raise UsageError(
            f'"{path}" must end with one of {", ".join(_SHEETS)}\n'
            "the ending decides in which form samples are written and read"
        )
    return path.suffix
