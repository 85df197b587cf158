"""The same commit has the same rows, whoever builds it, where, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repobuild.engine.run.map import _POOL_ABOVE
from repobuild.engine.storage.state import open_state
from tests.promises import edits
from tests.repository import Repository
from tests.standard import Standard

ROOT = Path(__file__).parents[2]
MANY = 320  # files, each another
TEXTS = {
    "plain.py": b"def plain(x):\n    '''Say it.'''\n    return upper(x)\n",
    "pkg/__init__.py": b"from .b import *\n",
    "pkg/b.py": "def größe(ı):\n    '''İ oder 大小。'''\n    return ı\n".encode(),
    "pkg/B.py": b"from pkg import b\n\n\nclass I(b.i):\n    pass\n",
    "README.md": "# Ünïcode\n\nIt is here.\n".encode(),
    "pyproject.toml": b"[project]\nname = 'DILIGENT'\n",
}
ODD = {b"caf\xe9/\xff.py": b"x = '\xff'\n", b"back\\slash.py": b"import pkg\n"}
WORLDS = {
    "plain C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Istanbul"},
    "far east": {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    "nobody": {"USER": "nobody", "LOGNAME": "nobody", "PYTHONHASHSEED": "4294967295"},
}
GITCONFIG = """\
[user]
    name = Somebody Else
[core]
    autocrlf = true
    quotepath = false
    ignorecase = true
    precomposeunicode = true
[diff]
    renames = false
"""


def digests(folder: Path) -> dict[str, str]:
    state = open_state(folder, read_only=True)
    found = {line.name: line.digest.hex() for line in state.lines()}
    state.close()
    return found


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Repository:
    """A repository with names and texts that locales and systems disagree about."""
    repository = Repository(tmp_path_factory.mktemp("odd") / "repository")
    files = {name.encode(): data for name, data in TEXTS.items()} | ODD
    entries = {name: (data, edits.REGULAR) for name, data in files.items()}
    repository.commit_tree(entries, [])
    return repository


@pytest.mark.parametrize("name", WORLDS)
def test_a_clone_elsewhere_under_another_user_and_locale_has_the_same_digests(
    name, odd, tmp_path
):
    home = tmp_path / "another home"
    home.mkdir()
    (home / ".gitconfig").write_text(GITCONFIG)
    clone = tmp_path / "an other placé"
    git = ["git", "clone", "--quiet", "--no-checkout"]
    subprocess.run([*git, str(odd.path), str(clone)], check=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **WORLDS[name]}
    subprocess.run(
        [sys.executable, "-P", "-m", "repobuild", "--until", "dataset", "--quiet"],
        cwd=clone,
        env={**environment, "PYTHONPATH": str(ROOT)},
        umask=0o077,
        check=True,
    )
    here = Standard(odd.git, tmp_path / "here")
    here.build()
    assert digests(clone / ".git/repobuild") == here.digests()
    here.close()


def module(number: int) -> str:
    """Return a module that is like no other, and calls two."""
    return (
        f"from m{number * 7 % MANY} import f{number * 7 % MANY} as one\n"
        f"from m{(number + 1) % MANY} import *\n\n\n"
        f"def f{number}(value):\n"
        f'    """Return number {number} of all."""\n'
        f"    return one(value) + f{(number + 1) % MANY}(value)\n"
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> tuple[Repository, dict[str, str]]:
    """A repository large enough for workers, and the digests of a build without."""
    place = tmp_path_factory.mktemp("many")
    repository = Repository(place / "repository")
    repository.commit({f"m{number}.py": module(number) for number in range(MANY)})
    alone = Standard(repository.git, place / "alone")
    alone.build(jobs=1)
    found = alone.digests()
    alone.close()
    return repository, found


@pytest.mark.parametrize(
    "options",
    [{"jobs": 1, "shuffle": 1}, {"jobs": 2}, {"jobs": 4, "shuffle": 2}],
    ids=str,
)
def test_any_number_of_workers_and_any_order_give_the_same_digests(
    options, many, tmp_path
):
    assert MANY > _POOL_ABOVE  # else no worker is ever started
    repository, alone = many
    standard = Standard(repository.git, tmp_path / "state")
    done = standard.build(**options)
    assert len(done["facts"].built) == MANY
    assert standard.digests() == alone
    standard.close()
