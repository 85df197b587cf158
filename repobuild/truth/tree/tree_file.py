"""Decode and parse one file of the tree."""

from __future__ import annotations

import codecs
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property

from repobuild.truth.tree.file_evidence import (
    FileEvidence,
    document_evidence,
    python_evidence,
)
from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.python_reader import PythonFile
from repobuild.truth.tree.quotation import SourceLayout, source_layout
from repobuild.truth.tree.rest_document import RestDocument

_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_WORD = re.compile(r"\w+")
_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)")


@dataclass
class TreeFile:
    """One file of the tree; `python` and `document` are None for other languages."""

    path: str
    language: str
    text: str
    problem: str = ""  # why `ast` cannot parse it
    python: PythonFile | None = None
    document: MarkdownDocument | RestDocument | None = None

    @classmethod
    def parse(cls, path: str, language: str, data: bytes) -> TreeFile:
        """Return the file; what cannot be parsed stays text, with a `problem`."""
        file = cls(path, language, decode_source(data))
        if language == "python":
            try:
                file.python = PythonFile(file.text)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                file.problem = f"`ast` cannot read it: {error}"
        elif language == "markdown":
            file.document = MarkdownDocument(file.text)
        elif language == "restructuredtext":
            file.document = RestDocument(file.text)
        return file

    @cached_property
    def layout(self) -> SourceLayout | None:
        try:
            return source_layout(self.text)
        except (tokenize.TokenError, SyntaxError):
            return None

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self.text))

    @cached_property
    def bare_texts(self) -> tuple[str, str]:
        """The text without white space, as it is and without comments in lines."""
        without_comments = _BLOCK_COMMENT.sub("", self.text)
        return "".join(self.text.split()), "".join(without_comments.split())

    def has_text(self, text: str) -> bool:
        """Return whether the file has a text, apart from white space and comments."""
        bare = "".join(text.split())
        return any(bare in one for one in self.bare_texts)

    def evidence(self) -> FileEvidence:
        """Return what claims about other files need to know of this one."""
        if self.python:
            return python_evidence(self.path, self.python)
        if self.document:
            return document_evidence(self.path, self.language, self.document)
        return FileEvidence(self.path, self.language, self.problem, self.text)


def decode_source(data: bytes) -> str:
    """Return a blob's text with plain newlines.

    The encoding is the coding cookie's (PEP 263), else UTF-8, else Latin-1.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    cookie = _COOKIE.search(b"\n".join(data.split(b"\n")[:2]))
    for name in (cookie[1].decode() if cookie else "utf-8", "utf-8", "latin-1"):
        try:
            text = codecs.decode(data, name)
            break
        except (LookupError, ValueError):
            continue
    return text.replace("\r\n", "\n").replace("\r", "\n")
