"""Random edits of a small repository, as plain data that hypothesis can shrink.

A tree is `{path: (content, mode)}` with paths as bytes, as git keeps them. A step is
`(what is done to the tree, how it is then built)`:

    ("splice", path, line, count, text)               these lines replaced
    ("swap", path, line)     this line and the next in the other order
    ("word", path, n, word)  the n-th word of a file is another
    ("write", path, text)    ("raw", path, bytes)     ("delete", path)
    ("move", path, to)       ("copy", path, to)       ("case", path)
    ("mode", path)           ("link", path)           ("submodule", path)
    ("revert", n)            the tree of the n-th commit back, in a new commit
    ("switch", n)            the n-th commit back itself; what follows branches off it
    ("merge", n, mask)       a commit of two parents, its tree put together of both

    ("build", goal)          up to this table
    ("worktree", path, text) this edit uncommitted, then the commit as it is
    ("killed", table)        killed in this table's rule, and left so
    ("failed",)              every file that has to be parsed fails, and is left so
    ("settings", n)          these settings from now on, and a whole build
"""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from tests.promises import project

Tree = dict[bytes, tuple[bytes, int]]
Edit = tuple[Any, ...]
Step = tuple[Edit, Edit]

REGULAR, EXECUTABLE, LINK, MODULE = 0o100644, 0o100755, 0o120000, 0o160000
PATHS = [
    b"a.py",
    b"A.py",
    b"pkg/__init__.py",
    b"pkg/b.py",
    b"pkg/b.pyi",
    b"pkg/sub/__init__.py",
    b"pkg/sub/c.py",
    b"pkg.py",
    b"lib/__init__.pyi",
    b"src/lib/__init__.py",
    b"src/lib/d.py",
    b"src/pkg/b.py",
    b"tests/test_a.py",
    b"pkg",  # a file, link or submodule where the folder was
    b"caf\xe9/b.py",
    "πkg/b.py".encode(),
    b"back\\slash.py",
    b"d/" * 30 + b"e.py",
    # What keys are composed with, and what no line or terminal may get.
    b"a::b.py",
    b"a:",
    b"a#2.py",
    b"C#/b.py",
    b"a.py@lines",
    b"@project",
    b"@project/b.py",
    b"samples//a.py".replace(b"//", b"\\/"),
    b"--help.py",
    b"new\nline\x1b]0;x\x07.py",
    b"b`q'\".py",
    "\u202eyp.a.py".encode(),
    b"n" * 252 + b".py",
    # What no checkout can have: "\0" is written as a slash inside of a name.
    b"pkg\0b.py",
    b"pkg\0sub\0c.py",
    b"pkg/sub\0c.py",
    b"pkg/../a.py",
    b"./a.py",
    b".git/a.py",
    b"pkg/.GIT",
    b"README.md",
    b"docs/guide.md",
    b"pyproject.toml",
    b"package.json",
    b"data.bin",
]
HOT = [b"a.py", b"pkg/b.py", b"pkg/__init__.py", b"pkg/sub/c.py", b"README.md"]
LONG = (
    "def plan(start, goal, left):\n"
    '    """Walk from the start to the goal, a step at a time, and say which way it'
    ' was."""\n'
    "    way = [start]\n"
    "    while left and way[-1] != goal:\n"
    "        nearest = min(way[-1].neighbours, key=goal.distance)\n"
    "        way.append(nearest)\n"
    "        left = left - 1\n"
    "    return way, left\n"
)
PIECES = [
    "def f(x: int) -> int:\n    '''Add one to a number.'''\n    return g(x) + 1\n",
    "def f(x, y=2):\n    # a comment\n    return x\n",
    "def f(x):\n\n    def g(y):\n        return f(y)\n\n    return g(x)\n",
    "def g(v):\n    return [v, f(v)]\n",
    "class Base:\n    '''A base.'''\n\n"
    "    def run(self):\n        return self.step()\n\n"
    "    def step(self):\n        return 1\n",
    "class Base(Other):\n    def other(self) -> 'Child':\n        return Child()\n",
    "class Child(Base):\n    def step(self):\n        return super().step() + f(1)\n",
    "class Child(b.Base):\n    def run(self):\n        return self.other().step()\n",
    "from pkg.b import Base, f\n",
    "from pkg import *\n",
    "from pkg import Base as Other, b\n",
    "from .b import f as g, Base\n",
    "from .sub import Child as Base\n",
    "from .sub.c import Child\n",
    "from ..b import Base\n",
    "import pkg.sub.c as c\nc.f(1)\n",
    "from lib.d import g\n",
    "import lib\nlib.d.g(2)\n",
    "from d import g as f\n",
    "import b\nb.f()\n",
    "__all__ = ['f', 'Base']\n",
    "def test_f():\n    assert f(1) == 2\n    Child().run()\n",
    "f = g\n",
    "f = Base().run\nf()\n",
    "def print(x):\n    return len(x)\n",
    "len = f\n",
    "def h(x: 'Base', f=None):\n    print(x.run(), len(x))\n    return f()\n",
    "def f():\n    def inner():\n        return f()\n    return inner\n",
    "def broken(:\n    pass\n",
    "class Half:\n    def f(self:\n",
    "# only a comment\n\n\n",
    "# Title\n\nWhat it is for.\n\n## Part\n\nMore words.\n",
    "[project]\nname = 'demo'\ndescription = 'A demo.'\ndependencies = ['click>=8']\n",
    '{"name": "other", "dependencies": {"left-pad": "1"}}\n',
    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "# coding: latin-1\nx = '\xff'\n",
    "x = '\xff'\n",
    "\xef\xbb\xbfdef f():\r\n    return 1\r\n",
    "x = '\0'\n",
    "x = " + "(" * 90 + ")" * 90 + "\n",
    "".join(f"{' ' * n}def f():\n" for n in range(20)) + " " * 20 + "f()\n",
    # Long enough to be found again elsewhere, and nearly each other.
    LONG,
    LONG.replace("def plan", "def scheme"),
    LONG.replace("left - 1", "left - 2"),
    LONG.replace("    ", "        ").replace(
        "def plan", "class Plan:\n    def plan", 1
    ),
]
LINES = [
    "",
    "\n",
    "# a comment\n",
    "    # a comment\n",
    "    '''Other words. And more of them.'''\n",
    "        '''One of the words.'''\n",
    "    return g(x)\n",
    "        return self.step() + 2\n",
    "    def run(self, more=None):\n",
    "def f(x: str):\n",
    "class Child(Other):\n",
    "@property\n",
    "    @property\n",
    "    x = Child()\n",
    "    return Grandchild().step()\n",
    "        '''Do it. And more.'''\n",
    "def g(v):\n",
    "class Base:\n",
    "class Child:\n",
    "from pkg.b import Base, f\n",
    "from .b import Base as f\n",
    "\t\n",
]
WORDS = [
    *("f", "g", "h", "b", "c", "x", "pkg", "self", "int", "word", "Words"),
    *("Base", "Child", "Other", "Grandchild", "run", "step", "more"),
]
_BAD = re.compile(rb"\0|(\A|/)(\.\.?|\.git)(/|\Z)", re.IGNORECASE)
_WORD = re.compile(rb"\w+")
# What can change the rows of each table from `files` on, and of some a part only.
SETTINGS: list[dict[str, Any]] = [
    {},
    {"project.max_file_bytes": 120},
    {"project.exclude": ["pkg/sub/*"]},
    {"project.languages": ["markdown"]},
    {"project.name": "renamed"},
    {"samples.min_code_lines": 1},
    {"history.commits": 2},
    {"samples.languages": ["en"]},
    {"samples.tasks": ["code_location"], "samples.max_answer": 60},
    {"split.generalise": 0.5},
    {"samples.max_tokens": 600},
    {"samples.max_tokens": 2500, "split.generalise": 0.3},
    {"samples.near_duplicate": 0.8, "split.generalise": 0.3},
]
TABLES = ["files", "facts", "graph", "contexts", "samples", "balance", "dataset"]
TABLES += ["commits", "changes", "history", "old_answers"]

# Few of them, so that edits meet; shrinking leads to the first.
path = st.sampled_from(HOT) | st.sampled_from(HOT) | st.sampled_from(PATHS)
real = path.filter(lambda name: not _BAD.search(name))
back = st.integers(0, 5)
content = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
write = st.tuples(st.just("write"), path, content)
near = st.sampled_from(list(project.FILES))
word = st.tuples(st.just("word"), near, st.integers(0, 60), st.sampled_from(WORDS))
splice = st.tuples(
    st.just("splice"),
    near,
    st.integers(0, 17),
    st.integers(0, 2),
    st.sampled_from(LINES) | st.sampled_from(PIECES),
)
swap = st.tuples(st.just("swap"), near, st.integers(0, 17))
moves = st.one_of(
    st.tuples(st.just("delete"), path),
    st.tuples(st.just("move"), path, path),
    st.tuples(st.just("copy"), path, path),
    st.tuples(st.just("case"), path),
    st.tuples(st.just("raw"), path, st.binary(max_size=30)),
    st.tuples(st.just("mode"), path),
    st.tuples(st.just("link"), path),
    st.tuples(st.just("submodule"), path),
    st.tuples(st.just("revert"), back),
    st.tuples(st.just("switch"), back),
    st.tuples(st.just("merge"), back, st.integers(0, 255)),
)
small = st.one_of(splice, swap, word, word)
edit = st.one_of(write, splice, swap, word, moves)
whole = st.just(("build", "dataset"))
build = st.one_of(
    whole,
    whole,
    whole,
    st.tuples(st.just("build"), st.sampled_from(TABLES)),
    st.tuples(st.just("worktree"), real, content),
    st.tuples(st.just("killed"), st.sampled_from(TABLES[1:])),
    st.just(("failed",)),
    st.tuples(st.just("settings"), st.integers(0, len(SETTINGS) - 1)),
)
calm = st.lists(st.tuples(small, whole), min_size=2, max_size=10)
wild = st.lists(st.tuples(edit, build), min_size=2, max_size=10)
scattered = st.dictionaries(path, content, max_size=6)
related = st.just(project.FILES)
# Files and steps. One half are small edits of related files: what a change in one file
# means for others is seldom met by chance.
story = st.one_of(st.tuples(related, calm), st.tuples(related | scattered, wild))


def tree_of(texts: dict[bytes, str]) -> Tree:
    """Return a tree of these files; of two that cannot both be, the later one."""
    tree: Tree = {}
    for name, text in texts.items():
        put(tree, name, text.encode("latin-1"), REGULAR)
    return tree


def real_part(tree: Tree) -> Tree:
    """Return what of a tree can be checked out."""
    return {name: entry for name, entry in tree.items() if not _BAD.search(name)}


def after(tree: Tree, history: list[Tree], edit: Edit) -> Tree:
    """Return the tree after one edit; an edit that makes no sense changes nothing."""
    kind, *rest = edit
    if kind in ("revert", "switch"):
        return dict(earlier(history, rest[0]))
    if kind == "merge":
        return merged(tree, earlier(history, rest[0]), rest[1])
    name, made = rest[0], dict(tree)
    new = _made(kind, rest[1:])
    if new is not None:
        return put(made, name, *new)
    if name not in made:
        return made
    if kind == "splice":
        return put(made, name, spliced(made[name][0], *rest[1:]), made[name][1])
    if kind == "swap":
        return put(made, name, transposed(made[name][0], rest[1]), made[name][1])
    if kind == "word":
        return put(made, name, reworded(made[name][0], *rest[1:]), made[name][1])
    if kind == "copy":
        return put(made, rest[1], *made[name])
    if kind == "mode":
        return put(made, name, made[name][0], EXECUTABLE)
    entry = made.pop(name)
    if kind == "move":
        return put(made, rest[1], *entry)
    return put(made, swapped(name), *entry) if kind == "case" else made


def _made(kind: str, rest: list[Any]) -> tuple[bytes, int] | None:
    """Return the entry that an edit makes out of nothing."""
    if kind == "write":
        return rest[0].encode("latin-1"), REGULAR
    if kind == "raw":
        return rest[0], REGULAR
    if kind == "link":
        return b"pkg/b.py", LINK
    return (b"", MODULE) if kind == "submodule" else None


def spliced(data: bytes, line: int, count: int, text: str) -> bytes:
    """Return the content with so many lines from this one on replaced by others."""
    lines = data.splitlines(keepends=True)
    line %= len(lines) + 1
    lines[line : line + count] = [text.encode("latin-1")]
    return b"".join(lines)


def transposed(data: bytes, line: int) -> bytes:
    """Return the content with a line and the next in the other order."""
    lines = data.splitlines(keepends=True)
    line %= len(lines) + 1
    lines[line : line + 2] = reversed(lines[line : line + 2])
    return b"".join(lines)


def reworded(data: bytes, number: int, word: str) -> bytes:
    """Return the content with one of its words replaced."""
    found = list(_WORD.finditer(data))
    if not found:
        return data
    old = found[number % len(found)]
    return data[: old.start()] + word.encode() + data[old.end() :]


def put(tree: Tree, name: bytes, data: bytes, mode: int) -> Tree:
    """Put an entry where a folder may have been, or below what was a file."""
    for other in list(tree):
        if other.startswith(name + b"/") or name.startswith(other + b"/"):
            del tree[other]
    tree[name] = (data, mode)
    return tree


def merged(mine: Tree, theirs: Tree, mask: int) -> Tree:
    """Return a tree of both: each path from the side that the mask's bit names."""
    made: Tree = {}
    for number, name in enumerate(sorted(mine.keys() | theirs.keys())):
        sides = (theirs, mine) if mask >> (number % 8) & 1 else (mine, theirs)
        found = next((side[name] for side in sides if name in side), None)
        if found is not None:
            put(made, name, *found)
    return made


def earlier(history: list[Tree], back: int) -> Tree:
    return history[-1 - back % len(history)]


def swapped(name: bytes) -> bytes:
    """Return the path with the first letter of its file's name in the other case."""
    folder, slash, last = name.rpartition(b"/")
    return folder + slash + last[:1].swapcase() + last[1:]
