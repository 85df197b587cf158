"""A partial clone is built as far as it goes, and in full once its objects arrive."""

from __future__ import annotations

import json
import os

import pytest

from tests.cases.commands import commit, digests, git, repobuild, start

ONE = 'def first(x):\n    """Give the first of several things back."""\n    return x\n'
TWO = 'def second(x):\n    """Give the second of several back."""\n    return x\n'
REMEDY = "git fetch --refetch --no-filter"


@pytest.fixture
def origin(tmp_path):
    place = start(
        tmp_path / "origin", {"pkg/a.py": ONE, "README.md": "# Demo\n\nA project.\n"}
    )
    commit(place, {"pkg/a.py": ONE + "\n\n" + TWO})
    git(place, "mv", "pkg/a.py", "pkg/b.py")
    commit(place, {"pkg/b.py": ONE + "\n\n" + TWO + "\n\nx = 1\n"})
    git(place, "config", "uploadpack.allowFilter", "true")
    git(place, "config", "uploadpack.allowAnySHA1InWant", "true")
    return place


def clone(origin, place, *options):
    git(origin.parent, "clone", "-q", *options, f"file://{origin}", str(place))
    return place


@pytest.mark.parametrize("left_out", ["blob:none", "tree:0"])
def test_what_was_missing_is_made_when_it_arrives(origin, tmp_path, left_out):
    whole = clone(origin, tmp_path / "whole")
    assert repobuild(whole, "--until", "dataset").returncode == 0
    part = clone(origin, tmp_path / "part", f"--filter={left_out}")
    first = repobuild(part, "--until", "dataset")
    assert first.returncode == 3  # a row failed, and the tables are built
    assert REMEDY in first.stderr
    assert {"files", "facts", "dataset"} <= digests(part).keys()
    again = repobuild(part, "--until", "dataset")
    assert again.returncode == 3 and "failed again" in again.stdout
    assert repobuild(part, "verify").returncode == 0
    assert digests(part) != digests(whole)

    git(part, "fetch", "-q", "--refetch", "--no-filter")
    assert repobuild(part, "status").returncode == 1
    assert repobuild(part, "--until", "dataset").returncode == 0
    assert digests(part) == digests(whole)
    assert repobuild(part, "verify").returncode == 0


def test_a_partial_clone_that_names_its_extension_is_built(origin, tmp_path):
    part = clone(origin, tmp_path / "part", "--filter=blob:none")
    git(part, "config", "core.repositoryformatversion", "1")
    git(part, "config", "extensions.partialClone", "origin")
    assert repobuild(part, "--until", "facts").returncode == 0


def remove_blob(place, path):
    """Move the object of a file at HEAD away; return what brings it back."""
    found = git(place, "rev-parse", f"HEAD:{path}")
    stored = place / ".git/objects" / found[:2] / found[2:]
    away = place / ".git" / f"away-{found}"
    os.rename(stored, away)
    return lambda: os.rename(away, stored)


@pytest.mark.parametrize("missing", ["pkg/a.py", "LICENSE", "pkg/LICENSE", "README.md"])
@pytest.mark.parametrize("kept", ["nothing is built yet", "the rest is built"])
def test_every_table_tries_a_missing_blob_again(tmp_path, missing, kept):
    """Of a source file, of the licences, of a document; at a first build or later."""
    mit = "Permission is hereby granted, free of charge, to any person\n"
    files = {
        "pkg/a.py": ONE,
        "pkg/b.py": TWO,
        "README.md": "# Demo\n\nA project.\n",
        "LICENSE": "SPDX-License-Identifier: MIT\n" + mit,
        "pkg/LICENSE": "SPDX-License-Identifier: BSD-3-Clause\n",
    }
    whole = start(tmp_path / "whole", files)
    repobuild(whole, "--until", "dataset")
    first = {**files, missing: "nothing yet\n"}
    place = start(tmp_path / "part", first)
    if kept == "the rest is built":
        assert repobuild(place, "--until", "dataset").returncode == 0
    commit(place, files)
    bring_back = remove_blob(place, missing)
    done = repobuild(place, "--until", "dataset", "--json")
    assert done.returncode == 3 and REMEDY in done.stderr
    failed = json.loads(done.stdout)["failed"]
    expected = {"licences"} if "LICENSE" in missing else {"facts", "licences"}
    assert expected <= failed.keys()
    bring_back()
    assert repobuild(place, "--until", "dataset").returncode == 0
    # The history of the two repositories differs, their trees do not.
    mine, theirs = digests(place), digests(whole)
    for table in ("files", "facts", "graph", "contexts", "licences", "samples"):
        assert mine[table] == theirs[table], table
    assert repobuild(place, "verify").returncode == 0


@pytest.mark.parametrize(
    "verb", [["export", "facts", "-o", "out"], ["verify", "--samples"], ["status"]]
)
def test_a_verb_that_reads_a_missing_blob_says_how_to_get_it(tmp_path, verb):
    place = start(tmp_path / "place", {"a.py": ONE, "b.py": TWO})
    repobuild(place, "--until", "dataset")
    remove_blob(place, "a.py")
    done = repobuild(place, *verb)
    if verb != ["status"]:
        assert done.returncode == 3
        assert REMEDY in done.stderr
