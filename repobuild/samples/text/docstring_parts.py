"""Split a docstring into its purpose, parameters, returned value and warning.

Four styles are read: Google (`Args:`), NumPy (underlined headings), Sphinx
(`:param name:`) and epytext (`@param name:`). Text in any other style is ignored rather
than guessed at. The purpose is found in summary/purpose.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from textwrap import dedent

from repobuild.code.graph.project.introduction import letters
from repobuild.code.usage.prose_language import join_lines
from repobuild.samples.text.markup import strip_markup
from repobuild.samples.text.summary.first_paragraph import (
    SECTION,
    lines_of_first_sentences,
    summarise_prose,
)
from repobuild.samples.text.summary.purpose import summarise_with_list
from repobuild.samples.text.summary.sentences import shorten

TEXT = 120  # characters of a parameter's description
_MARK = re.compile(r"^[ \t]*[*•-][ \t]+(?=\S)")  # of an item of a list
_MAX_DOCSTRING = 100_000  # characters that are read
_MAX_SECTIONS = 20  # of one style; a section may hold all that follow it
_SPHINX = re.compile(
    r"^[:@](param|return|returns)\b([^:\n]*):[ \t]*"
    r"(.*(?:\n(?![ \t]*-{3,}[ \t]*$)(?:[ \t]+\S.*|(?!\.\. |>>> )[^\s:@].*))*)",
    re.MULTILINE,
)
_GOOGLE = re.compile(r"^(Args|Arguments|Parameters|Returns|Yields):[ \t]*$", re.M)
_ROLE_LEFT = re.compile(r"(?:py:)?(?:class|func|meth|mod|obj|exc|attr|data|ref):`")
_RULE = re.compile(r"\A\n[ \t]*-{3,}[ \t]*(?=\n)")  # below a heading with a colon
_NUMPY = re.compile(r"^(Parameters|Returns|Yields)[ \t]*\n-{3,}[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]+(\S.*)$")
_DIRECTIVE = re.compile(r"\s*(?:$|!!! |\.\. \w)")
_NUMPY_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?::.*)?$")
_TYPED_ENTRY = re.compile(r"\*{0,2}\w+ *: *\S")
_MOST_KNOWN = 512  # docstrings; half of those asked for were so for the same file
_GOOGLE_TYPE = re.compile(r"^[:`~]*(?:\w+:`~?)?[\w.]+(?:\[[^\n]*?\])?`?:\s+(?=\S)")
_NUMPY_TYPE = re.compile(r"^(?:\w+ ?: ?)?[\w.\[\], |]+$")
# What stands above is not shown, and a default is told from the signature.
_ELSEWHERE = re.compile(
    r"(?i)\b(?:see|as|described|listed|mentioned) (?:above|below)\b"
)
_TOLD_DEFAULT = re.compile(
    r"(?i)\bdefaults?(?: value)?(?: is| to|:|=)\s*[`'\"*]*"
    r"(True|False|None|-?\d[\d.]*\b)"
)
_TOLD_STRING = re.compile(
    r"(?i)\bdefaults?(?: value)?(?: is| to|:|=)\s*[`*]*([\"'])([^\"'\n]*)\1"
)
_STRING = re.compile(r"([\"'])([^\"'\\\n]*)\1")  # a default that is a plain string
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
_BEFORE_ANNOUNCEMENT = re.compile(r"(.*[.!?。！？]|.*[,，])")
# The same without a colon, after a part that says something: "…，可选示例如下".
_ANNOUNCED = re.compile(
    r"[\s,，;；]*[^\s,，;；。]*(?:如下|以下)(?:所示|[几两三四]?[种个项])?"
    r"(?:[(（][^()（）]*[)）])?\s*$"
    r"|[\s,;]*[^,;.]*\b(?:as follows|the following)\s*$"
)
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
    parameters = {n: t for n, t in parameters.items() if not _repeats_name(t, n)}
    summary = summarise_with_list(docstring)
    return DocstringParts(summary, parameters, returns, warning_of(docstring))


def _repeats_name(text: str, name: str) -> bool:
    """Return whether a description says the parameter's name alone: "the request"."""
    return letters(text).removeprefix("the") == letters(name)


def warning_of(docstring: str) -> str:
    """Return what a docstring warns of, in a directive for that or in a line of it."""
    if found := _WARNING_DIRECTIVE.search(docstring):
        return summarise_prose(dedent(found[1]))
    section = SECTION.search("\n" + docstring)
    prose = docstring[: max(section.start() - 1, 0)] if section else docstring
    line = _WARNING_LINE.search(prose)
    if line is None or not line.start(1):
        return ""
    text = summarise_prose(prose[line.start(1) :])
    return "" if text.endswith((":", "：")) or text.count("\n") else text


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
    string = _TOLD_STRING.search(text)
    plain = _STRING.fullmatch(default)
    if string and (plain or _CONSTANT.fullmatch(default)):
        if plain is None or string[2] != plain[2]:
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
    lines = lines_of_first_sentences(lines, max(map(len, lines)))
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
    for field_, name, text in _SPHINX.findall(docstring):
        # Of `:param x :class:`C`` the first colon of a role ends the field.
        block = f":{text}" if _ROLE_LEFT.match(text) else text
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
        elif name and line.startswith(" ") and not _DIRECTIVE.match(line):
            entries[name] += "\n" + line.strip()
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
