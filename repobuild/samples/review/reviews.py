"""Make the `reviews` table: what people judged bad, from a file of the commit.

One row, under the path of the file: {key of a context: {covered sub: why}}; the file's
format and what a verdict covers are in verdict_file.py. Good verdicts are left out:
they only spare people from reading a sample twice.

The question files are ingredients: they say which numbers a frame has.
"""

from __future__ import annotations

from repobuild.engine.contract import Source, Value
from repobuild.errors import MissingObjectError
from repobuild.git.snapshot import is_regular
from repobuild.samples.review.verdict_file import (
    REVIEW_FILE,
    Verdicts,
    covered_subs,
    parse_verdicts,
)
from repobuild.samples.tasks.phrases import known_languages, question_languages

_REPORTED = 5  # lines that cannot be read


def reviews(source: Source) -> None:
    """Bring the row to the file of the snapshot."""
    entry = source.snapshot.current_entry(REVIEW_FILE)
    row: Value = {}
    if entry is not None and is_regular(entry[1]):
        try:
            verdicts = parse_verdicts(source.snapshot.blob(entry[0]))
        except MissingObjectError as error:
            source.fail(REVIEW_FILE, error)
            return
        _report(source, [*verdicts.problems, *_unknown_frames(verdicts)])
        row = _bad(verdicts, question_languages(source.settings))
    if row:
        source.own.put(REVIEW_FILE, row)
    elif source.own.get(REVIEW_FILE) is not None:
        source.own.drop(REVIEW_FILE)


def _bad(verdicts: Verdicts, languages: list[str]) -> dict[str, dict[str, str]]:
    bad: dict[str, dict[str, str]] = {}
    for (key, frame), (choice, why) in sorted(verdicts.by_subject.items()):
        if choice == "bad":
            subs = dict.fromkeys(covered_subs(frame, languages), why)
            bad.setdefault(key, {}).update(subs)
    return {key: subs for key, subs in bad.items() if subs}


def _unknown_frames(verdicts: Verdicts) -> list[str]:
    """Return a problem for each frame that no question file has."""
    languages = known_languages()
    frames = {subject.frame for subject in verdicts.by_subject}
    unknown = sorted(frame for frame in frames if not covered_subs(frame, languages))
    return [f'no question has the frame "{frame}"' for frame in unknown]


def _report(source: Source, problems: list[str]) -> None:
    for problem in problems[:_REPORTED]:
        source.warn(REVIEW_FILE, f"{problem}; the other verdicts count")
    if len(problems) > _REPORTED:
        more = len(problems) - _REPORTED
        source.warn(REVIEW_FILE, f"{more:,} more lines have problems")
