"""Make the `changes` table: what one commit did to elements.

A row is `{"items": [...]}`; where a blob is missing it is tried again. An item is a
dict with `what` and `id`: the old id of a removed element, else the new one.

    file added      id
    file removed    id
    file renamed    id, to: its elements go with it and have no items of their own
    added           id, kind, signature
    removed         id, kind, signature
    moved           id, to, kind: to another file, class or function, name kept
    renamed         id, to, kind: in the same file and container
    changed         id, kind, shape (digest of the result), and of these what differs:
                    signature   [old, new]
                    parameters  {"added": [..], "removed": [..], "default": [[n, o, n]]}
                    doc         [old, new]: their first lines
                    body        [[removed lines], [added lines]], or two counts
    unread          id: the changes of this path are unknown; "" for every path

An element that is added or removed with its container (a class, a file) has no item of
its own. Sections of documents have no items, because prose has no stable identity.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from repobuild.code.changes.rename_detection import detect_renames, with_nested
from repobuild.code.changes.revision import ElementVersion, Revision, difference
from repobuild.code.facts.element_row import parent_of
from repobuild.code.facts.parse import facts_of
from repobuild.code.scan.language import PROSE, FileChoice, grammars
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Scope, Value
from repobuild.errors import MissingObjectError, PartialRowError
from repobuild.resources import data_folder

Item = dict[str, Any]
UNREAD: Item = {"what": "unread", "id": ""}
_MAX_ITEMS = 200
_MAX_BYTES = 2_000_000  # of all versions that are read for one commit


def changes(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return what a commit did: a pure function of the blobs that it changed."""
    files = value["changes"]
    if value["files"] > len(files):
        return {"items": [UNREAD]}
    commit = _CommitReader(scope)
    items = list(commit.items(files))
    if len(items) > _MAX_ITEMS or commit.bytes_read > _MAX_BYTES:
        return {"items": [UNREAD]}
    if commit.missing:
        raise PartialRowError(commit.missing, {"items": items})
    return {"items": items}


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the facts of a file depend on, because this rule compares facts."""
    rule = tomllib.loads((data_folder("rules") / "facts.toml").read_text("utf-8"))
    return {**grammars(settings), "facts": rule["version"]}


class _RevisionPair(NamedTuple):
    """A file before and after; None where it does not exist or is not analysed."""

    old: Revision | None
    new: Revision | None


class _Blob(NamedTuple):
    """One side of a changed file; "" for the language when it is not analysed."""

    path: str
    blob: str
    language: str


class _CommitReader:
    """Reads the versions of one commit's files."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._choice = FileChoice.of(scope.settings)
        self._limit = int(scope.settings["project.max_file_bytes"])
        self.bytes_read = 0
        self.missing = ""  # the id of a blob

    def items(self, files: list[list[str]]) -> Iterator[Item]:
        """Yield the items of files, then those of elements."""
        pairs: list[_RevisionPair] = []
        for _, old_path, old_blob, new_path, new_blob in files:
            old = _Blob(old_path, old_blob, self._language(old_path, old_blob))
            new = _Blob(new_path, new_blob, self._language(new_path, new_blob))
            yield from _file_items(
                old.path if old.language else "", new.path if new.language else ""
            )
            if PROSE & {old.language, new.language}:
                continue
            pair = self._pair(old, new)
            if pair is None:
                paths = {old.path, new.path} - {""}
                yield from ({**UNREAD, "id": path} for path in sorted(paths))
            else:
                pairs.append(pair)
            if self.bytes_read > _MAX_BYTES:
                return
        yield from _element_items(pairs)

    def _language(self, path: str, blob: str) -> str:
        return self._choice.decide(path).language if blob else ""

    def _pair(self, old: _Blob, new: _Blob) -> _RevisionPair | None:
        """Return both versions, or None when one of them cannot be read whole."""
        revisions = []
        for side in (old, new):
            revision = self._revision(side) if side.language else None
            if side.language and revision is None:
                return None
            revisions.append(revision)
        return _RevisionPair(*revisions)

    def _revision(self, side: _Blob) -> Revision | None:
        try:
            data = self._scope.blob(side.blob)
        except MissingObjectError as error:
            self.missing = error.object_id
            return None
        self.bytes_read += len(data)
        if self.bytes_read > _MAX_BYTES:
            return None
        facts = facts_of(data, side.language, self._limit)
        if facts.get("problem"):
            return None
        return Revision(side.path, source_of(data)[0], facts)


def _file_items(old: str, new: str) -> Iterator[Item]:
    if old and new and old != new:
        yield {"what": "file renamed", "id": old, "to": new}
    elif old and not new:
        yield {"what": "file removed", "id": old}
    elif new and not old:
        yield {"what": "file added", "id": new}


def _element_items(pairs: list[_RevisionPair]) -> Iterator[Item]:
    removed = [one for pair in pairs for one in _missing_in(pair.new, pair.old)]
    added = [one for pair in pairs for one in _missing_in(pair.old, pair.new)]
    renames = detect_renames(removed, added)
    for old, new in renames:
        what = "moved" if old.name == new.name else "renamed"
        yield {"what": what, "id": old.id, "to": new.id, "kind": new.row.type}
    all_renames = with_nested(renames, removed, added)
    old_ids = {old.id for old, _ in all_renames}
    new_ids = {new.id for _, new in all_renames}
    for pair in pairs:
        if pair.old and pair.new:
            yield from _one_sided_items("removed", pair.old, pair.new, old_ids)
            yield from _one_sided_items("added", pair.new, pair.old, new_ids)
            for qual, new in pair.new.elements.items():
                if qual in pair.old.elements:
                    yield from _changed_item(pair.old.elements[qual], new)
    for old, new in all_renames[len(renames) :]:
        yield from _changed_item(old, new)


def _missing_in(
    there: Revision | None, here: Revision | None
) -> Iterator[ElementVersion]:
    """Yield the elements that one version has and the other does not."""
    if here:
        known = there.elements if there else {}
        yield from (one for qual, one in here.elements.items() if qual not in known)


def _one_sided_items(
    what: str, here: Revision, there: Revision, renamed: set[str]
) -> Iterator[Item]:
    """Yield the elements added or removed by themselves.

    They are not renamed, and their container exists in both versions.
    """
    for one in _missing_in(there, here):
        parent = parent_of(one.row.qual)
        container_stays = (
            not parent
            or parent in there.elements
            or f"{here.path}::{parent}" in renamed
        )
        if container_stays and one.id not in renamed:
            kind, signature = one.row.type, one.signature
            yield {"what": what, "id": one.id, "kind": kind, "signature": signature}


def _changed_item(old: ElementVersion, new: ElementVersion) -> Iterator[Item]:
    if parts := difference(old, new):
        yield {"what": "changed", "id": new.id, "kind": new.row.type, **parts}
