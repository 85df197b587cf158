"""Tell decorators that only wrap a function from those that make it one of a kind.

A decorator that retries a call, or converts what it returns, says nothing of what a
function is for: nobody plans "a function under `@to_numeric`". One that puts the
function somewhere, or marks it, does.
"""

from __future__ import annotations

import re

from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import Tree
from repobuild.samples.families.membership import Family

_WRAPS = re.compile(rb"@(?:\w+\.)?wraps\((\w+)\)")
_ASIDE = re.compile(
    rb'''(?s:""".*?"""|\'\'\'.*?\'\'\')|\#[^\n]*'''
)  # docstring, comments
_MOST_LINES = 120  # of a decorator; a longer one is no plain wrapper


def find_decorator(family: Family, ids: list[str], tree: Tree) -> ElementView | None:
    """Return the function of the project that decorates the siblings of a family."""
    if family.kind != "decorated" or not ids:
        return None
    name = family.pattern.rpartition(".")[2]
    for target in tree.reader.outgoing(min(ids), "calls"):
        path, qual = split_id(target)
        element = tree.reader.elements(path).get(qual)
        if element is not None and element.name == name:
            return element if element.type == "function" else None
    return None


def only_wraps(decorator: ElementView, tree: Tree) -> bool:
    """Return whether a decorator does nothing with a function but call it."""
    if decorator.row.end_line - decorator.row.start_line > _MOST_LINES:
        return False
    code = _ASIDE.sub(b"", tree.code(decorator))
    wrapped = _WRAPS.search(code)
    if wrapped is None:
        return False
    name = re.escape(wrapped[1])
    is_parameter = rb"(?:def|lambda)\b[^\n]*?\b" + name + rb"\b[^\n]*"
    is_wrapped = rb"(?:wraps|update_wrapper)\([^()\n]*\b" + name + rb"\b[^()\n]*\)"
    is_called = rb"\b" + name + rb"(?:\(|\.\w+(?!\w|\s*=(?!=)))"
    is_returned = rb"return\s+" + name + rb"\s*(?:\n|$)"
    for known in (is_parameter, is_wrapped, is_called, is_returned):
        code = re.sub(known, b"", code)
    return not re.search(rb"\b" + name + rb"\b", code)
