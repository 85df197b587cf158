"""Recall of call edges on real code: what a package's own tests really call.

    python -m tests.benchmarks.dynamic [PACKAGE ...]

Runs tests of installed packages in processes of their own (traced.py), and looks which
of the pairs of caller and callee are edges of our graph. A pair counts once. Both ends
lie in the package, its tests included; what a decorator's wrapper passes on counts as
the two calls that really happen, of which the graph has neither (it says who calls the
decorated function). Precision cannot be measured so: what no test ran may be right.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from repobuild.code.facts.element import CodeElement, elements
from repobuild.code.facts.parse import facts_of
from tests.benchmarks import table
from tests.code_world import World

# Package -> tests that run alone, in a minute.
PACKAGES = {
    "joblib": [
        "joblib/test/test_memory.py",
        "joblib/test/test_hashing.py",
        "joblib/test/test_func_inspect.py",
        "joblib/test/test_numpy_pickle.py",
        "joblib/test/test_logger.py",
    ],
    "networkx": [
        "networkx/classes/tests",
        "networkx/algorithms/tests/test_dag.py",
        "networkx/algorithms/shortest_paths/tests",
        "networkx/readwrite/tests",
    ],
    "numpy": [
        "numpy/lib/tests/test_arraypad.py",
        "numpy/lib/tests/test_recfunctions.py",
        "numpy/ma/tests/test_extras.py",
        "numpy/polynomial/tests/test_chebyshev.py",
    ],
    "sympy": [
        "sympy/core/tests/test_basic.py",
        "sympy/printing/tests/test_str.py",
        "sympy/sets/tests/test_sets.py",
    ],
}


class Package:
    """One package: its elements by place, and its graph."""

    def __init__(self, folder: Path) -> None:
        self.top = folder.parent
        files = {
            str(path.relative_to(self.top)): path.read_text("utf-8", "replace")
            for path in sorted(folder.rglob("*.py"))
        }
        self.calls = set(World(files).edges("calls"))
        self._elements: dict[str, list[CodeElement]] = {
            path: list(elements(facts_of(text.encode(), "python"), path))
            for path, text in files.items()
        }

    def callee(self, file: str, line: int, name: str) -> str:
        """Return the id of the function whose code begins in a line, or ""."""
        for found in self._elements.get(self._path(file), ()):
            if found.first_line == line and found.name == name:
                return found.id
        return ""

    def caller(self, file: str, line: int) -> str:
        """Return the innermost element around a line, or the file."""
        path, best = self._path(file), None
        for found in self._elements.get(path, ()):
            if found.first_line <= line <= found.end_line:
                best = found
        return best.id if best is not None else path

    def _path(self, file: str) -> str:
        return str(Path(file).relative_to(self.top))


def traced(folder: Path, tests: list[str]) -> list[list[object]]:
    """Return the pairs that the tests of a package make."""
    with tempfile.TemporaryDirectory(prefix="repobuild-dynamic-") as name:
        out = Path(name) / "pairs.json"
        script = str(Path(__file__).with_name("traced.py"))
        given = [str(folder.parent / path) for path in tests]
        command = [sys.executable, "-P", script, str(out), str(folder), *given]
        subprocess.run(command, cwd=name, capture_output=True, timeout=1_800)
        return json.loads(out.read_text())


def measured(name: str) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Return how many pairs there are and how many are edges, and what is missed."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} is not installed"
    package = Package(Path(spec.origin).parent)
    pairs = set()
    for outer, _, line, file, first, code in traced(
        Path(spec.origin).parent, PACKAGES[name]
    ):
        callee = package.callee(file, first, code)
        if callee:
            pairs.add((package.caller(outer, line), callee))
    counts: Counter[str] = Counter()
    for caller, callee in pairs:
        kind = "tests" if "/tests/" in caller or "/test/" in caller else "package"
        counts[kind] += 1
        counts[kind + " found"] += (caller, callee) in package.calls
    return counts, sorted(pairs - package.calls)


def main() -> None:
    rows = []
    for name in sys.argv[1:] or PACKAGES:
        counts, missed = measured(name)
        row = [f"{name} {importlib.metadata.version(name)}"]
        for kind in ("package", "tests"):
            found, whole = counts[kind + " found"], counts[kind]
            row += [f"{whole:,}", f"{found:,}", f"{found / (whole or 1):.3f}"]
        rows.append(row)
        for caller, callee in missed[:: max(1, len(missed) // 25)]:
            print(f"missed: {caller} -> {callee}", file=sys.stderr)
    head = ["", "calls within", "found", "recall", "calls by tests", "found", "recall"]
    print(table.markdown(head, rows))


if __name__ == "__main__":
    main()
