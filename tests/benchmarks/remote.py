"""What a shared cache saves and costs, and what a build does when it is not well.

    python -m tests.benchmarks.remote [--repository PATH] [--faults]

Without `--faults`: a clean build of the repository's HEAD up to `dataset`, then push
and pull by a folder, HTTP, S3 (moto), and SFTP (asyncssh) on this machine: seconds,
bytes, requests, beside building. Then the same for one more commit.

With `--faults`: a fresh clone is built while the remote is well, absent, slow, wrong,
half written, expired, unsigned, and while others write it. All servers run here, so the
network's own delay is not in the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.table import markdown
from tests.benchmarks.tool import ENVIRONMENT, ROOT, git
from tests.remote.servers import http_server, s3_server, sftp_server, silent_port

GOAL = "dataset"
GOALS = {"REPOBUILD_BUILD_GOALS": f'["{GOAL}"]'}


@dataclass
class Place:
    """Folders of one run; its key signs, unless another is given."""

    folder: Path
    source: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("config", "state", "home"):
            (self.folder / name).mkdir(exist_ok=True)
        self.variables |= {
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "HOME": str(self.folder / "home"),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def clone(self, name: str) -> Path:
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", self.source, target], check=True)
        return target

    def run(self, where: Path, *arguments: str, **variables: str) -> Ran:
        """Run repobuild; the seconds are those of the whole process."""
        began, used = time.perf_counter(), processor_seconds()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "repobuild", *arguments],
            cwd=where, env={**ENVIRONMENT, **self.variables, **variables},
            capture_output=True, text=True,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        assert "Traceback" not in done.stderr, done.stderr
        facts = json.loads(done.stdout) if "--json" in arguments else {}
        used = processor_seconds() - used
        return Ran(done.returncode, seconds, used, facts, done.stderr)

    def build(self, where: Path, url: str = "", **variables: str) -> Ran:
        given = {"REPOBUILD_CACHE_REMOTE": url} if url else {}
        return self.run(where, "--until", GOAL, "--json", **given, **variables)

    def push(self, where: Path, url: str, **variables: str) -> Ran:
        given = {"REPOBUILD_CACHE_REMOTE": url, **GOALS, **variables}
        return self.run(where, "cache", "push", "--json", **given)


@dataclass(frozen=True)
class Ran:
    code: int
    seconds: float
    used: float  # seconds of processors, workers included
    facts: dict[str, Any]
    messages: str

    @property
    def remote(self) -> dict[str, Any]:
        return dict(self.facts.get("remote", self.facts))

    @property
    def computed(self) -> int:
        """Rows of maps and views that were computed."""
        tables = self.facts["tables"]
        sources = {"files", "commits", "past_commits", "reviews", "own_questions"}
        return sum(t["built"] for name, t in tables.items() if name not in sources)


def processor_seconds() -> float:
    """Return what all ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# -------------------------------------------------------------------------- the remotes


@contextmanager
def remotes(place: Place) -> Iterator[dict[str, str]]:
    """Yield the URL of each kind of remote; HTTP serves the folder."""
    home = Path(place.variables["HOME"])
    with ExitStack() as stack:
        endpoint = stack.enter_context(s3_server())
        place.variables["AWS_ENDPOINT_URL"] = endpoint
        os.environ |= {k: v for k, v in place.variables.items() if "AWS" in k}
        import boto3

        boto3.client("s3").create_bucket(Bucket="team")
        served = place.folder / "served"
        sftp = stack.enter_context(sftp_server(place.folder / "sftp", home))
        yield {
            "folder": str(served),
            "http": stack.enter_context(http_server(served)).url,
            "s3": "s3://team/cache",
            "sftp": f"{sftp}/cache",
        }


def megabytes(count: float) -> str:
    return f"{count / 1e6:.1f} MB"


def measure(place: Place) -> None:
    """Print push and pull by each remote, beside building, for HEAD and one commit."""
    place.variables["REPOBUILD_CACHE_TIMEOUT"] = "60"  # moto on a busy machine
    origin = place.clone("origin")
    rows = [cells("build, no remote", place.build(origin))]
    with remotes(place) as urls:
        for kind, url in urls.items():
            if kind != "http":
                pushed = place.push(origin, url)
                rows.append(cells(f"push, {kind}", pushed, pushed.remote["pushed"]))
            pulled = place.build(place.clone("pulled"), url)
            assert not pulled.computed, pulled.messages
            rows.append(cells(f"build, {kind}", pulled))
        change(origin)
        rows.append(cells("one commit more: build", place.build(origin)))
        pushed = place.push(origin, urls["folder"])
        rows.append(cells("push, folder", pushed, pushed.remote["pushed"]))
    head = ("up to dataset", "seconds", "processors", "bytes", "requests", "waited")
    print(markdown(head, rows))


def cells(what: str, ran: Ran, pushed: dict[str, Any] | None = None) -> list[str]:
    if not ran.remote.get("url"):
        return [what, f"{ran.seconds:.1f}", f"{ran.used:.1f} s", "", "", ""]
    moved = pushed["bytes"] if pushed else ran.remote["bytes"]
    waited = f"{ran.remote['seconds']:.1f} s"
    requests = str(ran.remote["requests"])
    times = f"{ran.seconds:.1f}", f"{ran.used:.1f} s"
    return [what, *times, megabytes(moved), requests, waited]


def change(where: Path) -> None:
    """Commit one more function in one file."""
    path = min(where.rglob("*.py"), key=lambda p: (-p.stat().st_size, str(p)))
    text = (
        path.read_text()
        + '\n\ndef one_more(x):\n    """Return more."""\n    return x\n'
    )
    path.write_text(text)
    git(where, "commit", "-qam", "one")


# --------------------------------------------------------------------------- the faults


def spoil(change: Callable[[bytes], bytes], part: str) -> Callable[[Path], None]:
    """Return a function that changes every file of a remote whose path has a part."""

    def run(remote: Path) -> None:
        for path in remote.rglob("*"):
            if path.is_file() and f"/{part}/" in str(path.relative_to(remote)):
                path.write_bytes(change(path.read_bytes()))

    return run


FILES = {
    "wrong bytes in every object": spoil(
        lambda d: d[:-1] + bytes([d[-1] ^ 1]), "objects"
    ),
    "every object half uploaded": spoil(lambda d: d[: len(d) // 2], "objects"),
    "every entry cut off": spoil(lambda d: d[: len(d) // 2], "entries"),
    "unsigned entries": spoil(lambda d: d.partition(b"\n")[2], "entries"),
}
SERVER = {
    "answers 500": "error",
    "answers 503 to every fourth request": "sometimes",
    "answers 403": "denied",
    "accepts, and says nothing": "stall",
    "a byte every 0.1 s": "trickle",
    "an endless body": "endless",
    "hangs up half way": "short",
}


def measure_faults(place: Place) -> None:
    """Print what a build of a fresh clone does with each fault."""
    origin = place.clone("origin")
    place.build(place.clone("warm-up"))
    alone = place.build(origin)
    whole = place.folder / "whole"
    place.push(origin, str(whole))
    rows = [["no remote", f"{alone.seconds:.1f}", f"{alone.used:.1f}", "", "", ""]]

    def row(fault: str, ran: Ran) -> None:
        assert ran.code == 0, ran.messages
        same = _tables(ran) == _tables(alone)
        assert same, fault
        refused = "; ".join(f"{n} {why}" for why, n in ran.remote["refused"].items())
        down = ran.remote["down"].split(":")[0].split(" host")[0]
        said = f"given up: {down}" if down else refused or "used"
        taken = f"{ran.remote['rows']:,}"
        waited = f"{ran.remote['seconds']:.1f}"
        times = f"{ran.seconds:.1f}", f"{ran.used:.1f}"
        rows.append([fault, *times, waited, taken, said])

    with http_server(whole) as server:
        row("none", place.build(place.clone("clone"), server.url))
        for fault, name in SERVER.items():
            server.fault, server.asked = name, 0
            row(fault, place.build(place.clone("clone"), server.url))
    row("nobody listens", place.build(place.clone("clone"), "http://127.0.0.1:9"))
    with silent_port() as port:
        url = f"sftp://127.0.0.1:{port}/x"
        row("SFTP that says nothing", place.build(place.clone("clone"), url))
    for fault, ruin in FILES.items():
        ruined = place.folder / "ruined"
        shutil.copytree(whole, ruined)
        ruin(ruined)
        row(fault, place.build(place.clone("clone"), str(ruined)))
        shutil.rmtree(ruined)
    expired = place.folder / "expired"
    push_expired(place, origin, expired)
    row("expired signatures", place.build(place.clone("clone"), str(expired)))
    stranger = {"REPOBUILD_CACHE_KEY": "ed25519-secret:" + "c" * 43 + "="}
    other = place.folder / "other"
    place.push(origin, str(other), **stranger)
    row("a stranger's signatures", place.build(place.clone("clone"), str(other)))
    row("four writers at once", build_amid_writers(place, origin))
    head = ("fault", "build, s", "processors, s", "waited, s", "rows taken", "outcome")
    print(markdown(head, rows))


def _tables(ran: Ran) -> dict[str, int]:
    """Return how many rows each table has, whoever made them."""
    return {
        name: table["built"] + table["memo"] + table["unchanged"]
        for name, table in ran.facts["tables"].items()
    }


def push_expired(place: Place, origin: Path, remote: Path) -> None:
    """Push with a clock of a year ago."""
    code = (
        "import sys, time\n"
        "now = time.time\n"
        "time.time = lambda: now() - 365 * 86_400\n"
        "from repobuild.remote import shared_cache\n"
        "init = shared_cache.SharedCache.__init__\n"
        "def late(self, *a, **k):\n"
        "    init(self, *a, **k); self.clock = time.time\n"
        "shared_cache.SharedCache.__init__ = late\n"
        "from repobuild.cli.main import run\n"
        "sys.exit(run(['cache', 'push']))\n"
    )
    variables = {"REPOBUILD_CACHE_REMOTE": str(remote), **GOALS}
    subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=origin, check=True,
        env={**ENVIRONMENT, **place.variables, **variables}, capture_output=True,
    )  # fmt: skip


def build_amid_writers(place: Place, origin: Path) -> Ran:
    """Build a fresh clone after four processes pushed at the same time."""
    busy = place.folder / "busy"
    variables = {"REPOBUILD_CACHE_REMOTE": str(busy), **GOALS}
    writers = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "repobuild", "cache", "push"], cwd=origin,
            env={**ENVIRONMENT, **place.variables, **variables},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]  # fmt: skip
    for writer in writers:
        assert writer.wait() == 0
    return place.build(place.clone("clone"), str(busy))


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--repository", type=Path, default=ROOT)
    options.add_argument("--faults", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="repobuild-remote-") as name:
        place = Place(Path(name), given.repository)
        place.run(place.folder, "cache", "key")
        (measure_faults if given.faults else measure)(place)


if __name__ == "__main__":
    main()
