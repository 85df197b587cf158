"""Check claims that quote code: whole definitions, and definitions with masked code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from repobuild.truth.claims.signature_claims import check_head
from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.quotation import head_line_count, quotation

MASK = "<...>"
_IMPORT = re.compile(r"from (\S+) import (\w+(?:, \w+)*)")
_MARGINS = ("", "    ")  # a method is shown inside of its class
_STUB, _MORE, _PROPERTY = ": ...", "...", "@property"


def code(subject: Subject, claimed: str) -> str:
    """Check the definition's code, line by line."""
    actual = quoted_definition(subject)
    if actual is None:
        return check_lines_in_text(subject, claimed)
    return check_same_code(claimed, actual)


def masked_code(subject: Subject, claimed: str) -> str:
    """Check that prefix, masked code and suffix together are the definition's code."""
    sample = subject.sample
    prefix, suffix, answer = sample["prefix"], sample["suffix"], sample["answer"]
    if claimed not in (answer, f"{prefix}{MASK}{suffix}"):
        return "the chat question shows other code than prefix and suffix"
    actual = quoted_definition(subject)
    if actual is None:
        return check_lines_in_text(subject, prefix + answer + suffix)
    if subject.kind == "line":
        if "\n" in answer or answer != answer.lstrip():
            return "it is no line"
        return check_same_code(prefix + answer + suffix, actual)
    return _check_body(subject, prefix, answer + suffix, actual)


def _check_body(subject: Subject, prefix: str, body: str, actual: str) -> str:
    """Check a class outline (or nothing), the head, and the whole body as answer."""
    shown = prefix + body
    for margin in _MARGINS:
        text = "\n".join(margin + line for line in actual.split("\n"))
        outline = shown.removesuffix(text)
        if len(outline) + len(text) == len(shown):
            head = prefix[len(outline) :]
            wrong = _check_mask_start(subject, head, body)
            return wrong or _check_outline(subject, outline)
    return check_same_code(shown.strip(), actual)


def _check_mask_start(subject: Subject, head: str, body: str) -> str:
    """Check that the masked code begins where the body begins."""
    definition, layout = subject.definition, subject.file.layout
    if definition is None or layout is None or subject.file.python is None:
        return ""
    rows = head_line_count(subject.file.python, definition, layout)
    if head.count("\n") != rows or head.rpartition("\n")[2].strip():
        return f"the body begins after {rows} lines"
    return "" if body == body.lstrip() else "the body begins with a space"


def _check_outline(subject: Subject, text: str) -> str:
    """Check the head of the enclosing class, and the heads of the siblings."""
    if not text:
        return ""
    if not text.endswith("\n\n"):
        return "no blank line separates the outline from the code"
    definition, python = subject.definition, subject.file.python
    if definition is None or python is None:
        return ""
    siblings = [d for d in python.children(definition.parent) if d is not definition]
    is_property = False
    for line in text.strip("\n").split("\n"):
        stripped = line.strip()
        if stripped == _MORE:
            continue
        if stripped == _PROPERTY:
            is_property = True
            continue
        if line == stripped and line.endswith(":") and subject.parent:
            head, known = line[:-1], [subject.parent]
        else:
            head = stripped.removesuffix(_STUB)
            known = [one for one in siblings if is_property == one.is_property]
            is_property = False
        # Before the colon of a class, or before the ": ..." of a sibling.
        complete = head in (line[:-1], stripped[: -len(_STUB)])
        if not complete or all(check_head(head, one) for one in known):
            return f"{stripped!r} is not beside it"
    return ""


def quoted_definition(subject: Subject) -> str | None:
    """Return the definition's quotation; None when the file cannot be parsed."""
    definition, python = subject.definition, subject.file.python
    layout = subject.file.layout
    if definition is None or layout is None or python is None:
        return None
    return "\n".join(quotation(python, definition, layout))


def check_lines_in_text(subject: Subject, claimed: str) -> str:
    """Check, without a parser, that every line is in the file, in this order.

    White space is ignored; in the file, a comment may follow a line or be in it.
    """
    if subject.file.python:
        return "there is no such definition"
    wrong = [_first_absent(claimed, text) for text in subject.file.bare_texts]
    return "" if "" in wrong else wrong[0]


def _first_absent(claimed: str, text: str) -> str:
    position = 0
    for line in claimed.split("\n"):
        if _is_imported(line, text):
            continue
        bare = "".join(line.split()).removesuffix(":...")
        start = text.find(bare, position)
        if start < 0:
            return f"{line.strip()!r} does not occur there"
        position = start + len(bare)
    return ""


def _is_imported(line: str, text: str) -> bool:
    """Return whether a line imports what a file imports with more names.

    `text` is the file without white space.
    """
    found = _IMPORT.fullmatch(line)
    if found is None:
        return False
    start = rf"from{re.escape(found[1])}import\(?(?:\w+,)*"
    return all(re.search(start + name, text) for name in found[2].split(", "))


def check_same_code(claimed: str, actual: str) -> str:
    """Check that a quotation is the code; return the first line that differs."""
    if claimed == actual:
        return ""
    claimed_lines, actual_lines = claimed.split("\n"), actual.split("\n")
    pairs = zip(claimed_lines, actual_lines, strict=False)
    for number, (line, actual_line) in enumerate(pairs, 1):
        if line != actual_line:
            return f"line {number} of it is {actual_line!r}"
    return f"it has {len(actual_lines)} lines"


CODE_CLAIMS: Mapping[str, LocalCheck] = {"code": code, "hole": masked_code}
