"""Make the `additions` table: what a commit added, by name, and what it touched.

A row is `{"subject", "before", "paths", "new", "names"}`: the paths that the commit
touched, those that are new, and `{path: [names]}` of definitions that the new version
of a file has and the old one lacks. Names are found by their keyword and not by a
parser: plans look back on ten times more commits than `changes` reads. A commit of more
than `_MOST_FILES` files is no model for one addition; its row has no paths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from repobuild.engine.contract import Scope, Value
from repobuild.errors import MissingObjectError, PartialRowError

_MOST_FILES = 30
_MOST_BYTES = 300_000  # of one version of a file
_CODE = re.compile(r"\.(py|pyi|js|jsx|mjs|cjs|ts|tsx|java|go|rs|c|h|cc|cpp|cxx|hpp)$")
_DEFINITION = re.compile(
    rb"^[ \t]*(?:(?:export|default|public|private|protected|static|final|abstract|pub"
    rb"(?:\([a-z]+\))?|async|unsafe|const)[ \t]+)*"
    rb"(?:class|def|func(?:[ \t]*\([^)\n]*\))?|function\*?|fn|interface|struct|enum"
    rb"|trait)"
    rb"[ \t]+(\w+)",
    re.MULTILINE,
)


def additions(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return what a commit added: a pure function of the blobs that it changed."""
    row: dict[str, Value] = {
        "subject": value["subject"],
        "before": value["before"],
        "paths": [],
        "new": [],
        "names": {},
    }
    if value["files"] > min(_MOST_FILES, len(value["changes"])):
        return row
    lost = ""
    for status, _, old_blob, path, blob in value["changes"]:
        if not path:
            continue  # the file is removed
        row["paths"].append(path)
        if status == "A":
            row["new"].append(path)
        if not _CODE.search(path):
            continue
        try:
            names = _names(scope, blob) - _names(scope, old_blob)
        except MissingObjectError as error:
            lost = error.object_id
            continue
        if names:
            row["names"][path] = sorted(names)
    if lost:
        raise PartialRowError(lost, row)
    return row


def _names(scope: Scope, blob: str) -> set[str]:
    data = scope.blob(blob) if blob else b""
    if len(data) > _MOST_BYTES:
        return set()
    return {name.decode("utf-8", "replace") for name in _DEFINITION.findall(data)}
