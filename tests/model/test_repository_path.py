"""The path of a repository enters no key and no manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from repobuild.checkout import Checkout, open_checkout
from repobuild.engine.run.task import RunningTask, task_key
from repobuild.model.base import resolve_base
from tests.model.test_nano import make_base
from tests.repository import Repository, trust_settings

SETTINGS = '[base]\nmodel = "models/nano"\n'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "nano"
    make_base(folder)
    return folder


def checkout(folder: Path, base: Path, model: str = "models/nano") -> Checkout:
    """Make a repository with a base model in its folder."""
    made = Repository(folder)
    made.commit({"a.py": 'def f():\n    """Say nothing at all."""\n    return 1\n'})
    shutil.copytree(base, folder / "models/nano", dirs_exist_ok=True)
    (folder / "repobuild.toml").write_text(f'[base]\nmodel = "{model}"\n')
    trust_settings(folder)
    return open_checkout(folder)


def keys(here: Checkout) -> dict[str, str]:
    """Return the key of every task; nothing is trained."""
    from repobuild.checkout import silent

    with here.building(here.snapshot(), silent) as build:
        build.run(["dataset"])
        tasks = [rule for rule in here.standard_rules.values() if rule.kind == "task"]
        return {rule.name: task_key(build, rule) for rule in tasks}


def test_the_same_repository_elsewhere_has_the_same_keys(tmp_path, base):
    one = checkout(tmp_path / "one", base)
    two = checkout(tmp_path / "deep/down/two", base)
    assert keys(one) == keys(two)
    assert keys(one).keys() == {"areas", "lifted", "adapter", "merged", "report"}


def test_a_base_is_identified_by_its_content_not_by_its_path(tmp_path, base):
    one = checkout(tmp_path / "one", base)
    two = checkout(tmp_path / "two", base, str(base))
    assert keys(one) == keys(two)


def test_another_base_is_another_key(tmp_path, base):
    one, two = (checkout(tmp_path / name, base) for name in ("one", "two"))
    with (two.root / "models/nano/config.json").open("a") as file:
        file.write("\n")
    trust_settings(two.root)
    two = open_checkout(two.root)
    assert keys(one)["adapter"] != keys(two)["adapter"]


def test_a_relative_base_is_found_from_any_folder(tmp_path, base, monkeypatch):
    here = checkout(tmp_path / "one", base)
    (here.root / "inner").mkdir()
    monkeypatch.chdir(here.root / "inner")
    found = resolve_base(open_checkout().settings)
    assert (found.name, found.source) == (
        "models/nano",
        str(here.root / "models/nano"),
    )


def test_no_manifest_holds_a_path_of_this_machine(tmp_path, base):
    here = checkout(tmp_path / "one", base)
    build = here.view(here.snapshot(), here.state())
    for rule in here.standard_rules.values():
        assert str(tmp_path) not in repr(build.manifest(rule))


def test_a_task_sees_what_does_not_enter_its_key(tmp_path, base):
    here = checkout(tmp_path / "one", base)
    build = here.view(here.snapshot(), here.state())
    rule = here.standard_rules["adapter"]
    task = RunningTask(build, rule, "", tmp_path)
    assert task.settings["base.model"] == "models/nano"
    assert "base.model" not in build.manifest(rule)["settings"]
