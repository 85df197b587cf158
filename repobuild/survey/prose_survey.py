"""Read from the README in which language questions will be asked."""

from __future__ import annotations

import re

from repobuild.code.scan.source_text import source_of
from repobuild.code.usage.prose_language import is_chinese
from repobuild.errors import MissingObjectError
from repobuild.git.snapshot import Snapshot, is_regular

_README = re.compile(r"readme[^/]*", re.IGNORECASE)
_MOST_BYTES = 1_000_000
_FENCED = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def question_languages(snapshot: Snapshot) -> list[str]:
    """Return the languages of the READMEs at the top, English where there is none.

    What a build decides counts all documents (code/usage/prose_language.py), so it may
    find one more.
    """
    found = set()
    for path, (blob, mode) in snapshot.files():
        if not _README.fullmatch(path) or not is_regular(mode):
            continue
        try:
            data = snapshot.blob(blob)[:_MOST_BYTES]
        except MissingObjectError:
            continue
        text = source_of(data)[0].decode("utf-8", "replace")
        found.add("zh" if is_chinese(_FENCED.sub(" ", text)) else "en")
    return sorted(found) or ["en"]
