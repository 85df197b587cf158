"""Paths, trees and their differences."""

from __future__ import annotations

import subprocess

import pygit2
import pytest

from repobuild.errors import UsageError
from repobuild.git.repository import common_folder, open_repository
from repobuild.git.snapshot import (
    Snapshot,
    at_commit,
    quote,
)
from repobuild.git.worktree import at_worktree
from tests.repository import Repository


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"pkg/mod.py", "pkg/mod.py"),
        ("mödul.py".encode(), "mödul.py"),
        (b"caf\xe9.py", "caf\\xe9.py"),
        (b"back\\slash.py", "back\\\\slash.py"),
        (b"caf\\xe9.py", "caf\\\\xe9.py"),
    ],
)
def test_every_path_has_a_key_of_its_own(raw, key):
    assert quote(raw) == key


def test_the_difference_of_two_trees_is_what_git_says(repository):
    repository.commit({"a.py": "1", "pkg/b.py": "2", "pkg/c.py": "3"})
    old = at_commit(repository.git).tree
    repository.commit({"a.py": None, "pkg/b.py": "two", "new/d.py": "4"})
    snapshot = at_commit(repository.git)
    changes = snapshot.changes(old)
    assert changes["a.py"] is None
    assert set(changes) == {"a.py", "pkg/b.py", "new/d.py"}
    files = dict(snapshot.files())
    assert all(files[k] == e for k, e in changes.items() if e is not None)


def test_a_file_that_becomes_a_folder_is_seen(repository):
    repository.commit({"thing": "1"})
    old = at_commit(repository.git).tree
    repository.commit({"thing": None})
    repository.commit({"thing/inside.py": "2"})
    changes = at_commit(repository.git).changes(old)
    assert changes["thing"] is None and changes["thing/inside.py"] is not None


def test_a_changed_mode_is_a_change(repository):
    repository.commit({"run.py": "1"})
    old = at_commit(repository.git).tree
    (repository.path / "run.py").chmod(0o755)
    repository.git.index.add("run.py")
    repository.commit()
    assert set(at_commit(repository.git).changes(old)) == {"run.py"}


def test_a_rename_is_detected(repository):
    repository.commit({"old.py": "x = 1\n" * 20})
    old = at_commit(repository.git).tree
    repository.move("old.py", "pkg/new.py")
    assert at_commit(repository.git).renames(old) == {"old.py": "pkg/new.py"}


def test_a_tree_deeper_than_python_recurses_is_walked(repository):
    blob = repository.git.create_blob(b"x")
    builder = repository.git.TreeBuilder()
    builder.insert("f.py", blob, 0o100644)
    tree = builder.write()
    for _ in range(1500):
        builder = repository.git.TreeBuilder()
        builder.insert("d", tree, 0o040000)
        tree = builder.write()
    repository.commit({"a.py": "1"})
    snapshot = at_commit(repository.git)
    old, snapshot.tree = snapshot.tree, str(tree)
    assert len(list(snapshot.files())) == 1
    assert len(snapshot.changes(old)) == 2


def test_a_submodule_and_a_link_are_listed_with_their_modes(repository):
    repository.commit({"a.py": "1"})
    commit = repository.git.head.target
    repository.git.index.add(_entry("module", commit, 0o160000))
    link = repository.git.create_blob(b"a.py")
    repository.git.index.add(_entry("link.py", link, 0o120000))
    repository.commit()
    modes = {k: mode for k, (_, mode) in at_commit(repository.git).files()}
    assert modes == {"a.py": 0o100644, "module": 0o160000, "link.py": 0o120000}


def _entry(path, target, mode):
    import pygit2

    return pygit2.IndexEntry(path, target, mode)


def test_a_file_edited_after_the_snapshot_keeps_its_bytes(repository, tmp_path):
    repository.commit({"a.py": "1"})
    (repository.path / "a.py").write_text("2")
    snapshot = at_worktree(repository.git, tmp_path / "copies")
    (repository.path / "a.py").write_text("3")
    (blob, _) = dict(snapshot.files())["a.py"]
    assert snapshot.blob(blob) == b"2"


def test_ignored_files_are_not_part_of_the_work_tree(repository, tmp_path):
    repository.commit({".gitignore": "*.log\n", "a.py": "1"})
    (repository.path / "x.log").write_text("noise")
    snapshot = at_worktree(repository.git, tmp_path / "copies")
    assert [key for key, _ in snapshot.files()] == [".gitignore", "a.py"]


def test_worktrees_share_one_state(repository, tmp_path):
    repository.commit({"a.py": "1"})
    other = tmp_path / "other"
    subprocess.run(
        ["git", "-C", str(repository.path), "worktree", "add", "-q", str(other)],
        check=True,
    )
    assert common_folder(open_repository(other)) == common_folder(repository.git)


def test_outside_of_a_repository_the_message_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="git init"):
        open_repository(tmp_path)


def test_a_repository_without_a_commit_is_refused_kindly(repository):
    with pytest.raises(UsageError, match="no commit yet"):
        at_commit(repository.git)


def test_an_unknown_revision_is_named(repository: Repository):
    repository.commit({"a.py": "1"})
    with pytest.raises(UsageError, match='"v9" names no commit') as refused:
        at_commit(repository.git, "v9")
    assert "shallow" not in str(refused.value)
    with pytest.raises(UsageError, match='did you mean "main"'):
        at_commit(repository.git, "mian")


def test_what_is_no_commit_is_told_for_what_it_is(repository: Repository):
    repository.commit({"a.py": "1"})
    with pytest.raises(UsageError, match='"HEAD:a.py" names a blob, not a commit'):
        at_commit(repository.git, "HEAD:a.py")


def raw_tree(git, *entries):
    """Write a tree object unchecked, such as git itself would never write."""
    data = b"".join(
        mode + b" " + name + b"\0" + blob.raw for mode, name, blob in entries
    )
    return str(git.write(pygit2.enums.ObjectType.TREE, data))


def test_a_difference_applied_to_one_tree_yields_the_files_of_the_other(repository):
    git = repository.git
    one, two = git.create_blob(b"one"), git.create_blob(b"two")
    inner = pygit2.Oid(hex=raw_tree(git, (b"100644", b"x", one)))
    trees = [
        raw_tree(git),
        raw_tree(git, (b"100644", b"a", one)),
        raw_tree(git, (b"100664", b"a", one)),  # a mode that old trees hold
        raw_tree(git, (b"100755", b"a", one), (b"120000", b"l", two)),
        raw_tree(git, (b"40000", b"a", inner)),  # a folder instead of a file
        raw_tree(git, (b"100644", b"a", one), (b"100644", b"a", two)),  # twice
        raw_tree(git, (b"160000", b"m", one), (b"40000", b"d", inner)),
    ]
    for old in trees:
        files = dict(Snapshot(git, "", old).files())
        for new in trees:
            wanted = dict(Snapshot(git, "", new).files())
            changes = Snapshot(git, "", new).changes(old)
            for key, entry in changes.items():
                assert files.get(key) != entry, "reported although it is equal"
            found = {k: e for k, e in (files | changes).items() if e is not None}
            assert found == wanted
