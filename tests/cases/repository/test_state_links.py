"""A state that came with an archive reaches nothing outside of its folder.

Every file and folder of ours is replaced by a link to a victim, as an unpacked archive
or a restored cache may hold it, and each verb is run. The victim stays as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from repobuild import noop_cache
from repobuild.cli.main import run
from repobuild.engine.state_files import refuse_links, remove_links
from repobuild.errors import UsageError
from tests.repository import Repository

SOURCE = (
    '"""Flat."""\n\n\ndef area(width):\n    """Return the area."""\n    return %d\n'
)
DIGEST = "cd" * 31
FILES = (
    "lock", "events.jsonl", "events.jsonl.new", "current", "current.new", "build.db",
    "build.db-wal", "build.db-shm", "build.db.seal", "build.db.seal.new",
    "failure.txt", "tmp/note", f"objects/ab/{DIGEST}.rows",
    f"objects/ab/{DIGEST}.rows.new", f"objects/ab/{DIGEST}/repobuild.json",
)  # fmt: skip
FOLDERS = (
    "", "tmp", "tmp/worktree", "tmp/adapter-0123", "objects", "objects/ab",
    f"objects/ab/{DIGEST}", f"objects/ab/{DIGEST}.bad", "logs", "logs/adapter",
    "logs/adapter/0123",
)  # fmt: skip
VERBS = (
    ["build", "--until", "graph"],
    ["build", "--until", "graph", "--worktree"],
    ["status"],
    ["status", "--json"],
    ["why", "flat.py"],
    ["show", "flat.py"],
    ["log"],
    ["verify"],
    ["cache", "gc"],
    ["cache", "stats"],
    ["cache", "verify"],
    ["ci", "gate"],
    ["ci", "summary", "--base", "HEAD"],
    ["publish", "out"],
)


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    """A repository that is built, and a commit that is not."""
    repository.commit({"flat.py": SOURCE % 1})
    monkeypatch.chdir(repository.path)
    assert run(["build", "--until", "graph", "--quiet"]) == 0
    repository.commit({"flat.py": SOURCE % 2})
    return repository


def state_of(repository: Repository) -> Path:
    return repository.path / ".git" / "repobuild"


def put_link(place: Path, target: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder with its bytes; None for a folder."""
    return {
        path.relative_to(folder).as_posix(): None
        if path.is_dir()
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    (folder / "inner").mkdir(parents=True)
    for name in ("letter.txt", "inner/deep.txt", "adapter-0123", "build.db", "lock"):
        (folder / name).write_text(f"precious {name}\n" * 3)
    return folder


def check_verbs(repository: Repository, folder: Path, capfd) -> None:
    """Run every verb; each refuses in three lines, and the victim is unchanged."""
    before = contents(folder)
    for verb in VERBS:
        capfd.readouterr()
        assert run(list(verb)) == 2, verb
        error = capfd.readouterr().err
        assert "is a symbolic link" in error, verb
        assert "remove it (`rm " in error
        assert contents(folder) == before, verb
    noop_cache.answer("graph")
    assert contents(folder) == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_state_that_is_a_link_is_refused(
    here: Repository, tmp_path: Path, capfd, name: str
) -> None:
    folder = victim(tmp_path)
    put_link(state_of(here) / name, folder / "letter.txt")
    check_verbs(here, folder, capfd)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_the_state_that_is_a_link_is_refused(
    here: Repository, tmp_path: Path, capfd, name: str
) -> None:
    folder = victim(tmp_path)
    put_link(state_of(here) / name, folder)
    check_verbs(here, folder, capfd)


def test_a_dangling_link_makes_no_file(here: Repository, tmp_path: Path, capfd) -> None:
    for name in FILES:
        kept = contents(state_of(here)).get(name)
        put_link(state_of(here) / name, tmp_path / "nothing")
        assert run(["build", "--until", "graph"]) == 2, name
        assert not (tmp_path / "nothing").exists()
        (state_of(here) / name).unlink()
        if kept is not None:
            (state_of(here) / name).write_bytes(kept)


def test_after_the_link_is_removed_the_build_goes_on(
    here: Repository, tmp_path
) -> None:
    put_link(state_of(here) / "tmp", victim(tmp_path))
    assert run(["build", "--until", "graph"]) == 2
    (state_of(here) / "tmp").unlink()
    assert run(["build", "--until", "graph"]) == 0


def test_a_pipe_in_the_state_does_not_wait(here: Repository) -> None:
    for name in ("current", "events.jsonl", "lock"):
        (state_of(here) / name).unlink(missing_ok=True)
        os.mkfifo(state_of(here) / name)
        assert noop_cache.answer("graph") is None
        assert run(["build", "--until", "graph"]) == 2
        (state_of(here) / name).unlink()


def test_links_in_work_in_progress_are_removed_and_not_followed(
    here: Repository, tmp_path: Path
) -> None:
    """A program of a user rule may leave some behind when it is killed."""
    folder = victim(tmp_path)
    before = contents(folder)
    put_link(state_of(here) / "tmp/command-1/link", folder)
    put_link(state_of(here) / "tmp/adapter-1/scratch/job.json", folder / "letter.txt")
    assert run(["build", "--until", "graph"]) == 0
    assert contents(folder) == before
    assert not (state_of(here) / "tmp/command-1").exists()
    assert not (state_of(here) / "tmp/adapter-1/scratch/job.json").is_symlink()


def test_a_copied_file_of_the_work_tree_replaces_a_link(
    here: Repository, tmp_path: Path
) -> None:
    folder = victim(tmp_path)
    before = contents(folder)
    (here.path / "flat.py").write_text(SOURCE % 3)
    blob = str(here.git.create_blob((SOURCE % 3).encode()))
    for name in (blob, f"{blob}.new"):
        put_link(state_of(here) / "tmp/worktree" / name, folder / "letter.txt")
    assert run(["build", "--worktree", "--dry-run"]) == 0
    assert contents(folder) == before
    assert (state_of(here) / "tmp/worktree" / blob).read_text() == SOURCE % 3


def test_links_of_a_curve_writer_are_no_fault(tmp_path: Path) -> None:
    """Weights & Biases makes `latest-run` in its folder, three levels down."""
    put_link(tmp_path / "state/logs/adapter/run/wandb/latest-run", tmp_path / "x")
    refuse_links(tmp_path / "state")
    remove_links(tmp_path / "state/logs/adapter/run")
    assert not (tmp_path / "state/logs/adapter/run/wandb/latest-run").is_symlink()


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: os.symlink("/nowhere", path)], ids=("pipe", "link")
)
def test_the_refusal_names_the_entry(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "objects/ab").mkdir(parents=True)
    make(tmp_path / "objects/ab/odd")
    with pytest.raises(UsageError, match="objects/ab/odd"):
        refuse_links(tmp_path)
