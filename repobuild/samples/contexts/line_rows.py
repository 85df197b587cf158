"""Make the `@lines` rows of `contexts`: the line numbers of an element and in it.

    kind, id, label, shared, project, start, end     of every element that has a row
    fence
    code        [[line, text of the line, callees, head, comment], ...]: every line of
                the body, of one short function in two; `head` is the line of the `if`
                or the loop that the line is under, 0 for none; `comment` is what the
                lines above it say
    purposes    {id: first sentence of its docstring} of these callees
    purpose     that of the function
    members     [[name, start, end], ...]: every method that runs, of classes that
                inherit from the project's, are used, and not there for old versions
    extends     [[line, text of the line], ...]: the head that names the bases, and all
                lines with `super()` or, in Python, a base's name and a dot
    bases, container      those of the element's own row

No other row holds a line number: an edit above an element changes these rows and the
samples that quote lines, and no others. All lines are the element's own: the row does
not change when a neighbour moves.
"""

from __future__ import annotations

import re
from collections import Counter
from zlib import crc32

from repobuild.code.facts.element_row import name_of, without_type_arguments
from repobuild.code.graph.graph import split_id
from repobuild.code.usage.dated import has_dated_name, needs_python_2
from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.element_view import CALL_DECORATORS, ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.comment_above import comment_above
from repobuild.samples.text.long_strings import without_long_strings

Row = dict[str, Value]

LINES = "@lines"

_USES = ("calls", "uses", "inherits", "imports")  # edges to a class that is used
_IDENTITY = ("label", "shared", "project")
_TRACED = 2  # one function in two: a trace is as long as the rest of the row
_MOST_LINES = 8  # of a body that is traced
_MOST_RAW_LINES = 40  # with docstring and comments
_LONGEST_LINE = 100  # characters
_LONGEST_COMMENT = 200  # characters
_MEMBERS = 12
_MOST_EXTENDING = 10  # lines; of a class with more nobody wants all
_SUPER = r"\bsuper\([^()]*\)\.\w+"
_COMMENT = re.compile(r"#.*")
# Nothing happens in such a line alone: no step, and without it a part is missing.
_NO_STEP = re.compile(
    r"\s*(?:(?:else|try|finally)\s*:|break|continue|pass|[\"'\s]+)[\s;]*"
)
# Lines below it run once, never or often.
_HEAD = re.compile(r"(?:async )?(?:if|elif|for|while|with|except|match|case)\b.*:")
_SET = re.compile(r"(?!__)(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
# What is written first happens later, or not at all; `if` and `for` at its beginning
# head a block.
_NOT_IN_ORDER = re.compile(
    r"^\s*\S.*\b(?:if|for)\b|\blambda\b|\)[^()=]*(?<![=!<>])=(?!=)"
)
# A statement that is a string alone, as the docstring of an attribute: it does nothing.
_STRING_STATEMENT = re.compile(
    r"""\s*[rRbBuU]{0,2}(?:"{3}(?:[^"\\]|\\.|"(?!""))*"{3}"""
    r"""|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}"""
    r"""|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")[\s;]*"""
)


def quotes_lines(sample: str) -> bool:
    """Return whether the sample of a dataset key is made from such a row."""
    return sample.rpartition("#")[0].endswith(LINES)


def lines_row(file: FileContext, element: ElementView, row: Row) -> Row | None:
    """Return the lines of an element; `row` is its own row, see context_rows.py."""
    if row.get("brief") or element.type not in NAMED_TYPES:
        return None
    if file.is_repeated(element):
        return None  # its overloads are lines of it, too
    return {
        "kind": "lines",
        "id": element.id,
        **{name: row[name] for name in _IDENTITY if name in row},
        "start": element.row.start_line - element.row.lead,
        "end": element.row.end_line,
        **_trace(file, element, row),
    }


def _trace(file: FileContext, element: ElementView, row: Row) -> Row:
    """Return what a reasoning trace cites; empty when that is too little for one."""
    steps: Row = {}
    if element.type == "class" and not _is_followed(file, element, row):
        return {}
    if element.type == "class":
        bases = _in_header_order(element, row.get("bases") or [])
        steps = {"members": _members(file, element), "bases": bases} if bases else {}
        if not steps.get("members"):
            return {}
        steps["extends"] = _extending_lines(file, element)
        if not steps["extends"] or not _is_linked(file, element, steps):
            return {}
    elif row.get("callees") and crc32(element.id.encode()) % _TRACED == 0:
        steps = _traced_code(file, element, row)
    if not steps:
        return {}
    trace = {"fence": file.language, **steps}
    if row.get("container"):
        trace["container"] = row["container"]
    return trace


def _in_header_order(element: ElementView, bases: list[str]) -> list[str]:
    """Return base classes as the header names them: the first one says the most."""
    names = [name_of(without_type_arguments(text)) for text in element.row.bases]
    known = {name: number for number, name in enumerate(names)}
    return sorted(bases, key=lambda id: known.get(name_of(split_id(id)[1]), len(names)))


def _extending_lines(file: FileContext, element: ElementView) -> list[list[Value]]:
    """Return [line, text] of a class's head and of all its lines that use the base.

    Where one cannot be quoted, there are none: some of them would look like all.
    """
    first = element.row.start_line
    is_python = file.language == "python"
    names = [name_of(without_type_arguments(one)) for one in element.row.bases]
    named = "|".join(map(re.escape, names if is_python else ()))
    uses = re.compile(rf"{_SUPER}|(?<!\w)(?:{named})\.\w+" if named else _SUPER)
    code = without_long_strings(file.code(element)).split("\n")[element.row.lead :]
    called = [
        number
        for number, line in enumerate(code, first)
        if number > first and uses.search(_COMMENT.sub("", _STRING.sub("", line)))
    ]
    lines = [(number, file.line(number)) for number in called]
    if len(lines) > _MOST_EXTENDING or not all(_is_quotable(text) for _, text in lines):
        return []
    shown = [(first, file.line(first)), *lines]
    return [[number, text] for number, text in shown if _is_quotable(text)]


def _is_quotable(text: str) -> bool:
    return len(text) <= _LONGEST_LINE and "`" not in text


def _is_linked(file: FileContext, element: ElementView, steps: Row) -> bool:
    """Return whether a class shows how its base is extended, and not only that it is.

    It calls the base, replaces a method of it or sets an attribute.
    """
    if len(steps["extends"]) > 1 or _attributes(file, element):
        return True
    names = [name for name, *_ in steps["members"]]
    return any(
        file.reader.runs(f"{base}.{name}")
        for base in file.reader.ancestors(element.id)
        for name in names
    )


def _is_followed(file: FileContext, element: ElementView, row: Row) -> bool:
    """Return whether a class may be the model of another: it is used, and not dated."""
    if row.get("deprecated") or has_dated_name(element.name):
        return False
    if file.language == "python":
        if needs_python_2(file.own_bytes(element), file.source):
            return False
    users = (next(file.reader.incoming(element.id, kind), "") for kind in _USES)
    return any(users)


def _traced_code(file: FileContext, element: ElementView, row: Row) -> Row:
    """Return the lines of a function with the purposes of what they call, or nothing.

    A decorator that nobody knows runs before the first line and after the last one.
    """
    if any(one not in CALL_DECORATORS for one in element.row.decorators):
        return {}
    if row.get("under"):
        return {}  # there may be another definition, or none
    code = _code(file, element, row)
    called = {id for _, _, ids, *_ in code for id in ids}
    known = row.get("callee_summaries", {})
    purposes = {id: text for id, text in known.items() if id in called}
    if not called or not (purposes or any(comment for *_, comment in code)):
        return {}
    steps: Row = {"code": code, "purposes": purposes, "purpose": row.get("summary")}
    return {name: value for name, value in steps.items() if value}


def _code(file: FileContext, element: ElementView, row: Row) -> list[list[Value]]:
    """Return [line, text, callees, head, comment] of every line of a function.

    A trace that leaves out lines would leave out what the function is for. There is
    none of a function with lines that are no step of a reasoning.
    """
    raw_lines = element.row.end_line - element.row.start_line
    if "callees" in row.get("more", ()) or raw_lines > _MOST_RAW_LINES:
        return []
    if file.children(element.qual):
        return []  # what it defines within itself runs later, or not at all
    quoted_code = file.quote(element)
    body = quoted_code.body.split("\n") if quoted_code else []
    body = [line for line in body if not _STRING_STATEMENT.fullmatch(line)]
    if not 0 < len(body) <= _MOST_LINES or any(map(_NO_STEP.fullmatch, body)):
        return []
    called = _called_lines(element, row.get("callees") or [])
    for number_called, ids in called.items():
        called[number_called] = _as_they_run(file.line(number_called), ids)
        if not called[number_called]:
            return []
    number, end = element.row.start_line, element.row.end_line
    lines: list[list[Value]] = []
    heads: list[tuple[int, int]] = []  # (indentation, line) of the blocks around a line
    for quoted in body:
        while number <= end and not _is_line(file.line(number), quoted.strip()):
            number += 1
        text = file.line(number) if number <= end else ""
        if not 0 < len(text) <= _LONGEST_LINE or not _is_statement(quoted):
            return []
        indent = len(quoted) - len(quoted.lstrip())
        heads = [head for head in heads if head[0] < indent]
        head = heads[-1][1] if heads else 0
        comment = _comment(file, number)
        lines.append([number, text, called.get(number, []), head, comment])
        if _HEAD.match(text):
            heads.append((indent, number))
        number += 1
    return lines


def _comment(file: FileContext, number: int) -> str:
    """Return what the comment above a line says on one line, "" where it is long."""
    text = comment_above(file.source, file.line_start(number))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_COMMENT and "`" not in text else ""


def _is_line(text: str, quoted: str) -> bool:
    """Return whether a line is a quoted one, with or without a comment after it."""
    rest = text[len(quoted) :].lstrip() if text.startswith(quoted) else " "
    return not rest or rest.startswith(("#", "//"))


def _is_statement(line: str) -> bool:
    """Return whether a line is no part of a longer statement."""
    bare = _STRING.sub("", line)
    depth = sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
    return not depth and not {'"', "'", "`", "\\"} & set(bare)


def _called_lines(element: ElementView, callees: list[str]) -> dict[int, list[str]]:
    """Return the callees of each line, where their name means nothing else there."""
    by_name: dict[str, list[str]] = {}
    for id in callees:
        by_name.setdefault(split_id(id)[1].rpartition(".")[2], []).append(id)
    written = Counter(name.rpartition(".")[2] for name, *_ in element.row.calls)
    called: dict[int, list[str]] = {}
    for name, *lines in element.row.calls:
        last = name.rpartition(".")[2]
        if written[last] == len(by_name.get(last, ())) == 1:
            for line in dict.fromkeys(lines):
                called.setdefault(line, []).extend(by_name[last])
    return called


def _as_they_run(text: str, ids: list[str]) -> list[str]:
    """Return the callees of a line in the order in which their calls happen, or none.

    A call happens at its closing bracket: after its arguments, and after what it is
    called on. In `a() if b() else c()` and `[a() for b in c()]` others come first.
    """
    if len(ids) < 2:
        return ids
    bare = _STRING.sub(lambda match: "_" * len(match[0]), text)
    ends = {id: _end_of_call(bare, name_of(split_id(id)[1])) for id in ids}
    if _NOT_IN_ORDER.search(bare) or not all(ends.values()):
        return []
    return sorted(ids, key=ends.__getitem__)


def _end_of_call(text: str, name: str) -> int:
    """Return where the first call of a name ends in a line, 0 where none does."""
    match = re.search(rf"\b{re.escape(name)}\(", text)
    depth = 0
    for position in range(match.end() - 1, len(text)) if match else ():
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if not depth:
            return position
    return 0


def _members(file: FileContext, element: ElementView) -> list[list[Value]]:
    """Return [name, start, end] of a class's methods; none of one with many.

    The attributes that its body sets come first: some are what links it to its base.
    """
    methods = [e for e in file.children(element.qual) if e.type == "method" and e.runs]
    if not 0 < len(methods) <= _MEMBERS or any("#" in e.qual for e in methods):
        return []
    known = [[e.name, e.row.start_line - e.row.lead, e.row.end_line] for e in methods]
    attributes = _attributes(file, element)
    return [*attributes, *known] if len(attributes) <= _MEMBERS else []


def _attributes(file: FileContext, element: ElementView) -> list[list[Value]]:
    """Return [name, line, line] of the attributes that a Python class's body sets."""
    if file.language != "python":
        return []
    # What a docstring says of its parameters, `x: int = 1`, sets nothing.
    code = without_long_strings(file.code(element))
    lines = code.split("\n")[element.row.lead :]
    first_child = min(e.row.start_line for e in file.children(element.qual))
    first = lines[first_child - element.row.start_line]
    margin = first[: len(first) - len(first.lstrip())]
    found: dict[str, list[Value]] = {}
    for number, line in enumerate(lines, element.row.start_line):
        match = _SET.match(line.removeprefix(margin)) if margin else None
        if match and line.startswith(margin) and match[1] in element.row.attrs:
            found.setdefault(match[1], [match[1], number, number])
    return list(found.values())
