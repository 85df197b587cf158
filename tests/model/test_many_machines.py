"""Training on two hosts equals training in two processes of one, bit for bit.

The hosts are two network namespaces of this machine: each has a loopback device and one
end of a cable, so that processes in one reach the other by its address only. DeepSpeed
starts the processes with pdsh and ssh; stand-ins for these two enter the namespaces,
with no more of the environment than ssh would hand over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from repobuild.model.adapter.training_run import StepReport
from repobuild.model.base import Base
from repobuild.model.compute.launch import launch
from tests.model.test_nano import make_base
from tests.model.test_train import digest, job

pytestmark = pytest.mark.slow
DEVICE = "rb0"
PDSH = """#!{python}
import os, subprocess, sys
words = sys.argv[sys.argv.index("-w") + 1:]
hosts, command = words[0].split(","), " ".join(words[1:])
running = []
for number, host in enumerate(hosts):
    words = ["ssh", host, command.replace("%n", str(number))]
    running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
for host, process in zip(hosts, running):
    for line in process.stdout:
        print(f"{{host}}: {{line}}", end="", flush=True)
sys.exit(max(process.wait() for process in running))
"""
SSH = """#!{python}
import os, sys
words = sys.argv[1:]
while words[0] == "-o":
    words = words[2:]
names = {names!r}
os.environ.clear()
os.environ.update(PATH={path!r}, HOME={home!r})
enter = ["ip", "netns", "exec", names[words[0]], "sh", "-c", " ".join(words[1:])]
os.execvp("ip", enter)
"""


@dataclass(frozen=True)
class Hosts:
    """Two namespaces by address, and a folder with programs that enter them."""

    namespaces: dict[str, str]
    programs: Path

    @property
    def hostfile(self) -> str:
        return "".join(f"{address} slots=1\n" for address in self.namespaces)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    if os.getuid() or not shutil.which("ip"):
        pytest.skip("only root may make network namespaces, with iproute2")
    names = [f"repobuild{os.getpid()}{end}" for end in "ab"]
    addresses = ["10.77.0.1", "10.77.0.2"]
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        remove(names)
        pytest.skip(f"network namespaces cannot be made here: {error.stderr!r}")
    try:
        ends = [f"veth{os.getpid() % 10**6}{end}" for end in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for name, end, address in zip(names, ends, addresses, strict=True):
            ip("link", "set", end, "netns", name, "name", DEVICE)
            ip("-n", name, "addr", "add", f"{address}/24", "dev", DEVICE)
            ip("-n", name, "link", "set", DEVICE, "up")
        by_address = dict(zip(addresses, names, strict=True))
        yield Hosts(by_address, write_programs(tmp_path / "programs", by_address))
    finally:
        remove(names)


def remove(names: list[str]) -> None:
    for name in names:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def write_programs(folder: Path, names: dict[str, str]) -> Path:
    folder.mkdir()
    values = {
        "python": sys.executable,
        "names": names,
        "path": os.environ["PATH"],
        "home": str(folder),
    }
    for name, text in (("pdsh", PDSH), ("ssh", SSH)):
        (folder / name).write_text(text.format(**values))
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


def test_two_hosts_train_the_same_bytes_as_two_processes_of_one(
    base: Base, hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = job(base, tmp_path / "here"), job(base, tmp_path / "there")
    launch(here, 2, "", lambda told: None)
    (tmp_path / "hosts").write_text(hosts.hostfile)
    monkeypatch.setenv("PATH", f"{hosts.programs}:{os.environ['PATH']}")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", DEVICE)
    steps: list[StepReport] = []
    launch(there, 2, str(tmp_path / "hosts"), steps.append)
    assert digest(there.scratch) == digest(here.scratch)
    assert [told.step for told in steps] == list(range(1, len(steps) + 1)) and steps
    # The cable was used: neither process could reach the other by a loopback device.
    assert all(sent(name) > 100_000 for name in hosts.namespaces.values())


def sent(namespace: str) -> int:
    """Return how many bytes a namespace has sent to the other."""
    path = f"/sys/class/net/{DEVICE}/statistics/tx_bytes"
    command = ["ip", "netns", "exec", namespace, "cat", path]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)
