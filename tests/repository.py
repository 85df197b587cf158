"""Small git repositories, made inline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import CheckoutStrategy, FileMode, ObjectType

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

    def commit_tree(
        self, entries: Mapping[bytes, tuple[bytes, int]], parents: Sequence[str]
    ) -> str:
        """Commit exactly these {path: (content, mode)} and put `main` there.

        Past index and work tree, and as raw objects: neither need be able to hold them.
        A submodule names a commit that nobody has.
        """
        return self.commit_of(self._tree(entries), parents)

    def commit_of(self, tree: pygit2.Oid, parents: Sequence[str] = ()) -> str:
        """Commit a tree object and put `main` there."""
        made = self.git.create_commit(None, _WHO, _WHO, "a step", tree, list(parents))
        self.git.references.create("refs/heads/main", made, force=True)
        return str(made)

    def _tree(self, entries: Mapping[bytes, tuple[bytes, int]]) -> pygit2.Oid:
        folders: dict[bytes, dict[bytes, tuple[bytes, int]]] = {}
        found: list[tuple[bytes, bytes]] = []
        for path, (data, mode) in entries.items():
            name, slash, rest = path.partition(b"/")
            name = name.replace(b"\0", b"/")  # which no checkout can have in a name
            if slash:
                folders.setdefault(name, {})[rest] = (data, mode)
            elif mode == FileMode.COMMIT:
                found.append((name, _line(name, mode, pygit2.Oid(hex="1" * 40))))
            else:
                found.append((name, _line(name, mode, self.git.create_blob(data))))
        for name, inner in folders.items():  # git sorts a folder as if it ended in "/"
            line = _line(name, FileMode.TREE, self._tree(inner))
            found.append((name + b"/", line))
        lines = b"".join(line for _, line in sorted(found))
        return self.git.write(ObjectType.TREE, lines)

    def lay_out(
        self,
        entries: Mapping[bytes, tuple[bytes, int]],
        staged: Mapping[bytes, tuple[bytes, int]],
    ) -> None:
        """Put files into the index, and others into the work tree."""
        self.git.index.read_tree(self._tree(staged))
        self.git.index.write()
        root = os.fsencode(self.path)
        for path, (data, mode) in entries.items():
            place = os.path.join(root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if mode == FileMode.LINK:
                os.symlink(data, place)
            elif mode == FileMode.COMMIT:
                os.makedirs(place, exist_ok=True)
            else:
                with open(place, "wb") as file:
                    file.write(data)
                os.chmod(place, mode & 0o777)

    def clear(self) -> None:
        """Empty the work tree; the repository itself stays."""
        for path in self.path.iterdir():
            if path.name == ".git":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def move(self, old: str, new: str) -> str:
        content = (self.path / old).read_bytes()
        return self.commit({old: None, new: content})

    def checkout(self, revision: str) -> None:
        """Put HEAD, index and work tree at a commit, detached."""
        commit = self.git.revparse_single(revision).peel(pygit2.Commit)
        self.git.checkout_tree(commit, strategy=CheckoutStrategy.FORCE)
        self.git.set_head(commit.id)


def _line(name: bytes, mode: int, id: pygit2.Oid) -> bytes:
    """Return one entry of a tree object."""
    return b"%o %s\0" % (mode, name) + id.raw


def trust_settings(folder: Path) -> None:
    """Trust what the settings of the repository at `folder` ask for now."""
    from repobuild.checkout import open_checkout

    checkout = open_checkout(folder)
    checkout.trust.trust(checkout.powers.requested)
    checkout.trust.write()
