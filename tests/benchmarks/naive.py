"""What a naive tool does on every commit: all files parsed, one graph made anew.

    python -P naive.py FOLDER [ast|graph] [CORES]

`ast` only parses; `graph` also walks every tree and makes a networkx graph of
definitions, imports, and calls joined by bare name. Imports nothing of repobuild: it
runs in the peers' environment.
"""

import ast
import multiprocessing
import sys
import warnings
from pathlib import Path


def parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def parse_all(paths: list[Path]) -> None:
    for path in paths:
        parsed(path)


def graph(paths: list[Path]) -> None:
    import networkx

    found = networkx.MultiDiGraph()
    defined: dict[str, list[str]] = {}
    calls: list[tuple[str, str]] = []
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{path}::{node.name}"
                found.add_edge(str(path), name, kind="contains")
                defined.setdefault(node.name, []).append(name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    found.add_edge(str(path), alias.name, kind="imports")
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                calls.append((str(path), called))
    for caller, called in calls:
        for name in defined.get(called, ())[:3]:
            found.add_edge(caller, name, kind="calls")
    print(found.number_of_nodes(), found.number_of_edges())


def main() -> None:
    warnings.simplefilter("ignore")
    paths = sorted(Path(sys.argv[1]).rglob("*.py"))
    cores = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if sys.argv[2] == "graph":
        graph(paths)
    elif cores == 1:
        parse_all(paths)
    else:
        with multiprocessing.Pool(cores) as pool:
            pool.map(parse_all, [paths[n :: cores * 8] for n in range(cores * 8)])


if __name__ == "__main__":
    main()
