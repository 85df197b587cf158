"""How fast facts and graph are: the standard library against `ast.parse`, in one run.

    python -m tests.benchmarks.analysis [FOLDER]

Prints files, elements, seconds of CPU, elements a second and peak memory, and the ratio
to `ast.parse` of the same files, timed in between, so that a busy machine hits both
alike. One process; a build spreads facts over the cores.
"""

from __future__ import annotations

import ast
import resource
import sys
import sysconfig
import time
import warnings
from pathlib import Path
from typing import Any

import msgpack

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import graph
from tests.fakes import MemoryView

_LARGEST = 10_000_000


def sources(folder: Path) -> dict[str, bytes]:
    """Return the Python files below a folder, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.py"))
        if "site-packages" not in path.parts
    }


def _parsed(blob: bytes) -> float:
    start = time.process_time()
    try:
        ast.parse(blob)
    except (SyntaxError, ValueError):
        pass
    return time.process_time() - start


def measure(files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the analysis of these files cost."""
    facts_of(b"x = 1", "python")  # the grammar is loaded once, whatever is read
    spent = parsed = 0.0
    rows, stored = {}, 0
    for path, blob in files.items():
        parsed += _parsed(blob)
        start = time.process_time()
        rows[path] = facts_of(blob, "python", _LARGEST)
        spent += time.process_time() - start
        stored += len(msgpack.packb(rows[path]))
    view = MemoryView({"project.name": ""})
    view.advance(
        files={path: {"blob": "", "mode": 0, "language": "python"} for path in rows},
        facts=rows,
    )
    start = time.process_time()
    graph(view)
    resolved = time.process_time() - start
    update = _one_edit(view, rows)
    edges = view.own.rows["@project"][""]["statistics"]["edges"]
    return {
        "files": len(files),
        "megabytes": round(sum(map(len, files.values())) / 1e6, 1),
        "elements": sum(len(row.get("elements", ())) for row in rows.values()),
        "edges": edges,
        "facts seconds": round(spent, 2),
        "graph seconds": round(resolved, 2),
        "ast.parse seconds": round(parsed, 2),
        "facts / ast.parse": round(spent / parsed, 2),
        "facts and graph / ast.parse": round((spent + resolved) / parsed, 2),
        "facts megabytes": round(stored / 1e6, 1),
        "one body edit, graph milliseconds": round(update * 1000, 1),
        "peak megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _one_edit(view: MemoryView, rows: dict[str, Any]) -> float:
    path = next((path for path in rows if path.endswith("argparse.py")), min(rows))
    changed = {**rows[path], "lines": rows[path].get("lines", 0) + 1}
    view.pending = {"facts": {path: (rows[path], changed)}}
    view.tables["facts"].rows[path] = changed
    view.full = False
    start = time.process_time()
    graph(view)
    return time.process_time() - start


def main() -> None:
    warnings.simplefilter("ignore")
    folder = sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib")
    found = measure(sources(Path(folder)))
    spent = found["facts seconds"] + found["graph seconds"]
    for name, value in found.items():
        print(f"{name:36} {value}")
    print(f"{'elements a second':36} {found['elements'] / spent:,.0f}")


if __name__ == "__main__":
    main()
