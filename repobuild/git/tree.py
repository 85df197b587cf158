"""Tree objects, read as git stores them: entries of `MODE NAME\\0ID`.

pygit2's own iterator makes an object of every entry. In a folder of a thousand, of
which a commit changes one, that is most of what a tree diff costs (6 ms of 8); here
equal entries are dropped before anything is made of them.

Stacks and no recursion: a hostile tree may be nested deeper than Python recurses. Names
are bytes: a path need not be text.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

import pygit2

Raw = tuple[bytes, bytes]  # mode in octal digits, id
Item = tuple[str, int]  # id (hex), mode
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
_TREE = 0o040000


def walk(repository: pygit2.Repository, tree: str) -> Iterator[tuple[bytes, Item]]:
    """Yield (path, item) of everything below a tree that is no tree itself."""
    stack = [(tree, b"")]
    while stack:
        folder, prefix = stack.pop()
        for name, entry in _entries(repository, folder).items():
            found, path = _item(entry), prefix + name
            if found[1] == _TREE:
                stack.append((found[0], path + b"/"))
            else:
                yield path, found


def compare(
    repository: pygit2.Repository, old: str, new: str
) -> Iterator[tuple[bytes, Item | None]]:
    """Yield (path, new item or None for gone) of what differs below two trees.

    Equal subtrees are never opened. A path may come twice, as a folder that went and as
    the file that came in its place.
    """
    stack = [(old, new, b"")]
    while stack:
        before, after, prefix = stack.pop()
        was, now = _entries(repository, before), _entries(repository, after)
        gone = {name: _item(entry) for name, entry in was.items() - now.items()}
        come = {name: _item(entry) for name, entry in now.items() - was.items()}
        for name in gone.keys() | come.keys():
            a, b = gone.get(name), come.get(name)
            folders = _folder(a), _folder(b)
            if any(folders):
                stack.append((*folders, prefix + name + b"/"))
            if a and not folders[0] and (b is None or folders[1]):
                yield prefix + name, None
            if b and not folders[1] and a != b:
                yield prefix + name, b


def _entries(repository: pygit2.Repository, tree: str) -> dict[bytes, Raw]:
    """Return a tree's entries by name; of a name that comes twice, the last."""
    found = _ENTRY.findall(repository.read(tree)[1]) if tree else ()
    return {name: (mode, id) for mode, name, id in found}


def _item(entry: Raw) -> Item:
    return entry[1].hex(), _mode(int(entry[0], 8))


def _mode(mode: int) -> int:
    """Return one of git's five modes; old trees hold others, such as 100664."""
    if not stat.S_ISREG(mode):
        return stat.S_IFMT(mode)
    return 0o100755 if mode & 0o111 else 0o100644


def _folder(item: Item | None) -> str:
    return item[0] if item and item[1] == _TREE else ""
