"""Read what a text names outright: paths, tracebacks, identifiers, code.

    File "/usr/lib/python3/a.py", line 20, in f                            a frame
    a.py:20: in f                                                          a frame
    ``` fenced, indented, >>> lines                                        code
    `Class.method`, pkg.mod.f, make_thing, f()                             identifiers

Everything else is prose. The first line is the title: who reports a fault says there
what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_LONGEST = 100_000  # characters that are read
_FRAME = re.compile(
    r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<name>[\w.<>]+))?'
    r"|^(?P<path2>[\w./\\~-]+\.py):(?P<line2>\d+):(?: in (?P<name2>\w+))?",
    re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t>]*(```+|~~~+)[^\n]*\n(.*?)(?:^[ \t>]*\1|\Z)", re.M | re.S)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:) ?(.*)$", re.MULTILINE)
_INDENTED = re.compile(r"(?:^(?: {4,}|\t)[^\n]*\n?)+", re.MULTILINE)
_PATH = re.compile(r"(?<![\w/.-])(?:[\w.~-]+[/\\])*[\w-]+\.[A-Za-z]{1,4}(?!\w)")
_URL_PATH = re.compile(
    r"https?://[^\s)>\]]+?/(?:blob|tree)/[^\s/]+/([^\s)#>\]]+)(?:#L(\d+))?"
)
_QUOTED = re.compile(r"(?<!`)`{1,2}([^`\n]+)`{1,2}(?!`)")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# Words that are a name in code, not one of a sentence: `make_thing`, `HelpFormatter`.
_NAME = re.compile(r"\w*(?:[a-z0-9]_[a-z0-9]|[a-z0-9][A-Z]|[A-Z][A-Z][a-z])\w*|_\w+")
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class QuotedFrame(NamedTuple):
    """One line of a traceback: the innermost is the last."""

    path: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class IssueText:
    """A text by parts."""

    title: str
    prose: str
    code: str
    body: str  # all but the title
    frames: tuple[QuotedFrame, ...]
    paths: tuple[str, ...]  # as written, in order
    quoted: tuple[str, ...]  # dotted names in backticks
    names: tuple[str, ...]  # dotted names that only code is written like


def read_issue(text: str) -> IssueText:
    """Return the parts of a text."""
    text = _HTML_COMMENT.sub(" ", text[:_LONGEST].replace("\r\n", "\n"))
    title, _, body = text.partition("\n")
    code = [match[2] for match in _FENCE.finditer(body)]
    prose = _FENCE.sub("\n", body)
    code += [match[0] for match in _PROMPT.finditer(prose)]
    prose = _PROMPT.sub("\n", prose)
    code += _INDENTED.findall(prose)
    prose = _INDENTED.sub("\n", prose)
    return IssueText(
        title,
        prose,
        "\n".join(code),
        body,
        tuple(_frames(text)),
        tuple(dict.fromkeys(_paths(text))),
        tuple(dict.fromkeys(_quoted(f"{title}\n{prose}"))),
        tuple(dict.fromkeys(_names(f"{title}\n{prose}"))),
    )


def _frames(text: str) -> Iterator[QuotedFrame]:
    for found in _FRAME.finditer(text):
        path = found["path"] or found["path2"]
        line = found["line"] or found["line2"]
        name = found["name"] or found["name2"] or ""
        yield QuotedFrame(path.replace("\\", "/"), int(line[:9]), name)


def _paths(text: str) -> Iterator[str]:
    for found in _URL_PATH.finditer(text):
        yield found[1]
    for word in _PATH.findall(_FRAME.sub(" ", text)):
        yield word.replace("\\", "/")


def _quoted(text: str) -> Iterator[str]:
    for span in _QUOTED.findall(text):
        if found := _DOTTED.match(span.strip().lstrip("@~:")):
            yield found[0]


def _names(text: str) -> Iterator[str]:
    for word in _DOTTED.findall(text):
        if "." in word or _NAME.fullmatch(word):
            yield word
