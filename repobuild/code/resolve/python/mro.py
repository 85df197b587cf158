"""Compute a class's method resolution order (MRO): where Python looks for a member.

C3 linearisation, as Python uses it since 2.3.

Source: Barrett et al. 1996, "A Monotonic Superclass Linearization for Dylan".
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import islice

from repobuild.code.resolve.symbol import Symbol

MRO = Sequence[Symbol | None]  # None: a base class from another project
_Key = tuple[str, str] | None


def c3_merge(orders: Sequence[MRO]) -> list[Symbol | None]:
    """Merge the bases' MROs; where they contradict, take the first row's first class.

    Python raises TypeError there, but the rest of the class can still be resolved.
    The last of `orders` holds the bases themselves.
    """
    symbols = {_key(entry): entry for row in orders for entry in row}
    if len(orders) <= 2:  # one base at most: its own order
        return list(symbols.values())
    order: list[Symbol | None] = []
    rows = [deque(map(_key, row)) for row in orders if row]
    in_tails = _count_tails(rows)
    while rows:
        head = next((row[0] for row in rows if not in_tails[row[0]]), rows[0][0])
        order.append(symbols[head])
        if in_tails[head]:
            rows = [deque(key for key in row if key != head) for row in rows]
            in_tails = _count_tails(rows)
        else:
            for row in rows:
                if row[0] == head:
                    row.popleft()
                    in_tails.subtract(islice(row, 1))
        rows = [row for row in rows if row]
    return order


def _key(entry: Symbol | None) -> _Key:
    return None if entry is None else entry.definition


def _count_tails(rows: Iterable[deque[_Key]]) -> Counter[_Key]:
    """Return in how many rows a class comes after the first one."""
    return Counter(key for row in rows for key in islice(row, 1, None))
