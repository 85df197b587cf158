"""Parses a source within a bound on work, which is counted, never timed.

A stored row must be the same on every machine, so whether a file is too slow must
follow from its bytes alone. Two counts do, for one version of tree-sitter:

    steps   actions of the parser; it reports every hundred of them
    reads   bytes that the lexer asked for. A grammar's own scanner may look ahead to
            the end of the file at every token, within one step.

A query costs the number of nodes times their depth, and `a + a + ...` is as deep as it
is long. So the depth is looked at every few lines, and its sum is bounded too.

Measured: 9 MB of the standard library take at most 1.4 steps a byte and read each byte
12 times; parsing in blocks costs 4 % more time than parsing a whole buffer. A file at
both bounds takes about 10 s for each megabyte.
"""

from __future__ import annotations

import re

from tree_sitter import Node, Parser, Point

_BLOCK = 1024  # bytes handed to the lexer at a time
_STEPS_A_REPORT = 100  # OP_COUNT_PER_PARSER_CALLBACK_CHECK of tree-sitter
_MAX_STEPS = 20  # for each byte
_MAX_READS = 200  # of each byte
_PROBE = 2_000  # bytes between two places where the tree's depth is looked at
_MAX_DEPTHS = 50_000  # sum of these depths; JavaScript's query takes 60 us for each one
_DEPTH = 50  # of ordinary code, at most
_MAX_ANGLES = 5_000  # `A<A<A<`: tree-sitter-java needs gigabytes for 60,000 of them
_MAX_ERROR_CHILDREN = 20_000
_MAX_VISITED = 1_000  # nodes; an error that is deeper is accepted
_ANGLES_END = re.compile(rb"[;{}>]")
_LEAST_BYTES = 100_000  # a shorter source may cost as much as one of this size
# At each comment tree-sitter-python's scanner reads on to the next code: 8,000 comment
# lines in a row take 9 s. As blank lines they take 70 ms.
_COMMENT_LINES = re.compile(rb"(?m)^(?:[ \t]*(?:#[^\n]*)?\n){100,}")
_PROBED_LINES = 20  # of a hundred lines, five are looked at
_COMMENT_LINE = re.compile(rb"#[^\n]*")


class UnparsableError(Exception):
    """Raised for a file that would take too long to parse or to query."""


def parse_source(parser: Parser, source: bytes) -> Node:
    """Return the root of a source's syntax tree.

    Raises:
        UnparsableError: the source needs more work than its size allows, or is broken
            beyond repair.
    """
    if source.count(b"<") > _MAX_ANGLES:
        parts = _ANGLES_END.split(source)
        if max(part.count(b"<") for part in parts) > _MAX_ANGLES:
            raise UnparsableError(f"more than {_MAX_ANGLES:,} open angle brackets")
    allowed = max(len(source), _LEAST_BYTES)
    reads = allowed * _MAX_READS // _BLOCK
    reports = allowed * _MAX_STEPS // _STEPS_A_REPORT
    parsing = True

    def read(offset: int, _: Point) -> bytes:
        nonlocal reads
        reads -= parsing
        return source[offset : offset + _BLOCK] if reads >= 0 else b""

    def stop(*_: object) -> bool:
        nonlocal reports
        reports -= 1
        return reports < 0 or reads < 0

    try:
        root = parser.parse(read, progress_callback=stop).root_node
    except ValueError:  # the parser was stopped
        parser.reset()
    else:
        parsing = False  # nodes read their text in the same way
        # First: each probe of the depth visits all children of an error node.
        if reads >= 0 and _has_huge_error(root):
            raise UnparsableError("too broken to be read as this language")
        if reads >= 0 and not _is_too_deep(root):
            return root
    raise UnparsableError("too much work for its size to be read as this language")


def _has_huge_error(root: Node) -> bool:
    """Return whether an error node has so many children that queries would not end.

    Their cost is the square of that number: a megabyte of `[` takes minutes.
    """
    waiting = [root] if root.has_error else []
    for _ in range(_MAX_VISITED):
        if not waiting:
            return False
        node = waiting.pop()
        if node.is_error and node.child_count > _MAX_ERROR_CHILDREN:
            return True
        waiting += [child for child in node.children if child.has_error]
    return False


def _is_too_deep(root: Node) -> bool:
    """Return whether a query over the tree would take too long."""
    allowed = _MAX_DEPTHS + _DEPTH * root.end_byte // _PROBE
    for offset in range(0, root.end_byte, _PROBE):
        cursor = root.walk()
        while cursor.goto_first_child_for_byte(offset) is not None:
            allowed -= 1
            if allowed < 0:
                return True
    return False


def blank_comment_lines(source: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Return a Python source without long runs of comment lines, and their spans.

    Spaces replace them. Those within a string are no comments.
    """
    blanked: list[tuple[int, int]] = []
    if not _may_have_comment_lines(source):
        return source, blanked

    def blank(run: re.Match[bytes]) -> bytes:
        start = run.start()
        for line in _COMMENT_LINE.finditer(run[0]):
            blanked.append((start + line.start(), start + line.end()))
        return re.sub(rb"[^\n]", b" ", run[0])

    return _COMMENT_LINES.sub(blank, source), blanked


def _may_have_comment_lines(source: bytes) -> bool:
    """Return whether a long run of comment lines is possible: the search is slow."""
    probed = source.split(b"\n")[::_PROBED_LINES]
    marks = b"".join(line.lstrip(b" \t")[:1] or b"#" for line in probed)
    return b"#" * (100 // _PROBED_LINES) in marks
