"""Read the work tree: HEAD's files, with the changed and new ones over them.

Changed and new files are hashed as git hashes content, and their bytes are first copied
into the state. So what is built is what was hashed, whatever happens to the file
meanwhile. What a sparse checkout leaves out is as it is in the index, and a file that
`.gitattributes` keeps in another encoding is read as the UTF-8 that git stores.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, FileStatus

from repobuild.errors import UsageError
from repobuild.git.program import ask_git
from repobuild.git.snapshot import Entry, Snapshot, quote

_ENCODING = "working-tree-encoding"


def at_worktree(repository: pygit2.Repository, copies: Path) -> Snapshot:
    """Return HEAD overlaid with the work tree's changed and new files.

    The files' bytes are copied into `copies` under their blob ids. Raises `UsageError`
    for a bare repository, and for an index that cannot be read.
    """
    if repository.is_bare:
        raise UsageError("a bare repository has no work tree; build a commit instead")
    commit, tree = "", ""
    if not repository.head_is_unborn:
        head = repository.head.peel(pygit2.Commit)
        commit, tree = str(head.id), str(head.tree_id)
    copies.mkdir(parents=True, exist_ok=True)
    try:
        status = repository.status(untracked_files="all")
    except pygit2.GitError as error:
        raise UsageError(
            f"the index of this work tree cannot be read: {error}\n"
            "libgit2, through which repobuild reads, knows no sparse or split index\n"
            "write a plain one: git sparse-checkout reapply --no-sparse-index"
        ) from error
    changed = {p: s for p, s in status.items() if s != FileStatus.IGNORED}
    root = Path(repository.workdir)
    absent = [p for p, s in changed.items() if s & FileStatus.WT_DELETED]
    overlay = dict.fromkeys(changed) | {
        path: _indexed(repository, path) for path in _left_out(root, absent)
    }
    present = [path for path in changed if overlay[path] is None]
    encodings = _encodings(root, present)
    for path in present:
        overlay[path] = _copy(root / path, copies, encodings.get(path, ""))
    keys = {quote(p.encode("utf-8", "surrogateescape")): e for p, e in overlay.items()}
    return Snapshot(repository, commit, tree, keys, copies)


def _copy(path: Path, copies: Path, encoding: str) -> Entry | None:
    """Copy a file and return its entry; None for a removed file or a link."""
    if path.is_symlink() or not path.is_file():
        return None
    data = _stored(path.read_bytes(), encoding)
    blob_id = str(pygit2.hash(data))
    # Written beside its name and renamed: a link under either is not followed.
    fresh = copies / f"{blob_id}.new"
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        file.write(data)
    fresh.replace(copies / blob_id)
    executable = path.stat().st_mode & 0o100
    return blob_id, int(FileMode.BLOB_EXECUTABLE if executable else FileMode.BLOB)


def _indexed(repository: pygit2.Repository, path: str) -> Entry | None:
    """Return the entry of a path in the index."""
    with suppress(KeyError):
        entry = repository.index[path]
        return str(entry.id), int(entry.mode)
    return None


def _left_out(root: Path, absent: list[str]) -> set[str]:
    """Return the absent files that a sparse checkout leaves out of the work tree."""
    if not absent:
        return set()
    listed = ask_git(root, "ls-files", "-v", "-z")
    marked = {name[2:] for name in listed.split("\0") if name[:2].upper() == "S "}
    return marked.intersection(absent)


def _encodings(root: Path, paths: list[str]) -> dict[str, str]:
    """Return the encoding of each path that the attributes keep in another one."""
    if not paths or not _names_encodings(root):
        return {}
    answer = ask_git(
        root, "check-attr", "-z", "--stdin", _ENCODING, given="\0".join(paths)
    )
    fields = answer.split("\0")
    found = zip(fields[::3], fields[2::3], strict=False)
    return {p: value for p, value in found if value not in ("unspecified", "unset")}


def _names_encodings(root: Path) -> bool:
    """Whether any attributes of the top folder name encodings; git is slow to ask."""
    with suppress(OSError):
        return _ENCODING.encode() in (root / ".gitattributes").read_bytes()
    return False


def _stored(data: bytes, encoding: str) -> bytes:
    """Return a file's content as git stores it: UTF-8, or as it is if it is not so."""
    name = encoding.lower().removesuffix("-bom")
    if not name:
        return data
    try:
        return data.decode(name).removeprefix("\ufeff").encode()
    except (LookupError, ValueError):
        return data
