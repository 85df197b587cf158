"""Which of the elements that went are among those that came: moved, or renamed.

    moved     the same name elsewhere, and the same shape, or nearly the same code
    renamed   another name in the same file and container, and the same code but for it

Only what fits one to one is believed: of two functions `main` that went and two that
came nobody knows which is which, unless their shapes say so.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from rapidfuzz import fuzz

from repobuild.code.changes.revision import ElementVersion
from repobuild.code.facts.element_row import parent_of

Move = tuple[ElementVersion, ElementVersion]
_ALIKE = 80.0  # percent of the text
_ALIKE_RENAMED = 90.0
_SHORTEST = 40  # characters; less is alike by chance
_FEWEST_LINES = 3  # of a renamed one
_MOST_PAIRS = 2_500


def moves(gone: list[ElementVersion], came: list[ElementVersion]) -> list[Move]:
    """Return what moved, in the order of where it was; outermost elements only."""
    found = dict(_same(gone, came))
    rest = [part for part in gone if part.id not in found]
    taken = {new.id for _, new in found.values()}
    left = [part for part in came if part.id not in taken]
    found.update(_alike(rest, left))
    pairs = list(found.values())
    inner = {(old.id, new.id) for old, new in pairs}
    return sorted(
        (pair for pair in pairs if (_outer(pair[0]), _outer(pair[1])) not in inner),
        key=lambda pair: pair[0].id,
    )


def followed(
    found: list[Move], gone: list[ElementVersion], came: list[ElementVersion]
) -> list[Move]:
    """Return the moves, and after them what went along inside of what moved."""
    new = {part.id: part for part in came}
    places = {old.id: target.id for old, target in found}
    along: list[Move] = []
    for part in sorted(gone, key=lambda part: part.row.qual.count(".")):
        name = part.row.qual.rpartition(".")[2]
        inside = new.get(f"{places.get(_outer(part))}.{name}")
        if inside is not None and part.id not in places:
            places[part.id] = inside.id
            along.append((part, inside))
    return [*found, *along]


def _outer(part: ElementVersion) -> str:
    return f"{part.revision.path}::{parent_of(part.row.qual)}"


def _same(
    gone: list[ElementVersion], came: list[ElementVersion]
) -> Iterator[tuple[str, Move]]:
    """Yield what has the same shape, of which its name is part, once on each side."""
    before, after = _by_shape(gone), _by_shape(came)
    for shape, olds in before.items():
        news = after.get(shape, ())
        if len(olds) == len(news) == 1:
            yield olds[0].id, (olds[0], news[0])


def _by_shape(
    parts: Iterable[ElementVersion],
) -> dict[tuple[bytes, str], list[ElementVersion]]:
    found: dict[tuple[bytes, str], list[ElementVersion]] = defaultdict(list)
    for part in parts:
        found[part.row.shape, part.name].append(part)
    return found


def _alike(
    gone: list[ElementVersion], came: list[ElementVersion]
) -> Iterator[tuple[str, Move]]:
    """Yield what is nearly the same, best first, each at most once."""
    if len(gone) * len(came) > _MOST_PAIRS:
        return
    scored = [
        (-score, old.id, new.id, old, new)
        for old in gone
        for new in came
        if (score := _score(old, new))
    ]
    sides = [(score, side) for score, *two, _, _ in scored for side in _sides(*two)]
    equals = Counter(sides)
    used: set[str] = set()
    for score, was, now, old, new in sorted(scored, key=lambda entry: entry[:3]):
        both = _sides(was, now)
        if used.isdisjoint(both) and all(equals[score, side] == 1 for side in both):
            yield was, (old, new)
        used.update(both)


def _sides(was: str, now: str) -> tuple[str, str]:
    return f"-{was}", f"+{now}"


def _score(old: ElementVersion, new: ElementVersion) -> float:
    if (old.row.type == "class") != (new.row.type == "class"):
        return 0.0
    if old.name == new.name:
        if len(old.text) < _SHORTEST:
            return 0.0
        return fuzz.ratio(old.text, new.text, score_cutoff=_ALIKE)
    if _outer(old) != _outer(new) or old.text.count("\n") + 1 < _FEWEST_LINES:
        return 0.0
    text = re.sub(rf"\b{re.escape(old.name)}\b", lambda _: new.name, old.text)
    return fuzz.ratio(text, new.text, score_cutoff=_ALIKE_RENAMED)
