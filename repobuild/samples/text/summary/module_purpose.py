"""Find what the docstring of a module says the module is for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from repobuild.code.graph.project.introduction import letters
from repobuild.code.usage.prose_language import is_chinese
from repobuild.engine.contract import Value
from repobuild.samples.text.markup import strip_markup
from repobuild.samples.text.summary.first_paragraph import PUNCTUATION
from repobuild.samples.text.summary.purpose import (
    PARAGRAPH_BREAK,
    first_sentence_of,
    summarise,
    without_name,
)
from repobuild.samples.text.summary.sentences import (
    SENTENCE,
    SENTENCE_END,
    first_sentence,
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
_WHOLE = 2_000  # characters of a first paragraph that is not cut
_LONGEST_SENTENCES = 2 * SENTENCE  # of those that tell a purpose together
_ABOUT_ITSELF = r"(?i:\bthis (?:module|package|file|script|library)\b)"
_TOLD_CLASS = re.compile(
    r"(?i:(?:this module )?(?:provides?|implements?|defines?|contains?|holds?) "
    r"(?:the|an?)) `?([A-Z]\w*[a-z]\w*)`? (?:class|type|exception)\b"
)
# What a module does, and not what it lacks, needs or may not do.
_TELLS = (
    r" (?:\w+ly )?(?!is\b|was\b|has\b|does\b|assumes\b|needs\b|requires\b)[a-z]+s\b"
)
_BACKGROUND = 3  # sentences that tell of other things first
_STAR = "*"  # the key of imports that may bind any name
_SENTENCE_BEGINS = re.compile(r"[A-Z`][^\n]*\w ")


def summarise_module(
    docstring: str, path: str, names: Mapping[str, bool] | None = None
) -> str:
    """Return what a module's docstring says first, "" when that is its own name.

    What begins with the language, or with all there is, comes to the module later. A
    title of a few words is followed by what the next paragraph says first. `names` are
    those that the module binds, and whether it defines them: what tells of a class that
    is not among them was written for another module.
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
    if _tells_other_class(text, names) or _comes_to_itself_later(
        text, docstring, path, names
    ):
        return ""
    is_name = letters(text) == letters(_module_name(path))
    return "" if is_name else _with_paragraph(text, docstring)


def module_summary(path: str, facts: Value) -> str:
    """Return what the docstring in a row of `facts` says that its module is for."""
    if not facts or not facts.get("doc"):
        return ""
    bound = dict.fromkeys(facts.get("names", ()), False)
    defined = (row[0] for row in facts.get("elements", ()))
    bound.update((qual, True) for qual in defined if "." not in qual)
    return summarise_module(facts["doc"], path, bound)


def first_sentence_of_module_summary(summary: str, path: str) -> str:
    """Return the first sentence of a summary, with those up to one about the module.

    "Python has a `functools` module. `funcutils` adds to it.": the first alone tells
    what another module does. "" if these sentences are too long.
    """
    begins = _begins_with(path)
    ends = [match.start() for match in SENTENCE_END.finditer(summary)]
    if re.search(_mentions(path), summary[: ends[0]] if ends else summary):
        return first_sentence(summary)
    for start, end in zip(ends, ends[1:], strict=False):
        if begins.match(summary[start:end].lstrip()):
            return summary[:end] if end <= _LONGEST_SENTENCES else ""
    return first_sentence(summary)


def _module_name(path: str) -> str:
    return path.removesuffix("/__init__.py").rpartition("/")[2].partition(".")[0]


def _mentions(path: str) -> str:
    """Return a pattern for the name of a module as code, or "this module"."""
    return rf"{_ABOUT_ITSELF}|`(?:\w+\.)*{re.escape(_module_name(path))}`"


def _begins_with(path: str) -> re.Pattern[str]:
    """Return a pattern for a sentence about a module: "The `funcutils` module adds"."""
    return re.compile(
        rf"(?:(?:The|Module|Here,?|So) )?(?:{_mentions(path)})"
        rf"(?: (?:module|package))?{_TELLS}"
    )


def _tells_other_class(text: str, names: Mapping[str, bool] | None) -> bool:
    """Return whether a text tells of a class that the module does not bind."""
    told = _TOLD_CLASS.match(text)
    if told is None or not names or _STAR in names:
        return False
    return told[1] not in names


def _comes_to_itself_later(
    text: str, docstring: str, path: str, names: Mapping[str, bool] | None
) -> bool:
    """Return whether a text tells the background only of what a module is for.

    What is left out of its paragraph begins to tell of the module, or a later paragraph
    does, or both tell of what it defines, after sentences without any of that.
    """
    if re.search(_mentions(path), text):
        return False
    defined = (name for name, is_own in (names or {}).items() if is_own)
    own = "|".join(map(re.escape, defined)) or r"(?!)"
    if re.search(rf"\b(?:{own})\b", text):
        return False
    first, *below = PARAGRAPH_BREAK.split(docstring.strip())
    rest = summarise(first, _WHOLE).removeprefix(text)
    ends = [0, *(match.start() for match in SENTENCE_END.finditer(rest))]
    begins = _begins_with(path)
    if any(begins.match(rest[end:].lstrip()) for end in ends):
        return True
    if len(SENTENCE_END.findall(text)) < _BACKGROUND:
        return False
    told = [rest[end:].lstrip() for end in ends] + list(map(strip_markup, below))
    own_begins = re.compile(rf"(?:The )?`(?:{own}|{re.escape(_module_name(path))})` ")
    return any(map(own_begins.match, told))


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
