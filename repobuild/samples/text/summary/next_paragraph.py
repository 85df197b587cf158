"""Tell what follows a first sentence that says no more than the name."""

from __future__ import annotations

import re

from repobuild.code.usage.prose_language import is_chinese
from repobuild.samples.text.summary.first_paragraph import first_paragraph
from repobuild.samples.text.summary.purpose import (
    PARAGRAPH_BREAK,
    rest_of_first_paragraph,
    summarise,
    without_name,
)
from repobuild.samples.text.summary.sentences import SENTENCE, first_sentence

SENTENCE_ENDS = (".", "!", "?", ":", "。", "！", "？", "：")
_TWO_SENTENCES = 2 * SENTENCE  # characters
_SENTENCE = re.compile(r"[A-Z`\u4e00-\u9fff][^\n]*[ \u4e00-\u9fff]")
# Where more is said, or how it is used: this tells nothing of what it is for.
_POINTER = re.compile(
    r"详情|详见|参见|参考|请参[考见阅]|更多|文档|注意|示例|用法|例如"
    r"|(?:For (?:more|details|further|example)|(?:Please )?[Ss]ee|Examples?|Usage"
    r"|Notes?)\b"
)


def paragraphs(docstring: str) -> list[str]:
    """Return the paragraphs of a docstring, without a name above them."""
    return PARAGRAPH_BREAK.split(without_name(docstring).strip())


def with_next_paragraph(docstring: str, title: str) -> str:
    """Return a title that says only the name with what follows it, or "".

    That is the rest of its own paragraph, where one begins on the next line. Below a
    list that is not told nothing follows.
    """
    paragraph = first_paragraph(without_name(docstring))
    if paragraph.before_list != paragraph.lines:
        return ""
    below = [*rest_of_first_paragraph(docstring), *paragraphs(docstring)[1:2]][:1]
    if not below or not _SENTENCE.match(below[0]) or _POINTER.match(below[0].strip()):
        return ""
    text = summarise(below[0])
    if not text.endswith(SENTENCE_ENDS) and not is_chinese(text):
        return ""
    stop = "。" if is_chinese(title) else ". "
    joint = " " if title.endswith(SENTENCE_ENDS) else stop
    return f"{title}{joint}{text}"


def with_next_sentence(docstring: str, sentence: str) -> str:
    """Return a first sentence that says only the name with the next one.

    A sentence without an end stays alone: it would be told as one with the next.
    """
    whole = summarise(docstring)
    if whole == sentence:
        whole = with_next_paragraph(docstring, sentence)
    if not whole.startswith(sentence) or not sentence.endswith(SENTENCE_ENDS):
        return sentence
    following = first_sentence(whole[len(sentence) :].strip())
    text = f"{sentence} {following}".strip()
    return text if len(text) <= _TWO_SENTENCES else sentence
