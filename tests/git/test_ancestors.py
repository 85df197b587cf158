"""Ancestors are found along first parents, near ones without reading far ones."""

from __future__ import annotations

from itertools import islice

import pygit2
import pytest

from repobuild.git import ancestors
from repobuild.git.ancestors import (
    MAX_ANCESTORS,
    distance,
    first_parents,
    nearest_ancestor,
)
from tests.repository import Repository


def commits(repository: Repository, count: int) -> list[str]:
    """Make empty commits on the current branch and return them, newest first."""
    return [repository.commit() for _ in range(count)][::-1]


def merge(repository: Repository, other: str) -> str:
    who = pygit2.Signature("A Developer", "dev@example.org", 1_700_000_000, 0)
    head = repository.git.head.target
    tree = repository.git.index.write_tree()
    parents = [head, pygit2.Oid(hex=other)]
    return str(repository.git.create_commit("HEAD", who, who, "merge", tree, parents))


def test_the_nearest_wanted_commit_is_found_and_the_commit_itself_counts(repository):
    head, parent, grandparent = commits(repository, 3)
    git = repository.git
    assert nearest_ancestor(git, head, {head, parent}) == head
    assert nearest_ancestor(git, head, {parent, grandparent}) == parent
    assert nearest_ancestor(git, head, {grandparent: 1}) == grandparent
    assert nearest_ancestor(git, head, set()) == ""
    assert list(first_parents(git, head)) == [parent, grandparent]
    assert list(first_parents(git, head, 1)) == [parent]


def test_a_merged_branch_is_not_followed(repository):
    fork = repository.commit()
    merged = repository.commit({"merged.py": ""})
    repository.checkout(fork)
    own = repository.commit({"own.py": ""})
    head = merge(repository, merged)
    assert list(first_parents(repository.git, head)) == [own, fork]
    assert nearest_ancestor(repository.git, head, {merged, fork}) == fork
    assert distance(repository.git, head, merged) is None


def test_the_distance_counts_commits(repository):
    head, *older = commits(repository, 4)
    found = [distance(repository.git, head, commit) for commit in (head, *older)]
    assert found == [0, 1, 2, 3]
    assert distance(repository.git, older[0], head) is None


@pytest.mark.parametrize("commit", ["", "1" * 40])
def test_a_commit_that_is_not_there_has_no_ancestors(repository, commit):
    repository.commit()
    assert list(first_parents(repository.git, commit)) == []
    assert nearest_ancestor(repository.git, commit, {commit}) == ""


def test_the_search_ends_at_the_limit(repository):
    line = commits(repository, MAX_ANCESTORS + 2)
    last, beyond = line[MAX_ANCESTORS:]
    assert nearest_ancestor(repository.git, line[0], {last}) == last
    assert nearest_ancestor(repository.git, line[0], {beyond}) == ""
    assert distance(repository.git, line[0], last) == MAX_ANCESTORS


def test_a_near_answer_reads_no_far_commits(repository, monkeypatch):
    line = commits(repository, 50)
    read = []

    def counted(walker, *bounds):
        for commit in islice(walker, *bounds):
            read.append(str(commit.id))
            yield commit

    monkeypatch.setattr(ancestors, "islice", counted)
    assert nearest_ancestor(repository.git, line[0], {line[3], line[40]}) == line[3]
    assert read == line[1:4]
