"""The share of elements that are explained, by quarters of importance.

    python -m tests.benchmarks.explained REPOSITORY ...

Each repository is built up to `contexts` in a scratch state. An element is explained
when a sample of the kinds `explain` or `sketch` tells of it; the fact is asked of every
element that has a row with details, so tests and functions within functions are not
counted. A quarter ends where the score changes: elements of equal importance are in one
quarter, the higher.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from repobuild.code.usage.importance import score_of
from repobuild.engine.build import Build
from repobuild.samples.tasks import explanation
from repobuild.samples.tasks.facts import FactScope, with_id_fields
from repobuild.samples.tasks.phrases import load_phrases
from tests.benchmarks import table
from tests.standard import Standard

_KINDS = ("function", "method", "class")
_EXPLAINING = ("explain", "sketch", "written")
_QUARTERS = 4


class Element(NamedTuple):
    """One element: its importance, and by which kind of sample it is explained."""

    importance: float
    kind: str  # "" for none
    has_purpose: bool  # anyone wrote what it is for


def elements(build: Build) -> Iterator[Element]:
    """Yield the elements of a repository that users may ask about."""
    scores = build.table("importance")
    for key, row in build.table("contexts").items():
        if row["kind"] not in _KINDS or row.get("brief"):
            continue
        facts = explanation.facts(_scope(row))
        kind = next((fact.kind for fact in facts if fact.kind in _EXPLAINING), "")
        written = ("summary", "comment", "said", "inherited")
        purpose = any(row.get(name) for name in written)
        yield Element(score_of(scores, key), kind, purpose)


def _scope(row: dict[str, Any]) -> FactScope:
    phrases = load_phrases("en")
    return FactScope(with_id_fields(row), phrases, ("en",), lambda id: False)


def quarters(found: list[Element]) -> list[list[Element]]:
    """Return the elements by quarters of importance, the highest first."""
    ordered = sorted(found, key=lambda one: -one.importance)
    layers: list[list[Element]] = []
    start = 0
    for number in range(1, _QUARTERS + 1):
        end = max(start, len(ordered) * number // _QUARTERS)
        while 0 < end < len(ordered) and (
            ordered[end].importance == ordered[end - 1].importance
        ):
            end += 1
        layers.append(ordered[start:end])
        start = end
    return layers


def rows_of(name: str, layers: list[list[Element]]) -> Iterator[list[str]]:
    for number, layer in enumerate(layers, 1):
        if not layer:
            continue
        explained = sum(bool(one.kind) for one in layer)
        documented = sum(one.kind == "explain" for one in layer)
        purpose = sum(one.has_purpose for one in layer)
        yield [
            name if number == 1 else "",
            f"{number}",
            f"{layer[-1].importance:.2f}-{layer[0].importance:.2f}",
            f"{len(layer):,}",
            f"{documented / len(layer):.1%}",
            f"{purpose / len(layer):.1%}",
            f"{explained / len(layer):.1%}",
        ]


def main() -> None:
    head = [
        "repository", "quarter", "importance", "elements", "docstring",
        "purpose from anywhere", "explained",
    ]  # fmt: skip
    rows: list[list[str]] = []
    for argument in sys.argv[1:]:
        path = Path(argument).resolve()
        with tempfile.TemporaryDirectory() as place:
            standard = Standard(pygit2.Repository(str(path)), Path(place) / "state")
            for goal in ("contexts", "importance"):
                standard.build(goal)
            found = list(elements(standard.open()))
            standard.close()
        rows += rows_of(path.name, quarters(found))
    print(table.markdown(head, rows))


if __name__ == "__main__":
    main()
