"""A commit's tree as rows, read from git's object database, never from the work tree.

A path that is no clean UTF-8 text, or that holds a backslash, is quoted: backslash
doubled, every invalid byte as `\\xNN`. Two paths never share a key, and every key is
text that can be stored and printed.

`--worktree` is the exception: changed and new files are hashed as git would hash them,
and their bytes are copied into the state first, so that what is built is what was
hashed, whatever happens to the file meanwhile.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, FileStatus, SortMode

from repobuild.errors import UsageError
from repobuild.git.tree import compare, walk

Entry = tuple[str, int]  # blob id (hex), mode
REGULAR = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
_RENAME_LIMIT = 1000
_QUOTED = re.compile(r"\\(\\|x[89a-f][0-9a-f])")
_CHURNED = 200  # files whose lines are compared
_ALL_LINES = 1_000_000  # of context around a change


def quote(raw: bytes) -> str:
    """Return the key of a path as git stores it."""
    text = raw.replace(b"\\", b"\\\\").decode("utf-8", "surrogateescape")
    if text.isascii():
        return text
    return "".join(
        f"\\x{ord(c) - 0xDC00:02x}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text
    )


def unquote(key: str) -> str:
    """Return the path of a key, as the file system functions take it."""
    parts = _QUOTED.split(key)  # text and what stands behind a backslash, in turns
    parts[1::2] = [
        part if part == "\\" else chr(0xDC00 + int(part[1:], 16))
        for part in parts[1::2]
    ]
    return "".join(parts)


def open_repository(start: Path) -> pygit2.Repository:
    """Open the repository that holds `start`; raises `UsageError` outside of one."""
    found = pygit2.discover_repository(str(start))
    if found is None:
        raise UsageError(
            f'"{start}" is not inside a git repository\n'
            "repobuild reads commits, not folders\n"
            "run it inside a checkout, or start one with: git init && git commit"
        )
    return pygit2.Repository(found)


def common_folder(repository: pygit2.Repository) -> Path:
    """Return git's common folder, which all worktrees of a repository share."""
    folder = Path(repository.path)
    pointer = folder / "commondir"
    if not pointer.is_file():
        return folder.resolve()
    return (folder / pointer.read_text("utf-8").strip()).resolve()


def resolve(repository: pygit2.Repository, revision: str) -> pygit2.Commit:
    """Return the commit that a revision names; raises `UsageError`."""
    if revision == "HEAD" and repository.head_is_unborn:
        raise UsageError(
            "this repository has no commit yet\n"
            "repobuild builds what is committed\n"
            "commit something first, or build with --worktree"
        )
    try:
        commit = repository.revparse_single(revision).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise UsageError(
            f'"{revision}" names no commit here: {error}\n'
            "a shallow clone may lack it; try: git fetch --unshallow"
        ) from error
    return commit


@dataclass
class Snapshot:
    """The files of one tree; `blob` reads their content."""

    repository: pygit2.Repository
    commit: str
    tree: str
    overlay: dict[str, Entry | None] = field(default_factory=dict)
    copies: Path | None = None

    @property
    def lineage(self) -> str:
        """Name of the history that can be read from here: the commit, and the edge of a
        shallow clone, which a fetch may move."""
        edge = common_folder(self.repository) / "shallow"
        if not edge.is_file():
            return self.commit
        return f"{self.commit} {pygit2.hash(edge.read_bytes())}"

    def files(self) -> Iterator[tuple[str, Entry]]:
        """Yield every path's key with its blob id and mode, submodules included."""
        listed = dict(self._tree_files())
        listed.update({k: e for k, e in self.overlay.items() if e is not None})
        for key in sorted(listed):
            if self.overlay.get(key, listed[key]) is not None:
                yield key, listed[key]

    def changes(self, old_tree: str) -> dict[str, Entry | None] | None:
        """Return what differs from `old_tree`: the new entry, or None for gone.

        Returns None when the two cannot be compared by git (a pruned tree, a work
        tree); the caller then compares all files.
        """
        if self.overlay or self.copies is not None:
            return None
        try:
            if not isinstance(self.repository[old_tree], pygit2.Tree):
                return None
            found = list(compare(self.repository, old_tree, self.tree))
        except (KeyError, ValueError):
            return None
        # Gone first: a file may have come where a folder of its name went.
        changed: dict[str, Entry | None] = {quote(p): None for p, e in found if not e}
        return changed | {quote(path): entry for path, entry in found if entry}

    def blob(self, blob_id: str) -> bytes:
        """Return a blob's bytes; raises `KeyError` when it is not there."""
        if self.copies is not None and (self.copies / blob_id).is_file():
            return (self.copies / blob_id).read_bytes()
        found = self.repository[blob_id]
        if not isinstance(found, pygit2.Blob):
            raise KeyError(blob_id)
        return found.data

    def entry(self, key: str, commit: str) -> Entry | None:
        """Return what stands under a path's key in a commit."""
        try:
            tree = self.repository[commit].peel(pygit2.Tree)
            found = tree[unquote(key)]
        except (KeyError, ValueError, pygit2.GitError):
            return None
        return str(found.id), int(found.filemode)

    def standing(self, key: str) -> Entry | None:
        """Return what stands under a path's key in this snapshot."""
        if key in self.overlay:
            return self.overlay[key]
        return self.entry(key, self.tree) if self.tree else None

    def origin(self, key: str, commit: str, limit: int = 500) -> tuple[str, str] | None:
        """Return the newest commit up to `commit` that changed a path, and its subject.

        Along first parents, so of a merged branch it is the merge; None beyond `limit`.
        """
        if commit not in self.repository:
            return None
        walker = self.repository.walk(commit, SortMode.NONE)
        walker.simplify_first_parent()
        for found in islice(walker, limit):
            parents = found.parent_ids
            before = self.entry(key, str(parents[0])) if parents else None
            if self.entry(key, str(found.id)) != before:
                return str(found.id), found.message.partition("\n")[0]
        return None

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message; "" when it is not there."""
        try:
            found = self.repository[commit].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            return ""
        return found.message.partition("\n")[0]

    def renames(self, old_tree: str) -> dict[str, str]:
        """Return old key -> new key of files that git takes for renamed."""
        try:
            old = self.repository[old_tree].peel(pygit2.Tree)
        except (KeyError, ValueError):
            return {}
        diff = old.diff_to_tree(self._tree())
        diff.find_similar(rename_limit=_RENAME_LIMIT)
        return {
            quote(delta.old_file.raw_path): quote(delta.new_file.raw_path)
            for delta in diff.deltas
            if delta.status_char() == "R"
        }

    def churn(self, old_tree: str) -> float:
        """Return which share of the changed files' lines changed; 1 where git cannot
        tell, and for more than `_CHURNED` files, which would take long."""
        try:
            old = self.repository[old_tree].peel(pygit2.Tree)
        except (KeyError, ValueError, pygit2.GitError):
            return 1.0
        found = old.diff_to_tree(self._tree(), context_lines=_ALL_LINES)
        if len(found) > _CHURNED:
            return 1.0
        stats = [patch.line_stats for patch in found if patch is not None]
        changed = sum(added + gone for _, added, gone in stats)
        lines = sum(map(sum, stats))
        return changed / lines if lines else 1.0

    def _tree(self) -> pygit2.Tree:
        return self.repository[self.tree].peel(pygit2.Tree)

    def _tree_files(self) -> Iterator[tuple[str, Entry]]:
        if self.tree:
            for path, entry in walk(self.repository, self.tree):
                yield quote(path), entry


def heads(repository: pygit2.Repository) -> set[str]:
    """Return the commits of all local branches and of every worktree's HEAD."""
    names = [f"refs/heads/{name}" for name in repository.branches.local]
    tips = {_tip(repository, name) for name in [*names, "HEAD"]}
    places = [str(common_folder(repository))]
    for name in repository.list_worktrees():
        places.append(repository.lookup_worktree(name).path)
    for place in places:
        with suppress(pygit2.GitError):  # a worktree whose folder was removed
            tips.add(_tip(pygit2.Repository(place), "HEAD"))
    return tips - {""}


def _tip(repository: pygit2.Repository, name: str) -> str:
    try:
        return str(repository.references[name].resolve().peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError):
        return ""


def at_commit(repository: pygit2.Repository, revision: str = "HEAD") -> Snapshot:
    """Return the snapshot of a commit."""
    commit = resolve(repository, revision)
    return Snapshot(repository, str(commit.id), str(commit.tree_id))


def at_worktree(repository: pygit2.Repository, copies: Path) -> Snapshot:
    """Return HEAD with the work tree's changed and new files laid over it.

    The files' bytes are copied into `copies` under their blob ids.
    """
    if repository.is_bare:
        raise UsageError("a bare repository has no work tree; build a commit instead")
    commit, tree = "", ""
    if not repository.head_is_unborn:
        head = repository.head.peel(pygit2.Commit)
        commit, tree = str(head.id), str(head.tree_id)
    copies.mkdir(parents=True, exist_ok=True)
    root = Path(repository.workdir)
    overlay = {
        quote(path.encode("utf-8", "surrogateescape")): _copied(root / path, copies)
        for path, status in repository.status(untracked_files="all").items()
        if status != FileStatus.IGNORED
    }
    return Snapshot(repository, commit, tree, overlay, copies)


def worktree_id(snapshot: Snapshot) -> str:
    """Return a name for what a work-tree snapshot holds, in place of a tree id."""
    state = hashlib.sha256(snapshot.tree.encode())
    for key, entry in sorted(snapshot.overlay.items()):
        state.update(repr((key, entry)).encode())
    return f"worktree:{state.hexdigest()[:40]}"


def _copied(path: Path, copies: Path) -> Entry | None:
    if path.is_symlink() or not path.is_file():
        return None
    data = path.read_bytes()
    blob_id = str(pygit2.hash(data))
    (copies / blob_id).write_bytes(data)
    executable = path.stat().st_mode & 0o100
    return blob_id, int(FileMode.BLOB_EXECUTABLE if executable else FileMode.BLOB)
