"""Localisation: from the text of a public issue to the files that its fix touched.

    python -m tests.benchmarks.localisation DATA MIRRORS [--cache FOLDER] [--fit]

DATA is a file of JSON lines (`instance_id`, `repo`, `base_commit`,
`problem_statement`, `patch`, `files`, and `chronorepo_ranks`: 1-based ranks by another
method). MIRRORS holds a clone of each repository as OWNER+NAME, with its history.
Nothing of either is kept, but what was measured of each issue, in the cache folder.

Runs the functions of the rules (facts, graph, lexicon, touches) over tables in memory,
from issue to issue in the order of their commits, so a project is parsed once and then
brought up to date. Tests are left out of the tables: ranking leaves them out as well.

Half of the issues, by a hash of their ids, were there for tuning (`--fit` fits the
weights to them); the other half was not looked at. Strict Acc@k: all files, or
functions, of the fix are within the first k. Any: at least one is.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pygit2

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import graph
from repobuild.code.scan.file_roles import is_test
from repobuild.git.commit_diffs import kept_commits
from repobuild.git.snapshot import at_commit
from repobuild.locate import ranking
from repobuild.locate.evidence import Evidence
from repobuild.locate.issue_text import read_issue
from repobuild.locate.lexical import Scores
from repobuild.locate.lexicon import lexicon
from repobuild.locate.ranking import FunctionSignals, function_signals
from repobuild.locate.touches import touch_row
from repobuild.locate.words import terms_of
from tests.fakes import MemoryTable, MemoryView

COMMITS = 500  # the default of locate.commits
HALVES = ("tuning", "untouched")
NEVER = 10**6  # the rank of what was not found
# Grid of the baseline: the best of it on the tuning half is "BM25".
GRID = [
    (k1, b, name, path)
    for k1 in (1.2, 5.0, 10.0, 20.0, 40.0)
    for b in (0.4, 0.75)
    for name, path in ((1.0, 0.0), (10.0, 40.0))
]


@dataclass(slots=True)
class Measured:
    """What was found for one issue, before it is weighed."""

    id: str
    paths: list[str]
    signals: dict[str, Scores]
    functions: FunctionSignals
    baselines: dict[tuple[float, ...], Scores]
    files: list[str]  # the answer
    answer: list[str]  # ids of functions
    chronorepo: list[int]
    text_kind: str
    seconds: float

    @property
    def half(self) -> str:
        return half_of(self.id)


def half_of(id: str) -> str:
    """Return the half of an issue: by the parity of SHA-256 of its id."""
    return HALVES[hashlib.sha256(id.encode()).digest()[-1] % 2]


# --------------------------------------------------------------------- one project


class InvertedIndex:
    """As `MemoryIndex`, with a look-up by term."""

    def __init__(self) -> None:
        self._terms: dict[str, set[str]] = {}
        self._keys: dict[str, set[str]] = defaultdict(set)

    def set(self, key: str, terms: Iterable[str]) -> None:
        for term in self._terms.pop(key, ()):
            self._keys[term].discard(key)
        self._terms[key] = set(terms)
        for term in self._terms[key]:
            self._keys[term].add(key)

    def find(self, term: str) -> list[str]:
        return sorted(self._keys.get(term, ()))


class Blobs:
    """Reads blobs from a repository."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository

    def __getitem__(self, blob: str) -> bytes:
        return bytes(self._repository[blob].peel(pygit2.Blob).data)


class Project:
    """The tables of one repository in memory, at one commit after the other."""

    def __init__(self, folder: Path) -> None:
        self.repository = pygit2.Repository(str(folder))
        self._graph = MemoryView({"project.name": ""})
        self._lexicon = MemoryView()
        self._lexicon.blobs = Blobs(self.repository)  # type: ignore[assignment]
        for view in (self._graph, self._lexicon):
            view.own.index = InvertedIndex()  # type: ignore[assignment]
        self._facts: dict[str, Any] = {}  # by blob, of the last commit
        self._touches: dict[str, Any] = {}

    def advance(self, commit: str) -> tuple[MemoryTable, MemoryTable]:
        """Return the tables `lexicon` and `touches` at a commit."""
        files, facts, known = {}, {}, {}
        for path, (blob, mode) in at_commit(self.repository, commit).files():
            if not path.endswith(".py") or is_test(path) or mode == 0o120000:
                continue
            files[path] = {"blob": blob, "mode": mode, "language": "python"}
            row = known.get(blob) or self._facts.get(blob)
            if row is None:
                row = facts_of(self._lexicon.blobs[blob], "python")
            known[blob] = facts[path] = row
        self._facts = known
        graph(self._graph.advance(files=files, facts=facts))
        rows = {
            path: {sub: item for sub, item in row.items() if sub.startswith(" imports")}
            for path, row in self._graph.own.rows.items()
        }
        lexicon(self._lexicon.advance(files=files, facts=facts, graph=rows))
        return self._lexicon.own, self._history(commit)

    def _history(self, commit: str) -> MemoryTable:
        rows = {}
        for step in islice(kept_commits(self.repository, commit), COMMITS):
            if step not in self._touches:
                self._touches[step] = touch_row(self.repository, step)
            rows[step.commit] = self._touches[step]
        return MemoryTable(rows)


def measure(issue: Mapping[str, Any], project: Project) -> Measured:
    """Return all signals of one issue."""
    tables = project.advance(issue["base_commit"])
    began = time.process_time()
    evidence = Evidence(*tables, read_issue(issue["problem_statement"]))
    signals = evidence.signals()
    ranking.rank_functions(evidence, ranking.weigh(signals))
    seconds = time.process_time() - began
    tree = project.repository[issue["base_commit"]].peel(pygit2.Commit).tree
    return Measured(
        id=issue["instance_id"],
        paths=evidence.paths,
        signals=signals,
        functions=function_signals(evidence, range(len(evidence.paths))),
        baselines={setup: bm25(evidence, *setup) for setup in GRID},
        files=issue["files"],
        answer=list(changed_functions(issue["patch"], tree)),
        chronorepo=issue["chronorepo_ranks"],
        text_kind=kind_of_text(evidence),
        seconds=seconds,
    )


def bm25(evidence: Evidence, k1: float, b: float, name: float, path: float) -> Scores:
    """Return plain BM25 of whole files, with a weight for names and for the path."""
    units, files = evidence.units, len(evidence.paths)
    factor = np.where(units.is_path, path, name)
    size = factor * units.lexicon.names + units.lexicon.rest
    length = units.sum_by_file(size, np.arange(len(size)))
    length = length / max(float(length.mean()), 1e-9)
    total = np.zeros(files)
    terms = terms_of(f"{evidence.text.title}\n{evidence.text.body}")
    for term, count in terms.items():
        found, counts = units.lexicon.find(term)
        tf = units.sum_by_file(factor[found] * counts.names + counts.rest, found)
        having = int(np.count_nonzero(tf))
        if having:
            rarity = np.log(1 + (files - having + 0.5) / (having + 0.5))
            gain = tf * (k1 + 1) / (tf + k1 * (1 - b + b * length))
            total += 2 * count / (count + 1) * rarity * gain
    return total


def kind_of_text(evidence: Evidence) -> str:
    """Return what an issue's text offers, the most telling first."""
    signals = evidence.signals()
    if signals["frame"].any():
        return "a traceback into the project"
    if signals["named"].any():
        return "a path of the project"
    if evidence.text.code:
        return "code, no path"
    return "prose only"


_HUNK = re.compile(r"@@ -(\d+)")


def changed_functions(patch: str, tree: pygit2.Tree) -> Iterator[str]:
    """Yield the functions and classes that hold a changed or removed line.

    Where a fix only adds lines, those that it adds them to.
    """
    lines: dict[str, set[tuple[int, int]]] = defaultdict(set)
    path, number = "", 0
    for line in patch.splitlines():
        if line.startswith("--- "):
            path = line.removeprefix("--- a/") if line.startswith("--- a/") else ""
        elif found := _HUNK.match(line):
            number = int(found[1])
        elif path and line.startswith("-"):
            lines[path].add((number, number))
            number += 1
        elif path and line.startswith("+") and not line.startswith("+++"):
            lines[path].add((number - 1, number))
        elif line.startswith(" "):
            number += 1
    for path, changed in lines.items():
        spans = list(_spans(ast.parse(tree[path].data)))
        removed = {span for span in changed if span[0] == span[1]}
        for chosen in (removed, changed - removed):
            found = _innermost(spans, chosen)
            yield from (f"{path}::{qual}" for qual in sorted(found))
            if found:
                break


def _innermost(
    spans: Sequence[tuple[int, int, str]], lines: Iterable[tuple[int, int]]
) -> set[str]:
    found = set()
    for first, last in lines:
        around = [one for one in spans if one[0] <= first and last <= one[1]]
        if around:
            found.add(max(around)[2])
    return found


def _spans(node: ast.AST, outer: str = "") -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            qual = f"{outer}{child.name}"
            first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
            yield first, child.end_lineno or first, qual
            if isinstance(child, ast.ClassDef):
                yield from _spans(child, f"{qual}.")
        else:
            yield from _spans(child, outer)


# --------------------------------------------------------------- what was measured


def save(measured: Measured, path: Path) -> None:
    """Write what was measured: arrays and JSON, no pickle."""
    facts = {
        "id": measured.id,
        "paths": measured.paths,
        "signals": list(measured.signals),
        "ids": measured.functions.ids,
        "function_signals": list(measured.functions.signals),
        "files": measured.files,
        "answer": measured.answer,
        "chronorepo": measured.chronorepo,
        "text_kind": measured.text_kind,
        "seconds": measured.seconds,
    }
    np.savez_compressed(
        path,
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
        signals=np.stack(list(measured.signals.values())),
        owners=np.array(measured.functions.files, np.int32),
        functions=np.stack(list(measured.functions.signals.values())),
        baselines=np.stack([measured.baselines[setup] for setup in GRID]),
    )


def load(path: Path) -> Measured:
    """Return what was measured of one issue."""
    with np.load(path) as stored:
        facts = json.loads(stored["facts"].tobytes())
        signals = dict(zip(facts.pop("signals"), stored["signals"], strict=True))
        names, columns = facts.pop("function_signals"), stored["functions"]
        functions = FunctionSignals(
            facts.pop("ids"),
            stored["owners"].tolist(),
            dict(zip(names, columns, strict=True)),
        )
        baselines = dict(zip(GRID, stored["baselines"], strict=True))
    return Measured(signals=signals, functions=functions, baselines=baselines, **facts)


def measure_all(data: Path, mirrors: Path, cache: Path) -> Iterator[Measured]:
    """Yield what is known of each issue; measure what the cache folder lacks."""
    issues = [json.loads(line) for line in data.read_text("utf-8").splitlines()]
    by_repository: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for issue in issues:
        by_repository[issue["repo"]].append(issue)
    for name, those in sorted(by_repository.items(), key=lambda item: len(item[1])):
        folder = mirrors / name.replace("/", "+")
        folder = next((f for f in (folder / "repo", folder) if f.is_dir()), None)
        if folder is None:
            print(f"no history of {name} in {mirrors}: left out", file=sys.stderr)
            continue
        yield from _measure_project(folder, those, cache)


def _measure_project(
    folder: Path, issues: list[dict[str, Any]], cache: Path
) -> Iterator[Measured]:
    project = Project(folder)

    def commit_time(issue: Mapping[str, Any]) -> int:
        commit = project.repository[issue["base_commit"]].peel(pygit2.Commit)
        return int(commit.commit_time)

    for issue in sorted(issues, key=commit_time):
        path = cache / f"{issue['instance_id']}.npz"
        if not path.exists():
            save(measure(issue, project), path)
            print(issue["instance_id"], file=sys.stderr)
        yield load(path)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/localisation"))
    parser.add_argument("--fit", action="store_true", help="fit the weights again")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    found = list(measure_all(options.data, options.mirrors, options.cache))
    print(len(found))


if __name__ == "__main__":
    main()
