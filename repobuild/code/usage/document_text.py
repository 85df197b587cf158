"""Read the prose and the code blocks of a Markdown or reStructuredText document.

Prose comes as paragraphs of one line each, list items on their own; titles, tables,
quotations, HTML and directives are left out. Inline code and roles become `name`.
Code blocks come as they are, without their indentation and without prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*(.*)$")
_LANGUAGES = frozenset(
    "python py python3 pycon ipython doctest testcode code-block sourcecode code"
    " console".split()
)
_DIRECTIVE = re.compile(r"^([ \t]*)\.\. ([\w:-]+)::[ \t]*(.*)$")
_COMMENT = re.compile(r"^[ \t]*\.\. ")
_CODE_DIRECTIVE = re.compile(
    r"code-block|sourcecode|code|testcode|doctest|[\w-]+:example"
)
_OPTION = re.compile(r"^[ \t]*:[\w-]+:.*$")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:) ?", re.MULTILINE)
_TRACEBACK = re.compile(r"[ \t]*Traceback \(most recent call last\):")
_REFUSED = ("False", "None")  # as the output of a statement
_DOCTEST_OPTION = re.compile(r"[ \t]*# doctest:.*$")
_UNDERLINE = re.compile(r"^[ \t]*([=\-~^*#+\"'`:.])\1{2,}[ \t]*$")
_NO_PROSE = re.compile(r"^[ \t]*(?:[#|<>:]|\.\. |\+-|!\[|\[!|%|---|===|\{%|:::)")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+")
_ROLE = re.compile(r"(?::[a-z][\w:+-]*:|\{[a-z][\w:+-]*\})`([^`]+)`")
_ROLE_TARGET = re.compile(r"^(.*?)\s*<[^<>]+>$")
_LITERAL = re.compile(r"(?<!`)``([^`]+)``(?!`)")


class DocumentText(NamedTuple):
    """What one document holds."""

    paragraphs: list[str]
    code: list[list[str]]  # lines of each code block
    titled: list[tuple[str, str]]  # a title, and the first paragraph below it


def read_document(text: str, is_rst: bool) -> DocumentText:
    """Return the prose and the code blocks of a document."""
    lines = text.expandtabs(4).split("\n")
    read = DocumentText([], [], [])
    if is_rst:
        _read_rst(lines, read)
    else:
        _read_markdown(lines, read)
    return read


def _read_markdown(lines: Sequence[str], read: DocumentText) -> None:
    prose: list[str] = []
    row = 0
    while row < len(lines):
        fence = _FENCE.match(lines[row])
        if fence is None:
            prose.append(lines[row])
            row += 1
            continue
        prose.append("")
        end = next(
            (n for n in range(row + 1, len(lines))
             if lines[n].strip().startswith(fence[2]) and not lines[n].strip(" `~")),
            len(lines),
        )  # fmt: skip
        block, info = lines[row + 1 : end], fence[3].strip("{} ").split()
        language = info[0].lower().strip("{}") if info else ""
        if language == "eval-rst":
            _read_rst(block, read)
        elif language in _LANGUAGES or not language or language.endswith(":example"):
            _add_code([line for line in block if not _OPTION.match(line)], read)
        row = end + 1
    _add_prose(prose, read)


def _read_rst(lines: Sequence[str], read: DocumentText) -> None:
    prose: list[str] = []
    row = 0
    while row < len(lines):
        line = lines[row]
        directive = _DIRECTIVE.match(line)
        is_literal = line.rstrip().endswith("::") and not _COMMENT.match(line)
        if directive or is_literal or _COMMENT.match(line):
            end = _end_of_indented(lines, row)
            is_code = directive and _CODE_DIRECTIVE.fullmatch(directive[2])
            if is_code or (is_literal and not directive):
                block = lines[row + 1 : end]
                _add_code([one for one in block if not _OPTION.match(one)], read)
            prose.append(line.rstrip()[:-1] if is_literal and not directive else "")
            row = end
            continue
        if line.lstrip().startswith(">>> "):
            end = next(
                (n for n in range(row, len(lines)) if not lines[n].strip()), len(lines)
            )
            _add_code(lines[row:end], read)
            row = end
            continue
        prose.append(line)
        row += 1
    _add_prose(prose, read)


def _end_of_indented(lines: Sequence[str], row: int) -> int:
    """Return the row after the lines that are indented more than the line in a row."""
    margin = len(lines[row]) - len(lines[row].lstrip())
    end = row + 1
    for at in range(row + 1, len(lines)):
        if lines[at].strip():
            if len(lines[at]) - len(lines[at].lstrip()) <= margin:
                break
            end = at + 1
    return end


def _add_code(lines: Sequence[str], read: DocumentText) -> None:
    """Add a code block without prompts, shell prompts and common indentation."""
    if any(line.lstrip().startswith(">>> ") for line in lines):
        lines = list(_typed(lines))
    if any(line.lstrip().startswith("$ ") for line in lines):
        return
    lines = [_DOCTEST_OPTION.sub("", line) for line in lines]
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    read.code.append([line[margin:].rstrip() for line in lines])


def _typed(lines: Sequence[str]) -> Iterator[str]:
    """Yield what is typed in a session, but for statements that raise or give False.

    The others of the session show what is accepted.
    """
    statement: list[str] = []
    for line in lines:
        if _TRACEBACK.match(line) or line.strip() in _REFUSED:
            statement = []
        if not _PROMPT.match(line):
            continue
        if not line.lstrip().startswith("..."):
            yield from statement
            statement = []
        statement.append(_PROMPT.sub("", line))
    yield from statement


def _add_prose(lines: Sequence[str], read: DocumentText) -> None:
    for title, paragraph in _paragraphs(lines):
        read.paragraphs.append(paragraph)
        if title:
            read.titled.append((title, paragraph))


def _paragraphs(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield paragraphs and list items, each on one line and with plain markup.

    The first paragraph below a title comes with it, others and items with "".
    """
    held: list[str] = []
    title = ""
    for row, line in enumerate([*lines, ""]):
        following = lines[row + 1] if row + 1 < len(lines) else ""
        is_above = bool(_UNDERLINE.match(following)) and bool(line.strip())
        is_title = is_above or bool(_UNDERLINE.match(line))
        ends = not line.strip() or is_title or bool(_NO_PROSE.match(line))
        if (ends or _ITEM.match(line)) and held:
            yield title, plain_markup(" ".join(held))
            held, title = [], ""
        if is_above or line.startswith("#"):
            title = plain_markup(line.strip("# "))
        elif _ITEM.match(line):
            title = ""
        if not ends:
            held.append(_ITEM.sub("", line).strip())


def plain_markup(text: str) -> str:
    """Return prose in which every name of code is `name`."""
    text = _ROLE.sub(lambda match: f"`{_role_text(match[1])}`", text)
    return " ".join(_LITERAL.sub(r"`\1`", text).split())


def _role_text(content: str) -> str:
    if target := _ROLE_TARGET.match(content):
        return target[1]
    if content[0] != "~":
        return content.lstrip("!")
    owner, _, name = content[1:].rpartition(".")
    owner = owner.rpartition(".")[2]
    return f"{owner}.{name}" if owner[:1].isupper() else name  # a method of a class
