"""Task `code_completion`: a masked body or line, from the code around it.

The same hole is asked in a chat (the code with a mark in it) and, for a model that
knows fill-in-the-middle, as prefix and suffix. The code is the normalised one: no
comments, no blank lines, no docstring, so that a hole does not move when a comment is
edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode

MARK = "<...>"
_SHORTEST_LINE = 12  # characters; "else:" or "return x" can only be guessed
_FEWEST_LINES = 3
_INDENT = "    "
_NAMED = re.compile(r"(?:async )?(?:def|class) (\w+)")
_STUB = re.compile(r"\s*(\.\.\.|pass|raise NotImplementedError\b.*)\s*$")
_LONG_STRINGS = ('"""', "'''")
_LONGEST_PREFIX = 900  # characters of outline and head


def facts(about: FactScope) -> Iterator[Fact]:
    if not about.get("body") or about.get("kind") == "class":
        return
    if _STUB.match(str(about.get("body"))):
        return
    lines = str(about.get("body")).split("\n")
    if crc32(about.id.encode()) % 2:
        yield from _body(about)
    else:
        yield from _line(about, lines)


def _body(about: FactScope) -> Iterator[Fact]:
    """The whole body, after the head, the class it is in and its neighbours' heads."""
    text = f"{about.get('head')}\n{about.get('body')}"
    # Indenting would change what is in a string of several lines.
    whole = any(quotes in text for quotes in _LONG_STRINGS)
    margin = _INDENT if about.get("container_signature") and not whole else ""
    code = indented(text, margin)
    place = len(indented(str(about.get("head")), margin)) + 1
    place += len(code[place:]) - len(code[place:].lstrip())
    before = "" if whole else outline(about)
    if code[place:]:
        yield _fact("body", about, before + code[:place], code[place:], "")


def _line(about: FactScope, lines: list[str]) -> Iterator[Fact]:
    """One line of the body: the same one as long as the body has it."""
    choice = [n for n, line in enumerate(lines) if len(line.strip()) >= _SHORTEST_LINE]
    if len(lines) < _FEWEST_LINES or not choice:
        return
    place = min(choice, key=lambda n: (crc32(lines[n].encode()), n))
    line = lines[place]
    indent = line[: len(line) - len(line.lstrip())]
    before = "\n".join([str(about.get("head")), *lines[:place], indent])
    after = "\n".join(["", *lines[place + 1 :]])
    yield _fact("line", about, before, line.lstrip(), after)


def _fact(kind: str, about: FactScope, before: str, hidden: str, after: str) -> Fact:
    fields = {"code": f"{before}{MARK}{after}", "mark": f"`{MARK}`"}
    answer = about.answer(kind, body=hidden)
    hole = MaskedCode(before, after)
    return Fact(kind, answer, (about.id,), "medium", fields, hole)


def indented(text: str, margin: str) -> str:
    return "\n".join(margin + line for line in text.split("\n"))


def outline(about: FactScope) -> str:
    """Heads of the siblings, bounded; the class line first when there is a class."""
    container, path = about.get("container_signature"), about.get("path")
    if about.get("fence") != "python":
        return f"{container} {{\n" if container else ""
    text = f"{container}:\n" if container else ""
    indent = _INDENT if container else ""
    for sibling in about.get("outline") or []:
        named = _NAMED.match(sibling)
        if not container and named and about.hidden(f"{path}::{named[1]}"):
            continue
        line = f"{indent}{sibling}: ...\n"
        if len(text) + len(line) > _LONGEST_PREFIX:
            break
        text += line
    return f"{text}\n" if text else ""
