"""Packages become repositories: licences, names, histories that are true."""

import random
import subprocess
from email.message import Message
from pathlib import Path

import pytest

from repobuild.model.bundled import packages
from repobuild.model.bundled.invented_history import (
    InventedCommit,
    invent_history,
    write_commits,
)
from repobuild.model.bundled.invented_names import in_style_of, invent_name

FUNCTIONS = "\n\n".join(
    f"def f{n}_of_module(value, limit=10):\n    return value + {n}\n" for n in range(6)
)
FILES = {f"pkg/module{n}.py": f"NUMBER = {n}\n\n{FUNCTIONS}" for n in range(12)}


def metadata(**fields: str) -> Message:
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT"}, "MIT"),
        ({"License": "BSD"}, "BSD"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT License"),
        ({"License_Expression": "MPL-2.0 AND MIT"}, ""),
        ({"License": "GPLv2 with linking exception"}, ""),
        ({"License": "MIT", "Classifier": "License :: OSI Approved :: GPL"}, ""),
        ({"License": "UNKNOWN"}, ""),
        ({}, ""),
    ],
)
def test_only_permissive_licences_are_taken(
    fields: dict[str, str], licence: str
) -> None:
    assert packages.licence_of(metadata(**fields)) == licence


def install(folder: Path, name: str, code: str = FUNCTIONS * 40) -> None:
    """Write a package as an installer does."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(f'"""About {name}."""\n{code}')
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n"
    (info / "METADATA").write_text(f"{head}\nSee LICENSE.")
    (info / "LICENSE").write_text("The licence.")
    files = (f"{name}/__init__.py", f"{name}-1.0.dist-info/LICENSE", "../bin/x.py")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_a_package_becomes_a_tree_of_its_own_files(tmp_path: Path) -> None:
    install(tmp_path / "site", "storage")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "x.py").write_text("outside = True\n")
    (found,) = packages.find_distributions([tmp_path / "site"])
    package = packages.read_package(found)
    assert package
    (tree,) = packages.source_trees(found, package)
    assert set(tree.files) == {
        "storage/__init__.py",
        "pyproject.toml",
        "README.rst",
        "LICENSE",
    }
    assert 'name = "storage"' in tree.files["pyproject.toml"]
    assert tree.package.licence == "MIT"


def test_what_is_examined_is_never_trained(tmp_path: Path) -> None:
    for name in packages.LEFT_OUT_PACKAGES:
        install(tmp_path, name)
    found = packages.find_distributions([tmp_path])
    assert [one for one in map(packages.read_package, found) if one] == []


def test_a_package_that_another_copies_is_not_held_out() -> None:
    assert not any(map(packages.is_package_held_out, packages.COPIED))
    names = [f"package{number}" for number in range(400)]
    assert 10 < sum(map(packages.is_package_held_out, names)) < 50


def test_an_invented_name_is_everywhere_or_nowhere(tmp_path: Path) -> None:
    install(tmp_path, "storage", "import storage.core\n" + FUNCTIONS * 40)
    (found,) = packages.find_distributions([tmp_path])
    package = packages.read_package(found)
    assert package
    (tree,) = packages.source_trees(found, package)
    assert "LICENSE" in tree.files["README.rst"]
    renamed = packages.rename_project(tree, random.Random(1))
    assert "LICENSE" in renamed.files["README.rst"]
    assert not [path for path in renamed.files if "storage" in path]
    assert not [text for text in renamed.files.values() if "storage" in text]
    assert renamed.files["LICENSE"] == tree.files["LICENSE"]


def replay(commits: list[InventedCommit]) -> dict[str, str]:
    tree: dict[str, str] = {}
    for commit in commits:
        for path, text in commit.files.items():
            if text is None:
                del tree[path]  # it must be there
            else:
                tree[path] = text
    return tree


@pytest.mark.parametrize("seed", range(20))
def test_an_invented_history_ends_with_the_files(seed: int) -> None:
    commits = invent_history(FILES, random.Random(seed))
    assert len(commits) > 4
    assert replay(commits) == FILES
    assert all(commit.files for commit in commits)


def test_git_has_what_the_history_says(tmp_path: Path) -> None:
    commits = invent_history(FILES, random.Random(3))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write_commits(tmp_path, commits)

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout

    assert set(git("ls-tree", "-r", "--name-only", "main").split()) == set(FILES)
    assert git("show", "main:pkg/module3.py") == FILES["pkg/module3.py"]
    subjects = git("log", "--format=%s", "main").splitlines()
    assert subjects == [commit.subject for commit in reversed(commits)]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain_name", "tare_mo"),
        ("lower", "mo"),
        ("CamelCase", "TareMo"),
        ("UPPER", "TARE_MO"),
        ("_private_name", "_tare_mo"),
        ("_Private", "_TareMo"),
    ],
)
def test_an_invented_name_is_written_like_the_old_one(name: str, written: str) -> None:
    assert in_style_of(name, "tare_mo") == written


def test_invented_names_hardly_repeat() -> None:
    rng = random.Random(1)
    names = [invent_name(rng) for _ in range(2_000)]
    assert len(set(names)) > 1_800
    assert all(name.isidentifier() for name in names)
