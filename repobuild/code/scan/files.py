"""The `files` table: git's tree, with the language that each path is analysed as."""

from __future__ import annotations

from typing import Any

from repobuild.code.scan.language import language_of, reason_left_out
from repobuild.engine.contract import Source
from repobuild.git.snapshot import REGULAR, Entry


def files(source: Source) -> None:
    """Update the rows to the snapshot's tree: by tree diff, else by comparing paths."""
    changes = source.snapshot.changes(source.last) if source.last else None
    if changes is None:
        removed_unless_listed = dict.fromkeys(source.own.keys())
        entries = removed_unless_listed | dict(source.snapshot.files())
    else:
        entries = dict(changes.items())
    for path, reason in sorted(source.snapshot.refused.items()):
        source.warn(path, f"left out: {reason}")
    languages = tuple(source.settings["project.languages"])
    exclude = tuple(source.settings["project.exclude"])
    for path, entry in entries.items():
        if entry is None:
            source.own.drop(path)
        else:
            source.own.put(path, _row(path, entry, languages, exclude))


def _row(
    path: str, entry: Entry, languages: tuple[str, ...], exclude: tuple[str, ...]
) -> dict[str, Any]:
    """Return a file's row; links and submodules have no language, they hold no text."""
    blob, mode = entry
    is_regular = mode in [int(kind) for kind in REGULAR]
    language = language_of(path, languages, exclude) if is_regular else ""
    row = {"blob": blob, "mode": mode, "language": language}
    reason = reason_left_out(path, languages) if is_regular and not language else ""
    return {**row, "left_out": reason} if reason else row
