"""Task `code_completion`: a masked body or line, given the code around it.

The chat form shows the code with `MASK` in it; a model that knows fill-in-the-middle
(Bavarian et al. 2022) gets the same as prefix and suffix. The code is normalised: no
comments, blank lines or docstrings, so an edited comment does not move the mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode
from repobuild.samples.text.statements import LONG_STRINGS, statement_lines

MASK = "<...>"
_SHORTEST_LINE = 12  # characters
_FEWEST_LINES = 3  # of a body in which one line is masked
_MAX_OUTLINE = 900  # characters
_INDENT = "    "
_DEFINED_NAME = re.compile(r"(?:async )?(?:def|class) (\w+)")
_VALUE = (
    r"(?:(?:(?:self|this|cls)(?:\.|->))?[A-Za-z_]\w*|[-+]?[01]|\[\]|\{\}|\(\)|''|\"\""
    r"|(?:list|dict|set|tuple)\(\))"
)
# Lines that anybody would guess, and that tell nothing of the project.
_TRIVIAL = re.compile(
    rf"""[\s)\]}}]*(?:
    (?:return|raise|yield|throw)?\s*(?:not\s|!|\*)?(?:{_VALUE}(?:,\s*{_VALUE})*)?
    |(?:const\s|let\s|var\s)?(?:{_VALUE})(?:\s*:\s*\w+)?\s*[-+:]?=\s*(?:{_VALUE})
    |(?:super\([^()]*\)(?:\.__init__\(\))?|\.\.\.|raise\sNotImplementedError\b.*)
    |(?:if|elif|while)\s(?:not\s)?[\w.]+:
    |(?:await\s)?[\w.]+\([\d.]+\)  # `wait(0.5)`: nobody derives the number
    |import\s\w+|for\s(\w+)\sin\s(?:self\.)?\1e?s:|[\w.]+\.(\w+)\s*=\s*\2
    |(?:while\s(?:True|1)|else|try|finally|do)\s*[:{{]?
    )[\s;,{{(\[]*""",
    re.VERBOSE,
)
# Lines without which the code is as complete: they print for whoever looks for a fault,
# or check what is so.
_LEFT_OUT = re.compile(
    r"\s*(?:(?:e?print(?:ln)?|dbg|assert(?:_eq|_ne)?|debug_assert(?:_eq|_ne)?)!\("
    r"|(?:print|printf|pprint|console\.\w+|fmt\.Print(?:f|ln)?|static_assert"
    r"|System\.(?:out|err)\.print(?:f|ln)?|assert)\s?\(|assert\s)"
)


def facts(scope: FactScope) -> Iterator[Fact]:
    body = str(scope.get("body") or "")
    lines = body.split("\n")
    if scope.get("kind") == "class" or all(map(_TRIVIAL.fullmatch, lines)):
        return
    if crc32(scope.id.encode()) % 2:
        yield from _masked_body(scope, body)
    else:
        yield from _masked_line(scope, lines)


def _masked_body(scope: FactScope, body: str) -> Iterator[Fact]:
    """Mask the whole body; show the head, the class line and the siblings' heads."""
    head = str(scope.get("head"))
    # Indenting would change the content of a string of several lines.
    has_long_string = any(quotes in f"{head}\n{body}" for quotes in LONG_STRINGS)
    in_class = scope.get("container_signature") and not has_long_string
    margin = _INDENT if in_class else ""
    shown = _indented(head, margin) + "\n"
    masked = _indented(body, margin)
    code = masked.lstrip()
    shown += masked[: len(masked) - len(code)]
    before = "" if has_long_string else _outline(scope)
    if code:
        yield _fact("body", scope, MaskedCode(before + shown, ""), code)


def _masked_line(scope: FactScope, lines: list[str]) -> Iterator[Fact]:
    """Mask one line of the body: the same one as long as the body has it."""
    # An argument on a line of its own is no answer to "which line is missing".
    whole = statement_lines(lines, scope.get("fence") == "python")
    choice = [
        n
        for n in whole
        if len(lines[n].strip()) >= _SHORTEST_LINE and not _TRIVIAL.fullmatch(lines[n])
        if not _LEFT_OUT.match(lines[n])
    ]
    if len(lines) < _FEWEST_LINES or not choice or scope.get("twin"):
        return  # of two classes with one method, but for a line, either may be meant
    chosen = min(choice, key=lambda n: (crc32(lines[n].encode()), n))
    code = lines[chosen].lstrip()
    indent = lines[chosen][: -len(code)]
    before = "\n".join([str(scope.get("head")), *lines[:chosen], indent])
    after = "\n".join(["", *lines[chosen + 1 :]])
    yield _fact("line", scope, MaskedCode(before, after), code)


def _fact(kind: str, scope: FactScope, masked: MaskedCode, code: str) -> Fact:
    text = f"{masked.prefix}{MASK}{masked.suffix}"
    fields = {"code": text, "mark": f"`{MASK}`"}
    answer = scope.answer(kind, body=code)
    return Fact(kind, answer, (scope.id,), "medium", fields, masked)


def _indented(text: str, margin: str) -> str:
    return "\n".join(margin + line for line in text.split("\n"))


def _outline(scope: FactScope) -> str:
    """Return the class line, if there is one, and the siblings' heads up to a bound."""
    container, path = scope.get("container_signature"), scope.get("path")
    if scope.get("fence") != "python":
        return f"{container} {{\n" if container else ""
    text = f"{container}:\n" if container else ""
    indent = _INDENT if container else ""
    is_cut = False
    for sibling in scope.get("outline") or []:
        named = _DEFINED_NAME.search(sibling)
        if not container and named and scope.is_held_out(f"{path}::{named[1]}"):
            continue
        line = _indented(sibling, indent) + ": ...\n"
        if is_cut := len(text) + len(line) > _MAX_OUTLINE:
            break
        text += line
    if is_cut or scope.get("outline_cut"):
        text += f"{indent}...\n"
    return f"{text}\n" if text else ""
