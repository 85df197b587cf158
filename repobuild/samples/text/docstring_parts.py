"""What a docstring says, in parts: its first paragraph, parameters, returned value.

The three usual styles are read: Google (`Args:`), NumPy (underlined headings) and
Sphinx (`:param name:`). What is in none of them is left alone rather than guessed at.
Markup that only a documentation tool reads is taken off: see markup.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from repobuild.samples.text.markup import plain, unruled

SUMMARY = 320  # characters of a first paragraph
SENTENCE = 120  # characters of a neighbour's first sentence
TEXT = 120  # characters of a parameter's description

_SPHINX = re.compile(
    r"^:(param|return|returns)\b([^:\n]*):[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE
)
_GOOGLE = re.compile(r"^(Args|Arguments|Parameters|Returns|Yields):[ \t]*$", re.M)
_NUMPY = re.compile(r"^(Parameters|Returns|Yields)[ \t]*\n-{3,}[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]+(\S.*)$")
_NUMPY_ENTRY = re.compile(r"^\*{0,2}(\w+)[ \t]*(?::.*)?$")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])(?=\s|$)|(?<=[。！？])")
_SECTION = re.compile(
    r"\n[ \t]*(?::\w+[^:\n`]*:(?!`)|[A-Z][\w ]*:[ \t]*$|-{3,}|>>> |\.\. \w[\w:-]*::)",
    re.M,
)
_NUMPY_TYPE = re.compile(r"^(?:\w+ ?: ?)?[\w.\[\], |]+$")
_CAPITAL = re.compile(r"[A-Z][a-z]+ ")
# Words that no sentence has in its middle with a capital letter.
_BEGINS = re.compile(r"(?:This|These|It|If|When|Note|You|We|See|Return|Returns|Use) ")
_ENDS = tuple(".!?:;,。！？：；，")


@dataclass(frozen=True, slots=True)
class DocstringParts:
    summary: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    returns: str = ""


def described(docstring: str) -> DocstringParts:
    """Return the parts of a cleaned docstring."""
    if not docstring:
        return DocstringParts()
    parameters: dict[str, str] = {}
    returns = ""
    if ":param" in docstring or ":return" in docstring:
        parameters, returns = _sphinx(docstring)
    else:
        for pattern, read in ((_GOOGLE, _google), (_NUMPY, _numpy)):
            for heading in pattern.finditer(docstring):
                block = _block(docstring[heading.end() :])
                if heading[1] in ("Returns", "Yields"):
                    told = _untyped(block) if pattern is _NUMPY else block
                    returns = returns or _line(told)
                else:
                    parameters.update(read(block))
    return DocstringParts(summary(docstring), parameters, returns)


def summary(docstring: str, most: int = SUMMARY) -> str:
    """The first paragraph on one line, cut after the last sentence that fits."""
    text = unruled(docstring).strip()
    section = _SECTION.search("\n" + text)
    if section:
        text = text[: max(section.start() - 1, 0)]
    width = max(map(len, docstring.split("\n")))
    paragraph = _first_thought(text.split("\n\n", 1)[0].split("\n"), width)
    return shortened(_ended(plain(" ".join(paragraph.split()))), most)


def _first_thought(lines: list[str], width: int) -> str:
    """The lines up to one after which a new sentence begins, full stop or not.

    So it is where the next word had found room in the line, or can only begin one.
    """
    for number, line in enumerate(lines[:-1]):
        if not line.rstrip().endswith(_ENDS):
            new = lines[number + 1].lstrip()
            word = _CAPITAL.match(new)
            fits = word and len(line.rstrip()) + word.end() <= width
            if fits or _BEGINS.match(new):
                return "\n".join(lines[: number + 1])
    return "\n".join(lines)


def _ended(text: str) -> str:
    """Without the words that announce a list or an example, which is not quoted."""
    if not text.endswith((":", "：")):
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text.rstrip(":： ")


def _line(block: str) -> str:
    return shortened(plain(" ".join(block.split())), TEXT)


def _untyped(block: str) -> str:
    """What NumPy says of the one returned value, without its name and type.

    Of several values nothing: only their names would tell them apart.
    """
    first, _, rest = block.partition("\n")
    if not rest.strip() or not _NUMPY_TYPE.match(first.strip()):
        return "" if rest.strip() else block
    lines = rest.split("\n")
    return rest if all(line[:1] in ("", " ", "\t") for line in lines) else ""


def sentence(text: str) -> str:
    """The first sentence of a summary."""
    end = _SENTENCE_END.search(text)
    return shortened(text[: end.start()] if end else text, SENTENCE)


def shortened(text: str, most: int) -> str:
    """Cut after a sentence when one ends in time, else after a word, and say so."""
    if len(text) <= most:
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text[:most])]
    if ends and ends[-1] > most // 3:
        return text[: ends[-1]].rstrip()
    return text[: max(text.rfind(" ", 0, most), most // 2)].rstrip(" ,;:") + " ..."


def _sphinx(docstring: str) -> tuple[dict[str, str], str]:
    parameters: dict[str, str] = {}
    returns = ""
    for field_, name, block in _SPHINX.findall(docstring):
        if field_ == "param" and name.split():
            parameters[name.split()[-1].lstrip("*")] = _line(block)
        elif field_ != "param":
            returns = _line(block)
    return {name: text for name, text in parameters.items() if text}, returns


def _block(text: str) -> str:
    """The indented lines, or for NumPy the lines up to the next blank pair."""
    lines = text.lstrip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    kept = []
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.strip() and (indent < margin or following.startswith("---")):
            break
        if not line.strip() and not margin:
            break
        kept.append(line[margin:])
    return "\n".join(kept)


def _google(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        entry = _ENTRY.match(line)
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif name and line.startswith(" ") and line.strip():
            found[name] += " " + line.strip()
        else:
            name = ""
    return {name: _line(text) for name, text in found.items()}


def _numpy(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        entry = _NUMPY_ENTRY.match(line)
        if entry:
            name = entry[1]
        elif name and line.startswith(" ") and line.strip():
            found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return {name: _line(text) for name, text in found.items()}
