"""An export replaces what an earlier export wrote, and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from repobuild.cli.export_target import MARKER, STAGING, ExportTarget
from repobuild.cli.main import run
from repobuild.errors import UsageError
from tests.repository import Repository

FORMS = {
    "facts": ["facts"],
    "graph": ["graph"],
    "base": ["base"],
    "seed": ["dataset"],
    "openai": ["dataset", "--format", "openai"],
    "sharegpt": ["dataset", "--format", "sharegpt"],
    "datasets": ["dataset", "--format", "datasets"],
}
UNBUILT = {"adapter": ["adapter"], "merged": ["merged"], "report": ["report"]}
SOURCE = (
    '"""Measure fields."""\n\n\ndef area(width: int, height: int) -> int:\n'
    '    """Return the area of a field."""\n    size = width * height\n'
    "    size += 0\n    return size\n"
)


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    repository.commit({"field.py": SOURCE, "README.md": "# Fields\n\nMeasure them.\n"})
    monkeypatch.chdir(repository.path)
    assert run(["build", "--until", "dataset", "--quiet"]) == 0
    return repository


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def export(form: str, folder: Path | str, *options: str) -> int:
    return run(["export", *(FORMS | UNBUILT)[form], "-o", str(folder), *options])


@pytest.mark.parametrize("form", [*FORMS, *UNBUILT])
def test_a_folder_that_is_not_ours_is_refused(
    here: Repository, form: str, capfd
) -> None:
    work = {p.name: p.read_bytes() for p in here.path.iterdir() if p.is_file()}
    assert export(form, ".") == 2
    assert "no earlier export" in capfd.readouterr().err
    assert {p.name: p.read_bytes() for p in here.path.iterdir() if p.is_file()} == work


@pytest.mark.parametrize("form", FORMS)
def test_an_earlier_export_is_replaced(
    here: Repository, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    assert export(form, out) == 0
    first = contents(out)
    (out / "notes.txt").write_text("mine")
    assert export(form, out) == 0
    assert contents(out) == first | {"notes.txt": b"mine"}
    assert not (out / STAGING).exists()


@pytest.mark.parametrize("form", FORMS)
def test_an_edited_file_is_kept(
    here: Repository, tmp_path: Path, form: str, capfd
) -> None:
    out = tmp_path / "out"
    assert export(form, out) == 0
    first = contents(out)
    name = next(name for name in sorted(first) if name != MARKER)
    (out / name).write_text("edited")
    assert export(form, out) == 2
    assert "was changed since its export" in capfd.readouterr().err
    assert (out / name).read_text() == "edited"
    assert export(form, out, "--force") == 0
    assert contents(out) == first


@pytest.mark.parametrize("form", FORMS)
def test_a_link_is_never_followed(here: Repository, tmp_path: Path, form: str) -> None:
    """With --force a link in place of a file is replaced; its target stays."""
    out, victim = tmp_path / "out", tmp_path / "victim.txt"
    assert export(form, tmp_path / "first") == 0
    for target in (victim, tmp_path / "nothing"):  # the second one dangles
        victim.write_text("precious")
        for name in contents(tmp_path / "first"):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).unlink(missing_ok=True)
            (out / name).symlink_to(target)
        assert export(form, out) == 2
        assert export(form, out, "--force") == 0
        assert victim.read_text() == "precious"
        assert not (tmp_path / "nothing").exists()
        assert contents(out) == contents(tmp_path / "first")


def test_a_folder_that_is_a_link_is_refused_even_with_force(
    here: Repository, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    (victim / "data").mkdir(parents=True)
    (victim / "data/test.parquet").write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    assert export("datasets", tmp_path / "link", "--force") == 2
    (tmp_path / "out").mkdir()
    (tmp_path / "out/data").symlink_to(victim / "data")
    assert export("datasets", tmp_path / "out", "--force") == 2
    assert contents(victim) == {"data/test.parquet": b"precious"}
    assert contents(tmp_path / "out") == {}


def test_two_tables_share_a_folder(here: Repository, tmp_path: Path) -> None:
    assert export("facts", tmp_path / "out") == 0
    assert export("graph", tmp_path / "out") == 0
    assert export("facts", tmp_path / "out") == 0
    names = {"repository_analysis.json", "graph.json", MARKER}
    assert set(contents(tmp_path / "out")) == names


def test_another_format_removes_the_files_of_the_first(
    here: Repository, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert export("seed", out) == 0
    assert export("datasets", out) == 0
    found = set(contents(out))
    assert not {name for name in found if name.endswith(".jsonl")}
    assert {"README.md", "metadata.json", "data/train.parquet"} <= found


def write(folder: Path, files: dict[str, str], force: bool = False) -> None:
    with ExportTarget.of(folder, "facts", force).writing() as staging:
        for name, text in files.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).write_text(text)


def test_a_failed_export_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"a.txt": "1", "b.txt": "2"})
    before = contents(out)
    with pytest.raises(OSError, match="full"):
        with ExportTarget.of(out, "facts", False).writing() as staging:
            (staging / "a.txt").write_text("half")
            raise OSError("disk full")
    assert contents(out) == before


def test_a_killed_export_can_be_repeated(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "out"
    write(out, {"a.txt": "1", "b.txt": "2"})
    moved: list[Path] = []
    replace = Path.replace

    def stop(path: Path, target: Path) -> Path:
        moved.append(target)
        if target == out / "b.txt":
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            write(out, {"a.txt": "new", "b.txt": "new"})
    assert (out / "a.txt").read_text() == "new"
    assert (out / "b.txt").read_text() == "2"
    write(out, {"a.txt": "last", "b.txt": "last"})
    assert contents(out)["b.txt"] == b"last"


@pytest.mark.parametrize("name", ["../victim.txt", "/{}/victim.txt", "in/victim.txt"])
def test_a_forged_marker_reaches_nothing_outside(tmp_path: Path, name: str) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim.txt"
    out.mkdir()
    victim.write_text("precious")
    (out / "in").symlink_to(tmp_path)
    digest = hashlib.sha256(b"precious").hexdigest()
    listed = {name.format(tmp_path): [digest]}
    marker = {"version": 1, "exports": {"facts": listed}}
    (out / MARKER).write_text(json.dumps(marker))
    try:
        write(out, {"a.txt": "1"}, force=True)
    except UsageError:
        pass
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"exports": 3}', "[" * 100_000])
def test_a_garbled_marker_counts_as_none(tmp_path: Path, body: str) -> None:
    (tmp_path / MARKER).write_text(body)
    with pytest.raises(UsageError, match="no earlier export"):
        write(tmp_path, {"a.txt": "1"})


def test_init_writes_through_no_dangling_link(
    repository: Repository, tmp_path: Path, monkeypatch, capfd
) -> None:
    repository.commit({"field.py": SOURCE})
    (repository.path / "repobuild.toml").symlink_to(tmp_path / "nothing")
    monkeypatch.chdir(repository.path)
    assert run(["init"]) == 2
    assert "as a symbolic link" in capfd.readouterr().err
    assert not (tmp_path / "nothing").exists()
