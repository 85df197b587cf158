"""Any name that a path can have has rows of its own; others are left out and told."""

from __future__ import annotations

import os

import pytest
from pygit2.enums import ObjectType

from repobuild.git.snapshot import at_commit, quote, unquote
from tests.cases.commands import repobuild
from tests.repository import Repository
from tests.standard import Standard

CODE = 'def {0}(x):\n    """Do number {0} of what is asked for."""\n    return x\n'
ODD = [
    b"a::b.py", b"a:", b"c#2.py", b"C#/z.py", b"d@lines.py", b"d@lines", b"@project",
    b"@types/z.py", b"new\nline.py", b"back`tick.py", b"q'uote\".py", b"--help.py",
    b"tab\t.py", b"\x1b]0;x\x07.py", "\u202eyp.a".encode(), b"caf\xe9.py", b"b\\x.py",
    b"n" * 252 + b".py", b"e f/g h.py", b"HEAD", b"dataset.py", b"100%.py",
]  # fmt: skip
FILE = 0o100644


@pytest.mark.parametrize("path", ODD)
def test_a_path_is_found_again_by_its_key(path):
    key = quote(path)
    assert os.fsencode(unquote(key)) == path
    assert key.isprintable() and "`" not in key and "::" not in key
    assert "\n" not in key and not key.endswith(("@lines", ":"))


@pytest.mark.parametrize(
    "path", ["src/pkg/mod.py", "C#/Program.cs", "@types/a.d.ts", "a:b.py", "Ünï/c d.py"]
)
def test_an_ordinary_path_is_its_own_key(path):
    assert quote(path.encode()) == path


def test_no_two_paths_share_a_key():
    others = [quote(path).encode() for path in ODD]  # what escapes look like, literally
    assert len({quote(path) for path in {*ODD, *others}}) == len({*ODD, *others})


def test_every_claim_about_files_of_odd_names_holds(tmp_path):
    repository = Repository(tmp_path / "place")
    names = [path for path in ODD if path.endswith(b".py")]
    repository.commit_tree(
        {path: (CODE.format(f"f{n}").encode(), FILE) for n, path in enumerate(names)},
        [],
    )
    assert repobuild(repository.path, "--until", "dataset").returncode == 0
    checked = repobuild(repository.path, "verify", "--samples")
    assert checked.returncode == 0, checked.stdout
    assert repobuild(repository.path, "verify").returncode == 0
    found = repobuild(repository.path, "show", f"{quote(b'a::b.py')}::f0")
    assert found.returncode == 0 and "sample keys" in found.stdout


REFUSED = [b"d\0b.py", b"..", b".", b".git", b".GIT"]


def test_names_that_no_checkout_can_have_are_left_out_and_told(tmp_path):
    """However the build came there: clean, step by step, and back again."""
    repository = Repository(tmp_path / "place")
    good = {
        b"d/b.py": (CODE.format("good").encode(), FILE),
        b"e.py": (b"x = 1\n", FILE),
    }
    bad = {name: (CODE.format("bad").encode(), FILE) for name in REFUSED}
    first = repository.commit_tree(good, [])
    both = repository.commit_tree({**good, **bad}, [first])
    only = repository.commit_tree({**bad, b"e.py": good[b"e.py"]}, [both])
    grown = Standard(repository.git, tmp_path / "grown")
    for number, commit in enumerate((first, both, only, both, first)):
        snapshot = at_commit(repository.git, commit)
        grown.build("dataset", snapshot)
        told = {p.key: p.text for p in grown.last.problems if p.table == "files"}
        came = commit == both and number == 1
        assert not came or set(told) == {"d/b.py", "..", ".", ".git", ".GIT"}
        clean = Standard(repository.git, tmp_path / f"clean{number}")
        clean.build("dataset", snapshot)
        assert grown.digests() == clean.digests()
        clean.close()
    grown.close()


def bomb(repository, levels, width=10):
    """Commit a tree of `width` to the power of `levels` files in as many objects."""
    git = repository.git
    blob = git.create_blob(b"x = 1\n")
    tree = b"".join(b"100644 f%d\0" % n + blob.raw for n in range(width))
    for _ in range(levels - 1):
        below = git.write(ObjectType.TREE, tree)
        tree = b"".join(b"40000 d%d\0" % n + below.raw for n in range(width))
    top = git.write(ObjectType.TREE, tree)
    return repository.commit_of(top)


def test_a_tree_of_countless_files_is_an_error_before_memory_ends(tmp_path):
    repository = Repository(tmp_path / "place")
    repository.commit({"a.py": "x = 1\n"})
    bomb(repository, 10)
    for verb in ("status", "build"):
        done = repobuild(repository.path, verb, timeout=60)
        assert done.returncode == 2, verb
        assert "more than 1,000,000 files" in done.stderr


def test_folders_nested_without_end_are_left_out(tmp_path):
    repository = Repository(tmp_path / "place")
    repository.commit({"a.py": "x = 1\n"})
    bomb(repository, 3_000, width=1)
    done = repobuild(repository.path, "--until", "facts", timeout=60)
    assert done.returncode == 0
    assert "its path is longer than 4,096 bytes" in done.stderr
