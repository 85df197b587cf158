"""First token and tokens a second of `repobuild serve`, beside the server without us.

    python -m tests.benchmarks.serve --repository DIR [--runs 30] [--quick]

Both servers are that of transformers, on the CPU, with equal weights: ours loads base
and adapter, the other one (`transformers serve`) the model into which both are merged.
They are asked in turn by the `openai` client, 64 tokens an answer whatever they say.
Each computes with one thread: two that wait for each other on a busy machine lose most
of their time (20-fold with a dozen other processes on two cores).
DIR is a repository that has an adapter; then a commit is built, and what a client sees
of it is measured: how long after the build has ended `NAME@latest` is the new adapter,
and the longest answer meanwhile. The commit is made in a copy of DIR.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from openai import OpenAI

from repobuild.model.compute.deepspeed_config import find_free_port
from tests.benchmarks.tool import ENVIRONMENT, git

TOKENS = 64
QUESTION = "In which file is `main` defined?"
GENERATION = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False}


class Timed(NamedTuple):
    """One answer: seconds until its first token, and tokens a second after it."""

    first: float
    rate: float


def is_up(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def server(command: list[str], where: Path, port: int) -> Iterator[OpenAI]:
    """Run a server until the block ends; yield a client when it answers."""
    environment = {**ENVIRONMENT, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        command,
        cwd=where,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
        try:
            for _ in range(600):
                if is_up(port):
                    break
                time.sleep(0.2)
            else:
                raise SystemExit(f"no server answers: {' '.join(command)}")
            yield client
        finally:
            child.terminate()


def ask(client: OpenAI, model: str) -> Timed:
    """Ask once and time what comes."""
    began = time.perf_counter()
    times = []
    asked: Any = [{"role": "user", "content": QUESTION}]
    body = {"generation_config": json.dumps(GENERATION)}
    stream = client.chat.completions.create(
        model=model, messages=asked, stream=True, extra_body=body
    )
    for piece in stream:
        if piece.choices and piece.choices[0].delta.content:
            times.append(time.perf_counter())
    whole = max(times[-1] - times[0], 1e-9)
    return Timed(times[0] - began, (TOKENS - 1) / whole)


def merged_model(where: Path, quick: bool, folder: Path) -> None:
    """Write the model into which base and adapter are merged."""
    from repobuild.checkout import open_checkout
    from repobuild.cli.serve import find_served
    from repobuild.model.merge import merge

    if quick:
        os.environ["REPOBUILD_QUICK"] = "1"
    checkout = open_checkout(where)
    adapter = find_served(checkout)
    folder.mkdir()
    merge(adapter.base, adapter.folder, folder, checkout.settings)


def compare(where: Path, quick: list[str], merged: Path, runs: int) -> None:
    """Print the figures of both servers, asked in turn."""
    ours, theirs = find_free_port(), find_free_port()
    repobuild = [sys.executable, "-P", "-m", "repobuild", *quick, "serve"]
    transformers = str(Path(sys.executable).parent / "transformers")
    plain = [transformers, "serve", str(merged), "--device", "cpu"]
    plain += ["--dtype", "float32"]  # as ours on a CPU
    with (
        server([*repobuild, "--port", str(ours)], where, ours) as mine,
        server([*plain, "--port", str(theirs)], where, theirs) as other,
    ):
        names = [model.id for model in mine.models.list()]
        kinds = {
            "repobuild serve, NAME@latest": (mine, names[0]),
            "repobuild serve, the base": (mine, names[-1]),
            "transformers serve, the merged model": (other, str(merged)),
        }
        times: dict[str, list[Timed]] = {kind: [] for kind in kinds}
        for number in range(runs + 3):
            for kind, (client, model) in kinds.items():
                timed = ask(client, model)
                if number >= 3:  # warm
                    times[kind].append(timed)
    print("| server | first token, median (90th) | tokens/s, median (10th) |")
    print("|---|---|---|")
    for kind, found in times.items():
        first = sorted(one.first * 1000 for one in found)
        rate = sorted(one.rate for one in found)
        print(
            f"| {kind} | {statistics.median(first):.0f} ms "
            f"({first[len(first) * 9 // 10]:.0f}) | {statistics.median(rate):.0f} "
            f"({rate[len(rate) // 10]:.0f}) |"
        )


def follow(where: Path, quick: list[str]) -> None:
    """Print what a client sees of a commit that is built while it asks."""
    port = find_free_port()
    repobuild = [sys.executable, "-P", "-m", "repobuild", *quick]
    with server([*repobuild, "serve", "--port", str(port)], where, port) as client:
        before = [model.id for model in client.models.list()][1]
        (where / "followed.py").write_text('def followed():\n    """Follow."""\n')
        git(where, "add", "-A")
        git(where, "commit", "-qm", "followed")
        ended, answered, moved = 0.0, [], 0.0

        def build() -> None:
            nonlocal ended
            subprocess.run(
                [*repobuild, "build", "--quiet"], cwd=where, env=ENVIRONMENT, check=True
            )
            ended = time.perf_counter()

        thread = threading.Thread(target=build)
        thread.start()
        while not moved:
            began = time.perf_counter()
            ask(client, f"{before.partition('@')[0]}@latest")
            answered.append(time.perf_counter() - began)
            names = [model.id for model in client.models.list()]
            moved = time.perf_counter() if names[1] != before else 0.0
        thread.join()
    wait = max(moved - ended, 0)
    middle = statistics.median(answered)
    print(f"\n{names[0]} became {names[1]} {wait:.1f} s after the build had ended")
    print(
        f"{len(answered)} answers of {TOKENS} tokens beside the build: "
        f"median {middle:.1f} s, at most {max(answered):.1f} s, none failed"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--runs", type=int, default=30)
    options.add_argument("--repository", type=Path, required=True)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    quick = ["--quick"] if chosen.quick else []
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "here"
        shutil.copytree(chosen.repository, where, symlinks=True)
        merged = Path(folder) / "merged"
        merged_model(where, chosen.quick, merged)
        compare(where, quick, merged, chosen.runs)
        follow(where, quick)


if __name__ == "__main__":
    main()
