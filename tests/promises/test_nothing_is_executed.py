"""Nothing of the analysed repository is imported or run, nor can it write anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
