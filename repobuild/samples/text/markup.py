"""Strip documentation markup from docstrings; the text that is left is Markdown.

    :class:`~a.b.C`          `C`             ``code``     `code`
    {class}`C`               `C`
    :meth:`~a.C.m`           `C.m`
    :ref:`text <target>`     text            `C <a.b.C>`  `C`
    `~a.b.C`, `.C`           `C`
    `text <https://...>`_    text            Example::    Example:

    C{code}, L{C}            `code`, `C`     I{a}, B{a}    a

Rules of `=====` above and below a title are lines of their own and are removed whole.
Bars stay: nothing in `|a|` tells a substitution from an absolute value.
"""

from __future__ import annotations

import re

_ROLE = re.compile(r"(?<!`)(?::[a-z][\w:+-]*:|(?<!\w)\{[a-z][\w:+-]*\})`([^`]+)`")
# A role whose author marked the name as literal, too: :mod:``a.b``.
_DOUBLED_ROLE = re.compile(r"(?<!`)(:[a-z][\w:+-]*:)``([^`]+)``(?!`)")
# A role whose author forgot the backticks: `:attr:tree`.
_BARE_ROLE = re.compile(
    r"(?<![\w`]):(?:py:)?(?:attr|class|func|meth|mod|obj|exc):(\w+)"
)
# The default role with a path of which the last name is shown: `~a.b.C`.
_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]+>`__?")
# The default role with a target, which is no link: `C <a.b.C>`.
_TITLED = re.compile(
    r"(?<!`)`([^`<>]+?)(?:\s+<[\w.~!]+>|(?<=\w)<[~!]?\w+\.[\w.]+>)`(?![_`])"
)
# One that is written as a target: `.Context`, `~.Collection.add`; `.py` is an ending.
_DEFAULT_ROLE = re.compile(r"(?<![`:}\w])`(~[.\w]*\.\w+|\.[A-Z]\w*(?:\.\w+)*)`(?![`_])")
_NAMED_LINK = re.compile(r"`([^`]+)`__?(?=[\s.,;:)]|$)")
_LITERAL = re.compile(r"(?<!`)``([^`]+)``(?!`)")
_ESCAPE = re.compile(r"(?<=`)\\(?:\s|(\w))")  # what joins a suffix to marked text
_ROLE_TARGET = re.compile(r"^(.*?)\s*<([^<>]+)>$")
_CLASS = re.compile(r"[A-Z][a-z]\w*")
_EPYTEXT = re.compile(r"\b([BCILMUX])\{([^{}]*)\}")
_ROLE_PREFIX = re.compile(r"^([~!]?)(?:\w+:(?=\w)|\.(?=\w))")
_RULE = re.compile(r"^[ \t]*([=\-~^*#+\"'`])\1{3,}[ \t]*$\n?", re.MULTILINE)
_RULE_MARKS = "=-~^*#+"
_TITLE = re.compile(r"^[ \t]*([=*#~^]){4,}[ \t]*\n([^\n]+)\n[ \t]*\1{4,}[ \t]*(?:\n|$)")
_MAX_LINE = 2_000  # characters; roles within roles cost the square


def strip_markup(text: str) -> str:
    """Return one line of prose without reStructuredText, cut where it is too long."""
    text = text[:_MAX_LINE]
    if "{" in text:
        text = _EPYTEXT.sub(_epytext, text)
    text = _BARE_ROLE.sub(r"`\1`", text)
    if "`" not in text and "::" not in text:
        return text
    text = _ROLE.sub(_role_text, _DOUBLED_ROLE.sub(r"\1`\2`", text))
    text = _DEFAULT_ROLE.sub(_role_text, text)
    text = _LINK.sub(r"\1", text)
    text = _TITLED.sub(r"`\1`", text)
    text = _NAMED_LINK.sub(r"\1", text)
    text = _LITERAL.sub(r"`\1`", text)
    text = _ESCAPE.sub(_joined, text)
    return text[:-1] if text.endswith("::") else text


def strip_title_rules(text: str) -> str:
    """Return a docstring with its title as a paragraph, without the rules around it."""
    title = _TITLE.match(text.lstrip("\n"))
    if title:
        rest = text.lstrip("\n")[title.end() :]
        return f"{title[2].strip()}\n\n{rest}"
    lines = text.split("\n", 2)
    if len(lines) > 1 and lines[0].strip() and _is_rule(lines[1], lines[0]):
        return "\n\n".join([lines[0], *lines[2:]])
    return text


def _is_rule(line: str, title: str) -> bool:
    """Return whether a line is a rule below a title: a short one has a short title."""
    mark = line.strip()
    is_short = len(mark) > 1 and mark == mark[0] * len(mark) and mark[0] in _RULE_MARKS
    return bool(_RULE.match(line) or is_short and len(mark) >= len(title.strip()))


def _joined(match: re.Match[str]) -> str:
    """Return what a backslash joins to marked text; within marks it is the text's."""
    is_within = match.string.count("`", 0, match.start()) % 2
    return match[0] if is_within else match[1] or ""


def _epytext(match: re.Match[str]) -> str:
    """Return `name` for C{name} and L{name}, the text for I{text}, B{text}, U{text}."""
    return f"`{match[2]}`" if match[1] in "CL" else match[2]


def _role_text(match: re.Match[str]) -> str:
    """Return `C` for `~a.b.C`, `C.m` for `~a.C.m`, the text for `text <target>`.

    `!name` is `name`, `.name` one of any module, `python:str` the `str` of another
    project's documents.
    """
    content = match[1]
    if with_target := _ROLE_TARGET.match(content):
        return _titled(with_target[1], with_target[2].rpartition(".")[2])
    content = _ROLE_PREFIX.sub(r"\1", content)
    if content.startswith("~"):
        owner, _, name = content.lstrip("~").rpartition(".")
        owner = owner.rpartition(".")[2]
        content = f"{owner}.{name}" if owner[:1].isupper() else name
    return f"`{content.lstrip('!.')}`"


def _titled(title: str, target: str) -> str:
    """Return the title of a role, the target where the title names another class.

    arrow's modules "provide the :class:`Arrow <arrow.parser.DateTimeParser>` class".
    """
    if not (_CLASS.fullmatch(title) and _CLASS.fullmatch(target)):
        return title
    one, other = title.lower(), target.lower()
    return title if one in other or other in one else f"`{target}`"
