"""Make the `documents` table: what documents say of names in code.

A row is a document with any of these (Markdown or reStructuredText, no change log, no
link or submodule of such a name):

    mentions   {name: sentence}   every name of code in its prose, dotted as written;
                                  the sentence says what it is or does, or is ""; that
                                  is also the first sentence below a title of the name
    calls      {name: [score, code]}   the best call of it in its code blocks
    words      [Chinese, other]        the words of its prose

The row `@project` holds the languages of all documents (prose_language.py).

Names are as written: `click.Group`, `Group.command`, `echo`; `?.name` is a method of
what a call returned. Who they belong to is decided by those who read the table. The
index holds, under the path,
`m:NAME` and `c:NAME` for the last part of each name of the two, and `i:MODULE` for what
the calls import.

A name counts as a mention when only code is written so: with parentheses, a dot, an
underscore, a capital within, or in a role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.graph.graph import PROJECT
from repobuild.code.scan.file_roles import is_test_data
from repobuild.code.scan.source_text import source_of
from repobuild.code.usage.call_example import CallExample, call_example
from repobuild.code.usage.document_text import DocumentText, read_document
from repobuild.code.usage.explained_names import document_names, written_imports
from repobuild.code.usage.prose_language import ProseTotals, count_words
from repobuild.engine.contract import Value, View
from repobuild.errors import MissingObjectError
from repobuild.git.snapshot import is_regular

Row = dict[str, Value]

_DOCUMENT = re.compile(r"\.(md|markdown|rst)$", re.IGNORECASE)
_LOG = re.compile(
    r"(^|/)(change|history|news|release|whatsnew|upgrad|licen[sc]e|copying|authors|todo"
    r"|\.github/)"
    r"|(^|/)(changes|changelog|newsfragments|releases)/",
    re.IGNORECASE,
)
_CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NAME = re.compile(r"@?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(\(.*\))?$")
_ONLY_CODE = re.compile(r"[._]|[a-z0-9][A-Z]|^[A-Z][a-z]+[a-z]$")
_NO_WORD = re.compile(r"[._]|[a-z0-9][A-Z]")
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\(")
_CALL_OF_RESULT = re.compile(r"(?<=\)\.)([A-Za-z_]\w*)\(")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z`(\"])")
# Before the first name in a sentence that says what the name is or does.
_SUBJECT = re.compile(
    r"(?:(?:The|A|An|This|Use|Using|Call|Calling|With|Note that|The function|The class"
    r"|The method|The decorator|The \w+|Use the|You can use|Passing) )?$"
)
_SECOND_NAME = re.compile(r",? (?:(?:and|or) )?`")  # `a`, `b` and `c` are ...
_ODD = re.compile(r"\]\(|\*\*|[|<>]|_ |\bhttps?:|::|\{|\}|…|\.\.\.|[^\x00-\x7f]")
# What a paragraph below a title may begin with that does not tell what it is for.
_ASIDE = re.compile(
    r"(?i)(?:new|added|changed|deprecated|removed|available) in\b|see\b|note\b|this\b"
    r"|these\b|it\b|if\b|when\b|by default\b|for example\b|example|default|the same\b"
    r"|as (?:above|with|you)\b|here\b|there\b|in (?:this|the)\b|we\b|you\b|let\b"
)
_ATTRIBUTES = re.compile(r"\s*\{:?\s*[#.][^{}]*\}\s*$")
_SHORTEST, _LONGEST = 25, 240  # characters of a sentence
_MOST_NAMES = 400  # of one document


def documents(view: View) -> None:
    """Bring the rows of the changed documents up to date."""
    limit = int(view.settings["project.max_file_bytes"])
    totals = ProseTotals({} if view.full else view.own.get(PROJECT) or {})
    for path, (_, new) in view.changes("files").items():
        row = _row(view, path, new, limit) if is_document(path) else {}
        before = {} if view.full else view.own.get(path) or {}
        totals.count(path, before.get("words", []), -1)
        totals.count(path, row.get("words", []), 1)
        if row:
            view.own.put(path, row)
            view.own.index.set(path, _index_terms(row))
        elif not view.full:
            view.own.drop(path)
    view.own.put(PROJECT, totals.row())


def is_document(path: str) -> bool:
    """Return whether a path is that of a document about the code as it is now."""
    is_log = _LOG.search(path) or is_test_data(path)
    return bool(_DOCUMENT.search(path)) and not is_log


def _index_terms(row: Row | None) -> set[str]:
    """Return the terms under which a row is found."""
    if not row:
        return set()
    names = {
        f"{mark}:{name.rpartition('.')[2]}"
        for mark, field in (("m", "mentions"), ("c", "calls"))
        for name in row.get(field, ())
    }
    calls = row.get("calls", {}).values()
    return names | {f"i:{one}" for _, code in calls for one in imported_modules(code)}


def imported_modules(code: str) -> set[str]:
    """Return the modules that code may import: of `from a import b` both a and a.b."""
    imports = list(written_imports(code))
    inner = {f"{one.module}.{one.name}" for one in imports if one.name}
    return inner | {one.module for one in imports}


def _row(view: View, path: str, file: Value, limit: int) -> Row:
    if not file or "left_out" in file or not is_regular(file["mode"]):
        return {}
    try:
        blob = view.blob(file["blob"])
    except MissingObjectError as error:
        view.fail("files", path, error)
        return {}
    if len(blob) > limit:
        return {}
    text = source_of(blob)[0].decode("utf-8", "replace")
    read = read_document(text, path.lower().endswith(".rst"))
    words = count_words(_CODE_SPAN.sub(" ", "\n".join(read.paragraphs)))
    row = {"mentions": _mentions(read), "calls": _calls(read)}
    if any(words):
        row["words"] = list(words)
    return {name: value for name, value in row.items() if value}


def _mentions(read: DocumentText) -> dict[str, str]:
    """Return each name of code in the prose, and the first sentence about it."""
    found: dict[str, str] = {}
    for paragraph in read.paragraphs:
        for sentence in _SENTENCE_BREAK.split(paragraph):
            subject = _subject_of(sentence)
            for name in _names_in(sentence):
                if len(found) < _MOST_NAMES or name in found:
                    told = sentence if name == subject else ""
                    found[name] = found.get(name) or told
    for title, paragraph in read.titled:
        name, sentence = _title_name(title), _SENTENCE_BREAK.split(paragraph)[0]
        if name and _is_telling(sentence) and not _ASIDE.match(sentence):
            found[name] = found.get(name) or sentence
    return dict(sorted(found.items()))


def _title_name(title: str) -> str:
    """Return the name of code that a title is, "" where it is more or less."""
    title = _ATTRIBUTES.sub("", title)
    name = _NAME.match(title.strip("`"))
    is_code = name and (title[:1] == "`" or name[2] or _NO_WORD.search(name[1]))
    return name[1] if name and is_code else ""


def _names_in(sentence: str) -> Iterator[str]:
    for span in _CODE_SPAN.finditer(sentence):
        name = _NAME.match(span[1])
        if name and (name[2] or span[1][0] == "@" or _ONLY_CODE.search(name[1])):
            yield name[1]


def _subject_of(sentence: str) -> str:
    """Return the name that a sentence is about, "" when that is not certain."""
    if not _is_telling(sentence):
        return ""
    span = _CODE_SPAN.search(sentence)
    name = _NAME.match(span[1]) if span else None
    if span is None or name is None or not _SUBJECT.match(sentence[: span.start()]):
        return ""
    # What is said of several is seldom what one of them is for.
    return "" if _SECOND_NAME.match(sentence, span.end()) else name[1]


def _is_telling(sentence: str) -> bool:
    """Return whether a sentence is whole, and of plain words and names."""
    if not _SHORTEST <= len(sentence) <= _LONGEST or sentence[-1] not in ".!":
        return False
    return not (_ODD.search(sentence) or sentence.count("`") % 2)


def _called_results(line: str) -> Iterator[str]:
    """Yield `?.name` for a method of what another call returned: `f(1).name(2)`."""
    for match in _CALL_OF_RESULT.finditer(line):
        yield f"?.{match[1]}"


def _calls(read: DocumentText) -> dict[str, list[Value]]:
    """Return the best call of each name in the code blocks."""
    best: dict[str, CallExample] = {}
    text = "\n".join(line for lines in read.code for line in lines)
    above: list[str] = []
    for lines in read.code:
        known = document_names(text, above)
        above += lines
        for row, line in enumerate(lines):
            for name in dict.fromkeys([*_CALL.findall(line), *_called_results(line)]):
                if len(best) >= _MOST_NAMES and name not in best:
                    continue
                last = name.removeprefix("?.")
                found = call_example(lines, row, last, known)
                if found and (name not in best or found.rank < best[name].rank):
                    best[name] = found
    return {name: [best[name].score, best[name].code] for name in sorted(best)}
