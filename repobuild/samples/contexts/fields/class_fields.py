"""Describe a class for its context row: its methods, conditions and bases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from repobuild.code.facts.element_row import name_of, without_type_arguments
from repobuild.code.graph.graph import split_id
from repobuild.code.resolve.binding_marks import ASSIGNED_NAME
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.parameter_fields import (
    parameter_rows,
    refuses_all_defaults,
)
from repobuild.samples.contexts.fields.row_parts import Row
from repobuild.samples.contexts.file_context import GETATTR, FileContext
from repobuild.samples.contexts.graph_reader import element_id
from repobuild.samples.text.deprecation import is_deprecated
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.refusals import leaves_open

_CALLS_NOTHING = frozenset({"object", "ABC", "Generic", "Protocol", "NamedTuple"})
_METHOD = re.compile(r"^([ \t]+)(?:async )?def ", re.MULTILINE)
_ALIASES = re.compile(
    r"^([ \t]+)((?:\w+[ \t]*=[ \t]*)+)(\w+)[ \t]*(?:#.*)?$", re.MULTILINE
)


def class_fields(file: FileContext, element: ElementView) -> Row:
    """Return the methods, public ones first, and the constructor's parameters."""
    methods = sorted(
        (e.name.startswith("_"), e.name, e.is_property)
        for e in file.children(element.qual)
        if e.type == "method" and file.is_effective(e)
    )
    row: Row = {
        "deprecated": False,
        "protocol": is_protocol(element),
        "binds_methods": any(_bound_functions(file, element)),
        "aliases": _method_aliases(file, element),
        "members_under": _conditional_members(file, element),
        "members": [name for _, name, is_property in methods if not is_property],
        "properties": [name for _, name, is_property in methods if is_property],
        "nested": [
            e.name
            for e in file.children(element.qual)
            if e.type == "class" and file.language == "python" and file.is_effective(e)
        ],
        "static": [
            e.name
            for e in file.children(element.qual)
            if "staticmethod" in e.row.decorators and file.is_effective(e)
        ],
        "leaves_open": any(
            leaves_open(file.own_bytes(e), e.row.decorators)
            for e in file.children(element.qual)
            if e.type == "method" and file.language == "python"
        ),
    }
    constructor = file.elements.get(element.qual + ".__init__")
    if constructor:
        code, decorators = file.code(constructor), constructor.row.decorators
        row["deprecated"] = is_deprecated(code, constructor.doc, decorators)
        row["refuses_defaults"] = refuses_all_defaults(file, constructor)
        texts = {
            **parse_docstring(element.doc).parameters,
            **parse_docstring(constructor.doc).parameters,
        }
        row["params"] = parameter_rows(constructor, texts)
    return row


def _bound_functions(file: FileContext, element: ElementView) -> Iterator[str]:
    """Yield the functions of modules that the body of a class makes its methods."""
    for id in file.reader.outgoing(element.id, "uses"):
        path, qual = split_id(id)
        if element.binds(name_of(qual)):
            function = file.reader.elements(path).get(qual)
            if function and function.takes_self:
                yield id


def _method_aliases(file: FileContext, element: ElementView) -> dict[str, str]:
    """Return the other public names that a class body gives its methods: `b = a`.

    What `b = partialmethod(a, 1)` makes calls `a`, but is called in another way. One
    within an `if` is not always there.
    """
    methods = {one.name for one in file.children(element.qual) if one.type == "method"}
    names = {
        name: binding[1:]
        for name, binding in sorted(element.row.attrs.items())
        if isinstance(binding, str) and binding[:1] == ASSIGNED_NAME
        if binding[1:] in methods and name[:1] != "_" and name not in methods
        if name.isidentifier()
    }
    if not names:
        return {}
    code = file.code(element)
    body = min(_METHOD.findall(code), key=len, default="")
    known = {
        (name.strip(), other)
        for indent, left, other in _ALIASES.findall(code)
        if indent == body
        for name in left.split("=")
    }
    return {name: other for name, other in names.items() if (name, other) in known}


def _conditional_members(
    file: FileContext, element: ElementView
) -> dict[str, list[str]]:
    """Return the conditions of methods, without that of their class.

    A method that several branches define is there whatever the condition is.
    """
    own = file.condition(element)
    counts = Counter(one.name for one in file.children(element.qual))
    told = (
        (e, file.condition(e))
        for e in file.named_children(element.qual)
        if counts[e.name] == 1
    )
    return {e.name: list(one) for e, one in told if one is not None and one != own}


def is_protocol(element: ElementView) -> bool:
    """Return whether a class is a `typing.Protocol`, and not what implements one."""
    bases = map(without_type_arguments, element.row.bases)
    return any(name_of(base) == "Protocol" for base in bases)


def has_renamed_base(element: ElementView, row: Row) -> bool:
    """Return whether a base that the graph knows has another name in the header."""
    texts = {name_of(without_type_arguments(text)) for text in element.row.bases}
    return any(name_of(split_id(id)[1]) not in texts for id in row["bases"])


def foreign_base_fields(element: ElementView, row: Row) -> Row:
    """Return the bases, as written, that the graph knows no class for.

    Where the header has two of one name, nobody can tell which of them is known: then
    the list of those that are known has others.
    """
    known = {name_of(split_id(id)[1]) for id in row["bases"]}
    texts = [
        text
        for text in element.row.bases
        if name_of(without_type_arguments(text)) not in known
    ]
    if len(texts) + len(row["bases"]) == len(element.row.bases):
        return {"foreign_bases": texts}
    is_whole = len(row["bases"]) >= len(element.row.bases)
    return {} if is_whole else {"more": [*row["more"], "bases"]}


def has_foreign_base(file: FileContext, element: ElementView) -> bool:
    """Return whether a class from elsewhere may call what a class defines.

    `handle_data` of an HTMLParser is for that to call, and for no user.
    """
    bases = map(without_type_arguments, element.row.bases)
    written = [one for one in bases if name_of(one) not in _CALLS_NOTHING]
    return len(written) > len(list(file.reader.outgoing(element.id, "inherits")))


def is_dispatched_by_base(file: FileContext, element: ElementView) -> bool:
    """Return whether a base class may call a method by a name that it computes.

    `expansion` of a Transformer is for `getattr(self, tree.data)` to call. What a base
    defines, too, has callers by its name.
    """
    looks_up = False
    for id in file.reader.ancestors(element_id(file.path, element.parent)):
        path, qual = split_id(id)
        for one in file.reader.elements(path).values():
            if one.parent == qual and one.name == element.name:
                return False
            looks_up |= one.parent == qual and GETATTR in one.calls()
    return looks_up
