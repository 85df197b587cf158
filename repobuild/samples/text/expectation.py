"""What a test expects: the hidden part of one of its assertions.

    assert total(rows) == 42             hidden: 42
    assert isinstance(found, Row)        hidden: Row)
    self.assertEqual(total(rows), 42)    hidden: 42)
    self.assertTrue(size > 1024)         hidden: 1024)

What is hidden ends where the statement ends, whatever it holds: who completes it stops
at the end of the line, and needs no look at the answer to know where. Statements of
several lines are left out, and so is what can be guessed: bare variables, truth values,
short numbers, and what stands in the test already.

Which assertion of a test is taken depends on their texts, not on their places: it is
the same one as long as the test has it, so that its identity is file, test and text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from tree_sitter import Node

from repobuild.code.facts.syntax import grammar

_LONGEST = 120  # characters of what is hidden
_SHORTEST = 3  # letters and digits of it
_WORDS = re.compile(r"\w")
_VARIABLE = re.compile(r"(?:self\.)?[a-z_][\w.]*|True|False|None")
_HOLDERS = ("block", "module", "function_definition", "decorated_definition")


def expectation(code: str, most: int) -> tuple[str, str] | None:
    """Return what stands before the hidden part of a test, and the hidden part.

    `code` is one test function; `most` bounds the characters before.
    """
    source = code.encode()
    found = [
        (crc32(source[node.start_byte : node.end_byte]), cut, node.end_byte)
        for node in _statements(grammar("python").parser.parse(source).root_node)
        if (cut := _cut(node))
    ]
    for _, cut, end in sorted(found):
        before, hidden = source[:cut].decode(), source[cut:end].decode()
        if len(before) <= most and not _guessable(before, hidden):
            return before, hidden
    return None


def _statements(node: Node) -> Iterator[Node]:
    """The statements of a function, those in its branches too, no inner functions."""
    for child in node.named_children:
        if child.type in ("assert_statement", "expression_statement"):
            if child.start_point.row == child.end_point.row:
                yield child
        elif node.type == "module" or child.type not in _HOLDERS[2:]:
            if child.type in _HOLDERS or child.type.endswith(("_statement", "_clause")):
                yield from _statements(child)


def _cut(node: Node) -> int:
    """The byte where an assertion's hidden part begins; 0 for other statements."""
    parts = node.named_children
    if len(parts) != 1:  # `assert x, "message"`
        return 0
    inner = parts[0]
    if node.type == "assert_statement" and inner.type == "comparison_operator":
        return _right(inner)
    if inner.type != "call":
        return 0
    arguments = inner.child_by_field_name("arguments")
    if node.type == "expression_statement" and not _asserts(inner):
        return 0
    return _second(arguments) if arguments else 0


def _asserts(call: Node) -> bool:
    function = call.child_by_field_name("function")
    if function is None or function.type != "attribute" or not function.text:
        return False
    return function.text.startswith(b"self.assert")


def _right(comparison: Node) -> int:
    sides = comparison.named_children
    return sides[1].start_byte if len(sides) == 2 else 0


def _second(arguments: Node) -> int:
    """The second argument or, of a single comparison, what it compares with."""
    parts = arguments.named_children
    if len(parts) > 1:
        return parts[1].start_byte
    single = parts and parts[0].type == "comparison_operator"
    return _right(parts[0]) if single else 0


def _guessable(before: str, hidden: str) -> bool:
    core = hidden.rstrip(") ").strip()
    if len(hidden) > _LONGEST or len(_WORDS.findall(core)) < _SHORTEST:
        return True
    return bool(_VARIABLE.fullmatch(core)) or core in before
