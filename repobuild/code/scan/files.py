"""The `files` table: git's tree, with the language that each path is analysed as."""

from __future__ import annotations

from typing import Any

from repobuild.code.scan.language import language_of, left_out
from repobuild.engine.contract import Source
from repobuild.git.snapshot import REGULAR, Entry


def files(source: Source) -> None:
    """Bring the rows to the snapshot's tree: by tree diff, else by comparing paths."""
    changes = source.snapshot.changes(source.last) if source.last else None
    listed = source.snapshot.files() if changes is None else changes.items()
    found = dict(listed)
    if changes is None:
        found = dict.fromkeys(source.own.keys()) | found
    languages = tuple(source.settings["project.languages"])
    exclude = tuple(source.settings["project.exclude"])
    for key, entry in found.items():
        if entry is None:
            source.own.drop(key)
        else:
            source.own.put(key, _row(key, entry, languages, exclude))


def _row(
    key: str, entry: Entry, languages: tuple[str, ...], exclude: tuple[str, ...]
) -> dict[str, Any]:
    """Return a file's row; links and submodules have no language: nothing to read."""
    blob, mode = entry
    regular = mode in [int(kind) for kind in REGULAR]
    language = language_of(key, languages, exclude) if regular else ""
    row = {"blob": blob, "mode": mode, "language": language}
    reason = left_out(key, languages) if regular and not language else ""
    return {**row, "left_out": reason} if reason else row
