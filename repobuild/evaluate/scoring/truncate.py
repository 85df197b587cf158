"""Truncate a code completion where it ends, without looking at the expected code.

A model that never learnt to stop writes the right line and continues. Truncating its
answer by the target ("one line, because the target is one line"; "up to the comma,
because the target has none") would reveal the target. So the end follows from the kind
of the question, which the model saw as well:

    line        one line: the first that is not blank
    assertion   the rest of a line, likewise
    body        Python: up to the first line that is indented less than the hole,
                outside of multi-line strings; languages with braces: up to the brace
                that closes the body
    needs       import statements: the first consecutive ones

In Python, a comment ends the line: no expected line has a comment. If the answer has a
fence, only the code in the fence counts: whether code comes in a fence is form, not
knowledge.

The metrics `exact` and `edit` compare the truncated answer; `stopped` records whether
the model stopped there by itself, so that truncation shows. Expected answers are not
truncated: on click's and joblib's samples the rule leaves every one unchanged
(tests/evaluate/test_truncate.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import dropwhile, takewhile

from repobuild.engine.contract import Value
from repobuild.model.teaching.curriculum import kind_of

COMPLETIONS = frozenset(
    {"code_completion", "assertion_completion", "import_completion"}
)
_IMPORT = re.compile(r"\s*(import|from)\s")
_TRIPLE_QUOTE = re.compile(r'"""|\'\'\'')
_PYTHON = (".py", ".pyi", ".pyw")


def truncate_completion(sub: str, row: Mapping[str, Value], answer: str) -> str:
    """Return the part of an answer that counts.

    `sub` is the `#task.language.n` of the sample, `row` its row of the table.
    """
    kind, code = kind_of(sub), code_in(answer)
    is_python = str(row.get("element", "")).partition("::")[0].endswith(_PYTHON)
    if kind == "needs":
        return _import_statements(code)
    if kind == "body" and not is_python:
        return _braced_block(code)
    if kind == "body":
        hole_line = str(row.get("prefix", "")).rpartition("\n")[2]
        return _indented_block(code, len(hole_line) - len(hole_line.lstrip()))
    lines = dropwhile(lambda line: not line.strip(), code.splitlines())
    line = next(lines, "").rstrip()
    return _without_comment(line) if is_python else line


def code_in(text: str) -> str:
    """Return the code in the first fence, or all; an open fence reaches to the end."""
    _, fence, rest = text.partition("```")
    code = rest.partition("\n")[2].partition("```")[0]
    return code if fence else text


def _without_comment(line: str) -> str:
    """Remove a line's Python comment; a `#` in a string begins none."""
    quote, index = "", 0
    while index < len(line):
        char = line[index]
        if char == "\\":
            index += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            return line[:index].rstrip()
        index += 1
    return line


def _import_statements(text: str) -> str:
    lines = dropwhile(lambda line: not _IMPORT.match(line), text.splitlines())
    return "\n".join(takewhile(_IMPORT.match, lines))


def _indented_block(text: str, indent: int) -> str:
    """Return the lines up to one with less indent.

    The first line has none, because it continues the line with the hole.
    """
    kept: list[str] = []
    in_string = False
    for line in text.splitlines():
        dedents = len(line) - len(line.lstrip()) < indent and line.strip()
        if kept and dedents and not in_string:
            break
        kept.append(line)
        in_string ^= bool(len(_TRIPLE_QUOTE.findall(line)) % 2)
    return "\n".join(kept).rstrip()


def _braced_block(text: str) -> str:
    """Return the lines up to the brace that closes the body opened before the hole."""
    depth, kept = 1, []
    for line in text.splitlines():
        kept.append(line)
        depth += line.count("{") - line.count("}")
        if depth <= 0:
            break
    return "\n".join(kept)
