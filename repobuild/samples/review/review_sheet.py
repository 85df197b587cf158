"""Write samples down for people who read elsewhere, and read their verdicts back.

JSONL has one object a line; a reader fills in `verdict` ("good" or "bad") and `why`:

    {"id", "verdict": "", "why": "", "task", "frame", "language", "question", "answer",
     "prefix", "suffix", "provenance": [{"path", "start_line", "end_line", ...}]}

Markdown has a section for each sample, with the same two lines to fill in. Every line
of quoted text begins with "> ", so no sample can forge a verdict or a section:

    ## Sample 3
    id: "pkg/mod.py::f#code_location.en.1"
    verdict:
    why:
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from repobuild.plain_text import escape_controls, escape_line, json_text
from repobuild.samples.export.sample_record import Record
from repobuild.samples.review.verdict_file import CHOICES, Verdict, subject_of

MARKDOWN = ".md"
MOST_BYTES = 1 << 26  # of a sheet that is read back
_FIELDS = ("id", "verdict", "why")
_LONGEST_WHY = 4096  # characters
_TEXTS = ("question", "prefix", "suffix", "answer")
_HEAD = """\
# Samples to judge

After `verdict:` write `good` or `bad`, and after `why:` the reason; leave both empty to
skip. What is bad leaves the dataset, with the same question about the same element.
Read it back with `repobuild review --import FILE`.
"""


class SheetEntry(NamedTuple):
    """What somebody wrote about one sample."""

    id: str
    verdict: str
    why: str


def sheet(records: Iterable[Record], suffix: str) -> str:
    """Return samples as the text of a file with this suffix."""
    if suffix == MARKDOWN:
        sections = (_section(n, record) for n, record in enumerate(records, 1))
        return "\n".join([_HEAD, *sections])
    return "".join(json_text(_row(record)) + "\n" for record in records)


def _row(record: Record) -> Record:
    texts = {name: record[name] for name in _TEXTS if name in record}
    return {
        "id": record["id"],
        "verdict": "",
        "why": "",
        "task": record["task_type"],
        "frame": subject_of(record["id"]).frame,
        "language": record["language"],
        **texts,
        "provenance": record["provenance"],
    }


def _section(number: int, record: Record) -> str:
    id = json_text(record["id"])
    lines = [f"## Sample {number}", f"id: {id}", "verdict:", "why:"]
    about = (record["task_type"], subject_of(record["id"]).frame, record["language"])
    lines += ["", f"{escape_line(', '.join(about))}; from:", ""]
    lines += [f"- {escape_line(text)}" for text in provenance_lines(record)]
    for name in _TEXTS:
        if record.get(name):
            quoted = escape_controls(record[name]).split("\n")
            lines += ["", f"{name}:", "", *(f"> {line}" for line in quoted)]
    return "\n".join([*lines, ""])


def provenance_lines(record: Record) -> list[str]:
    """Return the sources of a sample as PATH:FIRST-LAST."""
    return [
        f"{source['path']}:{source['start_line']}-{source['end_line']}"
        if "path" in source
        else "the project as a whole"
        for source in record["provenance"]
    ]


# -------------------------------------------------------------------------- reading


def read_sheet(text: str, suffix: str) -> tuple[dict[str, Verdict], list[str]]:
    """Return the verdicts by sample id, and what could not be read."""
    entries = _read_markdown(text) if suffix == MARKDOWN else _read_jsonl(text)
    found: dict[str, Verdict] = {}
    problems = []
    for place, entry in entries:
        if entry is None:
            problems.append(f"{place}: no sample id: keep it as it was written")
        elif entry.verdict in CHOICES:
            why = entry.why[:_LONGEST_WHY]
            found[entry.id] = Verdict("bad" if entry.verdict == "bad" else "good", why)
        elif entry.verdict not in ("", "skip"):
            problems.append(f'{place}: the verdict must be "good", "bad" or empty')
    return found, problems


def _read_jsonl(text: str) -> Iterator[tuple[str, SheetEntry | None]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            values = [row.get(name, "") for name in _FIELDS]
        except (ValueError, AttributeError, RecursionError):
            values = [None]
        is_whole = all(isinstance(value, str) for value in values)
        yield f"line {number}", _entry(*values) if is_whole else None


def _read_markdown(text: str) -> Iterator[tuple[str, SheetEntry | None]]:
    sections = text.replace("\r\n", "\n").split("\n## ")[1:]
    for section in sections:
        lines = [line for line in section.split("\n") if not line.startswith(">")]
        fields: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon and name.strip().lower() in _FIELDS:
                fields.setdefault(name.strip().lower(), value.strip())
        try:
            fields["id"] = str(json.loads(fields.get("id", "")))
        except (ValueError, RecursionError):
            yield lines[0].strip()[:80], None
        else:
            values = [fields.get(name, "") for name in _FIELDS]
            yield lines[0].strip()[:80], _entry(*values)


def _entry(id: str, verdict: str, why: str) -> SheetEntry:
    return SheetEntry(id, verdict.strip().lower(), why.strip())
