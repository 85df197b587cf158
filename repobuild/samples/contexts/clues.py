"""Tell what a question may identify an element by, besides its name.

    purpose:x   the first sentence of a docstring: "which function does this: ..."
    heading:x   the heading of a section: "which document has a section ..."
    variable:x  a variable of a module: who asks where `x` is may mean that instead of
                the function `x` of another file
    plain:x     a parameter or an attribute: who asks for `x` may mean that instead of
                the method `x`

The index of `contexts` holds the clues of each file beside its names (display_names.py)
so that an update looks up only the clues that it touches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from repobuild.code.facts.element_row import bindings_of
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    DEFINITION,
    IMPORTED_MODULE,
    IMPORTED_NAME,
)
from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.text.summary.purpose import first_sentence_of

Elements = Mapping[str, ElementView]
_BOUND_OTHERWISE = (DEFINITION, ALTERNATIVE, IMPORTED_NAME, IMPORTED_MODULE)


def clues_of(elements: Elements) -> Counter[str]:
    """Count each clue of a file's elements."""
    return Counter(
        clue for element in elements.values() for clue in _all_clues(element)
    )


def purpose_clue(element: ElementView) -> str:
    """Return the clue of an element's docstring, "" without a purpose."""
    sentence = first_sentence_of(element.doc)
    return f"purpose:{normal_clue(sentence)}" if sentence else ""


def variable_clue(name: str) -> str:
    return f"variable:{name}"


def variable_clues(path: str, facts: Value) -> Iterator[str]:
    """Yield the clues of the variables of a Python module, tests left out."""
    names = facts.get("names") if not is_test(path) and not is_tool(path) else None
    for name in names or ():
        bound = bindings_of(facts["names"], name)
        if not any(one[:1] in _BOUND_OTHERWISE for one in bound):
            yield variable_clue(name)


def heading_clue(element: ElementView) -> str:
    return f"heading:{normal_clue(element.title)}"


def plain_clue(name: str) -> str:
    return f"plain:{name}"


def own_clues(element: ElementView) -> Iterator[str]:
    """Yield the clues that decide how an element is asked for."""
    if element.type == "section":
        yield heading_clue(element)
    elif element.doc and (clue := purpose_clue(element)):
        yield clue
    if element.type == "method":
        yield plain_clue(element.name)
    elif element.type in ("function", "class"):
        yield variable_clue(element.name)


def headings_of(elements: Elements) -> dict[str, str]:
    """Return the titles of a document's sections by qualified name."""
    return {e.qual: e.title for e in elements.values() if e.type == "section"}


def heading_trails(elements: Elements) -> dict[str, str]:
    """Return what names each section of a document: its title, after those above it
    as far as they are needed to tell it from others, as in "2.1 > Fixed".

    That is "" if all the titles above leave another section possible.
    """
    chains = {qual: _titles_upwards(elements, qual) for qual in headings_of(elements)}
    keys = {qual: tuple(map(normal_clue, chain)) for qual, chain in chains.items()}
    counts = Counter(
        key[:depth] for key in keys.values() for depth in range(1, len(key) + 1)
    )
    trails = {}
    for qual, key in keys.items():
        depths = (n for n in range(1, len(key) + 1) if counts[key[:n]] == 1)
        trails[qual] = " > ".join(reversed(chains[qual][: next(depths, 0)]))
    return trails


def _titles_upwards(elements: Elements, qual: str) -> list[str]:
    """Return the title of a section and of those around it, its own first."""
    titles = []
    while element := elements.get(qual):
        titles.append(element.title)
        qual = element.parent
    return titles


def _all_clues(element: ElementView) -> Iterator[str]:
    """Yield the clues that an element gives, its parameters and attributes included."""
    if element.type == "section":
        yield heading_clue(element)
        return
    if clue := purpose_clue(element):
        yield clue
    parameters = (one.name.lstrip("*") for one in element.parameters())
    yield from map(plain_clue, {*element.row.attrs, *parameters})


def normal_clue(text: str) -> str:
    """Return a text without white space, capitals and full stop that tell nothing."""
    return " ".join(text.split()).casefold().rstrip(".。")
