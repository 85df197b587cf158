"""Small git repositories, made inline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

_WHO = pygit2.Signature("A Developer", "dev@example.org", 1_700_000_000, 0)


class Repository:
    """A repository in a folder; every `commit` is one step of its history."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git = pygit2.init_repository(str(path), initial_head="main")

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files into the work tree and the index; None removes one."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                self.git.index.remove(name)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            target.write_bytes(data)
            self.git.index.add(name)
        self.git.index.write()

    def commit(self, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Commit these changes on the current branch and return the commit's id."""
        self.write(files or {})
        parents = [] if self.git.head_is_unborn else [self.git.head.target]
        tree = self.git.index.write_tree()
        made = self.git.create_commit("HEAD", _WHO, _WHO, "a change", tree, parents)
        return str(made)

    def move(self, old: str, new: str) -> str:
        content = (self.path / old).read_bytes()
        return self.commit({old: None, new: content})

    def checkout(self, revision: str) -> None:
        """Put HEAD, index and work tree at a commit, detached."""
        commit = self.git.revparse_single(revision).peel(pygit2.Commit)
        self.git.checkout_tree(commit, strategy=pygit2.enums.CheckoutStrategy.FORCE)
        self.git.set_head(commit.id)
