"""Recognise imports that give one of several elements of a name.

    try:
        from shelf.fast import lend
    except ImportError:
        from shelf.slow import lend

Whoever imports `lend` from this file uses one of the two, and the graph has edges to
both: neither of them is certain.
"""

from __future__ import annotations

from itertools import islice

from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import names_chosen
from repobuild.samples.contexts.graph_reader import GraphReader

_MOST_USERS = 64  # that are searched for what an element decorates


def files_that_choose(id: str, reader: GraphReader) -> set[str]:
    """Return the files that take an element from its module or one of its name from
    another, whichever can be imported.
    """
    path, qual = split_id(id)
    if not qual or "." in qual or not path.endswith(".py"):
        return set()
    importing = reader.incoming(id, "imports", tests=False)
    paths = {split_id(one)[0] for one in islice(importing, _MOST_USERS)}
    return {one for one in paths if qual in names_chosen(reader.facts(one))}


def gets_by_choice(user: str, id: str, choosing: set[str], reader: GraphReader) -> bool:
    """Return whether a user may get another element of the name through such a file.

    Who takes it from its own module gets it.
    """
    path, home = split_id(user)[0], split_id(id)[0]
    if path == home or not choosing:
        return False
    return path in choosing or home not in reader.outgoing(path, "imports")


def without_choices(
    element: ElementView, callees: list[str], reader: GraphReader
) -> list[str]:
    """Return the callees for which no other of the name may stand in."""
    direct = {element.path, *reader.outgoing(element.path, "imports")}
    own = names_chosen(reader.facts(element.path))
    return [
        id
        for id in callees
        if (split_id(id)[0] in direct and split_id(id)[1] not in own)
        or not gets_by_choice(element.path, id, files_that_choose(id, reader), reader)
    ]
