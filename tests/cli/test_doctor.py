"""`repobuild doctor`: each thing that can be wrong is named, with the next step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from repobuild.cli.main import run
from repobuild.code.scan import language as languages
from repobuild.hooks import builder_record, hook_files
from repobuild.hooks.hook_files import InstalledHook
from repobuild.model import base
from repobuild.survey import health
from repobuild.survey.machine import GB, GraphicsCard, Machine
from tests.repository import Repository

SOURCE = 'def area(width):\n    """Return the area."""\n    return width * width\n'
Doctor = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository.commit({"a.py": SOURCE, "a.go": "package a\n\nfunc F() {}\n"})
    monkeypatch.chdir(repository.path)
    use(monkeypatch, Machine(2, 25 * GB, (), "2.9.0+cpu"))
    return repository


def use(monkeypatch: pytest.MonkeyPatch, found: Machine) -> None:
    monkeypatch.setattr(Machine, "here", classmethod(lambda cls: found))


@pytest.fixture
def doctor(capsys: Any) -> Doctor:
    """Run the verb and return the checks by name."""

    def examine() -> dict[str, dict[str, Any]]:
        code = run(["doctor", "--json"])
        facts = json.loads(capsys.readouterr().out)
        assert facts["version"] == 1
        assert facts["well"] == all(check["well"] for check in facts["checks"])
        assert code == (0 if facts["well"] else 1)
        return {check["name"]: check for check in facts["checks"]}

    return examine


def next_steps(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: check["next"] for name, check in checks.items() if check["next"]}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, stdout=-3, stderr=-3
    )


def test_all_is_well_in_a_plain_repository(here: Repository, doctor: Doctor) -> None:
    checks = doctor()
    assert next_steps(checks) == {}
    assert set(checks) == {
        "versions", "git", "settings", "grammars", "accelerator", "base model",
        "cache", "remote",
        "hooks",
    }  # fmt: skip
    assert checks["grammars"]["text"] == "files: 1 go, 1 python"


def test_nothing_is_written(here: Repository, doctor: Doctor) -> None:
    before = sorted(here.path.rglob("*"))
    doctor()
    assert sorted(here.path.rglob("*")) == before


def test_torch_is_not_imported_without_a_card(here: Repository) -> None:
    code = (
        "import sys\nfrom repobuild.cli.main import run\nrun(['doctor'])\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        stdout=-3,
    )
    assert done.returncode == 0


def test_what_is_printed_fits_eighty_columns(here: Repository, capsys: Any) -> None:
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "all is well"
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("ok   git          branch main at ") for line in lines)


def test_the_next_step_is_below_what_is_not_well(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(repository.path)
    assert run(["doctor"]) == 1
    assert (
        "bad  git          no commit yet\n"
        "                  next: commit something first: git add . && git commit\n"
    ) in capsys.readouterr().out


def test_outside_of_a_repository_the_installation_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = doctor()
    assert set(checks) == {"versions", "git"}
    assert "git init" in checks["git"]["next"]


def test_a_requirement_that_is_too_old_or_away_is_named() -> None:
    wanted = ["click>=8", "click>=999", "no-such-thing>=1", "x; extra == 'test'"]
    found = list(health.unmet_requirements(wanted))
    assert found == ["click>=999", "no-such-thing>=1"]


def test_a_missing_grammar(
    here: Repository, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    monkeypatch.setattr(languages, "_is_installed", lambda p: p != "tree_sitter_go")
    checks = doctor()
    assert next_steps(checks) == {"grammars": "pip install tree-sitter-go"}
    assert checks["grammars"]["text"] == "files: 1 python; not read: 1 go"


def test_a_link_is_no_file_that_is_read(here: Repository, doctor: Doctor) -> None:
    (here.path / "b.py").symlink_to("a.py")
    (here.path / "c.rs").symlink_to("a.go")
    git(here.path, "add", "b.py", "c.rs")
    git(here.path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "links")
    assert doctor()["grammars"]["text"] == "files: 1 go, 1 python"


@pytest.mark.parametrize(
    ("card", "torch", "finds", "settings", "step"),
    [
        (24, "2.9.0+cpu", False, "", "install a torch with CUDA"),
        (24, "2.9.0", False, "", "look at nvidia-smi"),
        (24, "2.9.0", True, "", ""),
        (24, "2.9.0", True, "qwen3-8b", "repobuild init --force"),
        (80, "2.9.0", True, "qwen3-8b", ""),
        (0, "2.9.0+cpu", False, "qwen3-8b", "repobuild init --force"),
        (0, "2.9.0+cpu", False, "mistral-7b", "repobuild init --force"),
        (24, "2.9.0", True, "mistral-7b", ""),
        (24, "2.9.0", True, "qwen3-coder-30b-a3b", "repobuild init --force"),
        (0, "2.9.0+cpu", False, "smollm2", ""),
    ],
)
def test_a_card_that_cannot_be_used_or_is_too_small(
    here: Repository,
    monkeypatch: pytest.MonkeyPatch,
    doctor: Doctor,
    card: int,
    torch: str,
    finds: bool,
    settings: str,
    step: str,
) -> None:
    cards = (GraphicsCard("a card", card * GB),) if card else ()
    use(monkeypatch, Machine(2, 25 * GB, cards, torch))
    monkeypatch.setattr(health, "_torch_has_card", lambda: finds)
    if settings:
        monkeypatch.setenv("REPOBUILD_PRESET", settings)
    found = doctor()["accelerator"]["next"]
    assert found.startswith(step) and bool(found) == bool(step)


def test_settings_that_cannot_be_read(here: Repository, doctor: Doctor) -> None:
    (here.path / "repobuild.toml").write_text("[adapter]\nranks = 3\n")
    check = doctor()["settings"]
    assert "unknown key" in check["text"] and check["next"]


def test_powers_that_wait_for_trust(here: Repository, doctor: Doctor) -> None:
    (here.path / "repobuild.toml").write_text("[adapter]\nprocesses = 4\n")
    assert next_steps(doctor()) == {"settings": "repobuild trust"}


def test_a_model_that_is_no_model(
    here: Repository, doctor: Doctor, monkeypatch
) -> None:
    monkeypatch.setenv("REPOBUILD_BASE_MODEL", "./nothing")
    check = doctor()["base model"]
    assert "does not exist" in check["text"]
    assert "set base.model" in check["next"]


def test_a_model_of_the_hub_is_not_asked_for(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("REPOBUILD_BASE_MODEL", "someone/model")
    check = doctor()["base model"]
    assert check["well"]
    assert check["text"] == "someone/model, to be downloaded by the next build"


def test_the_hub_is_not_asked_for_another_revision_either(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path
) -> None:
    snapshot = tmp_path / "models--someone--model/snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    asked: list[Any] = []
    monkeypatch.setattr(base, "_ask_hub_for_commit", lambda *names: asked.append(names))
    monkeypatch.setenv("REPOBUILD_BASE_MODEL", "someone/model")
    for revision in ("", "v2", "b" * 40):
        monkeypatch.setenv("REPOBUILD_BASE_REVISION", revision)
        check = doctor()["base model"]
        assert check["text"] == "someone/model, to be downloaded by the next build"
    assert asked == []


def test_an_embedded_model_that_was_changed(
    here: Repository, doctor: Doctor, monkeypatch
) -> None:
    monkeypatch.setattr(health, "_is_whole", lambda folder, digest: False)
    assert next_steps(doctor())["base model"] == "install repobuild again"


def test_a_damaged_database(here: Repository, doctor: Doctor) -> None:
    assert run(["--until", "graph", "--quiet"]) == 0
    database = here.path / ".git/repobuild/build.db"
    data = bytearray(database.read_bytes())
    data[8192:12288] = bytes(4096)
    database.write_bytes(data)
    check = doctor()["cache"]
    assert "the database is damaged" in check["text"]
    assert check["next"].startswith("repobuild")
    assert database.read_bytes() == data


def test_a_changed_artifact_is_named_and_left_where_it_is(
    here: Repository, doctor: Doctor
) -> None:
    assert run(["--until", "graph", "--quiet"]) == 0
    folder = here.path / ".git/repobuild/objects/ab" / f"{'c' * 62}"
    folder.mkdir(parents=True)
    (folder / "adapter.bin").write_text("other bytes")
    assert next_steps(doctor()) == {"cache": "repobuild cache verify"}
    assert folder.is_dir()


def test_a_full_disk(here: Repository, doctor: Doctor, monkeypatch) -> None:
    usage = SimpleNamespace(free=10_000_000)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: usage)
    assert "cache gc" in doctor()["cache"]["next"]


def test_a_shallow_clone(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path, capsys: Any
) -> None:
    here.commit({"a.py": SOURCE + "\n"})
    git(tmp_path, "clone", "--depth", "1", f"file://{here.path}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    checks = doctor()
    assert next_steps(checks) == {"git": "repobuild ci deepen"}
    assert "1 of the 201 commits to read" in checks["git"]["text"]
    run(["--until", "files"])
    assert "fetch them: repobuild ci deepen" in capsys.readouterr().err


def test_a_shallow_clone_of_the_only_commit_lacks_nothing(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path, capsys: Any
) -> None:
    git(tmp_path, "clone", "--depth", "1", f"file://{here.path}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert next_steps(doctor()) == {}
    run(["--until", "files"])
    assert "shallow" not in capsys.readouterr().err


def test_a_commit_with_nothing_to_train_on(
    repository: Repository, doctor: Doctor, monkeypatch
) -> None:
    repository.commit()
    monkeypatch.chdir(repository.path)
    assert list(next_steps(doctor())) == ["grammars"]


def test_a_partial_clone(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path
) -> None:
    git(here.path, "config", "uploadpack.allowFilter", "true")
    url = f"file://{here.path}"
    git(tmp_path, "clone", "--no-checkout", "--filter=blob:none", url, "partial")
    monkeypatch.chdir(tmp_path / "partial")
    check = doctor()["git"]
    assert "lacks 2 files of HEAD" in check["text"]
    assert check["next"] == "git fetch --refetch --no-filter"


def test_a_rebase_under_way_is_told(here: Repository, doctor: Doctor) -> None:
    (here.path / ".git/rebase-merge").mkdir()
    assert "a rebase is under way" in doctor()["git"]["text"]


def test_the_remote_is_told_without_asking_it(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path
) -> None:
    git(tmp_path, "clone", str(here.path), "clone")
    here.commit({"b.py": SOURCE})
    git(tmp_path / "clone", "fetch")
    monkeypatch.chdir(tmp_path / "clone")
    told = doctor()["remote"]["text"]
    assert told == "origin/main as last fetched: 0 ahead, 1 behind"


@pytest.mark.parametrize("follows", ["https://example.org/fork.git", "gone", "."])
def test_a_branch_that_follows_no_known_remote(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path, follows: str
) -> None:
    """A URL is what `gh pr checkout` writes for a fork."""
    git(tmp_path, "clone", str(here.path), "clone")
    git(tmp_path / "clone", "config", "branch.main.remote", follows)
    git(tmp_path / "clone", "config", "branch.main.merge", "refs/heads/other")
    monkeypatch.chdir(tmp_path / "clone")
    assert doctor()["remote"]["text"] == "origin; this branch follows none"


@pytest.mark.parametrize(
    ("problem", "outcome", "step"),
    [
        ("", "built", ""),
        ("its Python is gone", "built", "repobuild hook install post-merge"),
        ("", "failed", "repobuild hook status"),
    ],
)
def test_hooks_that_cannot_work_and_a_failed_build_are_named(
    here: Repository, doctor: Doctor, monkeypatch, problem: str, outcome: str, step: str
) -> None:
    hook = InstalledHook("post-merge", Path("post-merge"), True, "", problem)
    monkeypatch.setattr(hook_files, "list_hooks", lambda folder: [hook])
    facts = {"last": {"outcome": outcome}}
    monkeypatch.setattr(builder_record, "background_facts", lambda folder: facts)
    check = doctor()["hooks"]
    assert check["next"] == step
    assert "post-merge" in check["text"]


def test_a_hook_that_another_program_moved_has_the_step_of_its_status(
    here: Repository, doctor: Doctor, capsys: Any
) -> None:
    assert run(["hook", "install"]) == 0
    hook = here.path / ".git/hooks/post-merge"
    hook.rename(hook.with_name("post-merge.old"))
    hook.write_text("#!/bin/sh\n")
    capsys.readouterr()
    assert run(["hook", "status", "--json"]) == 1
    step = json.loads(capsys.readouterr().out)["hooks"][0]["next"]
    assert step.startswith("repobuild hook uninstall")
    assert doctor()["hooks"]["next"] == step


def test_a_bare_repository_has_no_hooks_and_is_well(
    here: Repository, doctor: Doctor, monkeypatch, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--bare", str(here.path), "bare.git")
    monkeypatch.chdir(tmp_path / "bare.git")
    checks = doctor()
    assert next_steps(checks) == {}
    assert "bare" in checks["hooks"]["text"]


def test_a_folder_of_hooks_that_is_no_folder(here: Repository, doctor: Doctor) -> None:
    git(here.path, "config", "core.hooksPath", "a.py")
    checks = doctor()
    assert list(next_steps(checks)) == ["hooks"]
    assert "core.hooksPath names" in checks["hooks"]["text"]
    assert "git config --unset core.hooksPath" in checks["hooks"]["next"]
