"""Define the sets of values that the data flow computes with (data_flow.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repobuild.code.facts.element_row import parent_of
from repobuild.code.resolve.symbol import Kind, Symbol

Values = frozenset[Symbol]
NOTHING: Values = frozenset()
UNKNOWN: Values = frozenset({Symbol(Kind.MODULE, "?", "?", 0.0)})  # compared by `is`
_MOST_VALUES = 12


def only(symbol: Symbol | None) -> Values:
    """Return one value that equals others of its kind, however they were found."""
    if symbol is None:
        return NOTHING
    certain = symbol if symbol.confidence == 1.0 else symbol._replace(confidence=1.0)
    return frozenset((certain,))


def union(parts: Iterable[Values], hops: int) -> Values:
    """Return all values; without those that are passed, all must be known, and few."""
    found: set[Symbol] = set()
    is_known = True
    for part in parts:
        if part is UNKNOWN:
            is_known = False
        else:
            found |= part
    if not hops and (not is_known or len(found) > _MOST_VALUES):
        return UNKNOWN
    return frozenset(found)


def innermost(values: Values) -> Values:
    """Return values without functions that another one of them is in."""
    if values is UNKNOWN:
        return values
    around = {outer for one in values for outer in _functions_around(one)}
    return frozenset(one for one in values if one.definition not in around)


def outermost(values: Values) -> Values:
    """Return values without functions that are in another one of them."""
    if values is UNKNOWN:
        return values
    places = {one.definition for one in values if one.kind is Kind.FUNCTION}
    return frozenset(one for one in values if places.isdisjoint(_functions_around(one)))


def _functions_around(value: Symbol) -> Iterator[tuple[str, str]]:
    qual = value.qual if value.kind is Kind.FUNCTION else ""
    while qual := parent_of(qual):
        yield value.path, qual
