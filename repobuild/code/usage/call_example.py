"""Choose a call that shows how something is used, and quote its statement.

A statement is found by its lines: it begins on the line of the call or up to three
lines above it, and ends where its brackets are closed. It is parsed by itself, so that
a part of a statement is never quoted. A decorator is quoted with the line of its
definition and its body, `with` and `for` with a short body. Lines above it that assign
its variables come along when they are short and nothing between changes the variables;
so do the lines between that use them: without `ranks.solve()`, `ranks.top()` gives
nothing. `...` stands for what is left out; a call whose variables are used in a block
or a long statement before it is no example.

A call that is expected to fail, within `with pytest.raises(...)` or before an `except`
that asserts something, is no example; nor is `super().name(...)`, which only an
overriding method can write; nor one with names that its readers cannot know
(explained_names.py), nor what a method of the name passes on, nor a call that rests
on a statement left out, `add_level(5, "TRACE")` before `Level("TRACE")`, nor one of a
test of what is refused (refused_calls.py). An assertion is quoted without what makes it
one: the example of `assert f(a) == 3` is `f(a)  # == 3`, or `f(a)` where no literal is
compared, and where the call passes nothing: `count()  # == 2` is of what went before.

An object is shown with the first statement of its block that uses it: `store = Store()`
alone is how one is made. Of several ways to make one, the usual one counts more.

Every other quoted line is a line of the source without the common indentation, in the
order of the source. `score` prefers keyword arguments, literals and short statements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tree_sitter import Node

from repobuild.code.facts.syntax import load_grammar
from repobuild.code.usage.explained_names import (
    GAP,
    NO_NAMES,
    FileNames,
    is_code,
    is_delegated,
    with_known_names,
)
from repobuild.code.usage.refused_calls import (
    has_refused_text,
    is_of_negative_test,
    is_refused_below,
    is_said_to_fail,
    is_switched_off,
    passes_nothing,
)

_MOST_LINES = 6  # of a statement
_LONGEST = 320  # characters of an example
_LONGEST_LINE = 110  # characters
_BEFORE = 3  # lines above the call in which its statement may begin
_MOST_ABOVE = 40  # lines above a call that are searched for what expects an error
_SEARCHED = 12  # lines above a statement in which its variables may be assigned
_MOST_VARIABLES = 3
_MOST_USES = 3  # statements between that use its variables
_SHORT = 80  # characters of a statement or an assignment
_BODY_LINES = 3

_METHOD_IS_CALLED = 2  # more for what is made and has a method called
_SHOWS_NOTHING = 3  # less for empty literals, or a text that is refused
_IS_USUAL = 3  # more for what is made as in most places of its file
STRING_OR_COMMENT = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|#[^\n]*""")
_NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_RESULT = "  # "  # stands before what an asserted call gives
_LINES_LEFT_OUT = re.compile(r"^\.\.\.$", re.MULTILINE)
_ASSERTION = re.compile(r"assert\b|self\.(?:assert|fail)")
# `Time.min = `, `super().put(` and `store = shelf.Store(`, for any names.
_ATTRIBUTE_SET = re.compile(r"(\w+(?:\.\w+)*)\.\w+ = ")
_OF_BASE = re.compile(r"super\([^()]*\)+\.([\w.]+)\(")
_MADE = re.compile(r"(\w+) = (\w+(?:\.\w+)*)\(")
_DOTTED_CALL = re.compile(r"(?<![\w.])(\w+(?:\.\w+)+)\(")
_USED = re.compile(r"(?<![\w.])\w+")
_CALLED_ON = re.compile(r"(?<![\w.])(\w+)\.\w+\(")
_SETTER = re.compile(r"[\w.]+\.set_?(\w+)\(")
_ASSERTING = re.compile(r"(?!self\.)(?:\w+\.)*(?:assert\w*|eq_|ok_|expect)\(")
_TEXT = re.compile(r"""['"]([^'"\n]*\w{3}[^'"\n]*)['"]""")
_EMPTY_RESULT = re.compile(r"(?:==|is) (?:None|False|\[\]|\{\}|\(\)|''|\"\")")
_COMPARED = frozenset(("==", "is"))
_COMPARED_BY_METHOD = frozenset(
    "assertEqual assertEquals assertIs assertListEqual assertDictEqual assertTupleEqual"
    " assertSetEqual assertSequenceEqual assertMultiLineEqual".split()
)
_LITERALS = frozenset(
    "string concatenated_string integer float true false none list tuple dictionary set"
    " unary_operator pair".split()
)
_KEYWORD = re.compile(r"[(,]\s*[A-Za-z_]\w*\s*=(?!=)")
_LITERAL = re.compile(r"[(,\[=]\s*(?:['\"\d\[{]|[rbfu]['\"]|-\d|True|False)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:: [^=]+)? = (?!\.\.\.)")
# What gives a variable another value: `x = `, `x += `, `x[0] = `, `for x in`, `as x`.
_CHANGED = re.compile(
    r"(?<![.\w=(,])([A-Za-z_]\w*)(?:\[[^\]]*\]|\.\w+)*\s*"
    r"(?:[-+*/%|&^@]|//|\*\*|<<|>>|:)?=(?!=)|\b(?:for|as|del) ([A-Za-z_]\w*)"
)
_LEFT_OUT = re.compile(r"[(,]\s*\.\.\.\s*[,)]")  # `f(a, ...)`: no call to copy
_UNFINISHED = tuple("([{,\\+-*/%=|&.")
# What cannot be read as a statement by itself, or shows no more than that it is there.
_NO_EXAMPLE = re.compile(
    r"(?:def|class|if|elif|else|while|except|import|from|try|finally|lambda|async def"
    r"|case|match|del|raise|yield|global|nonlocal)\b|[)\]}#'\"[{]|\.\.\."
    r"|print [^(=.]"  # of Python 2
)
_PRINT_STATEMENT = re.compile(r"^\s*print [^(=.]", re.MULTILINE)  # of Python 2
# In other languages than Python: `f(a);`, `x = f(a)`, `Type x = f(a);`.
_PLAIN_STATEMENT = re.compile(
    r"(?!return\b|func\b|fn\b|function\b|public\b)"
    r"(?:[\w.:<>]+\s+)?[\w.:]+\s*(?:=|:=|\(|\.)"
)
_WITH_BODY = re.compile(r"(?:async )?(?:with|for)\b")
_BARE_DECORATOR = re.compile(r"\s*@([\w.]+)(?=\s*$)", re.MULTILINE)
_DEFINITION = re.compile(r"(?:async def|def|class) [^\n]*:\s*$")
_FAILING = re.compile(
    r"(?i)raises|\b(?:warns|deprecated_call|should_?fail|expect\w*error)\b"
)
_ASSERTS = re.compile(r"\s+(?:assert\b|self\.assert)")
# What looks at a value, and leaves it as it is.
_LOOKS = re.compile(r"#|assert\b|yield\b|self\.assert\w+\(|print\(|\w+\Z")
_PASSED_ON = re.compile(r"[(,]\s*\*{1,2}(?:args|kwargs|kw|kwds|options)\b")
_ESCAPE = re.compile(r"\\(?:x|u|U|N\{)")  # signs that nobody types
_PRIVATE = re.compile(r"(?<!self)(?<!cls)\._[a-z]\w*\b(?!\()")  # what only it may use
_PRIVATE_ARGUMENT = re.compile(r"[(,]\s*_\w+=(?!=)")
_WAITS = re.compile(r"\b(?:yield|await)\b")  # it is in a function
_DEFINES = re.compile(r"\bdef ")
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
    known: FileNames | None = NO_NAMES,
    best: CallExample | None = None,
) -> CallExample | None:
    """Return the statement that calls `name` in a row, counted from 0, or None.

    `known` are the names that the file explains, None where it is no Python. One whose
    score is below that of `best` is not completed, and None is returned.
    """
    if not 0 <= row < len(lines) or _find_call(lines[row], name) < 0:
        return None
    if known is None:
        return _one_line(lines, row, name)
    for start in range(row, max(-1, row - _BEFORE - 1), -1):
        end = _statement_end(lines, start)
        if end <= row or not _may_begin(lines, start):
            continue
        quoted = _quoted(lines, start, end)
        if quoted is None:
            continue
        code = "\n".join(quoted)
        if not _is_example(code, name) or is_delegated(lines, start, name):
            continue
        score = _score(code, name)
        is_made = _is_class_name(name)
        most = score + is_made * (_METHOD_IS_CALLED + _IS_USUAL)
        if (best and most < best.score) or _is_no_use(lines, row, start, is_made):
            return None
        if is_of_negative_test(lines, start, name):
            return None
        made = _ASSIGNMENT.match(code)
        if made and is_refused_below(lines, end, made[1]):
            return None
        if not is_made:
            return _completed(quoted, lines, start, name, known)
        used = _used_below(lines, end, quoted, name, known)
        found = used or _completed(quoted, lines, start, name, known)
        if not found or (not used and f"{name}()" in code):
            return found  # a creation alone that passes nothing shows nothing
        return _as_usual(found, code, name, known.whole or lines)
    return None


def _is_example(code: str, name: str) -> bool:
    """Return whether a quoted statement calls a name as its users do."""
    if _find_call(code, name) < 0 or len(code) > _LONGEST or not _is_valid(code):
        return False
    if "\t" in code.replace("\n\t", "\n"):
        return False  # nobody sees which white space a string has
    if _LEFT_OUT.search(_without_strings(code)):
        return False
    owner = _ATTRIBUTE_SET.match(code)
    if owner and _ends_with_name(owner[1], name):
        return False  # a constant of the class itself, `Time.min = Time(0)`
    of_base = any(one == name for one in _OF_BASE.findall(code))
    return not (of_base or _ASSERTING.match(code) or is_said_to_fail(code))


def _ends_with_name(dotted: str, name: str) -> bool:
    """Return whether a dotted name ends with a name, which may have dots itself.

    Comparing what one pattern finds costs less than compiling a pattern for each name:
    that was two fifths of the time of `call_sites`.
    """
    return f".{dotted}".endswith(f".{name}")


def _is_no_use(lines: Sequence[str], row: int, start: int, is_made: bool) -> bool:
    """Return whether a call is there to fail, or makes an object only for later."""
    if is_made and _is_made_late(lines, start):
        return True
    return _is_expected_to_fail(lines, row) or is_switched_off(lines, start)


def _is_made_late(lines: Sequence[str], start: int) -> bool:
    """Return whether a statement fills an attribute that was empty until now.

    `if self._desk is None: self._desk = Desk(self)` keeps an object for later, and
    shows no use of it.
    """
    kept = re.match(r"\s*(self\.\w+) = ", lines[start])
    head = lines[start - 1].strip() if kept and start else ""
    tests = ("if {} is None:", "if not {}:", "if {} == None:")
    return kept is not None and head in [one.format(kept[1]) for one in tests]


def _is_class_name(name: str) -> bool:
    """Return whether a name, or the last of a dotted one, is written like a class's."""
    bare = name.rpartition(".")[2].lstrip("_")
    return bare[:1].isupper() and not bare.isupper()


class _Made(NamedTuple):
    """A quoted statement that gives a new object a name."""

    quoted: list[str]
    callee: str
    variable: str

    def is_used_by(self, bare: str) -> bool:
        """Return whether code without strings has the variable."""
        return self.variable in _USED.findall(bare)

    def is_called_by(self, bare: str) -> bool:
        """Return whether code without strings calls a method of the object."""
        return self.variable in _CALLED_ON.findall(bare)


def _used_below(
    lines: Sequence[str], end: int, quoted: list[str], name: str, known: FileNames
) -> CallExample | None:
    """Return what makes an object, with the first statement below that uses it.

    One that calls a method comes before others: `copy(store)` tells less than
    `store.put(1)`. `end` is the row after the quoted statement. None where it gives the
    object no name, or nothing of the same block uses it in a way that can be quoted.
    """
    found = _MADE.match(quoted[0])
    if found is None or not _ends_with_name(found[2], name):
        return None
    made = _Made(quoted, name, found[1])
    first = None
    for row in _rows_below(lines, end):
        bare = _without_strings(lines[row].strip())
        if not made.is_used_by(bare) or bare.startswith("assert "):
            continue
        if passes_nothing(lines[row].strip()):
            continue
        is_called, waits = made.is_called_by(bare), _WAITS.search(bare)
        is_aside = _ASSIGNMENT.match(bare) or _LOOKS.match(bare)
        if is_aside and not (is_called or waits):
            continue  # it looks, or makes the next object, of which nobody sees the use
        used = _use(lines, row, made, known)
        if used is None or is_called:
            return used or first
        first = first or used
    return first


def _use(
    lines: Sequence[str], row: int, made: _Made, known: FileNames
) -> CallExample | None:
    """Return what makes an object with the statement of a row, None if one lacks."""
    stop = _statement_end(lines, row)
    use = _quoted(lines, row, stop) if stop else None
    if use is None or not _may_use(use, lines, row):
        return None
    code = "\n".join(made.quoted)
    first, whole = _with_variables(lines, row, use, "") or (0, "")
    if code not in whole or _hides_setup(lines, row, whole, made.callee):
        return None
    shown = with_known_names(whole, lines, first, made.callee, known)
    bare = _without_strings("\n".join(use))
    if not shown or (_WAITS.search(bare) and not _DEFINES.search(shown)):
        return None
    more = _METHOD_IS_CALLED if made.is_called_by(bare) else 1
    return CallExample(_score(code, made.callee) + more, shown)


def _hides_setup(lines: Sequence[str], start: int, whole: str, name: str) -> bool:
    """Return whether code rests on a statement above it that is left out.

    That is one for its effect alone, and about the same text: a level of logging that
    is added, a variable of the environment, a file that is written.
    """
    texts = set(_TEXT.findall(whole))
    if not texts:
        return False
    return any(
        bool(texts.intersection(_TEXT.findall(text)))
        and text not in whole
        and not _ASSIGNMENT.match(text)
        and not _LOOKS.match(text)
        and _find_call(text, name) < 0
        and re.match(r"[\w.]+\(.*\)$", _without_strings(text)) is not None
        for _, text in _lines_above(lines, start)
    )


def _rows_below(lines: Sequence[str], end: int) -> Iterator[int]:
    """Yield the rows of code below a statement, as far as its block goes on plainly."""
    margin = len(lines[end - 1]) - len(lines[end - 1].lstrip())
    for row in range(end, min(len(lines), end + _SEARCHED)):
        if not is_code(lines[row]):
            continue
        if len(lines[row]) - len(lines[row].lstrip()) != margin:
            return
        yield row


def _may_use(use: list[str], lines: Sequence[str], row: int) -> bool:
    """Return whether a statement may be quoted as what is done with an object."""
    if _NO_EXAMPLE.match(use[0]) and not use[0].startswith("yield "):
        return False
    is_plain = not use[0].startswith(("return ", "self.")) and len(use[0]) <= _SHORT
    code = "\n".join(use)
    is_plain = is_plain and not _PRIVATE.search(_without_strings(code))
    return is_plain and _is_valid(code) and not _is_expected_to_fail(lines, row)


def _as_usual(
    found: CallExample, code: str, name: str, lines: Sequence[str]
) -> CallExample:
    """Return an example with a better score where it makes an object as most do.

    `Text()` in ten places of a file is how it is made, `Text(language="en")` in one is
    a special option, though it shows more.
    """
    name = name.rpartition(".")[2]
    kinds = Counter(
        kind for line in lines if f"{name}(" in line for kind in _arguments(line, name)
    )
    count = next((kinds[kind] for kind in _arguments(code, name)), 0)
    most = kinds.most_common(2)
    is_usual = count > 1 and [count] == [one for _, one in most if one >= count]
    return found._replace(score=found.score + is_usual * _IS_USUAL)


def _arguments(text: str, name: str) -> Iterator[tuple[str, ...]]:
    """Yield what each plain call of a name passes: keywords, and values by number."""
    for call in re.finditer(rf"(?<!\w){re.escape(name)}\(([^()]*)\)", text):
        bare = _without_strings(call[1])
        given = [one.partition("=") for one in bare.split(",") if one.strip()]
        yield tuple(
            before.strip() if sign else str(number)
            for number, (before, sign, _) in enumerate(given)
        )


def _completed(
    quoted: list[str],
    lines: Sequence[str],
    start: int,
    name: str,
    known: FileNames,
) -> CallExample | None:
    """Return a quoted statement with the lines that it needs, None if one lacks."""
    code = "\n".join(quoted)
    score = _score(code, name)
    result = ""
    if _ASSERTION.match(code):
        plain, _, result = _asserted_call(code, name).partition(_RESULT)
        if not plain:
            return None
        quoted = [plain]
    found = _with_variables(lines, start, quoted, name)
    if found is None:
        return None
    first, whole = found
    if _hides_setup(lines, start, whole, name):
        return None
    is_cut = _LINES_LEFT_OUT.search(whole)  # what is left out may change the result
    if _EMPTY_RESULT.fullmatch(result):
        return None
    if _ASSERTION.match(code) and whole == quoted[0]:
        asked = _asked_state(whole, name)
        if asked and asked != whole:
            return None
        result = "" if asked else result
    if result and not is_cut:
        whole += _RESULT + result
    shown = with_known_names(whole, lines, first, name, known)
    if not shown:
        return None
    is_inside = not f"\n{shown}".endswith(f"\n{whole}")  # of a function of theirs
    return CallExample(score - is_inside, shown)


def _asked_state(code: str, name: str) -> str:
    """Return the call in a statement that passes nothing to nothing it shows.

    What comes out depends on what was done before: `len(desk.loans())  # == 2`.
    """
    if f"{name}()" not in code:
        return ""
    call = rf"(?<![\w.)\]])(?:\w+\.)*{re.escape(name)}\(\)"
    found = re.search(call, _without_strings(code))
    return found[0] if found else ""


def _asserted_call(code: str, name: str) -> str:
    """Return what an assertion of one line calls, with the literal that comes out."""
    if "\n" in code:
        return ""
    statement = _parsed(code).named_children[0]
    if statement.type == "assert_statement":
        return _compared_call(statement.named_children[0], name)
    call = statement.named_children[0]
    function, arguments = (
        call.child_by_field_name(one) for one in ("function", "arguments")
    )
    given = arguments.named_children if arguments else []
    method = _text(function).rpartition(".")[2] if function else ""
    if method in _COMPARED_BY_METHOD and len(given) > 1:
        return _call_with_result(
            given[:2], "is" if method == "assertIs" else "==", name
        )
    if method == "assertIsNone":
        return _made_call(given[0], name, f"{_RESULT}is None")
    if method == "assertTrue":
        return _compared_call(given[0], name)
    return ""


def _compared_call(asserted: Node, name: str) -> str:
    if asserted.type != "comparison_operator":
        return _made_call(asserted, name)
    sides = asserted.named_children
    sign = _text(asserted.children[1])
    if len(sides) != 2:
        return ""
    return _call_with_result(sides, sign if sign in _COMPARED else "", name)


def _call_with_result(sides: Sequence[Node], sign: str, name: str) -> str:
    """Return the side that calls, and the other one as a comment if it is a literal."""
    ours = [number for number in (0, 1) if _find_call(_text(sides[number]), name) >= 0]
    if not ours:
        return ""
    other = sides[1 - ours[0]]
    result = f"{_RESULT}{sign} {_text(other)}" if sign and _is_literal(other) else ""
    return _made_call(sides[ours[0]], name, result)


def _made_call(node: Node, name: str, result: str = "") -> str:
    """Return an expression that is no test itself: `isinstance(f(a), B)` is one."""
    text = _text(node)
    is_test = text.startswith(("isinstance(", "hasattr(", "not ", "all(", "any("))
    return "" if is_test or _find_call(text, name) < 0 else text + result


def _is_literal(node: Node) -> bool:
    parts = node.named_children
    if node.type in ("string", "concatenated_string"):
        return "{" not in _text(node) or not _text(node).startswith(("f", "rf", "fr"))
    return node.type in _LITERALS and all(map(_is_literal, parts))


def _parsed(code: str) -> Node:
    source = f"{code}\n".encode("utf-8", "replace")
    return load_grammar("python").parser.parse(source).root_node


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


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
        shown += body or [" " * (inner + 4) + GAP]
    elif _WITH_BODY.match(first.lstrip()):
        body = _body(lines, end, margin) or _first_of_body(lines, end, margin)
        if not body or body[0].strip() == "pass":
            return None
        shown += body
    if any(line.strip() and len(line) - len(line.lstrip()) < margin for line in shown):
        return None
    quoted = [line[margin:].rstrip() for line in shown]
    quoted[-1] = quoted[-1].removesuffix(",")  # an item of a list
    return quoted


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


def _first_of_body(lines: Sequence[str], row: int, margin: int) -> list[str]:
    """Return the first statement of a long body, of one line, and a mark for others."""
    rows = (at for at in range(row, len(lines)) if is_code(lines[at]))
    line = lines[next(rows, row)] if row < len(lines) else ""
    indent = len(line) - len(line.lstrip())
    is_plain = indent > margin and len(line) <= _SHORT and not line.endswith(":")
    if not is_plain or _depth(_without_strings(line)) or '"""' in line:
        return []
    return [line, " " * indent + GAP]


@lru_cache(4096)
def _is_valid(code: str) -> bool:
    """Return whether Python 3 can parse the code; a bare definition gets a body."""
    if _PRINT_STATEMENT.search(code):
        return False
    last = code.rpartition("\n")[2]
    whole = f"{code} ..." if _DEFINITION.match(last) else code
    return not _parsed(whole).has_error


def _score(code: str, name: str) -> int:
    bare = _without_strings(code)
    at = _find_call(bare, name)
    call = bare[at + len(name) :] if at >= 0 else ""
    score = min(2, len(_KEYWORD.findall(call)))
    score += bool(_LITERAL.search(call))
    score += 2 if len(code) <= _SHORT else 1 if len(code) <= 2 * _SHORT else 0
    score -= 2 * bool(_ASIDE.search(bare)) + bool(re.search(r"\bself\b", bare))
    score -= 2 * bool(_PASSED_ON.search(bare) or _PRIVATE_ARGUMENT.search(call))
    score -= bool(_ESCAPE.search(code)) + 2 * bool(_PRIVATE.search(bare))
    written = code[max(0, code.find(f"{name}(")) :]
    score -= _SHOWS_NOTHING * (passes_nothing(written) or has_refused_text(written))
    return score - bare.startswith(("assert ", "return ", "for "))


def _with_variables(
    lines: Sequence[str], start: int, quoted: list[str], name: str
) -> tuple[int, str] | None:
    """Put the lines above that assign the statement's variables before it.

    Returns the first row that is shown, and the code. The lines between that use these
    variables come along; None when they cannot. Of `self.desk.lend()` the object that
    is called counts as a variable, too.
    """
    statement = "\n".join(quoted)
    receiver = _dotted_receiver(_without_strings(statement), name)
    found = _assignments_above(lines, start, statement, receiver)
    if found and _changes(lines, start, found):
        return start, statement
    names = {match[1] for _, text in found if (match := _ASSIGNMENT.match(text))}
    uses = _uses_between(lines, start, found, names, receiver, statement)
    if uses is None:
        return None
    shown: list[str] = []
    kept = sorted([*found, *uses])
    following = [*(row for row, _ in kept[1:]), start]
    for (row, text), below in zip(kept, following, strict=False):
        shown.append(text)
        if any(map(is_code, lines[row + 1 : below])):
            shown.append(GAP)
    whole = "\n".join([*shown, statement])
    if len(whole) <= _LONGEST:
        return (kept[0][0] if kept else start), whole
    return None if uses else (start, statement)


def _dotted_receiver(bare: str, name: str) -> str:
    """Return `self.desk` of `self.desk.lend(...)`, "" for a plain variable."""
    if f".{name}(" not in bare:
        return ""
    receivers = (
        dotted.removesuffix(f".{name}")
        for dotted in _DOTTED_CALL.findall(bare)
        if dotted.endswith(f".{name}")
    )
    return next((one for one in receivers if "." in one), "")


def _assignments_above(
    lines: Sequence[str], start: int, statement: str, receiver: str
) -> list[tuple[int, str]]:
    """Return (row, text) of short lines that assign its variables, in their order."""
    bare = _without_strings(statement)
    own = _ASSIGNMENT.match(bare)
    # What the statement itself assigns needs no value from before.
    wanted = set(_NAME.findall(bare[own.end() :] if own else bare))
    found: list[tuple[int, str]] = []
    for row, text in _lines_above(lines, start):
        assigned = _ASSIGNMENT.match(text)
        if receiver and text.startswith(f"{receiver} = "):
            used = text.partition(" = ")[2]
        elif assigned and assigned[1] in wanted:
            wanted.discard(assigned[1])
            used = text[assigned.end() :]
            if assigned[1] in _NAME.findall(_without_strings(used)):
                continue  # its old value is not shown
        else:
            continue
        if len(found) < _MOST_VARIABLES and len(text) <= _SHORT and _is_valid(text):
            found.insert(0, (row, text))
            wanted.update(_NAME.findall(_without_strings(used)))
    return found


def _lines_above(lines: Sequence[str], start: int) -> Iterator[tuple[int, str]]:
    """Yield (row, text) of the lines of a statement's own block, the nearest first."""
    margin = len(lines[start]) - len(lines[start].lstrip())
    for row in range(start - 1, max(-1, start - _SEARCHED - 1), -1):
        indent = len(lines[row]) - len(lines[row].lstrip())
        if lines[row].strip() and indent < margin:
            return
        if indent == margin:
            yield row, lines[row].strip()


def _uses_between(
    lines: Sequence[str],
    start: int,
    found: Sequence[tuple[int, str]],
    names: set[str],
    receiver: str,
    statement: str,
) -> list[tuple[int, str]] | None:
    """Return (row, text) of the statements before a call that use its variables.

    `ranks.solve()` before `ranks.top()`, and `words.append(...)` before `f(words)`, are
    what the call rests on. None when one cannot be quoted: it is long or in a block.
    """
    margin = len(lines[start]) - len(lines[start].lstrip())
    rows = {row for row, _ in found}
    first = min(rows, default=start)
    if receiver:
        first = min((row for row, _ in _lines_above(lines, start)), default=first)
    used: list[tuple[int, str]] = []
    for row in range(first, start):
        text = lines[row].strip()
        if row in rows or _LOOKS.match(text):
            continue
        bare = _without_strings(text)
        is_of_receiver = receiver and re.search(rf"(?<![\w.]){receiver}\b", bare)
        is_used = row > min(rows, default=start) and names & {*_NAME.findall(bare)}
        if not is_of_receiver and not is_used or _only_reads(bare, names, statement):
            continue
        if _is_tested_alone(lines, row, statement):
            continue
        indent = len(lines[row]) - len(lines[row].lstrip())
        if indent != margin or len(text) > _SHORT or not _may_begin(lines, row):
            return None
        if not _is_valid(text) or text.endswith(":"):
            return None
        used.append((row, text))
    return used if len(used) <= _MOST_USES else None


def _is_tested_alone(lines: Sequence[str], row: int, statement: str) -> bool:
    """Return whether the line below asserts what a line sets, and a call has no use.

    `s.set_timeout(10)` and `assert s.get_timeout() == 10` before `s.close()`.
    """
    setter = _SETTER.match(lines[row].strip())
    below = next(filter(is_code, lines[row + 1 :]), "").strip()
    if setter is None or not _ASSERTION.match(below) or setter[1] in statement:
        return False
    return re.search(rf"\.(?:get_?)?{setter[1]}\b", below) is not None


def _only_reads(bare: str, names: set[str], statement: str) -> bool:
    """Return whether a line keeps what attributes hold, for others than a statement."""
    kept = _ASSIGNMENT.match(bare)
    if kept is None or kept[1] in _NAME.findall(_without_strings(statement)):
        return False
    value = bare[kept.end() :]
    read = re.findall(r"(?<![\w.])(\w+)(?:\.\w+)+(?![\w(\[])", value)
    return all(_NAME.findall(value).count(name) == read.count(name) for name in names)


def _changes(
    lines: Sequence[str], start: int, found: Sequence[tuple[int, str]]
) -> bool:
    """Return whether lines below the first quoted one change a variable.

    `found` are the quoted assignments; each of them may make its variable anew.
    """
    names = {match[1] for _, text in found if (match := _ASSIGNMENT.match(text))}
    shown = {row for row, _ in found}
    return any(
        name in names
        for row in range(found[0][0] + 1, start)
        if row not in shown
        for pair in _CHANGED.findall(_without_strings(lines[row]))
        for name in pair
    )
