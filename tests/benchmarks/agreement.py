"""How far our facts agree with `ast`, on the standard library and on ten packages.

    python -m tests.benchmarks.agreement [FOLDER ...] [--all]

Compares every Python file (tests and all) field by field, see tests/agreement.py;
complexity against radon. Prints a table a field and a table a package, then every
difference with its reason; `--all` shows all differences of a reason instead of five.
Files that `ast` cannot parse are counted apart. Packages that are not installed here
are said to be absent.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import importlib.util
import platform
import sysconfig
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from repobuild.code.facts.parse import facts_of
from tests.agreement import (
    FIELDS,
    Definition,
    Difference,
    Tally,
    compare,
    definitions,
    radon,
)
from tests.benchmarks import table

# By distribution: small and large, typed and untyped, generated, numeric, decorated.
PACKAGES = {
    "click": "click",
    "hypothesis": "hypothesis",
    "jinja2": "jinja2",
    "joblib": "joblib",
    "networkx": "networkx",
    "numpy": "numpy",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "pytest": "_pytest",
    "requests": "requests",
    "rich": "rich",
    "sympy": "sympy",
    "torch": "torch",
    "transformers": "transformers",
}
_CHUNK = 20


def compared(path: Path, folder: Path) -> Tally:
    """Compare one file; in a process of its own pool."""
    warnings.simplefilter("ignore")
    return compare(str(path.relative_to(folder)), path.read_bytes(), radon)


def measured(folder: Path) -> Tally:
    """Compare every Python file below a folder, on two cores."""
    paths = [
        path
        for path in sorted(folder.rglob("*.py"))
        if "site-packages" not in path.relative_to(folder).parts
    ]
    whole = Tally()
    with ProcessPoolExecutor(2) as pool:
        for tally in pool.map(
            partial(compared, folder=folder), paths, chunksize=_CHUNK
        ):
            whole.add(tally)
    return whole


def places(folders: list[str]) -> dict[str, Path]:
    """Return what is compared, by the name it is shown under."""
    if folders:
        return {Path(folder).name: Path(folder) for folder in folders}
    library = Path(sysconfig.get_path("stdlib"))
    found = {f"standard library {platform.python_version()}": library}
    for distribution, package in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            print(f"{distribution}: not installed here")
            continue
        version = importlib.metadata.version(distribution)
        found[f"{distribution} {version}"] = Path(spec.origin).parent
    return found


def reason(found: Difference, folder: Path) -> str:
    """Return the class of a difference: what is known of it, or its field."""
    blob = (folder / found.path).read_bytes()
    if "problem" in facts_of(blob, "python", len(blob)):
        return "the grammar sees a syntax error where `ast` sees none; the row says so"
    if found.field == "complexity":
        nodes = {qual: node for qual, _, node in definitions(ast.parse(blob))}
        if str(radon(_plain(nodes[found.qual]))) == found.ours:
            return "radon does not count the handlers of `except*`"
    return f"not explained: {found.field}"


def _plain(node: Definition) -> Definition:
    """Return the definition with `except*` as `except`."""
    return ast.parse(ast.unparse(node).replace("except* ", "except ")).body[0]


def by_package(tallies: dict[str, Tally]) -> str:
    """Return the table a package: files, elements, elements without a difference."""
    rows = []
    for name, tally in tallies.items():
        rows.append(
            [
                name,
                f"{tally.files:,}",
                f"{tally.unreadable:,}",
                f"{tally.elements:,}",
                f"{tally.right:,}",
                share(tally.right, tally.elements),
            ]
        )
    head = ["", "files", "that `ast` cannot parse", "elements", "all fields agree", ""]
    return table.markdown(head, rows)


def by_field(whole: Tally) -> str:
    """Return the table a field."""
    rows = [
        [
            name,
            f"{whole.seen[name]:,}",
            f"{whole.agreed[name]:,}",
            share(whole.agreed[name], whole.seen[name]),
        ]
        for name in FIELDS
    ]
    return table.markdown(["field", "compared", "agree", ""], rows)


def share(part: int, whole: int) -> str:
    """Return a share, rounded down: 100 % is all."""
    return f"{int(part / whole * 100_000) / 1000:g} %" if whole else ""


def listed(found: list[tuple[str, Difference]], limit: int) -> str:
    """Return the differences, grouped by their reason."""
    groups = defaultdict(list)
    for why, difference in found:
        groups[why].append(difference)
    lines = []
    for why, group in sorted(groups.items()):
        lines.append(f"{len(group)} x {why}")
        for path, qual, name, theirs, ours in group[:limit]:
            lines.append(
                f"    {path}::{qual} {name}: {theirs[:200]!r}, ours {ours[:200]!r}"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    tallies, whole, explained = {}, Tally(), []
    for name, folder in places(options.folders).items():
        tallies[name] = tally = measured(folder)
        whole.add(tally)
        explained += [(reason(one, folder), one) for one in tally.differences]
    tallies["all"] = whole
    told = listed(explained, len(explained) if options.all else 5)
    print(by_package(tallies), by_field(whole), told, sep="\n\n")


if __name__ == "__main__":
    main()
