"""Elements, edges and problems that are found in folders of source, by language.

    python -m tests.benchmarks.languages FOLDER [FOLDER ...]

Each folder is a repository of its own. Every file of a language with a grammar is read
and linked in this process, as a clean build does. Printed is a row a language: files,
the share of them without a syntax error, elements by kind, edges by kind (calls: those
that samples tell, 0.5 and surer), calls as written that mean nothing in the repository
or cannot be told, and seconds of CPU time. Where Universal Ctags is installed, a second
table holds its definitions (by file and name) against ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from repobuild.code.facts.element_row import name_of
from repobuild.code.facts.parse import facts_of, reason_left_out
from repobuild.code.graph.graph import graph
from repobuild.code.scan.language import all_languages, language_of
from tests.fakes import MemoryView

KINDS = ("function", "method", "class")
EDGES = ("contains", "imports", "inherits", "calls")
SURE = 0.5
# What Universal Ctags calls what a query file defines.
CTAGS = {
    "C": "function struct union enum",
    "C++": "function class struct union enum",
    "Go": "func struct interface type methodSpec",
    "Java": "class interface enum method annotation",
    "JavaScript": "function generator class method",
    "Rust": "function method struct enum interface macro",
    "TypeScript": "function generator class interface enum method",
}
Count = Counter[str]
Names = dict[str, Counter[tuple[str, str]]]  # language -> (path, name), each once


def shown(language: str) -> str:
    """Return the language that a row is under: TSX is TypeScript."""
    return all_languages()[language].part_of or language


class Folder:
    """One repository, read and linked."""

    def __init__(self, folder: Path, counts: dict[str, Count], names: Names) -> None:
        self.folder = folder
        self.counts = counts
        self.names = names
        self.languages = tuple(
            n for n, found in all_languages().items() if not found.always
        )
        self.facts: dict[str, Any] = {}
        self.files: dict[str, Any] = {}

    def read(self) -> None:
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            name = path.relative_to(self.folder).as_posix()
            language = language_of(name, self.languages, ())
            if language:
                self._read(name, language, path.read_bytes())
        self._link()

    def _read(self, name: str, language: str, blob: bytes) -> None:
        if reason_left_out(blob, language):
            self.counts[shown(language)]["left out"] += 1
            return
        start = time.process_time()
        facts = self.facts[name] = facts_of(blob, language)
        self.files[name] = {"blob": name, "mode": 0o100644, "language": language}
        count = self.counts[shown(language)]
        count["seconds"] += round(1e6 * (time.process_time() - start))
        problem = facts.get("problem", "")
        count["files"] += 1
        count["clean"] += not problem
        if problem:
            print(f"{name}: {problem}", file=sys.stderr)
        for item in facts.get("elements", ()):
            count[item[1]] += 1
            self.names[shown(language)][f"{self.folder}/{name}", name_of(item[0])] = 1

    def _link(self) -> None:
        start = time.process_time()
        view = MemoryView({"project.name": ""})
        view.advance(files=self.files, facts=self.facts)
        graph(view)
        spent = time.process_time() - start
        total = sum(facts.get("lines", 0) for facts in self.facts.values()) or 1
        for name, facts in self.facts.items():
            count = self.counts[shown(facts["language"])]
            count["seconds"] += round(1e6 * spent * facts.get("lines", 0) / total)
            self._edges(view.own.get(name) or {}, count)
            count["calls written"] += _written(facts)

    def _edges(self, row: dict[str, Any], count: Count) -> None:
        callers = set()
        for sub, item in row.items():
            edge = sub.partition(" ")[2]
            if edge and (item["confidence"] >= SURE or not edge.startswith("calls ")):
                count[edge.partition(" ")[0]] += 1
            if edge.startswith("calls "):
                name = name_of(edge.rpartition("::")[2])
                callers.add((sub.partition(" ")[0], name))
        count["calls meant"] += len(callers)


def _written(facts: dict[str, Any]) -> int:
    """Return how many different names are called, element by element."""
    calls = len(facts.get("calls", ()))
    return calls + sum(len(item[15]) for item in facts.get("elements", ()) if item[15:])


def ctags(folder: str, names: Names) -> None:
    """Count the definitions that Universal Ctags finds."""
    command = ["ctags", "-R", "--output-format=json", "--fields=+lK", "-f", "-", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        # Who has no name is given one by ctags, and is no element here.
        if tag["name"].lower().startswith(("anonymous", "__anon")):
            continue
        if tag.get("kind") in CTAGS.get(tag.get("language", ""), "").split():
            language = {"C++": "cpp"}.get(tag["language"], tag["language"].lower())
            names[language][
                tag["path"], tag["name"].replace("operator ", "operator")
            ] = 1


def table(columns: list[str], rows: list[list[str]]) -> None:
    print("|", " | ".join(columns), "|")
    print("|---" + "|---:" * (len(columns) - 1) + "|")
    for row in rows:
        print("|", " | ".join(row), "|")
    print()


def row(language: str, count: Count) -> list[str]:
    clean = f"{100 * count['clean'] / max(count['files'], 1):.1f} %"
    numbers = [f"{count[name]:,}" for name in (*KINDS, *EDGES)]
    unresolved = f"{count['calls written'] - count['calls meant']:,}"
    seconds = f"{count['seconds'] / 1e6:.2f}"
    left = str(count["left out"])
    return [language, f"{count['files']:,}", left, clean, *numbers, unresolved, seconds]


def agreement(language: str, ours: Names, theirs: Names) -> list[str]:
    mine, other = ours[language], theirs[language]
    same = {path for path, _ in mine} | {path for path, _ in other}
    both = sum((mine & other).values())
    numbers = [both, (mine - other).total(), (other - mine).total()]
    share = f"{100 * both / max(other.total(), 1):.1f} %"
    return [language, str(len(same)), *(f"{number:,}" for number in numbers), share]


def main() -> None:
    folders = sys.argv[1:]
    counts: dict[str, Count] = defaultdict(Counter)
    ours: Names = defaultdict(Counter)
    for folder in folders:
        Folder(Path(folder), counts, ours).read()
    wanted = [n for n in counts if all_languages()[n].links]
    columns = ["language", "files", "left out", "without error"]
    columns += [*KINDS, *EDGES, "calls to elsewhere", "seconds"]
    table(columns, [row(language, counts[language]) for language in sorted(wanted)])
    if not shutil.which("ctags"):
        return
    theirs: Names = defaultdict(Counter)
    for folder in folders:
        ctags(folder, theirs)
    columns = ["language", "files", "both", "only repobuild", "only ctags", "of ctags'"]
    table(columns, [agreement(found, ours, theirs) for found in sorted(wanted)])


if __name__ == "__main__":
    main()
