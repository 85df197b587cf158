"""Find what a docstring says its element is for.

A docstring that begins with a section, a field, a licence or a date tells no purpose.
"""

from __future__ import annotations

import re
from functools import lru_cache

from repobuild.code.usage.prose_language import join_lines
from repobuild.samples.text.markup import strip_markup, strip_title_rules
from repobuild.samples.text.summary.first_paragraph import (
    SECTION_NAME,
    TAG,
    first_paragraph,
    list_items,
    summarise_prose,
    whole_sentences,
    without_announcement,
)
from repobuild.samples.text.summary.sentences import (
    CASE,
    SENTENCE_END,
    SUMMARY,
    first_sentence,
    shorten,
)

_LONGEST_LIST = 480  # characters of a first paragraph with its list
_MOST_KNOWN = 512  # docstrings; half of those asked for were so for the same file
# A tag that names what it begins with, as those who come from Java write it.
_PURPOSE_TAG = re.compile(
    r"\s*(?:-{3,}[ \t]*\n\s*)?"
    r"(?:[@\\](?:summary|brief|desc|description|purpose|function)\b"
    r"[ \t]*[:：]?|:(?:summary|desc|description|purpose):)\s*",
    re.IGNORECASE,
)
_STRAY_QUOTE = re.compile(r'\A\s*"(?=[^"]*\Z)')
# What a docstring may begin with instead of its purpose. A licence has its year or its
# sign, so that "Copyright line of a page." stays a purpose.
_NO_PURPOSE = re.compile(
    rf""":(?:return|returns|param|type|rtype|raises?)\b  # a field, with one colon, too
    |(?:[-=~*\#^]{{3,}}[ \t]*\n[ \t]*)?[\#*]*[ \t]*{SECTION_NAME}[*: \t]*(?:\n|$)
    |{TAG}
    |https?://\S  # where more is said of it
    |(?:详情|详见|参见|请参[考见阅])[^\n。]*(?:\n|$)
    |\#[ ]?(?:pylint|noqa|type|fmt|flake8|isort|mypy)\b
    |@[a-z]\w*[ ]*[:：]  # `@Project ：name` of a template
    |(?:输入|传入)?参数(?:说明)?[ ]*[:：]
    |(?:for[ ])?(?:internal|private)[ ](?:(?:helper|utility)[ ])?
        (?:functions?|methods?|class(?:es)?|helpers?|modules?|utilit(?:y|ies)|code|use
        |api|details?)(?:[ ]only)?[.!]?[ ]*(?:\n|$)
    |-\*- | \#! | vim?:[ ] | written[ ]by\b | by[ ]\w[^\n<]*<  # a line for an
        # editor, or of whoever wrote it
    |v(?:ersion)?[ ]?\d[\d.]*[ ]*(?:\n|$) | (?-i:DO[ ]NOT[ ])(?:edit|modify)\b
    |(?:in|out)puts?[ ]*[:：][ \t]*\S  # what goes in, and not what for
    |[a-z_]\w*[ ]=[ ]["'\d\[{{(]  # code
    |(?-i:try[ ]*:|(?:for[ ]\w[\w, ]*[ ]in|with|if|while)[ ][^\n]*:[ \t]*\n[ \t]+\S)
    |\.\.[ ]\w[\w:-]*: | [{{\[][ \t]*["'][^\n]*[}}\]][ \t]*(?:\n|$)  # a literal
    |(?:[-=~*\#^]{{5,}}[ \t]*\n\s*)?copyright\b
        (?=[^\n]*(?:\(c\)|©|\b(?:19|20)\d\d\b|:|[ ](?:authors|contributors|inc|llc|ltd
            |gmbh|corp)\b)) | \(c\)[ ] | ©
    |\*?x\.__\w+__\([^\n]*(?:<==?>|[⟺⇔])  # the operator that a dunder method stands for
    |\*?\w+\.\w+\([^\n]*\)[ ](?:->|→)[ ]\(?\w+(?:,[ ]\w+)*\)?\*?(?:\n\n|$)  # a call
    |(?-i:and|or|but|nor|so|which|whose|that|than|otherwise|may|has[ ]been)\b  # the
        # middle of a sentence
    |[(\[{{]\s*['"]  # data, as of a rule
    |this[ ](?:can(?:'t|not|[ ]not)?|should(?:n't)?|could|must|needs?[ ]to|has[ ]to)\b
    |(?:not[ ]|un)(?:used|needed|implemented|supported)\W*(?:\n|$)
    |(?:todo|fixme|xxx)\b  # notes to those who maintain it
    |(?:the[ ])?main[ ](?:module|class|file|function)\W*$
    |主(?:模块|类|函数|程序|文件)\W*(?:\n|$)  # of what it does it says nothing
    |from[ ]\w+[ ]to[ ]\w+,[ ]\w+[ ](?:is|are)[ ]so\b  # a slogan
    |[.,;)|]+(?:\s|$) | \.{{2,3}} | !!!\ \w  # a directive of a documentation tool
    |created[ ](?:on|by)\b(?=:|[^\n]*\b(?:19|20)\d\d\b) | date[ ]*:[^\n]*\d
    |(?:authors?|licen[sc]e|file(?:name)?)[ ]*:[ \t]*\S | spdx- | \$id\b
    |licen[sc]ed[ ](?:under|to)\b | all[ ]rights[ ]reserved
    |permission[ ]is[ ]hereby | redistribution[ ]and[ ]use
    |this[ ](?:file|program)[ ]is[ ]part[ ]of\b
    |this[ ](?:file|program|module|library|software|code)[ ]is[ ]
      (?:free[ ]software|licensed|released[ ]under|subject[ ]to
         |distributed[ ](?:under|in))
    """,
    re.I | re.X,
)
# A title that names the module or the function, or how it is called, and says nothing
# of its purpose.
_NAME_ALONE = re.compile(
    r"[`*]*[A-Za-z_][\w./:-]*\w[`*]*(?:参数|类|函数|方法|模块|对象)?"
    r"(?:\((?:[^()\n]|\([^()\n]*\))*\)[`*]*(?:[ ]*(?:->|→)[ ]*[\w.\[\]]+)?)?",
    re.ASCII,  # "websocket鉴权" is no name
)
# A last sentence that only points elsewhere.
_POINTER = re.compile(r"(?<=[.!?])\s+(?:Please )?[Ss]ee (?:also )?[^.]*\S\.?$")
# One in the middle: what follows may be about what it points to.
_INNER_POINTER = re.compile(r"(?<=[.!?])\s+(?:Please )?See (?:also )?`[^`]+`\.(?=\s)")
# A last sentence that ends with an address.
_LINK_SENTENCE = re.compile(
    r"(?:(?<=[.!?])\s+|(?<=[。！？]))[^.。]*?[:：]?\s*https?://\S+\s*$"
)
# Lines that each tell one case: "no data: ()", "data: a list of rows".
_CASES = re.compile(r"[^\s:：]{1,8}[:：][^\n]+\n[ \t]*[^\s:：]{1,8}[:：][ \t]*\S")
# A first line that names the base class, and no purpose.
_BASE_LINE = re.compile(
    r"(?:An? |The )?(?:sub-?class|child|derived class|implementation|extension) of"
    r" [:`~\w.]+[.:]?\s*(?:\n\s*\n|$)",
    re.IGNORECASE,
)
# "Set the value::", and no "For example::".
_USE = re.compile(
    r"(?!.*\b(?i:examples?|usage|following|follows?|like|see|notes?|output|results?)\b)"
    r"[A-Z][a-z]+(?:\s+[^\s.:]+){2,}\s*::?",
    re.DOTALL,
)
_FIELD_OR_SECTION = re.compile(
    rf":\w[^:\n]*:|{TAG}|(?i:{SECTION_NAME})[ \t]*:?[ \t]*$|-{{3,}}|>>> |\.\. \w"
)
_LETTER = re.compile(r"[^\W\d_]")
_COMMENT_MARK = re.compile(r"[*#]+ ")  # of a heading, or of a frame around a text
_LIST = re.compile(r"(?:[-+•][ \t]+\S[^\n]*(?:\n|\Z)[ \t]*){2}")
PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n")


def has_fields_alone(docstring: str) -> bool:
    """Return whether a docstring is nothing but fields and sections that are known."""
    begun = False
    for line in docstring.strip().split("\n"):
        if not line.strip() or line[0] in " \t":
            continue
        if _FIELD_OR_SECTION.match(line):
            begun = True
        elif not begun or line.rstrip().endswith((":", "：")):
            return False  # "Formula:", a section of its own
    return begun


@lru_cache(_MOST_KNOWN)
def summarise(docstring: str, most: int = SUMMARY) -> str:
    """Return the first paragraph on one line, "" when it tells no purpose.

    A paragraph of more than `most` characters is cut by `shorten`. A sentence that what
    is not quoted would complete is left out.
    """
    return whole_sentences(_summary(docstring, most))


def is_left_open(docstring: str) -> bool:
    """Return whether a purpose is none only since its one sentence has no end."""
    return bool(_summary(docstring, SUMMARY)) and not summarise(docstring)


def _summary(docstring: str, most: int) -> str:
    """Return the first paragraph, its last sentence may announce what follows."""
    tagged, docstring = docstring, without_tag(docstring)
    first = docstring.strip().partition("\n")[0]
    if docstring is not tagged and _NAME_ALONE.fullmatch(first.strip()):
        return ""  # what follows is the next part
    if _NO_PURPOSE.match(docstring.lstrip()) or _CASES.match(docstring.lstrip()):
        return ""
    if _NO_PURPOSE.match(without_name(docstring).lstrip()):
        return ""  # its own name, and below it "Created on 4 sept. 2010"
    if uses := _told_uses(docstring):
        return shorten(" ".join(uses), most)
    text = summarise_prose(without_name(docstring), most)
    if text.endswith((",", "，")):
        # The last sentence goes on after an empty line.
        ends = [match.start() for match in SENTENCE_END.finditer(text)]
        text = text[: ends[-1]] if ends else ""
    text = _LINK_SENTENCE.sub("", _POINTER.sub("", text))
    if _is_list_or_rule(text, docstring):
        return ""
    if pointer := _INNER_POINTER.search(text):
        text = text[: pointer.start()]
    if first_sentence(text).endswith(("?", "？")):
        return ""  # a question of those who wrote it
    return "" if _NAME_ALONE.fullmatch(text) else text  # "source:" before a link


def _is_list_or_rule(text: str, docstring: str) -> bool:
    """Return whether a text is a frame of signs, a heading, or a list on one line."""
    if text and not _LETTER.search(text):
        return True
    return (
        bool(_COMMENT_MARK.match(text)) or _LIST.match(docstring.lstrip()) is not None
    )


def rest_of_first_paragraph(docstring: str) -> list[str]:
    """Return the lines after the summary in its own paragraph as one text, or []."""
    paragraph = first_paragraph(without_name(docstring))
    if paragraph.before_list != paragraph.lines:
        return []
    rest = "\n".join(paragraph.lines[len(paragraph.summary) :])
    return [rest] if rest.strip() else []


def without_tag(docstring: str) -> str:
    """Return a docstring without `@summary:` before its purpose.

    Four quotes begin a docstring with a quote that nothing closes.
    """
    docstring = _STRAY_QUOTE.sub("", docstring, count=1)
    tag = _PURPOSE_TAG.match(docstring)
    return docstring[tag.end() :] if tag else docstring


def without_name(docstring: str) -> str:
    """Return a docstring without what comes before its purpose.

    That is a name alone, a line with its call, or one that names the base class.
    """
    text = strip_title_rules(docstring).strip()
    if base := _BASE_LINE.match(text):
        return text[base.end() :]
    first, _, rest = text.partition("\n\n")
    if _NAME_ALONE.fullmatch(first.strip()):
        return rest
    line, _, rest = text.partition("\n")
    is_call = "(" in line and rest and _NAME_ALONE.fullmatch(line.strip())
    return rest if is_call else docstring


def _told_uses(docstring: str) -> list[str]:
    """Return a sentence for each use, where a docstring has several with examples.

    "Set the value::" alone, before its example, would tell half of a method whose next
    paragraph is "Get the value::".
    """
    paragraphs = PARAGRAPH_BREAK.split(docstring.strip())
    told = [one for one in paragraphs if not one.startswith((" ", "\t", ">>>"))]
    if len(told) < 2 or not all(map(_USE.fullmatch, told)):
        return []
    uses = (strip_markup(join_lines(one)).rstrip(": ") for one in told)
    return [f"{one}." for one in uses]


def summarise_with_list(docstring: str) -> str:
    """Return the first paragraph, and a list that ends it with a line for each item."""
    lead = _summary(docstring, SUMMARY)
    told = without_name(without_tag(docstring))
    items = list_items(told) if lead else []
    text = "\n".join([_announcement(told, lead), *items]) if items else ""
    return text if 0 < len(text) <= _LONGEST_LIST else whole_sentences(lead)


def _announcement(docstring: str, lead: str) -> str:
    """Return the sentence that announces a list, with its colon where it has one."""
    text = summarise_prose(docstring, SUMMARY, keeps_colon=True)
    return text if text.startswith(lead) else lead


@lru_cache(4096)
def first_sentence_of(docstring: str) -> str:
    """Return the first sentence of a docstring's purpose, "" without one.

    One that begins with a condition tells one case alone: then it is all of them.
    """
    paragraph = summarise(docstring)
    sentence = first_sentence(paragraph)
    return paragraph if CASE.match(sentence) else sentence


def lead(summary: str) -> str:
    """Return a summary without its list, and what only the list would complete."""
    first, line_break, _ = summary.partition("\n")
    return whole_sentences(without_announcement(first)) if line_break else first
