"""Cut code into training texts: the standard library's, and that of packages.

Two kinds of documents, cut between definitions to about 512 tokens at most:

    code    <|file_sep|>json/decoder.py\\n + a piece of the file
    fim     the same piece with a hole: prefix, suffix, middle (PSM order, as Qwen)

A file of the standard library belongs to the held-out part or to the training part as a
whole, by a hash of its path. Python 3.11 has 1,790 files of 31 MB; left out are those
that teach nothing: tables (character maps, token tables), files that do not parse, and
files over 400 kB. Nothing is imported or executed.
"""

from __future__ import annotations

import ast
import hashlib
import random
import re
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repobuild.model.bundled.tokenizer import (
    FILE_SEP,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
)

HELD_OUT_SHARE = 50  # one file in fifty
LARGEST_LIBRARY_FILE = 400_000  # bytes; larger ones are test tables and pydoc's topics
PIECE = 1_700  # characters, about 480 tokens
LEFT_OUT_FOLDERS = frozenset(
    {"site-packages", "dist-packages", "__pycache__", "lib-dynload"}
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the standard library; `path` is relative to the library's root."""

    path: str
    text: str
    tree: ast.Module


def is_file_held_out(path: str) -> bool:
    """Return whether a file is held out, by a hash of its path.

    The hash gives the same answer on every machine; a position would not.
    """
    digest = hashlib.sha256(path.encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


def library_root() -> Path:
    """Return the folder of the running interpreter's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def source_files(root: Path, held_out: bool | None = None) -> Iterator[SourceFile]:
    """Yield every file that is worth training on, sorted by path; or one part of them.

    To parse all files of the standard library takes 20 seconds.
    """
    for file in sorted(root.rglob("*.py")):
        relative = file.relative_to(root)
        if held_out not in (None, is_file_held_out(relative.as_posix())):
            continue
        if LEFT_OUT_FOLDERS.isdisjoint(relative.parts):
            source = read_source(file, relative.as_posix())
            if source is not None:
                yield source


def read_source(file: Path, path: str) -> SourceFile | None:
    """Read a file; return None for tables, large files and invalid UTF-8 or Python."""
    if file.stat().st_size > LARGEST_LIBRARY_FILE:
        return None
    return read_text(file.read_bytes(), path)


def read_text(data: bytes, path: str) -> SourceFile | None:
    """Return a file of this content, or None as `read_source` does."""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escapes in the library's tests
            tree = ast.parse(text)
    except (UnicodeDecodeError, SyntaxError, ValueError, RecursionError):
        return None
    if not text.strip() or is_table(text):
        return None
    return SourceFile(path, text, tree)


def is_table(text: str) -> bool:
    """Return whether a text is data written as Python: digits, or very long lines."""
    letters = sum(1 for sign in text if sign.isalpha() or sign.isspace())
    longest = max(map(len, text.splitlines()), default=0)
    return letters < 0.65 * len(text) or longest > 1_000


# --------------------------------------------- code and fill-in-the-middle (FIM)


def split_text(text: str, size: int = PIECE) -> Iterator[str]:
    """Cut a text into pieces of at most `size` characters, or of one longer line.

    A piece that is half full ends before the next definition, a full one at any line.
    """
    piece: list[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        at_definition = re.match(r"(    )?(@|def |class |async def )", line)
        decorated = bool(piece) and piece[-1].lstrip().startswith("@")
        full = length + len(line) > size
        if full or (length > size // 2 and at_definition and not decorated):
            yield "".join(piece)
            piece, length = [], 0
        piece.append(line)
        length += len(line)
    yield "".join(piece)


def code_documents(file: SourceFile) -> Iterator[str]:
    """Yield the pieces of a file, each after the file token and its path."""
    for piece in split_text(file.text):
        if piece.strip():
            yield f"{FILE_SEP}{file.path}\n{piece}"


def fim_document(code: str, rng: random.Random) -> str:
    """Return the same piece with a hole, in the order prefix, suffix, middle (PSM).

    Source: Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the
    Middle".
    """
    header, _, piece = code.partition("\n")
    start, end = choose_hole(piece, rng)
    return (
        f"{header}\n{FIM_PREFIX}{piece[:start]}"
        f"{FIM_SUFFIX}{piece[end:]}{FIM_MIDDLE}{piece[start:end]}"
    )


def choose_hole(piece: str, rng: random.Random) -> tuple[int, int]:
    """Return start and end of a hole, which is never empty.

    Half of the holes are syntactic spans; the rest are one to six lines, or the end of
    a line.
    """
    kind = rng.random()
    spans = syntactic_spans(piece) if kind < 0.5 else []
    if spans:
        return rng.choice(spans)
    starts = [match.start() for match in re.finditer(r"^(?=.)", piece, re.MULTILINE)]
    first = rng.randrange(len(starts))
    if kind < 0.75:
        last = min(len(starts), first + rng.randint(1, 6))
        return starts[first], starts[last] if last < len(starts) else len(piece)
    end = piece.find("\n", starts[first])
    end = len(piece) if end < 0 else end
    return rng.randint(starts[first], end - 1), end


def syntactic_spans(piece: str) -> list[tuple[int, int]]:
    """Return function bodies, statements and calls of a piece that parses by itself."""
    if not piece.isascii():  # ast counts columns in bytes
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(piece)
    except (SyntaxError, ValueError):
        return []
    line_starts = [0]
    for line in piece.splitlines(keepends=True):
        line_starts.append(line_starts[-1] + len(line))
    spans = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                first: ast.stmt | ast.expr = node.body[0]
                last: ast.stmt | ast.expr = node.body[-1]
            case ast.Return() | ast.Assign() | ast.If() | ast.For() | ast.Call():
                first = last = node
            case _:
                continue
        assert last.end_lineno is not None and last.end_col_offset is not None
        begin = line_starts[first.lineno - 1] + first.col_offset
        end = line_starts[last.end_lineno - 1] + last.end_col_offset
        spans.append((begin, end))
    return [(begin, end) for begin, end in spans if 4 <= end - begin <= 900]
