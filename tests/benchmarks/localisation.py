"""Localisation: from the text of a public issue to the files that its fix touched.

    python -m tests.benchmarks.localisation DATA MIRRORS [--cache FOLDER] [--fit]

DATA is a file of JSON lines (`instance_id`, `repo`, `base_commit`,
`problem_statement`, `patch`, `files`, and `chronorepo_ranks`: 1-based ranks by another
method). MIRRORS holds a clone of each repository as OWNER+NAME, with its history.
Nothing of either is kept, but what was measured of each issue, in the cache folder.

Ranking reads no edge of the graph but imports, so calls are left out of the facts that
the graph is made from: following values through all of sympy takes minutes a commit.

Runs the functions of the rules (facts, graph, lexicon, touches) over tables in memory,
from issue to issue in the order of their commits, so a project is parsed once and then
brought up to date. Tests are left out of the tables: ranking leaves them out as well.

Half of the issues, by a hash of their ids, were there for tuning (`--fit` fits the
weights to them); no weight is fitted to the other half. Strict Acc@k: all files, or
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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pygit2
from numpy.typing import NDArray

from repobuild.code.facts.element_row import pack_row, row_of
from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import graph
from repobuild.code.scan.file_roles import is_test
from repobuild.git.commit_diffs import kept_commits
from repobuild.git.snapshot import at_commit
from repobuild.locate import ranking
from repobuild.locate.evidence import Evidence
from repobuild.locate.issue_text import read_issue
from repobuild.locate.lexicon import Lexicon, lexicon
from repobuild.locate.ranked_files import RankedProject, Scores
from repobuild.locate.ranking import (
    FILE_WEIGHTS,
    FUNCTION_WEIGHTS,
    FunctionSignals,
    function_signals,
)
from repobuild.locate.touches import PastCommits, touch_row
from repobuild.locate.words import terms_of
from tests.benchmarks import table
from tests.fakes import MemoryTable, MemoryView

ScoreFiles = Callable[["Measured"], Scores]

COMMITS = 500  # the default of locate.commits
HALVES = ("tuning", "untouched")
NEVER = 10**6  # the rank of what was not found
# Grid of the baseline: the best of it on the tuning half is "BM25".
GRID = [
    (k1, b, name, path)
    for k1 in (1.2, 10.0, 20.0, 40.0)
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
        self._bare: dict[str, Any] = {}
        self._touches: dict[str, Any] = {}

    def advance(self, commit: str) -> tuple[MemoryTable, MemoryTable]:
        """Return the tables `lexicon` and `touches` at a commit."""
        files, facts, known = {}, {}, {}
        bare = {}  # facts without calls, by blob
        for path, (blob, mode) in at_commit(self.repository, commit).files():
            if not path.endswith(".py") or is_test(path) or mode == 0o120000:
                continue
            files[path] = {"blob": blob, "mode": mode, "language": "python"}
            row = known.get(blob) or self._facts.get(blob)
            if row is None:
                row = facts_of(self._lexicon.blobs[blob], "python")
            known[blob] = facts[path] = row
            bare[blob] = bare.get(blob) or self._bare.get(blob) or without_calls(row)
        self._facts, self._bare = known, bare
        uncalled = {path: bare[str(files[path]["blob"])] for path in facts}
        graph(self._graph.advance(files=files, facts=uncalled))
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


def without_calls(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a file with all that imports are found by, and no calls."""
    kept = {name: row[name] for name in row if name not in ("reads", "flow", "strings")}
    kept["calls"] = [one for one in row.get("calls", ()) if "namespace" in one[0]]
    kept["elements"] = [
        pack_row(
            one._replace(
                calls=[],
                reads=[],
                flow=[],
                bases=[],
                decorators=[],
                vars={name: to for name, to in one.vars.items() if name == "return"},
            )
        )
        for one in map(row_of, row.get("elements", ()))
    ]
    return kept


def measure(issue: Mapping[str, Any], project: Project) -> Measured:
    """Return all signals of one issue."""
    tables = project.advance(issue["base_commit"])
    began = time.process_time()
    table, touches = tables
    text = read_issue(issue["problem_statement"])
    project_at = RankedProject(Lexicon(table), PastCommits.of(touches))
    evidence = Evidence(project_at, text)
    signals = evidence.signals()
    ranking.rank_functions(evidence, ranking.weigh(signals), 10)
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
    units, files = evidence.files, len(evidence.paths)
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
    if evidence.framed().any():
        return "a traceback into the project"
    if evidence.named().any():
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


# ------------------------------------------------------------------- ranks and tables


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ranks of an issue's answers, 1-based; ties count against us."""

    half: str
    ranks: tuple[int, ...]

    @classmethod
    def of(
        cls, issue: Measured, names: Sequence[str], scores: Scores, answer: list[str]
    ) -> Ranks:
        known = {name: n for n, name in enumerate(names)}
        ranks = tuple(
            int((scores >= scores[known[one]]).sum()) if one in known else NEVER
            for one in answer
        )
        return cls(issue.half, ranks)


def file_ranks(issues: Sequence[Measured], score: ScoreFiles) -> list[Ranks]:
    return [Ranks.of(one, one.paths, score(one), one.files) for one in issues]


def function_ranks(
    issues: Sequence[Measured], score: Callable[[Measured], Scores]
) -> list[Ranks]:
    """Return the ranks of functions, of the issues whose answer has any."""
    return [
        Ranks.of(one, one.functions.ids, score(one), one.answer)
        for one in issues
        if one.answer
    ]


def score_ours(issue: Measured) -> Scores:
    return ranking.weigh(issue.signals)


def score_functions(issue: Measured) -> Scores:
    """Return our score of each function, of the files that are read for it only."""
    scores = score_ours(issue)
    read = np.zeros(len(scores), np.bool_)
    read[np.argsort(-scores, kind="stable")[: ranking.FILES_READ]] = True
    found = ranking.weigh_functions(issue.functions, scores)
    return np.where(read[issue.functions.files], found, -1e9)


def without(name: str) -> ScoreFiles:
    """Return a score that leaves one signal out; the other weights stay."""
    return lambda issue: score_ours(issue) - FILE_WEIGHTS[name] * issue.signals[name]


def best_baseline(issues: Sequence[Measured]) -> tuple[float, ...]:
    """Return the setup of plain BM25 that is best at 5 on the tuning half."""
    tuning = [one for one in issues if one.half == HALVES[0]]

    def quality(setup: tuple[float, ...]) -> tuple[float, float]:
        ranks = file_ranks(tuning, lambda one: one.baselines[setup])
        return accuracy(ranks, 5), reciprocal(ranks)

    return max(GRID, key=quality)


def accuracy(ranks: Sequence[Ranks], k: int, whole: bool = True) -> float:
    """Return the percentage with all (or any) of their answers within the first k."""
    worst = max if whole else min
    return 100 * float(np.mean([worst(one.ranks) <= k for one in ranks]))


def reciprocal(ranks: Sequence[Ranks]) -> float:
    """Return the mean of 1 / the rank of the first answer."""
    return float(np.mean([1 / min(one.ranks) for one in ranks]))


def cells(ranks: Sequence[Ranks], halves: Sequence[str] = HALVES) -> list[str]:
    """Return accuracy at 1, 5, 10 and MRR of each half."""
    found = []
    for half in halves:
        those = [one for one in ranks if one.half == half]
        found.append(" / ".join(f"{accuracy(those, k):.1f}" for k in (1, 5, 10)))
        found.append(f"{reciprocal(those):.3f}")
    return found


def tables(issues: Sequence[Measured]) -> Iterator[str]:
    """Yield the tables of the page."""
    counts = Counter(one.half for one in issues)
    setup = best_baseline(issues)
    head = [
        cell
        for half in HALVES
        for cell in (f"{half} ({counts[half]}): Acc@1 / 5 / 10", "MRR")
    ]
    chronorepo = [Ranks(one.half, tuple(one.chronorepo or [NEVER])) for one in issues]
    rows = [
        ["ChronoRepo", *cells(chronorepo)],
        [
            f"BM25, {_describe(setup)}",
            *cells(file_ranks(issues, lambda one: one.baselines[setup])),
        ],
        ["`locate`", *cells(file_ranks(issues, score_ours))],
    ]
    yield table.markdown(["files", *head], rows)
    yield _function_table(issues)
    full = file_ranks(issues, score_ours)
    rows = [["all", *cells(full)]]
    rows += [
        [f"without `{name}`", *cells(file_ranks(issues, without(name)))]
        for name in FILE_WEIGHTS
    ]
    yield table.markdown(["signals", *head], rows)
    yield _failures(issues, full, lambda one: one.text_kind, "the text has")
    yield _failures(issues, full, lambda one: one.id.partition("__")[0], "project")
    seconds = sorted(one.seconds for one in issues)
    yield (
        f"CPU time of one query: {1000 * seconds[len(seconds) // 2]:.0f} ms at the "
        f"median, {1000 * seconds[int(0.95 * len(seconds))]:.0f} ms at the 95th "
        "percentile."
    )


def _describe(setup: tuple[float, ...]) -> str:
    k1, b, name, path = setup
    fields = f"names x{name:g}, path x{path:g}" if path else "one field"
    return f"{fields}, k1 {k1:g}, b {b:g}"


def _function_table(issues: Sequence[Measured]) -> str:
    rows = []
    for name, score in (
        ("BM25 of each function", lambda one: one.functions.signals["unit"]),
        ("`locate`", score_functions),
    ):
        ranks = function_ranks(issues, score)
        for half in HALVES:
            those = [one for one in ranks if one.half == half]
            strict, lenient = (
                " / ".join(f"{accuracy(those, k, whole):.1f}" for k in (1, 5, 10))
                for whole in (True, False)
            )
            mrr = f"{reciprocal(those):.3f}"
            rows.append([f"{name}, {half} ({len(those)})", strict, lenient, mrr])
    return table.markdown(
        ["functions", "all: Acc@1 / 5 / 10", "any: Acc@1 / 5 / 10", "MRR"], rows
    )


def _failures(
    issues: Sequence[Measured],
    ranks: Sequence[Ranks],
    kind_of: Callable[[Measured], str],
    title: str,
) -> str:
    """Return how often each kind of issue fails, both halves together."""
    kinds: dict[str, list[Ranks]] = defaultdict(list)
    for one, found in zip(issues, ranks, strict=True):
        kinds[kind_of(one)].append(found)
    rows = [
        [
            kind,
            str(len(those)),
            " / ".join(f"{accuracy(those, k):.1f}" for k in (1, 5, 10)),
            str(sum(max(one.ranks) > 10 for one in those)),
        ]
        for kind, those in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]
    return table.markdown([title, "issues", "Acc@1 / 5 / 10", "beyond 10"], rows)


# --------------------------------------------------------------------------- fitting


def fit(
    cases: Sequence[tuple[NDArray[Any], int]], free: Sequence[bool], ridge: float
) -> list[float]:
    """Return the weights that make the answer of each case likeliest.

    A case is a matrix (candidates, signals) and the row of the answer; the model is the
    softmax of the weighted sum, with a ridge penalty. Only `free` weights may be
    negative.
    """
    weights = np.ones(len(free))
    mean, square = np.zeros(len(free)), np.zeros(len(free))
    for step in range(1, 601):  # Adam
        gradient = ridge * weights
        for matrix, answer in cases:
            scores = matrix @ weights
            odds = np.exp(scores - scores.max())
            gradient = gradient + (odds @ matrix / odds.sum() - matrix[answer]) / len(
                cases
            )
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        size = np.sqrt(square / (1 - 0.99**step)) + 1e-8
        weights = weights - 0.1 * mean / (1 - 0.9**step) / size
        weights = np.where(free, weights, np.maximum(weights, 0))
    return [round(float(weight), 2) for weight in weights]


def fit_files(issues: Sequence[Measured], ridge: float = 0.02) -> dict[str, float]:
    """Return weights of the file signals, fitted to some issues."""
    names = list(FILE_WEIGHTS)
    cases = []
    for one in issues:
        matrix = np.stack([one.signals[name] for name in names], 1)
        cases += [(matrix, one.paths.index(p)) for p in one.files if p in one.paths]
    free = [FILE_WEIGHTS[name] < 0 for name in names]
    return dict(zip(names, fit(cases, free, ridge), strict=True))


def fit_functions(issues: Sequence[Measured], ridge: float = 0.02) -> dict[str, float]:
    """Return weights of the function signals, with the file weights as they are."""
    names = [name for name in FUNCTION_WEIGHTS if name != "file"]
    cases = []
    for one in issues:
        scores = score_ours(one)
        columns = [scores[one.functions.files]]
        columns += [one.functions.signals[name] for name in names]
        read = np.flatnonzero(score_functions(one) > -1e9)
        matrix = np.stack(columns, 1)[read]
        at = {one.functions.ids[n]: row for row, n in enumerate(read.tolist())}
        cases += [(matrix, at[id]) for id in one.answer if id in at]
    free = [False] * (1 + len(names))
    return dict(zip(["file", *names], fit(cases, free, ridge), strict=True))


def cross_validate(issues: Sequence[Measured], folds: int = 6) -> list[Ranks]:
    """Return the ranks of each issue by weights that were fitted without it."""
    found = []
    for fold in range(folds):
        rest = [one for n, one in enumerate(issues) if n % folds != fold]
        weights = fit_files(rest)
        for one in issues[fold::folds]:
            scores = sum(w * one.signals[name] for name, w in weights.items())
            found.append(Ranks.of(one, one.paths, np.asarray(scores), one.files))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/localisation"))
    parser.add_argument("--fit", action="store_true", help="fit the weights again")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    issues = list(measure_all(options.data, options.mirrors, options.cache))
    if options.fit:
        tuning = [one for one in issues if one.half == HALVES[0]]
        print("file weights:", fit_files(tuning))
        print("function weights:", fit_functions(tuning))
        print("cross-validated:", cells(cross_validate(tuning), HALVES[:1]))
        return
    print("\n\n".join(tables(issues)))


if __name__ == "__main__":
    main()
