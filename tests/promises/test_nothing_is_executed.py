"""Nothing of the analysed repository is imported or run, nor can it write anywhere.

But for rules of its own that somebody trusted, and these in the very bytes that were
trusted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAP = "import pathlib\npathlib.Path({marker!r}).touch()\n"
# What the builder or its workers import; each would be found first in this folder.
NAMES = [
    "click.py", "json.py", "msgpack/__init__.py", "joblib/__init__.py", "numpy.py",
    "pygit2.py", "sqlite3.py", "tree_sitter.py", "tree_sitter_python.py",
    "rapidfuzz.py", "cloudpickle.py", "setup.py", "conftest.py", "sitecustomize.py",
    "tempfile.py", "pickle.py",
]  # fmt: skip


def test_a_repository_full_of_traps_is_analysed_and_none_goes_off(repository, tmp_path):
    marker = tmp_path / "sprung"
    trap = TRAP.format(marker=str(marker))
    many = {f"pkg/m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(320)}
    repository.commit({**dict.fromkeys(NAMES, trap), **many})
    done = subprocess.run(
        [sys.executable, "-m", "repobuild", "--until", "dataset", "--jobs", "2"],
        cwd=repository.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not marker.exists()


def test_a_build_changes_nothing_in_the_work_tree_or_in_git(repository):
    repository.commit({"a.py": "def f():\n    return 1\n"})
    (repository.path / "dirty.py").write_text("left = 'alone'\n")

    def everything():
        return {
            path.relative_to(repository.path).as_posix(): path.read_bytes()
            for path in repository.path.rglob("*")
            if path.is_file() and "repobuild" not in path.parts
        }

    before = everything()
    for more in ([], ["--worktree"]):
        subprocess.run(
            [sys.executable, "-m", "repobuild", "--until", "dataset", "-q", *more],
            cwd=repository.path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    assert everything() == before


# ------------------------------------------------------- rules of the repository's own

RULE = 'kind = "map"\nfrom = ["files"]\nreads = ["language"]\n'
HARMLESS = (
    "import json\n\ndef made(row, scope):\n    return {'said': json.dumps(row)}\n"
)
VERBS = [
    ["--until", "dataset"], ["--until", "dataset", "--worktree"], ["status"],
    ["--until", "dataset", "--dry-run"], ["verify"], ["show", "dataset"],
    ["why", "a.py"], ["export", "dataset", "-o", "../out"], ["trust", "--list"],
    ["trust"], ["cache", "gc"], ["log"],
]  # fmt: skip


@pytest.fixture
def trap(tmp_path: Path, monkeypatch) -> tuple[Path, str]:
    """A marker, and Python text that leaves it when it is imported or run."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REPOBUILD_TRUST", raising=False)
    marker = tmp_path / "sprung"
    return marker, TRAP.format(marker=str(marker))


def called(repository, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "repobuild", *arguments],
        cwd=repository.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    return done.returncode


def rules(trap: str) -> dict[str, str]:
    """Rules of every kind that would spring the trap."""
    return {
        "a.py": "def f():\n    return 1\n",
        "rules/one.toml": RULE + 'run = "rules/one.py:made"\n',
        "rules/one.py": trap + HARMLESS,
        "rules/two.toml": RULE + f'command = ["{sys.executable}", "rules/one.py"]\n',
        "rules/three.toml": 'kind = "view"\nfrom = ["one"]\nrun = "rules/one.py:made"',
    }


def test_no_verb_runs_an_untrusted_rule(repository, trap):
    marker, text = trap
    repository.commit(rules(text))
    for verb in VERBS:
        called(repository, *verb)
        assert not marker.exists(), verb
    assert called(repository, "trust", "--yes") == 0
    assert not marker.exists()  # to trust is not to run
    called(repository, "--until", "one")
    assert marker.exists()  # and the trap is one


def test_a_pull_request_that_changes_a_trusted_rule_is_not_run(repository, trap):
    marker, text = trap
    start = {**rules(""), "rules/two.toml": None, "rules/three.toml": None}
    repository.commit({name: data for name, data in start.items() if data})
    assert called(repository, "trust", "--yes") == 0
    assert called(repository, "--until", "dataset") == 0
    repository.commit({"rules/one.py": text + HARMLESS})
    for verb in VERBS:
        called(repository, *verb)
        assert not marker.exists(), verb
    assert called(repository, "--until", "one") == 2


def test_a_trusted_rule_runs_as_it_was_committed_and_sees_no_other_file(
    repository, trap
):
    marker, text = trap
    here = {"rules/one.toml": RULE + 'run = "rules/one.py:made"\n'}
    repository.commit(
        {**here, "rules/one.py": HARMLESS, "json.py": text, "rules/json.py": text}
    )
    assert called(repository, "trust", "--yes") == 0
    (repository.path / "rules" / "one.py").write_text(text)
    assert called(repository, "--until", "one") == 0
    assert not marker.exists()
