"""Read the questions that a project asks its adapter itself, with reference answers.

    [[report.questions]]                      in a settings file
    question = "How is a discount rounded?"
    answer   = "Down, by `discount` in `src/cart.py`."
    files    = ["src/cart.py"]

    {"question": ..., "answer": ..., "files": [...]}      a line of
                                                          `report.questions_file`

The file is read from the commit, by the source of the table `own_questions`: one row,
under the file's path, {"questions": [...]}. A line that cannot be read is reported, and
the others are asked. `reference_answer` and `reference_files` are read, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repobuild.engine.contract import Source, Task, Value
from repobuild.errors import MissingObjectError
from repobuild.evaluate.questions import HeldOutSample
from repobuild.git.snapshot import is_regular, quote
from repobuild.samples.dataset.secret_detection import find_secrets

TRACK = "own"
TASK = "own_question"
FILE_SETTING = "report.questions_file"
TABLE_SETTING = "report.own_questions"
MOST = 1000  # questions of a file
_LONGEST = 8000  # characters of a question, and of an answer
_MOST_FILES = 100
_MOST_BYTES = 1 << 24
_REPORTED = 5  # lines that cannot be read


def own_questions(source: Source) -> None:
    """Bring the row to the file of the snapshot."""
    path = str(source.settings[FILE_SETTING])
    key = quote(os.fsencode(path)) if path else ""
    for other in set(source.own.keys()) - {key}:
        source.own.drop(other)
    if not key:
        return
    entry = source.snapshot.current_entry(key)
    if entry is None or not is_regular(entry[1]):
        source.warn(key, f"{FILE_SETTING} names no file of this commit")
        source.own.drop(key)
        return
    try:
        data = source.snapshot.blob(entry[0])
    except MissingObjectError as error:
        source.fail(key, error)
        return
    rows, problems = parse_questions(data)
    for problem in problems[:_REPORTED]:
        source.warn(key, f"{problem}; the other questions are asked")
    if len(problems) > _REPORTED:
        source.warn(key, f"{len(problems) - _REPORTED:,} more lines cannot be read")
    source.own.put(key, {"questions": rows})


def parse_questions(data: bytes) -> tuple[list[dict[str, Value]], list[str]]:
    """Return the questions of a file, and what is wrong with it by line."""
    if len(data) > _MOST_BYTES:
        return [], [f"more than {_MOST_BYTES >> 20} MB, so none is read"]
    rows: list[dict[str, Value]] = []
    problems: list[str] = []
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _question_of(line)
        except (ValueError, RecursionError) as error:
            problems.append(f"line {number}: {error}")
            continue
        if len(rows) == MOST:
            problems.append(f"line {number}: more than {MOST:,} questions")
            break
        rows.append(row)
    return rows, problems


def _question_of(line: str) -> dict[str, Value]:
    """Raise `ValueError` for a line that holds no question with its answer."""
    try:
        row = json.loads(line)
    except ValueError:
        raise ValueError("no JSON object") from None
    if not isinstance(row, dict):
        raise ValueError("no JSON object")
    question, answer = _text(row, "question"), _text(row, "answer", "reference_answer")
    files: Value = row.get("files", row.get("reference_files", []))
    is_list = isinstance(files, list) and len(files) <= _MOST_FILES
    if not is_list or not all(isinstance(path, str) for path in files):
        raise ValueError('"files" must be a list of paths')
    return {"question": question, "answer": answer, "files": files}


def _text(row: Mapping[str, Value], *names: str) -> str:
    """Return the first of the fields that is there; raises `ValueError` for no text."""
    text = next((row[name] for name in names if name in row), None)
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise ValueError(
            f'no "{names[0]}", or no text of at most {_LONGEST:,} characters'
        )
    return text


def collect_own_questions(task: Task) -> list[HeldOutSample]:
    """Return the questions of the settings and of the file, each once."""
    rows: list[Mapping[str, Any]] = list(task.settings[TABLE_SETTING])
    for _, row in task.table("own_questions").items():
        rows += row["questions"]
    return list(_without_secrets(rows))


def _without_secrets(rows: Sequence[Mapping[str, Any]]) -> Iterator[HeldOutSample]:
    """Yield each question once; one that shows a secret is not asked."""
    seen: set[str] = set()
    for row in rows:
        question, answer = str(row["question"]), str(row["answer"])
        if question in seen or find_secrets(f"{question}\n{answer}"):
            continue
        seen.add(question)
        yield HeldOutSample(
            id=f"own_questions//{len(seen)}",
            track=TRACK,
            task=TASK,
            question=question,
            answer=answer,
            row={"form": "chat", "files": list(row.get("files") or [])},
        )
