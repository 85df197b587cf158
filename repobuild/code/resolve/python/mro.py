"""Compute a class's method resolution order (MRO): where Python looks for a member.

C3 linearisation, as Python uses it since 2.3.

Source: Barrett et al. 1996, "A Monotonic Superclass Linearization for Dylan".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repobuild.code.resolve.symbol import Symbol

MRO = Sequence[Symbol | None]  # None: a base class from another project
_Key = tuple[str, str] | None


def c3_merge(orders: Sequence[MRO]) -> list[Symbol | None]:
    """Merge the bases' MROs; where they contradict, take the first row's first class.

    Python raises TypeError there, but the rest of the class can still be resolved.
    """
    order: list[Symbol | None] = []
    rows = [[_key(entry) for entry in row] for row in orders]
    symbols = {_key(entry): entry for row in orders for entry in row}
    while rows := [row for row in rows if row]:
        head = next(_good_heads(rows), rows[0][0])
        order.append(symbols[head])
        rows = [[entry for entry in row if entry != head] for row in rows]
    return order


def _key(entry: Symbol | None) -> _Key:
    return None if entry is None else entry.definition


def _good_heads(rows: list[list[_Key]]) -> Iterator[_Key]:
    """Yield the first entries that are in no row's tail."""
    for row in rows:
        if not any(row[0] in other[1:] for other in rows):
            yield row[0]
