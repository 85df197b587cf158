"""Choose a call that shows how something is used, and quote its statement.

A statement is found by its lines: it begins on the line of the call or up to three
lines above it, and ends where its brackets are closed. It is parsed by itself, so that
a part of a statement is never quoted. A decorator is quoted with the line of its
definition and its body, `with` and `for` with a short body. Lines above it that assign
its variables come along when they are short and nothing between changes the variables;
`...` stands for what is left out.

A call that is expected to fail, within `with pytest.raises(...)` or before an `except`
that asserts something, is no example; nor is `super().name(...)`, which only an
overriding method can write, nor what a test does with a constant, or an attribute of
its class, that is not quoted.
Arguments that nothing quoted defines score less.

Every other quoted line is a line of the source without the common indentation, in the
order of the source. `score` prefers keyword arguments, literals and short statements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from repobuild.code.facts.syntax import load_grammar

_MOST_LINES = 6  # of a statement
_LONGEST = 320  # characters of an example
_LONGEST_LINE = 110  # characters
_BEFORE = 3  # lines above the call in which its statement may begin
_MOST_ABOVE = 40  # lines above a call that are searched for what expects an error
_SEARCHED = 12  # lines above a statement in which its variables may be assigned
_MOST_VARIABLES = 3
_SHORT = 80  # characters of a statement or an assignment
_BODY_LINES = 3

STRING_OR_COMMENT = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|#[^\n]*""")
_NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_CONSTANT = re.compile(r"(?<![.\w])[A-Z][A-Z0-9_]*_[A-Z0-9_]+(?!\w)")
_FIXTURE = re.compile(r"\bself\.(?!assert|fail)\w")  # what a test's `setUp` makes
_ARGUMENT = re.compile(r"(?<=[(,=])\s*([a-z_]\w*)\s*(?=[,)])")
_PASSED = re.compile(r"(?<=[(,=])\s*([a-z_]\w*)(?=\.|\s*[,)])")
_KEYWORD = re.compile(r"[(,]\s*[A-Za-z_]\w*\s*=(?!=)")
_LITERAL = re.compile(r"[(,\[=]\s*(?:['\"\d\[{]|[rbfu]['\"]|-\d|True|False)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:: [^=]+)? = (?!\.\.\.)")
# What gives a variable another value: `x = `, `x += `, `x[0] = `, `for x in`, `as x`.
_CHANGED = re.compile(
    r"(?<![.\w=(,])([A-Za-z_]\w*)(?:\[[^\]]*\]|\.\w+)*\s*"
    r"(?:[-+*/%|&^@]|//|\*\*|<<|>>|:)?=(?!=)|\b(?:for|as|del) ([A-Za-z_]\w*)"
)
_GAP = "..."  # stands for lines that are left out
_LEFT_OUT = re.compile(r"[(,]\s*\.\.\.\s*[,)]")  # `f(a, ...)`: no call to copy
_UNFINISHED = tuple("([{,\\+-*/%=|&.")
# What cannot be read as a statement by itself, or shows no more than that it is there.
_NO_EXAMPLE = re.compile(
    r"(?:def|class|if|elif|else|while|except|import|from|try|finally|lambda|async def"
    r"|case|match|del|raise|yield|global|nonlocal)\b|[)\]}#'\"]|\.\.\."
    r"|print [^(=.]"  # of Python 2
)
# In other languages than Python: `f(a);`, `x = f(a)`, `Type x = f(a);`.
_PLAIN_STATEMENT = re.compile(
    r"(?!return\b|func\b|fn\b|function\b|public\b)"
    r"(?:[\w.:<>]+\s+)?[\w.:]+\s*(?:=|:=|\(|\.)"
)
_WITH_BODY = re.compile(r"(?:async )?(?:with|for)\b")
_BARE_DECORATOR = re.compile(r"\s*@([\w.]+)(?=\s*$)", re.MULTILINE)
_DEFINITION = re.compile(r"(?:async def|def|class) [^\n]*:\s*$")
_FAILING = re.compile(r"(?i)raises|\b(?:warns|should_?fail|expect\w*error)\b")
_ASSERTS = re.compile(r"\s+(?:assert\b|self\.assert)")
_ASIDE = re.compile(r"\b(?:mock|monkeypatch|patch|raises|skip|xfail|Mock)\b")


class CallExample(NamedTuple):
    """A quoted call; of two, the one with the higher score shows more."""

    score: int
    code: str

    @property
    def rank(self) -> tuple[int, int, str]:
        """The best example has the least rank."""
        return -self.score, len(self.code), self.code


def call_example(
    lines: Sequence[str],
    row: int,
    name: str,
    is_python: bool = True,
    best: CallExample | None = None,
    is_test: bool = False,
) -> CallExample | None:
    """Return the statement that calls `name` in a row, counted from 0, or None.

    One whose score is below that of `best` is not completed, and None is returned.
    """
    if not 0 <= row < len(lines) or _find_call(lines[row], name) < 0:
        return None
    if not is_python:
        return _one_line(lines, row, name)
    for start in range(row, max(-1, row - _BEFORE - 1), -1):
        end = _statement_end(lines, start)
        if end <= row or not _may_begin(lines, start):
            continue
        quoted = _quoted(lines, start, end)
        if quoted is None:
            continue
        code = "\n".join(quoted)
        if _find_call(code, name) < 0 or len(code) > _LONGEST or not _is_valid(code):
            continue
        if _LEFT_OUT.search(_without_strings(code)):
            continue
        if re.search(rf"super\([^()]*\)\.{re.escape(name)}\(", code):
            continue
        score = _score(code, name)
        if (best and score < best.score) or _is_expected_to_fail(lines, row):
            return None
        whole = _with_variables(lines, start, quoted)
        if is_test and (_undefined(whole, _CONSTANT) or _FIXTURE.search(code)):
            return None
        if is_test and code.startswith("assert ") and _undefined(whole, _PASSED):
            return None
        return CallExample(score - bool(_undefined(whole, _ARGUMENT)), whole)
    return None


def _one_line(lines: Sequence[str], row: int, name: str) -> CallExample | None:
    """Return a call in another language than Python: a statement of one line."""
    code = lines[row].strip()
    bare = STRING_OR_COMMENT.sub("", code)
    if not code.endswith((";", ")")) or len(code) > _SHORT or _depth(bare):
        return None
    if not _PLAIN_STATEMENT.match(code) or _NO_EXAMPLE.match(code):
        return None
    return CallExample(_score(code, name), code)


def _is_expected_to_fail(lines: Sequence[str], row: int) -> bool:
    """Return whether a row is, or is in the body of, a check that it raises."""
    if _FAILING.search(_without_strings(lines[row])):
        return True
    inner = len(lines[row]) - len(lines[row].lstrip())
    if _is_asserted_to_fail(lines, row, inner):
        return True
    header: list[str] = []  # lines of a header that ends with a bracket of its own
    for line in reversed(lines[max(0, row - _MOST_ABOVE) : row]):
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text and (header or indent < inner):
            header.insert(0, text)
        if not text or indent >= inner:
            continue
        if text.startswith(")"):
            inner = indent + 1
            continue
        if text.startswith(("with", "async with")):
            if _FAILING.search(_without_strings(" ".join(header))):
                return True
        if _DEFINITION.match(text) or not indent:
            return False
        inner, header = indent, []
    return False


@lru_cache(256)
def _without_strings(text: str) -> str:
    """Return text with empty strings and no comments.

    Cached: the lines around a call are looked at for each row it may begin in.
    """
    return STRING_OR_COMMENT.sub("''", text)


def _is_asserted_to_fail(lines: Sequence[str], row: int, inner: int) -> bool:
    """Return whether the next `except` around a row asserts what has been raised."""
    for at in range(row + 1, min(len(lines), row + _MOST_ABOVE)):
        text, indent = lines[at].strip(), len(lines[at]) - len(lines[at].lstrip())
        if text and indent < inner and not text.startswith((")", "]", "}")):
            if not text.startswith("except"):
                return False
            return any(map(_ASSERTS.match, lines[at + 1 : at + 1 + _BODY_LINES]))
    return False


def _find_call(text: str, name: str) -> int:
    """Return where a text calls a name outside of strings and comments, else -1.

    The place is one in `_without_strings(text)`.
    """
    if decorator := _BARE_DECORATOR.match(text):
        if decorator[1].rpartition(".")[2] == name:
            return decorator.end() - len(name)
    call = f"{name}("
    if call not in text:
        return -1
    text = _without_strings(text)
    at = text.find(call)
    while at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_"):
        at = text.find(call, at + 1)
    return at


def _may_begin(lines: Sequence[str], start: int) -> bool:
    """Return whether a statement can begin in this row."""
    text = lines[start].strip()
    if not text or _NO_EXAMPLE.match(text):
        return False
    before = STRING_OR_COMMENT.sub("", lines[start - 1]).rstrip() if start else ""
    return not before.endswith(_UNFINISHED)


def _statement_end(lines: Sequence[str], start: int) -> int:
    """Return the row after the statement, 0 when it is too long to be quoted."""
    depth = 0
    for row in range(start, min(len(lines), start + _MOST_LINES)):
        if len(lines[row].strip()) > _LONGEST_LINE or '"""' in lines[row]:
            return 0
        bare = _without_strings(lines[row]).rstrip()
        depth += _depth(bare)
        if depth < 0:
            return 0
        if depth == 0 and not bare.endswith("\\"):
            return row + 1
    return 0


def _depth(text: str) -> int:
    return sum(text.count(c) for c in "([{") - sum(text.count(c) for c in ")]}")


def _quoted(lines: Sequence[str], start: int, end: int) -> list[str] | None:
    """Return the lines to quote, without their common indentation."""
    first = lines[start]
    margin = len(first) - len(first.lstrip())
    shown = list(lines[start:end])
    if first.lstrip().startswith("@"):
        following = _row_of_definition(lines, end)
        if following is None:
            return None
        shown.append(lines[following])
        inner = len(lines[following]) - len(lines[following].lstrip())
        body = _body(lines, following + 1, inner)
        shown += body or [" " * (inner + 4) + _GAP]
    elif _WITH_BODY.match(first.lstrip()):
        body = _body(lines, end, margin)
        if body is None:
            return None
        shown += body
    if any(line.strip() and len(line) - len(line.lstrip()) < margin for line in shown):
        return None
    return [line[margin:].rstrip() for line in shown]


def _row_of_definition(lines: Sequence[str], row: int) -> int | None:
    """Return the row of the definition that a decorator above `row` decorates."""
    for at in range(row, min(len(lines), row + _MOST_LINES)):
        text = lines[at].strip()
        if _DEFINITION.match(text):
            return at if len(text) <= _LONGEST_LINE else None
        if not text.startswith("@"):
            return None
    return None


def _body(lines: Sequence[str], row: int, margin: int) -> list[str] | None:
    """Return a short body below a header, None when it is long."""
    body: list[str] = []
    for line in lines[row:]:
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) <= margin or len(body) > _BODY_LINES:
            break
        body.append(line)
    return body if 0 < len(body) <= _BODY_LINES else None


@lru_cache(4096)
def _is_valid(code: str) -> bool:
    """Return whether Python can parse the code; a bare definition gets a body."""
    last = code.rpartition("\n")[2]
    whole = f"{code} ...\n" if _DEFINITION.match(last) else f"{code}\n"
    parser = load_grammar("python").parser
    return not parser.parse(whole.encode("utf-8", "replace")).root_node.has_error


def _score(code: str, name: str) -> int:
    bare = _without_strings(code)
    at = _find_call(bare, name)
    call = bare[at + len(name) :] if at >= 0 else ""
    score = min(2, len(_KEYWORD.findall(call)))
    score += bool(_LITERAL.search(call))
    score += 2 if len(code) <= _SHORT else 1 if len(code) <= 2 * _SHORT else 0
    score -= 2 * bool(_ASIDE.search(bare)) + bool(re.search(r"\bself\b", bare))
    return score - bare.startswith(("assert ", "return ", "for "))


def _undefined(code: str, pattern: re.Pattern[str]) -> set[str]:
    """Return the names that a pattern finds in code, and the code does not assign."""
    bare = _without_strings(code)
    assigned = map(_ASSIGNMENT.match, bare.split("\n"))
    return set(pattern.findall(bare)) - {match[1] for match in assigned if match}


def _with_variables(lines: Sequence[str], start: int, quoted: list[str]) -> str:
    """Put the lines above that assign the statement's variables before it."""
    margin = len(lines[start]) - len(lines[start].lstrip())
    bare = _without_strings("\n".join(quoted))
    own = _ASSIGNMENT.match(bare)
    # What the statement itself assigns needs no value from before.
    wanted = set(_NAME.findall(bare[own.end() :] if own else bare))
    found: list[str] = []
    rows: list[int] = []
    for row in range(start - 1, max(-1, start - _SEARCHED - 1), -1):
        line = lines[row]
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent < margin:
            break
        text = line.strip()
        assigned = _ASSIGNMENT.match(text) if indent == margin else None
        if assigned is None or assigned[1] not in wanted:
            continue
        wanted.discard(assigned[1])
        if assigned[1] in _NAME.findall(_without_strings(text[assigned.end() :])):
            continue  # its old value is not shown
        if len(found) < _MOST_VARIABLES and len(text) <= _SHORT and _is_valid(text):
            found.append(text)
            rows.append(row)
    if not found or _changes(lines[rows[-1] + 1 : start], found, rows):
        return "\n".join(quoted)
    shown: list[str] = []
    for row, text, below in zip(
        reversed(rows), reversed(found), [*reversed(rows[:-1]), start], strict=True
    ):
        shown.append(text)
        if any(map(_is_code, lines[row + 1 : below])):
            shown.append(_GAP)
    whole = "\n".join([*shown, *quoted])
    return whole if len(whole) <= _LONGEST else "\n".join(quoted)


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _changes(between: Sequence[str], found: list[str], rows: list[int]) -> bool:
    """Return whether lines below the first quoted one change a variable.

    `found` are the quoted assignments; each of them may make its variable anew.
    """
    names = {match[1] for text in found if (match := _ASSIGNMENT.match(text))}
    shown = {row - rows[-1] - 1 for row in rows}
    return any(
        name in names
        for number, line in enumerate(between)
        if number not in shown
        for pair in _CHANGED.findall(_without_strings(line))
        for name in pair
    )
