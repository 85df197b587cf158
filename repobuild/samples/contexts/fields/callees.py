"""Find what an element calls, in the order of its code.

A class calls what its constructor calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import CONSTRUCTORS, ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader, element_id

_SUPER = "super("


def callees_of(file: FileContext, element: ElementView) -> list[str]:
    """Return what an element calls; a class calls what its constructor does, first."""
    found = _in_call_order(element, file.reader)
    maker = constructor_of(file, element)
    if maker is None:
        return found
    made = _in_call_order(maker, file.reader)
    return [one for one in dict.fromkeys([*made, *found]) if one != element.id]


def constructor_of(file: FileContext, element: ElementView) -> ElementView | None:
    """Return what making an object of a class runs."""
    is_class = element.type == "class"
    return file.elements.get(f"{element.qual}.__init__") if is_class else None


def _in_call_order(element: ElementView, reader: GraphReader) -> list[str]:
    """Sort callees by their first call, by its rank: a blank line changes nothing."""
    callees = reader.outgoing(element.id, "calls")
    rank: dict[str, int] = {}
    for number, name in enumerate(element.calls()):
        rank.setdefault(name.rpartition(".")[2], number)
    last = len(rank)

    def first_call(id: str) -> tuple[int, str]:
        return rank.get(split_id(id)[1].rpartition(".")[2], last), id

    # Making an object calls its class and its constructor: the class is enough. The
    # constructor may be inherited; then it is told where the code names one.
    repeated = {element.id, *(one for id in callees for one in _constructors(id))}
    owner = element.parent.rpartition(".")[2]
    if element.type == "method" and owner not in rank:
        # `cls(...)` makes one of its own class: that is no other part of the project.
        repeated.add(element_id(element.path, element.parent))
    unnamed = _unnamed_constructors(element, reader, callees)
    # A decorator runs when the element is defined, and not when it is called.
    unsaid = {d.partition("(")[0].rpartition(".")[2] for d in element.row.decorators}
    told = (
        id
        for id in callees
        if id not in repeated
        and id not in unnamed
        and not id.startswith(f"{element.id}.")  # a function within it is its own code
        and _is_listed(reader, id)
        and name_of(split_id(id)[1]) not in unsaid
    )
    return sorted(told, key=first_call)


def _named_constructors(element: ElementView, reader: GraphReader) -> list[str]:
    """Return the calls that name a constructor: `Shelf.__init__`, `super().__init__`.

    The `super()` of a class without a base is `object`: what else the code makes has
    the inherited constructor then.
    """
    own = reader.elements(element.path).get(element.parent)
    has_base = own is not None and any(base != "object" for base in own.row.bases)
    return [
        call
        for call in element.calls()
        if call.rpartition(".")[2] in CONSTRUCTORS
        and (has_base or not call.startswith(_SUPER))
    ]


def _unnamed_constructors(
    element: ElementView, reader: GraphReader, callees: Iterable[str]
) -> set[str]:
    """Return the constructors of bases that objects of other classes have inherited.

    A class that calls one of its own bases by name makes these objects, too.
    """
    named = {call.split(".")[-2] for call in _named_constructors(element, reader)}
    owner = element_id(element.path, element.parent)
    own = {f"{one}.{name}" for one in reader.ancestors(owner) for name in CONSTRUCTORS}
    return {
        id
        for id in callees
        if name_of(split_id(id)[1]) in CONSTRUCTORS
        if not named or (id not in own and name_of(id.rpartition(".")[0]) not in named)
    }


def _is_listed(reader: GraphReader, id: str) -> bool:
    """Return whether a list names a callee: not what is there for type checkers."""
    return not reader.exists(id) or reader.runs(id)


def _constructors(id: str) -> Iterator[str]:
    """Yield a class's constructor as Python, JavaScript, and Java or C++ name it."""
    own = id.rpartition("::")[2].rpartition(".")[2]
    yield from (f"{id}.{name}" for name in ("__init__", "constructor", own))


def property_reads(file: FileContext, element: ElementView) -> list[str]:
    """Return the properties of its class that a method reads: no call shows them.

    `self.__class__.__name__` is the class's own, whatever its objects have.
    """
    if element.type != "method":
        return []
    read = set(file.reader.outgoing(element.id, "uses"))
    return [
        one.id
        for one in file.children(element.parent)
        if one.is_property and not one.name.startswith("__")
        if one.id in read and one.id != element.id
    ]


def methods_call_more(
    file: FileContext, element: ElementView, callees: list[str]
) -> bool:
    """Return whether other methods of a class than its constructor call other things.

    What making an object calls is then no list of what the class rests on.
    """
    if element.type != "class":
        return False
    called = {
        callee
        for one in file.children(element.qual)
        if one.type == "method" and one.name not in CONSTRUCTORS
        for callee in file.reader.outgoing(one.id, "calls")
    }
    return any(
        one not in callees and not one.startswith(f"{element.id}.") for one in called
    )
