"""Compare two values leaf by leaf.

    {"doc": "x", "at": [1, 2]} and {"doc": "y", "at": [1, 3]} differ in
    doc: "x" to "y" and at[1]: 2 to 3

Items of a list that have a name (`id`, `name`, or the text that an item that is a list
begins with) are matched by it; of other lists of unequal length, the added and removed
items are reported. Texts come first: a number is mostly a line that moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAME_FIELDS = ("id", "qualified_name", "name")
_MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """One leaf in which two values differ; None = the leaf is missing."""

    name: str
    old: Any
    new: Any

    def plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"name": self.name, "from": self.old, "to": self.new}


def differing_leaves(old: Any, new: Any) -> list[Difference]:
    """Return every difference, texts before numbers and digests."""
    numbers = int | float | bytes
    return sorted(
        _compare("", old, new, 0),
        key=lambda leaf: isinstance(leaf.old, numbers) or isinstance(leaf.new, numbers),
    )


def _compare(name: str, old: Any, new: Any, depth: int) -> Iterator[Difference]:
    if old == new:
        return
    if depth < _MAX_DEPTH and isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            label = f"{name}.{key}" if name else str(key)
            yield from _compare(label, old.get(key), new.get(key), depth + 1)
    elif depth < _MAX_DEPTH and isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(name, old, new, depth)
    else:
        yield Difference(name.strip(), old, new)


def _compare_lists(
    name: str, old: Sequence[Any], new: Sequence[Any], depth: int
) -> Iterator[Difference]:
    before, after = _items_by_name(old), _items_by_name(new)
    if before is not None and after is not None:
        for key in [*before, *(key for key in after if key not in before)]:
            label = f"{name}[{key}]"
            yield from _compare(label, before.get(key), after.get(key), depth + 1)
    elif len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{name}[{number}]", a, b, depth + 1)
    else:
        yield from (Difference(name, item, None) for item in old if item not in new)
        yield from (Difference(name, None, item) for item in new if item not in old)


def _items_by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """Return items by name, or None when one has no name or two have the same."""
    by_name: dict[str, Any] = {}
    for item in items:
        name = _item_name(item)
        if name is None or name in by_name:
            return None
        by_name[name] = item
    return by_name


def _item_name(item: Any) -> str | None:
    if isinstance(item, list) and len(item) > 1 and isinstance(item[0], str):
        return item[0]
    if not isinstance(item, Mapping):
        return None
    for name in _NAME_FIELDS:
        if isinstance(item.get(name), str):
            return str(item[name])
    return None
