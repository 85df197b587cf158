"""The house style is checked like everything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [("check", "."), ("format", "--check", ".")])
def test_ruff_is_clean(arguments):
    done = run("ruff", *arguments)
    assert done.returncode == 0, done.stdout


def test_mypy_strict_is_clean():
    done = run("mypy")
    assert done.returncode == 0, done.stdout


def test_every_setting_is_documented():
    import tomllib

    from repobuild.settings import flatten

    defaults = flatten(tomllib.loads((ROOT / "configs/defaults.toml").read_text()))
    page = (ROOT / "docs/configuration.md").read_text()
    assert [name for name in defaults if f"`{name}`" not in page] == []


def test_every_verb_has_a_page():
    from repobuild.cli.main import VERBS

    pages = {path.stem for path in (ROOT / "docs/verbs").glob("*.md")}
    assert pages == set(VERBS)


def test_every_dependency_has_its_reason():
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs/dependencies.md").read_text()
    names = [re.match(r"[\w-]+", d)[0] for d in project["dependencies"]]
    assert [name for name in names if name not in page] == []


def test_every_dependency_is_pinned():
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [d for e in project["optional-dependencies"].values() for d in e]
    pinned = (ROOT / "constraints.txt").read_text().lower()
    for dependency in [*project["dependencies"], *extras]:
        name = re.match(r"[\w-]+", dependency)[0].lower()
        # an extra may take in another of our own
        assert name == "repobuild" or f"\n{name}==" in pinned, name
