"""Split a docstring into its first paragraph, parameters and returned value.

Four styles are read: Google (`Args:`), NumPy (underlined headings), Sphinx
(`:param name:`) and epytext (`@param name:`). Text in any other style is ignored rather
than guessed at. A docstring that begins with a section, a field, a licence or a date
has no summary. Markup that only a documentation tool reads is stripped: see markup.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from textwrap import dedent
from typing import NamedTuple

from repobuild.code.graph.introduction import letters
from repobuild.code.usage.prose_language import is_chinese, join_lines
from repobuild.samples.text.markup import strip_markup, strip_title_rules

SUMMARY = 320  # characters of a first paragraph
SENTENCE = 120  # characters of a neighbour's first sentence
TEXT = 120  # characters of a parameter's description
_STEM = 5  # letters of a word that "convert" and "convertible" have in common
_GENERAL_STEMS = frozenset(
    word[:_STEM]
    for word in "the that this these those and for with from into has have are not its"
    " any all one which when will can may check test validate verify represent class"
    " base object type kind simple used".split()
)
_STRETCH = 2  # times the length that is asked for, for the sake of a whole sentence
_LONGEST_LIST = 480  # characters of a first paragraph with its list
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+\S")
_MARK = re.compile(r"^[ \t]*[*•-][ \t]+(?=\S)")  # of an item of a list
_WIDE = 0x2E80  # signs from here on take two columns
_WRAPPED = 60  # columns of a line that is wrapped, at least
# Signs that begin or end no sentence.
_GOING_ON = frozenset(
    "的地得来和与或及并而则以等中时后前到为将就也都是在从所但被把对给让向于之其个些种"
)
_MAX_DOCSTRING = 100_000  # characters that are read
_MAX_SECTIONS = 20  # of one style; a section may hold all that follow it

_SPHINX = re.compile(
    r"^[:@](param|return|returns)\b([^:\n]*):[ \t]*"
    r"(.*(?:\n(?![ \t]*-{3,}[ \t]*$)(?:[ \t]+\S.*|(?!\.\. |>>> )[^\s:@].*))*)",
    re.MULTILINE,
)
_GOOGLE = re.compile(r"^(Args|Arguments|Parameters|Returns|Yields):[ \t]*$", re.M)
_RULE = re.compile(r"\A\n[ \t]*-{3,}[ \t]*(?=\n)")  # below a heading with a colon
_NUMPY = re.compile(r"^(Parameters|Returns|Yields)[ \t]*\n-{3,}[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]+(\S.*)$")
_NUMPY_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?::.*)?$")
_TYPED_ENTRY = re.compile(r"\*{0,2}\w+ *: *\S")
# No sentence ends after these, nor before a small letter.
_MOST_KNOWN = 512  # docstrings; half of those asked for were so for the same file
_SENTENCE_END = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bcf\.)(?<!\bresp\.)(?<!\bw\.r\.t\.)"
    r"(?<=[.!?。！？])(?=\s+[^a-z\s]|\s*$)|(?<=[。！？])"
)
_SECTION_NAME = (
    r"(?:(?:other[ ]|keyword[ ]|class[ ])?(?:parameters?|params|args|arguments)"
    r"|(?:class[ ])?attributes"
    r"|kwargs|returns?|yields?|receives|raises|exceptions|warns|warnings?|see[ ]also"
    r"|notes?|references|examples?|methods|properties|usage|inputs?|outputs?|todo)"
)
_TAG = (
    r"@(?:params?|parameter|arg|argument|keyword|kwarg|kwparam|type|returns?|rtype|raises?"
    r"|throws|exception|yields?|[icg]?var|group|sort|see|since|version|authors?|license"
    r"|licence|copyright|deprecated|note|todo|example|override|private|public|module"
    r"|file|fileoverview|constructor|typedef|template|internal|hidden|ignore)\b"
)
_SECTION = re.compile(
    # A word with a colon begins a section, but not where a sentence goes on.
    r"(?<![a-z,])\n[ \t]*[A-Z][\w ]*:[ \t]*$"
    rf"|\n[ \t]*(?:(?i:{_SECTION_NAME}):[ \t]*$"
    r"|:\w+[^:\n`]*:(?!(?:[\w+-]+:)?`)"
    r"|https?://\S+[ \t]*$|-{3,}|>>> |\.\. \w[\w:-]*::"
    rf"|{_TAG}|(?i:{_SECTION_NAME})[ \t]*\n[ \t]*[-=~]{{3,}}[ \t]*$)",
    re.M,
)
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
    |(?:[-=~*\#^]{{3,}}[ \t]*\n[ \t]*)?[\#*]*[ \t]*{_SECTION_NAME}[*: \t]*(?:\n|$)
    |{_TAG}
    |https?://\S  # where more is said of it
    |(?:详情|详见|参见|请参[考见阅])[^\n。]*(?:\n|$)
    |\#[ ]?(?:pylint|noqa|type|fmt|flake8|isort|mypy)\b
    |@[a-z]\w*[ ]*[:：]  # `@Project ：name` of a template
    |(?:输入|传入)?参数(?:说明)?[ ]*[:：]
    |(?:for[ ])?(?:internal|private)[ ](?:function|method|class|helper|use|api)
        (?:[ ]only)?[.!]?[ ]*(?:\n|$)
    |(?:in|out)puts?[ ]*[:：][ \t]*\S  # what goes in, and not what for
    |[a-z_]\w*[ ]=[ ]["'\d\[{{(]  # code
    |(?-i:try[ ]*:|(?:for[ ]\w[\w, ]*[ ]in|with|if|while)[ ][^\n]*:[ \t]*\n[ \t]+\S)
    |\.\.[ ]\w[\w:-]*: | [{{\[][ \t]*["'][^\n]*[}}\]][ \t]*(?:\n|$)  # a literal
    |(?:[-=~*\#^]{{5,}}[ \t]*\n\s*)?copyright\b
        (?=[^\n]*(?:\(c\)|©|\b(?:19|20)\d\d\b|:)) | \(c\)[ ] | ©
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
_GOOGLE_TYPE = re.compile(r"^[:`~]*(?:\w+:`~?)?[\w.]+(?:\[[^\n]*?\])?`?:\s+(?=\S)")
_NUMPY_TYPE = re.compile(r"^(?:\w+ ?: ?)?[\w.\[\], |]+$")
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
# A title that names the module or the function, or how it is called, and says nothing
# of its purpose.
_NAME_ALONE = re.compile(
    r"[`*]*[A-Za-z_][\w./:-]*\w[`*]*"
    r"(?:\((?:[^()\n]|\([^()\n]*\))*\)[`*]*(?:[ ]*(?:->|→)[ ]*[\w.\[\]]+)?)?"
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
# A sentence that goes on with a link on the next line, or in a bracket that is open.
_BEFORE_LINK = re.compile(
    r"\b(?:in|at|from|on|of|see|by|to|with|per|and|or|the|via|is)$"
)
# What stands above is not shown, and a default is told from the signature.
_ELSEWHERE = re.compile(
    r"(?i)\b(?:see|as|described|listed|mentioned) (?:above|below)\b"
)
_TOLD_DEFAULT = re.compile(
    r"(?i)\bdefaults?(?: value)?(?: is| to|:|=)\s*[`'\"*]*"
    r"(True|False|None|-?\d[\d.]*\b)"
)
# The signature tells it by a default, and a type by an annotation.
_OPTIONAL = re.compile(
    r"\A\s*(?:\*{0,2}\(\*{0,2}optional\*{0,2}\)\*{0,2}[,.:;]?|optional[,.:;])\s+",
    re.IGNORECASE,
)
# `:return if so, {a: b}`: the colon of the field is missing, and this is no type.
_NO_TYPE = re.compile(r"\{|(?:\S+\s+){3}\S")
_RETURNED_TYPE = re.compile(r"\A\s*`*\w[\w.\[\]]*`* --+ ")
_DEFAULT_FIRST = re.compile(r"\(default:?\s+([^()]+)\)[,.:;]?\s+", re.IGNORECASE)
_CLASS_NAME = re.compile(r"_*[A-Z]\w*[a-z]\w*")
_CONSTANT = re.compile(r"True|False|-?\d[\d.]*")
# A last sentence that only points elsewhere.
_POINTER = re.compile(r"(?<=[.!?])\s+(?:Please )?[Ss]ee (?:also )?[^.]*\S\.?$")
# One in the middle: what follows may be about what it points to.
_INNER_POINTER = re.compile(r"(?<=[.!?])\s+(?:Please )?See (?:also )?`[^`]+`\.(?=\s)")
# A last sentence that ends with an address.
_LINK_SENTENCE = re.compile(
    r"(?:(?<=[.!?])\s+|(?<=[。！？]))[^.。]*?[:：]?\s*https?://\S+\s*$"
)
_BEFORE_ANNOUNCEMENT = re.compile(r"(.*[.!?。！？]|.*[,，])")
# The same without a colon, after a part that says something: "…，可选示例如下".
_ANNOUNCED = re.compile(
    r"[\s,，;；]*[^\s,，;；。]*(?:如下|以下)(?:所示|[几两三四]?[种个项])?"
    r"(?:[(（][^()（）]*[)）])?\s*$"
    r"|[\s,;]*[^,;.]*\b(?:as follows|the following)\s*$"
)
# A sentence that tells what happens under a condition, as one of several.
_CASE = re.compile(r"(?:If|When|Unless|Otherwise|Else|In case|For)\b|如果|若|否则|当")
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
_PUNCTUATION = tuple(".!?:;,。！？：；，")
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
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n")
_SENTENCE_BEGINS = re.compile(r"[A-Z`][^\n]*\w ")


_WARNING_DIRECTIVE = re.compile(
    r"^\.\. (?:warning|caution|danger|attention)::[ \t]*"
    r"(.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n[ \t]*\n|\n[ \t]+\S)))*)",
    re.MULTILINE,
)
# A line that says by its first words that it warns.
_WARNING_LINE = re.compile(
    r"^[ \t]*((?:注意|警告|重要)[:：]"
    r"|(?i:warning|caution|important|note|attention):[ \t]*(?=\S)"
    r"|(?:You|Callers?|Users?|Subclasses) must\b|(?:Do not|Don't|Never) [a-z])",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class DocstringParts:
    """The parts that a context row stores; each is "" or empty when missing.

    The summary has more than one line when its paragraph ends with a list: see `lead`.
    """

    summary: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    returns: str = ""
    warning: str = ""


@lru_cache(_MOST_KNOWN)
def parse_docstring(docstring: str) -> DocstringParts:
    """Return the parts of a cleaned docstring; never change its parameters."""
    if not docstring:
        return DocstringParts()
    docstring = docstring[:_MAX_DOCSTRING]
    parameters: dict[str, str] = {}
    returns = ""
    if _SPHINX.search(docstring):
        parameters, returns = _parse_sphinx(docstring)
    else:
        for pattern, read in ((_GOOGLE, _google_entries), (_NUMPY, _numpy_entries)):
            for heading in islice(pattern.finditer(docstring), _MAX_SECTIONS):
                is_numpy = pattern is _NUMPY
                tells_result = heading[1] in ("Returns", "Yields")
                spans = is_numpy and not tells_result
                text = _RULE.sub("", docstring[heading.end() :], count=1)
                block = _block(text, spans)
                if tells_result:
                    text = (_numpy_returns if is_numpy else _google_returns)(block)
                    returns = returns or _result(text)
                else:
                    parameters.update(read(block))
    summary = summarise_with_list(docstring)
    return DocstringParts(summary, parameters, returns, warning_of(docstring))


def warning_of(docstring: str) -> str:
    """Return what a docstring warns of, in a directive for that or in a line of it."""
    if found := _WARNING_DIRECTIVE.search(docstring):
        return summarise_prose(dedent(found[1]))
    section = _SECTION.search("\n" + docstring)
    prose = docstring[: max(section.start() - 1, 0)] if section else docstring
    line = _WARNING_LINE.search(prose)
    if line is None or not line.start(1):
        return ""
    text = summarise_prose(prose[line.start(1) :])
    return "" if text.endswith((":", "：")) or text.count("\n") else text


def without_tag(docstring: str) -> str:
    """Return a docstring without `@summary:` before its purpose.

    Four quotes begin a docstring with a quote that nothing closes.
    """
    docstring = _STRAY_QUOTE.sub("", docstring, count=1)
    tag = _PURPOSE_TAG.match(docstring)
    return docstring[tag.end() :] if tag else docstring


@lru_cache(_MOST_KNOWN)
def summarise(docstring: str, most: int = SUMMARY) -> str:
    """Return the first paragraph on one line, "" when it tells no purpose.

    A paragraph of more than `most` characters is cut by `shorten`.
    """
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
        ends = [match.start() for match in _SENTENCE_END.finditer(text)]
        text = text[: ends[-1]] if ends else ""
    text = _LINK_SENTENCE.sub("", _POINTER.sub("", text))
    if pointer := _INNER_POINTER.search(text):
        text = text[: pointer.start()]
    if first_sentence(text).endswith(("?", "？")):
        return ""  # a question of those who wrote it
    return "" if _NAME_ALONE.fullmatch(text) else text  # "source:" before a link


def _told_uses(docstring: str) -> list[str]:
    """Return a sentence for each use, where a docstring has several with examples.

    "Set the value::" alone, before its example, would tell half of a method whose next
    paragraph is "Get the value::".
    """
    paragraphs = _PARAGRAPH_BREAK.split(docstring.strip())
    told = [one for one in paragraphs if not one.startswith((" ", "\t", ">>>"))]
    if len(told) < 2 or not all(map(_USE.fullmatch, told)):
        return []
    uses = (strip_markup(join_lines(one)).rstrip(": ") for one in told)
    return [f"{one}." for one in uses]


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


def _with_paragraph(title: str, docstring: str) -> str:
    """Return a title with the first sentence of the paragraph below it."""
    if not title or len(title.split()) > _TITLE_WORDS or "\n" in title:
        return title
    below = _PARAGRAPH_BREAK.split(without_name(docstring).strip())[1:2]
    if not below or not _SENTENCE_BEGINS.match(below[0]):
        return title
    text = first_sentence_of(below[0])
    if not text.endswith(tuple(".!?")):
        return title
    return f"{title}{' ' if title.endswith(_PUNCTUATION) else '. '}{text}"


def description(text: str, default: str, type: str = "") -> str:
    """Return what a docstring says of a parameter, "" when that misleads.

    It does when the signature has another default: nothing tells which of the two is
    out of date, and the rest may be as old. What only repeats the type says nothing.
    """
    first = _DEFAULT_FIRST.match(text)
    if first and first[1].strip("`'\"") == default.strip("'\""):
        text = text[first.end() :]
    if letters(text) in ("", letters(type)):
        return ""
    told = _TOLD_DEFAULT.search(text)
    if told and _CONSTANT.fullmatch(default) and told[1].rstrip(".") != default:
        return ""
    if _calls_class_an_instance(text, default):
        return ""
    return "" if _ELSEWHERE.search(text) else text


def _calls_class_an_instance(text: str, default: str) -> bool:
    """Return whether a text tells of an object of the class that is the default.

    "`Disk` instance for serialization" above `disk=Disk` is untrue of the default, and
    who follows it passes what is refused.
    """
    name = default.rpartition(".")[2]
    if not _CLASS_NAME.fullmatch(name):
        return False
    objects = rf"\b{name}`*\s+(?:instance|object)\b"
    of_class = rf"\b(?:instance|object) of (?:an? |the )?(?:class )?[`~\w.:]*\b{name}\b"
    return bool(re.search(f"{objects}|{of_class}", text))


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


def summarise_with_list(docstring: str) -> str:
    """Return the first paragraph, and a list that ends it with a line for each item."""
    lead = summarise(docstring)
    told = without_name(without_tag(docstring))
    items = _list_items(told) if lead else []
    if not items:
        return lead
    text = "\n".join([_announcement(told, lead), *items])
    return text if len(text) <= _LONGEST_LIST else lead


@lru_cache(4096)
def first_sentence_of(docstring: str) -> str:
    """Return the first sentence of a docstring's purpose, "" without one.

    One that begins with a condition tells one case alone: then it is all of them.
    """
    paragraph = summarise(docstring)
    sentence = first_sentence(paragraph)
    return paragraph if _CASE.match(sentence) else sentence


def lead(summary: str) -> str:
    """Return a summary without its list."""
    first, line_break, _ = summary.partition("\n")
    return _without_announcement(first) if line_break else first


def _announcement(docstring: str, lead: str) -> str:
    """Return the sentence that announces a list, with its colon where it has one."""
    text = summarise_prose(docstring, SUMMARY, keeps_colon=True)
    return text if text.startswith(lead) else lead


def _list_items(docstring: str) -> list[str]:
    """Return the list in the first paragraph, each item on one line with its mark."""
    paragraph = _first_paragraph(docstring)
    if paragraph.summary != paragraph.before_list:
        return []  # the summary ends before what announces the list
    items: list[str] = []
    for line in paragraph.lines[len(paragraph.before_list) :]:
        if _ITEM.match(line):
            items.append(" ".join(line.split()))
        elif items:
            items[-1] += " " + " ".join(line.split())
    return [strip_markup(item) for item in items]


def summarise_prose(
    docstring: str, most: int = SUMMARY, keeps_colon: bool = False
) -> str:
    """Return the first paragraph on one line, also where it is a licence.

    A list that ends the paragraph is left out, and the colon before it unless asked.
    """
    lines = _first_paragraph(docstring).summary
    text = strip_markup(_without_references(join_lines("\n".join(lines)), docstring))
    return shorten(text if keeps_colon else _without_announcement(text), most)


def _without_references(text: str, docstring: str) -> str:
    """Return a text with the names of the docstring's link targets without marks."""
    if "_ " not in f"{text} ".replace(".", " ").replace(",", " "):
        return text
    for target in _TARGET.findall(docstring):
        text = re.sub(rf"(?i)(?<!\w)({re.escape(target)})_(?!\w)", r"\1", text)
    return text


class _Paragraph(NamedTuple):
    """The lines of a docstring's first paragraph, up to a section or a field."""

    lines: list[str]
    before_list: list[str]  # the first of them, all without a list
    summary: list[str]  # the first of these: its first sentences


def _first_paragraph(docstring: str) -> _Paragraph:
    text = strip_title_rules(docstring).strip()
    section = _SECTION.search("\n" + text)
    if section:
        text = text[: max(section.start() - 1, 0)]
        if section[0].lstrip().startswith("http"):
            text = _without_dangling(text)
    lines = text.split("\n\n", 1)[0].split("\n")
    before = _lines_before_list(lines)
    width = max(map(len, docstring.split("\n")))
    return _Paragraph(lines, before, _lines_of_first_sentences(before, width))


def rest_of_first_paragraph(docstring: str) -> list[str]:
    """Return the lines after the summary in its own paragraph as one text, or []."""
    paragraph = _first_paragraph(without_name(docstring))
    if paragraph.before_list != paragraph.lines:
        return []
    rest = "\n".join(paragraph.lines[len(paragraph.summary) :])
    return [rest] if rest.strip() else []


def _without_dangling(text: str) -> str:
    """Return a text before a link without what only the link would complete."""
    paragraph = text.rstrip()
    if paragraph.count("(") > paragraph.count(")"):
        return paragraph[: paragraph.rindex("(")].rstrip()
    if not _BEFORE_LINK.search(paragraph):
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(paragraph)]
    return paragraph[: ends[-1]] if ends else ""


def first_sentence(text: str) -> str:
    """Return the first sentence of a summary, `SENTENCE` characters at most."""
    end = _SENTENCE_END.search(text)
    return shorten(text[: end.start()] if end else text, SENTENCE)


def says_as_much(docstring: str, text: str) -> bool:
    """Return whether a docstring has all words that a text consists of, in any form.

    "Check that a value is a float." says no more than "Tests that value is a float or a
    string." does. Words that any docstring may have, as "check", do not count.
    """
    wanted = _stems_of(text)
    return bool(wanted) and wanted <= _stems_of(docstring)


def _stems_of(text: str) -> set[str]:
    words = _WORDS.findall(text.lower())
    return {word[:_STEM] for word in words if len(word) > 2} - _GENERAL_STEMS


def sentences_before(text: str, end: int) -> str:
    """Return the sentences of a text that end before a place in it."""
    ends = (match.start() for match in _SENTENCE_END.finditer(text))
    whole = [one for one in ends if one < end and not text[:one].endswith(" ex.")]
    return text[: whole[-1]] if whole else ""


def shorten(text: str, most: int) -> str:
    """Cut a text after its last sentence that fits, or after a longer first one.

    A sentence is never cut: of one that is longer than `_STRETCH` times `most` nothing
    is left.
    """
    if len(text) <= most:
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text)] or [len(text)]
    end = max((end for end in ends if end <= most), default=ends[0])
    end = _end_before_cases(text, ends, end)
    return text[:end].rstrip() if end <= most * _STRETCH else ""


def _end_before_cases(text: str, ends: list[int], end: int) -> int:
    """Return the end of a cut before the first of several cases, if any is before it.

    "If a port is given, it is returned." alone would tell one case as the whole rule.
    """
    kept = [one for one in ends if one <= end]
    while len(kept) > 1 and _CASE.match(text[end:].lstrip()):
        if not _CASE.match(text[kept[-2] :].lstrip()):
            break
        kept.pop()
        end = kept[-1]
    return end


def _lines_before_list(lines: list[str]) -> list[str]:
    """Return the lines before the first item of a list that follows other text."""
    if _ITEM.match(lines[0]):
        return lines
    items = (number for number, line in enumerate(lines) if _ITEM.match(line))
    return lines[: next(items, len(lines))]


def _lines_of_first_sentences(lines: list[str], width: int) -> list[str]:
    """Return the lines before a sentence that begins without a full stop before it.

    A new sentence begins on the next line when the author broke the line early (the
    next word is capitalised and fits into `width`, or a Chinese line is not half as
    long as others), or when the next word can only begin a sentence.
    """
    for number, line in enumerate(lines[:-1]):
        if not line.rstrip().endswith(_PUNCTUATION):
            following = lines[number + 1].lstrip()
            word = _CAPITALISED.match(following)
            fits = word and len(line.rstrip()) + word.end() <= width
            fits = fits or _ends_in_chinese(line, following, width)
            fits = fits or _begins_note(line, following, width)
            if fits or _SENTENCE_START.match(following):
                return lines[: number + 1]
    return lines


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


def _without_announcement(text: str) -> str:
    """Drop a last sentence that announces a list or an example, which is not quoted."""
    if not text.endswith((":", "：")):
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text.rstrip(":： ")


def _one_line(block: str) -> str:
    """Return a description on one line, without a list, or the first item of one."""
    lines = _OPTIONAL.sub("", block).strip().split("\n")
    marked = [number for number, line in enumerate(lines) if _MARK.match(line)]
    if marked and marked[0]:
        lines = lines[: marked[0]]
        if lines[-1].rstrip().endswith((":", "：")):
            return ""  # it only announces the list
    elif marked:
        end = marked[1] if len(marked) > 1 else len(lines)
        lines = [_MARK.sub("", lines[0]), *lines[1:end]]
    lines = _lines_of_first_sentences(lines, max(map(len, lines)))
    text = shorten(strip_markup(join_lines("\n".join(lines))), TEXT)
    # The table or the blocks that a last sentence announces are not quoted.
    if text.endswith((":", "：")):
        whole = _BEFORE_ANNOUNCEMENT.match(text)
        return whole[1].rstrip(",， ") if whole else ""
    return _ANNOUNCED.sub("", text)


def _result(block: str) -> str:
    """Return what is returned, "" where a list tells it: one case is not the whole."""
    lines = block.strip().split("\n")
    if len(list(filter(_MARK.match, lines))) > 1 and _MARK.match(lines[0]):
        return ""
    return _one_line(_RETURNED_TYPE.sub("", block))


def _parse_sphinx(docstring: str) -> tuple[dict[str, str], str]:
    """Return the parameters' descriptions and that of the returned value.

    Of two descriptions of one name the second may be a slip for another parameter, and
    nobody knows which: neither is returned.
    """
    parameters: dict[str, str] = {}
    returns = ""
    for field_, name, block in _SPHINX.findall(docstring):
        if field_ == "param" and name.split():
            last = name.split()[-1].lstrip("*")
            parameters[last] = "" if last in parameters else _one_line(block)
        elif field_ != "param" and not _NO_TYPE.search(name):
            returns = _result(block)
    return {name: text for name, text in parameters.items() if text}, returns


def _block(text: str, spans_blanks: bool = False) -> str:
    """Return the indented lines; for NumPy the lines up to a blank one or a heading.

    With `spans_blanks`, NumPy's entries go on after a blank line.
    """
    lines = text.lstrip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    kept = []
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.strip() and (indent < margin or following.startswith("---")):
            break
        is_end = not line.strip() and not margin
        if is_end and not (spans_blanks and _has_entry(lines[number + 1 :])):
            break
        kept.append(line[margin:])
    return "\n".join(kept)


def _has_entry(lines: list[str]) -> bool:
    """Return whether the next text of a NumPy block is still about parameters."""
    following = next((line for line in lines if line.strip()), "")
    return following[:1] in (" ", "\t") or bool(_TYPED_ENTRY.match(following))


def _google_returns(block: str) -> str:
    """Return the description of a returned value without the type before it."""
    return _GOOGLE_TYPE.sub("", block.strip(), count=1)


def _google_entries(block: str) -> dict[str, str]:
    """Return the descriptions of a Google-style block by parameter name."""
    entries: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        entry = _ENTRY.match(line)
        if entry:
            name = entry[1]
            entries[name] = entry[2]
        elif name and line.startswith(" ") and line.strip():
            entries[name] += " " + line.strip()
        else:
            name = ""
    return {name: _one_line(text) for name, text in entries.items()}


def _numpy_entries(block: str) -> dict[str, str]:
    """Return the first paragraphs of a NumPy-style block by parameter name."""
    entries: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        entry = _NUMPY_ENTRY.match(line)
        if entry:
            name = entry[1]
        elif not line.strip():
            name = "" if name in entries else name
        elif name and line.startswith(" "):
            entries[name] = f"{entries.get(name, '')}\n{line.strip()}".strip()
    return {name: _one_line(text) for name, text in entries.items()}


def _numpy_returns(block: str) -> str:
    """Return the description of the one returned value, without its name and type.

    Return "" for several values: only their names distinguish them.
    """
    first, _, rest = block.partition("\n")
    if not rest.strip() or not _NUMPY_TYPE.match(first.strip()):
        return "" if rest.strip() else block
    lines = rest.split("\n")
    return rest if all(line[:1] in ("", " ", "\t") for line in lines) else ""
