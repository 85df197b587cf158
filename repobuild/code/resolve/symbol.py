"""Define symbols: what a name in the source refers to, and how certain that is.

A name that refers to something else (a builtin, another project's function, the
unknown) has no symbol: it is never guessed. A symbol's confidence is the lowest among
the steps that led to it:

    1.0    a name or a module's attribute, as defined, imported or assigned
    0.95   through a star import
    0.9    self, cls or super(), through the class and its bases
    0.8    a method of a constructor's result (`x = Foo(); x.m()`); a name with several
           definitions; a method found after a base class from another project
    0.75   the type in an annotation (parameters, variables, attributes)
    0.7    the type in a function's return annotation; calling an instance
    0.6    the type that a function without such an annotation is seen to return
    0.5    one of several symbols that a name may be bound to; a parameter's default
    0.4    a class that an instance has as an attribute of another name, which
           subclasses may replace; one of several definitions of a name (overloads,
           build variants) in another language than Python; what a call runs that no
           name in it states (python/data_flow); samples state no edge below 0.5
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from repobuild.code.facts.element_row import parent_of


class Kind(StrEnum):
    """The kind of a symbol; all but modules, packages and functions refer to a class.

    No table stores the letters. The enum and the NamedTuple cost nothing that can be
    measured: the graph of the standard library takes 2.6 s of CPU with or without.
    """

    MODULE = "m"  # a file; with a qualified name a Rust module or a namespace in it
    PACKAGE = "p"  # a Go package; its path is `go FOLDER PACKAGE`
    NAMESPACE = "n"  # a package without a file; `qual` is its name in the file `path`
    CLASS = "c"
    FUNCTION = "f"
    INSTANCE = "i"
    SUPER = "s"  # the result of `super()`
    AWAITABLE = "w"  # awaiting it gives an instance
    ITERABLE = "l"  # iterating over it gives instances
    MAPPING = "d"  # its values are instances
    ELEMENT_GETTER = "G"  # a container's method that returns one instance
    ELEMENTS_GETTER = "V"  # a container's method that returns an iterable of all
    # Values that only python/data_flow knows:
    BOUND = "b"  # a method with its receiver
    GENERATOR = "y"  # what calling the generator `qual` returns
    CONTAINER = "C"  # `SCOPE|NAME[KEY]`: the literal that a name was bound to
    LAMBDA = "L"  # `SCOPE|&NUMBER`
    CONTAINER_ITEM = "D"  # its method that returns one of its elements
    CONTAINER_ITEMS = "E"  # its method that returns an iterable of them


class Symbol(NamedTuple):
    """A definition, or a value whose class is known.

    `path` and `qual` (the qualified name, "" for a module) name the definition; for a
    value, its class.
    """

    kind: Kind
    path: str
    qual: str
    confidence: float

    @property
    def definition(self) -> tuple[str, str]:
        """The path and the qualified name of what it is, or is an instance of."""
        return self.path, self.qual

    def at_most(self, confidence: float) -> Symbol:
        """Return the symbol with its confidence limited."""
        if self.confidence <= confidence:
            return self
        return Symbol(self.kind, self.path, self.qual, confidence)

    def as_kind(self, kind: Kind, at_most: float = 1.0) -> Symbol:
        """Return a symbol of another kind for the same definition."""
        return Symbol(kind, self.path, self.qual, min(self.confidence, at_most))

    def is_same(self, other: Symbol) -> bool:
        """Return whether two symbols differ in confidence at most."""
        return self[:3] == other[:3]


def module_symbol(path: str) -> Symbol:
    return Symbol(Kind.MODULE, path, "", 1.0)


def symbol_id(symbol: Symbol) -> str:
    """Return a symbol's id in the graph."""
    return f"{symbol.path}::{symbol.qual}" if symbol.qual else symbol.path


def enclosing_scopes(scope: str) -> Iterator[str]:
    """Yield a scope and every scope around it, innermost first, the file's "" last."""
    while scope:
        yield scope
        scope = parent_of(scope)
    yield ""
