"""A synthetic Python repository of any size, the same for the same seed.

    python -m tests.benchmarks.synthetic FOLDER [--files 1000] [--seed 1]

Shaped as real ones are: packages of 25 modules; a module of about 65 lines with a
docstring, imports of three other modules (its own package's, another package's, one of
the ten of `core`, which all packages use), five functions that call each other and what
was imported, and a class that inherits from an imported one. So a module has as many
neighbours in a repository of 10,000 files as in one of 1,000; only `core` is used more.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

_IN_PACKAGE = 25
_CORE = 10
_FUNCTIONS = 5
_VERBS = ("read", "merge", "check", "order", "store", "split", "trace", "count")
_NOUNS = ("account", "packet", "window", "ledger", "record", "signal", "route", "page")


def name(number: int) -> str:
    """Return the dotted name of a module; the first ten are `core`."""
    if number < _CORE:
        return f"core.base{number}"
    return f"pkg{number // _IN_PACKAGE}.mod{number}"


def function(number: int, place: int) -> str:
    """Return the name of a module's function, unlike that of its neighbours."""
    verb = _VERBS[(number + place) % len(_VERBS)]
    return f"{verb}_{_NOUNS[number % len(_NOUNS)]}_{number}_{place}"


def module(number: int, seed: int) -> str:
    """Return the source of one module; it uses only modules of lower numbers."""
    chosen = random.Random(f"{seed} {number}")
    used = sorted(_used(number, chosen))
    lines = [f'"""{_NOUNS[number % len(_NOUNS)].title()}s, part {number}."""', ""]
    lines += [f"from {name(n)} import {function(n, 0)}, Kind{n}" for n in used]
    for place in range(_FUNCTIONS):
        lines += ["", "", *_function(number, place, used, chosen)]
    return "\n".join([*lines, "", "", *_class(number, used, chosen)]) + "\n"


def write(place: Path, count: int, seed: int = 1) -> Path:
    """Write a repository's files into a folder."""
    for number in range(count):
        path = place / (name(number).replace(".", "/") + ".py")
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
            (path.parent / "__init__.py").touch()
        path.write_text(module(number, seed))
    return place


def _used(number: int, chosen: random.Random) -> set[int]:
    if number == 0:
        return set()
    first = max(0, number // _IN_PACKAGE * _IN_PACKAGE)
    near = chosen.randrange(first, number) if first < number else number - 1
    core = chosen.randrange(min(number, _CORE))
    return {near, chosen.randrange(number), core}


def _function(
    number: int, place: int, used: list[int], chosen: random.Random
) -> Iterator[str]:
    said = function(number, place).replace("_", " ")
    yield f"def {function(number, place)}(value: int, limit: int = {place + 1}) -> int:"
    yield f'    """Return the value after: {said}."""'
    yield f"    total = value + {chosen.randrange(1000)}"
    if place:
        yield f"    total += {function(number, place - 1)}(total, limit)"
    for other in used[: 1 + place % 2]:
        yield f"    if total > limit * {chosen.randrange(1, 50)}:"
        yield f"        total -= {function(other, 0)}(value)"
    yield "    return total"


def _class(number: int, used: list[int], chosen: random.Random) -> Iterator[str]:
    base = f"(Kind{chosen.choice(used)})" if used else ""
    yield f"class Kind{number}{base}:"
    yield f'    """A {_NOUNS[number % len(_NOUNS)]} that knows its own size."""'
    for place in range(3):
        verb = _VERBS[(number + place) % len(_VERBS)]
        yield ""
        yield f"    def {verb}(self, amount: int) -> int:"
        yield f'        """Return the amount that this {verb} leaves."""'
        yield f"        self.size = amount + {chosen.randrange(1000)}"
        yield f"        return {function(number, place)}(self.size)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.folder, options.files, options.seed)


if __name__ == "__main__":
    main()
