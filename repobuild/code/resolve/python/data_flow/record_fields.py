"""Tell which classes get their constructor from their fields, and the fields."""

from __future__ import annotations

from repobuild.code.facts.element_row import ElementRow, Parameter, name_of
from repobuild.code.resolve.python.data_flow.passing_sites import decorator_chain

_DECORATORS = frozenset(
    "dataclass dataclasses.dataclass define frozen attrs.define attrs.frozen".split()
)


def fields_of(row: ElementRow) -> list[Parameter]:
    """Return the parameters of a class whose constructor is made from its fields."""
    decorators = {decorator_chain(one).removesuffix("()") for one in row.decorators}
    bases = {name_of(one) for one in row.bases}
    if decorators.isdisjoint(_DECORATORS) and "NamedTuple" not in bases:
        return []
    return [Parameter(name) for name in row.attrs if name[-1:] != "]"]
