"""What differs between two values, leaf by leaf.

    {"doc": "x", "at": [1, 2]} and {"doc": "y", "at": [1, 3]} differ in
    doc: "x" to "y" and at[1]: 2 to 3

Items of a list that call themselves something (`id`, `name`, or the text that a list
begins with) are matched by that; other lists of unequal length are told by what was
added and removed. Texts come first: a number is mostly a line that moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAMES = ("id", "qualified_name", "name")
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ; None = nothing is there."""

    name: str
    old: Any
    new: Any

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "from": self.old, "to": self.new}


def differing_leaves(old: Any, new: Any) -> list[Difference]:
    """Return every difference, texts before numbers and digests."""
    found = _differing("", old, new, 0)
    return sorted(found, key=lambda leaf: _is_number(leaf.old, leaf.new))


def _is_number(*values: Any) -> bool:
    return any(isinstance(value, int | float | bytes) for value in values)


def _differing(name: str, old: Any, new: Any, depth: int) -> Iterator[Difference]:
    if old == new:
        return
    if depth < _DEEPEST and isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            label = f"{name}.{key}" if name else str(key)
            yield from _differing(label, old.get(key), new.get(key), depth + 1)
    elif depth < _DEEPEST and isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(name, old, new, depth)
    else:
        yield Difference(name.strip(), old, new)


def _of_lists(
    name: str, old: Sequence[Any], new: Sequence[Any], depth: int
) -> Iterator[Difference]:
    before, after = _named(old), _named(new)
    if before is not None and after is not None:
        for key in [*before, *(key for key in after if key not in before)]:
            label = f"{name}[{key}]"
            yield from _differing(label, before.get(key), after.get(key), depth + 1)
    elif len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differing(f"{name}[{number}]", a, b, depth + 1)
    else:
        yield from (Difference(name, item, None) for item in old if item not in new)
        yield from (Difference(name, None, item) for item in new if item not in old)


def _named(items: Sequence[Any]) -> dict[str, Any] | None:
    """Return items by their own names, or None when they have none."""
    found: dict[str, Any] = {}
    for item in items:
        name = _name(item)
        if name is None or name in found:
            return None
        found[name] = item
    return found


def _name(item: Any) -> str | None:
    if isinstance(item, list) and len(item) > 1 and isinstance(item[0], str):
        return item[0]
    if not isinstance(item, Mapping):
        return None
    for name in _NAMES:
        if isinstance(item.get(name), str):
            return str(item[name])
    return None
