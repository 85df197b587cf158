"""Find methods of several classes of a file that have the same code, but for one line.

Shown without its class, or without a line of it, such code is that of each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from repobuild.code.facts.element_row import name_of
from repobuild.samples.contexts.unchanged import Elements
from repobuild.samples.text.quote import Quote, quote_definition

_MOST_LINES = 1  # that differ


def quoted_lines(quoted: Quote | None) -> list[str]:
    """Return the lines of code as it is shown, [] without a body."""
    return [quoted.head, *quoted.body.split("\n")] if quoted else []


def are_twins(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the lines of two methods differ in one at most."""
    if len(one) != len(other) or not one:
        return False
    pairs = zip(one, other, strict=True)
    return sum(first != second for first, second in pairs) <= _MOST_LINES


def changed_twins(
    same: Collection[str],
    language: str,
    old: tuple[Elements, bytes],
    new: tuple[Elements, bytes],
) -> Iterator[str]:
    """Yield the unchanged methods of which a twin changed, came or went.

    Only Python's code is compared: of another language, each namesake may be one.
    """
    changed: dict[str, list[list[str]]] = {}
    for elements, source in (old, new):
        for qual in elements.keys() - set(same):
            if elements[qual].type == "method":
                lines = _lines(elements, qual, source, language)
                changed.setdefault(name_of(qual), []).append(lines)
    elements, source = new
    for qual in same:
        others = changed.get(name_of(qual), ())
        if not others or elements[qual].type != "method":
            continue
        own = _lines(elements, qual, source, language)
        if language != "python" or any(are_twins(own, other) for other in others):
            yield qual


def _lines(elements: Elements, qual: str, source: bytes, language: str) -> list[str]:
    if language != "python":
        return []
    element = elements[qual]
    start = source.rfind(b"\n", 0, element.row.start) + 1
    code = source[start : element.row.start + element.row.length]
    return quoted_lines(quote_definition(language, code, bool(element.doc)))
