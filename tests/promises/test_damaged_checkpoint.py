"""A training that was cut off goes on from a whole checkpoint, or from the start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repobuild.model.adapter.checkpoint import read_checkpoint_state
from repobuild.model.adapter.train import train
from repobuild.model.base import Base
from repobuild.model.compute.launch import process_environment
from tests.benchmarks.crash_site import session
from tests.model.test_nano import make_base
from tests.model.test_train import Killed, digest, job, killed_at


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def whole(base: Base, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = job(base, tmp_path_factory.mktemp("whole"), passes=3.0)
    train(made)
    return digest(made.scratch)


def steps_of(made: object) -> list[int]:
    steps: list[int] = []
    train(made, lambda told: steps.append(told.step))
    return steps


@pytest.mark.parametrize(
    "name", ["adapter_model.safetensors", "rank0.safetensors", "state.json"]
)
@pytest.mark.parametrize("how", ["cut", "flipped", "removed", "empty"])
def test_a_damaged_checkpoint_is_not_trained_on(base, whole, tmp_path, name, how):
    made = job(base, tmp_path, passes=3.0)
    with pytest.raises(Killed):
        train(made, killed_at(7))
    assert read_checkpoint_state(tmp_path, made.digest)
    damage(tmp_path / "checkpoint" / name, how)
    assert read_checkpoint_state(tmp_path, made.digest) is None
    assert steps_of(made)[0] == 1
    assert digest(tmp_path) == whole


def test_no_changed_digit_of_the_state_passes(base, tmp_path):
    """JSON with another digit is JSON still: another box of a fact, another loss."""
    made = job(base, tmp_path, passes=3.0)
    with pytest.raises(Killed):
        train(made, killed_at(4))
    state = tmp_path / "checkpoint/state.json"
    text = state.read_text()
    digits = [n for n, character in enumerate(text) if character.isdigit()]
    for place in digits[:: max(1, len(digits) // 200)]:
        other = "1" if text[place] == "7" else "7"
        state.write_text(text[:place] + other + text[place + 1 :])
        assert read_checkpoint_state(tmp_path, made.digest) is None, place
    state.write_text(text)
    assert read_checkpoint_state(tmp_path, made.digest)


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    if how == "removed":
        path.unlink()
    elif how == "flipped":
        path.write_bytes(data)
    else:
        os.truncate(path, len(data) // 2 if how == "cut" else 0)


def test_a_kill_between_two_checkpoints_leaves_the_older_one(base, whole, tmp_path):
    made = job(base, tmp_path, passes=3.0)
    with pytest.raises(Killed):
        train(made, killed_at(7))
    place = tmp_path / "checkpoint"
    shutil.copytree(place, tmp_path / "checkpoint.new")
    place.rename(tmp_path / "checkpoint.old")
    assert steps_of(made)[0] == 7
    assert digest(tmp_path) == whole


@pytest.mark.slow
def test_a_launched_training_ends_with_a_builder_that_was_killed(base, tmp_path):
    """It would go on writing where the next build's training writes."""
    made = job(base, tmp_path, passes=400.0)
    code = (
        "import sys; from pathlib import Path\n"
        "from repobuild.model.compute.launch import launch\n"
        "from repobuild.model.adapter.recipe import TrainingJob as Job\n"
        "launch(Job.read(Path(sys.argv[1])), 2, '', lambda told: print(*told))"
    )
    made.write()
    for number in (signal.SIGKILL, signal.SIGINT):
        builder = subprocess.Popen(
            [sys.executable, "-u", "-c", code, str(tmp_path)], text=True,
            env=process_environment(1), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert builder.stdout is not None
        builder.stdout.readline()
        trainers = trainers_of(builder.pid)
        assert len(trainers) == 3  # torchrun and two
        builder.send_signal(number)
        builder.communicate()
        until = time.monotonic() + 30
        while any(map(alive, trainers)):
            assert time.monotonic() < until, list(session(builder.pid))
            time.sleep(0.1)


def trainers_of(builder: int) -> list[int]:
    found, new = [], [builder]
    while new:
        shown = subprocess.run(
            ["pgrep", "-P", ",".join(map(str, new))], capture_output=True, text=True
        )
        new = [int(line) for line in shown.stdout.split()]
        found += new
    return found


def alive(process: int) -> bool:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
