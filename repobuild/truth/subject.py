"""What a sample is about, with the file that it stands in as the tree has it."""

from __future__ import annotations

import codecs
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from repobuild.truth.document import Document
from repobuild.truth.evidence import (
    Face,
    face_of_document,
    face_of_python,
)
from repobuild.truth.frame import Frames
from repobuild.truth.listing import shown
from repobuild.truth.python import Definition, PythonFile
from repobuild.truth.quotation import Layout, layout

PROJECT = "@project"
LINES = "@lines"
_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)")


@dataclass
class File:
    """One file of the tree."""

    path: str
    language: str
    text: str
    problem: str = ""
    python: PythonFile | None = None
    document: Document | None = None

    @classmethod
    def of(cls, path: str, language: str, data: bytes) -> File:
        file = cls(path, language, decoded(data))
        if language == "python":
            try:
                file.python = PythonFile(file.text)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                file.problem = f"`ast` cannot read it: {error}"
        elif language == "markdown":
            file.document = Document(file.text)
        return file

    @cached_property
    def layout(self) -> Layout | None:
        try:
            return layout(self.text)
        except (tokenize.TokenError, SyntaxError):
            return None

    @cached_property
    def bare(self) -> str:
        """The text without any white space, for files that nothing here can parse."""
        return "".join(self.text.split())

    def face(self) -> Face:
        if self.python:
            return face_of_python(self.path, self.python)
        if self.document:
            return face_of_document(self.path, self.language, self.document)
        return Face(self.path, self.language, self.problem, self.text)


@dataclass(frozen=True, slots=True)
class Far:
    """A claim that rests on other files, too; checked when all of them are read."""

    claim: str
    key: str
    id: str
    said: str
    ids: tuple[str, ...] = ()
    more: bool = False
    other: Far | None = None  # another reading of the same words

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
    frames: Frames
    file: File
    far: list[Far] = field(default_factory=list)

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
    def definition(self) -> Definition | None:
        return self.file.python.definitions.get(self.qual) if self.file.python else None

    @property
    def constructor(self) -> Definition | None:
        """What is called when the subject is: itself, or a class's `__init__`."""
        found, python = self.definition, self.file.python
        if found is None or python is None or found.kind != "class":
            return found
        return python.definitions.get(f"{self.qual}.__init__")

    def later(
        self, claim: str, said: str, ids: tuple[str, ...] = (), more: bool = False
    ) -> str:
        """Leave a claim for when all files are read."""
        self.far.append(Far(claim, self.key, self.id, said, ids, more))
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
