"""What a sample is about, with the file that it stands in as the tree has it."""

from __future__ import annotations

import codecs
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from repobuild.truth.answer_template import AnswerTemplates
from repobuild.truth.claims.list_claims import shown
from repobuild.truth.tree.file_evidence import (
    FileEvidence,
    document_evidence,
    python_evidence,
)
from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile
from repobuild.truth.tree.quotation import SourceLayout, layout

PROJECT = "@project"
LINES = "@lines"
_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)")


@dataclass
class TreeFile:
    """One file of the tree."""

    path: str
    language: str
    text: str
    problem: str = ""
    python: PythonFile | None = None
    document: MarkdownDocument | None = None

    @classmethod
    def of(cls, path: str, language: str, data: bytes) -> TreeFile:
        file = cls(path, language, decoded(data))
        if language == "python":
            try:
                file.python = PythonFile(file.text)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                file.problem = f"`ast` cannot read it: {error}"
        elif language == "markdown":
            file.document = MarkdownDocument(file.text)
        return file

    @cached_property
    def layout(self) -> SourceLayout | None:
        try:
            return layout(self.text)
        except (tokenize.TokenError, SyntaxError):
            return None

    @cached_property
    def bare(self) -> str:
        """The text without any white space, for files that nothing here can parse."""
        return "".join(self.text.split())

    def face(self) -> FileEvidence:
        if self.python:
            return python_evidence(self.path, self.python)
        if self.document:
            return document_evidence(self.path, self.language, self.document)
        return FileEvidence(self.path, self.language, self.problem, self.text)


@dataclass(frozen=True, slots=True)
class DeferredClaim:
    """A claim that rests on other files, too; checked when all of them are read."""

    claim: str
    key: str
    id: str
    said: str
    ids: tuple[str, ...] = ()
    more: bool = False
    other: DeferredClaim | None = None  # another reading of the same words

    @property
    def language(self) -> str:
        """The language of the sample, which its key names."""
        return self.key.rpartition("#")[2].split(".")[1]


@dataclass
class Subject:
    """One sample while its claims are checked."""

    key: str
    sample: Mapping[str, Any]
    kind: str
    frames: AnswerTemplates
    file: TreeFile
    far: list[DeferredClaim] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.sample["element"])

    @property
    def path(self) -> str:
        return self.id.partition("::")[0]

    @property
    def qual(self) -> str:
        return self.id.partition("::")[2]

    @property
    def shown(self) -> str:
        return shown(self.qual)

    @property
    def name(self) -> str:
        return self.shown.rpartition(".")[2]

    @property
    def definition(self) -> PythonDefinition | None:
        return self.file.python.definitions.get(self.qual) if self.file.python else None

    @property
    def constructor(self) -> PythonDefinition | None:
        """What is called when the subject is: itself, or a class's `__init__`."""
        found, python = self.definition, self.file.python
        if found is None or python is None or found.kind != "class":
            return found
        return python.definitions.get(f"{self.qual}.__init__")

    def later(
        self, claim: str, said: str, ids: tuple[str, ...] = (), more: bool = False
    ) -> str:
        """Leave a claim for when all files are read."""
        self.far.append(DeferredClaim(claim, self.key, self.id, said, ids, more))
        return ""


def decoded(data: bytes) -> str:
    """The text of a blob, with plain newlines."""
    data = data.removeprefix(codecs.BOM_UTF8)
    cookie = _COOKIE.search(b"\n".join(data.split(b"\n")[:2]))
    for name in (cookie[1].decode() if cookie else "utf-8", "utf-8", "latin-1"):
        try:
            text = codecs.decode(data, name)
            break
        except (LookupError, ValueError):
            continue
    return text.replace("\r\n", "\n").replace("\r", "\n")
