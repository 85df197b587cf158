"""Walk a history and hold every incremental build against a clean one.

    python -m tests.benchmarks.replay REPOSITORY [--commits 300] [--every 1]
        [--goal dataset] [--json FILE]

Walks the last N first-parent commits, oldest first, in one state.

Sufficiency: at every k-th commit, and at the last, a clean build is made beside it and
every table digest compared.

Minimality, at every commit and from the event log:

    a table none of whose inputs changed has no event
    computed of `facts` = the pairs of blob and language that this replay never saw
    computed of `samples` = the contexts that it never saw
    built of `files`, `graph`, `contexts`, `dataset` = the rows whose digest changed

CPU is that of this process, with one job. A step is a share of the last clean build
before it or at its commit; the bar is for the last 200 commits. Clean builds take
nearly all the time: `--every 10` for a first look. Everything is printed as it is
found; the exit status is 1 when anything differed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2

from repobuild.engine.digest import pack
from repobuild.engine.rule import Rule, closure
from repobuild.git.ancestors import first_parents
from repobuild.git.snapshot import at_commit
from tests.standard import Standard

_TOLD_EVERY = 10
_RECENT = 200  # commits that the bar of 99 % is for


@dataclass
class Figures:
    """What a replay found: seconds of CPU, sizes in bytes."""

    repository: str
    commits: int = 0
    compared: int = 0
    differing: list[str] = field(default_factory=list)
    superfluous: list[str] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    cleans: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    parsed: list[float] = field(default_factory=list)  # shares of the sources' bytes
    state: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)

    def step(self, seconds: float) -> None:
        self.steps.append(seconds)
        self.shares.append(seconds / self.cleans[-1])

    def summary(self) -> dict[str, Any]:
        return {
            "repository": self.repository,
            "commits": self.commits,
            "compared": self.compared,
            "differing": self.differing,
            "superfluous": self.superfluous,
            "step_median_seconds": statistics.median(self.steps),
            "step_p90_seconds": percentile(self.steps, 0.9),
            "clean_median_seconds": statistics.median(self.cleans),
            "saved_median": 1 - statistics.median(self.shares[-_RECENT:]),
            "saved_p90": 1 - percentile(self.shares[-_RECENT:], 0.9),
            "parsed_median": statistics.median(self.parsed[-_RECENT:]),
            "state_bytes": self.state,
            "source_bytes": self.sources,
        }


class Memory:
    """What the state held and computed, so that nothing is done twice or in vain."""

    def __init__(self, standard: Standard) -> None:
        self._standard = standard
        self._rules = [standard.rules[n] for n in closure(standard.rules, ["dataset"])]
        self._rows = self._now()
        self._seen: dict[str, set[Any]] = {r.name: set() for r in self._rules}
        for rule in self._maps():
            self._seen[rule.name] |= self._reads(rule, self._rows[rule.inputs[0]])

    def superfluous(self) -> Iterator[str]:
        """Yield what the last build did and need not have done."""
        before, self._rows = self._rows, self._now()
        events = self._standard.events()
        for rule in self._rules:
            event = events.get(rule.name)
            was, now = before[rule.name], self._rows[rule.name]
            idle = all(before[name] == self._rows[name] for name in rule.inputs)
            if event and rule.inputs and idle:
                yield f"{rule.name}: an event, though no input changed"
            if rule.kind != "map":
                changed = {key for key in now if was.get(key) != now[key]}
                if set(event["built"] if event else ()) != changed:
                    yield f"{rule.name}: not those built that changed: {event}"
        for rule in self._maps():
            yield from self._computed(rule, events.get(rule.name))

    def _computed(self, rule: Rule, event: dict[str, Any] | None) -> Iterator[str]:
        rows = self._rows[rule.inputs[0]]
        built = {key: rows[key] for key in (event["built"] if event else ())}
        computed, known = self._reads(rule, built), self._seen[rule.name]
        if computed & known:
            yield f"{rule.name}: computed again: {sorted(built)}"
        # What gives nothing is computed, and is in no event: a test has no samples.
        given = {key: rows[key] for key in rows if key in self._rows[rule.name]}
        if not computed | known >= self._reads(rule, given):
            yield f"{rule.name}: not computed, though new"
        known |= computed

    def _maps(self) -> list[Rule]:
        return [rule for rule in self._rules if rule.kind == "map"]

    def _reads(self, rule: Rule, rows: dict[str, bytes]) -> set[Any]:
        """Return what a map's result is a function of, for these input rows."""
        if not rule.reads:
            return set(rows.values())
        table = self._standard.table(rule.inputs[0])
        values = (table.get(key) for key in rows)
        return {pack([value[name] for name in rule.reads]) for value in values}

    def _now(self) -> dict[str, dict[str, bytes]]:
        return {
            rule.name: self._standard.row_digests(rule.name) for rule in self._rules
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--goal", default="dataset")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repobuild-replay-") as name:
        figures = replay(options, Path(name)).summary()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(text(figures))
    return 1 if figures["differing"] or figures["superfluous"] else 0


def replay(options: argparse.Namespace, place: Path) -> Figures:
    repository = pygit2.Repository(str(options.repository))
    commits = history(repository, options.commits)
    figures = Figures(options.repository.name or str(options.repository), len(commits))
    grown = Standard(repository, place / "grown")
    figures.cleans.append(spent(grown, commits[0], options.goal))
    measure(figures, grown)
    memory, sizes = Memory(grown), Sizes()
    for number, commit in enumerate(commits[1:], 1):
        step = spent(grown, commit, options.goal)
        for found in memory.superfluous():
            tell(figures.superfluous, commit, found)
        if number % options.every == 0 or commit == commits[-1]:
            compare(figures, grown, commit, options.goal, place / "clean")
        figures.step(step)
        figures.parsed.append(sizes.parsed(grown) / max(1, sizes.whole(grown)))
        if number % _TOLD_EVERY == 0:
            progress(figures, number)
    measure(figures, grown)
    grown.close()
    return figures


def history(repository: pygit2.Repository, count: int) -> list[str]:
    """Return the last first-parent commits, oldest first, HEAD included."""
    head = at_commit(repository).commit
    return [head, *first_parents(repository, head, count - 1)][::-1]


def spent(standard: Standard, commit: str, goal: str) -> float:
    """Build a commit; return the CPU seconds of this process."""
    began = time.process_time()
    standard.build(goal, at_commit(standard.git, commit), jobs=1)
    return time.process_time() - began


def compare(
    figures: Figures, grown: Standard, commit: str, goal: str, place: Path
) -> None:
    """Build from nothing beside the state; note the tables that differ."""
    clean = Standard(grown.git, place)
    figures.cleans.append(spent(clean, commit, goal))
    figures.compared += 1
    mine, theirs = grown.digests(), clean.digests()
    clean.close()
    shutil.rmtree(place)
    for table in sorted(mine.keys() | theirs.keys()):
        if mine.get(table) != theirs.get(table):
            tell(figures.differing, commit, table)


def measure(figures: Figures, grown: Standard) -> None:
    """Note the sizes of the state and of the files that are analysed."""
    grown.state.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = (path for path in grown.place.rglob("*") if path.is_file())
    figures.state.append(sum(path.stat().st_size for path in files))
    figures.sources.append(Sizes().whole(grown))


class Sizes:
    """Bytes of the files that are analysed; each blob is read once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def whole(self, grown: Standard) -> int:
        return sum(self._size(grown, row) for _, row in grown.table("files").items())

    def parsed(self, grown: Standard) -> int:
        """Return the bytes that the last build read: no step can do less."""
        event = grown.events().get("facts", {"built": []})
        files = grown.table("files")
        return sum(self._size(grown, files.get(key)) for key in event["built"])

    def _size(self, grown: Standard, row: dict[str, Any]) -> int:
        if not row["language"]:
            return 0
        if row["blob"] not in self._known:
            self._known[row["blob"]] = len(grown.git[row["blob"]].data)
        return self._known[row["blob"]]


def tell(found: list[str], commit: str, what: str) -> None:
    found.append(f"{commit[:10]} {what}")
    print(found[-1], flush=True)


def progress(figures: Figures, number: int) -> None:
    differ = len(figures.differing) + len(figures.superfluous)
    print(f"{number}/{figures.commits - 1}, {differ} differ", flush=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def text(figures: dict[str, Any]) -> str:
    recent = min(_RECENT, figures["commits"] - 1)
    ratios = [
        f"{state / max(1, sources):.2f}"
        for state, sources in zip(
            figures["state_bytes"], figures["source_bytes"], strict=True
        )
    ]
    lines = {
        "commits built": figures["commits"],
        "compared clean": figures["compared"],
        "tables that differ": len(figures["differing"]),
        "done in vain": len(figures["superfluous"]),
        "clean build": f"{figures['clean_median_seconds']:.2f} s of CPU, the median",
        "one commit": f"{figures['step_median_seconds'] * 1000:.0f} ms of CPU, p90 "
        f"{figures['step_p90_seconds'] * 1000:.0f} ms",
        "CPU saved": f"{figures['saved_median']:.2%} at the median of the last {recent}"
        f", {figures['saved_p90']:.2%} at p90",
        "bytes parsed": f"{figures['parsed_median']:.2%} of the sources' at the same, "
        "which no step can save",
        "state / sources": f"{ratios[0]} at the start, {ratios[-1]} at the end",
    }
    return "\n".join(f"{name:20}{value}" for name, value in lines.items())


if __name__ == "__main__":
    sys.exit(main())
