"""Find secrets that a pull request adds. A finding names their kind, never their value.

Every changed file that is text is searched, also what is not analysed: a token in a
`.env` is as bad. A line that the base has in any of the changed files is not new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from repobuild.ci.compare_rows import row_pairs
from repobuild.engine.build import Build
from repobuild.errors import MissingObjectError
from repobuild.git.snapshot import is_regular
from repobuild.samples.dataset.secret_detection import find_secrets

_SNIFFED = 8_000  # bytes; git takes a file with a NUL among them for a binary one


def find_new_secrets(before: Build, after: Build) -> list[dict[str, Any]]:
    """Return {"path", "line", "kind"} of each secret that the base did not have."""
    known: set[str] = set()
    texts: dict[str, str] = {}
    for pair in row_pairs(before, after, "files"):
        if pair.old is not None:
            known.update(find_secrets(_text(before, pair.old)))
        if pair.new is not None:
            texts[pair.key] = _text(after, pair.new)
    return [
        {"path": path, "line": line, "kind": kind}
        for path, text in sorted(texts.items())
        for line, kind in sorted(_new_in(text, known))
    ]


def _new_in(text: str, known: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the first line of each new secret, and its kind."""
    for secret, kind in find_secrets(text).items():
        if secret not in known:
            yield text.count("\n", 0, text.find(secret)) + 1, kind


def _text(build: Build, row: Any) -> str:
    """Return a file's text; "" for a binary or very large one, a link or a module."""
    if not is_regular(row["mode"]):
        return ""
    try:
        data = build.snapshot.blob(row["blob"])
    except MissingObjectError:
        return ""
    if len(data) > build.settings["project.max_file_bytes"] or b"\0" in data[:_SNIFFED]:
        return ""
    return data.decode("utf-8", "replace")
