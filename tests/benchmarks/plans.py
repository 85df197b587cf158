"""Hold plans against history: do they name the files that adding a sibling touched?

For each commit that added one or two siblings to a family that its parent has, the plan
is made at the parent and its files are compared with those of the commit.

    python -m tests.benchmarks.plans walk LOG REPOSITORY...    appends to LOG; resumable
    python -m tests.benchmarks.plans redo LOG NEW REPOSITORY...    the commits of LOG
    python -m tests.benchmarks.plans table LOG                 the table of the page

`walk` builds `families` in the repositories at commit after commit: use clones. What a
plan names is read from the text of its sample. A file that the plan lets be made counts
by its folder and suffix, a pattern (`tests/test_{name}.py`) by its fixed parts.

precision   share of the named files that the commit touched
recall      share of the touched files that were named
baseline    the file of the sibling with the most similar name (a commit's new file
            counts when that sibling has a file to itself); `+ tests`: and the test
            files that call it
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Container, Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pygit2

from repobuild.checkout import open_checkout
from repobuild.code.changes.additions import additions
from repobuild.code.facts.element_row import name_of
from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import split_id
from repobuild.code.scan.language import language_of
from repobuild.git.commit_diffs import commit_row, kept_commits
from repobuild.samples.contexts.element_view import read_elements
from repobuild.samples.contexts.graph_reader import FileEdgeLists, is_test, read_edges
from repobuild.samples.families.membership import families_of, is_aside
from repobuild.samples.families.plans.plan_samples import plans

_PER_REPOSITORY = 16
_SEARCHED = 1500  # commits along first parents
_MOST_ADDED = 2  # siblings
_MOST_FILES = 15  # of a commit: more is no single addition
LANGUAGES = tuple("python javascript typescript java go rust".split())
_ORDER = ("subclass", "decorated", "modules", "functions")
_SETTINGS = {
    "samples.languages": ["en"],
    "samples.tasks": [],
    "split.generalise": 0.0,
    "split.salt": "1",
}


class _Scope:
    """What `additions` and `plans` read besides their rows."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self.settings = _SETTINGS

    def blob(self, blob_id: str) -> bytes:
        return bytes(self._repository[blob_id].data)


def candidates(
    path: Path, wanted: Container[str] | None = None
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (commit, parent, row of `additions`), newest first, or of some commits."""
    repository = pygit2.Repository(str(path))
    head = str(repository.head.target)
    for number, step in enumerate(kept_commits(repository, head)):
        if number >= _SEARCHED:
            return
        if wanted is not None and step.commit not in wanted:
            continue
        row = commit_row(repository, step)
        if not 0 < len(row["changes"]) <= _MOST_FILES:
            continue
        added = additions(row, _Scope(repository))
        names = {
            file: names for file, names in added["names"].items() if not is_aside(file)
        }
        scope = _Scope(repository)
        blobs = {path: blob for _, _, _, path, blob in row["changes"]}
        if 0 < sum(map(len, names.values())) <= 8 and any(
            _may_be_sibling(file, blobs[file], added, scope) for file in names
        ):
            yield step.commit, row["parent"], {**added, "names": names}


def _may_be_sibling(path: str, blob: str, added: dict[str, Any], scope: _Scope) -> bool:
    """Return whether something new in a file can belong to a family, by its text."""
    language = language_of(path, LANGUAGES, ())
    if not language:
        return False
    elements = read_elements(facts_of(scope.blob(blob), language), path)
    keys = families_of(path, elements, FileEdgeLists())
    names = added["names"][path]
    return any(
        path in added["new"] if not qual else name_of(qual) in names
        for quals in keys.values()
        for qual in quals
    )


def build(place: Path, commit: str) -> None:
    command = [sys.executable, "-P", "-m", "repobuild", "build", "--quiet"]
    command += ["--until", "families", "--commit", commit]
    subprocess.run(command, cwd=place, check=True, capture_output=True)


def added_siblings(added: dict[str, Any]) -> dict[str, list[str]]:
    """Return {family: new ids} of what a commit added, in the built tables."""
    checkout = open_checkout()
    tables = checkout.view(checkout.snapshot(), checkout.state())
    found: dict[str, list[str]] = defaultdict(list)
    for path, names in added["names"].items():
        elements = read_elements(tables.table("facts").get(path), path)
        edges = read_edges(path, tables.table("graph").get(path))
        for key, quals in families_of(path, elements, edges).items():
            for qual in quals:
                new = not qual and path in added["new"]
                if new or (qual and name_of(qual) in names):
                    found[key].append(f"{path}::{qual}" if qual else path)
    return found


def compare(
    siblings: dict[str, list[str]], touched: list[str]
) -> dict[str, Any] | None:
    """Return what plan and baselines name, with the tables built at the parent."""
    checkout = open_checkout()
    tables = checkout.view(checkout.snapshot(), checkout.state())
    known = tables.table("families")
    keys = [
        key for key, new in siblings.items() if len(new) <= _MOST_ADDED and key in known
    ]
    keys.sort(key=lambda key: (_ORDER.index(key.partition("::")[0]), key))
    for key in keys:
        row = known.get(key)
        made = plans(row, _Scope(pygit2.Repository(".")))
        answers = [s["answer"] for k, s in made.items() if ".en.5" in k or ".en.4" in k]
        if not answers:
            continue
        best = max(answers, key=lambda text: len(_named(text, tables)))
        new = siblings[key][0]
        ids = [id for id, *_ in row["siblings"]]
        near = max(ids, key=lambda id: _likeness(id, new))
        path = split_id(near)[0]
        own = sum(split_id(id)[0] == path for id in ids) == 1
        file = _pattern_beside(path) if own else path
        return {
            "family": key,
            "new": siblings[key],
            "touched": touched,
            "plan": _named(best, tables),
            "near": [file],
            "near_tests": [file, *_tests_of(near, tables)],
        }
    return None


def _likeness(id: str, other: str) -> tuple[float, str]:
    names = [name_of(split_id(one)[1]) or one for one in (id, other)]
    return SequenceMatcher(None, *names).ratio(), id


def _tests_of(id: str, tables: Any) -> list[str]:
    graph = tables.table("graph")
    paths = graph.index.find(f"in:calls {id}")
    return sorted(path for path in paths if is_test(path))


def _named(answer: str, tables: Any) -> list[str]:
    """Return the files in an answer's plan, or in its list of files."""
    body = re.split(r"\*\*Plan\*\*:|\*\*Files\*\*", answer)[-1]
    body = body.partition("\n\n**Example**")[0]
    files, found = tables.table("files"), []
    for line in body.split("\n"):
        if not line[:1].isdigit():
            continue
        spans = re.findall(r"`([^`]+)`", line)
        if "a file of its own" in line:
            found.append(_pattern_beside(spans[1]))
            continue
        found += [one for one in spans if "{name}" in one or one in files]
    return list(dict.fromkeys(found))


def _pattern_beside(path: str) -> str:
    """Return the pattern of a new file beside another."""
    folder, slash, file = path.rpartition("/")
    return f"{folder}{slash}{{name}}.{file.rpartition('.')[2]}"


def _matches(named: str, path: str) -> bool:
    pattern = re.escape(named).replace(r"\{name\}", "[^/]+")
    return bool(re.fullmatch(pattern + (".*" if named.endswith("/") else ""), path))


def walk(log: Path, places: list[Path]) -> None:
    """Compare commits of each repository until enough were found."""
    records = read(log)
    seen = {(one["repository"], one["commit"]) for one in records}
    for place in places:
        kept = [r for r in records if r["repository"] == place.name and r.get("family")]
        count = len(kept)
        for commit, parent, added in candidates(place):
            if count >= _PER_REPOSITORY:
                break
            if (place.name, commit) in seen:
                continue
            record = examine(place, commit, parent, added)
            count += "family" in record
            append(log, record)


def redo(log: Path, new: Path, places: list[Path]) -> None:
    """Compare the commits of a log again, as when plans are made in another way."""
    known = {(r["repository"], r["commit"]) for r in read(log) if "family" in r}
    done = {(r["repository"], r["commit"]) for r in read(new)}
    for place in places:
        wanted = {commit for name, commit in known - done if name == place.name}
        for commit, parent, added in candidates(place, wanted):
            append(new, examine(place, commit, parent, added))


def examine(
    place: Path, commit: str, parent: str, added: dict[str, Any]
) -> dict[str, Any]:
    """Return what is found of one commit; with "family" when it added a sibling."""
    record = {"repository": place.name, "commit": commit, "subject": added["subject"]}
    home = Path.cwd()
    try:
        os.chdir(place)
        build(place, commit)
        if siblings := added_siblings(added):
            build(place, parent)
            record |= compare(siblings, added["paths"]) or {}
    except subprocess.CalledProcessError as error:
        record["problem"] = error.stderr.decode()[-300:]
    finally:
        os.chdir(home)
    return record


def append(log: Path, record: dict[str, Any]) -> None:
    with log.open("a") as file:
        file.write(json.dumps(record) + "\n")


def read(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines()]


def score(record: dict[str, Any], name: str) -> tuple[int, int, int, int]:
    """Return the counts (named and touched, named, touched and named, touched)."""
    named, touched = record[name], record["touched"]
    right = sum(any(_matches(one, path) for path in touched) for one in named)
    met = sum(any(_matches(one, path) for one in named) for path in touched)
    return right, len(named), met, len(touched)


def table(log: Path) -> Iterator[str]:
    """Yield the lines of the table: shares are means over commits."""
    records = [record for record in read(log) if "family" in record]
    yield "| repository | commits | plan | nearest sibling | nearest sibling + tests |"
    yield "|---|---|---|---|---|"
    names = sorted({record["repository"] for record in records})
    for name in (*names, ""):
        group = [r for r in records if not name or r["repository"] == name]
        cells = []
        for kind in ("plan", "near", "near_tests"):
            scores = [score(record, kind) for record in group]
            precision = sum(a / b for a, b, _, _ in scores if b) / len(scores)
            recall = sum(c / d for _, _, c, d in scores) / len(scores)
            both = precision + recall
            f1 = 2 * precision * recall / both if both else 0.0
            cells.append(f"{precision:.2f} / {recall:.2f} / {f1:.2f}")
        yield f"| {name or 'all'} | {len(group)} | {' | '.join(cells)} |"


def main() -> None:
    verb, log, *places = sys.argv[1:]
    folders = [Path(place).resolve() for place in places]
    if verb == "walk":
        walk(Path(log), folders)
    elif verb == "redo":
        redo(Path(log), Path(places[0]), folders[1:])
    else:
        print("\n".join(table(Path(log))))


if __name__ == "__main__":
    main()
