"""Precision and recall of calls, imports and inheritance on the cases of tests/edges.

    python -m tests.benchmarks.edges [--faults]

Prints a table a group; `--faults` every edge that is wrong or missed.
"""

from __future__ import annotations

import argparse

from tests.benchmarks import table
from tests.edges.cases import cases, scores


def shown() -> str:
    """Return the table."""
    rows = [
        [
            group,
            f"{score.cases}",
            f"{score.whole}",
            f"{score.right}",
            f"{score.wrong}",
            f"{score.missed}",
            f"{score.precision:.3f}",
            f"{score.recall:.3f}",
        ]
        for group, score in scores().items()
    ]
    head = ["", "cases", "all right", "edges found", "wrong", "missed"]
    return table.markdown([*head, "precision", "recall"], rows)


def faults() -> str:
    """Return every edge that is wrong or missed, case by case."""
    lines = []
    for case in cases():
        found = case.graph_edges()
        for sign, edges in (("+", found - case.right), ("-", case.right - found)):
            for edge in sorted(edges):
                lines.append(f"{sign} {case.group}: {case.name}: {' '.join(edge)}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--faults", action="store_true")
    print(faults() if parser.parse_args().faults else shown())


if __name__ == "__main__":
    main()
