"""What one commit did to elements: the `changes` table.

A row is `{"items": [...]}`, with `problem` when a blob is not there. An item is a dict
with `what` and `id`, the id as it was before for what went, else as it is after:

    file added      id
    file removed    id
    file renamed    id, to: all that it holds goes with it, and is not told again
    added           id, kind, signature
    removed         id, kind, signature
    moved           id, to, kind: to another file, class or function, name kept
    renamed         id, to, kind: in the same place
    changed         id, kind, shape (of what came out), and of these what differs:
                    signature   [old, new]
                    parameters  {"added": [..], "removed": [..], "default": [[n, o, n]]}
                    doc         [old, new]: their first lines
                    body        [[lines that went], [that came]], or two counts
    unread          id: what happened to this path is not known; "" for every path

What goes or comes with its container (a class, a file) is told with that, not by
itself. Elements of documents are not told: prose has no identity of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.code.changes.rename_detection import followed, moves
from repobuild.code.changes.revision import ElementVersion, Revision, changed
from repobuild.code.facts.element_row import parent_of
from repobuild.code.facts.parse import facts_of
from repobuild.code.scan.language import grammars, language_of
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Scope, Value
from repobuild.resources import folder

Item = dict[str, Any]
UNREAD: Item = {"what": "unread", "id": ""}
_DOCUMENTS = ("markdown", "manifest")
_MOST_ITEMS = 200
_MOST_BYTES = 2_000_000  # of all versions that are read for one commit


def changes(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return what a commit did, a pure function of the blobs that it changed."""
    files = value["changes"]
    if value["files"] > len(files):
        return {"items": [UNREAD]}
    commit = _Commit(scope)
    items = list(commit.items(files))
    if len(items) > _MOST_ITEMS or commit.read > _MOST_BYTES:
        return {"items": [UNREAD]}
    problem = {"problem": commit.problem} if commit.problem else {}
    return {"items": items, **problem}


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the facts of a file depend on: they are compared here."""
    rule = tomllib.loads((folder("rules") / "facts.toml").read_text("utf-8"))
    return {**grammars(settings), "facts": rule["version"]}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A file before and after; None where it is not there or nothing is read of it."""

    old: Revision | None
    new: Revision | None


class _Commit:
    """Reads the versions of one commit's files."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._languages = tuple(scope.settings["project.languages"])
        self._exclude = tuple(scope.settings["project.exclude"])
        self._limit = int(scope.settings["project.max_file_bytes"])
        self.read = 0
        self.problem = ""

    def items(self, files: list[list[str]]) -> Iterator[Item]:
        """Yield what happened to files, then to elements."""
        pairs: list[_Pair] = []
        for _, old, old_blob, new, new_blob in files:
            was, now = self._language(old, old_blob), self._language(new, new_blob)
            yield from _of_file(old if was else "", new if now else "")
            if set(_DOCUMENTS) & {was, now}:
                continue
            pair = self._pair((old, old_blob, was), (new, new_blob, now))
            if pair is None:
                yield from ({**UNREAD, "id": id} for id in sorted({old, new} - {""}))
            else:
                pairs.append(pair)
            if self.read > _MOST_BYTES:
                return
        yield from _of_elements(pairs)

    def _language(self, path: str, blob: str) -> str:
        return language_of(path, self._languages, self._exclude) if blob else ""

    def _pair(
        self, old: tuple[str, str, str], new: tuple[str, str, str]
    ) -> _Pair | None:
        """Return both versions, or None when one cannot be read whole."""
        found = []
        for path, blob, language in (old, new):
            found.append(self._revision(path, blob, language) if language else None)
            if language and found[-1] is None:
                return None
        return _Pair(*found)

    def _revision(self, path: str, blob: str, language: str) -> Revision | None:
        try:
            data = self._scope.blob(blob)
        except KeyError:
            self.problem = f'blob {blob[:10]} of "{path}" is not in this repository'
            return None
        self.read += len(data)
        if self.read > _MOST_BYTES:
            return None
        facts = facts_of(data, language, self._limit)
        if facts.get("problem"):
            return None
        return Revision(path, source_of(data)[0], facts)


def _of_file(old: str, new: str) -> Iterator[Item]:
    if old and new and old != new:
        yield {"what": "file renamed", "id": old, "to": new}
    elif old and not new:
        yield {"what": "file removed", "id": old}
    elif new and not old:
        yield {"what": "file added", "id": new}


def _of_elements(pairs: list[_Pair]) -> Iterator[Item]:
    gone = [part for pair in pairs for part in _without(pair.old, pair.new)]
    came = [part for pair in pairs for part in _without(pair.new, pair.old)]
    found = moves(gone, came)
    for old, new in found:
        what = "moved" if old.name == new.name else "renamed"
        yield {"what": what, "id": old.id, "to": new.id, "kind": new.row.type}
    taken = followed(found, gone, came)
    olds, news = {old.id for old, _ in taken}, {new.id for _, new in taken}
    for pair in pairs:
        if pair.old and pair.new:
            yield from _told("removed", pair.old, pair.new, olds)
            yield from _told("added", pair.new, pair.old, news)
            yield from _changed(pair.old, pair.new)
    for old, new in taken[len(found) :]:
        yield from _change(old, new)


def _without(here: Revision | None, there: Revision | None) -> Iterator[ElementVersion]:
    """Yield the elements that only one version has."""
    if here:
        known = there.parts if there else {}
        yield from (part for qual, part in here.parts.items() if qual not in known)


def _told(
    what: str, here: Revision, there: Revision, taken: set[str]
) -> Iterator[Item]:
    """Yield what came or went by itself: not moved, its container in both versions."""
    for part in _without(here, there):
        parent = parent_of(part.row.qual)
        alone = not parent or parent in there.parts or f"{here.path}::{parent}" in taken
        if alone and part.id not in taken:
            kind, signature = part.row.type, part.signature
            yield {"what": what, "id": part.id, "kind": kind, "signature": signature}


def _changed(old: Revision, new: Revision) -> Iterator[Item]:
    for qual, part in new.parts.items():
        if qual in old.parts:
            yield from _change(old.parts[qual], part)


def _change(old: ElementVersion, new: ElementVersion) -> Iterator[Item]:
    if found := changed(old, new):
        yield {"what": "changed", "id": new.id, "kind": new.row.type, **found}
