"""Find what the docstring of a module says the module is for."""

from __future__ import annotations

import re

from repobuild.code.graph.introduction import letters
from repobuild.code.usage.prose_language import is_chinese
from repobuild.samples.text.summary.first_paragraph import PUNCTUATION
from repobuild.samples.text.summary.purpose import (
    PARAGRAPH_BREAK,
    first_sentence_of,
    summarise,
    without_name,
)

_DETOUR = re.compile(
    r"(?:In )?Python(?:'s)? (?:has|is|comes|provides|standard|offers|makes)\b|One of\b"
    r"|`\w+` is full\b|(?:There|Sometimes|Often|Everyone|Most|Many|Although|While)\b"
    r"|(?:Have|Do|Did|Are) you\b|As (?:an?|the|most|with)\b|When\b|Since\b"
    r"|The Python [A-Z]"
)
# What ends so goes on with a list that is not quoted.
_GOES_ON = re.compile(
    r"(?i)\b(?:because|and|or|of|to|with|by|is|are|that|which|as|including|from|like)$"
)
# How a file is run tells nothing of what it does.
_RUN = re.compile(
    r"(?:To (?:run|use)\b|Usage\b|(?:Run|Execute|Invoke|Call)(?: it| me)? "
    r"(?:[\"'`$]|with\b|this\b|using\b|as\b|python|pytest|make\b))"
)
# One line above a block of code: the caption of an example.
_CAPTION = re.compile(r"[^\n]*(?<!:)::[ \t]*(?:\n|$)")
_WORDS = re.compile(r"[^\W_]+")
# What a title of a module adds to its name and says nothing by it.
_MODULE_WORDS = frozenset(
    "a an the of for and or in with to this that module package file script example"
    " demo test code main utility util helper function class definition simple basic"
    " various specific common general some all related stuff thing".split()
)
_OF_ELEMENT = re.compile(r"(?i)\bthis (?:class|function|method|decorator)\b")
_MODULE_VERBS = frozenset(
    "around using used uses use provide provides contain contains define defines can be"
    " test tests testing unittest unittests unit case cases examples modules".split()
)
_TITLE_WORDS = 4  # more of them tell what a module is for
_SENTENCE_BEGINS = re.compile(r"[A-Z`][^\n]*\w ")


def summarise_module(docstring: str, path: str) -> str:
    """Return what a module's docstring says first, "" when that is its own name.

    What begins with the language, or with all there is, comes to the module later. A
    title of a few words is followed by what the next paragraph says first.
    """
    text = summarise(docstring)
    if _DETOUR.match(text) or _RUN.match(text) or _CAPTION.match(docstring.lstrip()):
        return ""
    if _GOES_ON.search(text):
        return ""
    if _names_file_and_package(text, path):
        return ""
    if _OF_ELEMENT.search(text):
        return ""  # "Implement this class to ...": it is about one of those below
    name = path.removesuffix("/__init__.py").rpartition("/")[2].partition(".")[0]
    return "" if letters(text) == letters(name) else _with_paragraph(text, docstring)


def _names_file_and_package(text: str, path: str) -> bool:
    """Return whether a text begins with a file's name and what its package is.

    The header of each file of a package: its name, and "websocket - WebSocket client".
    """
    *folders, file = path.split("/")
    name, _, rest = text.partition(" ")
    package, _, dash = rest.partition(" ")
    return name == file and package in folders and dash[:1] in ("-", "–", "—", ":")


def _with_paragraph(title: str, docstring: str) -> str:
    """Return a title with the first sentence of the paragraph below it."""
    if not title or len(title.split()) > _TITLE_WORDS or "\n" in title:
        return title
    below = PARAGRAPH_BREAK.split(without_name(docstring).strip())[1:2]
    if not below or not _SENTENCE_BEGINS.match(below[0]):
        return title
    text = first_sentence_of(below[0])
    if not text.endswith(tuple(".!?")):
        return title
    return f"{title}{' ' if title.endswith(PUNCTUATION) else '. '}{text}"


def repeats_path(summary: str, path: str) -> bool:
    """Return whether a module's summary says no more than its path: "Carwash example."

    It may have words which any module may be called by, and one of a folder of several:
    "ko custom locale file." of the module `custom` in `locales/ko`. Two letters say
    nothing: they are the code of a language, and at times of another one.
    """
    named = _WORDS.findall(path.lower())
    known = {*named, *(word.removesuffix("s") for word in named)} | _MODULE_WORDS
    words = (word for word in _WORDS.findall(summary.lower()) if len(word) > 2)
    return not is_chinese(summary) and all(
        word in known or word.removesuffix("s") in known for word in words
    )


def says_little_of_module(summary: str, path: str, most: int = 1) -> bool:
    """Return whether a summary has at most so many words that the path does not have.

    "Unittest for text table." of `test_texttable` needs what the module defines.
    """
    if is_chinese(summary):
        return False
    known = "".join(_WORDS.findall(path.lower()))
    words = {word for word in _WORDS.findall(summary.lower()) if len(word) > 2}
    told = (word for word in words if word.removesuffix("s") not in known)
    return len(set(told) - _MODULE_WORDS - _MODULE_VERBS) <= most
