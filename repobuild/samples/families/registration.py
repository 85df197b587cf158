"""Find the places of a text that name siblings: tables, export lists, calls, branches.

A text is read by brackets and lines and by no grammar, so that every language, manifest
and document is read alike. A place counts when it names several siblings
(`family_row.py`); one that names a single sibling is a use, not a registration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from repobuild.samples.contexts.element_view import ElementView

_TOKENS = (
    r'"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\''
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*|[\[\](){}]|\n'
    r"|[^\W\d]\w*"
)
_PYTHON_TOKEN = re.compile(_TOKENS, re.DOTALL)  # where `//` divides
_WORD_OR_LINE = re.compile(r"\n|[^\W\d]\w*")
_TOKEN = re.compile(rf"//[^\n]*|{_TOKENS}", re.DOTALL)
_ITEM = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*|[\[\](){},]|[^\W\d][\w.]*")
SORTED, SORTED_PART = "*", "+"  # of a list, of the part with the siblings
_FEWEST_ORDERED = 3  # items of a list that shows an order
_WORD = re.compile(r"[^\W\d]\w*")
_CODED = re.compile(r"[A-Z]\d")  # as in ES256
_ASSIGNED = re.compile(
    r"(?:export\s+|pub\s+|const\s+|let\s+|var\s+|static\s+|final\s+|private\s+|public\s+)*"
    r"([\w.]+)(?:\s*:[^=\n]+)?\s*(?:\+|:)?=(?!=)"
)
_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import\b|import\b|export\s*[{*]|(?:pub\s+)?(?:use|mod)\s)"
)
_CALLED = re.compile(r"([\w.]+)\s*$")
_SECTION = re.compile(r"\s*\[+([^\]\n]+)\]+\s*$")
_DEFINES = re.compile(
    r"\s*(?:@|(?:\w+\s+)*(?:class|def|func|function\*?|fn|struct|interface|enum|trait)\s)"
)
_REGISTERS = re.compile(
    r"(?i)register|add|append|install|include|mount|use$|connect|insert"
)
_ENTRY = re.compile(r"(^|/)(__init__\.py|index\.[jt]sx?|mod\.rs|lib\.rs)$")
# The log of the whole project, in the order in which they are looked for.
ROOT_CHANGELOGS = tuple(
    f"{folder}{stem}{suffix}"
    for folder in ("", "docs/")
    for stem in ("CHANGELOG", "CHANGES", "HISTORY", "NEWS", "changelog", "changes")
    for suffix in (".md", ".rst", ".txt")
)
_TOP_LINES = 80  # of a log
_NEXT = re.compile(
    r"(?i)\bunreleased\b|\bnot (?:yet )?released\b|\bto be released\b|\bforthcoming\b"
    r"|\bnext (?:version|release)\b|\bin (?:development|progress)\b|\bupcoming\b"
)
_RELEASE = re.compile(r"\d+\.\d+|\d{4}-\d{2}-\d{2}")
_MARKED = re.compile(r"\s{0,3}#{1,4}\s")
_UNDERLINE = re.compile(r"\s*([=\-~^*+#\"'`])\1{2,}\s*$")


# Kinds of places: where every public name is, tables and calls, and (named_sites.py)
# functions that raise, and files of such.
EXPORTS = ("exports", "reexport")
TABLES = ("table", "call", "entry")
RAISES = ("raise", "raise_in")


class NamedPlace(NamedTuple):
    """One place that names a sibling."""

    # exports, reexport, import, table, call, function, instance, entry, document
    kind: str
    where: str  # name of the table, of the function that is called or that contains it
    name: str
    line: str  # the whole line, without outer white space
    number: int  # of the line
    above: str  # the line before, without white space at its end


class _Open(NamedTuple):
    """A bracket that is open: where its statement begins, what stands before it."""

    start: int  # of the first line of the statement
    before: str  # text of the line up to the bracket
    sign: str


def mentions(
    path: str,
    text: str,
    names: set[str],
    elements: Mapping[str, ElementView],
    own_lines: set[int],
) -> Iterator[NamedPlace]:
    """Yield where a text names siblings; `own_lines` are those of the siblings."""
    lines = text.split("\n")
    number, section = 1, ""
    has_sections = path.endswith((".toml", ".cfg", ".ini"))
    stack: list[_Open] = []
    pattern = _PYTHON_TOKEN if path.endswith(".py") else _TOKEN
    if is_document(path):
        pattern = _WORD_OR_LINE  # a rule of quotes is no string
    for token in pattern.finditer(text):
        word = token[0]
        if word == "\n":
            number += 1
            continue
        if word not in names and word[0] not in "\"'([{)]}":
            continue  # an identifier or a comment, as most tokens are
        line = lines[number - 1]
        if has_sections and not stack and (heading := _SECTION.match(line)):
            section = heading[1].strip()
        if word in "([{":
            begin = stack[0].start if stack else number
            column = token.start() - text.rfind("\n", 0, token.start()) - 1
            stack.append(_Open(begin, line[:column], word))
        elif word in ")]}":
            if stack:
                stack.pop()
        else:
            for name in _named_in(word, names):
                if name not in names or number in own_lines:
                    continue
                if not is_document(path) or _is_code_in_prose(name, line):
                    found = _classify(path, lines, number, stack, elements, section)
                    if found:
                        above = lines[number - 2].rstrip() if number > 1 else ""
                        yield NamedPlace(*found, name, line.strip(), number, above)
        if word[0] in "\"'":
            number += word.count("\n")


def listed_names(text: str, where: str) -> list[str]:
    """Return the last names of the items of the list or tuple that a name is given.

    There are none where the name is given anything else.
    """
    begin = re.search(
        rf"^[ \t]*{re.escape(where)}(?:[ \t]*:[^=\n]+)?[ \t]*=[ \t]*(?=[\[(])",
        text,
        re.M,
    )
    found: list[str] = []
    depth, is_first = 0, True
    for token in _ITEM.finditer(text, begin.end()) if begin else ():
        word = token[0]
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
            if not depth:
                break
        elif word == ",":
            is_first = is_first or depth == 1
        elif is_first and word[0] != "#":
            found.append(word.strip("\"'").rpartition(".")[2])
            is_first = False
    return found


def order_of(listed: list[str], names: list[str]) -> str:
    """Return how a list is ordered: `SORTED`, `SORTED_PART`, else its last sibling.

    Return "" where it shows nothing.
    """
    if len(listed) < _FEWEST_ORDERED or not set(names).issubset(listed):
        return ""
    if is_sorted(listed):
        return SORTED
    places = sorted(map(listed.index, names))
    part = listed[places[0] : places[-1] + 1]
    if len(names) >= _FEWEST_ORDERED and is_sorted(part):
        return SORTED_PART
    return listed[places[-1]]


def is_sorted(listed: list[str]) -> bool:
    """Return whether names are in alphabetical order, as people or formatters sort.

    A formatter puts constants before classes, and these before functions.
    """

    def by_kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name

    plain = sorted(listed)
    return listed in (
        plain,
        sorted(listed, key=str.lower),
        sorted(listed, key=by_kind),
    )


def branch_of(lines: list[str], number: int) -> int:
    """Return the line of the outermost `if` around a line of Python, 0 for none.

    There is none within a loop or a `with`, which an outer block may be, nor where the
    `if` has other branches: each is of its own.
    """
    indent = _indent(lines[number - 1])
    found = 0
    for above in range(number - 1, 0, -1):
        if not indent:
            break
        line = lines[above - 1]
        if not line.strip() or _indent(line) >= indent:
            continue
        indent = _indent(line)
        if _DEFINES.match(line):
            break
        found = above if re.match(r"\s*if\b.*:\s*(?:#.*)?$", line) else 0
    return found if found and not _has_other_branch(lines, found) else 0


def _has_other_branch(lines: list[str], number: int) -> bool:
    indent = _indent(lines[number - 1])
    for line in lines[number:]:
        if line.strip() and _indent(line) <= indent:
            return bool(re.match(r"\s*(?:elif|else)\b", line))
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _named_in(token: str, names: set[str]) -> list[str]:
    """Return the words of a token; none of a message that happens to have a name.

    "Not a valid IPv4 address." registers nothing, "IPv4 IPv6".split() does.
    """
    if token[0] not in "\"'":
        return [token]
    words = _WORD.findall(token)
    is_list = 2 * sum(word in names for word in words) >= len(words)
    return words if is_list or " " not in token.strip() else []


def _is_code_in_prose(name: str, line: str) -> bool:
    """Return whether a word of a document means code: `File` may be plain English."""
    is_mixed = name[1:].lower() != name[1:] and not name.isupper()  # JSON is a word
    if "_" in name.strip("_") or is_mixed or _CODED.search(name):
        return True
    return bool(re.search(rf"`[^`]*\b{name}\b[^`]*`|::\s*.*\b{name}\b", line))


def _classify(
    path: str,
    lines: list[str],
    number: int,
    stack: list[_Open],
    elements: Mapping[str, ElementView],
    section: str,
) -> tuple[str, str] | None:
    """Return the kind of a place and its name, None for a place that shows nothing."""
    line = lines[number - 1]
    if path.endswith((".toml", ".cfg", ".ini")):
        return ("entry", section) if section else None
    if is_document(path):
        return "document", ""
    statement = lines[stack[0].start - 1] if stack else line
    around = _enclosing(elements, number)
    if _IMPORT.match(statement):
        if around is not None and around.type != "class":
            return None  # it is not there for those who import the file
        return ("reexport" if _ENTRY.search(path) else "import"), ""
    if around is not None and around.type != "class":
        if _DEFINES.match(line) and number == around.row.start_line:
            return None  # an annotation or a default of its signature
        return "function", around.plain_qual
    if _DEFINES.match(statement):
        return None
    assigned = _ASSIGNED.match(statement.strip())
    if assigned and assigned[1].rpartition(".")[2] == "__all__":
        return "exports", "__all__"
    if assigned and stack and not _called(stack[0].before):
        # In a table of tables the inner ones are records, of which it is one field.
        is_field = [one.sign for one in stack].count("{") > 1
        owner = f"{around.plain_qual}." if around is not None else ""
        return None if is_field else ("table", f"{owner}{assigned[1]}")
    if assigned and around is None and not stack:
        return "instance", ""
    if stack and (callee := _called(stack[-1].before)) and _REGISTERS.search(callee):
        return "call", callee
    return None


def _called(before: str) -> str:
    """Return the name before a bracket, "" where there is none."""
    match = _CALLED.search(before)
    return match[1] if match else ""


def _enclosing(elements: Mapping[str, ElementView], number: int) -> ElementView | None:
    """Return the innermost element around a line."""
    best: ElementView | None = None
    for one in elements.values():
        row = one.row
        if one.type == "section" or not row.start_line <= number <= row.end_line:
            continue
        if best is None or row.start_line >= best.row.start_line:
            best = one
    return best


def is_document(path: str) -> bool:
    return path.endswith((".md", ".rst", ".txt", ".adoc", ".mdx", ".markdown"))


# ----------------------------------------------------------------- change logs


def recorded_names(path: str, text: str, names: set[str]) -> set[str]:
    """Return the names in a log whose first section is that of the next release.

    There are none in a log without such a section. The commits of a shallow clone, or
    of a release's archive, show no habit: the log is all that says what is entered.
    """
    heading = next(filter(_is_of_release, _headings(text)), "")
    if not _NEXT.search(heading):
        return set()
    return {one.name for one in mentions(path, text, names, {}, set())}


def _is_of_release(heading: str) -> bool:
    return bool(_NEXT.search(heading) or _RELEASE.search(heading))


def _headings(text: str) -> Iterator[str]:
    """Yield the headings near the top, those above a rule among them."""
    lines = list(islice(text.splitlines(), _TOP_LINES))
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.strip() and (_MARKED.match(line) or _UNDERLINE.match(below)):
            yield line
