from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

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


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
