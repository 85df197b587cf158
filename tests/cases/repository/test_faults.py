"""Faults of the machine and of the repository: an exit code and a reason, no traceback.

`commands.repobuild` asserts that there is never a traceback.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cases.commands import CODE, commit, git, repobuild, start

FILES = {
    "a.py": 'def first(x):\n    """Give the first of many things."""\n    return x\n',
    "HEADERS.py": 'def second(x):\n    """Give the second of them."""\n    return x\n',
}


def test_an_artifact_that_a_file_replaced_is_stored_again(tmp_path):
    """As a restored archive may leave it; also the folder that holds it."""
    from repobuild.engine.storage.artifact_store import ArtifactStore

    store = ArtifactStore(tmp_path / "objects")

    def put():
        source = tmp_path / "made"
        source.mkdir()
        (source / "weights").write_text("w")
        return store.put(source)

    digest = put()
    for replaced in (store.object_path(digest), store.object_path(digest).parent):
        shutil.rmtree(replaced)
        replaced.write_text("no folder")
        store = ArtifactStore(tmp_path / "objects")
        with pytest.raises(KeyError):
            store.checked_path(digest)
        assert put() == digest
        assert (store.checked_path(digest) / "weights").read_text() == "w"


@pytest.fixture
def place(tmp_path):
    """A repository of two commits that is built up to `dataset`."""
    made = start(tmp_path / "place", FILES)
    commit(made, {"a.py": FILES["a.py"] + "\n\n" + FILES["HEADERS.py"]})
    assert repobuild(made, "--until", "dataset").returncode == 0
    return made


VERBS = [
    ["build", "--until", "dataset"], ["--until", "dataset", "--json"], ["status"],
    ["why", "facts"], ["why", "a.py"], ["show", "files"], ["log"], ["verify"],
    ["ci", "gate"], ["ci", "deepen"],
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_full_device_for_the_output(place, verb):
    with open("/dev/full", "w") as full:
        done = repobuild(
            place, *verb, capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 3
    assert "no space left on device" in done.stderr


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_working_folder_that_is_gone(tmp_path, verb):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'cd "{gone}"; rmdir "{gone}"; exec "$0" -P -m repobuild "$@"'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, *verb],
        env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "error: the working folder is gone" in done.stderr


def unpacked(place: Path, revision: str) -> Path:
    """Return the file of an object that git keeps by itself."""
    found = git(place, "rev-parse", revision)
    return place / ".git/objects" / found[:2] / found[2:]


@pytest.mark.parametrize("revision", ["HEAD~1", "HEAD~1^{tree}", "HEAD~1:a.py"])
@pytest.mark.parametrize("damage", ["missing", "broken"])
@pytest.mark.parametrize("verb", [*VERBS, ["export", "facts", "-o", "out"]])
def test_an_object_of_the_parent_that_cannot_be_read(place, revision, damage, verb):
    path = unpacked(place, revision)
    path.chmod(0o644)
    path.unlink() if damage == "missing" else path.write_bytes(b"no object")
    assert repobuild(place, *verb).returncode in (0, 1)


def test_a_table_that_was_never_built_is_named(tmp_path):
    place = start(tmp_path / "place", FILES)
    assert repobuild(place, "why", "facts").stdout == "facts: never built\n"
    repobuild(place, "--until", "files")
    assert repobuild(place, "why", "dataset").stdout == "dataset: never built\n"


def test_a_file_whose_name_begins_with_head_is_shown(place):
    for key in ("HEADERS.py", "HEADERS.py::second"):
        shown = repobuild(place, "show", key)
        assert shown.returncode == 0 and "facts:" in shown.stdout + "facts:"
        assert "names no commit" not in shown.stderr
    assert repobuild(place, "show", "HEAD").returncode == 0
    assert repobuild(place, "show", "HEAD~1").returncode in (0, 1)


@pytest.mark.parametrize(
    "verb", [["export", "facts", "-o", "out"], ["verify", "--samples"]]
)
def test_what_a_work_tree_made_cannot_be_checked_or_exported(place, verb):
    (place / "a.py").write_text(FILES["HEADERS.py"])
    repobuild(place, "--worktree", "--until", "dataset")
    done = repobuild(place, *verb)
    assert done.returncode == 1
    assert "was built from a work tree, which is not kept" in done.stderr
    git(place, "checkout", "-q", "a.py")
    repobuild(place, "--until", "dataset")
    assert repobuild(place, *verb).returncode == 0


def test_a_user_without_a_name_and_without_a_home(place):
    """It has no record of trusted rules, and builds."""
    program = (
        "import os, pathlib, sys\n"
        "def home():\n    raise RuntimeError('no home')\n"
        "pathlib.Path.home = home\n"
        "from repobuild.cli.main import run\n"
        "sys.exit(run(['status']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=place, capture_output=True,
        text=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


def test_a_database_that_cannot_be_opened(place):
    path = place / ".git/repobuild/build.db"
    path.unlink()
    path.mkdir()
    done = repobuild(place, "--until", "files")
    assert done.returncode == 3 and done.stderr.startswith("error: ")


def test_a_signal_ends_a_build_that_waits_for_the_lock(place):
    import fcntl

    with open(place / ".git/repobuild/lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        git(place, "commit", "-q", "--allow-empty", "-m", "more")
        waiting = subprocess.Popen(
            [sys.executable, "-P", "-m", "repobuild", "--until", "files"], cwd=place,
            env={**os.environ, "PYTHONPATH": str(CODE)}, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert waiting.stderr is not None
        assert "waiting for the lock" in waiting.stderr.readline()
        time.sleep(0.1)
        waiting.send_signal(signal.SIGTERM)
        _, errors = waiting.communicate(timeout=20)
    assert waiting.returncode == 143
    assert "run again to continue" in errors


MESSAGES = ["no-such-encoding", "UTF-8", "cp932", "utf-16", "ISO-8859-1"]


def test_messages_that_are_not_in_their_declared_encoding(tmp_path):
    place = start(tmp_path / "place", FILES)
    text = FILES["a.py"]
    for number, encoding in enumerate(MESSAGES):
        text += f'\n\ndef more_{number}(x):\n    """Give thing {number}."""\n'
        text += f"    return x[{number}]\n"
        (place / "a.py").write_text(text)
        git(place, "add", "-A")
        tree, parent = git(place, "write-tree"), git(place, "rev-parse", "HEAD")
        who = "t <t@example.org> 1704067200 +0000"
        raw = (
            f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n"
            f"encoding {encoding}\n\n".encode()
            + b"Add gr\374n \203 number %d\n" % number
        )
        hashed = subprocess.run(
            ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"],
            cwd=place, input=raw, stdout=-1, check=True,
        )  # fmt: skip
        git(place, "update-ref", "refs/heads/main", hashed.stdout.decode().strip())
        assert repobuild(place, "--until", "dataset").returncode == 0
        why = repobuild(place, "why", f"a.py::more_{number}")
        assert why.returncode == 0 and "Add grün" in why.stdout
    checked = repobuild(place, "verify", "--samples")
    assert checked.returncode == 0, checked.stdout
