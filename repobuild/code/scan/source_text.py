"""Decode a blob's bytes into the source text that is analysed.

Spans and lines refer to the *source*: the blob as UTF-8, without a byte order mark,
with plain newlines. For nearly every file that is the blob itself. `source_of` is pure,
so the spans that are stored for a blob always fit the source decoded from it again.
"""

from __future__ import annotations

import codecs
import re

# PEP 263: in the first or second line; if in the second, the first is a comment too.
_COOKIE = re.compile(
    rb"\A(?:[ \t\f]*(?:#[^\n]*)?\r?\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)"
)
_POINTER = b"version https://git-lfs.github.com/spec/"


def source_of(blob: bytes) -> tuple[bytes, str]:
    """Return the source, and the problem with its encoding or ""."""
    if blob.startswith(codecs.BOM_UTF8):
        blob = blob[3:]
    source, problem = _utf8(blob)
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return source, problem


def _utf8(blob: bytes) -> tuple[bytes, str]:
    if blob.isascii():
        return blob, ""
    cookie = _COOKIE.match(blob)
    name = cookie[1].decode("ascii") if cookie else "utf-8"
    try:
        text = blob.decode(codecs.lookup(name).name)
        return text.encode("utf-8"), ""
    except (LookupError, UnicodeError, ValueError):
        pass
    try:
        blob.decode("utf-8")
    except UnicodeDecodeError:
        text = blob.decode("latin-1")
        return text.encode("utf-8"), f"not {name}; read as latin-1"
    return blob, f"declared as {name}, which it is not; read as UTF-8"


def reason_refused(blob: bytes, limit: int) -> str:
    """Return why a blob is not analysed at all, or ""."""
    if len(blob) > limit:
        return f"{len(blob):,} bytes, more than project.max_file_bytes ({limit:,})"
    if blob.startswith(_POINTER):
        return "a Git LFS pointer, its content is not in the repository"
    if b"\0" in blob:
        return "binary content"
    return ""
