"""The work tree is read as git reads it, and git's own liberties are told."""

from __future__ import annotations

import pytest

from repobuild.user_rules import MOST_RULES
from tests.cases.commands import commit, digests, git, repobuild, start

NEAR = 'def near(x):\n    """Say what lies near to the reader."""\n    return x\n'
FAR = 'def far(x):\n    """Say what lies far from the reader."""\n    return x\n'


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_what_a_sparse_checkout_leaves_out_is_as_in_the_index(tmp_path, cone):
    place = start(tmp_path / "place", {"in/near.py": NEAR, "out/far.py": FAR})
    repobuild(place, "--until", "facts")
    built = digests(place)
    git(place, "sparse-checkout", "set", cone, "in")
    assert not (place / "out/far.py").exists()
    assert git(place, "status", "--short") == ""
    repobuild(place, "--worktree", "--until", "facts")
    assert digests(place) == built
    # Another version of it in the index, and a file that is really gone.
    blob = git(place, "hash-object", "-w", "--stdin", input=FAR + "\n\n" + NEAR)
    git(place, "update-index", "--cacheinfo", f"100644,{blob},out/far.py")
    git(place, "update-index", "--skip-worktree", "out/far.py")
    (place / "in/near.py").unlink()
    repobuild(place, "--worktree", "--until", "facts")
    assert repobuild(place, "show", "files").stdout.startswith("files: 1 row")
    assert repobuild(place, "show", "out/far.py::near").returncode in (0, 2)
    assert blob[:10] in repobuild(place, "show", "out/far.py").stdout


def test_a_sparse_index_is_an_error_with_the_next_step(tmp_path):
    place = start(tmp_path / "place", {"in/near.py": NEAR, "out/far.py": FAR})
    git(place, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    done = repobuild(place, "--worktree", "--until", "facts")
    if done.returncode:  # a libgit2 that cannot read it
        assert done.returncode == 2
        assert "git sparse-checkout reapply --no-sparse-index" in done.stderr
        git(place, "sparse-checkout", "reapply", "--no-sparse-index")
        assert repobuild(place, "--worktree", "--until", "facts").returncode == 0
    assert repobuild(place, "show", "files").stdout.startswith("files: 2 rows")


@pytest.mark.parametrize("encoding", ["UTF-16LE-BOM", "UTF-16", "UTF-16BE", "latin-1"])
def test_a_file_in_another_encoding_is_read_as_it_is_committed(tmp_path, encoding):
    place = start(
        tmp_path / "place",
        {".gitattributes": f"*.md working-tree-encoding={encoding} text\n"},
    )
    text = "# Title of it\n\nText of the file, ünd changed.\n"
    codec = encoding.removesuffix("-BOM")
    bom = "\ufeff" if encoding.endswith("-BOM") else ""
    (place / "guide.md").write_bytes((bom + text).encode(codec))
    repobuild(place, "--worktree", "--until", "facts")
    before = digests(place)
    commit(place, {})
    repobuild(place, "--until", "facts")
    assert digests(place)["facts"] == before["facts"]
    assert digests(place)["files"] == before["files"]


def test_replaced_objects_are_told_not_followed(tmp_path):
    place = start(tmp_path / "place", {"a.py": NEAR})
    commit(place, {"a.py": NEAR + "\n\n" + FAR})
    done = repobuild(place, "--until", "facts")
    assert "git replace" not in done.stderr
    tree = git(place, "rev-parse", "HEAD~1^{tree}")
    new = git(place, "commit-tree", tree, "-m", "corrected")
    git(place, "replace", "HEAD", new)
    for _ in range(2):
        git(place, "commit", "-q", "--allow-empty", "-m", "more")
        assert (
            "`git replace` is not followed"
            in repobuild(place, "--until", "facts").stderr
        )
        git(place, "pack-refs", "--all")


def test_a_name_that_failed_is_not_suggested(tmp_path):
    place = start(tmp_path / "place", {"a.py": NEAR, "b.txt": "text\n"})
    repobuild(place, "--until", "dataset")
    for key in ("a.py::nera", "b.tx", "a.py::near#code_location.en.99"):
        done = repobuild(place, "show", key)
        assert done.returncode == 2
        assert f'did you mean "{key}"' not in done.stderr


def test_thousands_of_rules_are_refused_at_once(tmp_path):
    rule = 'kind = "map"\nfrom = ["files"]\nrun = "rules/r.py:f"\nversion = 1\n'
    rule += 'description = "d"\n'
    files = {f"rules/r{n}.toml": rule for n in range(2_000)}
    place = start(
        tmp_path / "place", {"rules/r.py": "def f(v, s):\n    pass\n", **files}
    )
    for verb in ("status", "build", "trust"):
        done = repobuild(place, verb, timeout=30)
        assert done.returncode == 2, done.stderr
        assert f"more than {MOST_RULES} rules" in done.stderr
