"""Kill builds at random moments; what the next one ends with must be a clean build's.

    python -m tests.benchmarks.crash [--kills 200] [--seed 1] [--json FILE]

Kinds of build: a first one and an update, both up to `dataset`; a training on top of
them; everything with report and merged model. Each runs with one job or two, and dies
by SIGKILL to the process alone or to its whole group, once or up to three times in a
row: the later kills hit the recovery. A build that was over before its kill came is
counted apart and its kill done again. Then the build is run to its end, and

    digests      of every table, and of the adapter, are those of a build never killed
    training     went on at the checkpoint that the kill left, not at step 0
    left over    no process, no file in tmp/, no *.new, no held lock
    whole        `cache verify` finds nothing; the database is sealed
    git          every file of .git outside the state is as it was; `git fsck` is clean

Prints where the kills came and what became of them; exits with 1 when anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.benchmarks.crash_site import (
    ENVIRONMENT,
    PYTHON,
    TABLES,
    TASKS,
    checkpoint,
    digests,
    events,
    faults,
    finished,
    git_files,
    session,
    templates,
    where,
)  # fmt: skip

GONE_SECONDS = 8.0  # within which what a killed build started must have ended


@dataclass(frozen=True)
class Kind:
    """A build that is killed: from which state, up to where, how often."""

    name: str
    template: str
    goal: str
    weight: int
    wait: str = ""  # event after which the moment is drawn


KINDS = (
    Kind("first", "bare", "dataset", 10),
    Kind("update", "built", "dataset", 10),
    Kind("training", "ready", "adapter", 4, "adapter"),
    Kind("training, start-up too", "ready", "adapter", 1),
    Kind("everything", "ready", "", 2),
)


@dataclass
class Kill:
    """One kill: what died, where, and what became of it."""

    kind: str
    jobs: int
    group: bool
    again: int  # kills before it in the same row
    seconds: float
    where: str
    checkpoint: int  # step that was safe
    faults: list[str] = field(default_factory=list)


@dataclass
class Report:
    kills: list[Kill] = field(default_factory=list)
    over: int = 0


# ------------------------------------------------------------------------- killing


def row_of_kills(
    place: Path, kind: Kind, length: float, chance: random.Random, report: Report
) -> list[Kill]:
    """Kill a build up to three times in a row; none when it was over too soon."""
    kills: list[Kill] = []
    wanted = chance.choice((1, 1, 2, 3))
    jobs, group = chance.choice((1, 2)), chance.random() < 0.5
    while len(kills) < wanted:
        kill = killed(place, kind, jobs, group, chance.uniform(0, length), len(kills))
        if kill is None:
            report.over += 1
            break
        kills.append(kill)
    return kills


def command(kind: Kind, jobs: int) -> list[str]:
    until = ["--until", kind.goal] if kind.goal else []
    return [*PYTHON, "build", "--quiet", f"-j{jobs}", *until]


def killed(
    place: Path, kind: Kind, jobs: int, group: bool, pause: float, again: int
) -> Kill | None:
    before, safe = len(events(place)), checkpoint(place)
    process = subprocess.Popen(
        command(kind, jobs), cwd=place, env=ENVIRONMENT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    await_event(place, process, kind.wait, before)
    with suppress(subprocess.TimeoutExpired):
        process.wait(pause)
    if process.poll() is not None:
        process.communicate()
        return None
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    first = "adapter" if kind.template == "ready" else "files"
    kill = Kill(
        kind.name, jobs, group, again, round(pause, 3), where(place, before, first),
        checkpoint(place),
    )  # fmt: skip
    kill.faults += [f"left {name}" for name in left_running(process.pid)]
    kill.faults += resumed(place, before, safe)
    if kill.checkpoint < safe and not finished(place):
        kill.faults.append(f"the checkpoint of step {safe} is lost")
    return kill


def await_event(
    place: Path, process: subprocess.Popen[bytes], name: str, before: int
) -> None:
    while name and process.poll() is None:
        if any(event["event"] == name for event in events(place)[before:]):
            return
        time.sleep(0.05)


def left_running(number: int) -> list[str]:
    until = time.monotonic() + GONE_SECONDS
    while (found := list(session(number))) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def resumed(place: Path, before: int, safe: int) -> list[str]:
    """Return a fault when a build that got as far as training threw steps away."""
    found = events(place)[before:]
    deciding = [event for event in found if event["event"] == "adapter"]
    steps = [event["step"] for event in found if event["event"] == "resume"]
    trained = any(e["event"] == "table" and e["table"] == "adapter" for e in found)
    if not safe or not (deciding and trained):
        return []
    right = any(step == "written" or int(str(step)) >= safe for step in steps)
    return [] if right else [f"step {safe} was safe, training went on at {steps or 0}"]


# ------------------------------------------------------------------------ checking


def recover(place: Path, kind: Kind, jobs: int) -> list[str]:
    """Run a killed build to its end; return what went wrong."""
    before, safe = len(events(place)), checkpoint(place)
    process = subprocess.run(
        command(kind, jobs), cwd=place, env=ENVIRONMENT, capture_output=True, text=True
    )
    if process.returncode:
        return [f"the next build failed: {process.stderr.strip()}"]
    said = [f"said: {line}" for line in process.stderr.splitlines()]
    return said + resumed(place, before, safe)


# --------------------------------------------------------------------------- report


def measured(home: Path) -> tuple[dict[str, dict[str, str]], dict[str, float]]:
    """Build each kind once without a kill: its digests, and its seconds."""
    wanted, lengths = {}, {}
    for kind in KINDS:
        place = home / "clean"
        shutil.copytree(home / kind.template, place)
        began = time.monotonic()
        process = subprocess.Popen(command(kind, 1), cwd=place, env=ENVIRONMENT)
        await_event(place, process, kind.wait, 0)
        began = time.monotonic() if kind.wait else began
        if process.wait():
            raise SystemExit(f"a build that nobody killed failed: {kind.name}")
        lengths[kind.name] = time.monotonic() - began
        wanted[kind.name] = digests(place)
        shutil.rmtree(place)
    return wanted, lengths


def crash(home: Path, kills: int, seed: int) -> Report:
    templates(home)
    wanted, lengths = measured(home)
    report, chance, place = Report(), random.Random(seed), home / "here"
    while len(report.kills) < kills:
        (kind,) = chance.choices(KINDS, [kind.weight for kind in KINDS])
        shutil.copytree(home / kind.template, place)
        files = git_files(place)
        row = row_of_kills(place, kind, lengths[kind.name], chance, report)
        if row:
            row[-1].faults += recover(place, kind, row[-1].jobs)
            row[-1].faults += faults(place, wanted[kind.name], files)
            report.kills += row
            tell(report, kills, row)
        shutil.rmtree(place)
    return report


def tell(report: Report, kills: int, row: list[Kill]) -> None:
    ends = "; ".join(kill.where for kill in row)
    bad = "; ".join(text for kill in row for text in kill.faults) or "as clean"
    print(f"{len(report.kills):>4}/{kills}  {row[0].kind}: {ends}: {bad}", flush=True)


def table(report: Report) -> str:
    """Return the kills by place: how many, of which in a recovery, and the outcome."""
    places = sorted({kill.where for kill in report.kills}, key=_order)
    lines = ["| killed in | kills | in a recovery | -j2 | only the parent | faults |"]
    lines.append("|---|---|---|---|---|---|")
    for name in places:
        here = [kill for kill in report.kills if kill.where == name]
        cells = Counter(again=sum(k.again > 0 for k in here))
        cells["two"] = sum(k.jobs == 2 for k in here)
        cells["alone"] = sum(not k.group for k in here)
        cells["bad"] = sum(bool(k.faults) for k in here)
        lines.append(
            f"| {name} | {len(here)} | {cells['again']} | {cells['two']} "
            f"| {cells['alone']} | {cells['bad'] or 'none'} |"
        )
    bad = sum(bool(k.faults) for k in report.kills)
    lines.append(f"\n{len(report.kills)} kills, {bad} with a fault; ")
    lines[-1] += f"{report.over} builds were over before their kill came"
    return "\n".join(lines)


def _order(name: str) -> tuple[int, str]:
    order = ["start-up", *TABLES, *TASKS, "closing"]
    return order.index(name.partition(",")[0]), name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="repobuild-crash-") as name:
        report = crash(Path(name), options.kills, options.seed)
    print(table(report), f"in {(time.monotonic() - began) / 60:.1f} min")
    if options.json:
        facts = {"version": 1, "seed": options.seed, **asdict(report)}
        options.json.write_text(json.dumps(facts, indent=1))
    return int(any(kill.faults for kill in report.kills))


if __name__ == "__main__":
    sys.exit(main())
