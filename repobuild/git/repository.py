"""Open a repository that git has found, and read its blobs.

Git decides whether a folder may be opened at all (discovery.py); libgit2 then reads it.
Where the two differ, libgit2 is told what git has decided: the owner of the folder is
not checked again, GIT_WORK_TREE names the work tree, and a partial clone is opened
although libgit2 cannot fetch what it lacks.
"""

from __future__ import annotations

import os
from pathlib import Path

import pygit2

from repobuild.errors import MissingObjectError, UsageError
from repobuild.git.discovery import FoundRepository, locate

_COMMIT_ALL = "git add . && git commit"
# Extensions of the format that change nothing in how objects are read.
pygit2.settings.set_extensions(["partialclone"])


def open_repository(start: Path) -> pygit2.Repository:
    """Open the repository that contains `start`.

    Raises `UsageError` outside of one, and when git or libgit2 does not open it.
    """
    found = locate(str(start))
    if found is None:  # git is not installed
        path = pygit2.discover_repository(str(start))
        answers = [path, path] if path else []
        found = FoundRepository(answers, "not a git repository")
    if found.refusal:
        raise refused_by_git(start, found.refusal)
    try:
        repository = open_folder(found.folder)
    except (pygit2.GitError, ValueError) as error:
        raise _refused_by_libgit2(found, str(error)) from error
    if found.work_tree and not _is_same(repository.workdir, found.work_tree):
        repository.workdir = found.work_tree
    if not _is_same(str(common_folder(repository)), found.common):
        raise UsageError(
            f'GIT_COMMON_DIR names "{found.common}" for "{found.folder}"\n'
            "libgit2, through which repobuild reads, does not know this variable\n"
            "unset it, or write the path into a file `commondir` of that folder"
        )
    return repository


def open_folder(folder: str) -> pygit2.Repository:
    """Open a repository by its git folder, which git has opened before."""
    pygit2.settings.owner_validation = False  # git has checked the owner
    return pygit2.Repository(folder)


def common_folder(repository: pygit2.Repository) -> Path:
    """Return git's common folder, which all worktrees of a repository share."""
    folder = Path(repository.path)
    pointer = folder / "commondir"
    if not pointer.is_file():
        return folder.resolve()
    return (folder / os.fsdecode(pointer.read_bytes().strip())).resolve()


def first_commit_step(repository: pygit2.Repository) -> str:
    """Return what to do about a repository without a commit."""
    if repository.is_bare:
        return "push a commit into it: git push PATH HEAD"
    return f"commit something first: {_COMMIT_ALL}"


def has_replacements(repository: pygit2.Repository) -> bool:
    """Return whether `git replace` shows other objects than those that are read."""
    folder = common_folder(repository)
    loose = folder / "refs" / "replace"
    if loose.is_dir() and any(loose.iterdir()):
        return True
    packed = folder / "packed-refs"
    return packed.is_file() and b" refs/replace/" in packed.read_bytes()


def has_object(repository: pygit2.Repository, object_id: str) -> bool:
    """Return whether an object is there; a broken one is not."""
    try:
        return object_id in repository
    except (ValueError, pygit2.GitError):
        return False


def read_blob(
    repository: pygit2.Repository, blob_id: str, copies: Path | None = None
) -> bytes:
    """Return a blob's bytes, from the copies of a work tree or from git.

    Raises `MissingObjectError` when there is no such blob.
    """
    if copies is not None and (copies / blob_id).is_file():
        return (copies / blob_id).read_bytes()
    try:
        blob = repository[blob_id]
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise MissingObjectError(blob_id) from error
    if not isinstance(blob, pygit2.Blob):
        raise MissingObjectError(blob_id)
    return blob.data


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and os.path.realpath(one) == os.path.realpath(other)


def refused_by_git(start: Path, reason: str) -> UsageError:
    """Return the error for a folder of which git opens no repository."""
    if "dubious ownership" in reason:
        path = reason.partition("'")[2].partition("'")[0] or start
        return UsageError(
            f'the repository "{path}" belongs to another user\n'
            "git does not read such a one unless you say that it is safe\n"
            f'if you trust it: git config --global --add safe.directory "{path}"'
        )
    if reason.startswith("not a git repository"):
        named = os.environ.get("GIT_DIR")
        where = f'"{named}" (GIT_DIR) is not' if named else f'"{start}" is not inside'
        return UsageError(
            f"{where} a git repository\n"
            "repobuild reads commits, not folders\n"
            f"run it inside a checkout, or start one: git init && {_COMMIT_ALL}"
        )
    return UsageError(
        f'git cannot open the repository of "{start}": {reason}\n'
        "repobuild reads what git can read\n"
        "run `git status` there, and mend or upgrade until it works"
    )


def _refused_by_libgit2(found: FoundRepository, reason: str) -> UsageError:
    """Return the error for a repository that git opens, but not libgit2."""
    name = found.work_tree or found.folder
    if "object format" in reason:
        step = (
            "a copy in sha1 can be built: git init --object-format=sha1 COPY, then "
            "git fast-export --all | git -C COPY fast-import"
        )
    elif "refstorage" in reason or "reftable" in reason:
        step = "keep the references as files: git refs migrate --ref-format=files"
    else:
        step = "clone it anew without this extension: git clone PATH COPY"
    return UsageError(
        f'the repository "{name}" cannot be read: {reason}\n'
        "git opens it; libgit2, through which repobuild reads, does not\n"
        f"{step}"
    )
