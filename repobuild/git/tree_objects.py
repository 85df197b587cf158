"""Read raw tree objects: entries of `MODE NAME\\0ID`.

pygit2's own iterator makes an object of every entry. In a folder of a thousand files of
which a commit changes one, that is most of the cost of a tree diff (6 ms of 8). Here
equal entries are dropped before any object is made.

Names are bytes, because a path need not be text. A hostile tree holds what no checkout
can: a name with "/", which would share its path with a file in a folder, `..`, folders
nested without end, or ten thousand million files in 23 objects. Such entries are left
out and reported, and a tree with more than `MOST_FILES` files is an error.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator

import pygit2

from repobuild.errors import MissingObjectError, UsageError

TreeEntry = tuple[str, int]  # id (hex), mode; a plain tuple: one is made for every file
_RawEntry = tuple[bytes, bytes]  # mode in octal digits, id
_ENTRY = re.compile(rb"(\d+) ([^\0]*)\0(.{20})", re.DOTALL)
_TREE = 0o040000
MOST_FILES = 1_000_000  # files of a tree; chromium has 0.4 million
LONGEST_PATH = 4_096  # bytes; the longest that Linux opens
_NO_NAMES = (b"", b".", b"..", b".git")  # in any letter case, as git refuses them

Refuse = Callable[[bytes, str], None]  # gets the path and the reason


def _ignore(path: bytes, reason: str) -> None:
    pass


def walk_files(
    repository: pygit2.Repository, tree: str, refuse: Refuse = _ignore
) -> Iterator[tuple[bytes, TreeEntry]]:
    """Yield (path, entry) of everything below a tree except the trees themselves.

    Raises `UsageError` above `MOST_FILES` files or folders.
    """
    stack = [(tree, b"")]
    count = 0
    while stack:
        folder, prefix = stack.pop()
        for name, raw in _read_entries(repository, folder, prefix, refuse).items():
            entry, path = _parse(raw), prefix + name
            count = _count_entry(count)
            if entry[1] == _TREE:
                stack.append((entry[0], path + b"/"))
            else:
                yield path, entry


def diff_trees(
    repository: pygit2.Repository, old: str, new: str, refuse: Refuse = _ignore
) -> Iterator[tuple[bytes, TreeEntry | None]]:
    """Yield (path, new entry, or None for removed) of what differs below two trees.

    Equal subtrees are never read. A path may come twice: once as a removed folder's
    file and once as the file that replaced the folder. Raises `UsageError` above
    `MOST_FILES` files or folders that differ.
    """
    stack = [(old, new, b"")]
    count = 0
    while stack:
        old_tree, new_tree, prefix = stack.pop()
        old_raw = _read_entries(repository, old_tree, prefix)
        new_raw = _read_entries(repository, new_tree, prefix, refuse)
        removed = {name: _parse(raw) for name, raw in old_raw.items() - new_raw.items()}
        added = {name: _parse(raw) for name, raw in new_raw.items() - old_raw.items()}
        for name in removed.keys() | added.keys():
            count = _count_entry(count)
            before, after = removed.get(name), added.get(name)
            subtrees = _subtree(before), _subtree(after)
            if any(subtrees):
                stack.append((*subtrees, prefix + name + b"/"))
            if before and not subtrees[0] and (after is None or subtrees[1]):
                yield prefix + name, None
            if after and not subtrees[1] and before != after:
                yield prefix + name, after


def _count_entry(count: int) -> int:
    if count >= MOST_FILES:
        raise UsageError(
            f"the tree has more than {MOST_FILES:,} files and folders\n"
            "it may be made to exhaust memory: few objects can name each other often\n"
            "build another commit"
        )
    return count + 1


def _read_entries(
    repository: pygit2.Repository,
    tree: str,
    prefix: bytes = b"",
    refuse: Refuse = _ignore,
) -> dict[bytes, _RawEntry]:
    """Return a tree's entries by name; the last one of a name that comes twice.

    What no path can name is refused: it depends on the name and the depth only.
    """
    if not tree:
        return {}
    try:
        content = repository.read(tree)[1]
    except (KeyError, pygit2.GitError) as error:
        raise MissingObjectError(tree) from error
    found = {name: (mode, id) for mode, name, id in _ENTRY.findall(content)}
    bad = [name for name in found if b"/" in name or name.lower() in _NO_NAMES]
    for name in bad:
        del found[name]
        refuse(prefix + name, "no checkout can have a file or folder of this name")
    room = LONGEST_PATH - len(prefix)
    for name in [name for name in found if len(name) > room]:
        del found[name]
        refuse(prefix + name, f"its path is longer than {LONGEST_PATH:,} bytes")
    return found


def _parse(raw: _RawEntry) -> TreeEntry:
    return raw[1].hex(), _canonical_mode(int(raw[0], 8))


def _canonical_mode(mode: int) -> int:
    """Return one of git's five modes; old trees hold others, such as 100664."""
    if not stat.S_ISREG(mode):
        return stat.S_IFMT(mode)
    return 0o100755 if mode & 0o111 else 0o100644


def _subtree(entry: TreeEntry | None) -> str:
    """Return the id of an entry that is a tree, else ""."""
    return entry[0] if entry and entry[1] == _TREE else ""
