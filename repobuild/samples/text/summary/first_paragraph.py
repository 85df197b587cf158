"""Find the first paragraph of a docstring, with or without its list, on one line.

It ends before a section, a field, or a sentence that begins without a full stop before
it. Markup that only a documentation tool reads is stripped: see markup.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from repobuild.code.usage.prose_language import is_chinese, join_lines
from repobuild.samples.text.markup import strip_markup, strip_title_rules
from repobuild.samples.text.summary.sentences import SENTENCE_END, SUMMARY, shorten

_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+\S")
_WIDE = 0x2E80  # signs from here on take two columns
_WRAPPED = 60  # columns of a line that is wrapped, at least
# Signs that begin or end no sentence.
_GOING_ON = frozenset(
    "的地得来和与或及并而则以等中时后前到为将就也都是在从所但被把对给让向于之其个些种"
)
SECTION_NAME = (
    r"(?:(?:other[ ]|keyword[ ]|class[ ])?(?:parameters?|params|args|arguments)"
    r"|(?:class[ ])?attributes"
    r"|kwargs|returns?|yields?|receives|raises|exceptions|warns|warnings?|see[ ]also"
    r"|notes?|references|examples?|methods|properties|usage|inputs?|outputs?|todo)"
)
TAG = (
    r"@(?:params?|parameter|arg|argument|keyword|kwarg|kwparam|type|returns?|rtype|raises?"
    r"|throws|exception|yields?|[icg]?var|group|sort|see|since|version|authors?|license"
    r"|licence|copyright|deprecated|note|todo|example|override|private|public|module"
    r"|file|fileoverview|constructor|typedef|template|internal|hidden|ignore)\b"
)
SECTION = re.compile(
    # A word with a colon begins a section, but not where a sentence goes on.
    r"(?<![a-z,])\n[ \t]*[A-Z][\w ]*:[ \t]*$"
    rf"|\n[ \t]*(?:(?i:{SECTION_NAME}):[ \t]*$"
    r"|:\w+[^:\n`]*:(?!(?:[\w+-]+:)?`)"
    r"|https?://\S+[ \t]*$|-{3,}|>>> |\.\. \w[\w:-]*::"
    rf"|{TAG}|(?i:{SECTION_NAME})[ \t]*\n[ \t]*[-=~]{{3,}}[ \t]*$)",
    re.M,
)
# `Sphinx_` is a link where the same docstring has `.. _Sphinx: https://...`.
_TARGET = re.compile(r"^[ \t]*\.\. _`?([^:`\n]+)`?:", re.MULTILINE)
_CAPITALISED = re.compile(r"[A-Z][a-z]+ ")
# A note on what has a name: "data can be anything", "allow_blank: if False".
_NOTE = re.compile(r"[a-z_]\w*(?::| (?:can|may|must|should) be) +\S")
_OPEN_END = re.compile(
    r"\b(?:an?|the|of|to|in|on|for|and|or|nor|but|that|which|whether|if|when|with|by|from|as"
    r"|at|into|than|is|are|be|its|each|every|any|no|this|these|given|specified|what|how"
    r"|where|whose|unless|until|while|because|so|then)$",
    re.IGNORECASE,
)
# Words that only begin a sentence when they have a capital letter.
_SENTENCE_START = re.compile(
    r"(?:This|These|It|If|When|Note|You|We|See|Return|Returns|Use) "
    r"|(?:详情|详见|参见|请参考|注意|如果|一般用于|用户)"
)
# A sentence that goes on with a link on the next line, or in a bracket that is open.
_BEFORE_LINK = re.compile(
    r"\b(?:in|at|from|on|of|see|by|to|with|per|and|or|the|via|is)$"
)
PUNCTUATION = tuple(".!?:;,。！？：；，")
_STATEMENT = re.compile(r"[A-Z][a-z]+,? ")
_VERB = re.compile(r"[A-Z][a-z]+[^s\W]s ")  # "Removes ", as the line before has it
_LINES_OF_LIST = 3  # that begin with a capital each: one statement a line
# An end that only what is not quoted would complete: "doctests, such as".
_OPEN_CLAUSE = re.compile(
    r"(?:[,，;]\s*(?:(?:for example|e\.g\.?|such as|like|including|namely|i\.e\.?)"
    r"|as(?: \w+)? (?:in )?(?:the following(?: \w+)?|follows|below))"
    r"|[,，]\s*where|\s+(?:such as|including|namely|e\.g\.))\s*[:：]?$",
    re.IGNORECASE,
)
# What is counted or announced, and left out: "storing two more values", "True if".
_OPEN_SENTENCE = re.compile(
    r"(?i)(?:\b(?:(?:the|these|one of(?: the)?|in|as) following\b[^.]*"
    r"|(?:two|three|four|five|several) (?:additional|extra|more|different|possible)"
    r" \w+|as follows|like this|such as|of the form|\w+'s"
    r"|(?:an?|the|of|and|or|nor|but|if|whether|when|unless|than|its|every)))$"
)


def summarise_prose(
    docstring: str, most: int = SUMMARY, keeps_colon: bool = False
) -> str:
    """Return the first paragraph on one line, also where it is a licence.

    A list that ends the paragraph is left out, and the colon before it unless asked.
    """
    lines = first_paragraph(docstring).summary
    text = strip_markup(_without_references(join_lines("\n".join(lines)), docstring))
    return shorten(text if keeps_colon else without_announcement(text), most)


def whole_sentences(text: str) -> str:
    """Return a text without an end that only what is left out would complete.

    A clause goes alone, "such as" with its comma. A sentence goes whole.
    """
    text = _OPEN_CLAUSE.sub("", text)
    if not _OPEN_SENTENCE.search(text):
        return text
    ends = [match.start() for match in SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends and ends[-1] < len(text) else ""


def _without_references(text: str, docstring: str) -> str:
    """Return a text with the names of the docstring's link targets without marks."""
    if "_ " not in f"{text} ".replace(".", " ").replace(",", " "):
        return text
    for target in _TARGET.findall(docstring):
        text = re.sub(rf"(?i)(?<!\w)({re.escape(target)})_(?!\w)", r"\1", text)
    return text


class Paragraph(NamedTuple):
    """The lines of a docstring's first paragraph, up to a section or a field."""

    lines: list[str]
    before_list: list[str]  # the first of them, all without a list
    summary: list[str]  # the first of these: its first sentences


def first_paragraph(docstring: str) -> Paragraph:
    """Return the first paragraph of a docstring; a heading above it is left out."""
    text = strip_title_rules(docstring).strip()
    section = SECTION.search("\n" + text)
    if section:
        text = text[: max(section.start() - 1, 0)]
        if section[0].lstrip().startswith("http"):
            text = _without_dangling(text)
    first, *below = text.split("\n\n")
    is_announced = first.rstrip().endswith((":", "："))
    lines = [*first.split("\n"), *(_list_below(below) if is_announced else ())]
    before = _lines_before_list(lines)
    width = max(map(len, docstring.split("\n")))
    return Paragraph(lines, before, lines_of_first_sentences(before, width))


def _list_below(blocks: list[str]) -> list[str]:
    """Return the lines of a list, [] where an item has more than one paragraph."""
    lines: list[str] = []
    for block in blocks:
        if not _ITEM.match(block):
            is_of_item = len(block) - len(block.lstrip()) > _indent(lines)
            return [] if lines and is_of_item else lines
        lines += block.split("\n")
    return lines


def _indent(lines: list[str]) -> int:
    return len(lines[0]) - len(lines[0].lstrip()) if lines else 0


def list_items(docstring: str) -> list[str]:
    """Return the list in the first paragraph, each item on one line with its mark."""
    paragraph = first_paragraph(docstring)
    if paragraph.summary != paragraph.before_list:
        return []  # the summary ends before what announces the list
    items: list[str] = []
    for line in paragraph.lines[len(paragraph.before_list) :]:
        if _ITEM.match(line):
            items.append(" ".join(line.split()))
        elif items:
            items[-1] += " " + " ".join(line.split())
    return [strip_markup(item).rstrip() for item in items]


def _without_dangling(text: str) -> str:
    """Return a text before a link without what only the link would complete."""
    paragraph = text.rstrip()
    if paragraph.count("(") > paragraph.count(")"):
        return paragraph[: paragraph.rindex("(")].rstrip()
    if not _BEFORE_LINK.search(paragraph):
        return text
    ends = [match.start() for match in SENTENCE_END.finditer(paragraph)]
    return paragraph[: ends[-1]] if ends else ""


def _lines_before_list(lines: list[str]) -> list[str]:
    """Return the lines before the first item of a list that follows other text."""
    if _ITEM.match(lines[0]):
        return lines
    items = (number for number, line in enumerate(lines) if _ITEM.match(line))
    return lines[: next(items, len(lines))]


def lines_of_first_sentences(lines: list[str], width: int) -> list[str]:
    """Return the lines before a sentence that begins without a full stop before it.

    A new sentence begins on the next line when the author broke the line early (the
    next word is capitalised and fits into `width`, or a Chinese line is not half as
    long as others), or when the next word can only begin a sentence. Lines that all
    begin with a capital are statements of their own.
    """
    is_list = _is_list_of_statements(lines, width)
    for number, line in enumerate(lines[:-1]):
        if not line.rstrip().endswith(PUNCTUATION):
            following = lines[number + 1].lstrip()
            word = _CAPITALISED.match(following)
            fits = word and len(line.rstrip()) + word.end() <= width
            fits = fits or _ends_in_chinese(line, following, width)
            fits = fits or _begins_note(line, following, width)
            fits = fits or _are_statements(line, following)
            fits = fits or (is_list and not _OPEN_END.search(line.rstrip()))
            if fits or _SENTENCE_START.match(following):
                return lines[: number + 1]
    return lines


def _is_list_of_statements(lines: list[str], width: int) -> bool:
    """Return whether all lines begin with a capital, and one was broken early."""
    words = [_STATEMENT.match(line.lstrip()) for line in lines]
    return (
        len(lines) >= _LINES_OF_LIST
        and all(words)
        and any(
            len(line.rstrip()) + word.end() <= width
            for line, word in zip(lines, words[1:], strict=False)
            if word
        )
    )


def _are_statements(line: str, following: str) -> bool:
    """Return whether two lines begin with verbs, and the first was broken early.

    "Enforces the type of an index" above "Removes what is not wanted": a line as long
    as that is wrapped nowhere, whatever the longest line of its docstring is.
    """
    verb = _VERB.match(following)
    is_early = verb and len(line.rstrip()) + verb.end() <= _WRAPPED
    is_open = _OPEN_END.search(line.rstrip())
    return bool(is_early and _VERB.match(line.lstrip()) and not is_open)


def _begins_note(line: str, following: str, width: int) -> bool:
    """Return whether a line is a note on a parameter or an attribute, by its name.

    "allow_blank: if False, ..." and "data can be anything" are below other text, which
    goes on with no word of a sentence, and its author broke the line early.
    """
    note = _NOTE.match(following)
    if note is None or _OPEN_END.search(line.rstrip()):
        return False
    word = following.split(maxsplit=1)[0]
    return len(line.rstrip()) + 1 + len(word) <= width


def _ends_in_chinese(line: str, following: str, width: int) -> bool:
    """Return whether a Chinese author ended a sentence by the end of its line.

    A line that is wrapped is about as long as others, or nearly as wide as a screen, or
    one of the signs at the break belongs to a sentence that goes on.
    """
    if not is_chinese(line):
        return False
    if 2 * len(line.rstrip()) < width:
        return True
    text = line.strip()
    columns = sum(2 if ord(sign) > _WIDE else 1 for sign in text)
    goes_on = following[:1] in _GOING_ON or text[-1:] in _GOING_ON
    return columns < _WRAPPED and not goes_on


def without_announcement(text: str) -> str:
    """Drop a last sentence that announces a list or an example, which is not quoted."""
    if not text.endswith((":", "：")):
        return text
    ends = [match.start() for match in SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text.rstrip(":： ")
