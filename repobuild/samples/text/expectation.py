"""Cut a test at one of its assertions: the value that it expects is hidden.

    assert total(rows) == [1, 42]        hidden: [1, 42]
    self.assertEqual(name(row), "a b")   hidden: "a b")
    self.assertTrue(size(row) == 2 * 9)  hidden: 2 * 9)

The hidden part ends where the statement ends, brackets included: a model that completes
it stops at the end of the line, and a reader needs no answer to know where that is.
Statements of several lines are skipped, and so are those that name the value first
(`assertEqual(1, len(rows))`): many calls give it. So are classes and limits, of which
several hold (`isinstance(found, Row)`, `size > 3`), names that the test does not show,
assertions with a message, which is no expectation, and values that teach nothing: bare
variables, truth values, bare numbers, calls that only pass variables on, text that the
test already shows, and values that are expected before the test has called anything of
the project. What is read from a variable (`found["name"]`, `error.value.args[0]`) can
be written in many ways, and so can a line that another assertion begins in the same way
and ends otherwise.

The assertion is chosen by a hash of its text, not by its position: an edit elsewhere in
the test keeps the choice (test_an_edit_elsewhere_in_the_test_keeps_the_assertion).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import NamedTuple
from zlib import crc32

from tree_sitter import Node

from repobuild.code.facts.syntax import load_grammar
from repobuild.code.scan.python_table import builtin_names
from repobuild.code.usage.call_example import STRING_OR_COMMENT

_LONGEST = 120  # characters of the hidden part
_SHORTEST = 3  # letters and digits of the hidden part
_WORD_CHARACTER = re.compile(r"\w")
_NAME = re.compile(r"[^\W\d]\w*")
_VARIABLE = re.compile(r"(?:self\.)?[a-z_][\w.]*|True|False|None")
_ARGUMENT = r"[a-z_][\w.]*"
# Without `)` at the end. A list of `ARGUMENT(?:, )?` would try all cuts of a long name.
_PASSED_ON = re.compile(rf"{_ARGUMENT}\((?:{_ARGUMENT}(?:, {_ARGUMENT})*(?:, )?)?")
_NUMBER = re.compile(r"[-+]?\.?\d[\w.]*(?:[eE][-+]\d+)?")
# A name that follows no dot and names no argument.
_ROOT = re.compile(r"(?<![\w.'\"])[^\W\d]\w*(?!\w|\s*=[^=]|['\"])")
_LOOP_VARIABLE = re.compile(r"\b(?:for|lambda) (\w+)")
_CALLED = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*(?=\()")
_LITERAL = re.compile(r"['\"\d]")
_DEFINITIONS = ("function_definition", "decorated_definition")
# What follows "Raises" is a call that fails, and not what it returns.
_ASSERT_METHOD = re.compile(
    rb"self\.assert(?!Not|False|IsN|IsInstance|Greater|Less|Raises|Warns|Logs|Regex)"
)
_ASSERT_TRUTH = re.compile(rb"self\.assertTrue")
_LOOSE = ("!=", "is not", "not in", "in", "<", "<=", ">", ">=")
_OWN_ATTRIBUTE = re.compile(r"\bself\.\w+")
_REFUSED = re.compile(rb"(?:async )?with [^\n]*\b(?:raises|assertRaises|suppress)\b")
_CONTAINERS = ("block", "module", *_DEFINITIONS)


@cache
def _known() -> frozenset[str]:
    """Return the names that are no name of the project."""
    return builtin_names().union(keyword.kwlist)


class CutTest(NamedTuple):
    """A test up to an expected value, and that value to the end of its statement."""

    before: str
    hidden: str


def hide_expectation(code: str, most: int, called: Collection[str]) -> CutTest | None:
    """Cut the code of one test function; return None when no assertion qualifies.

    `most` bounds the characters before the cut; `called` are the names of the project's
    code that the test calls.
    """
    source = code.encode()
    cuts = [
        (crc32(source[node.start_byte : node.end_byte]), cut, node.end_byte)
        for node in _statements(load_grammar("python").parser.parse(source).root_node)
        if (cut := _cut_position(node))
    ]
    ends = _ends_by_beginning(source, [(cut, end) for _, cut, end in cuts])
    for _, cut, end in sorted(cuts):
        test = CutTest(source[:cut].decode(), source[cut:end].decode())
        if _goes_on_otherwise(test, ends):
            continue
        names = _NAME.findall(f"{test.before}{test.hidden}")
        if set(names).isdisjoint(called):
            continue
        if len(test.before) <= most and not _is_guessable(test):
            return test
    return None


def _ends_by_beginning(
    source: bytes, cuts: Collection[tuple[int, int]]
) -> dict[str, set[str]]:
    """Return what assertions expect, by their text up to that."""
    ends: dict[str, set[str]] = {}
    for cut, end in cuts:
        before = source[:cut].decode().rpartition("\n")[2].strip()
        ends.setdefault(before, set()).add(source[cut:end].decode())
    return ends


def _goes_on_otherwise(test: CutTest, ends: Mapping[str, set[str]]) -> bool:
    """Return whether another assertion expects the same of a value in other words.

    `f.x is f["x"]` and `f.x is get(f, "x")`: both are right. Of two literals only one
    is: what lies between the assertions has changed the value.
    """
    known = ends[test.before.rpartition("\n")[2].strip()]
    return len(known) > 1 and not all(map(_is_plain, known))


def _is_plain(expression: str) -> bool:
    """Return whether an expression has no name in it."""
    bare = STRING_OR_COMMENT.sub("''", expression)
    return not set(_ROOT.findall(bare)) - _known()


def _statements(node: Node) -> Iterator[Node]:
    """Yield the one-line statements of a function and its branches.

    Those of inner functions are left out.
    """
    for child in node.named_children:
        if child.type in ("assert_statement", "expression_statement"):
            if child.start_point.row == child.end_point.row:
                yield child
        elif child.type == "with_statement" and _REFUSED.match(child.text or b""):
            continue  # any value would do: it is never compared
        elif node.type == "module" or child.type not in _DEFINITIONS:
            branch = child.type.endswith(("_statement", "_clause"))
            if branch or child.type in _CONTAINERS:
                yield from _statements(child)


def _cut_position(node: Node) -> int:
    """Return the byte where an assertion's hidden part begins; 0 for no assertion."""
    parts = node.named_children
    if len(parts) != 1:  # `assert x, "message"`
        return 0
    inner = parts[0]
    if node.type == "assert_statement" and inner.type == "comparison_operator":
        return _right_side(inner)
    if node.type == "assert_statement" or not _is_assert_method(inner):
        return 0
    arguments = inner.child_by_field_name("arguments")
    if arguments is None:
        return 0
    is_truth = bool(_ASSERT_TRUTH.match(inner.text or b""))
    return _expected_argument(arguments, is_truth)


def _is_assert_method(call: Node) -> bool:
    if call.type != "call":
        return False
    function = call.child_by_field_name("function")
    if function is None or function.type != "attribute" or not function.text:
        return False
    return bool(_ASSERT_METHOD.match(function.text))


def _right_side(comparison: Node) -> int:
    sides = comparison.named_children
    # What a value is not can be anything else, and below a limit lie others.
    is_loose = any(child.type in _LOOSE for child in comparison.children)
    if len(sides) != 2 or is_loose or _is_constant(sides[0]) or _is_own_call(*sides):
        return 0
    return 0 if _is_read(sides[1]) else sides[1].start_byte


def _expected_argument(arguments: Node, is_truth: bool) -> int:
    """Return the start of the second of two, or of a lone comparison's right side.

    One more is a message, and so is the second of `assertTrue`.
    """
    parts = arguments.named_children
    if len(parts) == 2 and not is_truth:
        is_open = _is_constant(parts[0]) or _is_read(parts[1])
        return 0 if is_open else parts[1].start_byte
    is_comparison = len(parts) == 1 and parts[0].type == "comparison_operator"
    return _right_side(parts[0]) if is_comparison else 0


def _is_constant(node: Node) -> bool:
    """Return whether an expression has no name in it."""
    return node.type != "identifier" and all(map(_is_constant, node.named_children))


def _is_read(node: Node) -> bool:
    """Return whether an expression reads a part of a variable: `rows[0].name`.

    A constant of a class or a module has a name that is written like one.
    """
    if node.type == "subscript":
        return True
    name = (node.text or b"").decode().rpartition(".")[2]
    return node.type == "attribute" and not name.lstrip("_")[:1].isupper()


def _is_own_call(left: Node, right: Node) -> bool:
    """Return whether the right side computes what the left does, in its own way.

    It calls a method of the left, `f is f.set(1)`, or the same: `f(a) == f(b)[::-1]`.
    """
    own = f"{(left.text or b'').decode()}."
    text = (right.text or b"").decode()
    if right.type == "call" and text.startswith(own):
        return True
    called = set(_CALLED.findall((left.text or b"").decode())) - _known()
    return bool(called & set(_CALLED.findall(text)))


def _is_guessable(test: CutTest) -> bool:
    # The same was asked above: what was right there is right here.
    *above, last = test.before.split("\n")
    if any(line.strip().startswith(last.strip()) for line in above):
        return True
    core = test.hidden.rstrip(") ").strip()
    if "(" in core and _names_value_first(test.before):
        return True
    characters = _WORD_CHARACTER.findall(core)
    if len(test.hidden) > _LONGEST or len(characters) < _SHORTEST:
        return True
    patterns = (_VARIABLE, _NUMBER, _PASSED_ON)
    if any(pattern.fullmatch(core) for pattern in patterns):
        return True
    own = {*_OWN_ATTRIBUTE.findall(core)}
    if not own.issubset(_OWN_ATTRIBUTE.findall(test.before)):
        return True  # `setUp` has given it a value
    # `assertEqual(repr(found), repr(expected))`: the test shows all that is hidden.
    shown = set(_NAME.findall(test.before))
    if not shown.issuperset(_unknown_names(core)):
        return True
    names = _NAME.findall(core)
    if (shown | _known()).issuperset(names) and not _LITERAL.search(core):
        return True
    return core in test.before


def _names_value_first(before: str) -> bool:
    """Return whether an assertion begins with a variable that holds a literal.

    `rows = [1, 2]` and `assert rows == read(text)`: many calls give it.
    """
    *above, last = before.split("\n")
    left = re.search(r"(?:assert |[(])(\w+)(?: ==| is|,) \Z", last)
    if left is None:
        return False
    values = [line.partition(f" {left[1]} = ")[2] for line in above]
    return any(value and "(" not in value for value in values)


def _unknown_names(expression: str) -> set[str]:
    """Return the names in an expression that only its surroundings can define."""
    bare = STRING_OR_COMMENT.sub("''", expression)
    own = set(_LOOP_VARIABLE.findall(bare))
    return {name for name in _ROOT.findall(bare) if name not in own} - _known()
