"""Whether a text says what another says: docstrings, told in part and on one line."""

from __future__ import annotations

import re

_CUT = " ..."
_MARKED = re.compile(r"[`|]|::|[=\-~^*#+]{4}")
_ROLE = re.compile(r"(?::[a-z][\w:+-]*:|\{[a-z][\w:+-]*\})`([^`]+)`")  # {} in MyST
_SHOWN = re.compile(r"(.*?)\s*<[^<>]+>$", re.S)
_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]+>`__?")
_RULE = re.compile(r"^[ \t]*([=\-~^*#+\"'`])\1{3,}[ \t]*$", re.M)
_SIGNS = re.compile(r"`_+(?!\w)|[`|]|(?<=:):(?=\s|$)")
_ENDS = tuple(".!?。！？:;")


def collapsed(text: str) -> str:
    return " ".join(text.split())


def begins(said: str, source: str) -> bool:
    """Whether a text is how another begins.

    It ends with a sentence or a paragraph, or says by " ..." that it was cut.
    """
    words, source = plain(said.removesuffix(_CUT)).split(), plain(source).strip()
    found = _pattern(words).match(source) if words else None
    return found is not None and _ends_well(said, source[found.end() :])


def stands(said: str, source: str, before: str = "") -> bool:
    """Whether a text stands in another, right after `before` (a regular expression)."""
    words, source = plain(said.removesuffix(_CUT)).split(), plain(source)
    if not words:
        return False
    found = re.finditer(before + _pattern(words).pattern, source)
    return any(_ends_well(said, source[match.end() :]) for match in found)


def plain(text: str) -> str:
    """The text without markup: samples show what a reader of the page would see."""
    if not _MARKED.search(text):
        return text
    text = _RULE.sub("", text)
    text = _ROLE.sub(lambda found: _target(found[1]), text)
    text = _LINK.sub(r"\1", text)
    return _SIGNS.sub("", text)


def _target(said: str) -> str:
    """What a role shows: `text <target>` its text, `~a.b` its last name."""
    if shown := _SHOWN.match(said):
        return shown[1]
    return said.lstrip("~!").rpartition(".")[2] if said[0] == "~" else said.lstrip("!")


def _pattern(words: list[str]) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, words)))


def _ends_well(said: str, rest: str) -> bool:
    """Whether a text may end where `rest` goes on."""
    if said.endswith(_CUT):
        return bool(rest)
    rest = rest.lstrip(":")
    gap = rest[: len(rest) - len(rest.lstrip())]
    return not rest.strip() or "\n" in gap or said.endswith(_ENDS)
