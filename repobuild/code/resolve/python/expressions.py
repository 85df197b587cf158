"""Define what the parts of the Python resolver share, and how they call it back.

Name resolution is recursive by nature. A name is bound to an expression (`x = a.b()`),
an expression begins with a name, and in between it walks through members of classes
whose bases and annotations are expressions again. So each part gets the parts below it
as constructor arguments (modules, imports, global names, members, type inference,
scopes: in this order), and calls back upwards only through `Expressions`, which the
`Resolver` implements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from repobuild.code.facts.element_row import Binding
from repobuild.code.resolve.lookup import LookupCache
from repobuild.code.resolve.python.modules import Modules
from repobuild.code.resolve.symbol import Symbol


class Expressions(Protocol):
    """Resolves source text in a scope of a file; a scope "" is the module's own."""

    def resolve_chain(self, path: str, scope: str, text: str) -> Symbol | None:
        """Return what a chain (`a.b().c`, see element_row.py) refers to."""

    def resolve_binding(self, path: str, scope: str, binding: Binding) -> Symbol | None:
        """Return what a name with this binding (element_row.py) refers to."""


@dataclass(frozen=True, slots=True)
class ResolverContext:
    """What every part of one resolver works with."""

    modules: Modules
    lookups: LookupCache
    expressions: Expressions
