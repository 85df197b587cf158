"""Check claims of completions: what an assertion expects, which imports code needs."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from repobuild.truth.claims.code_claims import (
    MASK,
    check_lines_in_text,
    check_same_code,
    quoted_definition,
)
from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.python_reader import imported_names, parse_source

_GAP = "\n\n\n"  # between imports and code


def assertion(subject: Subject, claimed: str) -> str:
    """Check imports of the file, the test up to the mask, and the rest of that line."""
    prefix, answer = subject.sample["prefix"], subject.sample["answer"]
    if claimed not in (answer, f"{prefix}{MASK}"):
        return "the chat question shows other code than the prefix"
    actual = quoted_definition(subject)
    if actual is None:
        return check_lines_in_text(subject, prefix + answer)
    imports, before = "", prefix
    if prefix.startswith(("import ", "from ")):  # a string of the test may have a gap
        imports, _, before = prefix.partition(_GAP)
        if wrong := _check_imports(subject, imports):
            return wrong
    if "\n" in answer or not actual.startswith(before + answer):
        return check_same_code(before + answer, actual)
    rest = actual[len(before + answer) :]
    return "" if not rest or rest[0] in "\n;" else "the line continues"


def needed_imports(subject: Subject, claimed: str) -> str:
    """Check the definition's code, and imports of its file that bind names in it."""
    suffix, answer = subject.sample["suffix"], subject.sample["answer"]
    if claimed not in (answer, f"{MASK}{suffix}") or subject.sample["prefix"]:
        return "the chat question shows other code than the suffix"
    actual = quoted_definition(subject)
    if actual is None:
        return check_lines_in_text(subject, answer)
    if wrong := check_same_code(suffix.removeprefix(_GAP), actual):
        return wrong
    if wrong := _check_imports(subject, answer):
        return wrong
    nodes = ast.walk(parse_source(actual))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    for node in ast.parse(answer).body:
        assert isinstance(node, ast.Import | ast.ImportFrom)  # by `_check_imports`
        bound = {(n.asname or n.name).partition(".")[0] for n in node.names}
        # A name may also be in an annotation that is a string.
        spare = {name for name in bound - used if name not in actual}
        if spare:
            return f"it does not use {', '.join(sorted(spare))}"
    if missing := _missing_imports(subject, actual, answer):
        return f"it also uses {', '.join(sorted(missing))}"
    return subject.defer("own imports", answer)


def _missing_imports(subject: Subject, actual: str, answer: str) -> set[str]:
    """Return names that code reads, and that are imported beside those of an answer.

    From elsewhere in the package: by a relative import, or from the same top package.
    """
    listed = {pair for node in ast.parse(answer).body for pair in imported_names(node)}
    tops = {module.partition(".")[0] for module, _ in listed}
    nodes = list(ast.walk(parse_source(actual)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    stored = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound = stored | {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {text.rpartition(" ")[2] for _, text in listed}
    read = {node.id for node in names} - bound
    known = subject.file.python.imports if subject.file.python else set()
    return {
        name
        for module, text in known - listed
        if module and module.partition(".")[0] in tops
        if (name := text.rpartition(" ")[2]) in read
    }


def _check_imports(subject: Subject, text: str) -> str:
    """Check that the file has an import of every name, from the same module."""
    known = subject.file.python.imports if subject.file.python else set()
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return "it is no import"
    for node in body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            return f"{ast.unparse(node)} is no import"
        if not known.issuperset(imported_names(node)):
            return f"the file has no {ast.unparse(node)}"
    return "" if body else "it is no import"


COMPLETION_CLAIMS: Mapping[str, LocalCheck] = {
    "assertion": assertion,
    "needed imports": needed_imports,
}
