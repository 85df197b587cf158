from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest

from repobuild.cli import progress
from tests.repository import Repository

# A shell starts background jobs with SIGINT ignored, nohup with SIGHUP, and children
# inherit it: under such a CI runner every test of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Neither the settings nor the record of trust of whoever runs the tests is used.
HOME = tempfile.TemporaryDirectory(prefix="repobuild-home-")
os.environ["XDG_CONFIG_HOME"] = f"{HOME.name}/config"
os.environ["XDG_STATE_HOME"] = f"{HOME.name}/state"

# How busy the machine is must not decide what a test reads on stderr.
progress.NAMED_AFTER = progress.SILENT = 600.0


ROOT = Path(__file__).parents[1]
MYPY = pytest.StashKey["subprocess.Popen[bytes]"]()
MYPY_OUTPUT = pytest.StashKey[IO[bytes]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start mypy where it is asked for: 50 s of a core, beside the other tests."""
    if any(item.name == "test_mypy_strict_is_clean" for item in session.items):
        out = tempfile.TemporaryFile()
        command = [sys.executable, "-m", "mypy"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        session.config.stash[MYPY] = process
        session.config.add_cleanup(process.kill)
        session.config.add_cleanup(out.close)
        session.config.stash[MYPY_OUTPUT] = out


@pytest.fixture
def mypy(pytestconfig: pytest.Config) -> tuple[int, str]:
    """Exit code and output of mypy, which has run beside the tests before."""
    code = pytestconfig.stash[MYPY].wait()
    out = pytestconfig.stash[MYPY_OUTPUT]
    out.seek(0)
    return code, out.read().decode()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
