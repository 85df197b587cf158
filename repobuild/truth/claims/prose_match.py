"""Compare prose with its source: docstrings that are quoted in part and on one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

PARAGRAPH_START = r"(?:^|(?<=\n))[ \t]*"
_CUT = " ..."
_SOURCES = 32  # files and docstrings that claims are about again and again
# The markers with which lines of comments and of docstrings begin and end.
_COMMENT_MARKERS = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|//+[!/]?|#+|--+|;+|\*|[rRuUbB]{,2}(?:\"{3}|'{3}))"
    r"[ \t]?|(?:\*+/|\"{3}|'{3})\s*$",
    re.M,
)
_MARKED = re.compile(r"`|::|[=\-~^*#+]{3}")
# `:a:` of reStructuredText and `{a}` of MyST; a text in backticks may begin so, too.
_ROLE = re.compile(
    r"(?<!`)(?::[a-z][\w:+-]*:|(?<!\w)\{[a-z][\w:+-]*\})`([^`]+)`"
)  # {} in MyST
_DOUBLED_ROLE = re.compile(r"(?<!`)(:[a-z][\w:+-]*:)``([^`]+)``(?!`)")
_BARE_ROLE = re.compile(
    r"(?<![\w`]):(?:py:)?(?:attr|class|func|meth|mod|obj|exc):(\w+)"
)
_DEFAULT_ROLE = re.compile(r"(?<![`:}\w])`(~[.\w]*\.\w+|\.[A-Z]\w*(?:\.\w+)*)`(?![`_])")
_ROLE_TEXT = re.compile(r"(.*?)\s*<(?:[^<>]*\.)?([^<>]+)>$", re.S)
_ROLE_PREFIX = re.compile(r"^([~!]?)(?:\w+:(?=\w)|\.(?=\w))")  # `python:str`, `.name`
_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]+>`__?")
# `text <target>`, but not `-T<fmt>` and `list<int>`.
_TITLED = re.compile(
    r"(?<!`)`([^`<>]+?)(?:\s+<[\w.~!]+>|(?<=\w)<[~!]?\w+\.[\w.]+>)`(?![_`])"
)
_EPYTEXT = re.compile(r"\b([BCILMUX])\{([^{}]*)\}")
_RULE = re.compile(r"^[ \t]*([=\-~^*#+\"'`])\1{2,}[ \t]*$", re.M)
_SIGNS = re.compile(r"`_+(?!\w)|`|(?<=:):(?=\s|$)")
_ESCAPE = re.compile(r"`\\(?:\s|(?=\w))")  # joins a suffix to marked text
_CHINESE = r"\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_JOINT = re.compile(rf"(?<=[{_CHINESE}])(?=[{_CHINESE}\w])|(?<=[，。；：])(?=\S)")
_COLON = re.compile(r"[ \t]*[:：]+")  # it announces what is not quoted
# `(as defined in` before a link on the next line: only the link would complete it.
_BRACKET_WITH_LINK = re.compile(r"\s+\([^()\n]*\n\s*https?://")
# A clause that announces a list or an example, which is not quoted either.
_ANNOUNCED = re.compile(
    r"[ \t,，;；]*(?:[^\n,，;；。]|\n(?!\s*\n))*?"
    r"(?:如下|以下|\bas follows|\bthe following)"
    r"[^\n,，;；。.]{0,20}(?:\n|$)"
    r"|[,，;；][^\n,，;；。.]*[:：][ \t]*(?:\n|$)"  # a clause before what it announces
)
# What goes on in an example or a list: "determine whether to log, e.g."
_EXAMPLE = re.compile(
    r"[,;]?\s+(?:e\.g\.|i\.e\.|for example|such as|like)[,:]?\s*?(?:\n|$)"
)
_ENDS = tuple(".!?。！？:;")
# Words that are headings of a docstring's sections, and what begins its fields.
_HEADINGS = frozenset(
    "parameters|other parameters|args|arguments|keyword arguments|attributes|returns|"
    "return|yields|receives|raises|warns|warnings|see also|notes|note|references|"
    "examples|example|methods|usage".split("|")
)
_NAME = re.compile(r"[A-Za-z_][\w./-]*\w", re.A)  # as a title of a module has it
_FIELD = re.compile(r"[:@](?:param|arg|type|return|rtype|raise|throws|author)\w*\b")
# A title that is a name tells no purpose; what follows it may.
_NAME_ALONE = re.compile(
    r"^[ \t`*]*[A-Za-z_][\w./:-]*(?:\([^\n]*\)[^\n]*\n|[ \t`*()]*\n\s*\n)\s*"
)
# Nor does one that names the base class.
_BASE_LINE = re.compile(
    r"^(?:an? |the )?(?:sub-?class|child|derived class|implementation|extension) of"
    r" \S+[ \t]*\n\s*\n\s*",
    re.I,
)
_STRAY_QUOTE = re.compile(r'\A"(?=[^"]*\Z)')  # of `""""Text."""`
# `@summary:` names what follows it.
_TAG = re.compile(
    r"^\s*(?:-{3,}\s*)?[@\\:](?:summary|brief|desc|description|purpose|function)\b\s*[:：]?\s*",
    re.I,
)
_REFERENCE = re.compile(r"(?<=\w)_(?!\w)")  # `Sphinx_`, a link to a target
_IMPRINT = re.compile(
    r"(?:copyright\b|\(c\)|©|created (?:on|by)\b).*(?:19|20)\d\d|licen[sc]ed under",
    re.I,
)


def collapsed(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def is_beginning(text: str, source: str) -> bool:
    """Return whether the source begins with the text, apart from markup and layout.

    The text has to end where a sentence or a paragraph ends, or with " ...".
    """
    bare = _REFERENCE.sub("", text.removesuffix(_CUT))
    source = plain(_REFERENCE.sub("", source)).strip()
    patterns = (_NAME_ALONE, _BASE_LINE, _TAG, _STRAY_QUOTE)
    starts = [source, *(one.sub("", source, count=1) for one in patterns)]
    return any(
        (match := re.match(_words_pattern(words), start)) is not None
        and _may_end(text, start[match.end() :])
        for words in _told_words(bare)
        for start in starts
    )


def begins_comment(text: str, source: str) -> bool:
    """Return whether a paragraph of a comment begins with the text.

    The source is a file that no parser reads here: its strings count as comments.
    """
    return occurs(text, _without_markers(source), PARAGRAPH_START)


@lru_cache(maxsize=_SOURCES)
def _plain_source(source: str) -> str:
    return plain(source)


@lru_cache(maxsize=_SOURCES)
def _without_markers(source: str) -> str:
    return _COMMENT_MARKERS.sub("", source)


def is_purpose(text: str) -> bool:
    """Return whether a text can be what something is for.

    A heading of a section, a field, a copyright line and a date cannot.
    """
    if text.strip(" :").lower() in _HEADINGS or _NAME.fullmatch(text):
        return False
    return not (_FIELD.match(text) or _IMPRINT.match(text))


def occurs(text: str, source: str, before: str = "") -> bool:
    """Return whether the source has the text right after `before`, a pattern."""
    claimed, source = text.removesuffix(_CUT), _plain_source(source)
    return any(
        _may_end(text, one[match.end() :])
        for words in _told_words(claimed)
        for one in dict.fromkeys((source, _REFERENCE.sub("", source)))
        for match in re.finditer(before + _words_pattern(words), one)
    )


def _told_words(text: str) -> set[tuple[str, ...]]:
    """Return the words of a text: `run <port>` reads like a title with its target."""
    told = {tuple(one.split()) for one in (plain(text), _SIGNS.sub("", text))}
    return told - {()}


def plain(text: str) -> str:
    """Return the text without markup, as a reader of the rendered page sees it."""
    text = _EPYTEXT.sub(lambda inline: _epytext(*inline.groups()), text)
    text = _BARE_ROLE.sub(r"`\1`", text)
    if not _MARKED.search(text):
        return text
    text = _ESCAPE.sub("`", _RULE.sub("", text))
    text = _DOUBLED_ROLE.sub(r"\1`\2`", text)
    text = _ROLE.sub(lambda role: _role_text(role[1]), text)
    text = _DEFAULT_ROLE.sub(lambda role: _role_text(role[1]), text)
    text = _TITLED.sub(r"\1", _LINK.sub(r"\1", text))
    return _SIGNS.sub("", text)


def _epytext(kind: str, text: str) -> str:
    return f"`{text}`" if kind in ("C", "L") else text


def _role_text(content: str) -> str:
    """Return what a role renders: `text` of `text <target>`, `b` of `~a.b`, `.b`.

    A method keeps its class: `C.m` of `~a.C.m`. A title that names a class has the name
    of another target's class: the page links there.
    """
    if explicit := _ROLE_TEXT.match(content):
        return _class_meant(*explicit.groups()) or explicit[1]
    content = _ROLE_PREFIX.sub(r"\1", content)
    if content[0] == "~":
        owner, _, name = content.lstrip("~!").rpartition(".")
        owner = owner.rpartition(".")[2]
        return f"{owner}.{name}" if owner[:1].isupper() else name
    return content.lstrip("!.")


def _class_meant(title: str, target: str) -> str:
    """Return the class a role leads to where its title is the name of another one."""
    if not all(re.fullmatch(r"[A-Z][a-z]\w*", name) for name in (title, target)):
        return ""
    short, long = sorted((title.lower(), target.lower()), key=len)
    return "" if short in long else target


def _words_pattern(words: Iterable[str]) -> str:
    """Return a pattern for words in any layout; Chinese lines join without a space."""
    return r"\s+".join(_JOINT.sub(r"\\s*", re.escape(word)) for word in words)


def _may_end(text: str, rest: str) -> bool:
    """Return whether a text may end where its source continues with `rest`."""
    if text.endswith(_CUT):
        return bool(rest)
    if any(one.match(rest) for one in (_BRACKET_WITH_LINK, _ANNOUNCED, _EXAMPLE)):
        return True
    rest = _COLON.sub("", rest)
    gap = rest[: len(rest) - len(rest.lstrip())]
    return not rest.strip() or "\n" in gap or text.endswith(_ENDS)
