"""Read and write verdicts about samples: `.repobuild-review.jsonl` of a repository.

    {"key": "pkg/mod.py::f", "frame": "location", "verdict": "bad", "why": "..."}

`key` is the dataset key of the sample without its end: the element, its line numbers
(`...@lines`), or TABLE//ELEMENT for a table that extends `samples`. `frame` is the kind
of fact that was asked, a table of configs/questions: so one verdict covers the same
fact of the same element in every phrasing and language. Samples of a repository's own
rules have no frame; there it is the end of the dataset key.

Lines are sorted by key and frame, one for each pair: verdicts of two people meet in a
merge only when both judged the same. Of two lines about one pair, as a union merge may
leave them, a bad one counts. A line that cannot be read is reported and kept as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from repobuild.errors import UsageError
from repobuild.plain_text import json_text
from repobuild.samples.tasks.phrases import NUMBERS, known_languages, load_phrases

REVIEW_FILE = ".repobuild-review.jsonl"
_MOST_MEGABYTES = 16  # about 100,000 verdicts
_LONGEST = 4096  # characters of a field

Choice = Literal["good", "bad"]
CHOICES: tuple[Choice, ...] = ("good", "bad")
_SUB = re.compile(r"#(\w+)\.(\w+)\.(\d+)")  # the end of a dataset key


class Judged(NamedTuple):
    """What a verdict is about."""

    key: str
    frame: str


class Verdict(NamedTuple):
    choice: Choice
    why: str = ""


@dataclass(slots=True)
class Verdicts:
    """The content of a file of verdicts."""

    by_subject: dict[Judged, Verdict] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)  # lines that could not be read
    problems: list[str] = field(default_factory=list)
    is_too_large: bool = False  # nothing was read

    def add(self, subject: Judged, verdict: Verdict) -> None:
        """Add a line of the file; of two lines about one subject, a bad one counts."""
        known = self.by_subject.get(subject)
        if known is None or known.choice != "bad":
            self.by_subject[subject] = verdict

    def to_text(self) -> str:
        """Return the file's text: the verdicts in order, then what was not read."""
        lines = [
            json_text({**subject._asdict(), "verdict": choice, "why": why})
            for subject, (choice, why) in sorted(self.by_subject.items())
        ]
        return "".join(f"{line}\n" for line in [*lines, *self.unread])


def parse_verdicts(data: bytes) -> Verdicts:
    """Read a file's content; what is wrong with a line is in `problems`."""
    found = Verdicts()
    if len(data) > _MOST_MEGABYTES << 20:
        found.is_too_large = True
        found.problems.append(f"more than {_MOST_MEGABYTES} MB, so no verdict is read")
        return found
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.add(*_parse_line(line))
        except (ValueError, RecursionError) as error:
            found.unread.append(line)
            found.problems.append(f"line {number}: {error}")
    return found


def _parse_line(line: str) -> tuple[Judged, Verdict]:
    """Raise `ValueError` for a line that is no verdict."""
    try:
        row = json.loads(line)
    except ValueError:
        raise ValueError("no JSON object") from None
    if not isinstance(row, dict):
        raise ValueError("no JSON object")
    names = ("key", "frame", "verdict")
    texts = [row.get(name) for name in names] + [row.get("why", "")]
    for name, text in zip((*names, "why"), texts, strict=True):
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise ValueError(f'no "{name}", or no short text')
    key, frame, choice, why = map(str, texts)
    if choice not in CHOICES:
        raise ValueError('"verdict" must be "good" or "bad"')
    return Judged(key, frame), Verdict("bad" if choice == "bad" else "good", why)


# ------------------------------------------------------------- what a verdict covers


def subject_of(sample_id: str) -> Judged:
    """Return what a verdict about a sample is about; `sample_id` is a dataset key."""
    key, mark, end = sample_id.rpartition("#")
    sub = mark + end
    match = _SUB.fullmatch(sub)
    if match and match[2] in known_languages():
        task, language, number = match[1], match[2], int(match[3])
        for kind in load_phrases(language).kinds.values():
            if (kind.task, kind.number) == (task, number - number % NUMBERS):
                return Judged(key, kind.name)
    return Judged(key, sub)


def covered_subs(frame: str, languages: Iterable[str]) -> list[str]:
    """Return which ends of dataset keys a frame covers, as `covers` compares them."""
    if frame.startswith("#"):
        return [frame]
    found = []
    for language in languages:
        kind = load_phrases(language).kinds.get(frame)
        if kind is not None:
            found.append(_block(kind.task, language, kind.number))
    return found


def covers(subs: Iterable[str], sub: str) -> bool:
    """Return whether one of `covered_subs` covers the end of a dataset key."""
    match = _SUB.fullmatch(sub)
    block = _block(match[1], match[2], int(match[3])) if match else ""
    return sub in subs or block in subs


def _block(task: str, language: str, number: int) -> str:
    """Name the numbers of one kind; the "+" tells it from the end of a key."""
    return f"#{task}.{language}.{number - number % NUMBERS}+"


# ------------------------------------------------------------------- in the work tree


def read_verdicts(root: Path) -> Verdicts:
    """Return the verdicts in the work tree; raises `UsageError` for a link."""
    path = _safe_path(root)
    try:
        return parse_verdicts(path.read_bytes())
    except FileNotFoundError:
        return Verdicts()


def save_verdicts(root: Path, new: Mapping[Judged, Verdict]) -> Path:
    """Add verdicts to the file in the work tree, which appears whole; return its path.

    A new verdict replaces an old one about the same. The file is read again, so what
    another process wrote meanwhile stays.
    """
    path = _safe_path(root)
    known = read_verdicts(root)
    if known.is_too_large:
        raise UsageError(
            f'"{path}" has more than {_MOST_MEGABYTES} MB: make it smaller'
        )
    known.by_subject.update(new)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8", newline="\n") as file:  # follows no link
        file.write(known.to_text())
    os.replace(fresh, path)
    return path


def _safe_path(root: Path) -> Path:
    path = root / REVIEW_FILE
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(
            f'"{path}" is a link or no file\n'
            "verdicts are only read from and written to a plain file: move it away"
        )
    return path
