"""Hosts are names and addresses, and nothing is read from the working folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.compute.launch import (
    launcher_command,
    process_environment,
    read_hosts,
)


def hosts(tmp_path: Path, text: str) -> dict[str, int]:
    (tmp_path / "hosts").write_text(text)
    return read_hosts(tmp_path / "hosts")


def test_names_and_addresses_are_hosts(tmp_path):
    text = (
        "# two cards\nnode-1 slots=2\n\nb.example.org slots=8 # fast\n10.0.0.1 slots=1"
    )
    found = {"node-1": 2, "b.example.org": 8, "10.0.0.1": 1, "::1": 4}
    assert hosts(tmp_path, text + "\n::1\tslots=4") == found


@pytest.mark.parametrize(
    "line",
    [
        "-oProxyCommand=id slots=1", "-oProxyCommand=id${IFS}x slots=1", "- slots=1",
        "a;id slots=1", "a,b slots=1", "$(id) slots=1", "`id` slots=1", "a|b slots=1",
        "user@host slots=1", "host:22 slots=1", "ssh://host slots=1", "a..b slots=1",
        ".a slots=1", "a- slots=1", "a_b slots=1", "fe80::1%eth0 slots=1",
        "fe80::1%$(id) slots=1", "hôst slots=1", "a" * 64 + " slots=1",
        ".".join(["a" * 60] * 5) + " slots=1", "node", "node slots=0", "node slots=-1",
        "node slots=1025", "node slots=99999999", "node slots=1 -x", "node slots=x",
        "node slots =1", "node -o slots=1", "first slots=2", "\0 slots=1", "a\x1bb",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_line(tmp_path, line):
    with pytest.raises(UsageError, match="line 2 of host file") as error:
        hosts(tmp_path, f"first slots=1\n{line}\n")
    assert all(c.isprintable() or c == "\n" for c in str(error.value))


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_a_file_without_hosts_is_refused(tmp_path, text):
    with pytest.raises(UsageError, match="names no host"):
        hosts(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_hosts(tmp_path / "none")


def test_relative_folders_leave_the_path_of_modules(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "lib", "/absolute"]))
    found = process_environment(1)["PYTHONPATH"].split(os.pathsep)
    assert found[1:] == ["/absolute"]
    assert os.path.isabs(found[0])


def test_the_runner_starts_in_its_own_folder_with_checked_names(tmp_path, monkeypatch):
    """A fake ssh writes how it was called; the working folder is a trap."""
    trap = tmp_path / "repository"
    trap.mkdir()
    (trap / ".deepspeed_env").write_text("TRAP=1\n")
    (trap / "deepspeed.py").write_text("open('sprung', 'w')\n")
    (tmp_path / "bin").mkdir()
    for name in ("ssh", "pdsh"):
        fake = tmp_path / "bin" / name
        fake.write_text(
            f'#!/bin/sh\n(echo "$@"; pwd; env) >> {tmp_path}/{name}\necho 10.0.0.1\n'
        )
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as repobuild/__main__.py sets it
    monkeypatch.chdir(trap)
    (tmp_path / "hosts").write_text("node-1 slots=1\nnode-2 slots=1\n")
    job: Any = SimpleNamespace(scratch=tmp_path / "scratch")
    command = launcher_command(job, 1, str(tmp_path / "hosts"))
    environment = process_environment(1)
    subprocess.run(command, cwd=job.scratch, env=environment, capture_output=True)
    asked = (tmp_path / "ssh").read_text()
    assert "node-1 hostname" in asked
    assert f"\n{job.scratch}\n" in asked
    started = (tmp_path / "pdsh").read_text()
    assert "-w node-1,node-2" in started
    assert "TRAP" not in asked + started
    assert str(trap) not in asked + started
    assert not (trap / "sprung").exists()
