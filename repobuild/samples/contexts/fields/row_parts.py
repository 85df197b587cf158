"""Cut the lists of a context row, and leave out its empty fields."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from repobuild.engine.contract import Value
from repobuild.samples.contexts.graph_reader import SPREAD_LISTS, spread

MOST = 16  # ids in a list
_MOST_COUNTED = 256  # ids of a list that is cut
Row = dict[str, Value]


def cut_lists(most: int, **lists: Iterable[str]) -> Row:
    """Return at most `most` ids of each list, and under `more` the names of cut lists.

    Under `totals` is how many ids a cut list of users has, up to `_MOST_COUNTED`, and
    those told are spread over their files. Iterators are read no further than that.
    """
    row: Row = {}
    more = []
    totals: dict[str, int] = {}
    for name, ids in lists.items():
        is_spread = name in SPREAD_LISTS
        first = list(islice(ids, (_MOST_COUNTED if is_spread else most) + 1))
        row[name] = spread(first, most) if is_spread else first[:most]
        if len(first) > most:
            more.append(name)
        if most < len(first) <= _MOST_COUNTED and is_spread:
            totals[name] = len(first)
    return row | {"more": more, **({"totals": totals} if totals else {})}


def without_empty(row: Row) -> Row:
    """Return a row without its empty fields."""
    return {name: value for name, value in row.items() if value}
