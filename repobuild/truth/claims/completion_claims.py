"""Claims of completions: what an assertion expects, which imports a code needs."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from repobuild.truth.claims.code_claims import MARK, difference, verbatim, whole_of
from repobuild.truth.claims.local_claims import Check
from repobuild.truth.subject import Subject

_GAP = "\n\n\n"  # between imports and code


def assertion(about: Subject, said: str) -> str:
    """Imports of the file, the test up to the hole, and in it the rest of the line."""
    prefix, answer = about.sample["prefix"], about.sample["answer"]
    if said not in (answer, f"{prefix}{MARK}"):
        return "the chat question shows other code than the prefix"
    whole = whole_of(about)
    if whole is None:
        return verbatim(about, prefix + answer)
    imports, gap, before = prefix.rpartition(_GAP)
    if gap and (wrong := _imported(about, imports)):
        return wrong
    if "\n" in answer or not whole.startswith(before + answer):
        return difference(before + answer, whole)
    rest = whole[len(before + answer) :]
    return "" if not rest or rest[0] in "\n;" else "the line goes on"


def needed(about: Subject, said: str) -> str:
    """The definition's code, and imports of its file that bind names in it."""
    suffix, answer = about.sample["suffix"], about.sample["answer"]
    if said not in (answer, f"{MARK}{suffix}") or about.sample["prefix"]:
        return "the chat question shows other code than the suffix"
    whole = whole_of(about)
    if whole is None:
        return verbatim(about, answer)
    if wrong := difference(suffix.removeprefix(_GAP), whole) or _imported(
        about, answer
    ):
        return wrong
    used = {
        node.id for node in ast.walk(ast.parse(whole)) if isinstance(node, ast.Name)
    }
    # A name may stand in an annotation that is a string.
    for node in _statements(answer):
        bound = {(n.asname or n.name).partition(".")[0] for n in node.names}
        if not bound & used and not any(name in whole for name in bound):
            return f"it uses none of {', '.join(sorted(bound))}"
    return about.later("own imports", answer)


def _imported(about: Subject, text: str) -> str:
    """Whether every import is one of the file."""
    python = about.file.python
    known = python.imports if python else set()
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return "it is no import"
    for node in body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            return f"{ast.unparse(node)} is no import"
        if ast.dump(node) not in known:
            return f"the file has no {ast.unparse(node)}"
    return "" if body else "it is no import"


def _statements(text: str) -> list[ast.Import | ast.ImportFrom]:
    body = ast.parse(text).body
    return [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]


COMPLETION: Mapping[str, Check] = {"assertion": assertion, "needed imports": needed}
