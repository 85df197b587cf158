"""Recognise what refuses a call or does nothing in it, and exceptions by their names.

A function may only raise, or raise when all its defaults are left as they are:

    def query(self, code=None, number=None):
        if not (code or number):
            raise ValueError("code or number is needed")

Every parameter has a default, and `query()` raises. The statements of such a body are
read in order, with the parameters that are false by default as they are then. What
nobody knows without running it (a call, an attribute, a required parameter) ends the
reading.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from tree_sitter import Node

from repobuild.code.facts.syntax import load_grammar

_HEAD = re.compile(
    rb"(?:\s*@[^\n]*\n)*\s*(?:async\s+)?def\s.*?:[ \t]*(?:#[^\n]*)?\n"
    rb"(?:\s*[rR]?(\"\"\"|\'\'\').*?\1[ \t]*\n)?",
    re.DOTALL,
)
_INERT = frozenset({b"pass"})
_INERT_LINE = re.compile(rb"(?:async\s+)?def\s[^\n]*:[ \t]*pass[ \t]*(?:#[^\n]*)?\s*")
# What a decorator of another name adds may be all that the function is for.
_PLAIN_DECORATORS = frozenset("staticmethod classmethod property override".split())
_UNWRITTEN = re.compile(rb"^\s*raise NotImplementedError\b", re.MULTILINE)
_EXCEPTION = re.compile(r"(?:Error|Exception|Warning)$")
# A default that is false: `if not name` is then true.
_FALSE = frozenset(("None", "False", "0", '""', "''", "[]", "{}", "()"))
_MOST_STATEMENTS = 8  # that are read before one that refuses
_PASSED_OVER = ("expression_statement", "pass_statement", "import_statement")


def only_raises(code: bytes) -> bool:
    """Return whether a function does nothing but raise: a call of it is refused."""
    body = _HEAD.match(code)
    if body is None:
        return False
    lines = [line for line in code[body.end() :].split(b"\n") if line.strip()]
    if not lines or not lines[0].strip().startswith(b"raise"):
        return False
    margin = _indent(lines[0])
    rest = lines[1:]
    return all(_indent(one) > margin or one.strip()[:1] in b")]}" for one in rest)


def does_nothing(code: bytes, decorators: Sequence[str]) -> bool:
    """Return whether the body of a function is empty, but for its docstring."""
    if not _PLAIN_DECORATORS.issuperset(one.rpartition(".")[2] for one in decorators):
        return False
    if _INERT_LINE.fullmatch(code.strip()):
        return True
    body = _HEAD.match(code + b"\n")
    if body is None:
        return False
    lines = (
        line.partition(b"#")[0].strip() for line in code[body.end() :].split(b"\n")
    )
    return _INERT.issuperset(line for line in lines if line)


def leaves_open(code: bytes, decorators: Sequence[str]) -> bool:
    """Return whether a method is for subclasses to write."""
    is_abstract = any("abstract" in one for one in decorators)
    return is_abstract or (only_raises(code) and bool(_UNWRITTEN.search(code)))


def is_exception(name: str) -> bool:
    """Return whether a class is named like an exception."""
    return _EXCEPTION.search(name) is not None


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())


# ------------------------------------------------- with all defaults left out


def refuses_defaults(code: bytes, defaults: Collection[tuple[str, str]]) -> bool:
    """Return whether a call raises that passes nothing for these (name, default)."""
    absent = {name: text for name, text in defaults if text in _FALSE}
    body = _body(code) if absent and b"raise" in code else None
    return body is not None and _raises(body, absent)


def _body(code: bytes) -> Node | None:
    nodes = load_grammar("python").parser.parse(_without_indent(code)).root_node
    for node in nodes.named_children:
        if node.type == "decorated_definition":
            node = node.child_by_field_name("definition") or node
        if node.type == "function_definition":
            return node.child_by_field_name("body")
    return None


def _without_indent(code: bytes) -> bytes:
    lines = code.split(b"\n")
    margin = _indent(lines[0])
    return b"\n".join(line[min(margin, len(line)) :] for line in lines)


def _raises(block: Node, absent: dict[str, str]) -> bool:
    """Return whether a block certainly raises before it does anything else."""
    for node in block.named_children[:_MOST_STATEMENTS]:
        if node.type == "raise_statement":
            return True
        if node.type == "if_statement":
            chosen = _chosen_branch(node, absent)
            if chosen is not None:
                return _raises(chosen, absent)
            if _is_open(node, absent):
                return False
        elif node.type not in (*_PASSED_OVER, "comment") or _assigns(node, absent):
            return False
    return False


def _branches(node: Node) -> Iterator[tuple[Node | None, Node | None]]:
    """Yield (condition, block) of an `if`, each `elif` and the `else`."""
    yield node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    for one in node.children_by_field_name("alternative"):
        block = one.child_by_field_name("consequence")
        yield (
            one.child_by_field_name("condition"),
            block or one.child_by_field_name("body"),
        )


def _chosen_branch(node: Node, absent: dict[str, str]) -> Node | None:
    """Return the block that runs, None where none does or nobody knows."""
    for condition, block in _branches(node):
        holds = True if condition is None else _holds(condition, absent)
        if holds is None:
            return None
        if holds:
            return block
    return None


def _is_open(node: Node, absent: dict[str, str]) -> bool:
    """Return whether nobody knows which branch of an `if` runs."""
    conditions = (one for one, _ in _branches(node) if one is not None)
    return any(_holds(one, absent) is None for one in conditions)


def _holds(node: Node, absent: dict[str, str]) -> bool | None:
    """Return whether a condition holds, None where nobody knows."""
    holds = partial(_holds, absent=absent)
    children = node.named_children
    if node.type == "parenthesized_expression":
        return holds(children[0])
    if node.type == "identifier":
        return False if _text(node) in absent else None
    if node.type == "not_operator":
        found = holds(children[0])
        return None if found is None else not found
    if node.type == "boolean_operator":
        sides = [holds(one) for one in children]
        is_and = any(one.type == "and" for one in node.children)
        decisive = not is_and
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive
    if node.type == "comparison_operator" and len(children) == 2:
        return _is_none(node, absent)
    return None


def _is_none(node: Node, absent: dict[str, str]) -> bool | None:
    """Return whether `name is None` holds, None for another comparison."""
    name, other = map(_text, node.named_children)
    if other != "None" or name not in absent:
        return None
    sign = "".join(one.type for one in node.children if not one.is_named)
    is_none = absent[name] == "None"
    if sign in ("is", "=="):
        return is_none
    return not is_none if sign in ("isnot", "is not", "!=") else None


def _assigns(node: Node, absent: dict[str, str]) -> bool:
    """Return whether a statement may give a parameter another value, or return."""
    inner = node.named_children[0] if node.named_children else node
    if inner.type not in ("assignment", "augmented_assignment"):
        return inner.type in ("await", "yield")
    left = inner.child_by_field_name("left")
    return left is None or left.type != "identifier" or _text(left) in absent


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
