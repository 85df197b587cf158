"""Recognise calls that show what is refused, left alone or empty.

Read as an example, `replace(body, [("key", None)])` of `test_replace_leaves_iterators`
says that the key is removed, and `trace("hidden")` after `enable_trace(False)` that a
trace is written. The name of a test, its texts, and what is switched off above the call
tell such a call from one that its users make.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEARCHED = 12  # lines above a call in which something may be switched off
_TEST = re.compile(r"\s*(?:async )?def (test\w*)\(")
_HEAD = re.compile(r"\s*(?:async )?(?:def|class) ")
# The head of a block of the module itself, and no text at the margin.
_BLOCK = re.compile(
    r"(?:if|elif|else|for|while|try|except|finally|(?:async )?with|match|case)\b.*:\s*$"
)
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")
_NEGATIVE = frozenset(
    "nonexistent nonexisting absent stale corrupt not no non none never nothing"
    " noop empty without missing invalid illegal malformed broken bad wrong unknown"
    " unsupported unchanged disabled disables deprecated ignore ignores ignored"
    " leaves skips skipped fail fails failed failing failure error errors raises"
    " rejects rejected refuses refused cannot cant doesnt dont isnt".split()
)
_REFUSED_TEXT = frozenset(
    "not hidden invalid ignored wrong bad broken illegal malformed".split()
)
_SWITCH = re.compile(r"\s*((?:\w+\.)*\w+)\((True|False)\b")
_NOTHING = re.compile(
    r"\s*(?:\w+\s*=\s*)?"
    r"(?:\[\]|\{\}|\(\)|[bru]?(?:\"\"|'')|(?:set|dict|list)\(\))\s*"
)
_BRACKETED = re.compile(
    r"""\([^()\[\]{}]+\)|\[[^()\[\]{}]+\]|\{[^()\[\]{}]+\}|'[^'\n]+'|"[^"\n]+\""""
)
_REFUSED = r"(?:\(?\s*False\b|None\b|\[\]|\{\})"
_BELOW = 4  # lines below a call that may say what is expected of its result
_SAID_TO_FAIL = re.compile(
    r"#.*\b(?:errors?|fails?|raises?|wrong|invalid)\b|\b1 ?/ ?0\b|^\s*raise\b",
    re.IGNORECASE | re.MULTILINE,
)
_TEXT = re.compile(r"""['"]([^'"\n]*)['"]""")


def is_of_negative_test(lines: Sequence[str], row: int, name: str) -> bool:
    """Return whether a row is in a test whose name says that something is refused.

    What the callee's own name says counts for nothing: `test_ignore_case` is the test
    of `ignore_case`.
    """
    inner = len(lines[row]) - len(lines[row].lstrip())
    for at in range(row - 1, -1, -1) if inner else ():
        line = lines[at]
        text = line.lstrip()
        indent = len(line) - len(text)
        if indent >= inner or not text:
            continue
        if test := _TEST.match(line):
            return bool((_words(test[1]) - _words(name)) & _NEGATIVE)
        if not indent and (_HEAD.match(line) or _BLOCK.match(line)):
            return False
        inner = indent or 1
    return False


def is_switched_off(lines: Sequence[str], row: int) -> bool:
    """Return whether a statement above a row, of its block, passes `False` alone.

    `websocket.enable_trace(False)` decides what `websocket.trace(...)` does.
    """
    margin = len(lines[row]) - len(lines[row].lstrip())
    root = lines[row].strip().partition(".")[0]
    for at in range(row - 1, max(-1, row - _SEARCHED - 1), -1):
        indent = len(lines[at]) - len(lines[at].lstrip())
        if lines[at].strip() and indent < margin:
            return False
        switch = _SWITCH.match(lines[at])
        if switch and indent == margin and switch[1].partition(".")[0] == root:
            return switch[2] == "False" and lines[at].rstrip().endswith("(False)")
    return False


def is_said_to_fail(code: str) -> bool:
    """Return whether code raises, or a comment in it says that it does: `1/0`."""
    return _SAID_TO_FAIL.search(code) is not None


def passes_nothing(call: str) -> bool:
    """Return whether half of the arguments of a call are empty literals.

    `call` begins with its name.
    """
    text = call[call.find("(") :]
    while (shorter := _BRACKETED.sub("x", text)) != text and text[:1] == "(":
        whole, text = text, shorter
        if text[:1] == "x":
            text = whole  # the arguments, with nothing in brackets
            break
    given = [one for one in text[1:].partition(")")[0].split(",") if one.strip()]
    empty = [one for one in given if _NOTHING.fullmatch(one)]
    return bool(empty) and 2 * len(empty) >= len(given)


def is_refused_below(lines: Sequence[str], end: int, variable: str) -> bool:
    """Return whether the lines below a row assert that a variable is false or empty."""
    below = "\n".join(lines[end : end + _BELOW])
    if "assert" not in below or variable not in below:
        return False  # as nearly everywhere; compiling a pattern takes longer
    value = rf"{variable}(?:\[0\])?"
    said = re.compile(
        rf"^[ \t]*(?:assert not {variable}\b|assert {value} (?:is|==) {_REFUSED}"
        rf"|self\.assert(?:False|IsNone)\({variable}\b"
        rf"|self\.assert\w*\(\s*{value},\s*{_REFUSED})",
        re.MULTILINE,
    )
    return said.search(below) is not None


def has_refused_text(call: str) -> bool:
    """Return whether a text of a call says that it is refused: `"not-logged"`."""
    return any(_words(text[1]) & _REFUSED_TEXT for text in _TEXT.finditer(call))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}
