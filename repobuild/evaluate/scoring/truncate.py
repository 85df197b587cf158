"""Where a completion ends, decided without a look at what it should be.

A model that never learnt to stop writes the right line and goes on.  Whoever cuts its
answer by the target ("one line, for the target is one line"; "up to the comma, for the
target has none") tells it what it did not know.  So the end follows from what was
asked for, which the model saw, too:

    line        one line: the first that is not blank
    assertion   the rest of a line, likewise
    body        of Python: until a line is indented less than the hole, outside of
                strings of several lines; of languages with braces: with the brace
                that closes the body
    needs       import statements: the first that follow on one another

A comment behind a line of Python ends it: what is asked for has none.  An answer in a
fence is what the fence holds: whether code comes in one is form, not knowledge.

`exact` and `edit` are taken of what is left; `stopped` says whether the model had
stopped there by itself, so that a cut shows.  Checked answers are not cut: on click's
and joblib's samples the rule leaves every one as it is
(tests/evaluate/test_truncate.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import dropwhile, takewhile

from repobuild.engine.contract import Value
from repobuild.samples.tasks.phrases import NUMBERS, phrases

COMPLETIONS = frozenset(
    {"code_completion", "assertion_completion", "import_completion"}
)
_IMPORT = re.compile(r"\s*(import|from)\s")
_LONG = re.compile(r'"""|\'\'\'')
_PYTHON = (".py", ".pyi", ".pyw")


def completion(sub: str, row: Mapping[str, Value], answer: str) -> str:
    """The part of an answer that counts; `sub` is #task.language.n of its sample."""
    kind, code = kind_of(sub), code_in(answer)
    python = str(row.get("element", "")).partition("::")[0].endswith(_PYTHON)
    if kind == "needs":
        return _imports(code)
    if kind == "body" and python:
        return _indented(code, _margin(str(row.get("prefix", ""))))
    if kind == "body":
        return _braced(code)
    return _uncommented(_line(code)) if python else _line(code)


def kind_of(sub: str) -> str:
    """The kind of fact that a sample asks for: a table of its question file."""
    task, language, number = sub.lstrip("#").split(".", 2)
    first = int(number) // NUMBERS * NUMBERS
    kinds = phrases(language).kinds.values()
    return next((k.name for k in kinds if (k.task, k.number) == (task, first)), "")


def code_in(text: str) -> str:
    """What the first fence holds; an open fence reaches to the end."""
    _, fence, rest = text.partition("```")
    code = rest.partition("\n")[2].partition("```")[0]
    return code if fence else text


def _line(text: str) -> str:
    lines = dropwhile(lambda line: not line.strip(), text.splitlines())
    return next(lines, "").rstrip()


def _uncommented(line: str) -> str:
    """A line of Python without the comment behind it; `#` in a string is none."""
    quote, place = "", 0
    while place < len(line):
        sign = line[place]
        if sign == "\\":
            place += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            return line[:place].rstrip()
        place += 1
    return line


def _imports(text: str) -> str:
    lines = dropwhile(lambda line: not _IMPORT.match(line), text.splitlines())
    return "\n".join(takewhile(_IMPORT.match, lines))


def _margin(prefix: str) -> int:
    """How far the line with the hole is indented."""
    line = prefix.rpartition("\n")[2]
    return len(line) - len(line.lstrip())


def _indented(text: str, margin: int) -> str:
    """Lines until one is indented less; the first begins behind the margin."""
    kept: list[str] = []
    in_string = False
    for line in text.splitlines():
        outside = len(line) - len(line.lstrip()) < margin and line.strip()
        if kept and outside and not in_string:
            break
        kept.append(line)
        in_string ^= bool(len(_LONG.findall(line)) % 2)
    return "\n".join(kept).rstrip()


def _braced(text: str) -> str:
    """With the line of the brace that closes the body, which was opened before."""
    depth, kept = 1, []
    for line in text.splitlines():
        kept.append(line)
        depth += line.count("{") - line.count("}")
        if depth <= 0:
            break
    return "\n".join(kept)
