"""Random repositories under random edits: step by step equals clean, after each step.

The default number of examples keeps the suite short and its seed is fixed; more are run
by `REPOBUILD_EXAMPLES=2000 pytest tests/promises/test_incremental_equals_clean.py`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pygit2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repobuild.git.snapshot import at_commit
from tests.repository import Repository
from tests.standard import Standard

PATHS = [
    "a.py",
    "A.py",
    "pkg/__init__.py",
    "pkg/b.py",
    "pkg/sub/__init__.py",
    "pkg/sub/c.py",
    "src/lib/__init__.py",
    "src/lib/d.py",
    "tests/test_a.py",
    "README.md",
    "pyproject.toml",
    "data.bin",
]
PIECES = [
    "def f(x: int) -> int:\n    '''Add one to a number.'''\n    return g(x) + 1\n",
    "def f(x, y=2):\n    # a comment\n    return x\n",
    "def g(v):\n    return [v, f(v)]\n",
    "class Base:\n    '''A base.'''\n\n"
    "    def run(self):\n        return self.step()\n\n"
    "    def step(self):\n        return 1\n",
    "class Child(Base):\n    def step(self):\n        return super().step() + f(1)\n",
    "from pkg.b import Base, f\n",
    "from pkg import *\n",
    "from .b import f as g, Base\n",
    "from .sub.c import Child\n",
    "import pkg.sub.c as c\nc.f(1)\n",
    "from lib.d import g\n",
    "import lib\nlib.d.g(2)\n",
    "__all__ = ['f', 'Base']\n",
    "def test_f():\n    assert f(1) == 2\n    Child().run()\n",
    "f = g\n",
    "def f():\n    def inner():\n        return f()\n    return inner\n",
    "def broken(:\n    pass\n",
    "# only a comment\n\n\n",
    "# Title\n\nWhat it is for.\n\n## Part\n\nMore words.\n",
    "[project]\nname = 'demo'\ndependencies = ['click>=8']\n",
    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "x = '\xff'\n",
]
content = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
path = st.sampled_from(PATHS)
step = st.one_of(
    st.tuples(st.just("write"), path, content),
    st.tuples(st.just("write"), path, content),
    st.tuples(st.just("delete"), path),
    st.tuples(st.just("move"), path, path),
    st.tuples(st.just("copy"), path, path),
    st.tuples(st.just("raw"), path, st.binary(max_size=30)),
    st.tuples(st.just("mode"), path),
    st.tuples(st.just("link"), path),
    st.tuples(st.just("submodule"), path),
    st.tuples(st.just("revert"), st.integers(0, 5)),
)
Files = dict[str, tuple[bytes, int]]
REGULAR, EXECUTABLE, LINK, MODULE = 0o100644, 0o100755, 0o120000, 0o160000


def after(files: Files, history: list[Files], step: tuple) -> Files:
    """Return the tree after one edit; an edit that makes no sense changes nothing."""
    kind, *rest = step
    if kind == "revert":
        return dict(history[-1 - rest[0] % len(history)])
    name = rest[0]
    made = dict(files)
    if kind == "write":
        made[name] = (rest[1].encode("latin-1"), REGULAR)
    elif kind == "raw":
        made[name] = (rest[1], REGULAR)
    elif kind == "link":
        made[name] = (b"pkg/b.py", LINK)
    elif kind == "submodule":
        made[name] = (b"", MODULE)
    elif name in made and kind == "delete":
        del made[name]
    elif name in made and kind == "mode":
        made[name] = (made[name][0], EXECUTABLE)
    elif name in made and kind == "copy":
        made[rest[1]] = made[name]
    elif name in made and kind == "move":
        made[rest[1]] = made.pop(name)
    return made


def commit(repository: Repository, files: Files) -> str:
    """Commit exactly these files, past the work tree: it may not hold them all."""
    git = repository.git
    index = pygit2.Index()
    for name, (data, mode) in files.items():
        target = "1" * 40 if mode == MODULE else str(git.create_blob(data))
        index.add(pygit2.IndexEntry(name, pygit2.Oid(hex=target), mode))
    tree = index.write_tree(git)
    who = pygit2.Signature("A", "a@example.org", 1_700_000_000, 0)
    parents = [] if git.head_is_unborn else [git.head.target]
    return str(git.create_commit("HEAD", who, who, "a step", tree, parents))


def clean_digests(repository: Repository, place: Path) -> dict[str, str]:
    clean = Standard(repository.git, place)
    clean.build()
    digests = clean.digests()
    clean.close()
    return digests


@settings(
    max_examples=int(os.environ.get("REPOBUILD_EXAMPLES", "25")),
    deadline=None,
    derandomize="REPOBUILD_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(st.lists(step, min_size=2, max_size=8))
def test_after_any_edits_every_digest_equals_a_clean_builds(steps):
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        repository = Repository(place / "repository")
        grown = Standard(repository.git, place / "grown")
        history: list[Files] = [{}]
        for number, one in enumerate(steps):
            files = after(history[-1], history, one)
            history.append(files)
            commit(repository, files)
            grown.build()
            clean = clean_digests(repository, place / f"clean{number}")
            assert grown.digests() == clean, one
        grown.close()


def test_a_branch_switch_and_back_changes_no_digest(tmp_path):
    repository = Repository(tmp_path / "repository")
    first = repository.commit({"a.py": PIECES[0], "pkg/__init__.py": PIECES[3]})
    grown = Standard(repository.git, tmp_path / "grown")
    grown.build()
    before = grown.digests()
    repository.commit({"a.py": PIECES[2], "pkg/b.py": PIECES[4]})
    grown.build()
    grown.build(snapshot=at_commit(repository.git, first))
    assert grown.digests() == before
    grown.close()
