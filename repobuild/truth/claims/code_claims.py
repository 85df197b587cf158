"""Claims that quote code: whole definitions, and definitions with a hole."""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.truth.claims.local_claims import Check
from repobuild.truth.claims.signature_claims import same_head
from repobuild.truth.subject import Subject
from repobuild.truth.tree.python_reader import PythonDefinition
from repobuild.truth.tree.quotation import head_lines, quotation

MARK = "<...>"
_MARGINS = ("", "    ")  # a method is shown within its class
_STUB = ": ..."


def code(about: Subject, said: str) -> str:
    """The definition's code, line by line."""
    whole = whole_of(about)
    if whole is None:
        return verbatim(about, said)
    return difference(said, whole)


def hole(about: Subject, said: str) -> str:
    """What stands before the hole, in it and after it is the definition's code."""
    sample = about.sample
    prefix, suffix, answer = sample["prefix"], sample["suffix"], sample["answer"]
    if said not in (answer, f"{prefix}{MARK}{suffix}"):
        return "the chat question shows other code than prefix and suffix"
    whole = whole_of(about)
    if whole is None:
        return verbatim(about, prefix + answer + suffix)
    if about.kind == "line":
        odd = "\n" in answer or answer != answer.lstrip()
        return "it is no line" if odd else difference(prefix + answer + suffix, whole)
    return _body(about, prefix, answer + suffix, whole)


def _body(about: Subject, prefix: str, answer: str, whole: str) -> str:
    """Outline, head, and in the hole the whole body."""
    for margin in _MARGINS:
        text = "\n".join(margin + line for line in whole.split("\n"))
        before = (prefix + answer).removesuffix(text)
        if len(before) + len(text) == len(prefix + answer):
            shown = prefix[len(before) :]
            return _cut(about, shown, answer) or _outline(about, before)
    return difference((prefix + answer).strip(), whole)


def _cut(about: Subject, shown: str, answer: str) -> str:
    """Whether the hole is where the body is."""
    found, layout = about.definition, about.file.layout
    if found is None or layout is None or about.file.python is None:
        return ""
    rows = head_lines(found, layout, about.file.python)
    if shown.count("\n") != rows or shown.rpartition("\n")[2].strip():
        return f"the body begins after {rows} lines"
    return "" if answer == answer.lstrip() else "the body begins with a space"


def _outline(about: Subject, text: str) -> str:
    """The class that holds the definition, and heads of what stands beside it."""
    if not text:
        return ""
    if not text.endswith("\n\n"):
        return "the outline runs into the code"
    found, python = about.definition, about.file.python
    if found is None or python is None:
        return ""
    holder = python.definitions.get(found.parent)
    beside = [d for d in python.children(found.parent) if d is not found]
    for line in text.strip("\n").split("\n"):
        indented = line != line.lstrip()
        if not indented and line.endswith(":") and holder:
            known, head = [holder], line[:-1]
        else:
            known, head = beside, line.strip().removesuffix(_STUB)
        if not any(_is_head(line, head, one) for one in known):
            return f"{line.strip()!r} does not stand beside it"
    return ""


def _is_head(line: str, head: str, one: PythonDefinition) -> bool:
    return head in (line[:-1], line.strip()[: -len(_STUB)]) and not same_head(head, one)


def whole_of(about: Subject) -> str | None:
    """The definition's quotation; None when nothing here can parse the file."""
    found, layout, python = about.definition, about.file.layout, about.file.python
    if found is None or layout is None or python is None:
        return None
    return "\n".join(quotation(python, found, layout))


def verbatim(about: Subject, said: str) -> str:
    """Without a parser: every line stands in the file, in this order.

    A comment may follow a line in the file.
    """
    if about.file.python:
        return "there is no such definition"
    place = 0
    for line in said.split("\n"):
        bare = "".join(line.split()).removesuffix(":...")
        found = about.file.bare.find(bare, place)
        if found < 0:
            return f"{line.strip()!r} does not stand there"
        place = found + len(bare)
    return ""


def difference(said: str, whole: str) -> str:
    """The first line in which a quotation differs from the code."""
    if said == whole:
        return ""
    ours, theirs = said.split("\n"), whole.split("\n")
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False), 1):
        if our != their:
            return f"line {number} of it is {their!r}"
    return f"it has {len(theirs)} lines"


CODE: Mapping[str, Check] = {"code": code, "hole": hole}
