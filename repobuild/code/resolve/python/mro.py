"""The order in which Python looks for a member among a class's bases (C3).

An entry is a class, or None for a base from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repobuild.code.resolve.symbol import Entity

Order = Sequence[Entity | None]


def c3_merge(orders: Sequence[Order]) -> list[Entity | None]:
    """Merge linearisations as C3 does; where they contradict, the first goes first."""
    order: list[Entity | None] = []
    rows = [[_identity(entry) for entry in row] for row in orders]
    known = {_identity(entry): entry for row in orders for entry in row}
    while rows := [row for row in rows if row]:
        head = next(_heads(rows), rows[0][0])
        order.append(known[head])
        rows = [[entry for entry in row if entry != head] for row in rows]
    return order


def _identity(entry: Entity | None) -> tuple[str, str] | None:
    return None if entry is None else (entry[1], entry[2])


def _heads(
    rows: list[list[tuple[str, str] | None]],
) -> Iterator[tuple[str, str] | None]:
    for row in rows:
        if not any(row[0] in other[1:] for other in rows):
            yield row[0]
