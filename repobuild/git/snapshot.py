"""Read the files of one commit from git's object database, not from the work tree.

A path becomes a key: the same text, except that a backslash is doubled, and that these
are written byte by byte as `\\xNN`:

    what is not UTF-8, and control characters, which no terminal or line may get
    "`", which encloses names in samples
    ":" before another one or at the end, "#" before a word, the "@" of "@lines" at the
    end and of the path "@project": keys of rows are composed with `::`, `#` and these

Two paths never share a key, and every key is text that can be stored and printed. Names
that no path can have (tree_objects.py) are left out and reported.

`--worktree` is the exception: worktree.py.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, SortMode

from repobuild.errors import NoCommitError, UsageError, nearest
from repobuild.git.repository import (
    common_folder,
    first_commit_step,
    has_object,
    read_blob,
)
from repobuild.git.tree_objects import TreeEntry, diff_trees, walk_files

Entry = TreeEntry  # blob id (hex), mode
REGULAR = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
_RENAME_LIMIT = 1000
_UNSAFE = re.compile(
    r"[\x00-\x1f`\x7f-\x9f\u2028-\u202e\u2066-\u2069\udc80-\udcff]"
    r"|:(?=:|\Z)|#(?=\w)|@(?=lines\Z)|\A@(?=project\Z)"
)
_QUOTED = re.compile(r"\\(\\|x[0-9a-f]{2})")
_MOST_CHURNED_FILES = 200  # above, `churn` does not compare lines
_WHOLE_FILE = 1_000_000  # context lines around a change: all of them


def is_regular(mode: int) -> bool:
    """Return whether an entry of this mode holds a text of its own.

    A link holds the path of another file. A submodule names a commit, which this
    repository need not have. Who reads files by their names asks this first.
    """
    return mode in REGULAR


def quote(raw: bytes) -> str:
    """Return the key of a path as git stores it."""
    text = raw.replace(b"\\", b"\\\\").decode("utf-8", "surrogateescape")
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    data = found[0].encode("utf-8", "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in data)


def unquote(key: str) -> str:
    """Return the path of a key, in the form that file system functions take."""
    parts = _QUOTED.split(key)  # plain text and escapes, alternating
    parts[1::2] = [
        part if part == "\\" else os.fsdecode(bytes.fromhex(part[1:]))
        for part in parts[1::2]
    ]
    return "".join(parts)


def resolve(repository: pygit2.Repository, revision: str) -> pygit2.Commit:
    """Return the commit that a revision names; raises `UsageError` for none."""
    if revision == "HEAD" and repository.head_is_unborn:
        raise NoCommitError(
            "this repository has no commit yet\n"
            "repobuild reads what is committed\n"
            f"{first_commit_step(repository)}"
        )
    try:
        named = repository.revparse_single(revision)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise _unknown_revision(repository, revision) from error
    try:
        return named.peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise UsageError(
            f'"{revision}" names a {named.type_str}, not a commit\n'
            "name a commit, a branch or a tag: git log --oneline lists commits"
        ) from error


def _unknown_revision(repository: pygit2.Repository, revision: str) -> UsageError:
    names = [name.partition("/")[2].partition("/")[2] for name in repository.references]
    step = "name a commit, a branch or a tag: git log --oneline lists commits"
    if (common_folder(repository) / "shallow").is_file():
        step = "this clone is shallow and may lack it: git fetch --unshallow"
    return UsageError(
        f'"{revision}" names no commit here{nearest(revision[:80], names)}\n{step}'
    )


@dataclass
class Snapshot:
    """The files of one commit, or of the work tree over HEAD; `blob` reads contents.

    `overlay` holds the work tree's changed files by key (None: removed), and `copies`
    is the folder with their bytes; both are empty for a commit.
    """

    repository: pygit2.Repository
    commit: str  # "" before the first commit
    tree: str
    overlay: dict[str, Entry | None] = field(default_factory=dict)
    copies: Path | None = None
    refused: dict[str, str] = field(default_factory=dict)  # key of an entry -> why

    @property
    def history_id(self) -> str:
        """Identify the readable history: the commit and the edge of a shallow clone.

        A later fetch may move the edge and make more of the same history readable.
        """
        shallow = common_folder(self.repository) / "shallow"
        if not shallow.is_file():
            return self.commit
        return f"{self.commit} {pygit2.hash(shallow.read_bytes())}"

    def files(self) -> Iterator[tuple[str, Entry]]:
        """Yield every path's key with its blob id and mode, submodules included."""
        listed: dict[str, Entry | None] = {}
        if self.tree:
            walked = walk_files(self.repository, self.tree, self._refuse)
            listed = {quote(path): entry for path, entry in walked}
        listed |= self.overlay
        for key in sorted(listed):
            if (entry := listed[key]) is not None:
                yield key, entry

    def changes(self, old_tree: str) -> dict[str, Entry | None] | None:
        """Return what differs from `old_tree` by key: the new entry, None for removed.

        Returns None in place of the mapping when git cannot compare the two (a pruned
        tree, a work tree); the caller then compares all files.
        """
        if self.overlay or self.copies is not None:
            return None
        try:
            if not isinstance(self.repository[old_tree], pygit2.Tree):
                return None
            pairs = list(diff_trees(self.repository, old_tree, self.tree, self._refuse))
        except (KeyError, ValueError, pygit2.GitError):
            return None
        # Removed ones first: a file may have replaced a folder of its name.
        changed: dict[str, Entry | None] = {quote(p): None for p, e in pairs if not e}
        return changed | {quote(path): entry for path, entry in pairs if entry}

    def _refuse(self, path: bytes, reason: str) -> None:
        self.refused[quote(path)] = reason

    def blob(self, blob_id: str) -> bytes:
        """Return a blob's bytes; raises `MissingObjectError` when there is none."""
        return read_blob(self.repository, blob_id, self.copies)

    def entry_at(self, key: str, commit: str) -> Entry | None:
        """Return the entry of a path's key in a commit or tree; None for no entry."""
        try:
            item = self.repository[commit].peel(pygit2.Tree)[unquote(key)]
        except (KeyError, ValueError, pygit2.GitError):
            return None
        return str(item.id), int(item.filemode)

    def current_entry(self, key: str) -> Entry | None:
        """Return the entry of a path's key in this snapshot; None for no entry."""
        if key in self.overlay:
            return self.overlay[key]
        return self.entry_at(key, self.tree) if self.tree else None

    def last_change(
        self, key: str, commit: str, limit: int = 500
    ) -> tuple[str, str] | None:
        """Return the newest commit up to `commit` that changed a path, and its subject.

        The search follows first parents, so a change on a merged branch yields the
        merge. Returns None when no such commit is within `limit` commits.
        """
        if not has_object(self.repository, commit):
            return None
        walker = self.repository.walk(commit, SortMode.NONE)
        walker.simplify_first_parent()
        with suppress(KeyError, pygit2.GitError):  # a parent is missing or broken
            for candidate in islice(walker, limit):
                parents = candidate.parent_ids
                before = self.entry_at(key, str(parents[0])) if parents else None
                if self.entry_at(key, str(candidate.id)) != before:
                    return str(candidate.id), first_line(candidate)
        return None

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message; "" for an unknown commit."""
        try:
            return first_line(self.repository[commit].peel(pygit2.Commit))
        except (KeyError, ValueError, pygit2.GitError):
            return ""

    def renames(self, old_tree: str) -> dict[str, str]:
        """Return old key -> new key of the files that git detects as renamed."""
        try:
            old = self.repository[old_tree].peel(pygit2.Tree)
        except (KeyError, ValueError, pygit2.GitError):
            return {}
        try:
            diff = old.diff_to_tree(self._tree())
            diff.find_similar(rename_limit=_RENAME_LIMIT)
        except (KeyError, pygit2.GitError):
            return {}  # a tree or blob is missing
        return {
            quote(delta.old_file.raw_path): quote(delta.new_file.raw_path)
            for delta in diff.deltas
            if delta.status_char() == "R"
        }

    def churn(self, old_tree: str) -> float:
        """Return the share of the changed files' lines that changed, 0 to 1.

        Returns 1 where git cannot compare, and for more than `_MOST_CHURNED_FILES`
        files, which would take long.
        """
        try:
            old = self.repository[old_tree].peel(pygit2.Tree)
            changed_files = diff_trees(self.repository, old_tree, self.tree)
            if (
                len(list(islice(changed_files, limit := 2 * _MOST_CHURNED_FILES)))
                == limit
            ):
                return 1.0
            diff = old.diff_to_tree(self._tree(), context_lines=_WHOLE_FILE)
            # (unchanged, added, removed) lines of each file
            stats = [patch.line_stats for patch in diff if patch is not None]
        except (KeyError, ValueError, pygit2.GitError):
            return 1.0
        changed = sum(added + removed for _, added, removed in stats)
        lines = sum(map(sum, stats))
        return changed / lines if lines else 1.0

    def _tree(self) -> pygit2.Tree:
        return self.repository[self.tree].peel(pygit2.Tree)


def heads(repository: pygit2.Repository) -> set[str]:
    """Return the commits of all local branches and of every worktree's HEAD."""
    names = [f"refs/heads/{name}" for name in repository.branches.local]
    tips = {_tip(repository, name) for name in [*names, "HEAD"]}
    folders = [str(common_folder(repository))]
    for name in repository.list_worktrees():
        folders.append(repository.lookup_worktree(name).path)
    for folder in folders:
        with suppress(pygit2.GitError):  # a worktree whose folder was removed
            tips.add(_tip(pygit2.Repository(folder), "HEAD"))
    return tips - {""}


def _tip(repository: pygit2.Repository, name: str) -> str:
    """Return the commit that a reference points to; "" for an unborn or broken one."""
    try:
        return str(repository.references[name].resolve().peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError):
        return ""


def at_commit(repository: pygit2.Repository, revision: str = "HEAD") -> Snapshot:
    """Return the snapshot of a commit; raises `UsageError` for an unknown revision."""
    commit = resolve(repository, revision)
    return Snapshot(repository, str(commit.id), str(commit.tree_id))


def first_line(commit: pygit2.Commit) -> str:
    """Return the first line of a commit's message, as UTF-8 or else as Latin-1.

    The encoding that a commit declares may be wrong, or unknown to Python.
    """
    raw = commit.raw_message.strip().partition(b"\n")[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def worktree_id(snapshot: Snapshot) -> str:
    """Return an identifier of a work-tree snapshot's content, in place of a tree id."""
    content = hashlib.sha256(snapshot.tree.encode())
    for key, entry in sorted(snapshot.overlay.items()):
        content.update(repr((key, entry)).encode())
    return f"worktree:{content.hexdigest()[:40]}"
