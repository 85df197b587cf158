"""Markup in docstrings, taken off: what a person reads is left, in Markdown.

    :class:`~a.b.C`          `C`             ``code``     `code`
    {class}`C`               `C`             |name|       name
    :ref:`text <target>`     text
    `text <https://...>`_    text            Example::    Example:

Rules of `=====` above and below a title are lines of their own and go as a whole.
"""

from __future__ import annotations

import re

_ROLE = re.compile(r"(?::[a-z][\w:+-]*:|\{[a-z][\w:+-]*\})`([^`]+)`")
_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]+>`__?")
_NAMED_LINK = re.compile(r"`([^`]+)`__?(?=[\s.,;:)]|$)")
_LITERAL = re.compile(r"(?<!`)``([^`]+)``(?!`)")
_NAMED = re.compile(r"(?<![\w|])\|([A-Za-z][\w .-]*)\|(?![\w|])")
_TARGET = re.compile(r"^(.*?)\s*<[^<>]+>$")
_RULE = re.compile(r"^[ \t]*([=\-~^*#+\"'`])\1{3,}[ \t]*$\n?", re.MULTILINE)
_TITLE = re.compile(r"^[ \t]*([=*#~^]){4,}[ \t]*\n([^\n]+)\n[ \t]*\1{4,}[ \t]*(?:\n|$)")


def plain(text: str) -> str:
    """Return one line of prose without reStructuredText."""
    if "`" not in text and "|" not in text and "::" not in text:
        return text
    text = _ROLE.sub(_role, text)
    text = _LINK.sub(r"\1", text)
    text = _NAMED_LINK.sub(r"\1", text)
    text = _LITERAL.sub(r"`\1`", text)
    text = _NAMED.sub(r"\1", text)
    return text[:-1] if text.endswith("::") else text


def unruled(text: str) -> str:
    """Return a docstring whose title stands by itself, without lines of signs."""
    title = _TITLE.match(text.lstrip("\n"))
    if title:
        rest = text.lstrip("\n")[title.end() :]
        return f"{title[2].strip()}\n\n{rest}"
    lines = text.split("\n", 2)
    if len(lines) > 1 and lines[0].strip() and _RULE.match(lines[1]):
        return "\n\n".join([lines[0], *lines[2:]])
    return text


def _role(match: re.Match[str]) -> str:
    """`~a.b.C` is shown as `C`, `text <target>` as text, `!name` as name."""
    said = match[1]
    if target := _TARGET.match(said):
        return target[1]
    if said.startswith("~"):
        said = said.rpartition(".")[2].lstrip("~")
    return f"`{said.lstrip('!')}`"
