from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.repository import Repository

# A shell starts background jobs with SIGINT ignored, nohup with SIGHUP, and children
# inherit it: under such a CI runner every test of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
